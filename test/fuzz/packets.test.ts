// A bounded part of the fuzzing of packets.ts, and that it reaches what it is meant for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp } from '../../core/net/address.ts';
import { decode } from '../../core/vrrp/packet.ts';
import { hexText } from '../vrrp/frame.ts';
import { fuzz, packetOf } from './packets.ts';

test('damaged packets and noise are read without a failure', (t) => {
  const { VIPKEEPER_FUZZ_SEED = '1' } = process.env;
  const seed = Number(VIPKEEPER_FUZZ_SEED);
  t.diagnostic(`seed ${seed}`);
  assert.equal(
    fuzz(seed, (runs) => runs >= 3_000),
    3_000,
  );
});

test('a seed makes the same packet each time, and seeds reach every refusal and acceptance of the decoder', () => {
  assert.equal(hexText(packetOf(3)), hexText(packetOf(3)));
  const seen = new Set<string>();
  for (let seed = 0; seed < 3_000; seed++) {
    const packet = packetOf(seed);
    if (packet.length < 40) continue;
    const v4 = packet[0]! >> 4 === 4;
    const at = v4 ? (packet[0]! & 15) * 4 : 40;
    const [source, destination] = v4
      ? [formatIp(packet, 12, 4), formatIp(packet, 16, 4)]
      : [formatIp(packet, 8, 16), formatIp(packet, 24, 16)];
    const result = decode(packet.subarray(at), { family: v4 ? 4 : 6, source, destination });
    seen.add(typeof result === 'string' ? result : result.signed ? 'signed' : `version ${result.ad.version}`);
  }
  assert.deepEqual(
    [...seen].toSorted(),
    [
      'checksum',
      'interval-zero',
      'length',
      'signed',
      'truncated',
      'type',
      'version',
      'version 2',
      'version 3',
      'vrid',
    ].toSorted(),
  );
});
