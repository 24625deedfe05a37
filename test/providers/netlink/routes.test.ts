// Routes and rules against iproute2: the same words through `ip` in one namespace and through ours in another, and the kernel
// must say the same of both. Where the kernel refuses, it must refuse both.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { load } from '../../../core/config/load.ts';
import type { RouteSocket } from '../../../core/ports/engine-io.ts';
import { loadNative } from '../../../core/system/native/index.ts';
import { LinuxNetwork } from '../../../core/system/network.ts';
import type { RoutingEntry } from '../../../core/vip/virtual-route.ts';
import { NetlinkRoutes } from '../../../providers/netlink/routes.ts';
import { needs } from '../../support/needs.ts';
import { indexOf, ip, within } from '../../system/namespaces.ts';

/** The entries of a file that has these lines. */
function entriesOf(kind: 'virtual_routes' | 'virtual_rules', ...lines: readonly string[]): readonly RoutingEntry[] {
  const { configuration, diagnostics } = load(
    {
      file: 'k.conf',
      text: `vrrp_instance V {
 interface e0
 virtual_router_id 7
 priority 9
 no_virtual_ipaddress
 ${kind} {
${lines.join('\n')}
 }
}
`,
    },
    { hostName: 'h' },
  );
  const [instance] = configuration?.instances ?? [];
  const entries = [...(instance?.routes ?? []), ...(instance?.rules ?? [])];
  assert.equal(entries.length, lines.length, JSON.stringify(diagnostics));
  return entries;
}

/** A line of ours, and what `ip` wants instead of it where the two differ. */
type Pair = readonly [ours: string, theirs?: string];

