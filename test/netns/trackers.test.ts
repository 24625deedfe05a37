// Files and processes that move an address, with live agents: the same file steers us and keepalived to the same states;
// a real process is killed and started again, with the kernel's events and without them.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { run } from '../../core/cli/demo/network.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import { conf } from '../support/conf.ts';
import { AGENT, type Daemon, type Kind } from '../support/daemons.ts';
import { command, needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';
import { steps } from '../support/steps.ts';

const VIP = '192.0.2.100';

const pair = (router: string, priority: number, extra: readonly string[] = [], head = ''): string =>
  head +
  conf({
    routerId: router,
    instances: [{ version: 3, advertInt: 0.1, priority, vips: [`${VIP}/24`], extra }],
  });

/** The states that a daemon says it entered, in order. */
function states({ kind, log }: Daemon): readonly string[] {
  const pattern = kind === 'keepalived' ? /entering (\w+) state/gi : /transition instance=\S+ from=\w+ to=(\w+)/g;
  const all = [...log.matchAll(pattern)].map((match) => match[1]!.toUpperCase());
  // keepalived says some of them twice.
  return all.filter((state, i) => state !== all[i - 1]);
}

/** Moves the address to and fro by the number in a file; returns the states that the steered daemon went through. */
async function steer(kind: Kind): Promise<readonly string[]> {
  await using lab = await Lab.create({ name: `file-${kind}` });
  try {
    const file = join(lab.directory, 'level');
    const head = `track_file level {\n    file ${file}\n    weight -1\n    init_file 0\n}\n`;
    const daemon = lab.daemon(kind, 'r1', pair('r1', 150, ['track_file {\n    level\n}'], head));
    await daemon.up();
    await lab.daemon('vipkeeper', 'r2', pair('r2', 120)).up();
    await lab.master('r1', VIP);
    writeFileSync(file, '60\n');
    await lab.master('r2', VIP);
    writeFileSync(`${file}.new`, '0\n');
    renameSync(`${file}.new`, file);
    await lab.master('r1', VIP);
    writeFileSync(file, '400\n');
    await lab.master('r2', VIP);
    await daemon.says(/to=FAULT|entering FAULT state/i, 5_000);
    rmSync(file);
    await lab.master('r1', VIP);
    return states(daemon);
  } catch (error) {
    throw lab.explain(error);
  }
}

interface Agent extends AsyncDisposable {
  readonly status: () => Promise<unknown>;
  /** What the status says of how processes are counted. */
  readonly problem: RegExp;
}

/** The story of a tracked process; `begin` starts the agent on r1 with a configuration. */
async function killAndRestart(t: TestContext, lab: Lab, begin: (text: string) => Promise<Agent>): Promise<void> {
  const step = steps(t, lab);
  const name = `vkw${process.pid}${lab.directory.slice(-4)}`;
  const program = join(lab.directory, name);
  copyFileSync(command('sleep')!, program);
  const start = (): ChildProcess => spawn(program, ['1000'], { stdio: 'ignore' });
  let web = start();
  const head = `vrrp_track_process web {\n    process ${name}\n    terminate_delay 0.05\n}\n`;
  try {
    await using agent = await begin(pair('r1', 150, ['track_process {\n    web\n}'], head));
    const watched = async () => ((await agent.status()) as StatusReport).instances[0]!.watched[0]!;
    await step('it is master because the process runs', async () => {
      await lab.daemon('vipkeeper', 'r2', pair('r2', 120)).up();
      await lab.master('r1', VIP, 20_000);
      const { kind, condition, value, problem } = await watched();
      assert.deepEqual([kind, condition, value], ['process', 'ok', 1]);
      assert.match(problem, agent.problem);
    });
    await step('it gives the address away when the process dies', async () => {
      web.kill('SIGKILL');
      await lab.master('r2', VIP);
      assert.equal((await watched()).detail, '0 run, at least 1 should');
    });
    await step('and takes it back when it runs again', async () => {
      web = start();
      await lab.master('r1', VIP);
    });
  } finally {
    web.kill('SIGKILL');
  }
}

describe('trackers', { concurrency: 2, ...needs('root', 'ip', 'nft', 'keepalived') }, () => {
  test('a file moves the address by weight, by fault and back, through the states that keepalived goes through', async () => {
    const [ours, theirs] = await Promise.all([steer('vipkeeper'), steer('keepalived')]);
    assert.deepEqual(ours.slice(-6), ['MASTER', 'BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER']);
    assert.deepEqual(theirs.slice(-6), ours.slice(-6));
  });

  test('a process that is killed and started again moves the address, by the kernel’s events', async (t) => {
    await using lab = await Lab.create({ name: 'events' });
    // As keepalived -s: started where the kernel tells of processes, working in a namespace where it does not.
    const directory = join(lab.directory, 'outside');
    const file = join(lab.directory, 'outside.conf');
    await killAndRestart(t, lab, async (text) => {
      writeFileSync(file, text);
      const pids = ['-p', join(lab.directory, 'a.pid'), '-r', join(lab.directory, 'b.pid')];
      const where = ['-f', file, '-s', lab.host('r1').namespace, '--runtime-dir', directory, ...pids];
      const agent = spawn(process.execPath, [AGENT, 'keepalived', '-n', '-l', ...where], { stdio: 'ignore' });
      const ended = new Promise((resolve) => agent.once('exit', resolve));
      return {
        status: async () =>
          JSON.parse(await run(process.execPath, AGENT, 'status', '--json', '--runtime-dir', directory)),
        problem: /^$/,
        async [Symbol.asyncDispose]() {
          agent.kill('SIGKILL');
          await ended;
        },
      };
    });
  });

  test('a process that is killed and started again moves the address, by /proc where there are no events', async (t) => {
    await using lab = await Lab.create({ name: 'scan' });
    await killAndRestart(t, lab, async (text) => {
      const daemon = await lab.daemon('vipkeeper', 'r1', text).up();
      return {
        status: () => daemon.status(),
        problem: /^no process events \(ECONNREFUSED\): counted every 1 s, which takes [0-9.]+ ms of processor time$/,
        [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
      };
    });
  });

  test('a sync group with sync_group_tracking_weight follows a file that only the group tracks', async () => {
    await using lab = await Lab.create({ name: 'group' });
    try {
      const file = join(lab.directory, 'level');
      const head =
        `track_file level {\n    file ${file}\n}\n` +
        'vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n    sync_group_tracking_weight\n    track_file {\n        level weight -1\n    }\n}\n';
      const two = (router: string, priority: number, rest: string): string =>
        rest +
        conf({
          routerId: router,
          instances: ['100', '101'].map((last, i) => ({
            name: `VI_${i + 1}`,
            version: 3 as const,
            advertInt: 0.1,
            priority,
            vips: [`192.0.2.${last}/24`],
          })),
        });
      const daemon = await lab.daemon('vipkeeper', 'r1', two('r1', 150, head)).up();
      await lab
        .daemon(
          'vipkeeper',
          'r2',
          two('r2', 120, 'vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n'),
        )
        .up();
      const both = async (router: string): Promise<void> => {
        for (const last of ['100', '101'])
          await lab.recorder.wait(
            `${router} alone with .${last}`,
            () => lab.recorder.alone(router, `192.0.2.${last}`),
            10_000,
          );
      };
      await both('r1');
      writeFileSync(file, '40');
      await both('r2');
      const { instances } = (await daemon.status()) as StatusReport;
      assert.deepEqual(
        instances.map(({ priority }) => priority.effective),
        [110, 110],
      );
      rmSync(file);
      await both('r1');
    } catch (error) {
      throw lab.explain(error);
    }
  });
});
