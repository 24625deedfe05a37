// What the keywords of global_defs and of the top level become in the model.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from '../../core/config/load.ts';
import type { Configuration, GlobalDefs } from '../../core/config/model.ts';
import { ip } from '../../core/net/address.ts';
import { micros, millis, seconds } from '../../core/units.ts';

const VIP = 'virtual_ipaddress {\n 10.0.0.99/24\n }';
const INSTANCE = `vrrp_instance V {\n interface eth0\n virtual_router_id 7\n priority 100\n ${VIP}\n}\n`;

function read(text: string): { readonly codes: readonly string[]; readonly configuration: Configuration } {
  const { configuration, diagnostics } = load({ file: 'f', text: text + INSTANCE }, { hostName: 'edge1.example' });
  assert.ok(configuration, JSON.stringify(diagnostics));
  return { codes: diagnostics.map(({ code }) => code).filter((code) => !code.startsWith('I06')), configuration };
}

/** Each line of global_defs alone, and what it changes in the model. */
const CASES: readonly (readonly [line: string, expected: Partial<GlobalDefs>])[] = [
  ['router_id left', { routerId: 'left' }],
  ['notify_fifo /run/a', { notifyFifo: { path: '/run/a' } }],
  [
    'vrrp_notify_fifo /run/v\n vrrp_notify_fifo_script "/bin/reader -v" nobody',
    { vrrpNotifyFifo: { path: '/run/v', script: { argv: ['/bin/reader', '-v'], user: { user: 'nobody' } } } },
  ],
  ['lvs_notify_fifo /run/l', { lvsNotifyFifo: { path: '/run/l' } }],
  ['vrrp_notify_priority_changes', { notifyPriorityChanges: true }],
  ['vrrp_notify_priority_changes off', { notifyPriorityChanges: false }],
  ['fifo_write_vrrp_states_on_reload', { fifoStatesOnReload: true }],
  ['json_version 2', { jsonVersion: 2 }],
  ['state_dump_file /run/d', { stateDumpFile: '/run/d' }],
  ['stats_dump_file /run/s', { statsDumpFile: '/run/s' }],
  ['json_dump_file /run/j', { jsonDumpFile: '/run/j' }],
  ['data_use_instance on', { dataUseInstance: true }],
  ['process_name a\n vrrp_process_name b', { processNames: { main: 'a', vrrp: 'b' } }],
  ['lvs_process_name old\n bfd_process_name c', { processNames: { checker: 'old', bfd: 'c' } }],
  ['umask 022', { umask: 0o022 }],
  ['umask S_IRWXO|S_IWGRP', { umask: 0o027 }],
  [
    'startup_script "/bin/up now"\n startup_script_timeout 3',
    { startupScript: { command: { argv: ['/bin/up', 'now'] }, timeout: seconds(3) } },
  ],
  ['shutdown_script /bin/down', { shutdownScript: { command: { argv: ['/bin/down'] }, timeout: seconds(10) } }],
  ['child_wait_time 2.5', { childWaitTime: micros(2_500_000) }],
  ['vrrp_startup_delay 1.5', { startupDelay: micros(1_500_000) }],
  ['vrrp_delay_after_boot 60', { delayAfterBoot: seconds(60) }],
  ['log_unknown_vrids', { logUnknownVrids: true }],
  ['dynamic_interfaces', { dynamicInterfaces: true }],
  ['dynamic_interfaces allow_if_changes', { dynamicInterfaces: 'changes' }],
  ['disable_local_igmp', { disableLocalIgmp: true }],
  ['vrrp_garp_interval 0.001', { garpInterval: millis(1) }],
  ['vrrp_garp_interval 0', { garpInterval: seconds(0) }],
  ['vrrp_gna_interval 0.000001', { gnaInterval: micros(1) }],
  ['vmac_prefix vm', { vmacPrefix: 'vm', vmacAddressPrefix: 'vm' }],
  ['vmac_addr_prefix va', { vmacPrefix: 'vrrp', vmacAddressPrefix: 'va' }],
  ['net_namespace blue', { networkNamespace: 'blue' }],
  ['instance second', { instanceName: 'second' }],
  ['use_pid_dir', { usePidDirectory: true }],
  ['set_supplementary_groups', { supplementaryGroups: true }],
  ['use_symlink_paths on', { useSymlinkPaths: true }],
];

