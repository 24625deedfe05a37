import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp, type IpAddress, ip } from '../../core/net/address.ts';
import { micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import {
  type ChecksumForm,
  type DecodedPacket,
  decode,
  type Envelope,
  encode,
  passData,
  VRRP_GROUP,
} from '../../core/vrrp/packet.ts';
import type { Advertisement } from '../../core/vrrp/types.ts';
import { cutFrame, hexText } from './frame.ts';

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly l2_hex: string;
  readonly expect: {
    readonly refused?: string;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number;
    readonly version: 2 | 3;
    readonly vrid: number;
    readonly priority: number;
    readonly interval_us: number;
    readonly auth_type: number;
    readonly auth_data?: string;
    readonly checksum: ChecksumForm;
    readonly addresses: readonly string[];
  };
}

const { frames } = JSON.parse(readFileSync(new URL('../vectors/vrrp.json', import.meta.url), 'utf8')) as {
  readonly frames: readonly Vector[];
};

const MULTICAST: Envelope = { family: 4, source: ip('10.0.0.2'), destination: VRRP_GROUP[4] };
const UNICAST: Envelope = { family: 4, source: ip('10.0.0.2'), destination: ip('10.0.0.1') };
const V3: Advertisement = {
  version: 3,
  vrid: vrid(51),
  priority: priority(150),
  interval: millis(500),
  addresses: [ip('10.0.0.99')],
};
const V2: Advertisement = { ...V3, version: 2, interval: seconds(1) };

function decoded(pdu: Uint8Array, envelope: Envelope): DecodedPacket {
  const result = decode(pdu, envelope);
  assert.notEqual(typeof result, 'string', `refused: ${result}`);
  return result as DecodedPacket;
}

/** A packet with one byte changed and, unless told otherwise, its (message-only) checksum made right again. */
function changed(pdu: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = pdu.slice();
  copy[offset] = value;
  return withChecksum(copy);
}

