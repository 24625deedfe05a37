import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ip } from '../../core/net/address.ts';
import { encodeIpv4Header, ipv4ChecksumIsRight, parseIpv4Header, writeIpv4Header } from '../../core/net/ipv4.ts';
import { hex, ipv4, spoiled, u8, u16, unhex } from './arbitrary.ts';

// keepalived 2.4.3, VRRPv2 with AH: TOS c0, id 1, no DF, TTL 255, 64 bytes in all
const KEEPALIVED = '45c0004000010000ff33d0b60a000001e0000012';
// FRRouting 8.4.4: DF set, id of the kernel's
const FRR = '45c00028c9ce4000ff70c6c30a000001e0000012';
// An IGMP report, with the router alert option: IHL 6
const IGMP = '46c00028000040000102f9f80a000001e000001694040000';

const padded = (header: string, length: number): Uint8Array => {
  const packet = new Uint8Array(length);
  packet.set(unhex(header));
  return packet;
};

test('the header of a captured advert parses, and encodes to the same bytes', () => {
  const header = parseIpv4Header(padded(KEEPALIVED, 64));
  assert.deepEqual(header, {
    headerLength: 20,
    tos: 0xc0,
    totalLength: 64,
    id: 1,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 255,
    protocol: 51,
    source: '10.0.0.1',
    destination: '224.0.0.18',
  });
  assert.ok(typeof header !== 'string');
  assert.equal(hex(encodeIpv4Header(header, 44)), KEEPALIVED);
});

test('the options of a header are part of its length', () => {
  const header = parseIpv4Header(padded(IGMP, 40));
  assert.ok(typeof header !== 'string');
  assert.equal(header.headerLength, 24);
  assert.ok(ipv4ChecksumIsRight(unhex(IGMP), header.headerLength));
});

test('Ethernet padding behind the packet does not count', () => {
  const header = parseIpv4Header(padded(FRR, 46));
  assert.ok(typeof header !== 'string');
  assert.equal(header.totalLength, 40);
  assert.equal(header.dontFragment, true);
});

test('a fragment shows as one', () => {
  const first = parseIpv4Header(padded('45000014000120000170000000000000000000000000', 22));
  const later = parseIpv4Header(padded('45000014000100030170000000000000000000000000', 22));
  assert.ok(typeof first !== 'string' && typeof later !== 'string');
  assert.deepEqual([first.moreFragments, first.fragmentOffset], [true, 0]);
  assert.deepEqual([later.moreFragments, later.fragmentOffset], [false, 24]);
});

test('each fault has its name', () => {
  const packet = padded(KEEPALIVED, 64);
  const changed = (at: number, value: number) => parseIpv4Header(packet.with(at, value));
  assert.equal(parseIpv4Header(packet.subarray(0, 19)), 'truncated');
  assert.equal(changed(0, 0x65), 'version');
  assert.equal(changed(0, 0x44), 'header-length');
  assert.equal(parseIpv4Header(packet.with(0, 0x4f).subarray(0, 59)), 'header-length');
  assert.equal(changed(3, 65), 'total-length');
  assert.equal(changed(3, 19), 'total-length');
});

test('a wrong header checksum is found', () => {
  assert.ok(ipv4ChecksumIsRight(unhex(KEEPALIVED), 20));
  assert.ok(!ipv4ChecksumIsRight(unhex(KEEPALIVED).with(8, 254), 20));
});

test('a header goes to bytes and back with a right checksum', () => {
  const fields = fc.record(
    { tos: u8, id: u16, ttl: u8, protocol: u8, source: ipv4, destination: ipv4 },
    {
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(fields, fc.nat(1500), (header, payload) => {
      const packet = new Uint8Array(20 + payload);
      writeIpv4Header(packet, header, packet.length);
      assert.ok(ipv4ChecksumIsRight(packet, 20));
      const parsed = parseIpv4Header(packet);
      assert.ok(typeof parsed !== 'string');
      const { tos, id, ttl, protocol, source, destination } = parsed;
      assert.deepEqual({ tos, id, ttl, protocol, source, destination }, header);
      assert.deepEqual([parsed.headerLength, parsed.totalLength], [20, packet.length]);
      assert.ok(!parsed.dontFragment && !parsed.moreFragments && parsed.fragmentOffset === 0);
    }),
  );
});

test('writing a header anew leaves nothing of the old one', () => {
  const fields = { tos: 0, id: 7, ttl: 64, protocol: 112, source: ip('10.0.0.1'), destination: ip('10.0.0.2') };
  const packet = new Uint8Array(20).fill(0xff);
  writeIpv4Header(packet, fields, 20);
  assert.deepEqual(packet, encodeIpv4Header(fields, 0));
});

test('spoiled packets parse within bounds or are refused', () => {
  fc.assert(
    fc.property(spoiled(padded(IGMP, 40)), (bytes) => {
      const header = parseIpv4Header(bytes);
      if (typeof header === 'string') return;
      assert.ok(header.headerLength >= 20 && header.headerLength <= header.totalLength);
      assert.ok(header.totalLength <= bytes.length);
    }),
    { numRuns: 2_000 },
  );
});
