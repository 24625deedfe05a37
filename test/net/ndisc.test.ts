import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IpAddress, ip, isMulticast, type MacAddress, parseMac } from '../../core/net/address.ts';
import { internetChecksum, ipv6PseudoHeaderSum } from '../../core/net/checksum.ts';
import {
  decodeNeighbourAdvertisement,
  encodeNeighbourAdvertisement,
  type NeighbourAdvertisement,
  unsolicitedNeighbourAdvertisement,
} from '../../core/net/ndisc.ts';
import vectors from '../vectors/arp.json' with { type: 'json' };
import { hex, ipv6, mac, spoiled, unhex } from './arbitrary.ts';

const OURS = parseMac('02:00:00:00:00:0a')!;
const HOP_LIMIT = 14 + 7;
const MESSAGE = 14 + 40;

for (const { hex: frame, frames, ...fields } of vectors.na) {
  const expected: NeighbourAdvertisement = {
    ...fields,
    ethernetDestination: fields.ethernetDestination as MacAddress,
    ethernetSource: fields.ethernetSource as MacAddress,
    source: fields.source as IpAddress,
    destination: fields.destination as IpAddress,
    target: fields.target as IpAddress,
    linkAddress: fields.linkAddress as MacAddress,
  };
  const where = `${frames[0]}${frames.length > 1 ? ` and ${frames.length - 1} more` : ''}`;

  test(`the captured advertisement of ${where} decodes, and encodes to the same bytes`, () => {
    assert.deepEqual(decodeNeighbourAdvertisement(unhex(frame)), expected);
    assert.equal(hex(encodeNeighbourAdvertisement(expected)), frame);
  });

  if (!expected.solicited)
    test(`our announcement is bit for bit that of ${where}`, () => {
      const ours = unsolicitedNeighbourAdvertisement(expected.ethernetSource, expected.target, expected.router);
      assert.equal(hex(ours), frame);
    });
}

const unicast6 = ipv6.filter((address) => !isMulticast(address));

test('an advertisement goes to bytes and back', () => {
  const advertisements = fc
    .record(
      {
        ethernetDestination: mac,
        ethernetSource: mac,
        source: ipv6,
        destination: unicast6,
        router: fc.boolean(),
        solicited: fc.boolean(),
        override: fc.boolean(),
        target: unicast6,
        linkAddress: mac,
      },
      {
        requiredKeys: [
          'ethernetDestination',
          'ethernetSource',
          'source',
          'destination',
          'router',
          'solicited',
          'override',
          'target',
        ],
      },
    )
    .map((na) => na as NeighbourAdvertisement);
  fc.assert(
    fc.property(advertisements, (na) => {
      assert.deepEqual(decodeNeighbourAdvertisement(encodeNeighbourAdvertisement(na)), { ...na });
    }),
  );
});

/** The announcement of fd00::100 with one byte changed and the checksum made right again. */
function changed(at: number, value: number): Uint8Array {
  const frame = unsolicitedNeighbourAdvertisement(OURS, ip('fd00::100'), true);
  frame[at] = value;
  const message = frame.subarray(MESSAGE);
  message.fill(0, 2, 4);
  const pseudo = ipv6PseudoHeaderSum(ip('fd00::100'), ip('ff02::1'), 58, message.length);
  const checksum = internetChecksum(message, 0, message.length, pseudo);
  message.set([checksum >> 8, checksum & 0xff], 2);
  return frame;
}

test('each fault has its name', () => {
  const frame = unsolicitedNeighbourAdvertisement(OURS, ip('fd00::100'), true);
  assert.equal(decodeNeighbourAdvertisement(frame.subarray(0, 10)), 'truncated');
  assert.equal(decodeNeighbourAdvertisement(frame.subarray(0, 40)), 'truncated');
  assert.equal(decodeNeighbourAdvertisement(frame.subarray(0, 85)), 'payload-length');
  assert.equal(decodeNeighbourAdvertisement(changed(13, 0xde)), 'not-ipv6');
  assert.equal(decodeNeighbourAdvertisement(changed(14, 0x45)), 'version');
  assert.equal(decodeNeighbourAdvertisement(changed(HOP_LIMIT - 1, 17)), 'not-neighbour-advertisement');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE, 135)), 'not-neighbour-advertisement');
  assert.equal(decodeNeighbourAdvertisement(changed(HOP_LIMIT, 254)), 'hop-limit');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE + 1, 1)), 'code');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE + 8, 0xff)), 'target');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE + 4, 0xe0)), 'target', 'solicited, to all nodes');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE + 25, 0)), 'option');
  assert.equal(decodeNeighbourAdvertisement(changed(MESSAGE + 25, 2)), 'option');
  frame[MESSAGE + 2]! ^= 1;
  assert.equal(decodeNeighbourAdvertisement(frame), 'checksum');
});

test('an advertisement too short for its target is truncated', () => {
  const frame = unsolicitedNeighbourAdvertisement(OURS, ip('fd00::100'), true);
  frame[14 + 5] = 20;
  assert.equal(decodeNeighbourAdvertisement(frame), 'truncated');
});

test('an unknown option is skipped', () => {
  const decoded = decodeNeighbourAdvertisement(changed(MESSAGE + 24, 99));
  assert.ok(typeof decoded !== 'string');
  assert.equal(decoded.linkAddress, undefined);
});

test('spoiled frames decode or are refused, and never throw', () => {
  fc.assert(
    fc.property(spoiled(unsolicitedNeighbourAdvertisement(OURS, ip('fd00::100'), true)), (bytes) => {
      void decodeNeighbourAdvertisement(bytes);
    }),
    { numRuns: 2_000 },
  );
});

test('messages with right checksums and random contents never throw', () => {
  fc.assert(
    fc.property(fc.integer({ min: MESSAGE, max: 85 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      void decodeNeighbourAdvertisement(changed(at, value));
    }),
    { numRuns: 2_000 },
  );
});
