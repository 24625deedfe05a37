import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, sameVerdict, type TrackedState } from '../../core/health/verdict.ts';

const state = (up: boolean | undefined, detail = ''): TrackedState => ({ up, disabled: false, detail });

const table: readonly [weight: number, reverse: boolean, up: boolean | undefined, effect: number | 'fault'][] = [
  [0, false, true, 0],
  [0, false, false, 'fault'],
  [0, true, true, 'fault'],
  [0, true, false, 0],
  [20, false, true, 20],
  [20, false, false, 0],
  [20, true, true, -20],
  [20, true, false, 0],
  [-20, false, true, 0],
  [-20, false, false, -20],
  [-20, true, true, 0],
  [-20, true, false, 20],
  [0, false, undefined, 'fault'],
  [0, true, undefined, 'fault'],
  [20, false, undefined, 0],
  [-20, false, undefined, 0],
];

for (const [weight, reverse, up, effect] of table) {
  const condition = up === undefined ? 'without a result' : up ? 'up' : 'down';
  test(`weight ${weight}${reverse ? ' reverse' : ''}, ${condition}: ${effect}`, () => {
    const verdict = judge([{ name: 'x', weight, reverse }], () => state(up));
    assert.equal(verdict.adjustment, effect === 'fault' ? 0 : effect);
    assert.equal(verdict.faults.length, effect === 'fault' ? 1 : 0);
  });
}

test('weights add up and faults are listed in the order of the tracks', () => {
  const states: Record<string, TrackedState> = {
    a: state(true),
    b: state(false),
    c: state(false, 'exit code 1: no nginx'),
    d: state(undefined),
    e: state(true),
  };
  const tracks = [
    { name: 'a', weight: 7, reverse: false },
    { name: 'b', weight: -30, reverse: false },
    { name: 'c', weight: 0, reverse: false },
    { name: 'd', weight: 0, reverse: false },
    { name: 'e', weight: 0, reverse: true },
  ];
  assert.deepEqual(
    judge(tracks, (name) => states[name]),
    {
      adjustment: -23,
      faults: [
        'script c failed: exit code 1: no nginx',
        'script d is waiting for its first result',
        'script e succeeded, which is a fault here (reverse)',
      ],
    },
  );
});

test('a disabled or unknown script contributes nothing, not even with weight 0', () => {
  const tracks = [
    { name: 'disabled', weight: 0, reverse: false },
    { name: 'unknown', weight: -50, reverse: false },
  ];
  const verdict = judge(tracks, (name) =>
    name === 'disabled' ? { up: undefined, disabled: true, detail: '' } : undefined,
  );
  assert.deepEqual(verdict, { adjustment: 0, faults: [] });
});

test('verdicts are the same when number and reasons are', () => {
  assert.ok(sameVerdict({ adjustment: 1, faults: ['a'] }, { adjustment: 1, faults: ['a'] }));
  assert.ok(!sameVerdict({ adjustment: 1, faults: ['a'] }, { adjustment: 1, faults: ['b'] }));
  assert.ok(!sameVerdict({ adjustment: 1, faults: [] }, { adjustment: 2, faults: [] }));
  assert.ok(!sameVerdict({ adjustment: 1, faults: [] }, { adjustment: 1, faults: ['a'] }));
});

const products: readonly [weight: number, reverse: boolean, value: number, effect: number | 'fault'][] = [
  [3, false, 4, 12],
  [3, true, 4, -12],
  [-3, false, 4, -12],
  [-3, false, -4, 12],
  [5, false, 0, 0],
  [1, false, 2_147_483_647, 253],
  [1, false, -253, -253],
  [1, false, -254, 'fault'],
  [2_147_483_647, true, 2_147_483_647, 'fault'],
];

for (const [weight, reverse, value, effect] of products)
  test(`weight ${weight}${reverse ? ' reverse' : ''} times ${value}: ${effect}`, () => {
    const verdict = judge([{ name: 'x', weight, reverse }], () => ({ ...state(value === 0, 'why'), value }), 'file');
    assert.equal(verdict.adjustment, effect === 'fault' ? 0 : effect);
    assert.ok(!Object.is(verdict.adjustment, -0));
    assert.deepEqual(verdict.faults, effect === 'fault' ? ['file x counts -254, which is a fault: why'] : []);
  });
