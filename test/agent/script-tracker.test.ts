import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScriptChange, ScriptTracker } from '../../core/agent/script-tracker.ts';
import { Trackers } from '../../core/agent/trackers.ts';
import type { InstanceConfig, ScriptConfig, SyncGroupConfig } from '../../core/config/model.ts';
import type { TrackVerdict } from '../../core/engine/messages.ts';
import { micros, millis, seconds } from '../../core/units.ts';
import { type Behaviour, FakeProcesses } from './fake-processes.ts';
import { allReady, group, instance, script, track } from './sample-config.ts';
import { EPOCH, VirtualTime } from './virtual-time.ts';

interface Setup {
  readonly scripts: readonly ScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly groups?: readonly SyncGroupConfig[];
}

class Lab {
  readonly time = new VirtualTime();
  readonly verdicts: TrackVerdict[] = [];
  readonly changes: ScriptChange[] = [];
  /** By the path of the program; may be changed while the lab runs. */
  readonly behaviour: Record<string, Behaviour> = {};
  readonly processes = new FakeProcesses(this.time, ({ argv }) => this.behaviour[argv[0]] ?? {});
  readonly scripts = new ScriptTracker({
    processes: this.processes,
    timing: this.time,
    onScript: (change) => this.changes.push(change),
  });
  readonly tracker = new Trackers({
    sources: [this.scripts],
    onVerdict: (verdict) => this.verdicts.push(verdict),
  });

  configure({ scripts, instances, groups = [] }: Setup, vetted = allReady()): readonly TrackVerdict[] {
    return this.tracker.configure({ scripts, instances, groups }, vetted);
  }

  status(name: string) {
    return this.scripts.scripts().find((status) => status.name === name)!;
  }
}

const one = (changes: Partial<ScriptConfig> = {}, weight = 0): Setup => ({
  scripts: [script('chk', changes)],
  instances: [instance('VI_1', { trackScripts: [track('chk', weight)] })],
});

test('a script runs at once and then every interval after its first start, however long it takes', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: millis(300) };
  lab.configure(one());
  await lab.time.advance(millis(3_500));
  assert.deepEqual(lab.processes.times, [0, 1_000, 2_000, 3_000]);
});

test('a script gets its arguments, its timeout and an environment of a fixed PATH only', async () => {
  const lab = new Lab();
  lab.configure(one({ command: { argv: ['/bin/chk', '-x', 'a b'] }, timeout: millis(700) }));
  await lab.time.advance(millis(1));
  const { argv, timeout, environment } = lab.processes.started[0]!;
  assert.deepEqual(
    [argv, timeout, environment],
    [['/bin/chk', '-x', 'a b'], millis(700), { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }],
  );
});

test('a run is left out while the one before still lives, and the schedule stays', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: millis(2_500) };
  lab.configure(one({ timeout: seconds(10) }));
  await lab.time.advance(millis(6_500));
  assert.deepEqual(lab.processes.times, [0, 3_000, 6_000]);
  assert.equal(lab.status('chk').skipped, 4);
});

test('a script that times out has failed then, though it lives on and delays the next run', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: 'for ever', lingers: millis(1_500) };
  lab.configure(one());
  await lab.time.advance(millis(1_000));
  assert.deepEqual(lab.changes, [{ script: 'chk', up: false, detail: 'timed out after 1 s' }]);
  await lab.time.advance(millis(3_000));
  assert.deepEqual(lab.processes.times, [0, 3_000]);
});

test('after a stall one run makes up for all that were missed, on the old schedule', async () => {
  const lab = new Lab();
  lab.configure(one());
  await lab.time.advance(millis(1_200));
  await lab.time.stall(millis(5_100));
  await lab.time.advance(millis(1_000));
  assert.deepEqual(lab.processes.times, [0, 1_000, 6_300, 7_000]);
});

test('many scripts start spread over a tenth of a second, a few start at once', async () => {
  const many = Array.from({ length: 20 }, (_, i) => script(`s${i}`));
  const lab = new Lab();
  lab.configure({
    scripts: many,
    instances: [instance('VI_1', { trackScripts: many.map(({ name }) => track(name)) })],
  });
  await lab.time.advance(millis(500));
  assert.equal(lab.processes.times.length, 20);
  assert.deepEqual([lab.processes.times[0], lab.processes.times[1], lab.processes.times[19]], [0, 5, 95]);

  const few = new Lab();
  few.configure({
    scripts: many.slice(0, 3),
    instances: [instance('VI_1', { trackScripts: many.slice(0, 3).map(({ name }) => track(name)) })],
  });
  await few.time.advance(millis(500));
  assert.deepEqual(few.processes.times, [0, 0, 0]);
});

test('a script that nothing tracks never runs', async () => {
  const lab = new Lab();
  lab.configure({ scripts: [script('chk'), script('unused')], instances: one().instances });
  await lab.time.advance(seconds(3));
  assert.ok(lab.processes.started.every(({ argv }) => argv[0] === '/bin/chk'));
  assert.deepEqual(
    lab.scripts.scripts().map(({ name }) => name),
    ['chk'],
  );
});

