import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Family, ip, ipBytes, type MacAddress } from '../../core/net/address.ts';
import { internetChecksum } from '../../core/net/checksum.ts';
import {
  answerFilter,
  decodeIcmpAnswer,
  encodeEchoRequest,
  encodeNeighbourSolicitation,
  solicitedNode,
} from '../../core/net/icmp.ts';
import { encodeIpv4Header } from '../../core/net/ipv4.ts';
import { encodeIpv6Header } from '../../core/net/ipv6.ts';
import { runFilter } from '../support/bpf-machine.ts';

const PAYLOAD = Uint8Array.from({ length: 20 }, (_, i) => i);
const US = { 4: ip('192.0.2.1'), 6: ip('fd00::1') };
const THEM = { 4: ip('192.0.2.2'), 6: ip('fd00::2') };

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** With a checksum where the reader looks at it. */
function sealed(family: Family, message: Uint8Array): Uint8Array {
  const copy = message.slice();
  copy.set([0, 0], 2);
  const sum = family === 4 ? internetChecksum(copy) : 0;
  copy.set([sum >> 8, sum & 0xff], 2);
  return copy;
}

/** An error about a request of ours. */
function complaint(family: Family, type: number, code: number, request: Uint8Array): Uint8Array {
  const quoted = { source: US[family], destination: THEM[family] };
  const header =
    family === 4
      ? encodeIpv4Header({ ...quoted, tos: 0, id: 1, ttl: 1, protocol: 1 }, request.length)
      : encodeIpv6Header({ ...quoted, trafficClass: 0, flowLabel: 0, nextHeader: 58, hopLimit: 1 }, request.length);
  return sealed(family, Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0, ...header, ...request));
}

test('an echo request is as RFC 792 draws it', () => {
  // The checksum by hand: 0800 + 1234 + 0001 + 6162 + 6364 = defb, of which 2104 is the complement.
  assert.deepEqual(encodeEchoRequest(4, 0x1234, 1, bytes('61626364')), bytes('0800 2104 1234 0001 61626364'));
  assert.deepEqual(encodeEchoRequest(6, 0x1234, 0xffff, bytes('61')), bytes('8000 0000 1234 ffff 61'));
});

test('a neighbour solicitation names the target and our own address, to the group of the target', () => {
  assert.deepEqual(
    encodeNeighbourSolicitation(ip('fe80::1:2'), '02:00:00:00:00:09' as MacAddress),
    bytes('8700 0000 00000000 fe80000000000000 0000000000010002 0101 020000000009'),
  );
  assert.equal(solicitedNode(ip('2001:db8::12:3456')), 'ff02::1:ff12:3456');
});

for (const family of [4, 6] as const)
  describe(`answers over IPv${family}`, () => {
    const request = encodeEchoRequest(family, 77, 9, PAYLOAD);
    const reply = sealed(family, Uint8Array.of(family === 4 ? 0 : 129, ...request.subarray(1)));

    test('an echo reply is understood', () => {
      assert.deepEqual(decodeIcmpAnswer(family, reply), {
        type: 'reply',
        identifier: 77,
        sequence: 9,
        payload: PAYLOAD,
      });
    });

    test('an error says which request it is about', () => {
      const names =
        family === 4
          ? ([
              [3, 1],
              [3, 13],
              [3, 0],
              [3, 4],
              [11, 0],
            ] as const)
          : ([
              [1, 3],
              [1, 1],
              [1, 0],
              [2, 0],
              [3, 0],
            ] as const);
      const errors = ['host-unreachable', 'prohibited', 'no-route', 'too-big', 'time-exceeded'];
      for (const [i, [type, code]] of names.entries())
        assert.deepEqual(decodeIcmpAnswer(family, complaint(family, type, code, request)), {
          type: 'error',
          error: errors[i],
          destination: THEM[family],
          identifier: 77,
          sequence: 9,
        });
    });

    test('an error about something else, or one cut short, is no answer', () => {
      const [type, code] = family === 4 ? [3, 1] : [1, 3];
      assert.equal(decodeIcmpAnswer(family, complaint(family, type, code, reply)), undefined);
      const whole = complaint(family, type, code, request);
      const header = family === 4 ? 20 : 40;
      for (let length = 0; length < 8 + header + 8; length++)
        assert.equal(decodeIcmpAnswer(family, sealedIfPossible(family, whole.subarray(0, length))), undefined);
    });

    test('requests, and what nobody knows, are no answers', () => {
      for (let type = 0; type < 256; type++) {
        const decoded = decodeIcmpAnswer(family, sealed(family, Uint8Array.of(type, 200, 0, 0, 0, 0, 0, 0)));
        assert.equal(decoded, undefined, `type ${type}`);
      }
      assert.equal(decodeIcmpAnswer(family, request), undefined);
    });

    test('arbitrary bytes do no harm', () => {
      let seed = 1;
      const random = (): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        return seed >>> 16;
      };
      for (let i = 0; i < 20_000; i++) {
        const message = Uint8Array.from({ length: random() % 90 }, random);
        if (message.length > 0) message[0] = [0, 3, 11, 1, 2, 129, 136][random() % 7]!;
        const decoded = decodeIcmpAnswer(family, sealedIfPossible(family, message));
        if (decoded?.type === 'reply') assert.equal(decoded.payload.length, message.length - 8);
      }
    });
  });

