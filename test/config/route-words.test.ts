// The words of routes and rules: what they mean, and what is said about those that mean nothing. What the kernel makes of
// them is tested beside iproute2 (test/providers/netlink/routes.test.ts).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KNOWN_NAMES, readNames, routeNames } from '../../core/config/route-names.ts';
import { routingEntries } from './routing-entries.ts';

/** A line, and what is said of it; the line is left out. */
const REFUSED_ROUTES: Readonly<Record<string, string>> = {
  '10.0.0.0/8 viaa 192.0.2.1': "1:12 W012 'viaa' is no option of a route; this route is left out (did you mean via?)",
  '10.0.0.0/8 via': '1:12 W012 via needs a value; this route is left out',
  '10.0.0.0/8 via 192.0.2.300': "1:16 W012 '192.0.2.300' is not an IP address; this route is left out",
  '10.0.0.0/8': '1:1 W012 the route leads nowhere; this route is left out (write via ADDRESS, dev INTERFACE or both)',
  'via 192.0.2.1': '1:1 W012 the route has no destination; this route is left out',
  '10.0.0.1/8 dev e0': '1:1 W011 10.0.0.1/8 has bits behind its length; this route is left out (write 10.0.0.0/8)',
  '2001:db8::1/64 dev e0':
    '1:1 W011 2001:db8::1/64 has bits behind its length; this route is left out (write 2001:db8::/64)',
  '10.0.0.0/33 dev e0': "1:1 W011 prefix length '33' is out of range 0..32; this route is left out",
  '10.0.0.0/8 10.1.0.0/16 dev e0': "1:12 W012 '10.1.0.0/16' is no option of a route; this route is left out",
  '10.0.0.0/8 to 10.1.0.0/16 dev e0':
    '1:15 W012 the route has a destination already, 10.0.0.0/8; this route is left out',
  '10.0.0.0/8 src 2001:db8::1 dev e0': '1:16 W012 2001:db8::1 is IPv6 in a route of IPv4; this route is left out',
  '2001:db8::/32 via 192.0.2.1': '1:15 W012 192.0.2.1 is IPv4 in a route of IPv6; this route is left out',
  '10.0.0.0/8 via inet6 192.0.2.1': '1:22 W012 192.0.2.1 is not an address of inet6; this route is left out',
  '10.0.0.0/8 dev e0 expires 9': '1:19 W012 expires is for IPv6 only; this route is left out',
  '10.0.0.0/8 dev e0 pref high': '1:19 W012 pref is for IPv6 only; this route is left out',
  '2001:db8::/32 dev e0 pref best': "1:27 W012 pref 'best' is not one of low, medium, high; this route is left out",
  '10.0.0.0/8 dev e0 table blue':
    "1:25 W012 table 'blue' is not in rt_tables; this route is left out (write its number)",
  '10.0.0.0/8 dev e0 table mian':
    "1:25 W012 table 'mian' is not in rt_tables; this route is left out (did you mean main?)",
  '10.0.0.0/8 dev e0 table 0': '1:25 W011 table 0 is out of range 1..4294967295; this route is left out',
  '10.0.0.0/8 dev e0 metric -1': "1:26 W012 metric '-1' is not a whole number; this route is left out",
  '10.0.0.0/8 dev e0 metric 4294967296':
    '1:26 W011 metric 4294967296 is out of range 0..4294967295; this route is left out',
  '10.0.0.0/8 dev e0 tos 10':
    '1:23 W011 tos 10 is not a multiple of 4; this route is left out (iproute2 takes this number as hexadecimal: write 0x10)',
  '10.0.0.0/8 dev e0 mtu lock': '1:19 W012 mtu needs a value; this route is left out',
  '10.0.0.0/8 dev e0 mtu 70000': '1:23 W011 mtu 70000 is out of range 0..65535; this route is left out',
  '10.0.0.0/8 dev e0 rtt soon': "1:23 W012 rtt 'soon' is not a time in milliseconds; this route is left out",
  '10.0.0.0/8 dev e0 quickack on': "1:28 W012 quickack 'on' is not a whole number; this route is left out",
  '10.0.0.0/8 dev e0 features sack': "1:28 W012 feature 'sack' is not ecn; this route is left out",
  '10.0.0.0/8 dev e0 weight 5': '1:19 W012 weight belongs to a nexthop; this route is left out',
  '10.0.0.0/8 nexthop dev e0 weight 257': '1:34 W011 weight 257 is out of range 1..256; this route is left out',
  '10.0.0.0/8 nexthop weight 5': '1:12 W012 nexthop needs via ADDRESS or dev INTERFACE; this route is left out',
  '10.0.0.0/8 via 192.0.2.1 via 192.0.2.2':
    '1:26 W012 there is a gateway already, 192.0.2.1; this route is left out (write nexthop for each)',
  '10.0.0.0/8 or 192.0.2.2': '1:12 W012 or stands behind via ADDRESS; this route is left out',
  'blackhole 10.0.0.0/8 dev e0':
    '1:22 W012 a blackhole route leads nowhere, so dev has no meaning; this route is left out',
  'nat 10.0.0.0/8 via 192.0.2.1': '1:1 W012 the kernel has no route of type nat any more; this route is left out',
  '10.0.0.0/8 dev e0 as 300': '1:19 W012 as changes MPLS labels, and the route has none; this route is left out',
  '10.0.0.0/8 dev e0 vrf blue': '1:19 W012 vrf is not known here; this route is left out (write the table of the VRF)',
  '10.0.0.0/8 dev e0 encap seg6 x': "1:25 W012 encap 'seg6' is not one of mpls, ip, ip6, ila; this route is left out",
  '10.0.0.0/8 dev e0 encap mpls 1048576': '1:30 W011 label 1048576 is out of range 0..1048575; this route is left out',
  '10.0.0.0/8 dev e0 encap ip dst 2001:db8::1':
    "1:32 W012 '2001:db8::1' is not an IPv4 address; this route is left out",
  '10.0.0.0/8 dev e0 encap ila 1:2': "1:29 W012 '1:2' is not a locator; this route is left out",
  '10.0.0.0/8 dev an-interface-name-too-long':
    "1:16 W011 interface name 'an-interface-name-too-long' is longer than 15 bytes; this route is left out",
};

