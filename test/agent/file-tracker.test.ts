import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileChange, FileTracker } from '../../core/agent/file-tracker.ts';
import { Trackers } from '../../core/agent/trackers.ts';
import type { InstanceConfig, SyncGroupConfig, TrackFileConfig } from '../../core/config/model.ts';
import type { TrackVerdict } from '../../core/engine/messages.ts';
import { millis } from '../../core/units.ts';
import { FakeFiles } from './fake-files.ts';
import { allReady, group, instance, track } from './sample-config.ts';
import { settle, VirtualTime } from './virtual-time.ts';

const PATH = '/run/level';

const file = (changes: Partial<TrackFileConfig> = {}): TrackFileConfig => ({
  name: 'level',
  path: PATH,
  weight: 1,
  reverse: false,
  initial: undefined,
  ...changes,
});

class Lab {
  readonly time = new VirtualTime();
  readonly files = new FakeFiles();
  readonly verdicts: TrackVerdict[] = [];
  readonly changes: FileChange[] = [];
  readonly tracker = new FileTracker({
    files: this.files,
    timing: this.time,
    onFile: (change) => this.changes.push(change),
  });
  readonly trackers = new Trackers({
    sources: [this.tracker],
    onVerdict: (verdict) => this.verdicts.push(verdict),
  });

  async configure(
    trackFiles: readonly TrackFileConfig[],
    instances: readonly InstanceConfig[],
    groups: readonly SyncGroupConfig[] = [],
  ): Promise<readonly TrackVerdict[]> {
    const verdicts = this.trackers.configure({ scripts: [], trackFiles, instances, groups }, allReady());
    await settle();
    return verdicts;
  }

  /** One instance that tracks the file with this weight. */
  one(weight: number, reverse = false, changes: Partial<TrackFileConfig> = {}): Promise<readonly TrackVerdict[]> {
    return this.configure([file(changes)], [instance('VI_1', { trackFiles: [track('level', weight, reverse)] })]);
  }

  get verdict(): TrackVerdict {
    return this.trackers.verdicts()[0]!;
  }
}

const table: readonly [text: string | undefined, weight: number, reverse: boolean, effect: number | 'fault'][] = [
  ['5\n', 2, false, 10],
  ['5', 2, true, -10],
  ['-7', 3, false, -21],
  ['0x10', 1, false, 16],
  ['010', 1, false, 8],
  ['12 monkeys', -1, false, -12],
  ['300', 1, false, 253],
  ['99999999999', 1, false, 253],
  ['-253', 1, false, -253],
  ['-254', 1, false, 'fault'],
  ['127', -2, false, 'fault'],
  ['1', 0, false, 'fault'],
  ['-1', 0, false, 'fault'],
  ['0', 0, false, 0],
  ['0', 0, true, 'fault'],
  ['3', 0, true, 0],
  [undefined, 10, false, 0],
  [undefined, 0, false, 0],
  [undefined, 0, true, 'fault'],
  ['nonsense', 10, false, 0],
];

for (const [text, weight, reverse, effect] of table)
  test(`a file with ${text === undefined ? 'nothing' : JSON.stringify(text)} and weight ${weight}${reverse ? ' reverse' : ''}: ${effect}`, async () => {
    const lab = new Lab();
    await lab.one(weight, reverse);
    lab.files.say(PATH, text);
    assert.equal(lab.verdict.adjustment, effect === 'fault' ? 0 : effect);
    assert.equal(lab.verdict.faults.length, effect === 'fault' ? 1 : 0, lab.verdict.faults.join());
  });

test('a new virtual router waits for the first reading when the file can be a fault, one that runs does not', async () => {
  const lab = new Lab();
  await lab.configure([], [instance('old')]);
  const both = ['old', 'new'].map((name) => instance(name, { trackFiles: [track('level')] }));
  const [old, fresh] = await lab.configure([file()], both);
  assert.deepEqual([old!.faults, fresh!.faults], [[], ['file level is waiting for its first result']]);
});

