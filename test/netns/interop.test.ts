// Our agent and the real keepalived as a pair, each in both parts: they elect the right one, nothing flaps, and a stop, a
// return and a crash each end as the protocol says.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, SHARED_MS } from '../support/bounds.ts';
import { conf, type InstanceText } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';

interface Mode {
  readonly name: string;
  readonly version: 2 | 3;
  readonly advertInt: number;
  readonly password?: string;
  readonly unicast: boolean;
  /** Adverts for which nothing may change. */
  readonly steady: number;
}

const MODES: readonly Mode[] = [
  { name: 'v2', version: 2, advertInt: 1, unicast: false, steady: 10 },
  { name: 'v2 unicast', version: 2, advertInt: 1, unicast: true, steady: 10 },
  { name: 'v2 PASS', version: 2, advertInt: 1, password: 's3cret', unicast: false, steady: 10 },
  { name: 'v2 PASS unicast', version: 2, advertInt: 1, password: 's3cret', unicast: true, steady: 10 },
  { name: 'v3', version: 3, advertInt: 0.1, unicast: false, steady: 100 },
  { name: 'v3 unicast', version: 3, advertInt: 0.1, unicast: true, steady: 30 },
];

const COMPLAINT = /^.*(invalid|mismatch|incorrect|bogus|discard|drop|not match|unexpected).*$/im;
/** What keepalived says of any peer that it outranks for a moment. */
const HARMLESS = /received lower prio/i;

function textFor(mode: Mode, node: 1 | 2, priority: number): string {
  const { version, advertInt, password } = mode;
  const instance: InstanceText = {
    priority,
    version,
    advertInt,
    vips: [`${VIP}/24`],
    ...(password ? { password } : {}),
    ...(mode.unicast ? { unicast: { source: `192.0.2.${node}`, peers: [`192.0.2.${3 - node}`] } } : {}),
  };
  return conf({ routerId: `r${node}`, instances: [instance] });
}

async function pair(mode: Mode, kinds: readonly [Kind, Kind]): Promise<void> {
  await using lab = await Lab.create({ name: `${mode.name.replaceAll(' ', '')}-${kinds[0][0]}` });
  const { recorder } = lab;
  const master = lab.daemon(kinds[0], 'r1', textFor(mode, 1, 150));
  const backup = lab.daemon(kinds[1], 'r2', textFor(mode, 2, 100));
  try {
    await Promise.all([backup.up(), master.up()]);
    await lab.master('r1', VIP);
    const steady = now();
    await lab.adverts('r1', mode.steady);
    assert.deepEqual(recorder.all('holding', steady, { ip: VIP }), [], 'the address stays');
    assert.deepEqual(recorder.all('advert', steady, { host: 'r2' }), [], 'the backup is silent');

    await master.stop();
    await lab.master('r2', VIP);
    await master.up();
    await lab.master('r1', VIP);
    const crash = now();
    await master.crash();
    await recorder.wait('the backup takes over', () => recorder.holds('r2', VIP), 10_000);
    if (kinds[0] === 'vipkeeper') {
      await lab.master('r2', VIP, 5_000);
      atMost(recorder.overlap('r1', 'r2', VIP, crash), SHARED_MS, 'both held the VIP');
    }
    for (const daemon of [master, backup].filter(({ kind }) => kind === 'keepalived')) {
      const complaints = daemon.log.split('\n').filter((line) => COMPLAINT.test(line) && !HARMLESS.test(line));
      assert.deepEqual(complaints, [], 'keepalived has nothing to complain of');
    }
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('with keepalived', { concurrency: 6, ...needs('root', 'ip', 'keepalived') }, () => {
  for (const mode of MODES) {
    test(`${mode.name}: ours the master, keepalived the backup`, () => pair(mode, ['vipkeeper', 'keepalived']));
    test(`${mode.name}: keepalived the master, ours the backup`, () => pair(mode, ['keepalived', 'vipkeeper']));
  }
});
