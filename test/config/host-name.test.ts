import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHostName, isServiceName } from '../../core/config/host-name.ts';

const good = [
  'lb2',
  'LB2.example.com',
  'lb2.example.com.',
  '3com.com',
  'a-b.c',
  '_vrrp._udp.example.com',
  'x'.repeat(63),
];
const bad = [
  '',
  '.',
  'a..b',
  '-a',
  'a-',
  '192.0.2.300',
  '1234',
  'a b',
  'a:1',
  'ä.de',
  'x'.repeat(64),
  'a.'.repeat(127),
];

for (const name of good) test(`${name} can be the name of a host`, () => assert.ok(isHostName(name)));
for (const name of bad) test(`'${name.slice(0, 20)}' cannot`, () => assert.ok(!isHostName(name)));

test('a service begins with two labels that have an underscore', () => {
  assert.ok(isServiceName('_vrrp._udp.example.com'));
  for (const name of ['_vrrp.example.com', 'a._udp.example.com', '_vrrp._udp']) assert.ok(!isServiceName(name));
});
