// Route and rule messages: exact bytes of a few, and what a notice says of what was asked for. The whole vocabulary is
// compared with iproute2 in test/providers/netlink/routes.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ip } from '../../core/net/address.ts';
import { setHost16 } from '../../core/net/netlink.ts';
import type { Route, Rule } from '../../core/net/route.ts';
import { addRouteRequest, decodeRoute, deleteRouteRequest, networkU64, RTM_DELROUTE } from '../../core/net/rtroute.ts';
import { addRuleRequest, decodeRule, deleteRuleRequest } from '../../core/net/rtrule.ts';

const ROUTE: Route = {
  family: 4,
  type: 'unicast',
  destination: ip('10.1.0.0'),
  prefix: 16,
  table: 254,
  protocol: 18,
  scope: 0,
  tos: 0,
  hops: [{ gateway: ip('192.0.2.9'), device: 'eth0', weight: 1, onlink: false }],
  metrics: [],
  mode: 'prepend',
};
const RULE: Rule = {
  family: 4,
  not: true,
  from: { address: ip('10.1.0.0'), prefix: 16 },
  tos: 16,
  preference: 300,
  protocol: 18,
  action: { type: 'table', table: 9 },
};
const indexOf = (device: string): number | undefined => (device === 'eth0' ? 3 : undefined);
const hex = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString('hex');
/** Host byte order: the vectors are those of a little-endian machine. */
const LITTLE = { skip: new Uint8Array(Uint16Array.of(1).buffer)[0] === 0 ? 'a big-endian machine' : false };

describe('routes', () => {
  test('a route through a gateway, byte for byte', LITTLE, () => {
    const expected = [
      '3c000000 1800 0504 00000000 00000000', // 60 bytes, RTM_NEWROUTE, CREATE | ACK | REQUEST
      '02 10 00 00 fe 12 00 01 00000000', // AF_INET, /16, table main, protocol 18, global, unicast
      '0800 0100 0a010000', // RTA_DST
      '0800 0f00 fe000000', // RTA_TABLE
      '0800 0400 03000000', // RTA_OIF
      '0800 0500 c0000209', // RTA_GATEWAY
    ];
    assert.equal(hex(addRouteRequest(ROUTE, indexOf)), expected.join('').replaceAll(' ', ''));
  });

  test('next hops, metrics with a lock and a table beyond one byte, byte for byte', LITTLE, () => {
    const route: Route = {
      ...ROUTE,
      table: 1000,
      hops: [
        { gateway: ip('fe80::9'), device: 'eth0', weight: 256, onlink: true },
        { device: 'eth0', weight: 1, onlink: false, realms: 0x50006 },
      ],
      metrics: [
        { metric: 'mtu', value: 1400, lock: true },
        { metric: 'congctl', value: 'reno', lock: false },
      ],
      mode: 'add',
    };
    const expected = [
      '80000000 1800 0506 00000000 00000000',
      '02 10 00 00 00 12 00 01 00000000', // the table is in RTA_TABLE
      '0800 0100 0a010000',
      '0800 0f00 e8030000',
      '3400 0900', // RTA_MULTIPATH
      '2000 04 ff 03000000 1600 1200 0a00 fe800000000000000000000000000009 0000', // onlink, weight 256, RTA_VIA
      '1000 00 00 03000000 0800 0b00 06000500', // RTA_FLOW
      '2000 0800', // RTA_METRICS
      '0800 0200 78050000', // RTAX_MTU
      '0900 1000 72656e6f00 000000', // RTAX_CC_ALGO
      '0800 0100 04000000', // RTAX_LOCK
    ];
    assert.equal(hex(addRouteRequest(route, indexOf)), expected.join('').replaceAll(' ', ''));
  });

  test('how it is placed among others is in the flags; a removal says none of it', () => {
    const flagsOf = (message: unknown) => hex((message as Uint8Array).subarray(6, 8));
    const adds = (['prepend', 'append', 'add'] as const).map((mode) => addRouteRequest({ ...ROUTE, mode }, indexOf));
    assert.deepEqual([...adds, deleteRouteRequest(ROUTE, indexOf)].map(flagsOf), ['0504', '050c', '0506', '0500']);
  });

  test('an interface that is not there is named', () => {
    const hops = [...ROUTE.hops, { device: 'eth9', weight: 1, onlink: false }];
    assert.deepEqual(addRouteRequest({ ...ROUTE, hops }, indexOf), { missing: 'eth9' });
  });

  for (const route of [
    ROUTE,
    { ...ROUTE, table: 4_000_000_000, metric: 7, tos: 16 },
    { ...ROUTE, family: 6, destination: ip('2001:db8::'), prefix: 32, metric: 1024, hops: [] } as const,
    { ...ROUTE, destination: ip('0.0.0.0'), prefix: 0 },
  ] satisfies Route[])
    test(`a notice of ${route.destination}/${route.prefix} in table ${route.table} says what was asked for`, () => {
      const message = addRouteRequest(route, indexOf) as Uint8Array;
      setHost16(message, 4, RTM_DELROUTE);
      const { family, destination, prefix, table, protocol, tos, metric = 0 } = route;
      assert.deepEqual(decodeRoute(message), {
        type: 'route-gone',
        route: { family, type: 1, destination, prefix, table, protocol, tos, metric },
      });
    });

  test('a message of another type, too short, of another family, with an impossible prefix is refused', () => {
    const message = () => addRouteRequest(ROUTE, indexOf) as Uint8Array;
    const with_ = (at: number, value: number) => {
      const bytes = message();
      bytes[at] = value;
      return bytes;
    };
    assert.equal(decodeRoute(addRuleRequest(RULE)), 'type');
    assert.equal(decodeRoute(message().subarray(0, 20)), 'truncated');
    assert.equal(decodeRoute(with_(16, 28)), 'family');
    assert.equal(decodeRoute(with_(17, 33)), 'prefix');
    assert.equal(decodeRoute(with_(28, 200)), 'attribute');
    assert.equal(decodeRoute(with_(28, 7)), 'attribute');
  });
});

describe('rules', () => {
  test('a rule, byte for byte', LITTLE, () => {
    const expected = [
      '34000000 2000 0506 00000000 00000000', // 52 bytes, RTM_NEWRULE, CREATE | EXCL | ACK | REQUEST
      '02 00 10 10 09 00 00 01 02000000', // AF_INET, from /16, tos, table 9, FR_ACT_TO_TBL, inverted
      '0800 0600 2c010000', // FRA_PRIORITY
      '0500 1500 12 000000', // FRA_PROTOCOL
      '0800 0200 0a010000', // FRA_SRC
    ];
    assert.equal(hex(addRuleRequest(RULE)), expected.join('').replaceAll(' ', ''));
  });

  test('a notice says preference, table and protocol', () => {
    const rule = { family: 4, preference: 300, protocol: 18, table: 9, action: 1 };
    assert.deepEqual(decodeRule(deleteRuleRequest(RULE)), { type: 'rule-gone', rule });
    assert.deepEqual(decodeRule(addRuleRequest({ ...RULE, action: { type: 'table', table: 70_000 } })), {
      type: 'rule',
      rule: { ...rule, table: 70_000 },
    });
    assert.equal(decodeRule(addRouteRequest(ROUTE, indexOf) as Uint8Array), 'type');
  });
});

test('64 bits go out in network order', () => {
  assert.equal(hex(networkU64('18446744073709551615')), 'ffffffffffffffff');
  assert.equal(hex(networkU64('258')), '0000000000000102');
});
