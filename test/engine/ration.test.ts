import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ration } from '../../core/engine/ration.ts';
import { after, instant, millis } from '../../core/units.ts';

test('the first comes through at once, then one each pause with those that were held back', () => {
  const ration = new Ration(millis(500));
  const told = Array.from({ length: 12 }, (_, i) => ration.note('V1', after(instant(0), millis(i * 100))));
  assert.deepEqual(told, [1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0]);
});

test('what comes once a second is told each time, and names do not disturb one another', () => {
  const ration = new Ration(millis(500));
  for (let i = 0; i < 5; i++)
    for (const name of ['V1', 'V2']) assert.equal(ration.note(name, after(instant(0), millis(i * 980))), 1);
});
