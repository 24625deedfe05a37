import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Notice, notifyState } from '../../core/agent/events.ts';
import { Log } from '../../core/agent/log.ts';
import { Notifier, QUEUE_LIMIT } from '../../core/agent/notifier.ts';
import { vetConfiguration } from '../../core/agent/script-security.ts';
import type { NotifyConfig } from '../../core/config/model.ts';
import { ChildProcesses, systemTiming } from '../../core/system/child-process.ts';
import { SystemFiles } from '../../core/system/files.ts';
import { type Micros, millis, seconds } from '../../core/units.ts';
import { type Behaviour, FakeProcesses } from './fake-processes.ts';
import { allReady, group, instance } from './sample-config.ts';
import { VirtualTime } from './virtual-time.ts';

const all: NotifyConfig = {
  master: { argv: ['/n/master', 'configured'] },
  backup: { argv: ['/n/backup'] },
  fault: { argv: ['/n/fault'] },
  stop: { argv: ['/n/stop'] },
  any: { argv: ['/n/any', 'extra'] },
};

function lab(behave: (program: string) => Behaviour = () => ({}), timeout?: Micros) {
  const time = new VirtualTime();
  const lines: string[] = [];
  const logger = new Log({ sink: (line) => lines.push(line), now: () => time.wallTime(), timestamps: false });
  const processes = new FakeProcesses(time, ({ argv }) => behave(argv[0]));
  const notifier = new Notifier({ processes, timing: time, logger, ...(timeout === undefined ? {} : { timeout }) });
  notifier.configure(
    {
      instances: [instance('VI_1', { notify: all }), instance('VI_2', { notify: all })],
      groups: [group('G', ['VI_1', 'VI_2'], { notify: all })],
    },
    allReady(),
  );
  const calls = () => processes.started.map(({ argv }) => argv.join(' '));
  return { time, lines, processes, notifier, calls };
}

function notice(state: Notice['state'], changes: Partial<Notice> = {}): Notice {
  return {
    kind: 'INSTANCE',
    name: 'VI_1',
    state,
    previous: 'BACKUP',
    reason: 'master-timeout',
    priority: 91,
    ...changes,
  };
}

test('notify_master comes first with its own arguments, then notify with four more', async () => {
  const { time, notifier, calls } = lab();
  notifier.notify(notice('MASTER'));
  await time.advance(seconds(1));
  assert.deepEqual(calls(), ['/n/master configured', '/n/any extra INSTANCE VI_1 MASTER 91']);
});

test('a group notifies as GROUP with priority 0', async () => {
  const { time, notifier, calls } = lab();
  notifier.notify(notice('FAULT', { kind: 'GROUP', name: 'G', priority: 0 }));
  await time.advance(seconds(1));
  assert.deepEqual(calls(), ['/n/fault', '/n/any extra GROUP G FAULT 0']);
});

test('the environment tells instance, states, reason and priority', async () => {
  const { time, notifier, processes } = lab();
  notifier.notify(notice('STOP', { previous: 'MASTER', reason: 'shutdown' }));
  await time.advance(seconds(1));
  assert.deepEqual(processes.started[0]!.environment, {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    VIPKEEPER_KIND: 'INSTANCE',
    VIPKEEPER_INSTANCE: 'VI_1',
    VIPKEEPER_STATE: 'STOP',
    VIPKEEPER_PREVIOUS_STATE: 'MASTER',
    VIPKEEPER_REASON: 'shutdown',
    VIPKEEPER_PRIORITY: '91',
    VIPKEEPER_PEER: '',
  });
});

test('notifications of one instance run one at a time and in order, those of two instances side by side', async () => {
  const { time, notifier, processes, calls } = lab(() => ({ takes: seconds(1) }));
  notifier.notify(notice('MASTER'));
  notifier.notify(notice('BACKUP'));
  notifier.notify(notice('MASTER', { name: 'VI_2' }));
  await time.advance(millis(500));
  assert.equal(processes.alive, 2);
  await time.advance(seconds(10));
  assert.deepEqual(
    calls().filter((call) => !call.includes('VI_2')),
    [
      '/n/master configured',
      '/n/master configured',
      '/n/any extra INSTANCE VI_1 MASTER 91',
      '/n/backup',
      '/n/any extra INSTANCE VI_1 BACKUP 91',
    ],
  );
  assert.deepEqual(processes.times, [0, 0, 1_000, 1_000, 2_000, 3_000]);
  assert.equal(notifier.pending, 0);
});

test('a program that hangs is ended after the timeout, logged, and the next one waits until it has gone', async () => {
  const hang = { takes: 'for ever', lingers: seconds(1) } as const;
  const { time, notifier, processes, lines } = lab((program) => (program === '/n/master' ? hang : {}), seconds(5));
  notifier.notify(notice('MASTER'));
  await time.advance(seconds(10));
  assert.deepEqual(processes.times, [0, 6_000]);
  assert.deepEqual(lines, [
    'warning notify-failed instance=VI_1 state=MASTER script=notify_master why="timed out after 5 s"',
  ]);
});

test('a program that fails is logged with its output and the next one still runs', async () => {
  const { time, notifier, calls, lines } = lab((program) =>
    program === '/n/backup' ? { code: 7, output: 'starting\ncannot reload haproxy\n' } : {},
  );
  notifier.notify(notice('BACKUP'));
  await time.advance(seconds(1));
  assert.equal(calls().length, 2);
  assert.deepEqual(lines, [
    'warning notify-failed instance=VI_1 state=BACKUP script=notify_backup why="exit code 7" output="cannot reload haproxy"',
  ]);
});

