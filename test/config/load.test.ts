// Whole files: what they mean, and what is said about them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Loaded, type LoadOptions, load } from '../../core/config/load.ts';
import type { InstanceConfig } from '../../core/config/model.ts';
import { ip } from '../../core/net/address.ts';
import { millis, priority, seconds, vrid } from '../../core/units.ts';

const read = (text: string, options: Partial<LoadOptions> = {}): Loaded =>
  load({ file: 'f', text }, { hostName: 'edge1.example', ...options });
const codesOf = ({ diagnostics }: Loaded): readonly string[] => diagnostics.map(({ code }) => code);
/** Codes without the infos. */
const complaints = (loaded: Loaded): readonly string[] => codesOf(loaded).filter((code) => !code.startsWith('I'));

const VIP = 'virtual_ipaddress {\n 10.0.0.99/24\n }';
/** One instance with what a test is about. */
const one = (body: string, globals = ''): string =>
  `global_defs {\n ${globals}\n}\nvrrp_instance V {\n interface eth0\n virtual_router_id 7\n priority 100\n ${VIP}\n ${body}\n}\n`;

function instance(loaded: Loaded): InstanceConfig {
  assert.ok(loaded.configuration, JSON.stringify(loaded.diagnostics));
  return loaded.configuration.instances[0]!;
}

/** Everything that holds without being said. */
const DEFAULTS = {
  family: 4,
  version: 2,
  initialState: 'BACKUP',
  interval: seconds(1),
  preempt: true,
  preemptDelay: seconds(0),
  downTimerAdverts: 3,
  transport: { mode: 'multicast', group: ip('224.0.0.18'), source: undefined },
  authentication: { type: 'none' },
  excludedVips: [],
  announce: {
    masterDelay: seconds(5),
    masterRepeat: 5,
    refresh: seconds(0),
    refreshRepeat: 1,
    lowerPrioDelay: seconds(5),
    lowerPrioRepeat: 5,
  },
  answerLowerPriority: true,
  advertiseBeforeYielding: true,
  strictAddressList: false,
  checkUnicastSource: true,
  makeBeforeBreak: true,
  fastHandover: true,
  trackScripts: [],
  trackInterfaces: [],
  trackPrimary: true,
  notify: {},
  trackChecks: [],
  trackFiles: [],
  trackProcesses: [],
  trackBfds: [],
  trackSource: false,
  strict: false,
  accept: true,
  checksumWithoutPseudoHeader: false,
  oldUnicastChecksum: 'auto',
  ownerIgnoresAdverts: false,
  faultWithoutPeers: false,
  promoteSecondaries: false,
  routes: [],
  rules: [],
  debug: 0,
} as const;

const GLOBALS = {
  routerId: 'edge1.example',
  scriptUser: undefined,
  enableScriptSecurity: false,
  realtimePriority: undefined,
  addressLifetime: true,
  notifyPriorityChanges: false,
  fifoStatesOnReload: false,
  mail: {
    server: undefined,
    from: 'root@edge1.example',
    to: [],
    helo: 'edge1.example',
    connectTimeout: seconds(30),
    alertVrrp: false,
    alertChecker: false,
    noFaults: false,
    noCheckers: false,
  },
  jsonVersion: 1,
  dataUseInstance: false,
  processNames: {},
  umask: 0o177,
  childWaitTime: seconds(5),
  reload: {
    checkConfig: false,
    checkLog: undefined,
    timeFile: undefined,
    repeat: false,
    file: undefined,
    saveDirectory: undefined,
  },
  startupDelay: seconds(0),
  startHold: seconds(40),
  conflictWatch: true,
  delayAfterBoot: seconds(0),
  logUnknownVrids: false,
  dynamicInterfaces: false,
  disableLocalIgmp: false,
  garpInterval: seconds(0),
  gnaInterval: seconds(0),
  vmacPrefix: 'vrrp',
  vmacAddressPrefix: 'vrrp',
  usePidDirectory: false,
  supplementaryGroups: false,
  useSymlinkPaths: false,
} as const;

/** What stands beside the instances, when nothing is said. */
const SHARED = {
  checks: [],
  notifiers: [],
  plugins: [],
  trackFiles: [],
  trackProcesses: [],
  bfds: [],
  garpGroups: [],
  interfaceDelays: [],
  trackGroups: [],
  statics: { addresses: [], routes: [], rules: [] },
} as const;

