// Rivals that do not yield although they ought to: from when on they are taken for deaf, and for how long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeafPeers } from '../../core/engine/deaf-peers.ts';
import type { InstanceDriver } from '../../core/engine/driver.ts';
import { instant, seconds } from '../../core/units.ts';

const at = (s: number) => instant(seconds(s));
/** It is only told apart from others. */
const router = () => ({}) as InstanceDriver;

test('a rival is found deaf by its fourth advert, once, and another router’s rival is not', () => {
  const peers = new DeafPeers();
  const [one, other] = [router(), router()];
  assert.deepEqual(
    [1, 2, 3].map((s) => [peers.note(one, at(s)), peers.has(one)]),
    [1, 2, 3].map(() => [false, false]),
  );
  peers.note(other, at(3));
  assert.ok(peers.note(one, at(4)));
  assert.ok(!peers.note(one, at(5)));
  assert.deepEqual([peers.has(one), peers.has(other)], [true, false]);
});

test('adverts that are long apart are no trouble, however many', () => {
  const peers = new DeafPeers();
  const one = router();
  for (let s = 0; s < 1_000; s += 46) peers.note(one, at(s));
  assert.ok(!peers.has(one));
});

test('who resigns forgets what it suspected, and keeps what it knows', () => {
  const peers = new DeafPeers();
  const [suspected, known] = [router(), router()];
  for (const s of [1, 2, 3]) peers.note(suspected, at(s));
  for (const s of [1, 2, 3, 4]) peers.note(known, at(s));
  peers.resigned(suspected);
  peers.resigned(known);
  peers.note(suspected, at(5));
  assert.deepEqual([peers.has(suspected), peers.has(known)], [false, true]);
});
