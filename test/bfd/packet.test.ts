// The BFD control packet: bytes of the standard, both ways, and each reason to refuse one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decode, emptyPacket, encode, PACKET_LENGTH } from '../../core/bfd/packet.ts';
import { type ControlPacket, diagnosticText, type PacketRefusal, STATES } from '../../core/bfd/types.ts';
import { micros, millis, seconds } from '../../core/units.ts';

/** Up, poll, detect multiplier 3, discriminators 1 and 2, 10 ms and 20 ms, no echo. */
const BYTES = '20e0 0318 0000 0001 0000 0002 0000 2710 0000 4e20 0000 0000';
const PACKET: ControlPacket = {
  diagnostic: 0,
  state: 'Up',
  poll: true,
  final: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 1,
  yourDiscriminator: 2,
  desiredMinTransmit: millis(10),
  requiredMinReceive: millis(20),
  requiredMinEchoReceive: micros(0),
};

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function changed(change: Readonly<Record<number, number>>, length = PACKET_LENGTH): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, PACKET_LENGTH));
  bytes.set(bytesOf(BYTES));
  for (const [at, value] of Object.entries(change)) bytes[Number(at)] = value;
  return bytes.subarray(0, length);
}

describe('RFC 5880 §4.1: the control packet', () => {
  test('decodes to its fields', () => {
    const out = emptyPacket();
    assert.equal(decode(bytesOf(BYTES), out), undefined);
    assert.deepEqual(out, PACKET);
  });

  test('encodes to its bytes', () => {
    const out = new Uint8Array(PACKET_LENGTH).fill(0xff);
    encode(PACKET, out);
    assert.deepEqual(out, bytesOf(BYTES));
  });

  test('diagnostic, final and demand have bits of their own, and intervals 32 of them', () => {
    const packet: ControlPacket = {
      ...PACKET,
      diagnostic: 31,
      state: 'Init',
      poll: false,
      final: true,
      demand: true,
      myDiscriminator: 0xffff_ffff,
      requiredMinEchoReceive: seconds(4294),
    };
    const bytes = new Uint8Array(PACKET_LENGTH);
    encode(packet, bytes);
    assert.equal(bytes[0], 0x3f);
    assert.equal(bytes[1], 0x92);
    const out = emptyPacket();
    assert.equal(decode(bytes, out), undefined);
    assert.deepEqual(out, packet);
  });

  test('what follows the packet does not matter', () => {
    const out = emptyPacket();
    assert.equal(decode(changed({}, 40), out), undefined);
    assert.deepEqual(out, PACKET);
  });

  test('diagnostics have words, the reserved ones too', () => {
    assert.equal(diagnosticText(1), 'control detection time expired');
    assert.equal(diagnosticText(31), 'diagnostic 31');
  });
});

describe('RFC 5880 §6.8.6: what must be discarded', () => {
  const refused: readonly (readonly [name: string, why: PacketRefusal, bytes: Uint8Array])[] = [
    ['nothing at all', 'too-short', new Uint8Array(0)],
    ['fewer bytes than the mandatory section', 'too-short', changed({}, 23)],
    ['version 0', 'bad-version', changed({ 0: 0x00 })],
    ['version 2', 'bad-version', changed({ 0: 0x40 })],
    ['a length below 24', 'bad-length', changed({ 3: 23 })],
    ['a length beyond the datagram', 'bad-length', changed({ 3: 25 })],
    ['a detect multiplier of 0', 'zero-multiplier', changed({ 2: 0 })],
    ['the multipoint bit', 'multipoint', changed({ 1: 0xe1 })],
    ['my discriminator 0', 'zero-discriminator', changed({ 7: 0 })],
    ['no your discriminator in state Up', 'state-without-discriminator', changed({ 11: 0 })],
    ['no your discriminator in state Init', 'state-without-discriminator', changed({ 1: 0x80, 11: 0 })],
    ['authentication, which is not in use here', 'authenticated', changed({ 1: 0xe4, 3: 26 }, 26)],
  ];
  for (const [name, why, bytes] of refused)
    test(name, () => {
      const out = emptyPacket();
      assert.equal(decode(bytes, out), why);
      assert.deepEqual(out, emptyPacket(), 'nothing of it is kept');
    });

  for (const [name, bits] of [
    ['Down', 0x40],
    ['AdminDown', 0x00],
  ] as const)
    test(`no your discriminator in state ${name} is how a session begins`, () => {
      const out = emptyPacket();
      assert.equal(decode(changed({ 1: bits, 11: 0 }), out), undefined);
      assert.equal(out.state, name);
    });
});

describe('properties', () => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  const packet: fc.Arbitrary<ControlPacket> = fc
    .record({
      diagnostic: fc.integer({ min: 0, max: 31 }),
      state: fc.constantFrom(...STATES),
      poll: fc.boolean(),
      final: fc.boolean(),
      demand: fc.boolean(),
      detectMultiplier: fc.integer({ min: 1, max: 255 }),
      myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
      yourDiscriminator: word,
      desiredMinTransmit: word.map(micros),
      requiredMinReceive: word.map(micros),
      requiredMinEchoReceive: word.map(micros),
    })
    .filter(({ state, yourDiscriminator }) => yourDiscriminator !== 0 || state === 'Down' || state === 'AdminDown');

  test('what is encoded decodes to itself', () => {
    fc.assert(
      fc.property(packet, (wanted) => {
        const bytes = new Uint8Array(PACKET_LENGTH);
        encode(wanted, bytes);
        const out = emptyPacket();
        assert.equal(decode(bytes, out), undefined);
        assert.deepEqual(out, { ...wanted });
      }),
    );
  });

  test('no bytes make the decoder throw, and what it accepts is legal', () => {
    const nearly = fc
      .tuple(packet, fc.array(fc.tuple(fc.nat(31), fc.nat(255)), { maxLength: 3 }), fc.nat(32))
      .map(([good, changes, length]) => {
        const bytes = new Uint8Array(32);
        encode(good, bytes);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes.subarray(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        const out = emptyPacket();
        if (decode(bytes, out) !== undefined) return;
        assert.ok(out.detectMultiplier > 0 && out.myDiscriminator > 0);
        assert.ok(out.yourDiscriminator > 0 || out.state === 'Down' || out.state === 'AdminDown');
        assert.ok((bytes[1]! & 0x05) === 0, 'neither authenticated nor multipoint');
      }),
      { numRuns: 5_000 },
    );
  });
});
