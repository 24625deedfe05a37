// Accept_Mode: which addresses are refused and how the rules read; where they cannot be set, the instance is held in FAULT.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AcceptMode, acceptRules } from '../../core/agent/accept-mode.ts';
import type { Configuration, GlobalDefs, InstanceConfig } from '../../core/config/model.ts';
import { judgeLinks } from '../../core/engine/link-verdict.ts';
import { priority } from '../../core/units.ts';
import { instance, virtualIp } from '../engine/instances.ts';
import { globals } from './sample-config.ts';

function configuration(instances: readonly InstanceConfig[], more: Partial<GlobalDefs> = {}): Configuration {
  return { globals: { ...globals(), ...more }, scripts: [], instances, groups: [] };
}

const closed = (changes: Partial<InstanceConfig> = {}): InstanceConfig => instance({ accept: false, ...changes });

/** A packet filter that remembers its scripts. */
function filter(why?: string) {
  const scripts: string[] = [];
  const said: string[] = [];
  const firewall = {
    apply(script: string) {
      scripts.push(script);
      return why;
    },
  };
  const logger = { log: (_level: string, event: string) => void said.push(event), limited: () => {} };
  return { mode: new AcceptMode(firewall, logger as never), scripts, said };
}

describe('accept mode', () => {
  test('the rules name what a master that is no owner drops, and let neighbour discovery through', () => {
    const vips = [virtualIp('10.0.0.1'), virtualIp('fd00::1', 64), { ...virtualIp('fe80::1', 64), device: 'vrrp.51' }];
    const rules = acceptRules(
      configuration([
        closed({ vips, excludedVips: [virtualIp('10.0.0.2')] }),
        instance({ name: 'open', vips: [virtualIp('10.0.0.3')] }),
        closed({ name: 'owner', priority: priority(255), vips: [virtualIp('10.0.0.4')] }),
      ]),
    );
    assert.match(rules, /^add table inet vipkeeper\ndelete table inet vipkeeper\n/);
    assert.match(rules, /set refused4 \{ type ipv4_addr; elements = \{ 10\.0\.0\.1, 10\.0\.0\.2 \};/);
    assert.match(rules, /set refused6 \{ type ipv6_addr; elements = \{ fd00::1 \};/);
    assert.match(rules, /elements = \{ fe80::1 \. "vrrp\.51" \};/);
    assert.match(rules, /priority -1;/);
    assert.ok(rules.indexOf('nd-neighbor-solicit') < rules.indexOf('daddr'));
    assert.doesNotMatch(rules, /10\.0\.0\.[34]|counter/);
  });

  test('table, priority and counters are those of the file; several agents have tables of their own', () => {
    const nftables = { table: 'keepalived', priority: 5, counters: true };
    assert.match(
      acceptRules(configuration([closed()], { nftables })),
      /table inet keepalived \{[\s\S]*priority 5;[\s\S]*counter drop/,
    );
    assert.match(acceptRules(configuration([closed()], { instanceName: 'blue-1' })), /table inet vipkeeper_blue_1 \{/);
  });

  test('nothing is asked of the packet filter while nobody wants it', () => {
    const { mode, scripts } = filter();
    const open = configuration([instance()]);
    assert.equal(mode.configure(open), open);
    mode.close();
    assert.deepEqual(scripts, []);
  });

  test('the table goes when nobody wants it any more, when its name changes, and at the end', () => {
    const { mode, scripts } = filter();
    mode.configure(configuration([closed()]));
    mode.configure(configuration([instance()]));
    mode.configure(configuration([closed()]));
    mode.configure(configuration([closed()], { nftables: { table: 'other' } }));
    mode.close();
    const removal = (name: string) => `add table inet ${name}\ndelete table inet ${name}\n`;
    assert.deepEqual(
      scripts.map((script) => (script.includes('chain') ? 'rules' : script)),
      ['rules', removal('vipkeeper'), 'rules', removal('vipkeeper'), 'rules', removal('other')],
    );
  });

  test('where the rules cannot be set, the instance is in FAULT and says why; others are not concerned', () => {
    const { mode, said } = filter('the program nft is not installed');
    const [first, second] = mode.configure(configuration([closed(), instance({ name: 'open' })])).instances;
    assert.equal(second!.blocked, undefined);
    assert.deepEqual(said, ['no-accept']);
    const links = { get: () => ({ running: true }) as never, primaryAddress: () => virtualIp('10.0.0.9').address };
    const { faults } = judgeLinks(first!, {}, { links, isVirtual: () => false, bfdState: () => undefined } as never);
    assert.deepEqual(faults, ['packets to its addresses cannot be refused: the program nft is not installed']);
  });
});