describe('files that people run', () => {
  test('a unicast pair with a password and a script', () => {
    const loaded = read(`! first machine

global_defs {
    router_id left
    script_user root
}

vrrp_script app_alive {
    script "/opt/check app"
    interval 2
    weight -10
}

vrrp_instance VI_A {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 101
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }

    track_script {
        app_alive
    }

    # 单播
    unicast_src_ip 192.0.2.11
    unicast_peer {
        192.0.2.12
    }
    virtual_ipaddress {
        192.0.2.100
    }
}
`);
    assert.deepEqual(complaints(loaded), []);
    assert.deepEqual(loaded.configuration, {
      ...SHARED,
      globals: { ...GLOBALS, routerId: 'left', scriptUser: { user: 'root' } },
      scripts: [
        {
          name: 'app_alive',
          command: { argv: ['/opt/check', 'app'] },
          interval: seconds(2),
          timeout: seconds(2),
          weight: -10,
          reverse: false,
          rise: 1,
          fall: 1,
          initFail: false,
        },
      ],
      instances: [
        {
          ...DEFAULTS,
          name: 'VI_A',
          interface: 'eth0',
          vrid: vrid(51),
          initialState: 'MASTER',
          priority: priority(101),
          transport: {
            mode: 'unicast',
            source: ip('192.0.2.11'),
            peers: [{ address: ip('192.0.2.12'), minTtl: 0, maxTtl: 255, neighbourly: true }],
            ttl: 255,
          },
          authentication: { type: 'PASS', password: '1111' },
          vips: [{ address: ip('192.0.2.100'), prefix: 32, device: 'eth0', scope: 0 }],
          trackScripts: [{ name: 'app_alive', weight: -10, reverse: false }],
        },
      ],
      groups: [],
    });
  });

  test('two instances that are each other’s backup, with labels, indented anyhow', () => {
    const block = (name: string, state: string, id: number, level: number, vip: string) => `vrrp_instance ${name} {
state ${state}
interface eth0
virtual_router_id ${id}
priority ${level}
advert_int 1
authentication {
    auth_type PASS
    auth_pass secret
}
virtual_ipaddress {
    ${vip}/24 dev eth1 label eth1:1
   }
}
`;
    const loaded = read(block('a', 'MASTER', 61, 150, '198.51.100.3') + block('b', 'BACKUP', 62, 100, '198.51.100.4'));
    assert.deepEqual(complaints(loaded), []);
    const common = { ...DEFAULTS, interface: 'eth0', authentication: { type: 'PASS', password: 'secret' } } as const;
    const vip = (address: string) => [{ address: ip(address), prefix: 24, device: 'eth1', label: 'eth1:1', scope: 0 }];
    assert.deepEqual(loaded.configuration?.instances, [
      {
        ...common,
        name: 'a',
        vrid: vrid(61),
        initialState: 'MASTER',
        priority: priority(150),
        vips: vip('198.51.100.3'),
      },
      { ...common, name: 'b', vrid: vrid(62), priority: priority(100), vips: vip('198.51.100.4') },
    ]);
    assert.equal(loaded.configuration?.globals.routerId, 'edge1.example');
  });

  test('a sync group defined before its members, with scripts to tell', () => {
    const loaded = read(`vrrp_sync_group G {
  group {
    A
    B
  }
  notify_master "/bin/up 'now then'" root wheel
  notify /bin/any
}
vrrp_instance A { interface e0
 virtual_router_id 1
 priority 10
 ${VIP}
}
vrrp_instance B { interface e1
 virtual_router_id 1
 priority 10
 ${VIP}
}`);
    assert.deepEqual(complaints(loaded), []);
    assert.deepEqual(loaded.configuration?.groups, [
      {
        name: 'G',
        members: ['A', 'B'],
        notify: {
          master: { argv: ['/bin/up', 'now then'], user: { user: 'root', group: 'wheel' } },
          any: { argv: ['/bin/any'] },
        },
        trackScripts: [],
        trackInterfaces: [],
        trackChecks: [],
        trackFiles: [],
        trackProcesses: [],
        trackBfds: [],
        trackWeights: false,
      },
    ]);
  });

  test('a file that only balances load runs, with nothing to do', () => {
    const loaded = read(
      'virtual_server 10.0.0.1 80 {\n lb_kind dr\n real_server 10.0.0.2 80 {\n TCP_CHECK {\n nb_get_retry 3\n }\n }\n}\nvirtual_server 10.0.0.1 81 {\n}',
    );
    // keepalived, too, knows DR in capitals only.
    assert.deepEqual(codesOf(loaded), ['W032', 'W049', 'W012']);
    assert.deepEqual(loaded.configuration?.instances, []);
  });

  test('the file of one machine glued behind the file of the other: the second instance of a name is ignored', () => {
    const loaded = read(one('') + one('priority 50'));
    assert.deepEqual(complaints(loaded).includes('W014'), true);
    assert.equal(loaded.configuration?.instances.length, 1);
    assert.equal(instance(loaded).priority, 100);
  });

  test('everything known and without effect is one warning', () => {
    const loaded = read(
      one('vrf red\n garp_extra_if 5', 'snmp_socket udp:127.0.0.1\n enable_traps\n max_auto_priority 50'),
    );
    assert.deepEqual(codesOf(loaded), ['W030', 'I065']);
    assert.match(
      loaded.diagnostics[0]!.message,
      /snmp_socket \(line 2\), enable_traps \(line 3\), vrf \(line 13\), garp_extra_if \(line 14\)/,
    );
    assert.match(loaded.diagnostics[1]!.message, /max_auto_priority \(line 4\)/);
  });
});

