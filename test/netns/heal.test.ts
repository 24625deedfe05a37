// A split brain that heals: one holder is left with the first advert, and the last announcement on the wire is the
// winner's, so that the traffic of every host finds it: with ours on both sides, and with keepalived on either.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { conf } from '../support/conf.ts';
import type { Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';

async function healed(name: string, winner: Kind, loser: Kind): Promise<void> {
  await using lab = await Lab.create({ name });
  const text = (router: string, priority: number) =>
    conf({ routerId: router, instances: [{ priority, version: 3, advertInt: 0.5, vips: [`${VIP}/24`] }] });
  const r1 = lab.daemon(winner, 'r1', text('r1', 150));
  const r2 = lab.daemon(loser, 'r2', text('r2', 100));
  try {
    await Promise.all([r1.up(), r2.up()]);
    await lab.master('r1', VIP);
    await lab.partition();
    const both = () => lab.recorder.holds('r1', VIP) && lab.recorder.holds('r2', VIP);
    await lab.recorder.wait('both hold the address', both, 10_000);
    await lab.adverts('r2', 2);
    const began = now();
    await lab.heal();
    await lab.master('r1', VIP);
    const last = (host: string) => lab.recorder.all('garp', began, { host, ip: VIP }).at(-1)?.t ?? 0;
    await lab.recorder.wait('the winner announces last', () => last('r1') > last('r2'), 10_000);
    assert.equal(lab.recorder.first('holding', began, { host: 'r1', ip: VIP, held: false }), undefined);
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('a split brain heals', { concurrency: 3, ...needs('root', 'ip', 'nft', 'keepalived') }, () => {
  test('between two of ours', () => healed('ours', 'vipkeeper', 'vipkeeper'));
  test('ours wins against keepalived', () => healed('wins', 'vipkeeper', 'keepalived'));
  test('ours loses to keepalived', () => healed('loses', 'keepalived', 'vipkeeper'));
});