test('a queue that is too long drops the oldest waiting notifications, never the newest, and says so', async () => {
  const { time, notifier, calls, lines } = lab(() => ({ takes: millis(10) }));
  for (let i = 0; i < 100; i++) notifier.notify(notice('BACKUP', { priority: i + 1 }));
  notifier.notify(notice('MASTER', { priority: 200 }));
  assert.equal(notifier.pending, QUEUE_LIMIT + 1);
  await time.advance(seconds(10));
  const told = calls().filter((call) => call.startsWith('/n/any'));
  assert.equal(told.length, QUEUE_LIMIT + 1);
  assert.equal(told[0], '/n/any extra INSTANCE VI_1 BACKUP 1');
  assert.equal(told.at(-1), '/n/any extra INSTANCE VI_1 MASTER 200');
  assert.equal(lines.filter((line) => line.includes('notify-dropped instance=VI_1')).length, 1);
});

test('an instance without notify programs, or one that is not configured, starts nothing', async () => {
  const { time, notifier, calls } = lab();
  notifier.configure({ instances: [instance('VI_1')], groups: [] }, allReady());
  notifier.notify(notice('MASTER'));
  notifier.notify(notice('MASTER', { name: 'nobody' }));
  await time.advance(seconds(1));
  assert.deepEqual([calls(), notifier.pending], [[], 0]);
});

test('a disabled notify program is left out', async () => {
  const { time, notifier, calls } = lab();
  notifier.configure(
    { instances: [instance('VI_1', { notify: all })], groups: [] },
    allReady({ '/n/master': 'unsafe' }),
  );
  notifier.notify(notice('MASTER'));
  await time.advance(seconds(1));
  assert.deepEqual(calls(), ['/n/any extra INSTANCE VI_1 MASTER 91']);
});

test('drain waits for the queues', async () => {
  const { time, notifier, calls } = lab(() => ({ takes: seconds(1) }));
  notifier.notify(notice('STOP'));
  const drained = notifier.drain(seconds(5));
  await time.advance(seconds(3));
  assert.equal(await drained, 0);
  assert.equal(calls().length, 2);
  assert.equal(time.timers, 0);
});

test('drain ends what takes too long, drops the rest and ignores what comes later', async () => {
  const { time, notifier, calls, processes, lines } = lab(() => ({ takes: seconds(20), lingers: seconds(1) }));
  notifier.notify(notice('MASTER'));
  notifier.notify(notice('STOP'));
  const drained = notifier.drain(seconds(1));
  await time.advance(seconds(2));
  assert.equal(await drained, 2);
  notifier.notify(notice('MASTER'));
  await time.advance(seconds(60));
  assert.deepEqual(calls(), ['/n/master configured']);
  assert.equal(processes.alive, 0);
  assert.ok(lines.some((line) => line.startsWith('warning notify-cut-off notifications=2')));
});

test('leaving is not told, the end is told as STOP', () => {
  assert.deepEqual((['MASTER', 'BACKUP', 'FAULT', 'LEAVING', 'INIT'] as const).map(notifyState), [
    'MASTER',
    'BACKUP',
    'FAULT',
    undefined,
    'STOP',
  ]);
});

test('real programs get real arguments in order, across three transitions', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'vipkeeper-notify-'));
  t.after(() => rm(directory, { recursive: true }));
  const journal = join(directory, 'journal');
  const program = join(directory, 'n.sh');
  // The slower the earlier ones are, the surer a disorder would show.
  await writeFile(
    program,
    `#!/bin/sh\n[ "$VIPKEEPER_STATE" = MASTER ] && sleep 0.2\necho "$* [$#] $VIPKEEPER_PREVIOUS_STATE" >> ${journal}\n`,
  );
  await chmod(program, 0o755);
  const notify: NotifyConfig = {
    master: { argv: [program, 'm', 'two words'], user: { user: String(process.getuid!()) } },
    any: { argv: [program, 'any'], user: { user: String(process.getuid!()) } },
  };
  const config = { instances: [instance('VI_1', { notify })], groups: [], scripts: [] };
  const globals = {
    routerId: 'test',
    scriptUser: undefined,
    enableScriptSecurity: false,
    realtimePriority: undefined,
    addressLifetime: true,
  };
  const vetted = await vetConfiguration({ ...config, globals }, new SystemFiles());
  const lines: string[] = [];
  const logger = new Log({ sink: (line) => lines.push(line), now: () => 0 });
  const notifier = new Notifier({ processes: new ChildProcesses(), timing: systemTiming, logger });
  notifier.configure(config, vetted);
  notifier.notify(notice('MASTER', { previous: 'BACKUP', priority: 100 }));
  notifier.notify(notice('BACKUP', { previous: 'MASTER', priority: 100 }));
  notifier.notify(notice('STOP', { previous: 'BACKUP', priority: 100 }));
  assert.equal(await notifier.drain(seconds(20)), 0);
  assert.deepEqual(lines, []);
  assert.deepEqual((await readFile(journal, 'utf8')).trim().split('\n'), [
    'm two words [2] BACKUP',
    'any INSTANCE VI_1 MASTER 100 [5] BACKUP',
    'any INSTANCE VI_1 BACKUP 100 [5] MASTER',
    'any INSTANCE VI_1 STOP 100 [5] BACKUP',
  ]);
});
