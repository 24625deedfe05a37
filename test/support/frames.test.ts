// What the recorder reads from frames: one frame of each kind, byte by byte, and none of what is cut off.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROBE_MAGIC, readFrame } from '../../core/cli/demo/frames.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const ETHERNET_IP = '01005e000012 020000000001 0800';
const ETHERNET_ARP = 'ffffffffffff 020000000001 0806';
const IP_VRRP = '45c0 0020 0000 0000 ff 70 0000 c0000201 e0000012';
const IP_ICMP = '4500 0024 0000 0000 40 01 0000 c0000264 c00002fa';
const ARP = '0001 0800 06 04';

describe('frames', () => {
  test('an advert of version 2', () => {
    const seen = readFrame(bytes(`${ETHERNET_IP} ${IP_VRRP} 21 33 65 01 01 01 1234 c0a80a79`));
    assert.deepEqual(seen, {
      type: 'advert',
      version: 2,
      vrid: 51,
      priority: 101,
      source: '192.0.2.1',
      mac: '02:00:00:00:00:01',
    });
  });

  test('an advert of version 3 with priority 0', () => {
    const seen = readFrame(bytes(`${ETHERNET_IP} ${IP_VRRP} 31 01 00 01 000a 1234 c0a80a79`));
    assert.deepEqual(seen, {
      type: 'advert',
      version: 3,
      vrid: 1,
      priority: 0,
      source: '192.0.2.1',
      mac: '02:00:00:00:00:01',
    });
  });

  for (const [name, operation] of [
    ['request', '0001'],
    ['reply', '0002'],
  ])
    test(`a gratuitous ARP ${name}`, () => {
      const seen = readFrame(bytes(`${ETHERNET_ARP} ${ARP} ${operation} 020000000001 c0000264 000000000000 c0000264`));
      assert.deepEqual(seen, { type: 'garp', ip: '192.0.2.100', mac: '02:00:00:00:00:01' });
    });

  test('an advert over IPv6, and an unsolicited neighbour advertisement', () => {
    const ipv6 = (next: string) => `60000000 0018 ${next} ff fe80${'00'.repeat(13)}01 ff02${'00'.repeat(13)}12`;
    const advert = bytes(`333300000012 020000000001 86dd ${ipv6('70')} 31 07 64 01 0064 0000 ${'00'.repeat(16)}`);
    assert.deepEqual(readFrame(advert), {
      type: 'advert',
      version: 3,
      vrid: 7,
      priority: 100,
      source: 'fe80::1',
      mac: '02:00:00:00:00:01',
    });
    const na = (flags: string) =>
      bytes(`333300000001 020000000001 86dd ${ipv6('3a')} 88 00 0000 ${flags}000000 2001${'00'.repeat(13)}64`);
    assert.deepEqual(readFrame(na('a0')), { type: 'garp', ip: '2001::64', mac: '02:00:00:00:00:01' });
    assert.equal(readFrame(na('60')), undefined, 'an answer');
  });

  test('an ARP reply', () => {
    const seen = readFrame(bytes(`${ETHERNET_ARP} ${ARP} 0002 020000000001 c0000264 02aa00000001 00000000`));
    assert.deepEqual(seen, { type: 'arp', ip: '192.0.2.100' });
  });

  test('an ARP request says nothing', () => {
    assert.equal(
      readFrame(bytes(`${ETHERNET_ARP} ${ARP} 0001 020000000001 c0000201 000000000000 c0000264`)),
      undefined,
    );
  });

  test("the answer to a probe, and none to somebody else's", () => {
    const magic = PROBE_MAGIC.toString(16);
    assert.deepEqual(readFrame(bytes(`${ETHERNET_IP} ${IP_ICMP} 0000 0000 0001 0000 ${magic} 00000102`)), {
      type: 'reply',
      sequence: 258,
    });
    assert.equal(readFrame(bytes(`${ETHERNET_IP} ${IP_ICMP} 0000 0000 0001 0000 00000000 00000102`)), undefined);
  });

  test('a frame that is cut off anywhere is read without an error', () => {
    const whole = bytes(`${ETHERNET_IP} ${IP_VRRP} 21 33 65 01 01 01 1234 c0a80a79`);
    for (let length = 0; length < whole.length; length++) readFrame(whole.subarray(0, length));
  });
});
