import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Notice, type NoticeSink, Teller } from '../../core/agent/events.ts';
import { fifoLine } from '../../core/agent/fifo.ts';
import type { GlobalDefs, InstanceConfig, SyncGroupConfig } from '../../core/config/model.ts';
import type { EngineEvent } from '../../core/engine/messages.ts';
import { priority, seconds } from '../../core/units.ts';
import type { RouterState } from '../../core/vrrp/types.ts';
import { allReady, globals, group, instance } from './sample-config.ts';

function lab(
  instances: readonly InstanceConfig[] = [instance('V1')],
  groups: readonly SyncGroupConfig[] = [],
  defs: Partial<GlobalDefs> = {},
) {
  const notices: Notice[] = [];
  const repeated: string[] = [];
  const sink: NoticeSink = {
    configure: () => {},
    notify: (notice) => void notices.push(notice),
    repeat: (again) => void repeated.push(...again.map(fifoLine)),
    drain: async () => {},
  };
  const teller = new Teller([sink]);
  const configure = (list: readonly InstanceConfig[], removed: readonly string[] = []): void =>
    teller.configure({ globals: { ...globals(), ...defs }, scripts: [], instances: list, groups }, allReady(), removed);
  configure(instances);
  const go = (name: string, from: RouterState, to: RouterState, detail = ''): void =>
    teller.hear({ ...transition, instance: name, from, to, detail });
  const goGroup = (from: RouterState, to: RouterState): void =>
    teller.hear({ type: 'group-transition', group: 'G', from, to, time: 0 });
  const lines = (): string[] => notices.splice(0).map((notice) => fifoLine(notice).trimEnd());
  return { teller, notices, repeated, configure, go, goGroup, lines, begin: () => teller.hear({ type: 'configured' }) };
}

const transition = { type: 'transition', why: 'startup', priority: priority(100), time: 0 } as const;
const WAITING = 'chk is waiting for its first result';

test('at the start nothing is told before everybody has a state, and then groups first', () => {
  const { go, goGroup, begin, lines } = lab([instance('V1'), instance('V2')], [group('G', ['V1', 'V2'])]);
  go('V1', 'INIT', 'BACKUP');
  goGroup('INIT', 'BACKUP');
  go('V2', 'INIT', 'BACKUP');
  assert.deepEqual(lines(), []);
  begin();
  assert.deepEqual(lines(), ['GROUP "G" BACKUP 0', 'INSTANCE "V1" BACKUP 100', 'INSTANCE "V2" BACKUP 100']);
});

test('a state is told once, leaving not at all, and what came before is what was told before', () => {
  const { go, begin, notices } = lab();
  begin();
  go('V1', 'INIT', 'BACKUP');
  go('V1', 'BACKUP', 'MASTER');
  go('V1', 'MASTER', 'LEAVING');
  go('V1', 'LEAVING', 'MASTER');
  go('V1', 'MASTER', 'LEAVING');
  go('V1', 'LEAVING', 'INIT');
  assert.deepEqual(
    notices.map(({ previous, state }) => `${previous} ${state}`),
    ['INIT BACKUP', 'BACKUP MASTER', 'MASTER STOP'],
  );
});

test('waiting for the first result of a check is not told, nor is a group that waits', () => {
  const { go, goGroup, begin, lines } = lab([instance('V1')], [group('G', ['V1'])]);
  go('V1', 'INIT', 'FAULT', WAITING);
  goGroup('INIT', 'FAULT');
  begin();
  assert.deepEqual(lines(), []);
  go('V1', 'FAULT', 'BACKUP');
  goGroup('FAULT', 'BACKUP');
  assert.deepEqual(lines(), ['INSTANCE "V1" BACKUP 100', 'GROUP "G" BACKUP 0']);
});

test('a first result that is a failure makes it a fault that is told, though the engine sees no change', () => {
  const { teller, go, goGroup, begin, lines } = lab([instance('V1')], [group('G', ['V1'])]);
  go('V1', 'INIT', 'FAULT', WAITING);
  goGroup('INIT', 'FAULT');
  begin();
  teller.judged({ instance: 'V1', adjustment: 0, faults: [WAITING] });
  assert.deepEqual(lines(), []);
  teller.judged({ instance: 'V1', adjustment: 0, faults: ['chk failed'] });
  teller.judged({ instance: 'V1', adjustment: 0, faults: ['chk failed', 'other failed'] });
  assert.deepEqual(lines(), ['INSTANCE "V1" FAULT 100', 'GROUP "G" FAULT 0']);
});

test('a first result that comes before the engine has a state is not missed', () => {
  const { teller, go, goGroup, begin, lines } = lab([instance('V1'), instance('V2')], [group('G', ['V1'])]);
  teller.judged({ instance: 'V1', adjustment: 0, faults: ['chk failed'] });
  go('V1', 'INIT', 'FAULT', WAITING);
  goGroup('INIT', 'FAULT');
  go('V2', 'INIT', 'BACKUP');
  begin();
  assert.deepEqual(lines(), ['INSTANCE "V2" BACKUP 100', 'INSTANCE "V1" FAULT 100', 'GROUP "G" FAULT 0']);
});

