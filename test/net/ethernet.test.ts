import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ip } from '../../core/net/address.ts';
import {
  decodeEthernetHeader,
  ETHERNET_HEADER_LENGTH,
  multicastMac,
  newEthernetFrame,
} from '../../core/net/ethernet.ts';
import { mac, unhex } from './arbitrary.ts';

test('a header goes to bytes and back', () => {
  fc.assert(
    fc.property(mac, mac, fc.integer({ min: 0x600, max: 0xffff }), fc.nat(50), (destination, source, type, length) => {
      const frame = newEthernetFrame({ destination, source, type }, length);
      assert.equal(frame.length, ETHERNET_HEADER_LENGTH + length);
      assert.deepEqual(decodeEthernetHeader(frame), { destination, source, type });
    }),
  );
});

test('thirteen bytes are no header', () => {
  assert.equal(decodeEthernetHeader(new Uint8Array(13).fill(0xff)), 'truncated');
});

test('an 802.3 frame with a length instead of a type is refused', () => {
  assert.equal(decodeEthernetHeader(unhex('0180c200000002000000000a002642420300')), 'ether-type');
});

test('random bytes decode to a header or to a refusal', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void decodeEthernetHeader(bytes)));
});

test('multicast groups map to Ethernet addresses as the RFCs say', () => {
  assert.equal(multicastMac(ip('224.0.0.18')), '01:00:5e:00:00:12');
  // RFC 1112 §6.4: the top bit of the second octet is lost.
  assert.equal(multicastMac(ip('239.129.2.3')), '01:00:5e:01:02:03');
  assert.equal(multicastMac(ip('ff02::12')), '33:33:00:00:00:12');
  assert.equal(multicastMac(ip('ff02::1:ff28:9c5a')), '33:33:ff:28:9c:5a');
});
