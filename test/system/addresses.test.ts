// Socket addresses and remembered texts, byte by byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, ip, ipBytes } from '../../core/net/address.ts';
import { AddressTexts } from '../../core/system/address-texts.ts';
import { ipSockaddr, linkSockaddr, netlinkSockaddr, unixSockaddr } from '../../core/system/sockaddr.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('socket addresses are laid out as the kernel wants them', () => {
  assert.equal(hex(ipSockaddr(ip('192.0.2.1'), 7)), '02000000c00002010000000000000000');
  assert.equal(
    hex(ipSockaddr(ip('ff02::12'), 7)),
    '0a0000000000000000000000'.slice(0, 16) + 'ff020000000000000000000000000012' + '07000000',
  );
  assert.equal(hex(ipSockaddr(ip('fe80::1'), 258)).slice(-8), '02010000');
  assert.equal(hex(ipSockaddr(ip('2001:db8::1'), 7)).slice(-8), '00000000');
  assert.equal(hex(linkSockaddr(3)), '1100000003000000000000060000000000000000');
  assert.equal(hex(netlinkSockaddr(0x111)), '100000000000000011010000');
  assert.equal(hex(unixSockaddr('/a')!), '01002f6100');
  assert.equal(hex(unixSockaddr('@a')!), '01000061');
});

test('an address is remembered as one text, and never mistaken for another', () => {
  const texts = new AddressTexts();
  const all: IpAddress[] = [];
  for (let i = 0; i < 5000; i++) all.push(ip(`10.${i % 7}.${i >> 8}.${i & 255}`), ip(`fe80::${i.toString(16)}`));
  for (let round = 0; round < 2; round++)
    for (const address of all) {
      const bytes = ipBytes(address);
      const padded = new Uint8Array(40).fill(0xee);
      padded.set(bytes, 5);
      assert.equal(texts.text(padded, 5, bytes.length as 4 | 16), address);
    }
});

test('addresses whose hashes collide are told apart', () => {
  const texts = new AddressTexts();
  // 31 * a + b is the same for (a, b) and (a + 1, b - 31)
  for (const address of ['10.0.5.40', '10.0.6.9', '10.0.5.40', '10.0.6.9'])
    assert.equal(texts.text(ipBytes(ip(address)), 0, 4), address);
});
