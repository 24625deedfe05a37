import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, seconds } from '../../core/units.ts';
import { ConflictDefence } from '../../core/vip/conflict-defence.ts';

const at = (s: number) => instant(seconds(s));

test('the first claim is answered at once', () => {
  assert.ok(new ConflictDefence().claimed(at(0)));
});

test('a claim in the pause is answered at its end, so that the last word is ours', () => {
  const defence = new ConflictDefence();
  defence.claimed(at(0));
  assert.equal(defence.deadline, undefined);
  assert.equal(defence.claimed(at(0.01)), false);
  assert.equal(defence.deadline, at(0.1));
  assert.equal(defence.due(at(0.09)), false);
  assert.ok(defence.due(at(0.1)));
  assert.equal(defence.due(at(0.1)), false);
});

test('an endless quarrel costs an announcement in ten seconds', () => {
  const defence = new ConflictDefence();
  const said: number[] = [];
  for (let ms = 0; ms < 60_000; ms++) {
    const now = at(ms / 1000);
    if (defence.due(now) || defence.claimed(now)) said.push(ms / 1000);
  }
  assert.deepEqual(said, [0, 0.1, 1.1, 11.1, 21.1, 31.1, 41.1, 51.1]);
});

test('after half a minute of peace a claim is a new quarrel', () => {
  const defence = new ConflictDefence();
  for (const s of [0, 0.2, 1.3]) assert.ok(defence.claimed(at(s)));
  assert.ok(defence.claimed(at(31.3)));
  assert.ok(defence.claimed(at(31.5)), 'the short pauses come first again');
});