const sealedIfPossible = (family: Family, message: Uint8Array): Uint8Array =>
  message.length < 4 ? message : sealed(family, message);

test('an IPv4 answer with a wrong checksum is none', () => {
  const reply = sealed(4, Uint8Array.of(0, ...encodeEchoRequest(4, 1, 1, PAYLOAD).subarray(1)));
  for (let at = 0; at < reply.length; at++) {
    const damaged = reply.slice();
    damaged[at]! ^= 4;
    assert.equal(decodeIcmpAnswer(4, damaged), undefined);
  }
});

describe('a neighbour advertisement', () => {
  const of = (flags: number, options: string) =>
    decodeIcmpAnswer(
      6,
      bytes(
        `8800 0000 ${flags.toString(16).padStart(2, '0')}000000 ${Buffer.from(ipBytes(ip('fe80::7'))).toString('hex')} ${options}`,
      ),
    );
  const found = { type: 'advertisement', target: ip('fe80::7') };
  test('answers when it is solicited, with its link-layer address or without', () => {
    assert.deepEqual(of(0xe0, '0201 020000000009'), found);
    assert.deepEqual(of(0x40, ''), found);
  });
  test('that nobody solicited proves nothing: it may be a late word of a router that is gone', () => {
    assert.equal(of(0xa0, '0201 020000000009'), undefined);
  });
  test('with an option of no length or beyond the end is refused', () => {
    assert.equal(of(0xe0, '0200 020000000009'), undefined);
    assert.equal(of(0xe0, '0202 020000000009'), undefined);
    assert.equal(of(0xe0, '02'), undefined);
  });
});

test('only answers to us wake anybody up: IPv6', () => {
  // A raw IPv6 socket shows its filter what a machine without an index register can run; IPv4 is tried with the kernel.
  const filter = answerFilter(6, 77);
  const passes = (message: Uint8Array): boolean => runFilter(filter, message) > 0;
  const own = encodeEchoRequest(6, 77, 1, PAYLOAD);
  const foreign = encodeEchoRequest(6, 78, 1, PAYLOAD);
  const replyTo = (request: Uint8Array): Uint8Array => Uint8Array.of(129, ...request.subarray(1));
  assert.ok(passes(replyTo(own)));
  assert.ok(!passes(replyTo(foreign)));
  assert.ok(!passes(own), 'a request is no answer');
  for (const type of [1, 2, 3, 4]) {
    assert.ok(passes(complaint(6, type, 0, own)), `error ${type}`);
    assert.ok(!passes(complaint(6, type, 0, foreign)), `foreign error ${type}`);
    assert.ok(!passes(complaint(6, type, 0, replyTo(own))), `error ${type} about a reply`);
  }
  for (const type of [0, 5, 127, 128, 130, 133, 134, 135, 137])
    assert.ok(!passes(Uint8Array.of(type, ...own.subarray(1))));
  assert.ok(passes(Uint8Array.of(136, ...own.subarray(1))));
});
