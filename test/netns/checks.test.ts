// Checks without scripts steer elections: a service dies and returns on one machine or on both, by weight and by fault.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import type { Daemon } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import type { Lab } from '../support/netns.ts';
import { Program } from '../support/program.ts';
import { quick, story, VIP } from '../support/story.ts';

const PORT = 8080;

/** A service on a router: answers every connection, says when it is there. */
async function service(lab: Lab, router: string): Promise<Program> {
  const text = `require('http').createServer((q, r) => r.end('well')).listen(${PORT}, '127.0.0.1', () => console.log('up'))`;
  const program = new Program(lab, router, [process.execPath, '-e', text]);
  await new Promise<void>((resolve) => program.child.stdout!.once('data', () => resolve()));
  return program;
}

const end = (program: Program): Promise<void> => program[Symbol.asyncDispose]();

const check = (options: string, probe = `tcp {\n host 127.0.0.1\n port ${PORT}\n}`): string =>
  `vrrp_check app {\n${probe}\ninterval 0.05\n${options}\n}\n`;
const track = ['track_check {\n    app\n}'];

const checkOf = async (daemon: Daemon) => ((await daemon.status()) as Pick<StatusReport, 'checks'>).checks?.[0];

describe('checks', { concurrency: 3, ...needs('root', 'ip') }, () => {
  test('A1 to A4: a service dies on one machine, on both, and returns: the address follows the arithmetic', () =>
    story('weights', async (lab) => {
      const { recorder } = lab;
      const unicast = (source: string, peer: string) => ({ unicast: { source, peers: [peer] } });
      const first = await service(lab, 'r1');
      const second = await service(lab, 'r2');
      const one = { priority: 101, extra: track, ...unicast('192.0.2.1', '192.0.2.2') };
      const other = { priority: 90, extra: track, ...unicast('192.0.2.2', '192.0.2.1') };
      await lab.daemon('vipkeeper', 'r1', quick('r1', one, { blocks: [check('weight -10')] })).up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', other, { blocks: [check('weight 10')] })).up();
      await lab.master('r1', VIP); // A1: 101 against 100
      await end(first);
      await lab.master('r2', VIP); // A2: 91 against 100
      await end(second);
      await lab.master('r1', VIP); // A3: 91 against 90
      const again = [await service(lab, 'r1'), await service(lab, 'r2')];
      await recorder.wait('101', () => !!recorder.all('advert', 0, { host: 'r1', priority: 101 }).at(-1), 5_000);
      await lab.master('r1', VIP); // A4: 101 against 100
      for (const program of again) await end(program);
    }));

  test('A17: with weight 0 a dead service is a fault: the master hands over, and takes part again when it lives', () =>
    story('fault', async (lab) => {
      const { recorder } = lab;
      const dead = await service(lab, 'r1');
      const http = `http {\n host 127.0.0.1\n port ${PORT}\n url {\n match ^well$\n}\n}`;
      const text = quick('r1', { priority: 150, extra: track }, { blocks: [check('fall 2', http)] });
      const daemon = await lab.daemon('vipkeeper', 'r1', text).up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      const began = now();
      await end(dead);
      await lab.master('r2', VIP);
      assert.ok(recorder.first('advert', began, { host: 'r1', priority: 0 }), 'it resigned');
      const status = await checkOf(daemon);
      assert.equal(status?.condition, 'failed');
      assert.equal(status.last?.outcome, 'ECONNREFUSED');
      const alive = await service(lab, 'r1');
      await lab.master('r1', VIP);
      await end(alive);
    }));

  test('A18: a weight smaller than the distance of the priorities never moves the address', () =>
    story('small', async (lab) => {
      const { recorder } = lab;
      const alive = await service(lab, 'r2');
      const daemon = await lab
        .daemon('vipkeeper', 'r1', quick('r1', { priority: 150, extra: track }, { blocks: [check('weight -2')] }))
        .up();
      await lab
        .daemon('vipkeeper', 'r2', quick('r2', { priority: 100, extra: track }, { blocks: [check('weight 2')] }))
        .up();
      await lab.master('r1', VIP);
      await recorder.wait('148', () => !!recorder.first('advert', 0, { host: 'r1', priority: 148 }), 5_000);
      await lab.adverts('r1', 20);
      assert.equal(recorder.alone('r1', VIP), true);
      assert.equal((await checkOf(daemon))?.usedBy[0]?.contribution, -2);
      await end(alive);
    }));

  test('A19: a check that cannot run is told, shown, and has the outcome that was configured', () =>
    story('absent', async (lab) => {
      const plugin = 'load_plugin ./absent.mjs\n';
      const unable = (more: string) => `${plugin}vrrp_check app {\nqueue {\nmost 3\n}\n${more}\n}\n`;
      const silent = quick('r1', { priority: 150, extra: track }, { blocks: [unable('')] });
      const daemon = await lab.daemon('vipkeeper', 'r1', silent).up();
      await daemon.says(/warning config .*plugin \.\/absent\.mjs cannot be used: there is no file/, 5_000);
      await daemon.says(/warning config .*vrrp_check app does not say what to check/, 5_000);
      await lab.master('r1', VIP); // it counts for nothing
      assert.equal((await checkOf(daemon))?.condition, 'disabled');
      const strict = quick(
        'r2',
        { priority: 100, vrid: 52, extra: track, vips: ['192.0.2.101/24'] },
        { blocks: [unable('init_fail')] },
      );
      const other = await lab.daemon('vipkeeper', 'r2', strict).up();
      await other.says(/transition instance=VI_1 from=INIT to=FAULT/, 5_000); // it counts as failed
      assert.equal((await checkOf(other))?.condition, 'failed');
    }));

  test('a quorum of checks decides by how many are up', () =>
    story('quorum', async (lab) => {
      const { recorder } = lab;
      const alive = await service(lab, 'r1');
      const tcp = (name: string, port: number) =>
        `vrrp_check ${name} {\ntcp {\nhost 127.0.0.1\nport ${port}\n}\ninterval 0.05\n}\n`;
      const blocks = [tcp('a', PORT), tcp('b', PORT), tcp('c', 9), 'vrrp_check app {\nat_least 2 a b c\n}\n'];
      const daemon = await lab.daemon('vipkeeper', 'r1', quick('r1', { priority: 150, extra: track }, { blocks })).up();
      await lab.daemon('vipkeeper', 'r2', quick('r2', { priority: 100 })).up();
      await lab.master('r1', VIP);
      await daemon.says(/info check check=app up=true detail="2 of 3 are up(, not c)?"/, 5_000);
      await end(alive);
      await recorder.wait('r2 alone', () => recorder.alone('r2', VIP), 10_000);
      await daemon.says(/warning check check=app up=false detail="[01] of 3 are up, not .*c"/, 5_000);
    }));
});
