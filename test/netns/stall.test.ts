// What becomes of the address when the agent that has it dies, is stopped, or hangs: it never answers for long beside
// the one that took over, and who wakes up again sees that it is master no more.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, SHARED_MS } from '../support/bounds.ts';
import { conf } from '../support/conf.ts';
import type { Daemon } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';
const DEFECTIVE = join(import.meta.dirname, '..', 'support', 'defective-agent.ts');

/** A pair of ours with r1 the master; version 3, half a second between adverts. */
async function withPair(name: string, body: (lab: Lab, r1: Daemon) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name, arpWatch: [VIP] });
  const text = (router: string, priority: number) =>
    conf({ routerId: router, instances: [{ priority, version: 3, advertInt: 0.5, vips: [`${VIP}/24`] }] });
  const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150), DEFECTIVE);
  const r2 = lab.daemon('vipkeeper', 'r2', text('r2', 100));
  try {
    await Promise.all([r1.up(), r2.up()]);
    await lab.master('r1', VIP);
    await body(lab, r1);
  } catch (error) {
    throw lab.explain(error);
  }
}

/** From the first ARP answer of the new holder on: how long the old one went on answering, in ms. */
function answeredBeside(lab: Lab, since: number): number {
  const first = lab.recorder.first('arp', since, { host: 'r2', ip: VIP });
  const last = first && lab.recorder.all('arp', first.t, { host: 'r1', ip: VIP }).at(-1);
  return first && last ? last.t - first.t : 0;
}

async function takenOver(lab: Lab, since: number): Promise<void> {
  await lab.recorder.wait('r2 takes the VIP', () => lab.recorder.holds('r2', VIP), 15_000);
  await lab.master('r2', VIP, 5_000);
  atMost(lab.recorder.overlap('r1', 'r2', VIP, since), SHARED_MS, 'both held the VIP');
  atMost(answeredBeside(lab, since), SHARED_MS, 'both answered for the VIP');
}

describe('an agent that stalls', { concurrency: 3, ...needs('root', 'ip') }, () => {
  test('SIGKILL: the kernel lets the address go', () =>
    withPair('kill', async (lab, r1) => {
      const began = now();
      await r1.crash();
      await takenOver(lab, began);
    }));

  test('SIGSTOP and SIGCONT: it wakes up as a backup, says so, and takes the address back in order', () =>
    withPair('stop', async (lab, r1) => {
      const began = now();
      const said = r1.log.length;
      r1.signal('SIGSTOP');
      await takenOver(lab, began);
      // Three seconds of sleep and more: six adverts of the other one.
      const slept = () => lab.recorder.all('advert', began, { host: 'r2' }).length >= 6;
      await lab.recorder.wait('six adverts of r2', slept, 10_000);
      assert.ok(lab.recorder.alone('r2', VIP));
      const woke = now();
      r1.signal('SIGCONT');
      await r1.says(/stall|fenced/, 5_000, said);
      await lab.master('r1', VIP);
      atMost(lab.recorder.overlap('r1', 'r2', VIP, woke), SHARED_MS, 'both held the VIP');
      const handover = lab.recorder.first('holding', woke, { host: 'r1', ip: VIP, held: true })!;
      assert.ok(handover.t - woke > 500, 'it listened before it spoke');
    }));

  test('a main thread that spins for ever: the engine gives the address up', () =>
    withPair('spin', async (lab, r1) => {
      const began = now();
      r1.signal('SIGWINCH');
      await takenOver(lab, began);
      await lab.adverts('r2', 6);
      assert.ok(lab.recorder.alone('r2', VIP), 'and does not take it back');
    }));

  test('a bug in the main thread: the address is given up, the reason is logged, the process ends with 70', () =>
    withPair('bug', async (lab, r1) => {
      const began = now();
      r1.signal('SIGURG');
      await r1.says(/bug error=.*somebody divided by zero/, 5_000);
      assert.deepEqual(await r1.ended, { code: 70, signal: null });
      await takenOver(lab, began);
    }));
});
