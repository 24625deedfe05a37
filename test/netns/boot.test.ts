// Starts on a real network: a switch port that is deaf at first, the delays of the configuration, a lone machine.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inside, run } from '../../core/cli/demo/network.ts';
import { now } from '../../core/cli/demo/recorder.ts';
import { conf } from '../support/conf.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';

const text = (router: string, priority: number, globals: readonly string[] = []) =>
  conf({
    routerId: router,
    globals,
    instances: [{ priority, version: 3, advertInt: 0.2, nopreempt: true, vips: [`${VIP}/24`] }],
  });

async function withLab(name: string, body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name });
  try {
    await body(lab);
  } catch (error) {
    throw lab.explain(error);
  }
}

/** The switch forwards nothing at all, and says nothing that only a forwarding port delivers. */
async function block(lab: Lab): Promise<void> {
  const rules = ['forward', 'output'].map(
    (hook) => `add chain bridge stp ${hook} { type filter hook ${hook} priority 0; policy drop; }`,
  );
  await run('ip', ...inside(lab.network.bridge, 'nft', ['add table bridge stp', ...rules].join('\n')));
}

const unblock = (lab: Lab) => run('ip', ...inside(lab.network.bridge, 'nft', 'delete table bridge stp'));

describe('a start', { concurrency: 2, ...needs('root', 'ip', 'nft') }, () => {
  test('behind a port that forwards nothing at first, nopreempt survives: the better router stays backup', () =>
    withLab('deaf', async (lab) => {
      await lab.daemon('vipkeeper', 'r2', text('r2', 100)).up();
      await lab.master('r2', VIP);
      await lab.network.cable('r1', 'out');
      const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150));
      await r1.up();
      await block(lab);
      const began = now();
      await lab.network.cable('r1', 'in');
      await r1.says(/to=BACKUP/, 5_000);
      // three times the down timer of r1
      await lab.adverts('r2', 10);
      assert.deepEqual(lab.recorder.all('advert', began, { host: 'r1' }), [], 'r1 keeps silent while it is deaf');
      await unblock(lab);
      await r1.says(/carries traffic/, 5_000);
      await lab.adverts('r2', 10);
      assert.deepEqual(lab.recorder.all('advert', began, { host: 'r1' }), []);
      assert.ok(lab.recorder.alone('r2', VIP));
    }));

  test('vrrp_startup_delay: nothing is sent before it is over', () =>
    withLab('delay', async (lab) => {
      const began = now();
      const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150, ['vrrp_startup_delay 3']));
      await r1.up();
      await r1.says(/vrrp_startup_delay: nothing is sent/, 5_000);
      await lab.master('r1', VIP);
      const first = lab.recorder.first('advert', began, { host: 'r1' })!;
      assert.ok(first.t - began > 3_000, `the first advert came after ${first.t - began} ms`);
    }));
});
