// A rival for the address on a real network: named, counted, answered; and a flood of such claims is only noise.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { conf } from '../support/conf.ts';
import type { Daemon } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';
const RIVAL = '02:00:00:00:00:66';
const FLOOD = join(import.meta.dirname, '..', 'support', 'arp-flood.ts');

async function withPair(name: string, body: (lab: Lab, r1: Daemon) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name });
  const text = (router: string, priority: number) =>
    conf({ routerId: router, instances: [{ priority, version: 3, advertInt: 0.2, vips: [`${VIP}/24`] }] });
  const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150));
  const r2 = lab.daemon('vipkeeper', 'r2', text('r2', 100));
  try {
    await Promise.all([r1.up(), r2.up()]);
    await lab.master('r1', VIP);
    await body(lab, r1);
  } catch (error) {
    throw lab.explain(error);
  }
}

const flood = (lab: Lab, rate: number, seconds: number) =>
  lab.network.exec('client', process.execPath, FLOOD, VIP, RIVAL, `${rate}`, `${seconds}`);

describe('somebody else claims the address', { concurrency: 2, ...needs('root', 'ip') }, () => {
  test('the master names the rival and announces the address again; nobody changes state', () =>
    withPair('rival', async (lab, r1) => {
      const said = r1.log.length;
      const began = now();
      await flood(lab, 1, 0);
      await r1.says(new RegExp(`${RIVAL} claims ${VIP}`), 5_000, said);
      const answered = () => lab.recorder.first('garp', began, { host: 'r1', ip: VIP }) !== undefined;
      await lab.recorder.wait('r1 announces again', answered, 5_000);
      await lab.adverts('r1', 5);
      assert.deepEqual(lab.recorder.all('advert', began, { host: 'r2' }), []);
    }));

  test('ten thousand claims a second: no takeover, no storm, hardly a line of log', () =>
    withPair('flood', async (lab, r1) => {
      const said = r1.log.length;
      const began = now();
      const sent = Number(await flood(lab, 10_000, 3));
      assert.ok(sent > 5_000, `${sent} frames went out`);
      await lab.adverts('r1', 3);
      assert.deepEqual(lab.recorder.all('advert', began, { host: 'r2' }), [], 'the backup never took over');
      // The bursts of a new master and of a lesser rival may still be under way: ten and ten.
      assert.ok(lab.recorder.all('garp', began, { host: 'r1' }).length <= 4 + 20, 'announcements are rationed');
      assert.ok(r1.log.length - said < 2_000, r1.log.slice(said));
    }));
});
