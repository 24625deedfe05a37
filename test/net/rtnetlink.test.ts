import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ip } from '../../core/net/address.ts';
import { buildMessage, host16, host32, readNetlinkHeader, setHost16, u32 } from '../../core/net/netlink.ts';
import {
  ADDRESS_PROTOCOL_VRRP,
  type AddressRequest,
  addAddressRequest,
  addressDumpRequest,
  decodeAddress,
  decodeLink,
  deleteAddressRequest,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  linkDumpRequest,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  setInterface,
  setLifetime,
} from '../../core/net/rtnetlink.ts';
import { ipv4, ipv6, spoiled, u8, unhex } from './arbitrary.ts';

// Messages as Linux 6.18 sent them on a little-endian machine.
const captured = { skip: new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? false : 'the captures are little-endian' };
const LABELLED =
  '580000001400020007000000f32200000218000003000000080001000a000001080002000a000001080004000a0000ff0900030065303a7800000000080008000000000014000600420000004d000000d2b60200d2b60200';
const PEER =
  '4c0000001400020007000000f32200000220800003000000080001000a090002080002000a0900010700030065300000080008008000000014000600ffffffffffffffffd2b60200d2b60200';
const LINK_LOCAL =
  '500000001400020007000000f32200000a40c0fd0200000014000100fe8000000000000024cfdafffee503e314000600ffffffffffffffffd2b60200d2b6020008000800c000000005000b0003000000';
const NO_PREFIX_ROUTE =
  '480000001400020007000000f32200000a4082000300000014000100fd00000000000000000000000000000514000600ffffffffffffffffd2b60200d2b602000800080082020000';

const decode = (hex: string) => {
  const message = decodeAddress(unhex(hex));
  assert.ok(typeof message !== 'string', String(message));
  assert.equal(message.type, 'address');
  return message.address;
};

test('an address with label, broadcast and lifetimes decodes', captured, () => {
  assert.deepEqual(decode(LABELLED), {
    index: 3,
    family: 4,
    address: '10.0.0.1',
    prefix: 24,
    scope: 0,
    flags: 0,
    label: 'e0:x',
    broadcast: '10.0.0.255',
    protocol: 0,
    validLifetime: 77,
    preferredLifetime: 66,
  });
});

test('a point-to-point address has its own end and its peer', captured, () => {
  const { address, peer, prefix, validLifetime, flags } = decode(PEER);
  assert.deepEqual(
    [address, peer, prefix, validLifetime, flags],
    ['10.9.0.1', '10.9.0.2', 32, 'forever', IFA_F_PERMANENT],
  );
});

test('an IPv6 address without IFA_LOCAL is in IFA_ADDRESS, and its protocol shows', captured, () => {
  const { family, address, peer, scope, protocol } = decode(LINK_LOCAL);
  assert.deepEqual([family, address, peer, scope, protocol], [6, 'fe80::24cf:daff:fee5:3e3', undefined, 253, 3]);
});

test('flags beyond eight bits come from IFA_FLAGS', captured, () => {
  assert.equal(decode(NO_PREFIX_ROUTE).flags, IFA_F_NOPREFIXROUTE | IFA_F_NODAD | IFA_F_PERMANENT);
});

const request: AddressRequest = {
  index: 7,
  address: ip('192.0.2.10'),
  prefix: 24,
  scope: 0,
  flags: IFA_F_NOPREFIXROUTE,
  label: 'eth0:vip',
  broadcast: ip('192.0.2.255'),
  protocol: ADDRESS_PROTOCOL_VRRP,
  validLifetime: 4,
  preferredLifetime: 4,
};

test('a request says what was asked for', () => {
  const lifetime = fc.oneof(fc.constant('forever' as const), fc.integer({ min: 0, max: 0xfffffffe }));
  const common = {
    index: fc.integer({ min: 1, max: 0x7fffffff }),
    scope: u8,
    flags: fc.integer({ min: 0, max: 0xfff }),
    protocol: u8,
    validLifetime: lifetime,
    preferredLifetime: lifetime,
  };
  const label = fc.string({ unit: fc.constantFrom(...'abcxyz019:.-'), maxLength: 15 });
  const of4 = { ...common, address: ipv4, prefix: fc.integer({ min: 0, max: 32 }), label, broadcast: ipv4, peer: ipv4 };
  const of6 = { ...common, address: ipv6, prefix: fc.integer({ min: 0, max: 128 }), peer: ipv6 };
  const requiredKeys = [
    'index',
    'scope',
    'flags',
    'protocol',
    'validLifetime',
    'preferredLifetime',
    'address',
    'prefix',
  ] as const;
  const requests = fc.oneof(
    fc.record(of4, { requiredKeys: [...requiredKeys], noNullPrototype: true }),
    fc.record(of6, { requiredKeys: [...requiredKeys], noNullPrototype: true }),
  ) as fc.Arbitrary<AddressRequest>;
  fc.assert(
    fc.property(requests, fc.constantFrom('replace' as const, 'exclusive' as const), (wanted, mode) => {
      const decoded = decodeAddress(addAddressRequest(wanted, mode));
      assert.ok(typeof decoded !== 'string', String(decoded));
      const { peer, ...rest } = wanted;
      const family = wanted.address.includes(':') ? 6 : 4;
      const pointToPoint = peer !== undefined && peer !== wanted.address;
      assert.deepEqual(decoded, { type: 'address', address: { ...rest, family, ...(pointToPoint && { peer }) } });

      const removed = decodeAddress(deleteAddressRequest(wanted));
      assert.ok(typeof removed !== 'string', String(removed));
      assert.equal(removed.type, 'address-gone');
      assert.deepEqual(
        [removed.address.index, removed.address.address, removed.address.prefix, removed.address.peer],
        [wanted.index, wanted.address, wanted.prefix, pointToPoint ? peer : undefined],
      );
      assert.equal(removed.address.label, undefined, 'a label would have to match');
    }),
  );
});