const ROUTES: readonly Pair[] = [
  ['10.1.0.0/24 via 192.0.2.9'],
  ['10.1.0.0/24 via 192.0.2.9 dev e0'],
  ['to 10.1.0.1 gw 192.0.2.9', '10.1.0.1 via 192.0.2.9'],
  ['default via 192.0.2.9 metric 7'],
  ['0.0.0.0/0 via 192.0.2.9 table 100'],
  ['10.1.0.0/24 dev e0', '10.1.0.0/24 dev e0 scope global'],
  ['10.1.0.0/24 oif e0 scope link', '10.1.0.0/24 dev e0 scope link'],
  ['10.1.0.0/24 dev e0 scope site'],
  ['10.1.0.0/24 dev e0 scope 99'],
  ['src 192.0.2.1 to 10.1.0.0/24 via 192.0.2.9 dev e0'],
  ['10.1.0.0/24 via 192.0.2.9 table 4000000000'],
  ['10.1.0.0/24 via 192.0.2.9 table main', '10.1.0.0/24 via 192.0.2.9'],
  ['10.1.0.0/24 via 192.0.2.9 preference 12', '10.1.0.0/24 via 192.0.2.9 metric 12'],
  ['10.1.0.0/24 via 192.0.2.9 priority 13', '10.1.0.0/24 via 192.0.2.9 metric 13'],
  ['10.1.0.0/24 via 192.0.2.9 tos 0x10'],
  ['10.1.0.0/24 via 192.0.2.9 dsfield 16', '10.1.0.0/24 via 192.0.2.9 tos 0x10'],
  ['10.1.0.0/24 via 203.0.113.1 dev e0 onlink'],
  ['10.1.0.0/24 via inet6 fe80::9 dev e0'],
  ['10.1.0.0/24 via fe80::9 dev e0', '10.1.0.0/24 via inet6 fe80::9 dev e0'],
  ['10.1.0.0/24 via 192.0.2.9 realms 5', '10.1.0.0/24 via 192.0.2.9 realm 5'],
  ['10.1.0.0/24 via 192.0.2.9 realms 5/6', '10.1.0.0/24 via 192.0.2.9 realms 5/6'],
  ['10.1.0.0/24 via 192.0.2.8 or 192.0.2.9', '10.1.0.0/24 nexthop via 192.0.2.8 nexthop via 192.0.2.9'],
  ['10.1.0.0/24 nexthop via 192.0.2.8 weight 3 nexthop via 192.0.2.9 dev e0 weight 256'],
  ['10.1.0.0/24 nexthop via 203.0.113.1 dev e0 onlink nexthop dev e0'],
  ['10.1.0.0/24 nexthop via inet6 fe80::8 dev e0 nexthop via 192.0.2.9 realms 3/4'],
  ['10.1.0.0/24 nexthop via 192.0.2.9 weight 1', '10.1.0.0/24 via 192.0.2.9'],
  ['blackhole 10.1.0.0/24'],
  ['unreachable 10.1.0.0/24 metric 5'],
  ['prohibit 10.1.0.0/24 table 20'],
  ['throw 10.1.0.0/24 table 20'],
  ['unicast 10.1.0.0/24 via 192.0.2.9'],
  ['local 10.1.0.1 dev lo'],
  ['broadcast 10.1.0.255 dev e0'],
  ['multicast 232.0.0.0/8 dev e0', 'multicast 232.0.0.0/8 dev e0 scope link'],
  ['10.1.0.0/24 via 192.0.2.9 mtu 1400'],
  ['10.1.0.0/24 via 192.0.2.9 mtu lock 1400 advmss 1300 window 65000'],
  ['10.1.0.0/24 via 192.0.2.9 rtt 300 rttvar lock 1s', '10.1.0.0/24 via 192.0.2.9 rtt 300ms rttvar lock 1000ms'],
  ['10.1.0.0/24 via 192.0.2.9 rto_min 400', '10.1.0.0/24 via 192.0.2.9 rto_min 400ms'],
  ['10.1.0.0/24 via 192.0.2.9 reordering 4 cwnd lock 20 initcwnd 12 initrwnd 14 ssthresh 99'],
  ['10.1.0.0/24 via 192.0.2.9 hoplimit 60 quickack 1 features ecn fastopen_no_cookie 1'],
  ['10.1.0.0/24 via 192.0.2.9 congctl reno'],
  ['10.1.0.0/24 via 192.0.2.9 congctl lock reno'],
  [
    '10.1.0.0/24 dev e0 encap ip id 10 dst 192.0.2.7 ttl 9',
    '10.1.0.0/24 dev e0 scope global encap ip id 10 dst 192.0.2.7 ttl 9',
  ],
  [
    '10.1.0.0/24 dev e0 encap ip6 id 10 src 2001:db8::1 dst 2001:db8::7 hoplimit 9 tc 8',
    '10.1.0.0/24 dev e0 scope global encap ip6 id 10 src 2001:db8::1 dst 2001:db8::7 hoplimit 9 tc 8',
  ],
  ['10.1.0.0/24 encap mpls 100/200 ttl 3 via 192.0.2.9', '10.1.0.0/24 encap mpls 100/200 ttl 3 via 192.0.2.9'],
  ['10.1.0.0/24 encap ila 1:2:3:4 via 192.0.2.9 dev e0', '10.1.0.0/24 encap ila 1:2:3:4 via 192.0.2.9 dev e0'],
  ['10.1.0.0/24 via 192.0.2.9 ttl-propagate disabled'],
  ['10.1.0.0/24 nhid 77'],
  ['10.1.0.0/24 via 198.51.100.1'],
  ['10.1.0.0/24 dev e0 congctl nosuch'],
  ['2001:db8:1::/64 via 2001:db8::9'],
  ['2001:db8:1::/64 via fe80::9 dev e0 metric 5 pref high'],
  ['2001:db8:1::/64 via 2001:db8::9 pref low mtu 1300 table 300'],
  ['2001:db8:1::/64 dev e0 src 2001:db8::1'],
  ['2001:db8:1::/64 from 2001:db8:2::/64 via 2001:db8::9'],
  ['default via 2001:db8::9 table 300', 'default via 2001:db8::9 table 300'],
  ['default inet6 dev e0 table 300', 'default dev e0 table 300'],
  ['2001:db8:1::/64 nexthop via 2001:db8::8 weight 2 nexthop via fe80::9 dev e0'],
  ['blackhole 2001:db8:1::/64'],
  ['unreachable 2001:db8:1::1 metric 3'],
  ['prohibit 2001:db8:1::1'],
  ['throw 2001:db8:1::/64 table 300'],
  ['local 2001:db8:1::1 dev lo'],
  ['anycast 2001:db8:1::1 dev e0'],
  ['2001:db8:1::/64 dev e0 encap ip6 dst 2001:db8::7'],
];