describe('defaults are bound late', () => {
  test('vrrp_strict off is strict, as in keepalived 2.2.7, and told', () => {
    const loaded = read(one('', 'vrrp_strict off'));
    assert.equal(instance(loaded).strict, true);
    assert.deepEqual(complaints(loaded), ['W013']);
    assert.equal(instance(read(one('strict_mode off', 'vrrp_strict'))).strict, false);
  });
  test('a global_defs after the instance counts', () => {
    const late = instance(
      read(
        `${one('')}global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 2\n vrrp_garp_lower_prio_repeat 9\n vrrp_down_timer_adverts 4\n vrrp_mcast_group4 224.0.0.99\n vrrp_check_unicast_src off\n}`,
      ),
    );
    assert.equal(late.version, 3);
    assert.equal(late.downTimerAdverts, 4);
    assert.equal(late.checkUnicastSource, false);
    assert.deepEqual(late.announce, {
      ...DEFAULTS.announce,
      masterDelay: seconds(2),
      lowerPrioDelay: seconds(2),
      lowerPrioRepeat: 9,
    });
    assert.deepEqual(late.transport, { mode: 'multicast', group: ip('224.0.0.99'), source: undefined });
  });
  test('what an instance says wins', () => {
    const own = instance(
      read(
        one(
          'version 2\n garp_master_repeat 1\n higher_prio_send_advert off\n lower_prio_no_advert\n vrrp_stop_order make_before_break',
          'vrrp_version 3\n vrrp_garp_master_repeat 7\n vrrp_stop_order break_before_make',
        ),
      ),
    );
    assert.deepEqual([own.version, own.announce.masterRepeat, own.announce.lowerPrioRepeat], [2, 1, 1]);
    assert.deepEqual([own.advertiseBeforeYielding, own.answerLowerPriority, own.makeBeforeBreak], [false, false, true]);
  });
  test('our own defaults of global_defs', () => {
    const loaded = read(
      one(
        '',
        'vrrp_address_lifetime off\n vrrp_stop_order break_before_make\n vrrp_rt_priority 50\n script_user web :www\n enable_script_security',
      ),
    );
    assert.deepEqual(loaded.configuration?.globals, {
      ...GLOBALS,
      routerId: 'edge1.example',
      scriptUser: { user: 'web', group: 'www' },
      enableScriptSecurity: true,
      realtimePriority: 50,
      addressLifetime: false,
    });
    assert.equal(instance(loaded).makeBeforeBreak, false);
  });
  test('a script may be defined after it is tracked, and the weight of the track wins', () => {
    const loaded = read(
      `${one('track_script {\n s weight 5 reverse\n t\n }')}vrrp_script s {\n script /bin/true\n weight 9\n}\nvrrp_script t {\n script /bin/true\n weight 3 reverse\n}`,
    );
    assert.deepEqual(complaints(loaded), []);
    assert.deepEqual(instance(loaded).trackScripts, [
      { name: 's', weight: 5, reverse: true },
      { name: 't', weight: 3, reverse: true },
    ]);
  });
});

