// What one router sends, another one takes or refuses: packets of the product's own making through the product's own
// door, with authentication, forms of checksum and limits of TTL. The memory of the last packet opens it to nobody.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HmacConfig, InstanceConfig } from '../../core/config/model.ts';
import { AdvertPackets } from '../../core/engine/advert-packets.ts';
import { Doorkeeper } from '../../core/engine/doorkeeper.ts';
import { RouterMemory } from '../../core/engine/router-memory.ts';
import { familyOf, formatIp, type IpAddress, ip } from '../../core/net/address.ts';
import type { Datagram } from '../../core/ports/engine-io.ts';
import { after, instant, type Micros, priority, seconds } from '../../core/units.ts';
import { AH_LENGTH, LAST_SEQUENCE } from '../../core/vrrp/authentication-header.ts';
import { TRAILER_LENGTH } from '../../core/vrrp/hmac-trailer.ts';
import type { Advertisement, DropReason } from '../../core/vrrp/types.ts';
import { instance, virtualIp } from './instances.ts';

const NOON = 1_800_000_000_000;
const [A, B] = [ip('10.0.0.1'), ip('10.0.0.2')];
const KEYS = [
  { id: 1, secret: `hex:${'01'.repeat(32)}` },
  { id: 2, secret: 'a text of thirty-two bytes or some more' },
];
const HMAC: HmacConfig = { keys: KEYS, activeKey: 1, antiReplay: 'time', timeWindow: 5, mode: 'enforce' };
const UNICAST = (own: IpAddress, peer: IpAddress, ttl = 255, neighbourly = true): Partial<InstanceConfig> => ({
  transport: { mode: 'unicast', source: own, ttl, peers: [{ address: peer, minTtl: 0, maxTtl: 255, neighbourly }] },
});

/** A router with one clock of its own. */
class Router {
  time = NOON;
  config: InstanceConfig;
  readonly memory = new RouterMemory(() => this.time);
  readonly #address: IpAddress;
  #packets: AdvertPackets;
  #door: Doorkeeper;
  readonly #onLink: ((address: IpAddress) => boolean) | undefined;
  #ad: Advertisement;