test('a weight-0 script keeps its virtual router waiting for the first result', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: millis(300) };
  const [first] = lab.configure(one());
  assert.deepEqual(first!.faults, ['script chk is waiting for its first result']);
  await lab.time.advance(millis(400));
  assert.deepEqual(lab.verdicts, [{ instance: 'VI_1', adjustment: 0, faults: [] }]);
  await lab.time.advance(seconds(10));
  assert.equal(lab.verdicts.length, 1);
});

test('a weighted script keeps nobody waiting', () => {
  assert.deepEqual(new Lab().configure(one({}, -20)), [{ instance: 'VI_1', adjustment: 0, faults: [] }]);
});

test('one failure is a fault with the exit code and the last line of output', async () => {
  const lab = new Lab();
  lab.configure(one());
  await lab.time.advance(millis(500));
  lab.behaviour['/bin/chk'] = { code: 3, output: 'checking\nnginx is down\n\n' };
  await lab.time.advance(millis(1_000));
  const why = 'exit code 3: nginx is down';
  assert.deepEqual(lab.changes.at(-1), { script: 'chk', up: false, detail: why });
  assert.deepEqual(lab.verdicts.at(-1)!.faults, [`script chk failed: ${why}`]);
});

test('a fault is not told again when only the output of the script changes', async () => {
  const lab = new Lab();
  let count = 0;
  Object.defineProperty(lab.behaviour, '/bin/chk', { get: () => ({ code: 1, output: `attempt ${++count}` }) });
  lab.configure(one());
  await lab.time.advance(seconds(5));
  assert.equal(lab.verdicts.length, 1);
  assert.equal(lab.status('chk').detail, 'exit code 1: attempt 1');
  assert.equal(lab.status('chk').lastRun!.output, 'attempt 6');
});

test('rise and fall delay the verdict', async () => {
  const lab = new Lab();
  lab.configure(one({ rise: 2, fall: 3 }, -20));
  await lab.time.advance(millis(500));
  lab.behaviour['/bin/chk'] = { code: 1 };
  await lab.time.advance(seconds(2));
  assert.equal(lab.verdicts.length, 0);
  await lab.time.advance(seconds(1));
  assert.equal(lab.verdicts.at(-1)!.adjustment, -20);
  lab.behaviour['/bin/chk'] = {};
  await lab.time.advance(seconds(1));
  assert.equal(lab.verdicts.length, 1);
  await lab.time.advance(seconds(1));
  assert.equal(lab.verdicts.at(-1)!.adjustment, 0);
});

test('with init_fail a script has failed until it succeeded often enough', async () => {
  const lab = new Lab();
  const [first] = lab.configure(one({ initFail: true, rise: 2 }));
  assert.deepEqual(first!.faults, ['script chk failed: it has not succeeded yet (init_fail)']);
  await lab.time.advance(millis(500));
  assert.equal(lab.verdicts.length, 0);
  await lab.time.advance(seconds(1));
  assert.deepEqual(lab.verdicts.at(-1)!.faults, []);
});

test('a script tracked by a sync group counts for every member', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { code: 1 };
  lab.configure({
    scripts: [script('chk')],
    instances: [instance('A'), instance('B'), instance('C')],
    groups: [group('G', ['A', 'B'], { trackScripts: [track('chk')] })],
  });
  await lab.time.advance(millis(100));
  assert.deepEqual(
    lab.tracker.verdicts().map(({ instance: name, faults }) => [name, faults.length]),
    [
      ['A', 1],
      ['B', 1],
      ['C', 0],
    ],
  );
});

test('a script tracked by group and member counts once, with the weight of the group unless it is a fault already', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { code: 1 };
  lab.configure({
    scripts: [script('chk')],
    instances: [
      instance('A', { trackScripts: [track('chk', -5)] }),
      instance('B', { trackScripts: [track('chk', 0)] }),
    ],
    groups: [group('G', ['A', 'B'], { trackScripts: [track('chk', -30)] })],
  });
  await lab.time.advance(millis(100));
  const [a, b] = lab.tracker.verdicts();
  assert.deepEqual([a!.adjustment, a!.faults.length], [-30, 0]);
  assert.deepEqual([b!.adjustment, b!.faults.length], [0, 1]);
});

test('a disabled script never runs, contributes nothing and says why in the status', async () => {
  const lab = new Lab();
  const verdicts = lab.configure(one(), allReady({ '/bin/chk': '/bin/chk: not found' }));
  assert.deepEqual(verdicts, [{ instance: 'VI_1', adjustment: 0, faults: [] }]);
  await lab.time.advance(seconds(5));
  assert.equal(lab.processes.started.length, 0);
  const { condition, detail, usedBy, since } = lab.status('chk');
  assert.deepEqual([condition, detail, since], ['disabled', '/bin/chk: not found', EPOCH]);
  assert.deepEqual(usedBy, [{ instance: 'VI_1', weight: 0, reverse: false }]);
});