describe('what keepalived would not start on is an error', () => {
  for (const [what, text, code] of [
    ['no virtual_router_id', 'vrrp_instance V {\n interface e\n}', 'E012'],
    ['virtual_router_id 0', one('').replace('_id 7', '_id 0'), 'E013'],
    ['virtual_router_id 300', one('').replace('_id 7', '_id 300'), 'E013'],
    ['virtual_router_id x', one('').replace('_id 7', '_id x'), 'E013'],
    ['the same VRID on the same interface', one('') + one('').replace('instance V', 'instance W'), 'E014'],
    ['interface without a name', one('').replace('interface eth0', 'interface'), 'E010'],
    ['the loopback interface', one('').replace('interface eth0', 'interface lo'), 'E015'],
    ['a script without a name', 'vrrp_script {\n script /bin/true\n}', 'E011'],
    [
      'any other keyword without its value',
      one('authentication {\n auth_type PASS\n auth_pass # at most 8\n }'),
      'E010',
    ],
  ] as const)
    test(what, () => {
      const loaded = read(text);
      assert.deepEqual(
        codesOf(loaded).filter((each) => each.startsWith('E')),
        [code],
      );
      assert.equal(loaded.configuration, undefined);
    });

  test('the same VRID is fine on another interface, in another mode and with other peers', () => {
    const unicast = (name: string, peer: string) =>
      one(`unicast_peer {\n ${peer}\n }`).replace('instance V', `instance ${name}`);
    const other = one('').replace('instance V', 'instance W').replace('eth0', 'eth1');
    assert.deepEqual(complaints(read(one('') + other + unicast('X', '10.0.0.2') + unicast('Y', '10.0.0.3'))), []);
    assert.deepEqual(complaints(read(unicast('X', '10.0.0.2') + unicast('Y', '10.0.0.2'))), ['E014']);
  });
});

