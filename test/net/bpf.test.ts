// Which frames wake the engine: the programs run by a machine that knows nothing of how they were made.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, ipBytes, type MacAddress } from '../../core/net/address.ts';
import { encodeArp, gratuitousArp } from '../../core/net/arp.ts';
import { arpClaims, foreignTraffic, MOST_FILTERED, neighbourClaims } from '../../core/net/bpf.ts';
import { unsolicitedNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import { runFilter } from '../support/bpf-machine.ts';

const MAC = '02:00:00:00:00:09' as MacAddress;
const OUTGOING = 4;
const frameOf = (etherType: number) => {
  const frame = new Uint8Array(60);
  new DataView(frame.buffer).setUint16(12, etherType);
  return frame;
};

test('IPv4, IPv6 and ARP from elsewhere prove that a port forwards', () => {
  for (const type of [0x0800, 0x0806]) {
    assert.ok(runFilter(foreignTraffic(), frameOf(type)) > 0);
    assert.equal(runFilter(foreignTraffic(), frameOf(type), OUTGOING), 0, 'our own frames prove nothing');
  }
});

test('what a switch says on a blocked port proves nothing', () => {
  const bpdu = 38; // 802.3 length of a configuration BPDU
  const lldp = 0x88cc;
  const slowProtocols = 0x8809;
  const eapol = 0x888e;
  for (const type of [bpdu, lldp, slowProtocols, eapol]) assert.equal(runFilter(foreignTraffic(), frameOf(type)), 0);
});

test('what the port of a Linux bridge says for itself proves nothing; what IPv6 hosts and routers say does', () => {
  const ipv6 = (nextHeader: number, type: number, source: string) => {
    const frame = frameOf(0x86dd);
    frame[14 + 6] = nextHeader;
    frame[14 + 40] = type;
    frame.set(ipBytes(ip(source)), 14 + 8);
    return runFilter(foreignTraffic(), frame);
  };
  assert.equal(ipv6(0, 58, 'fe80::1'), 0, 'a multicast listener report');
  assert.equal(ipv6(58, 133, 'fe80::1'), 0, 'a router solicitation');
  assert.equal(ipv6(58, 135, '::'), 0, 'duplicate address detection');
  assert.ok(ipv6(58, 135, 'fe80::1') > 0, 'somebody asks for an address');
  assert.ok(ipv6(58, 134, 'fe80::1') > 0, 'a router advertisement');
  assert.ok(ipv6(112, 0, 'fe80::1') > 0, 'VRRP');
  assert.ok(ipv6(6, 0, '2001:db8::1') > 0, 'TCP');
});

test('an ARP packet passes when its sender claims a watched address, whatever it asks for', () => {
  const filter = arpClaims([ip('10.0.0.100'), ip('10.0.0.101')]);
  assert.ok(runFilter(filter, gratuitousArp(MAC, ip('10.0.0.101'))) > 0);
  assert.equal(runFilter(filter, gratuitousArp(MAC, ip('10.0.0.102'))), 0);
  const arp = { operation: 'request', senderMac: MAC, targetMac: MAC } as const;
  const ask = (senderIp: string, targetIp: string) =>
    encodeArp({ destination: MAC, source: MAC, arp: { ...arp, senderIp: ip(senderIp), targetIp: ip(targetIp) } });
  assert.equal(runFilter(filter, ask('10.0.0.7', '10.0.0.100')), 0, 'asking for it is no claim');
  assert.ok(runFilter(filter, ask('10.0.0.100', '10.0.0.7')) > 0);
});

test('a neighbour advertisement passes when its target may be a watched address', () => {
  const filter = neighbourClaims([ip('2001:db8::100')]);
  assert.ok(runFilter(filter, unsolicitedNeighbourAdvertisement(MAC, ip('2001:db8::100'), true)) > 0);
  assert.equal(runFilter(filter, unsolicitedNeighbourAdvertisement(MAC, ip('2001:db8::101'), true)), 0);
  assert.equal(runFilter(filter, frameOf(0x86dd)), 0);
});

test('every one of the most addresses that fit is watched, and the program stays within the limit of the kernel', () => {
  const addresses = Array.from({ length: MOST_FILTERED }, (_, i) => ip(`10.1.${i >> 8}.${i & 255}`));
  const filter = arpClaims(addresses);
  for (const address of addresses) assert.ok(runFilter(filter, gratuitousArp(MAC, address)) > 0);
  assert.ok(filter.length / 8 <= 4096);
});

test('a frame that is too short is refused', () => {
  assert.equal(runFilter(arpClaims([ip('10.0.0.100')]), new Uint8Array(20)), 0);
});