const RULES: readonly Pair[] = [
  ['from 10.1.0.0/24 table 300 priority 100'],
  ['to 10.1.0.0/24 lookup 300 preference 100'],
  ['from all to 10.1.0.0/24 iif e0 oif e0 tos 0x10 fwmark 5/7 table 9 pref 100'],
  ['from 10.1.0.1 fwmark 0x10 table local order 100', 'from 10.1.0.1 fwmark 0x10 table local pref 100'],
  ['not from 10.1.0.0/24 table main suppress_prefixlength 0 priority 100'],
  [
    'from 10.1.0.0/24 table main sup_group 3 priority 100',
    'from 10.1.0.0/24 table main suppress_ifgroup 3 priority 100',
  ],
  ['from 10.1.0.0/24 goto 32766 priority 100'],
  ['from 10.1.0.0/24 nop priority 100'],
  ['from 10.1.0.0/24 blackhole priority 100'],
  ['type unreachable from 10.1.0.0/24 priority 100', 'from 10.1.0.0/24 unreachable priority 100'],
  ['prohibit from 10.1.0.0/24 priority 100', 'from 10.1.0.0/24 prohibit priority 100'],
  ['l3mdev priority 100'],
  ['ip_proto UDP sport 10-20 dport 53 table 9 priority 100', 'ipproto udp sport 10-20 dport 53 table 9 priority 100'],
  ['ipproto 132 dport 53-54 table 9 priority 100', 'ipproto sctp dport 53-54 table 9 priority 100'],
  ['uidrange 5-6 table 9 priority 100'],
  ['from 10.1.0.0/24 realms 3/4 table 9 priority 100'],
  ['tun_id 99 table 9 priority 100'],
  ['from 10.1.0.0/24 table 70000 priority 4294967295'],
  ['from 2001:db8::/32 to 2001:db8:1::/64 table 300 priority 100'],
  ['inet6 fwmark 3 table 300 priority 100', 'fwmark 3 table 300 priority 100'],
  ['from 2001:db8::/32 suppress_prefixlength 64 table main priority 100'],
  ['from 2001:db8::/32 prohibit priority 100'],
];

/** Lines that this kind of kernel may lack the means for; everything else must be set. */
const OPTIONAL = /mpls|ila|nhid|198\.51|nosuch|2001:db8:2::|encap ip6/;

