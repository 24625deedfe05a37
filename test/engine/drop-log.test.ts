import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DropLog } from '../../core/engine/drop-log.ts';
import type { EngineEvent } from '../../core/engine/messages.ts';
import type { IpAddress } from '../../core/net/address.ts';
import { instant, seconds } from '../../core/units.ts';

const at = (s: number) => instant(seconds(s));
const peer = '10.0.0.9' as IpAddress;

test('the first drop of a cause is told at once, then at most one a minute with the number since', () => {
  const told: EngineEvent[] = [];
  const log = new DropLog((event) => told.push(event));
  for (let i = 0; i < 1_000; i++) log.note('VI_1', 'checksum', peer, at(i / 100));
  assert.equal(told.length, 1);
  log.note('VI_1', 'ttl', peer, at(11));
  assert.equal(told.length, 2);
  log.note('VI_1', 'checksum', peer, at(61));
  assert.deepEqual(told.at(-1), { type: 'drop', instance: 'VI_1', why: 'checksum', source: peer, count: 1_000 });
});

test('a network that invents causes without end makes neither the log nor the memory grow without end', () => {
  const told: EngineEvent[] = [];
  const log = new DropLog((event) => told.push(event));
  for (let i = 0; i < 5_000; i++) log.warn(`instance ${i}`, 'something', at(1));
  assert.equal(told.length, 1_024);
});
