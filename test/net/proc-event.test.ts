import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProcEvent, processFilter, subscription } from '../../core/net/proc-event.ts';

/** Recorded from a kernel 6.18: `true` started and ended; the pids are 0x7a2c and 0x7a33. */
const HEAD = '4c000000030000000000000000000000010000000100000000000000000000002800000';
const FORK = `${HEAD}001000000010000001e3619a69a0a00002c7a00002c7a0000337a0000337a00000000000000000000`;
const EXEC = `${HEAD}002000000000000006d6f26a69a0a0000337a0000337a000000000000000000000000000000000000`;
const EXIT = `${HEAD}0000000800000000041b631a69a0a0000337a0000337a000000000000110000002c7a00002c7a0000`;
const ACKNOWLEDGED = `${HEAD}00000000001000000ff0cfba59a0a0000000000000000000000000000000000000000000000000000`;

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const events = [
  [FORK, { type: 'fork', parent: 0x7a2c, child: 0x7a33 }],
  [EXEC, { type: 'exec', pid: 0x7a33 }],
  [EXIT, { type: 'exit', pid: 0x7a33 }],
  [ACKNOWLEDGED, { type: 'acknowledged', error: 0 }],
] as const;

for (const [hex, event] of events)
  test(`decodes ${event.type}`, () => assert.deepEqual(decodeProcEvent(bytes(hex)), event));

test('decodes a new name, up to its zero or all 16 bytes', () => {
  const message = bytes(EXEC);
  new DataView(message.buffer).setUint32(36, 0x200, true);
  message.set(new TextEncoder().encode('sixteen-letters!'), 60);
  assert.deepEqual(decodeProcEvent(message), { type: 'comm', pid: 0x7a33, comm: 'sixteen-letters!' });
  message[65] = 0;
  assert.deepEqual(decodeProcEvent(message), { type: 'comm', pid: 0x7a33, comm: 'sixte' });
});

test('threads, other events and anything too short or of another sender are no events', () => {
  for (const [hex] of events) {
    const whole = bytes(hex);
    for (let length = 0; length < 60; length++) assert.equal(decodeProcEvent(whole.subarray(0, length)), undefined);
    const stranger = Uint8Array.from(whole);
    stranger[16] = 2;
    assert.equal(decodeProcEvent(stranger), undefined);
  }
  for (const [hex, offset] of [
    [FORK, 60],
    [EXEC, 52],
    [EXIT, 52],
  ] as const) {
    const thread = bytes(hex);
    thread[offset]! ^= 1;
    assert.equal(decodeProcEvent(thread), undefined);
  }
  const ptrace = bytes(EXEC);
  ptrace[36] = 0;
  ptrace[37] = 1;
  assert.equal(decodeProcEvent(ptrace), undefined);
});

test('any bytes at all are an event or none, and never an exception', () => {
  for (let seed = 1; seed < 5_000; seed++) {
    const message = bytes(EXEC);
    let x = seed;
    for (let i = 0; i < 8; i++) {
      x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
      message[36 + (x % 40)] = x >>> 16;
    }
    decodeProcEvent(message.subarray(0, x % 77));
  }
});

/** Runs classic BPF as the kernel would: the few instructions that the filter uses. */
function passes(packet: Uint8Array): boolean {
  const program = processFilter();
  const view = new DataView(program.buffer);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let a = 0;
  let x = 0;
  for (let pc = 0; ; pc++) {
    const [code, yes, no, k] = [
      view.getUint16(8 * pc, true),
      program[8 * pc + 2]!,
      program[8 * pc + 3]!,
      view.getUint32(8 * pc + 4, true),
    ];
    if (code === 0x06) return k !== 0;
    if (code === 0x20) a = data.getUint32(k, false);
    else if (code === 0x07) x = a;
    else pc += a === (code === 0x1d ? x : k) ? yes : no;
  }
}

test('the filter lets through what is an event, and nothing of threads', () => {
  for (const [hex] of events) assert.ok(passes(bytes(hex)));
  for (let what = 0; what < 32; what++)
    for (const thread of [false, true]) {
      const message = bytes(FORK);
      new DataView(message.buffer).setUint32(36, 2 ** what, true);
      if (thread) message[52]! ^= 1;
      if (thread) message[60]! ^= 1;
      assert.equal(passes(message), decodeProcEvent(message) !== undefined, `event ${2 ** what}, thread ${thread}`);
    }
});

test('a subscription and its end are what cn_proc.h says', () => {
  const head = '280000000300000000000000000000000100000001000000000000000000000004000000';
  assert.equal(Buffer.from(subscription(true)).toString('hex'), `${head}01000000`);
  assert.equal(Buffer.from(subscription(false)).toString('hex'), `${head}02000000`);
});
