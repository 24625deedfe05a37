// keepalived's dumps: the keys in keepalived's order, its words for addresses and states, and no secret in any of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keepalivedData } from '../../core/control/keepalived-data.ts';
import { addressText, type DumpSources, dumpFile } from '../../core/control/keepalived-dump.ts';
import { keepalivedJson } from '../../core/control/keepalived-json.ts';
import { keepalivedStats } from '../../core/control/keepalived-stats.ts';
import { ip } from '../../core/net/address.ts';
import { SAMPLE_GLOBALS } from './sample-dump.ts';
import { sources as statusSources } from './sample-report.ts';

function sources(): DumpSources {
  const { config, snapshots, scripts } = statusSources();
  const [first, ...others] = config.instances;
  const secret = { ...first!, authentication: { type: 'PASS', password: 'geheim12' } as const };
  return {
    config: { ...config, instances: [secret, ...others], globals: SAMPLE_GLOBALS, scripts: [] },
    snapshots,
    scripts,
    resolve: (program) => program,
  };
}

/** Those that 2.2.7 always writes, in its order. */
const DATA = `iname dont_track_primary skip_check_adv_addr strict_mode vmac_ifname ifp_ifname master_priority
  last_transition garp_delay garp_refresh garp_rep garp_refresh_rep garp_lower_prio_delay garp_lower_prio_rep
  lower_prio_no_advert higher_prio_send_advert vrid base_priority effective_priority vipset promote_secondaries
  adver_int master_adver_int accept nopreempt preempt_delay state wantstate version smtp_alert notify_deleted`;
const STATS = `advert_rcvd advert_sent become_master release_master packet_len_err advert_interval_err ip_ttl_err
  invalid_type_rcvd addr_list_err invalid_authtype authtype_mismatch auth_failure pri_zero_rcvd pri_zero_sent`;
const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

describe('JSON', () => {
  const v1 = JSON.parse(keepalivedJson(sources(), 1));

  test('version 1 is an array, version 2 an object of the same', () => {
    assert.equal(v1.length, 2);
    assert.deepEqual(JSON.parse(keepalivedJson(sources(), 2)), { vrrp: v1 });
  });

  test('keys are keepalived’s, in its order', () => {
    for (const { data, stats } of v1) {
      assert.deepEqual(Object.keys(data).slice(0, words(DATA).length), words(DATA));
      assert.deepEqual(Object.keys(stats), words(STATS));
    }
  });

  test('states are numbers', () => {
    assert.deepEqual(
      v1.map(({ data }: { data: { state: number } }) => data.state),
      [2, 3],
    );
  });

  test('authentication headers are type 2; instances with signatures count what these refused, others do not', () => {
    const plain = sources();
    const [first, ...others] = plain.config.instances;
    const [snapshot, ...rest] = plain.snapshots;
    const hmac = { keys: [], activeKey: 1, antiReplay: 'time', timeWindow: 5, mode: 'enforce' } as const;
    const authentication = { type: 'AH', password: 'geheim12' } as const;
    const statistics = { ...snapshot!.statistics, drops: { 'hmac-stale': 3, 'auth-replay': 2 } as const };
    const signed: DumpSources = {
      ...plain,
      config: { ...plain.config, instances: [{ ...first!, authentication, hmac }, ...others] },
      snapshots: [{ ...snapshot!, statistics }, ...rest],
    };
    const [{ data, stats }, second] = JSON.parse(keepalivedJson(signed, 1));
    assert.deepEqual([data.auth_type, stats.auth_failure, stats.auth_ext_stale, stats.auth_ext_replay], [2, 2, 3, 0]);
    assert.deepEqual(Object.keys(second.stats), words(STATS));
    assert.match(keepalivedData(signed), /Authentication type = IPSEC_AH/);
    for (const text of [keepalivedJson(signed, 2), keepalivedData(signed), keepalivedStats(signed)])
      assert.doesNotMatch(text, /geheim/);
  });

  test('the password is not there', () => {
    assert.equal(v1[0].data.auth_type, 1);
    assert.equal(v1[0].data.auth_data, '********');
  });
});

test('no dump holds the password', () => {
  for (const text of [keepalivedJson(sources(), 2), keepalivedData(sources()), keepalivedStats(sources())])
    assert.doesNotMatch(text, /geheim/);
});

test('statistics have a block of fixed lines for each virtual router', () => {
  const blocks = keepalivedStats(sources()).split(/^(?=VRRP Instance)/m);
  assert.deepEqual(
    blocks.map((block) => block.split('\n').length - 1),
    [19, 19],
  );
  assert.match(
    blocks[0]!,
    /^VRRP Instance: VI_1\n {2}Advertisements:\n {4}Received: 0\n {4}Sent: 0\n {2}Became master: 0\n/,
  );
});

test('data_use_instance puts namespace and instance into the names', () => {
  const named = { ...SAMPLE_GLOBALS, networkNamespace: 'ns1', instanceName: 'i1' };
  assert.equal(dumpFile('/tmp/keepalived.json', named), '/tmp/keepalived.json');
  assert.equal(dumpFile('/tmp/keepalived.json', { ...named, dataUseInstance: true }), '/tmp/keepalived_ns1_i1.json');
  assert.equal(dumpFile('/a.b/dump', { ...SAMPLE_GLOBALS, dataUseInstance: true, instanceName: 'x' }), '/a.b/dump_x');
});

describe('addresses as keepalived writes them', () => {
  const vip = { address: ip('192.0.2.100'), prefix: 24, device: 'eth0', scope: 0 };
  const cases = [
    [vip, true, '192.0.2.100/24 dev eth0 scope global set'],
    [{ ...vip, prefix: 32, scope: 253, label: 'eth0:1' }, true, '192.0.2.100 dev eth0 scope link label eth0:1 set'],
    [{ ...vip, prefix: 32, broadcast: ip('192.0.2.255') }, false, '192.0.2.100 brd 192.0.2.255 dev eth0 scope global'],
    [{ ...vip, noTrack: true }, false, '192.0.2.100/24 dev eth0 scope global no_track'],
    [
      { ...vip, address: ip('2001:db8::1'), prefix: 64 },
      true,
      '2001:db8::1/64 dev eth0 scope global preferred_lft forever set',
    ],
  ] as const;
  for (const [given, held, text] of cases) test(text, () => assert.equal(addressText(given, held), text));
});
