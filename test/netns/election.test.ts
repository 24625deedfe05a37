// Who becomes master, and who does not: weights that are too small, scripts that cannot run, nopreempt, equals, the
// address owner. Version 3 with ten adverts a second, where the meaning is the same as at one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { conf, type FileText, type InstanceText } from '../support/conf.ts';
import { AGENT } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';

const quick = (router: string, instance: Partial<InstanceText> & { priority: number }, rest: Partial<FileText> = {}) =>
  conf({
    routerId: router,
    instances: [{ version: 3, advertInt: 0.1, vips: [`${VIP}/24`], ...instance }],
    ...rest,
  });

/** Runs a story in a lab of its own; failures tell the daemons' logs. */
async function story(name: string, body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name });
  try {
    await body(lab);
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('election', { concurrency: 3, ...needs('root', 'ip') }, () => {
  test('A18: a weight smaller than the gap never moves the address', () =>
    story('weight', async (lab) => {
      const working = join(lab.directory, 'web');
      writeFileSync(working, '');
      const command = lab.script('check_web.sh', `#!/bin/sh\ntest -e ${working}\n`);
      const good = lab.script('good.sh', '#!/bin/sh\nexit 0\n');
      const text = (router: string, priority: number, script: string) =>
        quick(
          router,
          { priority, trackScripts: ['check_web'] },
          {
            scripts: [{ name: 'check_web', command: script, weight: 2 }],
          },
        );
      await lab.daemon('vipkeeper', 'r1', text('r1', 150, command)).up();
      await lab.daemon('vipkeeper', 'r2', text('r2', 100, good)).up();
      await lab.master('r1', VIP);
      const { recorder } = lab;
      await recorder.wait('152', () => recorder.first('advert', 0, { host: 'r1', priority: 152 }) !== undefined, 5_000);
      const began = now();
      rmSync(working);
      await recorder.wait(
        '150',
        () => recorder.first('advert', began, { host: 'r1', priority: 150 }) !== undefined,
        5_000,
      );
      await lab.adverts('r1', 20);
      assert.deepEqual(recorder.all('holding', began, { ip: VIP }), []);
    }));

  test('A19: a script that is not there is named in the log and in the status, and the pair works', () =>
    story('noscript', async (lab) => {
      const missing = join(lab.directory, 'nowhere.sh');
      const plain = lab.script('plain.sh', '#!/bin/sh\nexit 0\n');
      execFileSync('chmod', ['644', plain]);
      const daemon = await lab
        .daemon(
          'vipkeeper',
          'r1',
          quick(
            'r1',
            { priority: 100, trackScripts: ['chk_missing', 'chk_plain'] },
            {
              scripts: [
                { name: 'chk_missing', command: missing, weight: -10 },
                { name: 'chk_plain', command: plain, weight: -10 },
              ],
            },
          ),
        )
        .up();
      await lab.master('r1', VIP);
      await daemon.says(/chk_missing/, 5_000);
      await daemon.says(/chk_plain/, 5_000);
      const status = JSON.stringify(await daemon.status());
      assert.match(status, /chk_missing/);
      assert.match(status, /chk_plain/);
      assert.equal(lab.recorder.all('advert', 0, { host: 'r1' }).at(-1)?.priority, 100, 'they do not count');
    }));

  test('A21: with nopreempt the better one that returns leaves the address where it is', () =>
    story('nopreempt', async (lab) => {
      const r1 = await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 150, nopreempt: true })).up();
      await lab.master('r1', VIP);
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100, nopreempt: true })).up();
      await r1.stop();
      await lab.master('r2', VIP);
      await r1.up();
      const began = now();
      await lab.adverts('r2', 20);
      assert.deepEqual(lab.recorder.all('holding', began, { ip: VIP }), []);
      assert.deepEqual(lab.recorder.all('advert', began, { host: 'r1' }), []);
    }));

  test('A23: among equals the first one stays, whatever the addresses', () =>
    story('equals', async (lab) => {
      const { recorder } = lab;
      await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 100 })).up();
      await lab.master('r1', VIP);
      const r2 = await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      const began = now();
      await lab.adverts('r1', 20);
      await r2.stop();
      await r2.up();
      await lab.adverts('r1', 20);
      assert.deepEqual(recorder.all('holding', began, { ip: VIP }), []);
      assert.deepEqual(recorder.all('advert', began, { host: 'r2' }), []);
    }));

  test('A24: the address owner takes over without waiting', () =>
    story('owner', async (lab) => {
      const { recorder } = lab;
      const slow = { version: 2 as const, advertInt: 1 };
      await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 100, ...slow })).up();
      await lab.master('r1', VIP);
      const r2 = await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 255, ...slow })).up();
      await lab.master('r2', VIP);
      // It never was a backup that waited for three adverts: its first state is MASTER.
      assert.doesNotMatch(r2.log, /to=BACKUP/);
      assert.equal(recorder.all('advert', 0, { host: 'r2' })[0]?.priority, 255);
    }));

  test('A24: priorities that are none are refused with their place in the file', () => {
    for (const wrong of ['256', '-1', 'abc']) {
      const directory = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
      try {
        const file = join(directory, 'keepalived.conf');
        writeFileSync(file, quick('r1', { priority: 100 }).replace('priority 100', `priority ${wrong}`));
        const done = spawnSync(process.execPath, [AGENT, 'check-config', '--strict', file], { encoding: 'utf8' });
        const printed = done.stdout + done.stderr;
        assert.equal(done.status, 1, printed);
        assert.match(printed, /keepalived\.conf:\d+:\d+/);
        assert.ok(printed.includes(wrong), printed);
      } finally {
        rmSync(directory, { recursive: true });
      }
    }
  });
});