describe('global_defs', () => {
  for (const [line, expected] of CASES)
    test(`${line.replaceAll('\n', ';')} is in the model`, () => {
      const { globals } = read(`global_defs {\n ${line}\n}\n`).configuration;
      for (const [member, value] of Object.entries(expected))
        assert.deepEqual(globals[member as keyof GlobalDefs], value, member);
      const plain = read('').configuration.globals;
      const changed = Object.keys(globals).filter(
        (member) => JSON.stringify(globals[member as 'mail']) !== JSON.stringify(plain[member as 'mail']),
      );
      assert.deepEqual(
        changed.filter((member) => !(member in expected)),
        [],
      );
    });
  test('mail is put together from its keywords', () => {
    const { mail } = read(`global_defs {
 notification_email {
  a@example.org b@example.org
  c@example.org
 }
 notification_email_from me@example.org
 smtp_server mail.example.org 587
 smtp_helo_name edge
 smtp_connect_timeout 5
 smtp_alert
 smtp_alert_vrrp off
 no_email_faults
}
`).configuration.globals;
    assert.deepEqual(mail, {
      server: { host: 'mail.example.org', port: 587 },
      from: 'me@example.org',
      to: ['a@example.org', 'b@example.org', 'c@example.org'],
      helo: 'edge',
      connectTimeout: seconds(5),
      alertVrrp: false,
      alertChecker: true,
      noFaults: true,
      noCheckers: false,
    });
  });
  test('several pieces are one: the last of each keyword counts, lists are joined', () => {
    const { globals } = read(`global_defs {\n router_id a\n notification_email {\n a@x\n }\n}
global_defs {\n router_id b\n notification_email {\n b@x\n }\n}\n`).configuration;
    assert.equal(globals.routerId, 'b');
    assert.deepEqual(globals.mail?.to, ['a@x', 'b@x']);
  });
  test('reload keywords are kept together', () => {
    const { globals } = read(
      'global_defs {\n reload_check_config /var/log/c\n reload_time_file /run/t\n reload_repeat\n config_save_dir /var/c\n}\n',
    ).configuration;
    assert.deepEqual(globals.reload, {
      checkConfig: true,
      checkLog: '/var/log/c',
      timeFile: '/run/t',
      repeat: true,
      file: undefined,
      saveDirectory: '/var/c',
    });
  });
  test('a script for a FIFO that is not there is told', () => {
    const { codes, configuration } = read('global_defs {\n notify_fifo_script /bin/reader\n}\n');
    assert.deepEqual([codes, configuration.globals.notifyFifo], [['W013'], undefined]);
  });
  test('a FIFO script that does not exist stays in the model when nobody looks, and goes when it is looked for', () => {
    const text = `global_defs {\n notify_fifo /run/f\n notify_fifo_script /gone\n}\n${INSTANCE}`;
    const blind = load({ file: 'f', text }, { hostName: 'h' });
    assert.deepEqual(blind.configuration?.globals.notifyFifo?.script, { argv: ['/gone'] });
    const seen = load({ file: 'f', text }, { hostName: 'h', probe: { program: () => 'missing' } });
    assert.deepEqual(seen.configuration?.globals.notifyFifo, { path: '/run/f' });
    assert.ok(seen.diagnostics.some(({ code }) => code === 'W051'));
  });
  test('a bad umask is refused', () => {
    for (const bad of ['0888', '01777', 'S_IRWXA'])
      assert.equal(read(`global_defs {\n umask ${bad}\n}\n`).configuration.globals.umask, 0o177);
  });
  test('instance and net_namespace may stand at the top level', () => {
    const { globals } = read('instance second\nnet_namespace blue\n').configuration;
    assert.deepEqual([globals.instanceName, globals.networkNamespace], ['second', 'blue']);
  });
});

