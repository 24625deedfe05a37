// Whatever JavaScript hands the addon, it answers with an error and stays within the memory it was given.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as linux from '../../core/system/linux.ts';
import { type Handle, loadNative, type Native } from '../../core/system/native/index.ts';

const native = loadNative();
const opened: Handle[] = [];
const keep = (handle: Handle): Handle => {
  opened.push(handle);
  return handle;
};
after(() => {
  for (const handle of opened) native.close(handle);
});

const event = keep(native.eventfd());
const local = keep(native.socket(linux.AF_UNIX, linux.SOCK_DGRAM, 0));
const route = keep(native.socket(linux.AF_NETLINK, linux.SOCK_RAW, linux.NETLINK_ROUTE));
const udp = keep(native.socket(linux.AF_INET, linux.SOCK_DGRAM, 0));

type Maker = () => unknown;

function detached(): Uint8Array {
  const view = new Uint8Array(4096);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

const outgrown = (): Uint8Array => {
  const buffer = new ArrayBuffer(4096, { maxByteLength: 8192 });
  const view = new Uint8Array(buffer, 0, 4096);
  buffer.resize(16);
  return view;
};

const NOT_A_NUMBER: readonly Maker[] = [
  () => undefined,
  () => null,
  () => 'text',
  () => '1',
  () => true,
  () => 1n,
  () => Symbol('s'),
  () => ({}),
  () => [],
  () => () => {},
  () => new Proxy({}, {}),
  () => ({ valueOf: () => 1 }),
];
const NOT_IN_RANGE: readonly number[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  1.5,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
];
/** None of them is a view of the right kind with memory in it. */
const NOT_A_VIEW: readonly Maker[] = [
  ...NOT_A_NUMBER.filter((make) => make() !== undefined),
  () => 7,
  () => new ArrayBuffer(4096),
  () => new SharedArrayBuffer(4096),
  () => new DataView(new ArrayBuffer(4096)),
  () => new Int8Array(4096),
  () => new Uint8ClampedArray(4096),
  () => new Uint16Array(4096),
  () => new Uint32Array(4096),
  () => new Float32Array(4096),
  () => new BigInt64Array(4096),
  () => new Proxy(new Uint8Array(4096), {}),
  () => Object.create(Uint8Array.prototype),
  () => new Uint8Array(new ArrayBuffer(4096, { maxByteLength: 8192 })),
  () => new Int32Array(new ArrayBuffer(4096, { maxByteLength: 8192 })),
  () => new Float64Array(new ArrayBuffer(4096, { maxByteLength: 8192 })),
  outgrown,
];
const NOT_BYTES: readonly Maker[] = [...NOT_A_VIEW, () => new Int32Array(1024), () => new Float64Array(512)];
const NOT_INTS: readonly Maker[] = [...NOT_A_VIEW, () => new Uint8Array(4096), () => new Float64Array(512)];
const NOT_DOUBLES: readonly Maker[] = [...NOT_A_VIEW, () => new Uint8Array(4096), () => new Int32Array(1024)];
const NO_MEMORY: readonly Maker[] = [detached, () => new Uint8Array(0)];

type Kind = 'handle' | 'integer' | 'deadline' | 'bytes' | 'some bytes' | 'maybe bytes' | 'ints' | 'doubles' | 'value';

const HOSTILE: Readonly<Record<Kind, readonly Maker[]>> = {
  handle: [...NOT_A_NUMBER, ...NOT_IN_RANGE.map((n) => () => n), () => 0, () => 1, () => 3, () => 1023],
  integer: [...NOT_A_NUMBER, ...NOT_IN_RANGE.map((n) => () => n)],
  deadline: [...NOT_A_NUMBER, () => Number.NaN],
  bytes: [...NOT_BYTES, () => undefined],
  'some bytes': [...NOT_BYTES, ...NO_MEMORY, () => undefined],
  'maybe bytes': NOT_BYTES,
  ints: [...NOT_INTS, () => undefined, () => new Int32Array(0)],
  doubles: [...NOT_DOUBLES, () => undefined, () => new Float64Array(0)],
  // a number or bytes, and small negative numbers are fine
  value: NOT_A_VIEW.filter((make) => make() !== 7),
};

interface Call {
  readonly name: keyof Native;
  /** Arguments that would be accepted. */
  readonly good: Maker;
  readonly kinds: readonly Kind[];
}

const calls: readonly Call[] = [
  { name: 'socket', good: () => [linux.AF_UNIX, linux.SOCK_DGRAM, 0], kinds: ['integer', 'integer', 'integer'] },
  { name: 'close', good: () => [native.eventfd()], kinds: ['handle'] },
  { name: 'bind', good: () => [local, new Uint8Array(2)], kinds: ['handle', 'some bytes'] },
  { name: 'connect', good: () => [local, new Uint8Array(2)], kinds: ['handle', 'some bytes'] },
  { name: 'getsockname', good: () => [local, new Uint8Array(128)], kinds: ['handle', 'some bytes'] },
  { name: 'setsockopt', good: () => [local, 1, 7, 65536], kinds: ['handle', 'integer', 'integer', 'value'] },
  {
    name: 'getsockopt',
    good: () => [local, 1, 7, new Uint8Array(4)],
    kinds: ['handle', 'integer', 'integer', 'bytes'],
  },
  { name: 'attachFilter', good: () => [udp, Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)], kinds: ['handle', 'some bytes'] },
  {
    name: 'sendmsg',
    good: () => [route, new Uint8Array(16), new Uint8Array(12), undefined, 0],
    kinds: ['handle', 'bytes', 'maybe bytes', 'maybe bytes', 'integer'],
  },
  {
    name: 'sendmmsg',
    good: () => [route, new Uint8Array(64), new Int32Array(6), 0, 1, 0],
    kinds: ['handle', 'bytes', 'ints', 'integer', 'integer', 'integer'],
  },
  {
    name: 'recvmmsg',
    good: () => [udp, new Uint8Array(64), 32, 2, new Int32Array(12), new Uint8Array(96), new Float64Array(2)],
    kinds: ['handle', 'some bytes', 'integer', 'integer', 'ints', 'some bytes', 'doubles'],
  },
  { name: 'recv', good: () => [udp, new Uint8Array(64)], kinds: ['handle', 'some bytes'] },
  {
    name: 'ppoll',
    good: () => [Float64Array.of(event), new Int32Array(1), 1, 0],
    kinds: ['doubles', 'ints', 'integer', 'deadline'],
  },
  { name: 'signal', good: () => [event], kinds: ['handle'] },
  { name: 'drain', good: () => [event], kinds: ['handle'] },
  { name: 'setScheduler', good: () => [linux.SCHED_OTHER, 0], kinds: ['integer', 'integer'] },
  { name: 'setns', good: () => [1_000_000, 0], kinds: ['integer', 'integer'] },
  { name: 'prctl', good: () => [3, 0], kinds: ['integer', 'integer'] },
  { name: 'ignoreSignal', good: () => [63], kinds: ['integer'] },
  { name: 'errnoName', good: () => [1], kinds: [] },
];