test('requests carry the flags of the kernel interface', () => {
  const flags = (message: Uint8Array) => [host16(message, 4), host16(message, 6)];
  // REQUEST 1, ACK 4, DUMP 300, REPLACE 100, EXCL 200, CREATE 400
  assert.deepEqual(flags(addAddressRequest(request, 'replace')), [RTM_NEWADDR, 0x505]);
  assert.deepEqual(flags(addAddressRequest(request, 'exclusive')), [RTM_NEWADDR, 0x605]);
  assert.deepEqual(flags(deleteAddressRequest(request)), [RTM_DELADDR, 0x005]);
  assert.deepEqual(flags(addressDumpRequest()), [RTM_GETADDR, 0x301]);
  assert.deepEqual(flags(linkDumpRequest()), [RTM_GETLINK, 0x301]);
  assert.deepEqual([addressDumpRequest()[16], addressDumpRequest(4)[16], addressDumpRequest(6)[16]], [0, 2, 10]);
});

test('interface and lifetime can be changed in place', () => {
  const message = addAddressRequest(request, 'replace');
  setInterface(message, 12);
  setLifetime(message, 'forever', 0);
  const decoded = decodeAddress(message);
  assert.ok(typeof decoded !== 'string');
  assert.deepEqual(decoded.address, {
    ...request,
    family: 4,
    index: 12,
    validLifetime: 'forever',
    preferredLifetime: 0,
  });
  const removal = deleteAddressRequest(request);
  setInterface(removal, 12);
  assert.deepEqual(removal, deleteAddressRequest({ ...request, index: 12 }));
});

test('a label of sixteen bytes is refused before the kernel sees it', () => {
  assert.throws(() => addAddressRequest({ ...request, label: 'eth0:abcdefghijk' }, 'replace'), RangeError);
  assert.throws(() => addAddressRequest({ ...request, label: 'eth0:äöüäöü' }, 'replace'), RangeError);
  assert.ok(addAddressRequest({ ...request, label: 'eth0:abcdefghij' }, 'replace'));
});

const fixedOf = (...bytes: readonly number[]) => Uint8Array.of(...bytes);
const IFA_ADDRESS = { type: 1, value: Uint8Array.of(10, 0, 0, 1) };
const address = (fixed: Uint8Array, attributes = [IFA_ADDRESS]) =>
  decodeAddress(buildMessage(RTM_NEWADDR, 0, fixed, attributes));

test('each fault of an address message has its name', () => {
  const good = fixedOf(2, 24, 0, 0, ...u32(3));
  assert.ok(typeof address(good) !== 'string');
  assert.equal(decodeAddress(new Uint8Array(15)), 'truncated');
  assert.equal(decodeAddress(new Uint8Array(16)), 'length');
  assert.equal(decodeAddress(buildMessage(RTM_NEWADDR, 0, fixedOf(2, 24), [])), 'truncated');
  assert.equal(decodeAddress(buildMessage(RTM_NEWLINK, 0, good, [IFA_ADDRESS])), 'type');
  assert.equal(address(fixedOf(7, 24, 0, 0, ...u32(3))), 'family');
  assert.equal(address(fixedOf(2, 33, 0, 0, ...u32(3))), 'prefix');
  assert.equal(address(fixedOf(10, 129, 0, 0, ...u32(3))), 'prefix');
  assert.equal(address(fixedOf(2, 24, 0, 0, ...u32(0))), 'value');
  assert.equal(address(good, []), 'missing');
  assert.equal(address(good, [{ type: 1, value: new Uint8Array(16) }]), 'attribute');
  assert.equal(address(good, [IFA_ADDRESS, { type: 8, value: new Uint8Array(1) }]), 'attribute');
  const broken = buildMessage(RTM_NEWADDR, 0, good, [IFA_ADDRESS]);
  setHost16(broken, 24, 2);
  assert.equal(decodeAddress(broken), 'attribute');
});

test('without IFA_FLAGS the eight bits of the header count', () => {
  const decoded = address(fixedOf(2, 24, IFA_F_SECONDARY, 0, ...u32(3)));
  assert.ok(typeof decoded !== 'string');
  assert.equal(decoded.address.flags, IFA_F_SECONDARY);
});

