// Routes and rules in keepalived's dumps: what 2.2.7 wrote for these lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routingText } from '../../core/control/keepalived-routes.ts';
import { routingEntries } from '../config/routing-entries.ts';

const ROUTES: Readonly<Record<string, string>> = {
  '10.5.0.0/16 via 192.0.2.9 dev d0': 'prepend 10.5.0.0/16 via inet 192.0.2.9 dev d0 proto 18',
  'default via 192.0.2.9 dev d0 metric 10': 'prepend 0.0.0.0/0 via inet 192.0.2.9 dev d0 proto 18 metric 10',
  '10.1.2.0/24 dev d0 rtt 300ms rttvar 400 rto_min lock 500':
    'prepend 10.1.2.0/24 dev d0 proto 18 rtt 300ms rttvar 400ms rto_min lock 500ms',
  '10.1.5.0/24 dev d0 mtu lock 1400 protocol bird no_track':
    'prepend 10.1.5.0/24 dev d0 proto 12 mtu lock 1400 no_track',
  '2001:db8:5::/64 via 2001:db8::9 dev d0 expires 300':
    'prepend 2001:db8:5::/64 via inet6 2001:db8::9 dev d0 proto 18 expires 300sec no_track',
  '10.1.5.0/24 table 300 nexthop via 192.0.2.8 dev d0 weight 1 nexthop via 192.0.2.9 dev d0 onlink weight 2 no_track':
    'prepend 10.1.5.0/24 table 300 proto 18 nexthop via inet 192.0.2.8 dev d0 weight 1 nexthop via inet 192.0.2.9 dev d0 weight 2 onlink no_track',
  '10.1.3.0/24 via 192.0.2.8 or 192.0.2.9':
    'prepend 10.1.3.0/24 proto 18 nexthop via inet 192.0.2.8 nexthop via inet 192.0.2.9',
  '10.1.6.0/24 dev d0 table 6909 tos 0x04 scope link priority 12 mtu 1000 hoplimit 100 realms 5/6 ssthresh lock 107 features ecn src 192.0.2.1 append':
    'append 10.1.6.0/24 src 192.0.2.1 tos 4 dev d0 table 6909 proto 18 scope 253 metric 12 realms 5/6 features ecn mtu 1000 ssthresh lock 107 hoplimit 100',
};

const RULES: Readonly<Record<string, string>> = {
  'from 10.1.1.0/24 to 10.2.0.0/16 table 300 iif d0 tos 0x10 fwmark 5/7 preference 39 realms 3/4':
    'from 10.1.1.0/24 to 10.2.0.0/16 priority 39 tos 0x10 fwmark 0x5/0x7 iif d0 protocol 18 realms 3/4 lookup 300',
  'not from 10.9.0.0/16 table main suppress_prefixlength 0 priority 41':
    'not from 10.9.0.0/16 priority 41 tos 0x0 suppress_prefixlen 0 protocol 18 lookup 254',
  'from 10.1.0.0/24 goto 32766 priority 42': 'from 10.1.0.0/24 priority 42 tos 0x0 protocol 18 goto 32766',
  'from 10.1.2.0/24 blackhole priority 48': 'from 10.1.2.0/24 priority 48 tos 0x0 protocol 18 type blackhole',
  'fwmark 7 table 300 priority 47': 'from all priority 47 tos 0x0 fwmark 0x7 protocol 18 lookup 300',
};

for (const [block, lines] of [
  ['virtual_routes', ROUTES],
  ['virtual_rules', RULES],
] as const)
  for (const [line, text] of Object.entries(lines))
    test(`${block}: ${line}`, () => assert.equal(routingEntries(block, line).entries.map(routingText)[0], text));