describe('what instances share', () => {
  test('track files, processes and BFD sessions, with their defaults', () => {
    const { configuration } = read(`track_file load {\n file /run/load\n init_file 3 overwrite\n}
vrrp_track_process web {\n process nginx -g\n param_match initial\n delay 0.5\n terminate_delay 2\n quorum 2\n quorum_max 1\n}
bfd_instance gw {\n neighbour_ip 192.0.2.1\n min_rx 50\n multihop\n weight -10 reverse\n}\n`);
    assert.deepEqual(configuration.trackFiles, [
      { name: 'load', path: '/run/load', weight: 1, reverse: false, initial: { value: 3, overwrite: true } },
    ]);
    assert.deepEqual(configuration.trackProcesses, [
      {
        name: 'web',
        argv: ['nginx', '-g'],
        match: 'initial',
        weight: 0,
        reverse: false,
        quorum: 2,
        quorumMax: undefined,
        forkDelay: millis(500),
        terminateDelay: seconds(2),
        fullCommand: false,
      },
    ]);
    assert.deepEqual(configuration.bfds, [
      {
        name: 'gw',
        neighbor: ip('192.0.2.1'),
        source: undefined,
        minReceive: millis(50),
        minTransmit: millis(10),
        idleTransmit: seconds(1),
        multiplier: 5,
        passive: false,
        ttl: 255,
        maxHops: -1,
        multihop: true,
        weight: -10,
        reverse: true,
      },
    ]);
  });
  test('a BFD session: hops by family, a link-local neighbor with its interface', () => {
    const of = (body: string) => {
      const { codes, configuration } = read(`bfd_instance b {\n${body}\n}\n`);
      const { neighbor, interface: device, ttl, maxHops } = configuration.bfds?.[0] ?? {};
      return { neighbor, device, ttl, maxHops, codes: codes.filter((code) => code !== 'W049') };
    };
    const six = { neighbor: '2001:db8::1', device: undefined, ttl: 255, maxHops: 0, codes: [] };
    assert.deepEqual(of('neighbor_ip 2001:db8::1'), six);
    assert.deepEqual(of('neighbor_ip 2001:db8::1\n ttl 3\n hoplimit 64\n max_hops 2'), { ...six, ttl: 64, maxHops: 2 });
    assert.deepEqual(of('neighbor_ip fe80::1%eth1'), { ...six, neighbor: 'fe80::1', device: 'eth1' });
    const none = { neighbor: undefined, device: undefined, ttl: undefined, maxHops: undefined };
    assert.deepEqual(of('neighbor_ip fe80::1'), { ...none, codes: ['W056'] });
    assert.deepEqual(of('neighbor_ip 192.0.2.1%eth0'), { ...none, codes: ['W056'] });
    assert.deepEqual(of('neighbor_ip 192.0.2.1\n source_ip 2001:db8::1'), { ...none, codes: ['W056'] });
    assert.deepEqual(of('neighbor_ip nobody'), { ...none, codes: ['W056', 'W012'] });
  });
  test('a link that is down counts before another router is master, whatever was written', () => {
    const { codes, configuration } = read(
      `vrrp_instance W {\n interface eth0\n virtual_router_id 9\n priority 100\n advert_int 0.5\n version 3\n virtual_ipaddress {\n 192.0.2.9/24\n }\n}\ninterface_up_down_delays {\n eth0 30 60\n}\n`,
    );
    assert.deepEqual(configuration.interfaceDelays, [{ interface: 'eth0', down: seconds(1), up: seconds(60) }]);
    assert.ok(codes.includes('W040'));
  });
  test('a block without what it is about is told and left out, and so is a second one of a name', () => {
    const { codes, configuration } = read(
      'track_file a {\n}\nvrrp_track_process b {\n}\nbfd_instance c {\n}\ntrack_file d {\n file /x\n}\ntrack_file d {\n file /y\n}\n',
    );
    assert.deepEqual(codes, ['W056', 'W056', 'W056', 'W014']);
    assert.deepEqual(
      configuration.trackFiles?.map(({ path }) => path),
      ['/x'],
    );
  });
  test('the pace and the delays of interfaces', () => {
    const { configuration } =
      read(`garp_group {\n garp_interval 0.1\n interface eth0\n interfaces {\n eth1 eth2\n eth3\n }\n}
garp_group {\n gna_interval 1\n interface eth4\n}
interface_up_down_delays {\n eth0 0.5\n eth1 1 2\n eth0 3\n}\n`);
    assert.deepEqual(configuration.garpGroups, [
      { interfaces: ['eth0', 'eth1', 'eth2', 'eth3'], garpInterval: millis(100), gnaInterval: undefined },
      { interfaces: ['eth4'], garpInterval: undefined, gnaInterval: seconds(1) },
    ]);
    assert.deepEqual(configuration.interfaceDelays, [
      { interface: 'eth0', down: millis(500), up: millis(500) },
      { interface: 'eth1', down: seconds(1), up: seconds(2) },
    ]);
  });
  test('static addresses, routes and rules, and the groups that track them', () => {
    const { configuration } = read(`track_group g {\n group {\n V\n W\n }\n}
static_ipaddress {\n 192.0.2.1/24 dev eth1 track_group g\n 192.0.2.2\n}
static_routes {\n blackhole 198.51.100.0/24\n default via 192.0.2.254 dev eth1 track_group g no_track\n}
static_rules {\n from 192.0.2.0/24 table 10 priority 5\n}\n`);
    assert.deepEqual(configuration.trackGroups, [{ name: 'g', members: ['V'] }]);
    const { statics } = configuration;
    assert.deepEqual(statics?.addresses, [
      { address: ip('192.0.2.1'), prefix: 24, device: 'eth1', scope: 0, group: 'g' },
      { address: ip('192.0.2.2'), prefix: 32, device: 'eth0', scope: 0 },
    ]);
    const lines = [...(statics?.routes ?? []), ...(statics?.rules ?? [])];
    assert.deepEqual(
      lines.map(({ words, track, group }) => [words.join(' '), track, group]),
      [
        ['blackhole 198.51.100.0/24', true, undefined],
        ['default via 192.0.2.254 dev eth1', false, 'g'],
        ['from 192.0.2.0/24 table 10 priority 5', true, undefined],
      ],
    );
  });
  test('a word that is no option of a route and one without its value cost the line', () => {
    const { codes, configuration } = read('static_routes {\n 192.0.2.0/24 viaa 10.0.0.1\n 192.0.2.0/24 via\n}\n');
    assert.deepEqual(codes, ['W012', 'W012']);
    assert.deepEqual(configuration.statics?.routes, []);
  });
});