function withChecksum(pdu: Uint8Array): Uint8Array {
  pdu[6] = pdu[7] = 0;
  let sum = 0;
  for (let i = 0; i < pdu.length; i += 2) sum += (pdu[i]! << 8) | (pdu[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  pdu[6] = (~sum >> 8) & 255;
  pdu[7] = ~sum & 255;
  return pdu;
}

test(`the ${frames.length} captured frames of three daemons decode to what they say`, () => {
  for (const { name, l2_hex, expect } of frames) {
    const frame = cutFrame(l2_hex);
    assert.equal(frame.source, expect.source, name);
    assert.equal(frame.destination, expect.destination, name);
    assert.equal(frame.ttl, expect.ttl, name);
    const result = decode(frame.pdu, frame);
    if (expect.refused !== undefined) {
      assert.equal(result, expect.refused, name);
      continue;
    }
    const { ad, checksumForm, authType, authData } = decoded(frame.pdu, frame);
    assert.deepEqual(
      ad,
      {
        version: expect.version,
        vrid: expect.vrid,
        priority: expect.priority,
        interval: expect.interval_us,
        addresses: expect.addresses,
      },
      name,
    );
    assert.equal(checksumForm, expect.checksum, name);
    assert.equal(authType, expect.auth_type, name);
    if (expect.auth_data !== undefined) assert.equal(hexText(authData!), expect.auth_data, name);
  }
});

test('what was decoded from a captured frame encodes to the same bytes', () => {
  for (const { name, l2_hex, expect } of frames) {
    if (expect.refused !== undefined) continue;
    const frame = cutFrame(l2_hex);
    const { ad, checksumForm, authType, authData } = decoded(frame.pdu, frame);
    const pdu = encode(ad, frame, authType === 1 ? { checksumForm, authData: authData! } : { checksumForm });
    assert.equal(hexText(pdu), hexText(frame.pdu), name);
  }
});

test('the encoder makes the packets that keepalived makes', () => {
  const vip = [ip('10.0.0.99')];
  const to = (source: string, destination: string): Envelope => ({
    family: 4,
    source: ip(source),
    destination: ip(destination),
  });
  const pass = { authData: passData('abcdefgh') };
  const v2 = { ...V2, priority: priority(100), addresses: vip };
  assert.equal(hexText(encode(v2, MULTICAST, pass)), '213364010101ddd10a0000636162636465666768');
  assert.equal(
    hexText(encode({ ...v2, priority: priority(0) }, MULTICAST, pass)),
    '21330001010141d20a0000636162636465666768',
  );
  assert.equal(hexText(encode(V3, to('10.0.0.1', '10.0.0.2'))), '31339601003219b70a000063');
  assert.equal(
    hexText(encode({ ...V3, priority: priority(0) }, to('10.0.0.1', '10.0.0.2'))),
    '313300010032afb70a000063',
  );
  assert.equal(
    hexText(encode({ ...V3, priority: priority(100) }, to('10.0.0.2', '10.0.0.1'))),
    '3133640100324bb70a000063',
  );
});

test('a v3 advert over IPv4 is accepted under all three checksum forms, and the form is told', () => {
  for (const checksumForm of ['pseudo', 'message-only', 'old-unicast'] as const) {
    const pdu = encode(V3, UNICAST, { checksumForm });
    assert.equal(decoded(pdu, UNICAST).checksumForm, checksumForm);
  }
});

test('on multicast the old unicast form is the pseudo-header form', () => {
  const pdu = encode(V3, MULTICAST, { checksumForm: 'old-unicast' });
  assert.equal(decoded(pdu, MULTICAST).checksumForm, 'pseudo');
});

test('a v2 advert with a pseudo-header in its checksum is refused', () => {
  const pdu = encode(V2, MULTICAST);
  const body = pdu.slice();
  body[6] = body[7] = 0;
  let sum = 112 + body.length + 0x0a00 + 0x0002 + 0xe000 + 0x0012;
  for (let i = 0; i < body.length; i += 2) sum += (body[i]! << 8) | body[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  body[6] = (~sum >> 8) & 255;
  body[7] = ~sum & 255;
  assert.equal(decode(body, MULTICAST), 'checksum');
});

test('over IPv6 the pseudo-header is part of the checksum, whatever the caller asks for', () => {
  const envelope: Envelope = { family: 6, source: ip('fe80::1'), destination: VRRP_GROUP[6] };
  const ad = { ...V3, addresses: [ip('fe80::5:1'), ip('fd00::1:1')] };
  assert.equal(decoded(encode(ad, envelope, { checksumForm: 'message-only' }), envelope).checksumForm, 'pseudo');
  assert.equal(decode(withChecksum(encode(ad, envelope)), envelope), 'checksum');
});

test('every refusal has its name, and the first fault in the order of the checks is the one that is told', () => {
  const v3 = encode(V3, MULTICAST, { checksumForm: 'message-only' });
  const v2 = encode(V2, MULTICAST);
  const refusal = (pdu: Uint8Array, envelope = MULTICAST) => decode(pdu, envelope);
  assert.equal(refusal(new Uint8Array(0)), 'truncated');
  assert.equal(refusal(v3.subarray(0, 7)), 'truncated');
  assert.equal(refusal(changed(v3, 0, 0x11)), 'version');
  assert.equal(refusal(changed(v3, 0, 0x41)), 'version');
  assert.equal(refusal(v2, { family: 6, source: ip('fe80::1'), destination: VRRP_GROUP[6] }), 'version');
  assert.equal(refusal(changed(v3, 0, 0x32)), 'type');
  assert.equal(refusal(changed(v3, 1, 0)), 'vrid');
  assert.equal(refusal(Uint8Array.from(v3, (byte, i) => (i === 7 ? byte ^ 1 : byte))), 'checksum');
  assert.equal(refusal(changed(v3, 3, 3)), 'length', 'fewer addresses than the count says');
  assert.equal(refusal(withChecksum(Uint8Array.from([...v3, 0, 0, 0, 0]))), 'length', 'trailing bytes');
  assert.equal(refusal(withChecksum(v2.slice(0, 12))), 'length', 'v2 without authentication data');
  assert.equal(refusal(changed(changed(v3, 4, 0), 5, 0)), 'interval-zero');
  assert.equal(refusal(changed(v2, 5, 0)), 'interval-zero');
});

test('bytes behind a message are refused for their number, not for its checksum, unless they may be a signature', () => {
  const pdu = encode(V3, MULTICAST);
  const followedBy = (count: number) => Uint8Array.from([...pdu, ...new Array<number>(count).fill(7)]);
  for (const count of [1, 4, 24, 27, 29, 56]) assert.equal(decode(followedBy(count), MULTICAST), 'length', `${count}`);
  const signed = followedBy(28);
  assert.deepEqual(decoded(signed, MULTICAST).signed, signed);
  assert.equal(decoded(pdu, MULTICAST).signed, undefined);
});

test('the reserved bits of version 3 are ignored', () => {
  const pdu = encode(V3, MULTICAST, { checksumForm: 'message-only' });
  assert.deepEqual(decoded(changed(pdu, 4, 0xf0 | pdu[4]!), MULTICAST).ad, V3);
});

test('v2 authentication data of type 0 is read over', () => {
  const pdu = encode(V2, MULTICAST);
  assert.equal(decoded(changed(pdu, 13, 0x67), MULTICAST).authType, 0);
});

test('a password fills 8 bytes: a longer one is cut, a shorter one padded with zeros', () => {
  assert.equal(hexText(passData('secret123456')), hexText(new TextEncoder().encode('secret12')));
  assert.equal(hexText(passData('abc')), '6162630000000000');
});

test('an advert without a wire form is a bug and throws', () => {
  const bad: readonly Partial<Advertisement>[] = [
    { addresses: new Array<IpAddress>(256).fill(ip('10.0.0.1')) },
    { addresses: [ip('fe80::1')] },
    { interval: micros(0) },
    { interval: millis(15) },
    { interval: seconds(41) },
    { version: 2, interval: millis(500) },
    { version: 2, interval: seconds(256) },
  ];
  for (const fault of bad) assert.throws(() => encode({ ...V3, ...fault }, MULTICAST), RangeError);
  const six: Envelope = { family: 6, source: ip('fe80::1'), destination: VRRP_GROUP[6] };
  assert.throws(() => encode({ ...V2, addresses: [ip('fe80::1')] }, six), RangeError);
});

test('whatever is encoded decodes to the same advert', () => {
  const address = (family: 4 | 6) =>
    fc
      .uint8Array({ minLength: family === 4 ? 4 : 16, maxLength: family === 4 ? 4 : 16 })
      .map((b) => formatIp(b, 0, b.length as 4 | 16));
  const scene = fc.constantFrom(4 as const, 6 as const).chain((family) =>
    fc.record({
      envelope: fc.record({ family: fc.constant(family), source: address(family), destination: address(family) }),
      ad: fc
        .record({
          version: family === 6 ? fc.constant(3 as const) : fc.constantFrom(2 as const, 3 as const),
          vrid: fc.integer({ min: 1, max: 255 }).map(vrid),
          priority: fc.integer({ min: 0, max: 255 }).map(priority),
          units: fc.integer({ min: 1, max: 255 }),
          addresses: fc.array(address(family), { minLength: 1, maxLength: 255 }),
        })
        .map(
          ({ units, ...ad }): Advertisement => ({
            ...ad,
            interval: ad.version === 2 ? seconds(units) : millis(units * 160),
          }),
        ),
      checksumForm: fc.constantFrom<ChecksumForm>('pseudo', 'message-only', 'old-unicast'),
    }),
  );
  fc.assert(
    fc.property(scene, ({ envelope, ad, checksumForm }) => {
      assert.deepEqual(decoded(encode(ad, envelope, { checksumForm }), envelope).ad, ad);
    }),
  );
});

test('a single flipped bit is never accepted, but for the bits that mean nothing', () => {
  const pdu = encode(V3, MULTICAST);
  for (let bit = 0; bit < pdu.length * 8; bit++) {
    const flipped = pdu.slice();
    flipped[bit >> 3]! ^= 0x80 >> (bit & 7);
    assert.equal(typeof decode(flipped, MULTICAST), 'string', `bit ${bit}`);
  }
});

test('no sequence of bytes makes the decoder throw', () => {
  const envelopes = [MULTICAST, UNICAST, { family: 6, source: ip('fe80::1'), destination: VRRP_GROUP[6] } as const];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1600 }), fc.constantFrom(...envelopes), (bytes, envelope) => {
      decode(bytes, envelope);
      decode(withChecksum(Uint8Array.from([0x31, ...bytes, 0, 0, 0, 0, 0, 0, 0])), envelope);
    }),
    { numRuns: 2000 },
  );
});

test('the decoder reads a view as it reads a copy', () => {
  const pdu = encode(V2, MULTICAST, { authData: passData('secret') });
  const larger = Uint8Array.from([1, 2, 3, ...pdu, 4, 5]);
  assert.deepEqual(decode(larger.subarray(3, 3 + pdu.length), MULTICAST), decode(pdu, MULTICAST));
});