describe('contradictions are settled as keepalived settles them', () => {
  for (const [what, text, codes, expected] of [
    ['version 2 rounds 0.5 up to whole seconds', one('advert_int 0.5'), ['W040'], { interval: seconds(1) }],
    ['version 2 takes less than half a second as one', one('advert_int 0.4'), ['W040'], { interval: seconds(1) }],
    ['version 2 rounds 2.5 up', one('advert_int 2.5'), ['W040'], { interval: seconds(3) }],
    ['version 3 goes down to 10 ms', one('version 3\n advert_int 0.01'), [], { interval: millis(10) }],
    ['version 3 goes up to 40.95 s', one('version 3\n advert_int 50'), ['W040'], { interval: millis(40_950) }],
    ['version 3 rounds to 10 ms', one('version 3\n advert_int 0.126'), ['W040'], { interval: millis(130) }],
    ['an interval out of range is a second', one('advert_int 300'), ['W011'], { interval: seconds(1) }],
    [
      'version 3 ignores authentication',
      one('version 3\n authentication {\n auth_type PASS\n auth_pass a\n }'),
      ['W041'],
      { authentication: { type: 'none' } },
    ],
    [
      'strict mode ignores authentication and does not answer',
      one('authentication {\n auth_type PASS\n auth_pass a\n }', 'vrrp_strict'),
      ['W041'],
      { authentication: { type: 'none' }, answerLowerPriority: false },
    ],
    [
      'AH authenticates with its key',
      one('authentication {\n auth_type AH\n auth_pass a\n }'),
      [],
      { authentication: { type: 'AH', password: 'a' } },
    ],
    [
      'a type that does not exist means no authentication',
      one('authentication {\n auth_type PASS;\n auth_pass a\n }'),
      ['W012'],
      { authentication: { type: 'none' } },
    ],
    [
      'no password means no authentication',
      one('authentication {\n auth_type PASS\n }'),
      ['W041'],
      { authentication: { type: 'none' } },
    ],
    [
      'a password is cut to 8 bytes',
      one('authentication {\n auth_type PASS\n auth_pass 123456789\n }'),
      ['W042'],
      { authentication: { type: 'PASS', password: '12345678' } },
    ],
    [
      'MASTER clears nopreempt and preempt_delay',
      one('state MASTER\n nopreempt\n preempt_delay 5'),
      ['W043', 'W043'],
      { preempt: true, preemptDelay: seconds(0) },
    ],
    [
      'nopreempt clears preempt_delay',
      one('nopreempt\n preempt_delay 5'),
      ['W043'],
      { preempt: false, preemptDelay: seconds(0) },
    ],
    [
      'priority 255 clears nopreempt',
      one('nopreempt').replace('priority 100', 'priority 255'),
      ['W053', 'W043'],
      { preempt: true },
    ],
    ['preempt_delay is kept otherwise', one('preempt_delay 2.5'), [], { preemptDelay: millis(2500) }],
    ['no priority is 255 for MASTER', one('state MASTER').replace('priority 100', ''), ['W047'], { priority: 255 }],
    ['no priority is 100 for BACKUP', one('state BACKUP').replace('priority 100', ''), ['W047'], { priority: 100 }],
    [
      'a priority out of range is 100 even for MASTER',
      one('state MASTER').replace('priority 100', 'priority 300'),
      ['W011'],
      { priority: 100 },
    ],
    ['a state of other vendors is BACKUP', one('state SLAVE'), ['W012'], { initialState: 'BACKUP' }],
    ['a version that does not exist is 2', one('', 'vrrp_version 4'), ['W011'], { version: 2 }],
    [
      'a unicast source without peers is multicast',
      one('unicast_src_ip 10.0.0.1'),
      ['W045'],
      { transport: { mode: 'multicast', group: ip('224.0.0.18'), source: ip('10.0.0.1') } },
    ],
    ['no addresses are legal', one('').replace(VIP, ''), ['W048'], { vips: [] }],
    ['no addresses on purpose', one('no_virtual_ipaddress').replace(VIP, ''), [], { vips: [] }],
    ['of what is given twice the last counts', one('advert_int 2\n advert_int 3'), ['W014'], { interval: seconds(3) }],
    [
      'of notify scripts given twice the first counts',
      one('notify_master /a\n notify_master /b'),
      ['W014'],
      { notify: { master: { argv: ['/a'] } } },
    ],
    [
      'its own interface is tracked anyway',
      one('track_interface {\n eth0\n eth1 weight -5\n }'),
      [],
      { trackInterfaces: [{ name: 'eth1', weight: -5, reverse: false }] },
    ],
  ] as const)
    test(what, () => {
      const loaded = read(text);
      assert.deepEqual(complaints(loaded), codes);
      const found = instance(loaded);
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(found[key as keyof InstanceConfig], value, key);
    });

  test('an instance without an interface is on the default one', () => {
    const bare = one('', 'default_interface bond0').replace('interface eth0', '');
    assert.equal(instance(read(bare)).interface, 'bond0');
    const loaded = read(one('').replace('interface eth0', ''));
    assert.deepEqual([instance(loaded).interface, complaints(loaded)], ['eth0', ['W046']]);
  });
  test('IPv6 is always version 3', () => {
    const loaded = read(one('').replace('10.0.0.99/24', 'fe80::1\n 2001:DB8::1/64 -nodad'));
    assert.deepEqual(complaints(loaded), []);
    assert.deepEqual(instance(loaded).vips, [
      { address: ip('fe80::1'), prefix: 128, device: 'eth0', scope: 253 },
      { address: ip('2001:db8::1'), prefix: 64, noDad: true, device: 'eth0', scope: 0 },
    ]);
    assert.equal(instance(loaded).version, 3);
  });
  test('weights do not work in a sync group: such a tracker is dropped', () => {
    const script = 'vrrp_script s {\n script /bin/true\n weight 5\n}\n';
    const group = (more: string) => `vrrp_sync_group G {\n group { V W }\n ${more}\n}\n`;
    const both = one('track_script {\n s\n }') + one('').replace('instance V', 'instance W').replace('_id 7', '_id 8');
    const dropped = read(script + group('') + both);
    assert.deepEqual([complaints(dropped), instance(dropped).trackScripts], [['W056'], []]);
    const kept = read(script + group('sync_group_tracking_weight') + both);
    assert.deepEqual([complaints(kept), instance(kept).trackScripts.length], [[], 1]);
  });
  test('a group starts as MASTER only when all members own their addresses', () => {
    const both =
      one('state MASTER').replace('priority 100', 'priority 255') +
      one('').replace('instance V', 'instance W').replace('_id 7', '_id 8');
    const loaded = read(`${both}vrrp_sync_group G {\n group {\n V\n W\n }\n}`);
    assert.equal(instance(loaded).initialState, 'BACKUP');
    assert.ok(codesOf(loaded).includes('I064'));
  });
  test('a group goes without members that do not exist, and one alone is told', () => {
    const loaded = read(
      `${one('')}vrrp_sync_group G {\n group {\n V\n X\n }\n}\nvrrp_sync_group H {\n group {\n V\n }\n}`,
    );
    assert.deepEqual(
      loaded.configuration?.groups.map(({ members }) => members),
      [['V']],
    );
    assert.deepEqual(complaints(loaded), ['W055', 'W055', 'W055', 'W055']);
  });
});