// struct ifinfomsg and attributes as Linux 6.18 sent them: e0, veth, up, with carrier
const UP = 0x11043;
const link = (
  options: {
    type?: number;
    family?: number;
    hardware?: number;
    index?: number;
    flags?: number;
    mac?: Uint8Array;
    name?: string;
  } = {},
) => {
  const fixed = new Uint8Array(16);
  fixed[0] = options.family ?? 0;
  setHost16(fixed, 2, options.hardware ?? 1);
  fixed.set(u32(options.index ?? 3), 4);
  fixed.set(u32(options.flags ?? UP), 8);
  return buildMessage(options.type ?? RTM_NEWLINK, 0, fixed, [
    { type: 3, value: new TextEncoder().encode(`${options.name ?? 'e0'}\0`) },
    { type: 4, value: u32(1500) },
    { type: 1, value: options.mac ?? unhex('02000000000a') },
  ]);
};

test('a link decodes', () => {
  assert.deepEqual(decodeLink(link()), {
    type: 'link',
    link: {
      index: 3,
      name: 'e0',
      mac: '02:00:00:00:00:0a',
      mtu: 1500,
      up: true,
      carrier: true,
      running: true,
      loopback: false,
    },
  });
});

test('a captured link message decodes', captured, () => {
  const start =
    'd40500001000020007000000f322000000000100030000004310010000000000070003006530000008000d00e803000005001000060000000500110000000000050043000000000008000400dc0500000a00010002000000000a0000';
  const bytes = unhex(start);
  bytes.set(u32(bytes.length), 0);
  assert.deepEqual(decodeLink(bytes), decodeLink(link()));
});

test('without IFF_RUNNING or IFF_UP a link cannot carry traffic', () => {
  const flags = (value: number) => {
    const decoded = decodeLink(link({ flags: value }));
    assert.ok(typeof decoded !== 'string' && decoded.type === 'link');
    const { up, carrier, running, loopback } = decoded.link;
    return { up, carrier, running, loopback };
  };
  // up, but the cable is out
  assert.deepEqual(flags(0x1003), { up: true, carrier: false, running: false, loopback: false });
  assert.deepEqual(flags(0x1002), { up: false, carrier: false, running: false, loopback: false });
  assert.deepEqual(flags(0x1042), { up: false, carrier: false, running: false, loopback: false });
  assert.deepEqual(flags(0x10049), { up: true, carrier: true, running: true, loopback: true });
});

test('what is not Ethernet has no MAC', () => {
  for (const decoded of [
    decodeLink(link({ hardware: 772, mac: new Uint8Array(6) })),
    decodeLink(link({ hardware: 65534, mac: new Uint8Array(0) })),
    decodeLink(link({ mac: new Uint8Array(20) })),
  ]) {
    assert.ok(typeof decoded !== 'string' && decoded.type === 'link');
    assert.equal(decoded.link.mac, undefined);
  }
});

test('a deleted link is gone', () => {
  assert.deepEqual(decodeLink(link({ type: RTM_DELLINK })), { type: 'link-gone', index: 3, name: 'e0' });
});

test('a port that leaves its bridge is not a deleted link', () => {
  assert.equal(decodeLink(link({ type: RTM_DELLINK, family: 7 })), 'family');
});

test('each fault of a link message has its name', () => {
  assert.equal(decodeLink(new Uint8Array(3)), 'truncated');
  assert.equal(decodeLink(buildMessage(RTM_NEWLINK, 0, new Uint8Array(8), [])), 'truncated');
  assert.equal(decodeLink(link({ type: RTM_NEWADDR })), 'type');
  assert.equal(decodeLink(link({ index: 0 })), 'value');
  assert.equal(decodeLink(link({ name: '' })), 'value');
  assert.equal(decodeLink(buildMessage(RTM_NEWLINK, 0, new Uint8Array(16), [])), 'missing');
  const broken = link();
  setHost16(broken, 32, 0xffff);
  assert.equal(decodeLink(broken), 'attribute');
});

test('spoiled messages decode to legal values or are refused', () => {
  const good = fc.constantFrom(link(), addAddressRequest(request, 'replace'), unhex(LABELLED), unhex(LINK_LOCAL));
  fc.assert(
    fc.property(
      good.chain((bytes) => spoiled(bytes)),
      (bytes) => {
        const asLink = decodeLink(bytes);
        if (typeof asLink !== 'string' && asLink.type === 'link') assert.ok(asLink.link.index >= 1 && asLink.link.name);
        const asAddress = decodeAddress(bytes);
        if (typeof asAddress === 'string') return;
        const { prefix, family, index } = asAddress.address;
        assert.ok(prefix <= (family === 4 ? 32 : 128) && index >= 1);
        assert.ok(host32(bytes, 0) <= bytes.length && typeof readNetlinkHeader(bytes) !== 'string');
      },
    ),
    { numRuns: 5_000 },
  );
});