const run = (name: keyof Native, args: readonly unknown[]): unknown =>
  Reflect.apply(native[name] as (...given: readonly unknown[]) => unknown, native, args);

const refused = (error: unknown): true => {
  const { code } = error as { code?: string };
  const known = error instanceof TypeError || error instanceof RangeError || code === 'EBADF';
  assert.ok(known, `unexpected: ${error}`);
  return true;
};

const show = (value: unknown): string =>
  ArrayBuffer.isView(value) ? `${value.constructor.name}(${value.byteLength})` : String(typeof value);

describe('hostile arguments', () => {
  for (const { name, good, kinds } of calls)
    test(`${name} refuses every argument of the wrong kind`, () => {
      for (const [at, kind] of kinds.entries())
        for (const make of HOSTILE[kind]) {
          const args = [...(good() as unknown[])];
          args[at] = make();
          assert.throws(() => run(name, args), refused, `${name} took ${show(args[at])} as argument ${at + 1}`);
        }
    });

  test('too few arguments are as bad as wrong ones', () => {
    for (const { name, good, kinds } of calls)
      for (let given = 0; given < kinds.length; given++) {
        // trailing optional arguments may be missing, but never the last one of these
        const args = (good() as unknown[]).slice(0, given);
        assert.throws(() => run(name, args), refused, `${name} with ${given} arguments`);
      }
  });

  test('a getter that detaches another argument changes nothing', () => {
    const victim = new Uint8Array(64);
    const bait = new Float64Array(2);
    Object.defineProperty(bait.buffer, 'resizable', {
      get() {
        structuredClone(victim.buffer, { transfer: [victim.buffer] });
        return false;
      },
    });
    assert.throws(() => native.recvmmsg(udp, victim, 32, 2, new Int32Array(12), new Uint8Array(96), bait), {
      name: 'RangeError',
      message: 'arena is too short or detached',
    });
  });

  test('a getter that throws is passed on', () => {
    const bait = new Uint8Array(64);
    Object.defineProperty(bait.buffer, 'resizable', {
      get() {
        throw new SyntaxError('mine');
      },
    });
    assert.throws(() => native.recv(udp, bait), { name: 'SyntaxError', message: 'mine' });
  });
});

