import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Micros, millis, priority, seconds } from '../../core/units.ts';
import { effectivePriority } from '../../core/vrrp/priority.ts';
import { downInterval, skewTime } from '../../core/vrrp/timers.ts';

/** Microseconds, all exact: a binary fraction of an integer. */
const table: readonly [version: 2 | 3, interval: Micros, priority: number, skew: number][] = [
  [2, seconds(1), 1, 996_093.75],
  [2, seconds(1), 100, 609_375],
  [2, seconds(1), 254, 7_812.5],
  [2, seconds(5), 100, 609_375],
  [3, millis(10), 1, 9_960.9375],
  [3, millis(10), 100, 6_093.75],
  [3, millis(10), 254, 78.125],
  [3, millis(10), 255, 39.0625],
  [3, seconds(1), 100, 609_375],
  [3, millis(40_950), 1, 40_790_039.0625],
];

for (const [version, interval, value, skew] of table)
  test(`version ${version}, priority ${value}, interval ${interval} µs: the skew is ${skew} µs`, () => {
    assert.equal(skewTime({ version, interval, priority: priority(value) }), skew);
    assert.equal(downInterval({ version, interval, priority: priority(value), adverts: 3 }), 3 * interval + skew);
  });

test('the down timer counts as many adverts as it is told', () => {
  const input = { version: 3, interval: millis(10), priority: priority(100) } as const;
  assert.equal(downInterval({ ...input, adverts: 1 }), 16_093.75);
  assert.equal(downInterval({ ...input, adverts: 100 }), 1_006_093.75);
});

test('the skew is exact for every priority and every interval of the wire', () => {
  for (let value = 1; value <= 255; value++)
    for (let cs = 1; cs <= 4095; cs += 7) {
      const skew = skewTime({ version: 3, interval: millis(10 * cs), priority: priority(value) });
      assert.equal(BigInt(skew * 256), BigInt(256 - value) * BigInt(cs) * 10_000n);
    }
});

test('trackers move the priority within 1..254', () => {
  assert.equal(effectivePriority(priority(100), 0), 100);
  assert.equal(effectivePriority(priority(100), 50), 150);
  assert.equal(effectivePriority(priority(100), -30), 70);
  assert.equal(effectivePriority(priority(100), -253), 1);
  assert.equal(effectivePriority(priority(100), 253), 254);
});

test('trackers do not move an owner', () => {
  assert.equal(effectivePriority(priority(255), -253), 255);
  assert.equal(effectivePriority(priority(255), 10), 255);
});