  constructor(address: IpAddress, changes: Partial<InstanceConfig>, onLink?: (address: IpAddress) => boolean) {
    this.#address = address;
    this.#onLink = onLink;
    this.config = instance(changes);
    this.#ad = this.advert(100);
    [this.#packets, this.#door] = this.#make();
  }

  #make(): [AdvertPackets, Doorkeeper] {
    const here = { source: this.#address, isOnLink: this.#onLink };
    return [new AdvertPackets(this.config, this.memory), new Doorkeeper(this.config, here, this.memory)];
  }

  /** As a reload does: everything anew but the memory. */
  reload(changes: Partial<InstanceConfig>): void {
    this.config = { ...this.config, ...changes };
    [this.#packets, this.#door] = this.#make();
  }

  advert(value: number): Advertisement {
    const { version, vrid, interval, vips } = this.config;
    return { version, vrid, priority: priority(value), interval, addresses: vips.map(({ address }) => address) };
  }

  send(value = 100): Datagram[] {
    if (this.#ad.priority !== value) this.#ad = this.advert(value);
    return this.#packets.of(this.#ad, this.#address).map(({ packet }) => datagram(packet.slice()));
  }

  /** `accepted`, or why not. @param waited how long the packet lay before it was read */
  take(packet: Datagram | undefined, waited: Micros = seconds(0)): 'accepted' | DropReason {
    const arrival = instant(seconds(1_000));
    const verdict = this.#door.admit({ ...packet!, arrival }, after(arrival, waited));
    return typeof verdict === 'string' ? verdict : 'accepted';
  }

  warnings(packet: Datagram | undefined): readonly string[] | string {
    const verdict = this.#door.admit(packet!, packet!.arrival);
    return typeof verdict === 'string' ? verdict : verdict.warnings;
  }
}

function datagram(packet: Uint8Array): Datagram {
  const v6 = packet[0]! >> 4 === 6;
  return {
    header: v6 ? new Uint8Array() : packet.subarray(0, 20),
    payload: packet.subarray(v6 ? 40 : 20),
    source: v6 ? formatIp(packet, 8, 16) : formatIp(packet, 12, 4),
    destination: v6 ? formatIp(packet, 24, 16) : formatIp(packet, 16, 4),
    ttl: packet[v6 ? 7 : 8]!,
    arrival: instant(0),
  };
}

const pair = (changes: Partial<InstanceConfig>): [Router, Router] => [new Router(A, changes), new Router(B, changes)];
/** The packet with one byte changed. */
function forged(packet: Datagram | undefined, offset: number): Datagram {
  const payload = packet!.payload.slice();
  payload[offset < 0 ? payload.length + offset : offset]! ^= 1;
  return { ...packet!, payload };
}

describe('signed adverts', () => {
  for (const [name, changes] of [
    ['version 3', {}],
    ['version 2', { version: 2 }],
    [
      'IPv6',
      {
        family: 6,
        vips: [virtualIp('fe80::100', 128)],
        transport: { mode: 'multicast', group: ip('ff02::12'), source: undefined },
      },
    ],
  ] as const satisfies readonly (readonly [string, Partial<InstanceConfig>])[])
    test(`${name}: each is taken, the same bytes again are a replay`, () => {
      const config = { ...changes, hmac: HMAC } as const;
      const six = 'family' in changes;
      const from = new Router(six ? ip('fe80::1') : A, config);
      const to = new Router(six ? ip('fe80::2') : B, config);
      for (let i = 0; i < 5; i++) {
        const [packet] = from.send();
        assert.equal(familyOf(packet!.source), six ? 6 : 4);
        assert.equal(to.take(packet), 'accepted');
        assert.equal(to.take(packet), 'hmac-replay');
        if (i === 2) from.time += 1_000;
      }
    });

  test('a replay is one after a reload, and after the receiver turned its keys', () => {
    const [from, to] = pair({ hmac: HMAC });
    const [packet] = from.send();
    assert.equal(to.take(packet), 'accepted');
    to.reload({ hmac: { ...HMAC, activeKey: 2 }, priority: priority(90) });
    assert.equal(to.take(packet), 'hmac-replay');
    assert.equal(to.take(from.send()[0]), 'accepted', 'either key is known');
    from.reload({ hmac: { ...HMAC, activeKey: 2 } });
    assert.equal(to.take(from.send()[0]), 'accepted');
  });

  test('one signature serves all peers', () => {
    const peers = [B, ip('10.0.0.3')].map((address) => ({ address, minTtl: 0, maxTtl: 255 }));
    const from = new Router(A, { hmac: HMAC, transport: { mode: 'unicast', source: A, ttl: 255, peers } });
    const sent = from.send();
    assert.deepEqual(sent[0]!.payload.subarray(-TRAILER_LENGTH), sent[1]!.payload.subarray(-TRAILER_LENGTH));
    assert.notDeepEqual(sent[0]!.payload, sent[1]!.payload, 'their checksums differ');
    for (const { address } of peers)
      assert.equal(
        new Router(address, { hmac: HMAC, ...UNICAST(address, A) }).take(sent.find((p) => p.destination === address)),
        'accepted',
      );
  });

  test('modes: who signs, and who demands it', () => {
    const unsigned = new Router(A, {});
    const as = (mode: HmacConfig['mode'], address = B) => new Router(address, { hmac: { ...HMAC, mode } });
    assert.equal(as('enforce').take(unsigned.send()[0]), 'hmac-missing');
    assert.equal(as('permissive').take(unsigned.send()[0]), 'accepted');
    assert.equal(as('receive-only').take(unsigned.send()[0]), 'accepted');
    assert.equal(as('enforce').take(as('receive-only', A).send()[0]), 'hmac-missing', 'it does not sign');
    assert.equal(as('enforce').take(as('permissive', A).send()[0]), 'accepted', 'it does');
    assert.equal(unsigned.take(as('enforce').send()[0]), 'accepted', 'who knows no keys reads over signatures');
  });

  test('what lay unread for long is judged by the time at which it came', () => {
    const [from, to] = pair({ hmac: HMAC });
    const [packet] = from.send();
    to.time += 60_000;
    assert.equal(to.take(packet), 'hmac-stale');
    assert.equal(to.take(packet, seconds(60)), 'accepted');
  });

  test('a forged packet changes nothing: neither marks, nor the memory, nor the form of checksum', () => {
    const to = new Router(B, { hmac: HMAC, ...UNICAST(B, A) });
    const from = new Router(A, { hmac: HMAC, ...UNICAST(A, B), oldUnicastChecksum: 'always' });
    const [packet] = from.send();
    assert.equal(to.take(forged(packet, -1)), 'hmac-bad');
    assert.equal(to.memory.forms.of(A), undefined);
    assert.equal(to.take(packet), 'accepted');
    assert.equal(to.memory.forms.of(A), 'old-unicast');
    assert.equal(to.take(forged(from.send()[0], -1)), 'hmac-bad', 'the advert is remembered, its signature is not');
  });

  test('a trailer that is none is refused by those who know no keys, too', () => {
    const [packet] = new Router(A, { hmac: HMAC }).send();
    assert.equal(new Router(B, {}).take(forged(packet, packet!.payload.length - TRAILER_LENGTH)), 'length');
  });
});

describe('adverts behind an authentication header', () => {
  const AH = { version: 2, authentication: { type: 'AH', password: 's3cret' } } as const;

  test('each is taken, once; a new master goes on with the numbers', () => {
    const [from, to] = pair(AH);
    const [first] = from.send();
    assert.equal(to.take(first), 'accepted');
    assert.equal(to.take(first), 'auth-replay');
    for (let i = 0; i < 3; i++) assert.equal(to.take(from.send()[0]), 'accepted');
    assert.equal(from.take(to.send()[0]), 'accepted', 'the number after the greatest that was heard');
    assert.equal(to.take(first), 'auth-replay');
  });

  test('unicast, with the same number for every peer', () => {
    const peers = [B, ip('10.0.0.3')].map((address) => ({ address, minTtl: 0, maxTtl: 255 }));
    const from = new Router(A, { ...AH, transport: { mode: 'unicast', source: A, ttl: 255, peers } });
    for (let i = 0; i < 2; i++) {
      const sent = from.send();
      assert.deepEqual(sent[0]!.payload.subarray(8, 12), sent[1]!.payload.subarray(8, 12));
      assert.notDeepEqual(sent[0]!.header.subarray(4, 6), sent[1]!.header.subarray(4, 6), 'identifications');
      assert.equal(new Router(B, { ...AH, ...UNICAST(B, A) }).take(sent[0]), 'accepted');
    }
  });

  test('the identification is never 0: the kernel would replace it under the code', () => {
    const [from] = pair(AH);
    const ids = new Set(Array.from({ length: 65_600 }, () => from.memory.nextId()));
    assert.deepEqual([Math.min(...ids), Math.max(...ids), ids.size], [1, 65_535, 65_535]);
    const { header } = from.send()[0]!;
    assert.equal((header[4]! << 8) | header[5]!, from.memory.nextId() - 1);
  });

  test('another password, a changed advert, none at all', () => {
    const [from, to] = pair(AH);
    assert.equal(to.take(forged(from.send()[0], AH_LENGTH + 2)), 'auth-failure');
    const other = new Router(A, { ...AH, authentication: { type: 'AH', password: 'other' } });
    assert.equal(to.take(other.send()[0]), 'auth-failure');
    assert.equal(to.take(new Router(A, { version: 2 }).send()[0]), 'auth-mismatch');
    assert.equal(new Router(B, { version: 2 }).take(from.send()[0]), 'auth-mismatch');
    assert.equal(to.take(from.send()[0]), 'accepted', 'a refused packet uses up no number');
  });

  test('a replay is one after a reload; another password begins anew', () => {
    const [from, to] = pair(AH);
    const [packet] = from.send();
    assert.equal(to.take(packet), 'accepted');
    to.reload({ priority: priority(90) });
    assert.equal(to.take(packet), 'auth-replay');
    const authentication = { type: 'AH', password: 'new' } as const;
    for (const each of [from, to]) each.reload({ authentication });
    assert.equal(to.take(from.send()[0]), 'accepted');
  });

  test('when the numbers are used up nothing is sent', () => {
    const [from] = pair(AH);
    from.memory.sequence.heard(LAST_SEQUENCE);
    assert.deepEqual(from.send(), []);
    assert.equal(new AdvertPackets(from.config, from.memory).exhausted, true);
  });
});

describe('forms of checksum', () => {
  const router = (own: IpAddress, peer: IpAddress, changes: Partial<InstanceConfig> = {}) =>
    new Router(own, { ...UNICAST(own, peer), ...changes });

  test('a peer is answered in the form that it uses, and again in the usual one when it changes', () => {
    for (const [changes, form] of [
      [{ oldUnicastChecksum: 'always' }, 'old-unicast'],
      [{ checksumWithoutPseudoHeader: true }, 'message-only'],
    ] as const) {
      const us = router(A, B);
      const peer = router(B, A, { ...changes, strict: true });
      const [before] = us.send();
      assert.equal(peer.take(before), 'checksum', 'it takes its own form only');
      assert.equal(us.take(peer.send()[0]), 'accepted');
      assert.equal(us.memory.forms.of(B), form);
      assert.equal(peer.take(us.send()[0]), 'accepted');
      assert.equal(us.take(router(B, A).send()[0]), 'accepted');
      assert.equal(peer.take(us.send()[0]), 'checksum');
    }
  });

  test('a form that was asked for stays, whatever the peer does', () => {
    const us = router(A, B, { checksumWithoutPseudoHeader: true });
    assert.equal(us.take(router(B, A).send()[0]), 'accepted');
    assert.equal(router(B, A, { checksumWithoutPseudoHeader: true, strict: true }).take(us.send()[0]), 'accepted');
  });

  test('old_unicast_checksum never refuses the old form; others warn of it', () => {
    const old = router(B, A, { oldUnicastChecksum: 'always' });
    assert.equal(router(A, B, { oldUnicastChecksum: 'never' }).take(old.send()[0]), 'checksum');
    assert.deepEqual(router(A, B).warnings(old.send()[0]), ['old-checksum']);
  });

  test('v3_checksum_as_v2 refuses a wrong checksum and takes both right ones', () => {
    const us = router(A, B, { checksumWithoutPseudoHeader: true });
    assert.equal(us.take(router(B, A).send()[0]), 'accepted');
    assert.equal(us.take(router(B, A, { checksumWithoutPseudoHeader: true }).send()[0]), 'accepted');
    assert.equal(us.take(forged(router(B, A).send()[0], 6)), 'checksum');
  });

  test('multicast takes both forms, strict mode its own', () => {
    const plain = new Router(A, { checksumWithoutPseudoHeader: true });
    assert.equal(new Router(B, {}).take(plain.send()[0]), 'accepted');
    assert.equal(new Router(B, { strict: true }).take(plain.send()[0]), 'checksum');
    assert.equal(new Router(B, { strict: true }).take(new Router(A, {}).send()[0]), 'accepted');
  });
});

describe('where a packet may come from', () => {
  test('B23: an IP header with options is read over, but not behind an authentication header', () => {
    const withOption = (packet: Datagram): Datagram => ({
      ...packet,
      header: Uint8Array.from([0x46, ...packet.header.subarray(1), 0x94, 4, 0, 0]),
    });
    assert.equal(new Router(B, {}).take(withOption(new Router(A, {}).send()[0]!)), 'accepted');
    const [from, to] = pair({ version: 2, authentication: { type: 'AH', password: 's3cret' } });
    assert.equal(to.take(withOption(from.send()[0]!)), 'auth-failure');
  });

  test('a unicast router that demands signatures hears its peers only, whatever check_unicast_src says', () => {
    const [packet] = new Router(ip('10.0.0.3'), { hmac: HMAC, ...UNICAST(ip('10.0.0.3'), B) }).send();
    const open = { ...UNICAST(B, A), checkUnicastSource: false };
    assert.equal(new Router(B, open).take(packet), 'accepted');
    assert.equal(new Router(B, { ...open, hmac: HMAC }).take(packet), 'source-unknown');
  });

  test('a peer in our network sends with a TTL of 255 unless limits say otherwise; one elsewhere with any', () => {
    const [low] = new Router(A, UNICAST(A, B, 64)).send();
    const [full] = new Router(A, UNICAST(A, B)).send();
    const near = new Router(B, UNICAST(B, A), () => true);
    assert.equal(near.take(low), 'ttl');
    assert.equal(near.take(full), 'accepted');
    assert.equal(new Router(B, UNICAST(B, A), () => false).take(low), 'accepted');
    assert.equal(new Router(B, UNICAST(B, A, 255, false), () => true).take(low), 'accepted');
  });

  test('a multicast source outside our networks is worth a warning, in strict mode a refusal', () => {
    const [packet] = new Router(A, {}).send();
    assert.deepEqual(new Router(B, {}, () => false).warnings(packet), ['source-off-subnet']);
    assert.deepEqual(new Router(B, {}, () => true).warnings(packet), []);
    assert.equal(new Router(B, { strict: true }, () => false).take(packet), 'source-off-subnet');
  });

  test('strict mode wants our list of addresses, and over IPv6 a link-local one first', () => {
    const other = new Router(A, { vips: [virtualIp('10.0.0.101')] });
    assert.equal(new Router(B, { strict: true }).take(other.send()[0]), 'address-list');
    const transport = { mode: 'multicast', group: ip('ff02::12'), source: undefined } as const;
    const six = { family: 6, transport, vips: [virtualIp('fd00::1', 128), virtualIp('fe80::100', 128)] } as const;
    const [packet] = new Router(ip('fe80::1'), six).send();
    assert.deepEqual(new Router(ip('fe80::2'), six).warnings(packet), ['first-not-link-local']);
    assert.equal(new Router(ip('fe80::2'), { ...six, strict: true }).take(packet), 'address-list');
  });
});