describe('what the kernel says of our routes and rules', needs('root', 'ip'), () => {
  const ours = `vk-${process.pid}-routes-a`;
  const theirs = `vk-${process.pid}-routes-b`;
  let socket: RouteSocket;
  let provider: NetlinkRoutes;
  before(() => {
    for (const namespace of [ours, theirs]) {
      ip('netns', 'add', namespace);
      const run = (line: string) => ip('-n', namespace, ...line.split(' '));
      run('link set lo up');
      run('link add e0 type veth peer name e1');
      for (const device of ['e0', 'e1']) run(`link set ${device} up addrgenmode none`);
      run('address add 192.0.2.1/24 dev e0');
      run('address add 2001:db8::1/64 dev e0 nodad');
      run('address add fe80::1/64 dev e0 nodad');
    }
    socket = within(ours, () => new LinuxNetwork(loadNative()).routeSocket());
    const e0 = indexOf(ours, 'e0');
    const index: Readonly<Record<string, number>> = { e0, lo: 1 };
    provider = new NetlinkRoutes({
      route: socket,
      links: (name) => (index[name] === undefined ? undefined : { index: index[name] }),
    });
  });
  after(() => {
    socket?.close();
    for (const namespace of [ours, theirs]) ip('netns', 'delete', namespace);
  });

  const isSix = (entry: RoutingEntry) => ('route' in entry ? entry.route : entry.rule).family === 6;
  const show = (namespace: string, kind: 'route' | 'rule', six: boolean) => {
    const what = kind === 'route' ? ['route', 'show', 'table', 'all'] : ['rule'];
    const text = ip('-n', namespace, '-d', '-j', six ? '-6' : '-4', ...what);
    const all = JSON.parse(text === '' ? '[]' : text) as Record<string, unknown>[];
    return all.filter(({ protocol }) => protocol === 'keepalived');
  };
  const add = (kind: 'route' | 'rule', six: boolean, line: string): string | undefined => {
    try {
      const words = line.replace(/ nexthop|$/, ' protocol keepalived$&').split(' ');
      ip('-n', theirs, six ? '-6' : '-4', kind, 'add', ...words);
      return undefined;
    } catch (error) {
      return String((error as { stderr?: unknown }).stderr ?? error);
    }
  };

  for (const [kind, block, pairs] of [
    ['route', 'virtual_routes', ROUTES],
    ['rule', 'virtual_rules', RULES],
  ] as const)
    for (const [line, other = line] of pairs)
      test(`${kind} ${line}`, () => {
        const [entry] = entriesOf(block, line);
        assert.ok(entry);
        const six = isSix(entry);
        const refused = add(kind, six, other);
        const [outcome] = provider.set([entry]);
        try {
          if (refused === undefined) assert.equal(outcome?.outcome, 'set', JSON.stringify(outcome));
          else {
            assert.match(line, OPTIONAL, refused);
            assert.equal(outcome?.outcome, 'failed', refused);
          }
          assert.deepEqual(show(ours, kind, six), show(theirs, kind, six));
          assert.equal(show(ours, kind, six).length, refused === undefined ? 1 : 0);
          if (refused === undefined) {
            assert.equal(provider.set([entry])[0]?.outcome, 'present');
            assert.equal(provider.remove([entry])[0]?.outcome, 'removed');
          }
          assert.deepEqual(show(ours, kind, six), []);
          assert.notEqual(provider.remove([entry])[0]?.outcome, 'removed');
        } finally {
          provider.remove([entry]);
          if (refused === undefined) ip('-n', theirs, six ? '-6' : '-4', kind, 'del', ...other.split(' '));
        }
      });

  test('an IPv6 route with an end has that end', () => {
    const [entry] = entriesOf('virtual_routes', '2001:db8:1::/64 via 2001:db8::9 expires 300');
    provider.set([entry!]);
    const [shown] = show(ours, 'route', true);
    assert.ok(Number(shown?.['expires']) > 200 && Number(shown?.['expires']) <= 300);
    assert.equal(provider.remove([entry!])[0]?.outcome, 'removed');
  });

  test('prepended goes before, appended behind, added nowhere when there is one', () => {
    const all = entriesOf(
      'virtual_routes',
      '10.1.0.0/24 via 192.0.2.9',
      '10.1.0.0/24 via 192.0.2.8',
      '10.1.0.0/24 via 192.0.2.7 append',
      '10.1.0.0/24 via 192.0.2.6 add',
    );
    assert.deepEqual(
      provider.set(all).map(({ outcome }) => outcome),
      ['set', 'set', 'set', 'present'],
    );
    assert.deepEqual(
      show(ours, 'route', false).map(({ gateway }) => gateway),
      ['192.0.2.8', '192.0.2.9', '192.0.2.7'],
    );
    assert.deepEqual(
      provider.remove(all).map(({ outcome }) => outcome),
      ['removed', 'removed', 'removed', 'absent'],
    );
  });

  test('an IPv6 route that lost a next hop gets it back, with its weight', () => {
    const line = '2001:db8:1::/64 nexthop via 2001:db8::8 weight 2 nexthop via fe80::9 dev e0 weight 3';
    const [entry] = entriesOf('virtual_routes', line);
    provider.set([entry!]);
    const whole = show(ours, 'route', true);
    for (const gateway of ['2001:db8::8', 'fe80::9']) {
      ip('-n', ours, '-6', 'route', 'del', '2001:db8:1::/64', 'via', gateway, 'dev', 'e0');
      assert.notDeepEqual(show(ours, 'route', true), whole);
      assert.equal(provider.set([entry!])[0]?.outcome, 'set');
      const byHop = (routes: readonly Record<string, unknown>[]) =>
        routes.map(({ nexthops }) =>
          JSON.stringify((nexthops as unknown[]).map((hop) => JSON.stringify(hop)).toSorted()),
        );
      assert.deepEqual(byHop(show(ours, 'route', true)), byHop(whole));
    }
    assert.equal(provider.set([entry!])[0]?.outcome, 'present');
    assert.equal(provider.remove([entry!])[0]?.outcome, 'removed');
    assert.deepEqual(show(ours, 'route', true), []);
  });

  test('what somebody else has set is not removed', () => {
    ip('-n', ours, 'route', 'add', '10.1.0.0/24', 'via', '192.0.2.9', 'protocol', 'static');
    const entries = entriesOf('virtual_routes', '10.1.0.0/24 via 192.0.2.9');
    assert.equal(provider.remove(entries)[0]?.outcome, 'absent');
    ip('-n', ours, 'route', 'del', '10.1.0.0/24');
  });

  test('a hundred of them are one system call to send, and an interface that is missing costs its own line alone', () => {
    const lines = Array.from({ length: 60 }, (_, i) => `10.2.${i}.0/24 via 192.0.2.9`);
    const all = entriesOf('virtual_routes', ...lines, '10.3.0.0/24 dev nosuch');
    let batches = 0;
    const counting = new NetlinkRoutes({
      route: {
        ...socket,
        request: (messages) => {
          batches++;
          return socket.request(messages);
        },
      },
      links: (name) => (name === 'e0' ? { index: indexOf(ours, 'e0') } : undefined),
    });
    const outcomes = counting.set(all);
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'set').length, 60);
    const [missing] = outcomes.filter(({ outcome }) => outcome === 'failed');
    assert.match(JSON.stringify(missing), /there is no interface nosuch/);
    counting.remove(all);
    assert.equal(batches, 2);
    assert.deepEqual(show(ours, 'route', false), []);
  });
});