const REFUSED_RULES: Readonly<Record<string, string>> = {
  'form 10.0.0.0/8 table 5 priority 9':
    "1:1 W012 'form' is no option of a rule; this rule is left out (did you mean from?)",
  'from 10.0.0.0/8 table 5 lookup 6 priority 9': '1:25 W012 the rule says what to do already; this rule is left out',
  'from 10.0.0.0/8 to 2001:db8::/32 table 5 priority 9':
    '1:20 W012 2001:db8::/32 is IPv6 in a rule of IPv4; this rule is left out',
  'from 10.0.0.0/8 goto 5 priority 9': '1:24 W011 goto 5 leads backwards from 9; this rule is left out',
  'fwmark 1/2/3 table 5 priority 9': "1:8 W012 fwmark '1/2/3' is not MARK[/MASK]; this rule is left out",
  'dport 20-10 table 5 priority 9': '1:7 W011 dport 20-10 ends before it begins; this rule is left out',
  'dport 70000 table 5 priority 9': '1:7 W011 dport 70000 is out of range 0..65535; this rule is left out',
  'ipproto smoke table 5 priority 9':
    "1:9 W012 ipproto 'smoke' is not in protocols; this rule is left out (write its number)",
  'nop suppress_prefixlength 3 priority 9': '1:1 W012 suppress_… needs a table; this rule is left out',
  'tun_id 99999999999999999999 table 5 priority 9':
    "1:8 W012 tun_id '99999999999999999999' is not a number of 64 bits; this rule is left out",
  'type drop priority 9': "1:6 W012 'drop' is no type of rule; this rule is left out",
};

for (const [block, lines] of [
  ['virtual_routes', REFUSED_ROUTES],
  ['virtual_rules', REFUSED_RULES],
] as const)
  describe(`${block}: a line that cannot be meant is left out, and why`, () => {
    for (const [line, finding] of Object.entries(lines))
      test(line, () => assert.deepEqual(routingEntries(block, line), { entries: [], findings: [finding] }));
  });

