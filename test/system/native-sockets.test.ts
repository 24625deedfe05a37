// The addon's calls against the kernel, as far as they need no rights: UDP over the loopback interface, Unix datagrams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as linux from '../../core/system/linux.ts';
import {
  loadNative,
  RX_ADDRESS_SIZE,
  RX_DESTINATION_LENGTH,
  RX_FLAGS,
  RX_IFINDEX,
  RX_LENGTH,
  RX_SOURCE_LENGTH,
  RX_SOURCE_SIZE,
  RX_TTL,
  RX_WORDS,
  TX_WORDS,
} from '../../core/system/native/index.ts';

const native = loadNative();
const LOOPBACK = Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
const MSG_TRUNC = 0x20;

/** A bound UDP socket that wants all control data, and its address. */
function receiver() {
  const handle = native.socket(linux.AF_INET, linux.SOCK_DGRAM, 0);
  native.bind(handle, LOOPBACK);
  for (const option of [linux.IP_RECVTTL, linux.IP_PKTINFO]) native.setsockopt(handle, linux.SOL_IP, option, 1);
  native.setsockopt(handle, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
  const address = new Uint8Array(16);
  assert.equal(native.getsockname(handle, address), 16);
  return { handle, address, [Symbol.dispose]: () => native.close(handle) };
}

function sender(ttl?: number) {
  const handle = native.socket(linux.AF_INET, linux.SOCK_DGRAM, 0);
  native.bind(handle, LOOPBACK);
  if (ttl !== undefined) native.setsockopt(handle, linux.SOL_IP, 2, ttl);
  const address = new Uint8Array(16);
  native.getsockname(handle, address);
  return { handle, address, [Symbol.dispose]: () => native.close(handle) };
}

class Arrivals {
  readonly stride: number;
  readonly arena: Uint8Array;
  readonly table: Int32Array;
  readonly addresses: Uint8Array;
  readonly times: Float64Array;
  readonly count: number;
  constructor(count: number, stride: number) {
    this.count = count;
    this.stride = stride;
    this.arena = new Uint8Array(count * stride);
    this.table = new Int32Array(count * RX_WORDS);
    this.addresses = new Uint8Array(count * RX_ADDRESS_SIZE);
    this.times = new Float64Array(count);
  }
  fetch(handle: number): number {
    return native.recvmmsg(handle, this.arena, this.stride, this.count, this.table, this.addresses, this.times);
  }
  word(i: number, word: number): number {
    return this.table[i * RX_WORDS + word]!;
  }
  text(i: number): string {
    const at = i * this.stride;
    return new TextDecoder().decode(this.arena.slice(at, at + this.word(i, RX_LENGTH)));
  }
}

/** Packs texts for one destination into an arena and a table. */
function pack(texts: readonly string[], address: Uint8Array) {
  const arena = new Uint8Array(4096);
  const table = new Int32Array(texts.length * TX_WORDS);
  arena.set(address);
  let at = address.length;
  for (const [i, text] of texts.entries()) {
    const bytes = new TextEncoder().encode(text);
    arena.set(bytes, at);
    table.set([at, bytes.length, 0, address.length, 0, 0], i * TX_WORDS);
    at += bytes.length;
  }
  return { arena, table };
}

test('a batch arrives with source, destination, TTL, interface and time, in order', () => {
  using to = receiver();
  using from = sender(77);
  const texts = Array.from({ length: 40 }, (_, i) => `message ${i}`);
  const { arena, table } = pack(texts, to.address);
  const before = native.realtime();
  assert.equal(native.sendmmsg(from.handle, arena, table, 0, 40, 0), 40);
  const got = new Arrivals(64, 100);
  assert.equal(got.fetch(to.handle), 40);
  const after = native.realtime();
  for (let i = 0; i < 40; i++) {
    assert.equal(got.text(i), texts[i]);
    assert.equal(got.word(i, RX_FLAGS) & MSG_TRUNC, 0);
    assert.equal(got.word(i, RX_TTL), 77);
    assert.equal(got.word(i, RX_IFINDEX), 1);
    assert.equal(got.word(i, RX_SOURCE_LENGTH), 16);
    assert.equal(got.word(i, RX_DESTINATION_LENGTH), 4);
    const at = i * RX_ADDRESS_SIZE;
    assert.deepEqual([...got.addresses.slice(at, at + 8)], [...from.address.slice(0, 8)]);
    const destination = got.addresses.slice(at + RX_SOURCE_SIZE, at + RX_SOURCE_SIZE + 4);
    assert.deepEqual([...destination], [127, 0, 0, 1]);
    assert.ok(got.times[i]! >= before - 1 && got.times[i]! <= after + 1, `${before} ${got.times[i]} ${after}`);
  }
  assert.equal(got.fetch(to.handle), -linux.EAGAIN);
});

test('a part of a table can be sent', () => {
  using to = receiver();
  using from = sender();
  const { arena, table } = pack(['a', 'b', 'c', 'd'], to.address);
  assert.equal(native.sendmmsg(from.handle, arena, table, 1, 2, 0), 2);
  const got = new Arrivals(4, 16);
  assert.equal(got.fetch(to.handle), 2);
  assert.deepEqual([got.text(0), got.text(1)], ['b', 'c']);
});

test('control data that was not asked for is told from zero', () => {
  using to = sender();
  using from = sender();
  native.sendmsg(from.handle, new Uint8Array(4), to.address, undefined, 0);
  const got = new Arrivals(1, 16);
  assert.equal(got.fetch(to.handle), 1);
  assert.deepEqual([got.word(0, RX_TTL), got.word(0, RX_IFINDEX), got.word(0, RX_DESTINATION_LENGTH)], [-1, 0, 0]);
  assert.equal(got.times[0], 0);
});

test('a message longer than its place is cut and marked, and leaves its neighbour alone', () => {
  using to = receiver();
  using from = sender();
  for (const text of ['too long for it', 'short']) {
    native.sendmsg(from.handle, new TextEncoder().encode(text), to.address, undefined, 0);
  }
  const got = new Arrivals(2, 8);
  assert.equal(got.fetch(to.handle), 2);
  assert.deepEqual([got.text(0), got.text(1)], ['too long', 'short']);
  assert.ok(got.word(0, RX_FLAGS) & MSG_TRUNC);
});

test('recv tells the real length of a message that does not fit', () => {
  using to = receiver();
  using from = sender();
  native.sendmsg(from.handle, new Uint8Array(100).fill(9), to.address, undefined, 0);
  const buffer = new Uint8Array(32);
  assert.equal(native.recv(to.handle, buffer.subarray(0, 16)), 100);
  assert.deepEqual([...buffer], [...new Uint8Array(32).fill(9, 0, 16)]);
});

test('shared memory can hold the batch', () => {
  using to = receiver();
  using from = sender();
  const data = new Uint8Array(new SharedArrayBuffer(16)).fill(5);
  assert.equal(native.sendmsg(from.handle, data, to.address, undefined, 0), 16);
  assert.equal(native.recv(to.handle, new Uint8Array(new SharedArrayBuffer(16))), 16);
});

test('an error of the first message of a batch is returned, of a later one only counted', () => {
  using to = receiver();
  using from = sender();
  const { arena, table } = pack(['fits', 'x'], to.address);
  const big = new Uint8Array(70_000);
  big.set(arena);
  table[TX_WORDS] = 0;
  table[TX_WORDS + 1] = 66_000;
  assert.equal(native.sendmmsg(from.handle, big, table, 0, 2, 0), 1);
  assert.equal(native.sendmmsg(from.handle, big, table, 1, 1, 0), -linux.EMSGSIZE);
});

test('a filter keeps packets out', () => {
  using to = receiver();
  using from = sender();
  native.attachFilter(to.handle, Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)); // return 0
  native.sendmsg(from.handle, new Uint8Array(4), to.address, undefined, 0);
  assert.equal(native.recv(to.handle, new Uint8Array(16)), -linux.EAGAIN);
  assert.throws(() => native.attachFilter(to.handle, new Uint8Array(8).fill(255)), { code: 'EINVAL' });
});

