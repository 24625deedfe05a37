// A bounded part of the fuzzing of netlink.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datagramOf, examine, fuzz } from './netlink.ts';

test('whole, damaged and senseless answers of the kernel are read without a failure', (t) => {
  const { VIPKEEPER_FUZZ_SEED = '1' } = process.env;
  const seed = Number(VIPKEEPER_FUZZ_SEED);
  t.diagnostic(`seed ${seed}`);
  assert.equal(
    fuzz(seed, (runs) => runs >= 3_000),
    3_000,
  );
});

test('a seed makes the same datagram each time, and seeds make datagrams of all kinds', () => {
  assert.deepEqual(datagramOf(3), datagramOf(3));
  const kinds = Array.from({ length: 50 }, (_, i) => datagramOf(i).kind);
  assert.deepEqual([...new Set(kinds)].toSorted(), ['attributes', 'bytes', 'damaged', 'whole']);
});

test('lengths below a header, beyond the end and of nothing at all are refused without a loop', () => {
  for (const length of [0, 1, 15, 16, 17, 0x7fffffff, 0xffffffff]) {
    const data = new Uint8Array(64);
    new DataView(data.buffer).setUint32(0, length, true);
    examine(data);
    examine(data.subarray(0, 17));
  }
});
