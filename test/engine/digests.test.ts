// HMAC against the test cases of RFC 2202 (MD5) and RFC 4231 (SHA-256), and against the library's own.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { macOf } from '../../core/engine/digests.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test('the cases of the RFCs', () => {
  const question = text('what do ya want for nothing?');
  assert.equal(hex(macOf('md5', text('Jefe'))(question)), '750c783e6ab0b503eaa86e310a5db738');
  assert.equal(
    hex(macOf('sha256', text('Jefe'))(question)),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  const long = new Uint8Array(131).fill(0xaa);
  assert.equal(
    hex(macOf('sha256', long)(text('Test Using Larger Than Block-Size Key - Hash Key First'))),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  );
});

test('one function for many messages, long and short, in any order', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  fc.assert(
    fc.property(bytes(100), fc.array(bytes(300), { maxLength: 8 }), (key, messages) => {
      for (const algorithm of ['md5', 'sha256'] as const) {
        const mac = macOf(algorithm, key);
        for (const message of messages)
          assert.equal(hex(mac(message)), createHmac(algorithm, key).update(message).digest('hex'));
      }
    }),
  );
});
