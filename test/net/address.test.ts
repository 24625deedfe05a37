import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareIp,
  familyOf,
  formatIp,
  formatMac,
  ip,
  ipBytes,
  isMulticast,
  macBytes,
  parseIp,
  parseMac,
} from '../../core/net/address.ts';
import { ipv4, ipv6, mac } from './arbitrary.ts';

const canonical: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:0db8::0001', '2001:db8::1'],
  ['::', '::'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  // RFC 5952 §4.2.2: one zero group is not shortened.
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  // RFC 5952 §4.2.3: the longest run, the first one of equals.
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
];

for (const [text, expected] of canonical)
  test(`${text} is ${expected}`, () => {
    assert.equal(parseIp(text), expected);
  });

const refused = [
  '',
  ':',
  ':::',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  ' 1.2.3.4',
  '1.2.3.4\n',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '1::2::3',
  '12345::',
  'g::1',
  '1:',
  ':1',
  'fe80::1%eth0',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
];

for (const text of refused)
  test(`${JSON.stringify(text)} is no address`, () => {
    assert.equal(parseIp(text), undefined);
    assert.throws(() => ip(text), TypeError);
  });

test('a text is an address exactly when Node thinks so', () => {
  const scraps = fc.constantFrom('0', '1', '9', '25', '255', '256', 'a', 'ffff', '.', ':', '::', '1.2.3.4', 'g');
  fc.assert(
    fc.property(fc.array(scraps, { maxLength: 17 }), (parts) => {
      const text = parts.join('');
      assert.equal(parseIp(text) !== undefined, isIP(text) !== 0, text);
    }),
    { numRuns: 5_000 },
  );
});

test('IPv6 texts are as the URL standard writes them, which is RFC 5952', () => {
  fc.assert(fc.property(ipv6, (address) => assert.equal(`[${address}]`, new URL(`http://[${address}]/`).hostname)));
});

test('bytes and back is the same address', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      const bytes = ipBytes(address);
      assert.equal(bytes.length, familyOf(address) === 4 ? 4 : 16);
      assert.equal(formatIp(bytes, 0, bytes.length as 4 | 16), address);
      assert.equal(parseIp(address), address);
    }),
  );
});

test('addresses compare as unsigned numbers', () => {
  assert.ok(compareIp(ip('10.0.0.2'), ip('10.0.0.10')) < 0);
  assert.ok(compareIp(ip('200.0.0.1'), ip('100.0.0.1')) > 0);
  assert.equal(compareIp(ip('fe80::1'), ip('FE80:0::1')), 0);
  assert.ok(compareIp(ip('fe80::ffff'), ip('fe80::1:0')) < 0);
  assert.ok(compareIp(ip('255.255.255.255'), ip('::')) < 0);
});

test('the order of addresses is that of their bytes', () => {
  const pair = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
  fc.assert(
    fc.property(pair, ([a, b]) => {
      assert.equal(Math.sign(compareIp(a, b)), Buffer.compare(ipBytes(a), ipBytes(b)));
      assert.equal(Math.sign(compareIp(a, b)), -Math.sign(compareIp(b, a)) + 0);
    }),
  );
});

test('224.0.0.0/4 and ff00::/8 are multicast', () => {
  for (const text of ['224.0.0.18', '239.255.255.255', 'ff02::12']) assert.ok(isMulticast(ip(text)), text);
  for (const text of ['223.255.255.255', '240.0.0.1', '255.255.255.255', 'fe80::1', '::'])
    assert.ok(!isMulticast(ip(text)), text);
});

test('an Ethernet address is read in either case and written in lower case', () => {
  assert.equal(parseMac('02:00:5E:00:01:0A'), '02:00:5e:00:01:0a');
  for (const text of ['', '02:00:5e:00:01', '02-00-5e-00-01-0a', '02:00:5e:00:01:0g', '02:00:5e:00:01:0a:0b'])
    assert.equal(parseMac(text), undefined);
  fc.assert(fc.property(mac, (address) => assert.equal(formatMac(macBytes(address), 0), address)));
});
