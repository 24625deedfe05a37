import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IpAddress, ip, type MacAddress, parseMac } from '../../core/net/address.ts';
import { type ArpFrame, decodeArp, encodeArp, gratuitousArp, isGratuitous } from '../../core/net/arp.ts';
import vectors from '../vectors/arp.json' with { type: 'json' };
import { hex, ipv4, mac, spoiled, unhex } from './arbitrary.ts';

const OURS = parseMac('02:00:00:00:00:0a')!;

for (const vector of vectors.arp) {
  const expected: ArpFrame = {
    destination: vector.destination as MacAddress,
    source: vector.source as MacAddress,
    arp: {
      operation: vector.op as 'request' | 'reply',
      senderMac: vector.sha as MacAddress,
      senderIp: vector.spa as IpAddress,
      targetMac: vector.tha as MacAddress,
      targetIp: vector.tpa as IpAddress,
    },
  };
  const where = `${vector.frames[0]}${vector.frames.length > 1 ? ` and ${vector.frames.length - 1} more` : ''}`;

  test(`the captured ${vector.op} of ${where} decodes, and encodes to the same bytes`, () => {
    const decoded = decodeArp(unhex(vector.hex));
    assert.deepEqual(decoded, expected);
    assert.equal(hex(encodeArp(expected)), vector.hex);
    assert.equal(isGratuitous(expected.arp), vector.gratuitous);
  });

  if (vector.op === 'request')
    test(`our announcement is bit for bit that of ${where}`, () => {
      assert.equal(hex(gratuitousArp(expected.arp.senderMac, expected.arp.senderIp)), vector.hex);
    });
}

test('a frame goes to bytes and back, with or without padding', () => {
  const plain = { noNullPrototype: true };
  const packets = fc.record(
    {
      operation: fc.constantFrom('request' as const, 'reply' as const),
      senderMac: mac,
      senderIp: ipv4,
      targetMac: mac,
      targetIp: ipv4,
    },
    plain,
  );
  const frames = fc.record({ destination: mac, source: mac, arp: packets }, plain);
  fc.assert(
    fc.property(frames, fc.nat(18), (frame, padding) => {
      assert.deepEqual(decodeArp(Uint8Array.of(...encodeArp(frame), ...new Uint8Array(padding))), frame);
    }),
  );
});

const changed = (at: number, value: number): Uint8Array => {
  const frame = gratuitousArp(OURS, ip('10.0.0.100'));
  frame[at] = value;
  return frame;
};

test('each fault has its name', () => {
  const frame = gratuitousArp(OURS, ip('10.0.0.100'));
  assert.equal(decodeArp(frame.subarray(0, 13)), 'truncated');
  assert.equal(decodeArp(frame.subarray(0, 41)), 'truncated');
  assert.equal(decodeArp(changed(12, 0)), 'ether-type');
  assert.equal(decodeArp(changed(13, 0)), 'not-arp');
  assert.equal(decodeArp(changed(15, 6)), 'address-type');
  assert.equal(decodeArp(changed(16, 0x86)), 'address-type');
  assert.equal(decodeArp(changed(18, 8)), 'address-type');
  assert.equal(decodeArp(changed(19, 16)), 'address-type');
  assert.equal(decodeArp(changed(21, 0)), 'operation');
  assert.equal(decodeArp(changed(21, 3)), 'operation');
  assert.equal(decodeArp(changed(20, 1)), 'operation');
});

test('spoiled frames decode to a frame that encodes again, or to a refusal', () => {
  fc.assert(
    fc.property(spoiled(gratuitousArp(OURS, ip('10.0.0.100'))), (bytes) => {
      const decoded = decodeArp(bytes);
      if (typeof decoded !== 'string') assert.deepEqual(encodeArp(decoded), bytes.slice(0, 42));
    }),
    { numRuns: 2_000 },
  );
});
