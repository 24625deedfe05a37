// VRRP over IPv6 with keepalived in both parts, by multicast and unicast: they elect the right one, the addresses are usable
// at once, the neighbours are told as RFC 9568 §6.4.2 wants it, and a stop, a return and a crash end well.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, SHARED_MS } from '../support/bounds.ts';
import { conf } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

interface Mode {
  readonly name: string;
  /** How unicast peers are addressed. */
  readonly peers?: 'fe80' | 'fd00';
  readonly vips: readonly string[];
}

const BOTH = ['fe80::5e:33/64', 'fd00::100/64'];
const VIP = 'fd00::100';
const MODES: readonly Mode[] = [
  { name: 'multicast', vips: BOTH },
  { name: 'unicast between global addresses', peers: 'fd00', vips: BOTH },
  { name: 'unicast between link-local addresses', peers: 'fe80', vips: BOTH },
  { name: 'without a link-local address', vips: ['fd00::100/64'] },
];

const COMPLAINT = /^.*(invalid|mismatch|incorrect|bogus|drop|not match|unexpected).*$/im;

async function pair({ name, peers, vips }: Mode, kinds: readonly [Kind, Kind]): Promise<void> {
  await using lab = await Lab.create({ name: `six${MODES.findIndex((one) => one.name === name)}${kinds[0][0]}` });
  const { recorder } = lab;
  await lab.useIpv6();
  const text = (node: 1 | 2, priority: number): string =>
    conf({
      routerId: `r${node}`,
      instances: [
        {
          priority,
          version: 3,
          advertInt: 0.1,
          vips,
          ...(peers && { unicast: { source: `${peers}::${node}`, peers: [`${peers}::${3 - node}`] } }),
        },
      ],
    });
  const master = lab.daemon(kinds[0], 'r1', text(1, 150));
  const backup = lab.daemon(kinds[1], 'r2', text(2, 100));
  const reached = (): Promise<string> =>
    lab.network.exec('client', 'ping', '-c', '2', '-i', '0.2', '-W', '2', VIP).catch((error: unknown) => {
      throw new Error(`the client does not reach ${VIP}`, { cause: error });
    });
  try {
    await Promise.all([backup.up(), master.up()]);
    await lab.master('r1', VIP);
    const steady = now();
    await lab.adverts('r1', 40);
    assert.deepEqual(recorder.all('holding', steady, { ip: VIP }), [], 'the address stays');
    assert.deepEqual(recorder.all('advert', steady, { host: 'r2' }), [], 'the backup is silent');
    const source = recorder.all('advert', steady, { host: 'r1' })[0]?.source;
    assert.equal(source, peers === 'fd00' ? 'fd00::1' : 'fe80::1', 'adverts come from the link-local address');
    await reached();
    if (kinds[0] === 'vipkeeper') {
      const bound = await lab.network.exec('r1', 'ip', '-6', 'addr', 'show', 'dev', 'eth0', 'to', VIP);
      assert.match(bound, /nodad/, 'no time is lost with duplicate address detection');
      assert.doesNotMatch(bound, /tentative|dadfailed/);
    }
    await master.stop();
    await lab.master('r2', VIP);
    await reached();
    await master.up();
    await lab.master('r1', VIP);
    await reached();
    const crash = now();
    await master.crash();
    await recorder.wait('the backup takes over', () => recorder.holds('r2', VIP), 10_000);
    if (kinds[0] === 'vipkeeper') {
      await lab.master('r2', VIP, 5_000);
      atMost(recorder.overlap('r1', 'r2', VIP, crash), SHARED_MS, 'both held the VIP');
      await reached();
    }
    for (const daemon of [master, backup].filter(({ kind }) => kind === 'keepalived')) {
      const complaints = daemon.log.split('\n').filter((line) => COMPLAINT.test(line) && !/lower prio/.test(line));
      assert.deepEqual(complaints, [], 'keepalived has nothing to complain of');
    }
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('IPv6 with keepalived', { concurrency: 4, ...needs('root', 'ip', 'keepalived', 'ping') }, () => {
  for (const mode of MODES) {
    test(`${mode.name}: ours the master, keepalived the backup`, () => pair(mode, ['vipkeeper', 'keepalived']));
    test(`${mode.name}: keepalived the master, ours the backup`, () => pair(mode, ['keepalived', 'vipkeeper']));
  }
});
