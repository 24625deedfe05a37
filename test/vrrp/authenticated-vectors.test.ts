// Every captured frame that proves where it comes from, byte for byte: verified with the key it was made with, decoded to
// what it says, made again from that, and refused when any bit of it is another.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { macOf } from '../../core/engine/digests.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { encodeIpv4Header, ipv4ChecksumIsRight, parseIpv4Header } from '../../core/net/ipv4.ts';
import { encodeIpv6Header, parseIpv6Header } from '../../core/net/ipv6.ts';
import { micros, priority, vrid } from '../../core/units.ts';
import { AH_LENGTH, open, PROTOCOL_AH, seal } from '../../core/vrrp/authentication-header.ts';
import { isSigned, readTrailer, sign, TRAILER_LENGTH } from '../../core/vrrp/hmac-trailer.ts';
import { type ChecksumForm, type DecodedPacket, decode, encode, setChecksum } from '../../core/vrrp/packet.ts';
import type { Advertisement } from '../../core/vrrp/types.ts';
import { cutFrame, hexBytes, hexText } from './frame.ts';

interface Said {
  readonly source: string;
  readonly destination: string;
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly priority: number;
  readonly interval_us: number;
  readonly addresses: readonly string[];
  readonly checksum: ChecksumForm;
}
interface Signature {
  readonly key_id: number;
  readonly seconds: number;
  readonly subseconds: number;
  readonly counter: number;
  readonly key: string;
}
interface Frame {
  readonly frames: readonly string[];
  readonly hex: string;
  readonly expect: Said & { readonly family: 4 | 6; readonly ttl: number };
  readonly header?: { readonly id: number; readonly sequence: number; readonly icv: string; readonly key: string };
  readonly signature?: Signature;
}
type Payload = Said & { readonly name: string; readonly hex: string; readonly signature?: Signature };
interface Other {
  readonly kind: string;
  readonly frames: readonly string[];
  readonly hex: string;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly protocol: number;
  readonly length: number;
}

const file = new URL('../vectors/authenticated.json', import.meta.url);
const { frames, payloads, others } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly frames: readonly Frame[];
  readonly payloads: readonly Payload[];
  readonly others: readonly Other[];
};

const ETHERNET = 14;

const adOf = (said: Said): Advertisement => ({
  version: said.version,
  vrid: vrid(said.vrid),
  priority: priority(said.priority),
  interval: micros(said.interval_us),
  addresses: said.addresses.map(ip),
});

const envelopeOf = (said: Said) => ({
  family: said.source.includes(':') ? (6 as const) : (4 as const),
  source: ip(said.source),
  destination: ip(said.destination),
});

function decoded(pdu: Uint8Array, said: Said): DecodedPacket {
  const packet = decode(pdu, envelopeOf(said));
  assert.notEqual(typeof packet, 'string', `refused: ${packet}`);
  const { ad, checksumForm } = packet as DecodedPacket;
  assert.deepEqual(ad, adOf(said));
  assert.equal(checksumForm, said.checksum);
  return packet as DecodedPacket;
}

/** The advert made again, with its signature. */
function signedAgain(said: Said, { key_id, seconds, subseconds, counter, key }: Signature): Uint8Array {
  const envelope = envelopeOf(said);
  const pdu = encode(adOf(said), envelope, { checksumForm: said.checksum });
  const signed = new Uint8Array(pdu.length + TRAILER_LENGTH);
  signed.set(pdu);
  const stamp = { seconds, fine: subseconds * 65_536 + counter };
  sign(signed, envelope.source, { key: key_id, stamp }, macOf('sha256', hexBytes(key)));
  if (envelope.family === 6) setChecksum(signed, 'pseudo', envelope);
  return signed;
}

function examineSignature(pdu: Uint8Array, said: Said, signature: Signature): void {
  const mac = macOf('sha256', hexBytes(signature.key));
  const source = ip(said.source);
  const { signed } = decoded(pdu, said);
  assert.ok(signed);
  assert.deepEqual(readTrailer(signed.subarray(-TRAILER_LENGTH)), {
    key: signature.key_id,
    stamp: { seconds: signature.seconds, fine: signature.subseconds * 65_536 + signature.counter },
  });
  assert.equal(isSigned(signed, source, mac), true);
  assert.equal(hexText(signedAgain(said, signature)), hexText(pdu));
  assert.equal(
    isSigned(signed, ip(said.source.replace(/.$/, (c) => (c === '9' ? '8' : '9'))), mac),
    false,
    'the source',
  );
  for (let bit = 0; bit < pdu.length * 8; bit++) {
    const offset = bit >> 3;
    if (offset === 6 || offset === 7) continue; // the checksum is not signed
    const bad = pdu.slice();
    bad[offset]! ^= 1 << (bit & 7);
    assert.equal(isSigned(bad, source, mac), false, `bit ${bit}`);
  }
}

