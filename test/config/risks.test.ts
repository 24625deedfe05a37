// Risks of files that are right line by line. The wording is in test/config/golden; here are the edges.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { load } from '../../core/config/load.ts';
import { outlineOf } from '../../core/config/outline.ts';
import { type HostInterface, reportRisks } from '../../core/config/risks.ts';
import { ip } from '../../core/net/address.ts';

function risks(text: string, interfaces?: readonly HostInterface[]): readonly string[] {
  const source = { file: 'f', text };
  const { configuration, diagnostics } = load(source, { hostName: 'h' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  const report = new Report();
  reportRisks(configuration, outlineOf(source, { hostName: 'h' }), interfaces, report);
  return report.sorted().map(({ code, place }) => {
    const marked = text.split('\n')[place.line - 1]!.slice(place.column - 1, place.column - 1 + place.length);
    return `${code} ${marked}`;
  });
}

const one = (body: string, vip = '10.0.0.1/24'): string =>
  `vrrp_instance V {\n interface e\n virtual_router_id 7\n priority 100\n virtual_ipaddress {\n ${vip}\n }\n${body}\n}\n`;
const script = (body: string): string => `vrrp_script s {\n script /bin/true\n${body}\n}\n`;
const tracked = 'track_script {\n s\n}';
const e = (...addresses: readonly (readonly [string, number])[]): readonly HostInterface[] => [
  { name: 'e', addresses: addresses.map(([address, prefix]) => ({ address: ip(address), prefix })) },
];

describe('risks', () => {
  for (const [what, text, expected] of [
    ['a plain instance has none', one(''), []],
    ['a script that nothing tracks', script('') + one(''), ['I080 s']],
    ['a script that a group tracks', `${script('')}${one('')}vrrp_sync_group G {\n group {\n V\n }\n${tracked}\n}`, []],
    ['interval times fall of half a minute is fine', script('interval 10\nfall 3') + one(tracked), []],
    ['more is late', script('interval 10\nfall 4') + one(tracked), ['I081 10']],
    ['fall alone may be it', script('fall 31') + one(tracked), ['I081 31']],
    ['nopreempt with weights', script('weight -5') + one(`nopreempt\n${tracked}`), ['W074 nopreempt']],
    ['nopreempt with a fault', script('') + one(`nopreempt\n${tracked}`), []],
    ['a second burst that is off', one('garp_master_delay 0'), ['I084 0']],
    ['no announcement at all', one('garp_master_repeat 0'), ['W073 0']],
    [
      'neither matters without addresses',
      one('garp_master_repeat 0').replace(/virtual_ip[^}]*\}/, 'no_virtual_ipaddress'),
      [],
    ],
    [
      'settings of global_defs are pointed at there',
      `${one('')}global_defs {\n vrrp_down_timer_adverts 1\n}`,
      ['I083 1'],
    ],
    ['a long interval', one('advert_int 10'), ['I082 10']],
    ['a usual one', one('advert_int 5'), []],
    ['BFD over one hop', `bfd_instance b {\n neighbor_ip 10.0.0.9\n}\n${one('')}`, []],
    [
      'BFD over several hops without their number',
      `bfd_instance b {\n neighbor_ip 10.1.0.9\n multihop\n}\n${one('')}`,
      ['W078 multihop'],
    ],
    [
      'BFD over several hops with their number',
      `bfd_instance b {\n neighbor_ip 10.1.0.9\n multihop\n max_hops 3\n}\n${one('')}`,
      [],
    ],
    [
      'BFD over one hop that believes in more',
      `bfd_instance b {\n neighbor_ip 10.0.0.9\n max_hops 2\n}\n${one('')}`,
      ['W078 2'],
    ],
    ['or in a low TTL', `bfd_instance b {\n neighbor_ip 10.0.0.9\n ttl 64\n}\n${one('')}`, ['W078 64']],
  ] as const)
    test(what, () => assert.deepEqual(risks(text), expected));

  for (const [what, text, interfaces, expected] of [
    ['the interface is not there', one(''), [], ['W070 e']],
    ['the interface of an address', one('', '10.0.0.1/24 dev x'), e(['10.0.0.5', 24]), ['W070 10.0.0.1/24']],
    ['a tracked interface', one('track_interface {\n x\n}'), e(['10.0.0.5', 24]), ['W070 x']],
    ['an address in the network', one(''), e(['10.0.0.5', 24]), []],
    ['the edges of a network', one('', '10.0.1.255/23'), e(['10.0.0.5', 23]), []],
    ['an address outside', one('', '10.0.2.0/23'), e(['10.0.0.5', 23]), ['W072 10.0.2.0/23']],
    ['one of several networks is enough', one(''), e(['192.0.2.1', 24], ['10.0.0.5', 8]), []],
    ['an interface without addresses says nothing', one(''), e(), []],
    ['the address itself, held now, is no network', one('', '10.0.2.1/24'), e(['10.0.2.1', 24]), []],
    ['a source of this machine', one('mcast_src_ip 10.0.0.5'), e(['10.0.0.5', 24]), []],
    ['a source of another', one('mcast_src_ip 10.0.0.6'), e(['10.0.0.5', 24]), ['W076 10.0.0.6']],
    ['a peer that is this machine', one('unicast_peer {\n 10.0.0.5\n}'), e(['10.0.0.5', 24]), ['W077 10.0.0.5']],
  ] as const)
    test(`on the host: ${what}`, () => assert.deepEqual(risks(text, interfaces), expected));
});
