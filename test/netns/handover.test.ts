// A priority that falls: between two of ours the backup takes over after its skew; a keepalived discards such adverts,
// so a master that knows it for better may resign.
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost } from '../support/bounds.ts';
import { conf } from '../support/conf.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';
const ADVERT = 2;

const text = (router: string, priority: number, extra: readonly string[] = []) =>
  conf({ routerId: router, instances: [{ priority, version: 3, advertInt: ADVERT, vips: [`${VIP}/24`], extra }] });

async function withLab(name: string, body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name });
  try {
    await body(lab);
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('a master whose priority falls', { concurrency: 3, ...needs('root', 'ip', 'keepalived') }, () => {
  test('is replaced by a backup of ours after its skew', () =>
    withLab('fall', async (lab) => {
      const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150));
      const r2 = lab.daemon('vipkeeper', 'r2', text('r2', 100));
      await Promise.all([r1.up(), r2.up()]);
      await lab.master('r1', VIP, 20_000);
      const began = now();
      r1.reload(text('r1', 90));
      await r2.says(/to=MASTER .*lower-priority/, 10_000);
      await lab.master('r2', VIP);
      // 156/256 of an interval, and not three intervals
      atMost(lab.tookAfter(began, 'r2', VIP), 2 * ADVERT * 1000, 'r2 took over');
    }));

  test('with fast_handover off the backup waits for its down timer', () =>
    withLab('slow', async (lab) => {
      const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150));
      const r2 = lab.daemon('vipkeeper', 'r2', text('r2', 100, ['fast_handover off']));
      await Promise.all([r1.up(), r2.up()]);
      await lab.master('r1', VIP, 20_000);
      r1.reload(text('r1', 90));
      await r2.says(/to=MASTER .*master-timeout/, 20_000);
    }));

  test('resigns to a keepalived that it knows for better, and holds the address until that one is heard', () =>
    withLab('resign', async (lab) => {
      const keepalived = lab.daemon('keepalived', 'r2', text('r2', 100));
      await keepalived.up();
      await lab.master('r2', VIP, 20_000);
      const r1 = lab.daemon('vipkeeper', 'r1', text('r1', 150, ['resign_when_outranked']));
      await r1.up();
      await lab.master('r1', VIP, 20_000);
      const began = now();
      r1.reload(text('r1', 90, ['resign_when_outranked']));
      await r1.says(/to=BACKUP .*resign/, 10_000);
      await lab.master('r2', VIP);
      atMost(lab.tookAfter(began, 'r2', VIP), 2 * ADVERT * 1000, 'r2 took over');
    }));
});