describe('hostile tables', () => {
  const ARENA = 256;
  const MAX = 2 ** 31 - 1;
  const MIN = -(2 ** 31);
  /** offset, length, name offset, name length, control offset, control length */
  const rows: readonly (readonly number[])[] = [
    [0, ARENA + 1, 0, 0, 0, 0],
    [ARENA, 1, 0, 0, 0, 0],
    [ARENA + 1, 0, 0, 0, 0, 0],
    [-1, 1, 0, 0, 0, 0],
    [1, -1, 0, 0, 0, 0],
    [MAX, MAX, 0, 0, 0, 0],
    [MIN, MIN, 0, 0, 0, 0],
    [MAX, 1, 0, 0, 0, 0],
    [0, 8, ARENA, 16, 0, 0],
    [0, 8, ARENA - 15, 16, 0, 0],
    [0, 8, -16, 16, 0, 0],
    [0, 8, 0, -1, 0, 0],
    [0, 8, 0, 129, 0, 0],
    [0, 8, MAX, MAX, 0, 0],
    [0, 8, 0, 0, ARENA, 16],
    [0, 8, 0, 0, 0, MAX],
    [0, 8, 0, 0, MIN, MAX],
    [0, 8, 0, 0, 0, -1],
  ];

  test('sendmmsg refuses rows that point outside the arena, whatever else is right', () => {
    for (const row of rows)
      for (const place of [0, 1]) {
        const table = new Int32Array(12);
        table.set([0, 8, 0, 0, 0, 0], 0);
        table.set([0, 8, 0, 0, 0, 0], 6);
        table.set(row, place * 6);
        assert.throws(
          () => native.sendmmsg(udp, new Uint8Array(ARENA), table, 0, 2, 0),
          { name: 'RangeError', message: 'table points outside the arena' },
          row.join(),
        );
      }
  });

  test('sendmmsg refuses more rows than the table has', () => {
    const table = new Int32Array(6 * 4);
    for (const [first, count] of [
      [0, 5],
      [4, 1],
      [3, 2],
      [2 ** 31 - 1, 1],
      [2 ** 31 - 1, 256],
    ] as const)
      assert.throws(() => native.sendmmsg(udp, new Uint8Array(8), table, first, count, 0), RangeError);
    assert.throws(() => native.sendmmsg(udp, new Uint8Array(8), new Int32Array(6 * 300), 0, 257, 0), RangeError);
  });

  test('recvmmsg refuses an arena, a table, addresses or times that are too short by one', () => {
    const lengths = [
      [63, 12, 96, 2],
      [64, 11, 96, 2],
      [64, 12, 95, 2],
      [64, 12, 96, 1],
    ] as const;
    for (const [arena, table, addresses, times] of lengths)
      assert.throws(
        () =>
          native.recvmmsg(
            udp,
            new Uint8Array(arena),
            32,
            2,
            new Int32Array(table),
            new Uint8Array(addresses),
            new Float64Array(times),
          ),
        RangeError,
        `${arena} ${table} ${addresses} ${times}`,
      );
    assert.throws(
      () =>
        native.recvmmsg(
          udp,
          new Uint8Array(64),
          2 ** 31 - 1,
          64,
          new Int32Array(999),
          new Uint8Array(9999),
          new Float64Array(99),
        ),
      RangeError,
    );
  });

  test('ppoll refuses a table with a handle that is none, and leaves the others usable', () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1024.5, 2 ** 52])
      assert.throws(() => native.ppoll(Float64Array.of(event, bad), new Int32Array(2), 2, 0), { code: 'EBADF' });
    assert.throws(() => native.ppoll(new Float64Array(257), new Int32Array(257), 257, 0), RangeError);
    native.signal(event);
    assert.equal(native.ppoll(Float64Array.of(event, event), new Int32Array(2), 2, Number.POSITIVE_INFINITY), 2);
    assert.equal(native.drain(event), 1);
  });
});

