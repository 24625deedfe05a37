// The first 2,000 seeds of the simulator, and some that once found something: 3 to 7 routers with production engines
// under faults of every kind, judged by the invariants. A seed that fails prints its scenario.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './check.ts';
import { run } from './run.ts';
import { scenarioOf } from './scenario.ts';
import { simulate } from './simulate.ts';

const SEEDS = 2_000;

test(`${SEEDS} simulated networks keep every invariant`, async () => {
  const { done, failures } = await simulate({ from: 1, to: SEEDS });
  assert.deepEqual(
    failures.map(({ report }) => report),
    [],
  );
  assert.equal(done, SEEDS);
});

test('the same seed makes the same run, packet by packet', () => {
  for (const seed of [3, 8, 21]) assert.equal(run(scenarioOf(seed)).digest, run(scenarioOf(seed)).digest);
});

/** Seeds beyond the first 2,000 that once failed, by what they found. */
const FOUND: readonly (readonly [seed: number, what: string])[] = [];

for (const [seed, what] of FOUND)
  test(`seed ${seed}: ${what}`, () => {
    assert.equal(check(seed)?.report, undefined);
  });
