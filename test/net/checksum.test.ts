import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ip } from '../../core/net/address.ts';
import {
  addWords,
  finishChecksum,
  internetChecksum,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  pseudoHeaderSum,
} from '../../core/net/checksum.ts';
import { u16, unhex } from './arbitrary.ts';

/** By the letter of RFC 1071: word by word, carries added back at once. */
function byTheLetter(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

test('the example of RFC 1071 §3 sums to ddf2', () => {
  assert.equal(internetChecksum(unhex('0001f203f4f5f6f7')), 0xffff - 0xddf2);
});

test('nothing has the checksum ffff', () => {
  assert.equal(internetChecksum(new Uint8Array(0)), 0xffff);
});

test('every length agrees with the algorithm by the letter', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(internetChecksum(bytes), byTheLetter(bytes));
    }),
  );
});

test('the largest packet of the largest words does not overflow', () => {
  const bytes = new Uint8Array(65_534).fill(0xff);
  assert.equal(internetChecksum(bytes, 0, bytes.length, 0xffff), byTheLetter(bytes));
});

test('a part of a view is summed as if it stood alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(60), (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      assert.equal(internetChecksum(bytes, start, end), internetChecksum(bytes.slice(start, end)));
    }),
  );
});

test('data with their checksum behind them sum to zero', () => {
  const evenBytes = fc.uint8Array({ maxLength: 80 }).map((bytes) => bytes.subarray(0, bytes.length & ~1));
  fc.assert(
    fc.property(evenBytes, u16, (bytes, initial) => {
      const checksum = internetChecksum(bytes, 0, bytes.length, initial);
      const sum = addWords(addWords(initial, bytes), Uint8Array.of(checksum >> 8, checksum & 0xff));
      assert.equal(finishChecksum(sum), 0);
    }),
  );
});

test('the pseudo-headers verify captured VRRPv3 adverts', () => {
  // keepalived 2.2.7, VRID 51, priority 200: whole IP packets
  const four = unhex('45c0002000010000ff70d0990a000001e00000123133c801006411730a000064');
  const six = unhex(
    '6c01538f002870fffe80000000000000000000fffe00000aff0200000000000000000000000000123133c80200640c5bfe800000000000000000000000000051fd000000000000000000000000000100',
  );
  const sum4 = ipv4PseudoHeaderSum(ip('10.0.0.1'), ip('224.0.0.18'), 112, four.length - 20);
  const sum6 = ipv6PseudoHeaderSum(ip('fe80::ff:fe00:a'), ip('ff02::12'), 112, six.length - 40);
  assert.equal(internetChecksum(four, 20, four.length, sum4), 0);
  assert.equal(internetChecksum(six, 40, six.length, sum6), 0);
  assert.equal(internetChecksum(four, 0, 20), 0);
});

test('the IPv6 pseudo-header is that of RFC 8200 §8.1, also for long packets', () => {
  const header = unhex(`fe80${'00'.repeat(13)}01ff02${'00'.repeat(13)}120001234500000070`);
  const sum = ipv6PseudoHeaderSum(ip('fe80::1'), ip('ff02::12'), 112, 0x12345);
  assert.equal(finishChecksum(sum), byTheLetter(header));
});

test('the family of the addresses chooses the pseudo-header', () => {
  const [a, b] = [ip('10.0.0.1'), ip('10.0.0.2')];
  const [x, y] = [ip('fe80::1'), ip('fe80::2')];
  assert.equal(pseudoHeaderSum(a, b, 6, 20), ipv4PseudoHeaderSum(a, b, 6, 20));
  assert.equal(pseudoHeaderSum(x, y, 6, 20), ipv6PseudoHeaderSum(x, y, 6, 20));
});