describe('addresses', () => {
  const vipsOf = (lines: string) => {
    const loaded = read(one('').replace('10.0.0.99/24', lines));
    return { vips: instance(loaded).vips, excluded: instance(loaded).excludedVips, codes: complaints(loaded) };
  };
  for (const [line, expected] of [
    ['10.0.0.1', { prefix: 32, device: 'eth0', scope: 0 }],
    ['10.0.0.1/24 dev br-lan scope link', { prefix: 24, device: 'br-lan', scope: 253 }],
    [
      '10.0.0.1/24 brd + noprefixroute',
      { prefix: 24, device: 'eth0', scope: 0, broadcast: ip('10.0.0.255'), noPrefixRoute: true },
    ],
    ['10.0.0.1/20 brd -', { prefix: 20, device: 'eth0', scope: 0, broadcast: ip('10.0.0.0') }],
    [
      '10.0.0.1/24 broadcast 10.0.0.7 no_track',
      { prefix: 24, device: 'eth0', scope: 0, broadcast: ip('10.0.0.7'), noTrack: true },
    ],
    ['10.0.0.1 peer 10.9.9.9/30 scope 77', { prefix: 30, device: 'eth0', scope: 77, peer: ip('10.9.9.9') }],
    ['10.0.0.1 label eth0:fifteen15 home', { prefix: 32, device: 'eth0', scope: 0, label: 'eth0:fifteen15' }],
  ] as const)
    test(line, () =>
      assert.deepEqual(vipsOf(line), { vips: [{ address: ip('10.0.0.1'), ...expected }], excluded: [], codes: [] }),
    );

  for (const [line, codes, count] of [
    ['10.0.0.300', ['W012', 'W048'], 0],
    ['host.example', ['W012', 'W048'], 0],
    ['10.0.0.1/33', ['W011'], 1],
    ['10.0.0.1 label sixteen-letters-', ['W048', 'W011'], 0],
    ['10.0.0.1 scope nowhere-else', ['W012'], 1],
    ['10.0.0.1 some thing', ['W013', 'W013'], 1],
    ['10.0.0.1\n 10.0.0.1', ['W044'], 1],
    ['10.0.0.1\n 2001:db8::1', ['W044'], 1],
  ] as const)
    test(`${JSON.stringify(line)} leaves ${count} address(es)`, () => {
      const { vips, codes: found } = vipsOf(line);
      assert.deepEqual([vips.length, [...found].sort()], [count, [...codes].sort()]);
    });

  test('what an advert cannot hold is held without being advertised', () => {
    const lines = Array.from({ length: 300 }, (_, i) => ` 10.1.${i >> 8}.${i & 255}`).join('\n');
    const { vips, excluded, codes } = vipsOf(lines);
    assert.deepEqual([vips.length, excluded.length, codes], [255, 45, ['W044']]);
    const six = vipsOf(Array.from({ length: 100 }, (_, i) => ` 2001:db8::${i.toString(16)}`).join('\n'));
    assert.deepEqual([six.vips.length, six.excluded.length], [90, 10]);
  });
  test('excluded addresses may be of the other family', () => {
    const loaded = read(one('virtual_ipaddress_excluded {\n 2001:db8::9/64\n }'));
    assert.deepEqual(instance(loaded).excludedVips, [
      { address: ip('2001:db8::9'), prefix: 64, device: 'eth0', scope: 0 },
    ]);
    assert.deepEqual(complaints(loaded), []);
  });
  test('peers: limits turn on the source check; doubles, strangers and oneself are left out', () => {
    const loaded = read(
      one(
        'unicast_src_ip 10.0.0.1\n check_unicast_src off\n unicast_ttl 64\n unicast_peer {\n 10.0.0.2 min_ttl 254\n 10.0.0.2\n 10.0.0.1\n 2001:db8::2\n 10.0.0.3 max_ttl 255\n }',
      ),
    );
    assert.deepEqual(instance(loaded).transport, {
      mode: 'unicast',
      source: ip('10.0.0.1'),
      ttl: 64,
      peers: [
        { address: ip('10.0.0.2'), minTtl: 254, maxTtl: 255 },
        { address: ip('10.0.0.3'), minTtl: 0, maxTtl: 255 },
      ],
    });
    assert.deepEqual(complaints(loaded), ['W044', 'W044', 'W044']);
    assert.equal(instance(loaded).checkUnicastSource, true);
  });
});

