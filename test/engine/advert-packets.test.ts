// The packets that leave, against frames captured from three daemons: the same bytes from the IP header on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AdvertPackets } from '../../core/engine/advert-packets.ts';
import { RouterMemory } from '../../core/engine/router-memory.ts';
import { ip } from '../../core/net/address.ts';
import { micros, priority, vrid } from '../../core/units.ts';
import type { Advertisement } from '../../core/vrrp/types.ts';
import { instance } from './instances.ts';

interface Vector {
  readonly name: string;
  readonly l2_hex: string;
  readonly expect: {
    readonly family: 4 | 6;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number;
    readonly version: 2 | 3;
    readonly vrid: number;
    readonly priority: number;
    readonly interval_us: number;
    readonly auth_type: number;
    readonly auth_data_hex?: string;
    readonly checksum: string;
    readonly addresses: readonly string[];
  };
}

const file = new URL('../vectors/vrrp.json', import.meta.url);
const { frames } = JSON.parse(readFileSync(file, 'utf8')) as { frames: readonly Vector[] };

/** Bytes from the IP header on, with what the kernel or the daemon chooses freely set to zero. */
function comparable(packet: Uint8Array): string {
  const copy = packet.slice();
  if (copy[0]! >> 4 === 4) {
    copy.fill(0, 4, 8); // identification, flags: FRR leaves both to its kernel
    copy.fill(0, 10, 12); // header checksum
  } else {
    copy[1]! &= 0xf0;
    copy.fill(0, 2, 4); // flow label
  }
  return Buffer.from(copy).toString('hex');
}

test('adverts leave as the bytes that keepalived and FRR send, over IPv4 and IPv6, to groups and to peers', () => {
  const compared = { 4: 0, 6: 0, unicast: 0 };
  for (const { name, l2_hex, expect } of frames) {
    // Other checksum forms and passwords are the codec's business, which has its own test with all of them.
    if (expect.auth_type !== 0 || (expect.version === 3 && expect.checksum !== 'pseudo')) continue;
    const destination = ip(expect.destination);
    const multicast = destination.startsWith('224.') || destination.startsWith('ff');
    const config = instance({
      family: expect.family,
      version: expect.version,
      vrid: vrid(expect.vrid),
      transport: multicast
        ? { mode: 'multicast', group: destination, source: undefined }
        : {
            mode: 'unicast',
            source: ip(expect.source),
            peers: [{ address: destination, minTtl: 0, maxTtl: 255 }],
            ttl: expect.ttl,
          },
    });
    const ad: Advertisement = {
      version: expect.version,
      vrid: vrid(expect.vrid),
      priority: priority(expect.priority),
      interval: micros(expect.interval_us),
      addresses: expect.addresses.map(ip),
    };
    const [sent, ...more] = new AdvertPackets(config, new RouterMemory(() => 0)).of(ad, ip(expect.source));
    const frame = Uint8Array.from(Buffer.from(l2_hex, 'hex')).subarray(14);
    const captured = frame.subarray(0, sent!.packet.length);
    assert.equal(comparable(sent!.packet), comparable(captured), name);
    assert.equal(sent!.destination, destination);
    assert.deepEqual(more, []);
    compared[expect.family]++;
    if (!multicast) compared.unicast++;
  }
  assert.ok(compared[4] > 20 && compared[6] > 10 && compared.unicast > 3, JSON.stringify(compared));
});

test('the packets of an advert are built once, until the advert or the source changes', () => {
  const packets = new AdvertPackets(instance(), new RouterMemory(() => 0));
  const ad: Advertisement = {
    version: 3,
    vrid: vrid(51),
    priority: priority(100),
    interval: micros(1_000_000),
    addresses: [ip('10.0.0.100')],
  };
  const first = packets.of(ad, ip('10.0.0.1'));
  assert.equal(packets.of(ad, ip('10.0.0.1')), first);
  assert.notEqual(packets.of(ad, ip('10.0.0.2')), first);
  assert.notEqual(packets.of({ ...ad, priority: priority(0) }, ip('10.0.0.2')), first);
});
