import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, seconds } from '../../core/units.ts';
import { ConflictDefence } from '../../core/vip/conflict-defence.ts';

const at = (s: number) => instant(seconds(s));

test('a claim is answered two seconds later: a new master may announce before its adverts are heard', () => {
  const defence = new ConflictDefence();
  assert.equal(defence.deadline, undefined);
  defence.claimed(at(1));
  assert.equal(defence.deadline, at(3));
  assert.equal(defence.due(at(2.9)), false);
  assert.ok(defence.due(at(3)));
  assert.equal(defence.due(at(3)), false);
  assert.equal(defence.deadline, undefined);
});

test('an endless quarrel costs an announcement in ten seconds', () => {
  const defence = new ConflictDefence();
  const said: number[] = [];
  for (let ms = 0; ms < 60_000; ms++) {
    const now = at(ms / 1000);
    defence.claimed(now);
    if (defence.due(now)) said.push(ms / 1000);
  }
  assert.deepEqual(said, [2, 12, 22, 32, 42, 52]);
});

test('after half a minute of peace a claim is a new quarrel', () => {
  const defence = new ConflictDefence();
  defence.claimed(at(0));
  assert.ok(defence.due(at(2)));
  defence.claimed(at(31));
  assert.equal(defence.deadline, at(33));
});

test('a claim that has lost its author needs no answer', () => {
  const defence = new ConflictDefence();
  defence.claimed(at(0));
  defence.forget();
  assert.equal(defence.deadline, undefined);
  assert.equal(defence.due(at(5)), false);
  defence.claimed(at(6));
  assert.equal(defence.deadline, at(8));
});
