import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterResult, type HysteresisRule, initialState, isUp } from '../../core/health/hysteresis.ts';

/** The verdicts after each of the results, written as + and -; ? is none yet. */
function verdicts(rule: HysteresisRule, results: string): string {
  let state = initialState(rule);
  const word = () => ({ true: '+', false: '-', undefined: '?' })[`${isUp(state, rule)}`];
  let text = word();
  for (const result of results) {
    state = afterResult(state, result === '+', rule);
    text += word();
  }
  return text;
}

const table: readonly [rise: number, fall: number, initFail: boolean, results: string, verdicts: string][] = [
  [1, 1, false, '', '?'],
  [1, 1, false, '+-+', '?+-+'],
  [3, 2, false, '+', '?+'],
  [3, 2, false, '-', '?-'],
  [3, 2, false, '+--', '?++-'],
  [3, 2, false, '-+++', '?---+'],
  [3, 2, false, '-++-+++', '?------+'],
  [2, 3, false, '+--+--+---', '?+++++++++-'],
  [3, 3, true, '', '-'],
  [3, 3, true, '+++', '---+'],
  [3, 3, true, '++-+++', '------+'],
  [1, 1, true, '+', '-+'],
];

for (const [rise, fall, initFail, results, expected] of table)
  test(`rise ${rise}, fall ${fall}${initFail ? ', init_fail' : ''}: results "${results}" give ${expected}`, () => {
    assert.equal(verdicts({ rise, fall, initFail }, results), expected);
  });

test('the counter agrees with counting results in a row, whatever comes', () => {
  const rules = fc.record({
    rise: fc.integer({ min: 1, max: 5 }),
    fall: fc.integer({ min: 1, max: 5 }),
    initFail: fc.boolean(),
  });
  fc.assert(
    fc.property(rules, fc.array(fc.boolean(), { maxLength: 60 }), (rule, results) => {
      let state = initialState(rule);
      // The reference: a run of `rise` successes passes, a run of `fall` failures fails, the first result decides.
      let up: boolean | undefined = rule.initFail ? false : undefined;
      let run = 0;
      for (const [i, ok] of results.entries()) {
        run = i > 0 && ok === results[i - 1] ? run + 1 : 1;
        if (up === undefined) up = ok;
        else if (ok && !up && run >= rule.rise) up = true;
        else if (!ok && up && run >= rule.fall) up = false;
        state = afterResult(state, ok, rule);
        assert.equal(isUp(state, rule), up);
        assert.ok(state.counter >= 0 && state.counter <= rule.rise + rule.fall - 1);
      }
    }),
  );
});
