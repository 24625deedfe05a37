// An ordinary stop costs the client next to nothing: the agent that leaves goes on answering until its successor is
// heard, where keepalived's order leaves nobody for the whole skew time (609 ms here).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost } from '../support/bounds.ts';
import { conf } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';
/** Far below the skew time of priority 100 at one advert a second, far above what a busy machine loses. */
const OUTAGE_MS = 50;

async function stop(successor: Kind): Promise<void> {
  await using lab = await Lab.create({ name: `to-${successor}` });
  const { recorder } = lab;
  const text = (router: string, priority: number) =>
    conf({ routerId: router, instances: [{ priority, vips: [`${VIP}/24`] }] });
  const ours = lab.daemon('vipkeeper', 'r1', text('r1', 150));
  const other = lab.daemon(successor, 'r2', text('r2', 100));
  try {
    await Promise.all([ours.up(), other.up()]);
    await lab.master('r1', VIP);
    const prober = await lab.probe(VIP);
    await lab.adverts('r1', 1);

    const began = now();
    assert.deepEqual(await ours.stop(), { code: 0, signal: null });
    await lab.master('r2', VIP);
    atMost((await prober.outage(began)).longest, OUTAGE_MS, 'the client was without an answer');
    assert.ok(prober.answers(began).get('r2'), 'the successor answers');
    atMost(recorder.overlap('r1', 'r2', VIP, began), 500, 'both held the VIP');
    assert.equal(recorder.bound('r1', VIP), false);

    const back = now();
    await ours.up();
    await lab.master('r1', VIP);
    atMost((await prober.outage(back)).longest, OUTAGE_MS, 'the client was without an answer at the return');

    assert.ok(other.running);
    await other.stop();
    const last = now();
    assert.deepEqual(await ours.stop(), { code: 0, signal: null }, 'without a successor it ends all the same');
    atMost(now() - last, 8_000, 'the stop without a successor');
    await recorder.wait('nobody has the VIP', () => recorder.holders(VIP).length === 0, 1_000);
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('SIGTERM to the master', { concurrency: 2, ...needs('root', 'ip', 'keepalived') }, () => {
  test('ours succeeds it', () => stop('vipkeeper'));
  test('keepalived succeeds it', () => stop('keepalived'));
});