describe('what could reach beyond the arguments', () => {
  test('socket options that carry an address are refused, in both directions', () => {
    const carriers = [
      [linux.SOL_SOCKET, 26],
      [linux.SOL_SOCKET, 51],
      [linux.SOL_IP, 64],
      [linux.SOL_IP, 128],
      [linux.SOL_IPV6, 64],
      [263, 22],
    ] as const;
    for (const [level, option] of carriers) {
      assert.throws(() => native.setsockopt(udp, level, option, new Uint8Array(16)), RangeError);
      assert.throws(() => native.getsockopt(udp, level, option, new Uint8Array(16)), RangeError);
    }
  });

  test('prctl options that take an address are refused', () => {
    for (const option of [15, 16, 22, 35, 37, 40, 59]) assert.throws(() => native.prctl(option, 0), RangeError);
  });

  test('signals of the C library cannot be ignored, nor can SIGKILL', () => {
    for (const signal of [32, 33, 34]) assert.throws(() => native.ignoreSignal(signal), RangeError);
    assert.throws(() => native.ignoreSignal(9), { code: 'EINVAL', syscall: 'rt_sigaction' });
  });

  test('only the families that are offered can be opened', () => {
    for (const domain of [0, 3, 29, 38, 40, 255]) assert.throws(() => native.socket(domain, 2, 0), RangeError);
    for (const type of [0, 1, 4, 5, 0x80002]) assert.throws(() => native.socket(linux.AF_INET, type, 0), RangeError);
  });

  test('flags that keep memory after the call are refused', () => {
    const data = new Uint8Array(8);
    for (const flags of [0x4000000, 0x8000, 1, 2 ** 31 - 1])
      assert.throws(() => native.sendmsg(udp, data, undefined, undefined, flags), RangeError);
  });

  test('random arguments never write outside a view', () => {
    const GUARD = 0xa5;
    const size = 64;
    const guarded = () => {
      const buffer = new Uint8Array(3 * size).fill(GUARD);
      return { buffer, view: buffer.subarray(size, 2 * size) };
    };
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const address = new Uint8Array(16);
    const peer = keep(native.socket(linux.AF_INET, linux.SOCK_DGRAM, 0));
    native.bind(peer, Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    native.getsockname(peer, address);
    const message = new Uint8Array(200);
    for (let round = 0; round < 5_000; round++) {
      const arena = guarded();
      const addresses = guarded();
      const other = guarded();
      const table = new Int32Array(32).fill(-7);
      const times = new Float64Array(8).fill(-7);
      native.sendmsg(udp, message.subarray(0, random(200)), address, undefined, 0);
      const words = 6 * (1 + random(3));
      const calls: readonly (() => unknown)[] = [
        () =>
          native.recvmmsg(
            peer,
            arena.view,
            random(70),
            random(4),
            table.subarray(8, 8 + words),
            addresses.view,
            times.subarray(2, 2 + random(4)),
          ),
        () => native.recv(peer, arena.view.subarray(random(64))),
        () => native.getsockname(peer, other.view.subarray(random(65))),
        () => native.getsockopt(peer, random(2), random(80), other.view.subarray(random(65))),
        () => {
          for (let i = 0; i < 12; i++) table[i] = random(3) === 0 ? random(2 ** 24) - 2 ** 23 : random(80);
          return native.sendmmsg(udp, arena.view, table, random(3), random(3), 0);
        },
      ];
      try {
        calls[random(calls.length)]!();
      } catch (error) {
        const { code } = error as { code?: string };
        assert.equal(typeof code, 'string', String(error));
      }
      for (const { buffer } of [arena, addresses, other])
        for (let i = 0; i < size; i++)
          if (buffer[i] !== GUARD || buffer[2 * size + i] !== GUARD) assert.fail(`round ${round} wrote outside`);
      assert.equal(times[0], -7);
      assert.equal(times[7], -7);
      assert.equal(table[31], -7);
    }
  });
});