test('when the engine fails, everybody who was something is told to have ended', async () => {
  const { teller, go, goGroup, begin, notices } = lab([instance('V1'), instance('V2')], [group('G', ['V1'])]);
  go('V1', 'INIT', 'MASTER');
  goGroup('INIT', 'MASTER');
  begin();
  notices.length = 0;
  await teller.drain(seconds(1));
  assert.deepEqual(
    notices.map(({ name, state, previous, reason }) => `${name} ${state} ${previous} ${reason}`),
    ['V1 STOP MASTER failed', 'G STOP MASTER failed'],
  );
});

for (const { deleted, word } of [
  { deleted: true, word: 'DELETED' },
  { deleted: false, word: 'FAULT' },
])
  test(`an instance that a reload removes ends as ${word} ${deleted ? 'with' : 'without'} notify_deleted`, () => {
    const { go, begin, lines, configure } = lab([instance('V1', { notify: { deleted } }), instance('V2')]);
    begin();
    go('V1', 'INIT', 'BACKUP');
    lines();
    configure([instance('V2')], ['V1']);
    go('V1', 'BACKUP', 'INIT');
    assert.deepEqual(lines(), [`INSTANCE "V1" ${word} 100`]);
    // The name may come back, as somebody else.
    go('V1', 'INIT', 'BACKUP');
    assert.deepEqual(lines(), ['INSTANCE "V1" BACKUP 100']);
  });

test('an instance that a reload renames does not end under its former name', async () => {
  const { teller, go, begin, lines, configure } = lab([instance('V1')]);
  begin();
  go('V1', 'INIT', 'MASTER');
  configure([instance('V9')]);
  lines();
  teller.stopping();
  go('V9', 'MASTER', 'INIT');
  await teller.drain(seconds(1));
  assert.deepEqual(lines(), ['INSTANCE "V9" STOP 100']);
});

test('priority changes are told to whom they were promised, by the state they happen in', () => {
  const changed = (name: string, state: RouterState, value: number): EngineEvent => ({
    type: 'priority-changed',
    instance: name,
    state,
    priority: priority(value),
  });
  const instances = [
    instance('V1'),
    instance('V2', { notify: { priorityChanges: false } }),
    instance('V3', { notify: { priorityChanges: true } }),
    instance('V4'),
  ];
  const states: RouterState[] = ['MASTER', 'BACKUP', 'FAULT', 'LEAVING', 'INIT'];
  for (const [defs, groups, expected] of [
    [{}, [], ['V3']],
    [{ notifyPriorityChanges: true }, [], ['V1', 'V3', 'V4']],
    [{}, [group('G', ['V4'], { notify: { priorityChanges: true } })], ['V3', 'V4']],
  ] as const) {
    const { teller, begin, lines } = lab(instances, groups, defs);
    begin();
    for (const { name } of instances) for (const state of states) teller.hear(changed(name, state, 90));
    assert.deepEqual(
      lines(),
      expected.flatMap((name) =>
        ['MASTER_PRIORITY', 'BACKUP_PRIORITY', 'BACKUP_PRIORITY'].map((word) => `INSTANCE "${name}" ${word} 90`),
      ),
    );
  }
});

test('a rival that loses is told every time, with its address', () => {
  const { teller, begin, notices } = lab();
  begin();
  for (let i = 0; i < 2; i++)
    teller.hear({
      type: 'lower-priority-heard',
      instance: 'V1',
      source: '192.0.2.2' as never,
      priority: priority(100),
      count: 1,
    });
  assert.deepEqual(
    notices.map(({ state, peer }) => `${state} ${peer}`),
    ['MASTER_RX_LOWER_PRI 192.0.2.2', 'MASTER_RX_LOWER_PRI 192.0.2.2'],
  );
});

test('while it stops, a group is told its end only, and after all instances', async () => {
  const { teller, go, goGroup, begin, lines } = lab([instance('V1'), instance('V2')], [group('G', ['V1'])]);
  begin();
  for (const name of ['V1', 'V2']) go(name, 'INIT', 'MASTER');
  goGroup('INIT', 'MASTER');
  lines();
  teller.stopping();
  go('V1', 'MASTER', 'LEAVING');
  goGroup('MASTER', 'BACKUP');
  go('V1', 'LEAVING', 'INIT');
  goGroup('BACKUP', 'INIT');
  go('V2', 'MASTER', 'INIT');
  await teller.drain(seconds(1));
  assert.deepEqual(lines(), ['INSTANCE "V1" STOP 100', 'INSTANCE "V2" STOP 100', 'GROUP "G" STOP 0']);
});

test('fifo_write_vrrp_states_on_reload repeats who is what, groups first, without those that go', () => {
  const instances = [instance('V1'), instance('V2')];
  const { go, goGroup, begin, repeated, configure } = lab(instances, [group('G', ['V1'])], {
    fifoStatesOnReload: true,
  });
  go('V1', 'INIT', 'MASTER');
  goGroup('INIT', 'MASTER');
  go('V2', 'INIT', 'BACKUP');
  begin();
  configure([instance('V1')], ['V2']);
  assert.deepEqual(repeated, ['GROUP "G" MASTER 0\n', 'INSTANCE "V1" MASTER 100\n']);
});
