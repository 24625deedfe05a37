import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeIpv6Header, IPV6_HEADER_LENGTH, parseIpv6Header } from '../../core/net/ipv6.ts';
import { hex, ipv6, spoiled, u8, unhex } from './arbitrary.ts';

// A neighbour advertisement of keepalived 2.2.7, and a router advertisement of FRRouting 8.4.4 with a flow label
const KEEPALIVED = '6000000000203afffd000000000000000000000000000100ff020000000000000000000000000001';
const FRR = '600b30c600383afffe8000000000000002005efffe000233ff020000000000000000000000000001';

const packet = (header: string, payload: number) => Uint8Array.of(...unhex(header), ...new Uint8Array(payload));

test('captured headers parse, and encode to the same bytes', () => {
  const first = parseIpv6Header(packet(KEEPALIVED, 32));
  assert.deepEqual(first, {
    trafficClass: 0,
    flowLabel: 0,
    payloadLength: 32,
    nextHeader: 58,
    hopLimit: 255,
    source: 'fd00::100',
    destination: 'ff02::1',
  });
  const second = parseIpv6Header(packet(FRR, 60));
  assert.ok(typeof first !== 'string' && typeof second !== 'string');
  assert.equal(second.flowLabel, 0xb30c6);
  assert.equal(second.payloadLength, 56);
  assert.equal(hex(encodeIpv6Header(first, 32)), KEEPALIVED);
  assert.equal(hex(encodeIpv6Header(second, 56)), FRR);
});

test('each fault has its name', () => {
  assert.equal(parseIpv6Header(packet(KEEPALIVED, 32).subarray(0, 39)), 'truncated');
  assert.equal(parseIpv6Header(packet(KEEPALIVED, 32).with(0, 0x45)), 'version');
  assert.equal(parseIpv6Header(packet(KEEPALIVED, 31)), 'payload-length');
});

test('a header goes to bytes and back', () => {
  const fields = fc.record({
    trafficClass: u8,
    flowLabel: fc.integer({ min: 0, max: 0xfffff }),
    nextHeader: u8,
    hopLimit: u8,
    source: ipv6,
    destination: ipv6,
  });
  fc.assert(
    fc.property(fields, fc.nat(1500), (header, payloadLength) => {
      const bytes = Uint8Array.of(...encodeIpv6Header(header, payloadLength), ...new Uint8Array(payloadLength));
      assert.deepEqual(parseIpv6Header(bytes), { ...header, payloadLength });
    }),
  );
});

test('spoiled packets parse within bounds or are refused', () => {
  fc.assert(
    fc.property(spoiled(packet(KEEPALIVED, 32)), (bytes) => {
      const header = parseIpv6Header(bytes);
      if (typeof header !== 'string') assert.ok(IPV6_HEADER_LENGTH + header.payloadLength <= bytes.length);
    }),
    { numRuns: 2_000 },
  );
});
