// Elections on a LAN as their users described them: what dies and what does not, passwords that differ, one master and
// many backups, the timers of the standard as they are seen on the wire.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import type { Daemon } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { quick, story, until, VIP } from '../support/story.ts';

describe('on a LAN', { concurrency: 3, ...needs('root', 'ip', 'nft') }, () => {
  test('A8: whatever child of the agent is killed, the address stays and the backup stays backup', () =>
    story('children', async (lab) => {
      const { recorder } = lab;
      const hanging = lab.script('hanging.sh', '#!/bin/sh\nexec sleep 60\n');
      const scripts = [{ name: 'hanging', command: hanging, interval: 1, weight: 5 }];
      const master = await lab
        .daemon('vipkeeper', 'r1', quick('r1', { priority: 150, trackScripts: ['hanging'] }, { scripts }))
        .up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      await until('it has a child', () => childrenOf(master.pid).length > 0);
      const began = now();
      for (let killed = 0; killed < 3; killed++) {
        await until('another child', () => childrenOf(master.pid).length > 0);
        for (const child of childrenOf(master.pid)) kill(child);
      }
      await lab.adverts('r1', 20);
      assert.equal(master.running, true);
      assert.equal(recorder.alone('r1', VIP), true);
      assert.equal(recorder.first('advert', began, { host: 'r2' }), undefined, 'the backup never spoke');
      assert.equal(recorder.first('holding', began, { host: 'r1', ip: VIP, held: false }), undefined);
    }));

  test('A11, A15: where adverts are dropped both hold the address: told and shown as a conflict, over when they pass', () =>
    story('split', async (lab) => {
      const { recorder } = lab;
      const conflictOf = async (daemon: Daemon) =>
        ((await daemon.status()) as Pick<StatusReport, 'instances'>).instances[0]?.conflict;
      const one = await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 150 })).up();
      const other = await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      // An ordinary failover is none: nobody claims what somebody else holds.
      await one.stop();
      await lab.master('r2', VIP);
      await one.up();
      await lab.master('r1', VIP);
      const before = [one.log.length, other.log.length] as const;
      assert.equal(await conflictOf(one), null);
      await lab.partition();
      await recorder.wait('both', () => recorder.holds('r1', VIP) && recorder.holds('r2', VIP), 10_000);
      await one.says(/warning .*\(VI_1\) [0-9a-f:]{17} claims 192\.0\.2\.100 on eth0, too/, 10_000, before[0]);
      await until('the status shows it', async () => (await conflictOf(one))?.address === VIP);
      const healed = now();
      await lab.heal();
      await lab.master('r1', VIP);
      assert.equal(recorder.first('holding', healed, { host: 'r1', ip: VIP, held: false }), undefined);
      await recorder.wait('r1 announces', () => !!recorder.first('garp', healed, { host: 'r1', ip: VIP }), 5_000);
    }));

  test('A13: with different passwords both hold the address, and both say and show why', () =>
    story('passwords', async (lab) => {
      const { recorder } = lab;
      const text = (router: string, priority: number, password: string) =>
        quick(router, { priority, password, version: 2, advertInt: 1 });
      const one = await lab.daemon('vipkeeper', 'r1', text('r1', 150, 'right')).up();
      const other = await lab.daemon('vipkeeper', 'r2', text('r2', 100, 'wrong')).up();
      await recorder.wait('both', () => recorder.holds('r1', VIP) && recorder.holds('r2', VIP), 15_000);
      await one.says(/warning dropped instance=VI_1 why=auth-failure source=192\.0\.2\.2/, 10_000);
      await other.says(/warning dropped instance=VI_1 why=auth-failure source=192\.0\.2\.1/, 10_000);
      assert.doesNotMatch(one.log + other.log, /right|wrong/, 'no password is told');
      const { instances } = (await other.status()) as Pick<StatusReport, 'instances'>;
      assert.ok((instances[0]?.statistics.drops['auth-failure'] ?? 0) > 0, 'the status counts them');
    }));

  test('A32: of one master and two backups the next priority takes over each time, and gives way in order', () =>
    story({ name: 'three', routers: ['192.0.2.1/24', '192.0.2.2/24', '192.0.2.3/24'] }, async (lab) => {
      const { recorder } = lab;
      const priorities = { r1: 150, r2: 120, r3: 100 } as const;
      const daemons = Object.entries(priorities).map(([router, priority]) => {
        return { router, daemon: lab.daemon('vipkeeper', router, quick(router, { priority })) };
      });
      await Promise.all(daemons.map(({ daemon }) => daemon.up()));
      await lab.master('r1', VIP);
      let began = now();
      await daemons[0]!.daemon.crash();
      await recorder.wait('r2 holds it', () => recorder.holds('r2', VIP), 10_000);
      assert.equal(recorder.first('advert', began, { host: 'r3' }), undefined, 'the skew kept r3 silent');
      await lab.master('r2', VIP);
      began = now();
      await daemons[1]!.daemon.stop();
      await lab.master('r3', VIP);
      await daemons[1]!.daemon.up();
      await lab.master('r2', VIP);
      await daemons[0]!.daemon.up();
      await lab.master('r1', VIP);
    }));

  test('A33: nobody takes over before three adverts and its skew have passed, in v3 and in v2', () =>
    story('timers', async (lab) => {
      const { recorder } = lab;
      for (const { version, advertInt, skew } of [
        // (256 − 100) / 256 of the master's interval, and of a second
        { version: 3, advertInt: 0.2, skew: 121.875 },
        { version: 2, advertInt: 1, skew: 609.375 },
      ] as const) {
        const text = (router: string, priority: number) => quick(router, { priority, version, advertInt });
        const master = await lab.daemon('vipkeeper', 'r1', text('r1', 200)).up();
        const backup = await lab.daemon('vipkeeper', 'r2', text('r2', 100)).up();
        await lab.master('r1', VIP);
        const began = now();
        await lab.adverts('r1', 2);
        await master.crash();
        await recorder.wait('r2 advertises', () => !!recorder.first('advert', began, { host: 'r2' }), 15_000);
        const last = recorder.all('advert', began, { host: 'r1' }).at(-1)!.t;
        const first = recorder.first('advert', began, { host: 'r2' })!.t;
        // The frames are stamped after they passed the machine: half a millisecond is theirs.
        assert.ok(first - last >= 3 * advertInt * 1000 + skew - 0.5, `v${version}: ${first - last} ms`);
        await backup.stop();
      }
    }));
});

const childrenOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  });

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