test('options are set and read', () => {
  using socket = receiver();
  const value = new Uint8Array(4);
  native.setsockopt(socket.handle, linux.SOL_IP, 2, Uint8Array.of(42, 0, 0, 0));
  assert.equal(native.getsockopt(socket.handle, linux.SOL_IP, 2, value), 4);
  assert.deepEqual([...value], [42, 0, 0, 0]);
  assert.throws(() => native.setsockopt(socket.handle, linux.SOL_IP, 2, 999), {
    name: 'Error',
    message: 'EINVAL: setsockopt',
    code: 'EINVAL',
    errno: 22,
    syscall: 'setsockopt',
  });
});

test('a closed handle is refused by every call, also after its place was taken by another', () => {
  const closed = native.eventfd();
  native.close(closed);
  const others = Array.from({ length: 1000 }, () => native.eventfd());
  try {
    assert.ok(!others.includes(closed));
    const bytes = new Uint8Array(64);
    const uses: readonly (() => unknown)[] = [
      () => native.close(closed),
      () => native.bind(closed, bytes),
      () => native.connect(closed, bytes),
      () => native.getsockname(closed, bytes),
      () => native.setsockopt(closed, 1, 7, 1),
      () => native.getsockopt(closed, 1, 7, bytes),
      () => native.attachFilter(closed, bytes),
      () => native.sendmsg(closed, bytes, undefined, undefined, 0),
      () => native.sendmmsg(closed, bytes, new Int32Array(6), 0, 1, 0),
      () => native.recvmmsg(closed, bytes, 1, 1, new Int32Array(6), bytes, new Float64Array(1)),
      () => native.recv(closed, bytes),
      () => native.ppoll(Float64Array.of(closed), new Int32Array(1), 1, 0),
      () => native.signal(closed),
      () => native.drain(closed),
    ];
    for (const use of uses) assert.throws(use, { code: 'EBADF', errno: 9 });
  } finally {
    for (const other of others) native.close(other);
  }
});

