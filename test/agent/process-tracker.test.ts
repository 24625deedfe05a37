import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessTracker } from '../../core/agent/process-tracker.ts';
import { Trackers } from '../../core/agent/trackers.ts';
import type { TrackProcessConfig } from '../../core/config/model.ts';
import type { TrackVerdict } from '../../core/engine/messages.ts';
import type { ProcessNews, ProcessQuery, ProcessWatch } from '../../core/ports/process-watch.ts';
import { micros, millis, seconds } from '../../core/units.ts';
import { allReady, instance, track } from './sample-config.ts';
import { VirtualTime } from './virtual-time.ts';

const web = (changes: Partial<TrackProcessConfig> = {}): TrackProcessConfig => ({
  name: 'web',
  argv: ['nginx'],
  match: 'any',
  weight: 0,
  reverse: false,
  quorum: 1,
  quorumMax: undefined,
  forkDelay: micros(0),
  terminateDelay: micros(0),
  fullCommand: false,
  ...changes,
});

class FakeWatch implements ProcessWatch {
  asked: (readonly ProcessQuery[])[] = [];
  stopped = false;
  tell: (news: ProcessNews) => void = () => {};

  count(queries: readonly ProcessQuery[], onNews: (news: ProcessNews) => void): void {
    this.asked.push(queries);
    this.tell = onNews;
  }

  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }
}

class Lab {
  readonly time = new VirtualTime();
  readonly watch = new FakeWatch();
  readonly verdicts: TrackVerdict[] = [];
  readonly said: string[] = [];
  readonly tracker = new ProcessTracker({
    watch: this.watch,
    timing: this.time,
    onProcess: () => {},
    onSource: (level, text) => this.said.push(`${level} ${text}`),
  });
  readonly trackers = new Trackers({
    sources: [this.tracker],
    onVerdict: (verdict) => this.verdicts.push(verdict),
  });

  one(changes: Partial<TrackProcessConfig> = {}, weight = 0): readonly TrackVerdict[] {
    const instances = [instance('VI_1', { trackProcesses: [track('web', weight)] })];
    return this.trackers.configure({ scripts: [], groups: [], trackProcesses: [web(changes)], instances }, allReady());
  }

  counts(...counts: readonly number[]): void {
    for (const count of counts) this.watch.tell({ type: 'count', name: 'web', count });
  }

  get faults(): number {
    return this.trackers.verdicts()[0]!.faults.length;
  }
}

test('a new virtual router waits for the first count, which decides at once', () => {
  const lab = new Lab();
  const [verdict] = lab.one({ forkDelay: seconds(9) });
  assert.deepEqual(verdict!.faults, ['process web is waiting for its first result']);
  lab.counts(1);
  assert.equal(lab.faults, 0);
  lab.counts(0);
  assert.deepEqual(lab.verdicts.at(-1)!.faults, ['process web failed: 0 run, at least 1 should']);
});

test('the quorum has a lower and an upper limit', () => {
  const lab = new Lab();
  lab.one({ quorum: 2, quorumMax: 3 }, -20);
  const adjustments = [1, 2, 3, 4].map((count) => {
    lab.counts(count);
    return lab.trackers.verdicts()[0]!.adjustment;
  });
  assert.deepEqual(adjustments, [-20, 0, 0, -20]);
});

test('none may run where the upper limit is 0', () => {
  const lab = new Lab();
  lab.one({ quorum: 0, quorumMax: 0 });
  lab.counts(0);
  assert.equal(lab.faults, 0);
  lab.counts(1);
  assert.equal(lab.faults, 1);
});

test('an end counts after terminate_delay, and not at all when it was a restart', async () => {
  const lab = new Lab();
  lab.one({ terminateDelay: millis(500) });
  lab.counts(1, 0);
  await lab.time.advance(millis(400));
  lab.counts(1);
  await lab.time.advance(seconds(2));
  assert.equal(lab.verdicts.length, 1);
  lab.counts(0);
  await lab.time.advance(millis(499));
  assert.equal(lab.faults, 0);
  await lab.time.advance(millis(1));
  assert.equal(lab.faults, 1);
});

test('a start counts after fork_delay, also one that is too many', async () => {
  const lab = new Lab();
  lab.one({ quorumMax: 1, forkDelay: millis(300) });
  lab.counts(0, 1);
  await lab.time.advance(millis(299));
  assert.equal(lab.faults, 1);
  await lab.time.advance(millis(1));
  assert.equal(lab.faults, 0);
  lab.counts(2);
  await lab.time.advance(millis(200));
  lab.counts(1);
  await lab.time.advance(seconds(1));
  assert.equal(lab.faults, 0);
});

test('a reload with an equal program disturbs nothing; a changed one keeps its verdict until it is counted', () => {
  const lab = new Lab();
  lab.one();
  lab.counts(0);
  lab.one();
  assert.equal(lab.watch.asked.length, 1);
  const [verdict] = lab.one({ argv: ['apache2'] });
  assert.equal(verdict!.faults.length, 1);
  lab.counts(1);
  assert.equal(lab.faults, 0);
});

test('nothing is counted while nothing tracks it', async () => {
  const lab = new Lab();
  const idle = { scripts: [], groups: [], instances: [instance('VI_1')] };
  lab.trackers.configure({ ...idle, trackProcesses: [web()] }, allReady());
  assert.equal(lab.watch.asked.length, 0);
  lab.one();
  lab.trackers.configure(idle, allReady());
  assert.deepEqual(
    lab.watch.asked.map((queries) => queries.length),
    [1, 0],
  );
  await lab.trackers.stop();
  assert.ok(lab.watch.stopped);
});

test('how processes are counted is said once and stands in the status', () => {
  const lab = new Lab();
  lab.one();
  const scan = { kind: 'scan', why: 'ECONNREFUSED', interval: 1_000, cost: 3.21 } as const;
  for (let i = 0; i < 2; i++) lab.watch.tell({ type: 'source', source: scan });
  assert.deepEqual(lab.said, [
    'warning no process events (ECONNREFUSED): counted every 1 s, which takes 3.2 ms of processor time and may notice a death that late',
  ]);
  assert.match(lab.tracker.statuses()[0]!.problem, /no process events/);
  lab.watch.tell({ type: 'source', source: { kind: 'events' } });
  assert.equal(lab.tracker.statuses()[0]!.problem, '');
});

test('when nobody counts any more, verdicts stay and the status says so', () => {
  const lab = new Lab();
  lab.one();
  lab.counts(1);
  lab.watch.tell({ type: 'failed', why: 'the thread ended' });
  assert.equal(lab.faults, 0);
  assert.equal(lab.tracker.statuses()[0]!.problem, 'the thread ended');
});