test('each change of the number counts, and only changes are told', async () => {
  const lab = new Lab();
  await lab.one(1);
  for (const text of ['5', '5\n', ' 5', '6', '6', '-3']) lab.files.say(PATH, text);
  assert.deepEqual(
    lab.verdicts.map(({ adjustment }) => adjustment),
    [5, 6, -3],
  );
});

test('a file that is emptied on the way to its next number never counts as 0', async () => {
  const lab = new Lab();
  await lab.one(0);
  lab.files.say(PATH, '1');
  lab.files.say(PATH, '');
  await lab.time.advance(millis(99));
  lab.files.say(PATH, '1\n');
  await lab.time.advance(millis(500));
  assert.equal(lab.verdicts.length, 1);
  lab.files.say(PATH, '');
  await lab.time.advance(millis(101));
  assert.deepEqual(lab.verdict.faults, []);
});

test('nonsense and a lost permission keep the last number, and say so', async () => {
  const lab = new Lab();
  await lab.one(10);
  lab.files.say(PATH, '4');
  lab.files.say(PATH, 'four');
  lab.files.watched.get(PATH)!({ type: 'unreadable', why: 'EACCES' });
  assert.equal(lab.verdict.adjustment, 40);
  assert.deepEqual(lab.changes, [
    { file: 'level', value: 4, problem: '' },
    { file: 'level', value: 4, problem: '/run/level holds no number; 4 stays' },
    { file: 'level', value: 4, problem: '/run/level cannot be read (EACCES); 4 stays' },
  ]);
  assert.equal(lab.tracker.statuses()[0]!.problem, '/run/level cannot be read (EACCES); 4 stays');
});

test('init_file writes the number before the file is read, once', async () => {
  const lab = new Lab();
  await lab.one(1, false, { initial: { value: 7, overwrite: true } });
  await lab.one(2, false, { initial: { value: 7, overwrite: true } });
  assert.deepEqual(lab.files.written, [{ path: PATH, text: '7\n', overwrite: true }]);
});

test('a reload keeps number and watch, and moves a priority by the new weight at once', async () => {
  const lab = new Lab();
  await lab.one(1);
  lab.files.say(PATH, '5');
  const watch = lab.files.watched.get(PATH);
  assert.deepEqual(await lab.one(-2), [{ instance: 'VI_1', adjustment: -10, faults: [] }]);
  assert.equal(lab.files.watched.get(PATH), watch);
});

test('under another path the old number holds until the new file is read', async () => {
  const lab = new Lab();
  await lab.one(0);
  lab.files.say(PATH, '1');
  const [verdict] = await lab.one(0, false, { path: '/run/other' });
  assert.equal(verdict!.faults.length, 1);
  assert.deepEqual([...lab.files.watched.keys()], ['/run/other']);
  lab.files.say('/run/other', '0');
  assert.deepEqual(lab.verdict.faults, []);
});

test('a file tracked by a sync group counts for every member with the weight of the group', async () => {
  const lab = new Lab();
  await lab.configure(
    [file()],
    [instance('A'), instance('B', { trackFiles: [track('level', 1)] })],
    [group('G', ['A', 'B'], { trackFiles: [track('level', 3)] })],
  );
  lab.files.say(PATH, '-2');
  assert.deepEqual(
    lab.trackers.verdicts().map(({ adjustment }) => adjustment),
    [-6, -6],
  );
});

test('a file that nothing tracks is neither watched nor written', async () => {
  const lab = new Lab();
  await lab.configure([file({ initial: { value: 1, overwrite: false } })], [instance('VI_1')]);
  assert.deepEqual([lab.files.watched.size, lab.files.written.length], [0, 0]);
});

test('the status says the number and who makes what of it', async () => {
  const lab = new Lab();
  await lab.one(2);
  lab.files.say(PATH, '5');
  const { kind, name, condition, value, subject, usedBy } = lab.tracker.statuses()[0]!;
  assert.deepEqual([kind, name, condition, value, subject], ['file', 'level', 'failed', 5, PATH]);
  assert.deepEqual(usedBy, [{ instance: 'VI_1', weight: 2, reverse: false }]);
});