describe('signed adverts', () => {
  for (const { frames: names, hex, expect, signature } of frames)
    if (signature)
      test(names.join(', '), () => {
        const { pdu, ttl } = cutFrame(hex);
        assert.equal(ttl, expect.ttl);
        examineSignature(pdu, expect, signature);
      });
  for (const payload of payloads)
    test(payload.name, () => {
      const pdu = hexBytes(payload.hex);
      if (payload.signature) examineSignature(pdu, payload, payload.signature);
      else {
        decoded(pdu, payload);
        assert.equal(hexText(encode(adOf(payload), envelopeOf(payload))), payload.hex);
      }
    });
});

describe('adverts behind an authentication header', () => {
  for (const { frames: names, hex, expect, header } of frames)
    if (header)
      test(names.join(', '), () => {
        const mac = macOf('md5', hexBytes(header.key));
        const packet = hexBytes(hex).subarray(ETHERNET);
        const [ipHeader, payload] = [packet.subarray(0, 20), packet.subarray(20)];
        const opened = open(ipHeader, payload, mac);
        assert.ok(typeof opened !== 'string', `${opened}`);
        assert.equal(opened.sequence, header.sequence);
        assert.equal(decoded(opened.pdu, expect).authType, 2);

        const pdu = encode(adOf(expect), envelopeOf(expect), { authenticationHeader: true });
        const again = new Uint8Array(20 + AH_LENGTH + pdu.length);
        const { source, destination } = envelopeOf(expect);
        const fields = { tos: 0xc0, id: header.id, ttl: expect.ttl, protocol: PROTOCOL_AH, source, destination };
        again.set(encodeIpv4Header(fields, AH_LENGTH + pdu.length));
        again.set(pdu, 20 + AH_LENGTH);
        seal(again, header.sequence, mac);
        assert.equal(hexText(again), hexText(packet));

        // TOS, flags, fragment offset and header checksum may change on the way; nothing else may.
        const mutable = new Set([1, 6, 7, 10, 11]);
        for (let bit = 0; bit < packet.length * 8; bit++) {
          if (mutable.has(bit >> 3)) continue;
          const bad = packet.slice();
          bad[bit >> 3]! ^= 1 << (bit & 7);
          assert.equal(typeof open(bad.subarray(0, 20), bad.subarray(20), mac), 'string', `bit ${bit}`);
        }
      });

  test('a unicast packet may have crossed routers: its TTL is not covered', () => {
    const mac = macOf('md5', hexBytes('7365637265743132'));
    const pdu = encode(adOf(frames[0]!.expect), envelopeOf(frames[0]!.expect), { authenticationHeader: true });
    const packet = new Uint8Array(20 + AH_LENGTH + pdu.length);
    const [source, destination] = [ip('10.0.0.1'), ip('10.0.0.2')] as const;
    packet.set(
      encodeIpv4Header({ tos: 0, id: 1, ttl: 255, protocol: PROTOCOL_AH, source, destination }, packet.length - 20),
    );
    packet.set(pdu, 20 + AH_LENGTH);
    seal(packet, 7, mac);
    packet[8] = 250;
    const opened = open(packet.subarray(0, 20), packet.subarray(20), mac);
    assert.ok(typeof opened !== 'string' && opened.sequence === 7);
  });
});

test('what surrounds VRRP on the wire has headers that say what was seen, and is no VRRP', () => {
  for (const { frames: names, hex, source, destination, ttl, protocol, length } of others) {
    const packet = hexBytes(hex).subarray(ETHERNET);
    const at = names.join(', ');
    if (packet[0]! >> 4 === 4) {
      const header = parseIpv4Header(packet);
      assert.ok(typeof header !== 'string', at);
      assert.ok(ipv4ChecksumIsRight(packet, header.headerLength), at);
      assert.deepEqual(
        [header.source, header.destination, header.ttl, header.protocol, header.totalLength],
        [source, destination, ttl, protocol, length],
        at,
      );
      continue;
    }
    const header = parseIpv6Header(packet);
    assert.ok(typeof header !== 'string', at);
    assert.deepEqual(
      [header.source as IpAddress, header.destination, header.hopLimit, header.nextHeader, header.payloadLength],
      [source, destination, ttl, protocol, length],
      at,
    );
    assert.equal(hexText(encodeIpv6Header(header, header.payloadLength)), hexText(packet.subarray(0, 40)), at);
  }
});
