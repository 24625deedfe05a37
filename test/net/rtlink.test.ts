// Messages about interfaces above others: the attributes that the kernel expects, and a reader that nothing can break.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { MacAddress } from '../../core/net/address.ts';
import { forEachAttribute, host16, host32, readNetlinkHeader } from '../../core/net/netlink.ts';
import {
  aliasRequest,
  createLinkRequest,
  deleteGroupRequest,
  ipv4SettingsRequest,
  noGeneratedAddressRequest,
  readLinkDetails,
  regroupRequest,
  switchOnRequest,
} from '../../core/net/rtlink.ts';

/** Header and struct ifinfomsg. */
const START = 32;
const [ADDRESS, NAME, LINK, INFO, ALIAS, AF_SPEC, GROUP] = [1, 3, 5, 18, 20, 26, 27] as const;
const MAC = '00:00:5e:00:01:33' as MacAddress;

function attributes(bytes: Uint8Array, start = 0): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  assert.equal(
    forEachAttribute(bytes, start, (type, value) => found.set(type, value)),
    'ok',
  );
  return found;
}

const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value).replace('\0', '');

function header(message: Uint8Array): { type: number; flags: number } {
  const read = readNetlinkHeader(message);
  assert.ok(typeof read !== 'string');
  assert.equal(read.length, message.length);
  return { type: read.type, flags: read.flags };
}

describe('messages about interfaces above others', () => {
  test('a macvlan: RTM_NEWLINK that must not exist yet, private mode, its MAC address', () => {
    const message = createLinkRequest({ kind: 'macvlan', name: 'vrrp.51', parent: 7, mac: MAC, group: 9 });
    assert.deepEqual(header(message), { type: 16, flags: 0x1 | 0x4 | 0x200 | 0x400 });
    const found = attributes(message, START);
    assert.deepEqual(
      [host32(found.get(LINK)!, 0), text(found.get(NAME)), host32(found.get(GROUP)!, 0)],
      [7, 'vrrp.51', 9],
    );
    assert.deepEqual([...found.get(ADDRESS)!], [0, 0, 0x5e, 0, 1, 0x33]);
    const info = attributes(found.get(INFO)!);
    assert.equal(text(info.get(1)), 'macvlan');
    assert.equal(host32(attributes(info.get(2)!).get(1)!, 0), 1, 'MACVLAN_MODE_PRIVATE');
  });

  for (const [mode, flags] of [
    ['bridge', 0],
    ['private', 1],
    ['vepa', 2],
  ] as const)
    test(`an ipvlan in mode ${mode}: layer 2, numbers of 16 bits, no MAC address`, () => {
      const found = attributes(createLinkRequest({ kind: 'ipvlan', name: 'ip7', parent: 7, mode }), START);
      const info = attributes(found.get(INFO)!);
      const data = attributes(info.get(2)!);
      assert.deepEqual([text(info.get(1)), found.has(ADDRESS), found.has(GROUP)], ['ipvlan', false, false]);
      assert.deepEqual([data.get(1)!.length, host16(data.get(1)!, 0), host16(data.get(2)!, 0)], [2, 0, flags]);
    });

  test('settings by name: alias, IPv4 settings by their numbers, no generated address, switched on', () => {
    const alias = aliasRequest('vrrp.51', 'vipkeeper arp_ignore=0');
    assert.equal(header(alias).type, 19);
    assert.equal(text(attributes(alias, START).get(ALIAS)), 'vipkeeper arp_ignore=0');
    const settings = attributes(ipv4SettingsRequest('eth0', { arp_ignore: 1, arp_announce: 2 }), START);
    const conf = attributes(attributes(attributes(settings.get(AF_SPEC)!).get(2)!).get(1)!);
    assert.deepEqual(
      [...conf].map(([number, value]) => [number, host32(value, 0)]),
      [
        [19, 1],
        [18, 2],
      ],
    );
    const silent = attributes(noGeneratedAddressRequest('vrrp.51'), START);
    assert.deepEqual([...attributes(attributes(silent.get(AF_SPEC)!).get(10)!).get(8)!], [1]);
    const on = switchOnRequest('vrrp.51');
    assert.deepEqual([host32(on, 24), host32(on, 28)], [1, 1], 'flags and their mask');
  });

  test('a group is made and removed by its number alone', () => {
    assert.deepEqual(
      [host32(regroupRequest(5, 77), 20), host32(attributes(regroupRequest(5, 77), START).get(GROUP)!, 0)],
      [5, 77],
    );
    const removal = deleteGroupRequest(77);
    assert.deepEqual(
      [header(removal).type, host32(removal, 20), [...attributes(removal, START).keys()]],
      [17, 0, [GROUP]],
    );
  });

  test('a name that is too long is refused before the kernel cuts it', () => {
    assert.throws(() => switchOnRequest('sixteenbytesname'), RangeError);
  });

  test('what was asked for is read back; anything else is nothing, and no bytes make it throw', () => {
    const message = createLinkRequest({ kind: 'macvlan', name: 'vrrp.51', parent: 7, mac: MAC, group: 9 });
    const details = readLinkDetails(message);
    assert.deepEqual(
      [details?.name, details?.parent, details?.mac, details?.kind, details?.group],
      ['vrrp.51', 7, MAC, 'macvlan', 9],
    );
    assert.equal(readLinkDetails(deleteGroupRequest(1)), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(message.length - 1), fc.nat(255), (bytes, at, value) => {
        readLinkDetails(bytes);
        const broken = message.slice();
        broken[at] = value;
        readLinkDetails(broken);
        readLinkDetails(message.subarray(0, at));
      }),
    );
  });
});
