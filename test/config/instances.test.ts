// The parts of an instance or group that are kept for what comes next: defaults, late binding, names resolved.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from '../../core/config/load.ts';
import type { Configuration, InstanceConfig } from '../../core/config/model.ts';
import { ip } from '../../core/net/address.ts';
import { seconds } from '../../core/units.ts';

/** What a route is when nothing else is said. */
const ROUTE = {
  family: 4,
  type: 'unicast',
  prefix: 24,
  table: 254,
  protocol: 18,
  scope: 0,
  tos: 0,
  metrics: [],
  mode: 'prepend',
} as const;

const HEX_KEY = `hex:${'0f'.repeat(32)}`;
const TEXT_KEY = 'correct.horse.battery.staple.and.more';
const VIP = 'virtual_ipaddress {\n 10.0.0.99/24\n }';
const file = (body: string, after = ''): string =>
  `vrrp_instance V {\n interface eth0\n virtual_router_id 7\n priority 100\n ${VIP}\n ${body}\n}\n${after}`;

function read(text: string): { readonly codes: readonly string[]; readonly configuration: Configuration } {
  const { configuration, diagnostics } = load({ file: 'f', text }, { hostName: 'h' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return { codes: diagnostics.map(({ code }) => code).filter((code) => !/^(I|W03)/.test(code)), configuration };
}
const instance = (body: string, after = ''): InstanceConfig => read(file(body, after)).configuration.instances[0]!;

/** Each line of an instance, what follows the instance, and what they make of it. */
const CASES: readonly (readonly [line: string, after: string, expected: Partial<InstanceConfig>])[] = [
  ['track_src_ip', '', { trackSource: true }],
  ['strict_mode', '', { strict: true, accept: false }],
  ['strict_mode\n accept', '', { strict: true, accept: true }],
  ['no_accept', '', { accept: false }],
  ['', 'global_defs {\n vrrp_strict\n}', { strict: true, accept: false }],
  ['strict_mode off', 'global_defs {\n vrrp_strict\n}', { strict: false, accept: true }],
  ['v3_checksum_as_v2', '', { checksumWithoutPseudoHeader: true }],
  ['', 'global_defs {\n v3_checksum_as_v2\n}', { checksumWithoutPseudoHeader: true }],
  ['v3_checksum_as_v2 off', 'global_defs {\n v3_checksum_as_v2\n}', { checksumWithoutPseudoHeader: false }],
  ['old_unicast_checksum', '', { oldUnicastChecksum: 'always' }],
  ['old_unicast_checksum never', '', { oldUnicastChecksum: 'never' }],
  ['owner_ignore_adverts', '', { ownerIgnoresAdverts: true }],
  ['', 'global_defs {\n vrrp_owner_ignore_adverts\n}', { ownerIgnoresAdverts: true }],
  ['timer_expired_backup', '', { backupAfterStall: { priority: undefined } }],
  ['timer_expired_backup 150', '', { backupAfterStall: { priority: 150 } }],
  ['unicast_fault_no_peer', '', { faultWithoutPeers: true }],
  ['promote_secondaries', '', { promoteSecondaries: true }],
  ['vrf blue', '', { vrf: 'blue' }],
  ['kernel_rx_buf_size 65536', '', { receiveBuffer: 65_536 }],
  ['garp_extra_if all 60', '', { announceElsewhere: { everywhere: true, interval: seconds(60) } }],
  ['', 'global_defs {\n vrrp_garp_extra_if 30\n}', { announceElsewhere: { everywhere: false, interval: seconds(30) } }],
  ['debug 2', '', { debug: 2 }],
  [
    'use_vmac vrrp.7 00:00:5E:00:01:07\n use_vmac_addr\n vmac_xmit_base',
    '',
    {
      virtualInterface: {
        kind: 'macvlan',
        name: 'vrrp.7',
        mac: '00:00:5e:00:01:07',
        group: undefined,
        forAddresses: true,
        sendBelow: true,
      },
    },
  ],
  [
    'use_vmac name v7 netlink_notify_msg group 3',
    '',
    {
      virtualInterface: {
        kind: 'macvlan',
        name: 'v7',
        mac: '00:00:5e:00:01:07',
        group: 3,
        forAddresses: false,
        sendBelow: false,
      },
    },
  ],
  [
    'use_ipvlan ip7 10.0.0.5/24 private',
    '',
    { virtualInterface: { kind: 'ipvlan', name: 'ip7', address: ip('10.0.0.5'), mode: 'private', group: undefined } },
  ],
  [
    `auth_hmac {\n key 3 ${HEX_KEY}\n key 4 file:/etc/key\n active_key 4\n mode permissive\n}`,
    '',
    {
      hmac: {
        keys: [
          { id: 3, secret: HEX_KEY },
          { id: 4, secret: 'file:/etc/key' },
        ],
        activeKey: 4,
        antiReplay: 'time',
        timeWindow: 5,
        mode: 'permissive',
      },
    },
  ],
  [
    `advert_int 3\n auth_hmac {\n key 3 ${TEXT_KEY}\n}`,
    '',
    { hmac: { keys: [{ id: 3, secret: TEXT_KEY }], activeKey: 3, antiReplay: 'time', timeWindow: 9, mode: 'enforce' } },
  ],
  [
    'version 2\n authentication {\n auth_type AH\n auth_pass x\n}',
    '',
    { authentication: { type: 'AH', password: 'x' } },
  ],
  [
    'virtual_routes {\n 192.0.2.0/24 via 10.0.0.1 dev eth0 mtu lock 1400\n 198.51.100.0/24 via 10.0.0.1\n}\n virtual_rules {\n to 192.0.2.0/24 table 9 no_track\n}',
    '',
    {
      routes: [
        {
          words: ['192.0.2.0/24', 'via', '10.0.0.1', 'dev', 'eth0', 'mtu', 'lock', '1400'],
          track: true,
          route: {
            ...ROUTE,
            destination: ip('192.0.2.0'),
            hops: [{ gateway: ip('10.0.0.1'), device: 'eth0', weight: 1, onlink: false }],
            metrics: [{ metric: 'mtu', value: 1400, lock: true }],
          },
        },
        {
          words: ['198.51.100.0/24', 'via', '10.0.0.1'],
          track: true,
          route: {
            ...ROUTE,
            destination: ip('198.51.100.0'),
            hops: [{ gateway: ip('10.0.0.1'), weight: 1, onlink: false }],
          },
        },
      ],
      rules: [
        {
          words: ['to', '192.0.2.0/24', 'table', '9'],
          track: false,
          rule: {
            family: 4,
            not: false,
            to: { address: ip('192.0.2.0'), prefix: 24 },
            tos: 0,
            protocol: 18,
            preference: 16_384,
            action: { type: 'table', table: 9 },
          },
        },
      ],
    },
  ],
  [
    'notify_deleted\n notify_priority_changes off\n smtp_alert\n notify_master_rx_lower_pri "/bin/x y"',
    '',
    {
      notify: {
        deleted: true,
        priorityChanges: false,
        smtpAlert: true,
        masterRxLowerPriority: { argv: ['/bin/x', 'y'] },
      },
    },
  ],
  [
    'track_file {\n load\n}\n track_process {\n web weight -9\n}\n track_bfd {\n gw\n}',
    'track_file load {\n file /x\n weight 4 reverse\n}\nvrrp_track_process web {\n process nginx\n}\nbfd_instance gw {\n neighbor_ip 10.0.0.1\n weight -5\n}',
    {
      trackFiles: [{ name: 'load', weight: 4, reverse: true }],
      trackProcesses: [{ name: 'web', weight: -9, reverse: false }],
      trackBfds: [{ name: 'gw', weight: -5, reverse: false }],
    },
  ],
];

describe('an instance keeps', () => {
  for (const [line, after, expected] of CASES)
    test(`${`${line}; ${after}`.replace(/\s+/g, ' ').slice(0, 90)}`, () => {
      const built = instance(line, after);
      for (const [member, value] of Object.entries(expected))
        assert.deepEqual(built[member as keyof InstanceConfig], value, member);
    });
});

describe('vrrp_min_garp', () => {
  test('is one announcement without a second burst, wherever it stands', () => {
    const { announce } = instance('', 'global_defs {\n vrrp_min_garp\n}');
    assert.deepEqual([announce.masterRepeat, announce.masterDelay], [1, 0]);
    assert.deepEqual([announce.lowerPrioRepeat, announce.lowerPrioDelay], [1, 0]);
  });
  test('what is said of the bursts wins', () => {
    const { announce } = instance(
      'garp_master_repeat 3',
      'global_defs {\n vrrp_min_garp\n vrrp_garp_master_delay 2\n}',
    );
    assert.deepEqual([announce.masterRepeat, announce.masterDelay], [3, seconds(2)]);
  });
});

describe('names', () => {
  test('a tracked file, process or session that does not exist is told and left out', () => {
    const { codes, configuration } = read(file('track_file {\n a\n}\n track_process {\n b\n}\n track_bfd {\n c\n}'));
    assert.deepEqual(codes, ['W050', 'W050', 'W050']);
    assert.deepEqual(configuration.instances[0]!.trackFiles, []);
  });
  test('weights do not work in a sync group that does not allow them', () => {
    const group = (more: string) => `vrrp_sync_group G {\n group {\n V\n }\n smtp_alert off\n ${more}\n}
track_file load {\n file /x\n}\n`;
    const body = 'track_file {\n load\n}';
    const without = read(file(body, group('')));
    assert.deepEqual(without.configuration.instances[0]!.trackFiles, []);
    assert.ok(without.codes.includes('W056'));
    const { configuration } = read(file(body, group('sync_group_tracking_weight')));
    assert.deepEqual(configuration.instances[0]!.trackFiles, [{ name: 'load', weight: 1, reverse: false }]);
    assert.deepEqual(
      [configuration.groups[0]!.trackWeights, configuration.groups[0]!.notify],
      [true, { smtpAlert: false }],
    );
  });
});