describe('risks are told', () => {
  const script = (body: string) => `vrrp_script s {\n ${body}\n}\n`;
  const tracked = one('track_script {\n s\n }');
  for (const [what, text, codes] of [
    ['a tracked script that is not defined', tracked, ['W050']],
    ['a weight beyond the range of priorities', script('script /bin/true\n weight -100') + tracked, ['W052']],
    [
      'a weight on an owner',
      script('script /bin/true\n weight -10') + tracked.replace('priority 100', 'priority 255'),
      ['W053', 'W056'],
    ],
    ['a pipe without a shell', script('script "pidof x | grep y"') + tracked, ['W054']],
    ['a redirection as a program', script('script "</dev/tcp/127.0.0.1/80"') + tracked, ['W054']],
    ['a shell with its text', script(`script "sh -c 'pidof x | grep y'"`) + tracked, []],
    ['a timeout beyond the interval', script('script /bin/true\n interval 1\n timeout 3') + tracked, ['W057']],
    [
      'a weight out of range is cut',
      script('script /bin/true\n weight 300') + tracked.replace('priority 100', 'priority 1'),
      ['W011'],
    ],
    ['a script without a script', script('interval 1') + tracked, ['W051', 'W050']],
    ['an argument where a user is expected', one('notify_master /etc/n.sh master'), ['W054']],
  ] as const)
    test(what, () => assert.deepEqual(complaints(read(text)), codes));

  test('a script that cannot be run is dropped with its trackers, when somebody looks', () => {
    const text = script('script "/opt/none.sh x"') + one('track_script {\n s\n }\n notify /opt/none.sh');
    const seen: string[] = [];
    const probe = {
      program: (name: string) => {
        seen.push(name);
        return 'missing' as const;
      },
    };
    const loaded = read(text, { probe });
    assert.deepEqual(complaints(loaded), ['W051', 'W050', 'W051']);
    assert.deepEqual(
      [loaded.configuration?.scripts, instance(loaded).trackScripts, instance(loaded).notify],
      [[], [], {}],
    );
    assert.deepEqual(seen, ['/opt/none.sh', '/opt/none.sh']);
    assert.deepEqual(complaints(read(text)), [], 'nobody looked');
  });
  test('what everybody does is worth an info only', () => {
    const loaded = read(
      script('script /bin/true') +
        tracked
          .replace('_id 7', '_id 51')
          .replace(VIP, `${VIP}\n authentication {\n auth_type PASS\n auth_pass 1111\n }`),
    );
    assert.deepEqual([...codesOf(loaded)].sort(), ['I060', 'I061', 'I063']);
  });
});

describe('commands', () => {
  for (const [text, argv] of [
    ['/bin/true', ['/bin/true']],
    ['"/bin/echo a  b"', ['/bin/echo', 'a', 'b']],
    [`"/bin/echo 'a b' c"`, ['/bin/echo', 'a b', 'c']],
    [String.raw`"/bin/echo \"a b\" x\x41\101"`, ['/bin/echo', 'a b', 'xAA']],
    [`'/bin/echo k'`, ['/bin/echo', 'k']],
    ['"killall -0 haproxy" # cheap', ['killall', '-0', 'haproxy']],
    ['"/bin/e 这个"', ['/bin/e', '这个']],
  ] as const)
    test(`${text} is ${JSON.stringify(argv)}`, () => {
      assert.deepEqual(instance(read(one(`notify ${text}`))).notify.any, { argv });
    });
});
