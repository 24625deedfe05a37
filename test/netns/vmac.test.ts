// Virtual MAC addresses on the wire, with keepalived in both parts and with ourselves, with and without macvlans: one master, frames from
// the right MAC address, clients reach the winner, and nothing is left behind by a stop, also after a crash.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, SHARED_MS } from '../support/bounds.ts';
import { conf, type InstanceText } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

interface Mode {
  readonly name: string;
  readonly version: 2 | 3;
  readonly ipv6?: true;
  /** Further lines of the instance on r1 and on r2. */
  readonly extra: readonly [readonly string[], readonly string[]];
}

const VMAC = ['use_vmac'];
const BASE = ['use_vmac', 'vmac_xmit_base'];

const MODES: readonly Mode[] = [
  { name: 'v2 vmac', version: 2, extra: [VMAC, VMAC] },
  { name: 'v3 vmac', version: 3, extra: [VMAC, VMAC] },
  { name: 'v3 vmac IPv6', version: 3, ipv6: true, extra: [VMAC, VMAC] },
  { name: 'v3 vmac base', version: 3, extra: [BASE, BASE] },
  { name: 'v3 vmac and base', version: 3, extra: [VMAC, BASE] },
  { name: 'v3 vmac and none', version: 3, extra: [VMAC, []] },
  { name: 'v3 none and vmac', version: 3, extra: [[], VMAC] },
];

const VIRTUAL = { 4: '00:00:5e:00:01:33', 6: '00:00:5e:00:02:33' } as const;
const COMPLAINT = /^.*(invalid|mismatch|incorrect|bogus|discard|drop|not match|unexpected).*$/im;
const HARMLESS = /received lower prio|discarding/i;

const vipOf = ({ ipv6 }: Mode): string => (ipv6 ? 'fd00::100' : '192.0.2.100');

function textFor(mode: Mode, node: 1 | 2, priority: number): string {
  const instance: InstanceText = {
    priority,
    version: mode.version,
    advertInt: mode.version === 2 ? 1 : 0.1,
    vips: mode.ipv6 ? ['fe80::5e:33/64', 'fd00::100/64'] : ['192.0.2.100/24'],
    extra: mode.extra[node - 1]!,
  };
  return conf({ routerId: `r${node}`, instances: [instance] });
}

/** A client gets an answer, from the MAC address that is due. */
async function reached(lab: Lab, vip: string, mac: string | undefined): Promise<void> {
  await lab.network.exec('client', 'ping', '-c', '3', '-i', '0.2', '-W', '2', vip);
  const neighbours = await lab.network.exec('client', 'ip', 'neigh', 'show', vip);
  if (mac !== undefined) assert.match(neighbours, new RegExp(mac), 'the client knows the virtual MAC address');
}

async function settings(lab: Lab, router: string): Promise<string> {
  const names = ['arp_ignore', 'arp_announce', 'arp_filter', 'rp_filter'].map((name) => `net.ipv4.conf.eth0.${name}`);
  return await lab.network.exec(router, 'sysctl', ...names);
}

async function pair(mode: Mode, kinds: readonly [Kind, Kind]): Promise<void> {
  await using lab = await Lab.create({ name: `${mode.name.replaceAll(' ', '')}-${kinds[0][0]}${kinds[1][0]}` });
  const { recorder } = lab;
  const vip = vipOf(mode);
  if (mode.ipv6) await lab.useIpv6();
  const virtual = VIRTUAL[mode.ipv6 ? 6 : 4];
  const ours = kinds[0] === 'vipkeeper' ? 'r1' : 'r2';
  const untouched = await settings(lab, ours);
  const master = lab.daemon(kinds[0], 'r1', textFor(mode, 1, 150));
  const backup = lab.daemon(kinds[1], 'r2', textFor(mode, 2, 100));
  try {
    await Promise.all([backup.up(), master.up()]);
    await lab.master('r1', vip);
    const steady = now();
    await lab.adverts('r1', mode.version === 2 ? 5 : 40);
    assert.deepEqual(recorder.all('holding', steady, { ip: vip }), [], 'the address stays');
    assert.deepEqual(recorder.all('advert', steady, { host: 'r2' }), [], 'the backup is silent');
    const [mine] = mode.extra;
    const isVirtual = mine.includes('use_vmac');
    const sent = new Set(recorder.all('advert', steady, { host: 'r1' }).map(({ mac }) => mac));
    // a keepalived that listens on the interface below its macvlan hears nothing else
    const deaf =
      kinds[1] === 'keepalived' && mode.extra[1].includes('vmac_xmit_base') && isVirtual && mine.length === 1;
    assert.equal(sent.size, deaf ? 2 : 1);
    assert.equal(sent.has(virtual), isVirtual && !mine.includes('vmac_xmit_base'), 'where adverts come from');
    const announced = new Set(recorder.all('garp', 0, { host: 'r1', ip: vip }).map(({ mac }) => mac));
    assert.deepEqual([announced.size, announced.has(virtual)], [1, isVirtual], 'where announcements come from');
    // keepalived lets its own MAC address slip out when it asks for the client's
    await reached(lab, vip, isVirtual && kinds[0] === 'vipkeeper' ? virtual : undefined);

    await master.stop();
    await lab.master('r2', vip);
    await reached(lab, vip, undefined);
    await master.up();
    await lab.master('r1', vip);
    await reached(lab, vip, undefined);
    const crash = now();
    await master.crash();
    await recorder.wait('the backup takes over', () => recorder.holds('r2', vip), 10_000);
    if (kinds[0] === 'vipkeeper') {
      await lab.master('r2', vip, 5_000);
      atMost(recorder.overlap('r1', 'r2', vip, crash), SHARED_MS, 'both held the VIP');
      await master.up();
      await lab.master('r1', vip);
    }
    for (const daemon of [master, backup].filter(({ kind }) => kind === 'keepalived')) {
      const complaints = daemon.log.split('\n').filter((line) => COMPLAINT.test(line) && !HARMLESS.test(line));
      assert.deepEqual(complaints, [], 'keepalived has nothing to complain of');
    }
    await (ours === 'r1' ? master : backup).stop();
    assert.doesNotMatch(await lab.network.exec(ours, 'ip', 'link'), /macvlan|vrrp/, 'no interface is left');
    assert.equal(await settings(lab, ours), untouched, 'the settings are as before');
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('virtual MAC addresses with keepalived', {
  concurrency: 4,
  ...needs('root', 'ip', 'keepalived', 'ping'),
}, () => {
  for (const mode of MODES) {
    test(`${mode.name}: ours the master, keepalived the backup`, () => pair(mode, ['vipkeeper', 'keepalived']));
    test(`${mode.name}: keepalived the master, ours the backup`, () => pair(mode, ['keepalived', 'vipkeeper']));
    if (mode.version === 3 && mode.extra[0] === mode.extra[1])
      test(`${mode.name}: ours twice`, () => pair(mode, ['vipkeeper', 'vipkeeper']));
  }
});