test('a hundred thousand handles come and go, none of them twice', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    const handle = native.eventfd();
    assert.ok(!seen.has(handle));
    seen.add(handle);
    native.close(handle);
  }
});

test('when the table of handles is full, opening fails and nothing leaks', () => {
  const handles: number[] = [];
  assert.throws(
    () => {
      for (;;) handles.push(native.eventfd());
    },
    { code: 'EMFILE' },
  );
  for (const handle of handles) native.close(handle);
  assert.ok(handles.length > 900);
  native.close(native.eventfd());
});

test('ppoll returns at once for a deadline that has passed, and not before one that has not', () => {
  const handle = native.eventfd();
  const handles = Float64Array.of(handle);
  const ready = new Int32Array(1);
  assert.equal(native.ppoll(handles, ready, 1, Number.NEGATIVE_INFINITY), 0);
  for (const micros of [1, 50.5, 2_000]) {
    const deadline = native.monotonic() + micros;
    assert.equal(native.ppoll(handles, ready, 1, deadline), 0);
    assert.ok(native.monotonic() >= deadline - 0.002);
  }
  native.close(handle);
});

test('errno names are those of Linux', () => {
  const names = [0, 1, -11, 105, -100, 133, 134, 41, -(2 ** 31), 2 ** 31 - 1].map((n) => native.errnoName(n));
  assert.deepEqual(names, [
    'OK',
    'EPERM',
    'EAGAIN',
    'ENOBUFS',
    'ENETDOWN',
    'EHWPOISON',
    'EUNKNOWN',
    'EUNKNOWN',
    'EUNKNOWN',
    'EUNKNOWN',
  ]);
});