test('the status of a script tells its latest run and its counts', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: millis(40), code: 2, output: 'no' };
  lab.configure(one({ fall: 9 }, 10));
  await lab.time.advance(millis(1_500));
  const status = lab.status('chk');
  assert.deepEqual(status.lastRun, {
    time: EPOCH + 1_040,
    ok: false,
    outcome: 'exit code 2',
    output: 'no',
    took: 40,
  });
  assert.deepEqual([status.condition, status.runs, status.failures], ['failed', 2, 2]);
});

test('a reload with an equal script disturbs nothing', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { code: 1 };
  lab.configure(one());
  await lab.time.advance(millis(1_500));
  const [verdict] = lab.configure(one());
  assert.equal(verdict!.faults.length, 1);
  await lab.time.advance(millis(1_000));
  assert.deepEqual(lab.processes.times, [0, 1_000, 2_000]);
  assert.equal(lab.verdicts.length, 1);
});

test('a reload that changes only the weight keeps the script and changes the verdict', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { code: 1 };
  lab.configure(one());
  await lab.time.advance(millis(500));
  assert.deepEqual(lab.configure(one({}, -7)), [{ instance: 'VI_1', adjustment: -7, faults: [] }]);
  await lab.time.advance(millis(1_000));
  assert.deepEqual(lab.processes.times, [0, 1_000]);
});

test('a reload that changes a script keeps its verdict until the first result, which decides alone', async () => {
  const lab = new Lab();
  lab.configure(one());
  await lab.time.advance(millis(500));
  const [verdict] = lab.configure(one({ interval: seconds(5), rise: 3, fall: 3, initFail: true }));
  assert.deepEqual(verdict!.faults, []);
  lab.behaviour['/bin/chk'] = { code: 1 };
  await lab.time.advance(millis(100));
  assert.equal(lab.verdicts.at(-1)!.faults.length, 1);
  await lab.time.advance(seconds(5));
  assert.deepEqual(lab.processes.times, [0, 500, 5_500]);
});

test('a changed script starts only when the run of its predecessor has gone', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: 'for ever', lingers: millis(800) };
  lab.configure(one({ timeout: seconds(60) }));
  await lab.time.advance(millis(200));
  lab.configure(one({ timeout: seconds(30) }));
  await lab.time.advance(millis(900));
  assert.deepEqual(lab.processes.times, [0, 1_000]);
  assert.equal(lab.processes.alive, 1);
});

test('a script that a reload adds does not fault a virtual router that is already running', async () => {
  const lab = new Lab();
  lab.configure({ scripts: [script('chk')], instances: [instance('VI_1')] });
  lab.behaviour['/bin/chk'] = { takes: millis(100), code: 1 };
  const added = {
    scripts: [script('chk')],
    instances: [...one().instances, instance('VI_2', { trackScripts: [track('chk')] })],
  };
  const [known, fresh] = lab.configure(added);
  assert.deepEqual(known!.faults, []);
  assert.deepEqual(fresh!.faults, ['script chk is waiting for its first result']);
  await lab.time.advance(millis(200));
  assert.deepEqual(
    lab.tracker.verdicts().map(({ faults }) => faults.length),
    [1, 1],
  );
});

test('a script that a reload removes is ended, and what it said is forgotten', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { code: 1 };
  lab.configure(one());
  await lab.time.advance(millis(500));
  lab.behaviour['/bin/chk'] = { takes: 'for ever' };
  await lab.time.advance(millis(1_000));
  const [verdict] = lab.configure({ scripts: [script('chk')], instances: [instance('VI_1')] });
  assert.deepEqual(verdict!.faults, []);
  await lab.time.advance(seconds(3));
  assert.deepEqual([lab.processes.alive, lab.time.timers], [0, 0]);
});

test('stop ends every script and waits until it has gone', async () => {
  const lab = new Lab();
  lab.behaviour['/bin/chk'] = { takes: 'for ever', lingers: millis(500) };
  lab.configure(one({ timeout: seconds(60) }));
  await lab.time.advance(millis(100));
  let stopped = false;
  const stop = lab.tracker.stop().then(() => {
    stopped = true;
  });
  await lab.time.advance(millis(400));
  assert.equal(stopped, false);
  await lab.time.advance(millis(200));
  await stop;
  await lab.time.advance(seconds(5));
  assert.deepEqual([lab.processes.alive, lab.processes.started.length, lab.time.timers], [0, 1, 0]);
  assert.equal(lab.verdicts.length, 0);
});

test('programs of one millisecond interval do not starve the clock', async () => {
  const lab = new Lab();
  lab.configure(one({ interval: millis(1), timeout: millis(1) }));
  await lab.time.advance(micros(20_500));
  assert.equal(lab.processes.started.length, 21);
});