describe('lines that count, with a word about them', () => {
  test('times below what TCP allows are raised, as keepalived does', () => {
    const { entries, findings } = routingEntries('virtual_routes', '10.0.0.0/8 dev e0 rtt 100');
    assert.deepEqual(findings, ['1:23 W040 rtt 100 is less than 200 ms; 200 is used']);
    const [entry] = entries;
    assert.ok(entry && 'route' in entry);
    assert.deepEqual(entry.route.metrics, [{ metric: 'rtt', value: 1600, lock: false }]);
  });

  test('what is watched has our protocol; with no_track it keeps its own', () => {
    const lines =
      '10.0.0.0/8 dev e0 protocol bird\n10.0.0.0/8 dev e0 protocol bird no_track\n10.0.0.0/8 dev e0 no_track';
    const { entries, findings } = routingEntries('virtual_routes', lines);
    assert.deepEqual(
      entries.map((entry) => ('route' in entry ? [entry.route.protocol, entry.track] : [])),
      [
        [18, true],
        [12, false],
        [18, false],
      ],
    );
    assert.deepEqual(findings, [
      '1:19 W040 a route that is watched has protocol keepalived (18) (write no_track to keep another protocol)',
    ]);
  });

  test('what the kernel reports of routes is ignored', () => {
    const { entries, findings } = routingEntries('virtual_routes', '10.0.0.0/8 dev e0 linkdown');
    assert.equal(entries.length, 1);
    assert.deepEqual(findings, ['1:19 W013 linkdown is what the kernel says of a route; it is ignored']);
  });

  test('rules without a priority count down from 16384, each family for itself', () => {
    const lines = 'from 10.0.0.0/8 table 5\nfrom 10.1.0.0/16 table 5\nfrom 2001:db8::/32 table 5';
    const { entries, findings } = routingEntries('virtual_rules', lines);
    assert.deepEqual(
      entries.map((entry) => 'rule' in entry && entry.rule.preference),
      [16_384, 16_383, 16_384],
    );
    assert.deepEqual(
      findings.map((finding) => finding.split(' (')[0]),
      [
        '1:1 W040 the rule has no priority; 16384 is used',
        '2:1 W040 the rule has no priority; 16383 is used',
        '3:1 W040 the rule has no priority; 16384 is used',
      ],
    );
  });

  test('a route with an end is not put back when it comes', () => {
    const { entries } = routingEntries('virtual_routes', '2001:db8::/32 dev e0 expires 60');
    assert.equal(entries[0]?.track, false);
  });

  test('the family of a bare default is that of its gateway, then IPv4', () => {
    const lines = 'default dev e0\ndefault via 2001:db8::1\ndefault inet6 dev e0\n10.0.0.0/8 via fe80::1 dev e0';
    const { entries } = routingEntries('virtual_routes', lines);
    assert.deepEqual(
      entries.map((entry) => 'route' in entry && entry.route.family),
      [4, 6, 6, 4],
    );
  });
});

describe('names of iproute2', () => {
  test('lines of number and name count, comments and nonsense do not, the first one wins', () => {
    const text = '#\n# reserved values\n10\tblue\n0x20 green # a table\n11 blue\nx y\n99999999999 big\n7\n';
    assert.deepEqual(
      [...readNames(text)],
      [
        ['blue', 10],
        ['green', 32],
      ],
    );
  });

  test('names of the machine are known in lines; what everybody knows stays known', () => {
    const names = routeNames((file) => (file === 'rt_tables' ? ['100 blue\n', '101 blue\n200 red\n'] : []));
    assert.equal(names.tables.get('blue'), 100);
    assert.equal(names.tables.get('main'), KNOWN_NAMES.tables.get('main'));
    const { entries } = routingEntries('virtual_routes', '10.0.0.0/8 dev e0 table blue', names);
    assert.equal(entries[0] && 'route' in entries[0] && entries[0].route.table, 100);
  });
});
