// The sequence numbers under an authentication header: one row for all routers of a virtual router.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { macOf } from '../../core/engine/digests.ts';
import { AH_LENGTH, LAST_SEQUENCE, open, SequenceNumbers } from '../../core/vrrp/authentication-header.ts';

const MAC = macOf('md5', new Uint8Array(8));

test('a new master goes on from the greatest number that it heard', () => {
  const numbers = new SequenceNumbers();
  numbers.heard(13);
  assert.deepEqual([numbers.next(), numbers.next()], [14, 15]);
});

test('a number that was heard before, or an older one, is a replay', () => {
  const numbers = new SequenceNumbers();
  numbers.heard(13);
  assert.deepEqual(
    [12, 13, 14].map((n) => numbers.isFresh(n)),
    [false, false, true],
  );
});

test('what is behind our own numbers is a replay; what two masters sent at once is heard, once', () => {
  const numbers = new SequenceNumbers();
  for (let i = 0; i < 5; i++) numbers.next();
  assert.equal(numbers.isFresh(4), false);
  assert.equal(numbers.isFresh(5), true);
  numbers.heard(5);
  assert.equal(numbers.isFresh(5), false);
  assert.equal(numbers.next(), 6);
});

test('the numbers end, and do not begin again', () => {
  const numbers = new SequenceNumbers();
  numbers.heard(LAST_SEQUENCE - 1);
  assert.equal(numbers.exhausted, false);
  assert.equal(numbers.next(), LAST_SEQUENCE);
  assert.equal(numbers.exhausted, true);
  assert.equal(numbers.next(), undefined);
});

test('the parameter index must be the source address', () => {
  const header = Uint8Array.from({ length: 20 }, (_, i) => i);
  const payload = Uint8Array.from([112, 4, 0, 0, 12, 13, 14, 15, 0, 0, 0, 9, ...new Array<number>(28).fill(0)]);
  const agreeing = () => new Uint8Array(16);
  assert.notEqual(typeof open(header, payload, agreeing), 'string');
  for (let i = 4; i < 8; i++) assert.equal(open(header, payload.with(i, 0), agreeing), 'auth-failure');
});

test('what is too short, of another kind, or came with IP options is refused and never throws', () => {
  const header = new Uint8Array(20);
  assert.equal(open(header, new Uint8Array(AH_LENGTH - 1), MAC), 'truncated');
  assert.equal(open(header, new Uint8Array(AH_LENGTH), MAC), 'auth-type');
  const payload = Uint8Array.from([112, 4, ...new Array<number>(40).fill(0)]);
  assert.equal(open(new Uint8Array(24), payload, MAC), 'auth-failure');
  assert.equal(open(header, payload, MAC), 'auth-failure');
  assert.equal(open(new Uint8Array(), payload, MAC), 'auth-failure');
});
