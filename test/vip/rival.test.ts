// Whether a rival is still there: asked every ten milliseconds, gone after two questions without an answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '../../core/units.ts';
import { Rival } from '../../core/vip/rival.ts';

const at = (ms: number): Instant => instant(ms * 1_000);

/** What it does until some moment, with the milliseconds at which it did. */
function deeds(rival: Rival, until: number, answers: (ms: number) => boolean = () => false): readonly string[] {
  const done: string[] = [];
  for (let next = rival.deadline; next !== undefined && next <= at(until); next = rival.deadline) {
    const deed = rival.act(next);
    if (deed !== undefined) done.push(`${deed} ${next / 1_000}`);
    if (deed === 'ask' && answers(next / 1_000)) rival.heard(next);
  }
  return done;
}

test('nobody is asked about before somebody claims', () => {
  const rival = new Rival();
  assert.equal(rival.deadline, undefined);
  assert.equal(rival.act(at(5)), undefined);
});

test('a rival that does not answer twice is gone, twenty milliseconds after the first question', () => {
  const rival = new Rival();
  assert.equal(rival.heard(at(100)), true);
  assert.deepEqual(deeds(rival, 1_000), ['ask 100', 'ask 110', 'gone 120']);
  assert.equal(rival.deadline, undefined);
});

test('as long as it answers it is asked, and its answers are no news', () => {
  const rival = new Rival();
  rival.heard(at(0));
  assert.equal(rival.heard(at(1)), false);
  const done = deeds(rival, 200, (ms) => ms < 50);
  assert.deepEqual(done.slice(0, 5), ['ask 0', 'ask 10', 'ask 20', 'ask 30', 'ask 40']);
  assert.deepEqual(done.slice(-3), ['ask 50', 'ask 60', 'gone 70'].slice(-3));
});

test('one that stays for half a minute is asked ten times a second', () => {
  const rival = new Rival();
  rival.heard(at(0));
  const done = deeds(rival, 31_000, () => true);
  assert.deepEqual(done.slice(-2), ['ask 30900', 'ask 31000']);
});

test('one that comes and goes is told of once a second at most', () => {
  const rival = new Rival();
  rival.heard(at(0));
  assert.equal(deeds(rival, 20).at(-1), 'gone 20');
  rival.heard(at(30));
  assert.deepEqual(deeds(rival, 2_000), ['ask 30', 'ask 40', 'gone 1020']);
});

test('who holds the address no longer asks no more', () => {
  const rival = new Rival();
  rival.heard(at(0));
  rival.forget();
  assert.deepEqual(deeds(rival, 1_000), []);
});
