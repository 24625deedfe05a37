// A bounded part of the fuzzing of bfd.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './bfd.ts';

test('a BFD session lives through packets of every kind without a failure', (t) => {
  const { VIPKEEPER_FUZZ_SEED = '1' } = process.env;
  const seed = Number(VIPKEEPER_FUZZ_SEED);
  t.diagnostic(`seed ${seed}`);
  assert.equal(
    fuzz(seed, (runs) => runs >= 3_000),
    3_000,
  );
});
