// Checks at work in virtual time: the schedule, the limit of a probe, rise and fall, what plugins do wrong.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckEvent, CheckPlan } from '../../core/checks/messages.ts';
import { Rounds } from '../../core/checks/rounds.ts';
import type { CheckPlugin, ProbeResult } from '../../core/plugin/check.ts';
import { millis, seconds } from '../../core/units.ts';
import { VirtualTime } from '../agent/virtual-time.ts';

const OK: ProbeResult = { ok: true };

const planOf = (name: string, more: Partial<CheckPlan> = {}): CheckPlan => ({
  name,
  plugin: 'asked',
  options: {},
  settings: {},
  interval: seconds(1),
  timeout: millis(500),
  jitter: millis(0),
  rise: 1,
  fall: 1,
  initFail: false,
  ...more,
});

/** A thread of checks whose plugin asks the test. */
function stage(answer: (name: string, signal: AbortSignal) => Promise<ProbeResult> | ProbeResult) {
  const time = new VirtualTime();
  const events: CheckEvent[] = [];
  const probes: { readonly name: string; readonly at: number }[] = [];
  const closed: string[] = [];
  const plugin: CheckPlugin = {
    api: 1,
    kind: 'check',
    name: 'asked',
    help: 'asks the test',
    options: {},
    create: (_, { name }) => ({
      probe: async (signal) => {
        probes.push({ name, at: time.now() / 1_000 });
        return await answer(name, signal);
      },
      close: () => closed.push(name),
    }),
  };
  const rounds = new Rounds({
    timing: time,
    random: () => 0.5,
    plugins: new Map([[plugin.name, plugin]]),
    services: {},
    post: (event) => events.push(event),
  });
  const changes = () => events.filter((event) => event.type === 'changed').map((e) => `${e.name} ${e.up} ${e.detail}`);
  const logs = () => events.filter((event) => event.type === 'log').map((e) => `${e.level} ${e.check} ${e.text}`);
  return { time, rounds, events, probes, closed, changes, logs };
}

/** Ends when it is told to. */
const whenAborted = (signal: AbortSignal): Promise<ProbeResult> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

describe('the schedule', () => {
  test('a probe begins every interval after the first, however long probes take', async () => {
    const { time, rounds, probes } = stage(
      () => new Promise((resolve) => time.setTimer((time.now() + 300_000) as never, () => resolve(OK))),
    );
    rounds.configure([planOf('one')]);
    await time.advance(millis(3_500));
    assert.deepEqual(
      probes.map(({ at }) => at),
      [0, 1_000, 2_000, 3_000],
    );
  });
  test('many checks begin spread over the interval, those of one step together, a few at once', async () => {
    const many = stage(() => OK);
    many.rounds.configure(Array.from({ length: 100 }, (_, i) => planOf(`c${i}`)));
    await many.time.advance(millis(1_000));
    const first = new Map<string, number>();
    for (const { name, at } of many.probes) if (!first.has(name)) first.set(name, at);
    const perInstant = new Map<number, number>();
    for (const at of first.values()) perInstant.set(at, (perInstant.get(at) ?? 0) + 1);
    assert.deepEqual(
      [...perInstant].map(([at, count]) => `${at}: ${count}`),
      ['0: 1', ...Array.from({ length: 9 }, (_, i) => `${(i + 1) * 100}: 10`), '1000: 9'],
    );
    const few = stage(() => OK);
    few.rounds.configure([planOf('a'), planOf('b')]);
    await few.time.advance(millis(0));
    assert.equal(few.probes.length, 2);
  });
  test('jitter lengthens every interval by its part of chance', async () => {
    const { time, rounds, probes } = stage(() => OK);
    rounds.configure([planOf('one', { jitter: millis(200) })]);
    await time.advance(millis(3_500));
    assert.deepEqual(
      probes.map(({ at }) => at),
      [0, 1_100, 2_200, 3_300],
    );
  });
  test('after a stall one probe begins, not all that were missed', async () => {
    const { time, rounds, probes } = stage(() => OK);
    rounds.configure([planOf('one')]);
    await time.advance(millis(500));
    await time.stall(seconds(10));
    assert.deepEqual(
      probes.map(({ at }) => at),
      [0, 10_500],
    );
    await time.advance(millis(500));
    assert.equal(probes.at(-1)!.at, 11_000, 'on its schedule again');
    const [{ failures, skipped } = {}] = rounds.snapshots();
    assert.deepEqual([failures, skipped], [0, 0], 'what was missed is no failure');
  });
  test('a probe that is asked for comes out of turn and moves no other', async () => {
    const { time, rounds, probes } = stage(() => OK);
    rounds.configure([planOf('one')]);
    await time.advance(millis(400));
    rounds.probe('one');
    await time.advance(millis(1_000));
    assert.deepEqual(
      probes.map(({ at }) => at),
      [0, 400, 1_000],
    );
  });
});

describe('a probe', () => {
  test('that takes too long is aborted at its limit and fails then', async () => {
    let aborted: number | undefined;
    const { time, rounds, changes } = stage((_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = time.now() / 1_000;
      });
      return whenAborted(signal);
    });
    rounds.configure([planOf('slow')]);
    await time.advance(millis(499));
    assert.deepEqual(changes(), []);
    await time.advance(millis(1));
    assert.deepEqual(changes(), ['slow false no answer within 500 ms']);
    assert.equal(aborted, 500);
  });
  test('whose limit is the whole interval fails once each time, and the next one begins when it was told to end', async () => {
    const { time, rounds, probes, logs } = stage((_, signal) => whenAborted(signal));
    rounds.configure([planOf('slow', { timeout: seconds(1), fall: 3 })]);
    await time.advance(millis(2_900));
    const [before] = rounds.snapshots();
    assert.deepEqual([before!.failures, before!.timeouts, before!.skipped], [2, 2, 0]);
    await time.advance(millis(200));
    const [snapshot] = rounds.snapshots();
    assert.deepEqual([snapshot!.failures, snapshot!.timeouts, snapshot!.skipped], [3, 3, 0]);
    assert.deepEqual(
      probes.map(({ at }) => at),
      [0, 1_000, 2_000, 3_000],
    );
    assert.deepEqual(logs(), []);
  });
  test('that begins late and may take the whole interval is not said to hang when the next one is due', async () => {
    const { time, rounds, logs } = stage((_, signal) => whenAborted(signal));
    rounds.configure([planOf('slow', { timeout: seconds(1) })]);
    await time.stall(millis(30));
    await time.advance(millis(3_000));
    const [snapshot] = rounds.snapshots();
    assert.deepEqual([snapshot!.failures, snapshot!.timeouts, snapshot!.skipped], [3, 3, 0]);
    assert.deepEqual(logs(), []);
  });
  test('that does not end when told to is never joined by a second one, and fails each time', async () => {
    const { time, rounds, probes, logs } = stage(() => new Promise(() => {}));
    rounds.configure([planOf('deaf')]);
    await time.advance(millis(5_100));
    assert.equal(probes.length, 1);
    const [snapshot] = rounds.snapshots();
    assert.deepEqual([snapshot!.failures, snapshot!.timeouts, snapshot!.skipped, snapshot!.up], [6, 1, 5, false]);
    assert.deepEqual(logs(), ['warning deaf plugin asked: the probe before does not end although its time is up']);
  });
  test('that throws or rejects fails with the words of the error, and harms no other', async () => {
    const { time, rounds, changes } = stage((name) => {
      if (name === 'throws') throw new TypeError('no such thing');
      return name === 'rejects' ? Promise.reject(new Error('not today')) : OK;
    });
    rounds.configure([planOf('throws'), planOf('rejects'), planOf('well')]);
    await time.advance(millis(0));
    assert.deepEqual(changes().toSorted(), ['rejects false not today', 'throws false no such thing', 'well true ']);
  });
  test('that returns nonsense fails, and says what was expected', async () => {
    for (const nonsense of [undefined, null, 7, {}, { ok: 'yes' }, []]) {
      const { time, rounds, changes } = stage(() => nonsense as never);
      rounds.configure([planOf('odd')]);
      await time.advance(millis(0));
      assert.match(changes()[0]!, /odd false the plugin returned no result: \{ ok: true \}/);
    }
  });
  test('whose words are long is cut short', async () => {
    const { time, rounds } = stage(() => ({ ok: false, why: 'x'.repeat(10_000) }));
    rounds.configure([planOf('wordy')]);
    await time.advance(millis(0));
    assert.equal(rounds.snapshots()[0]!.detail.length, 200);
  });
});

describe('rise and fall', () => {
  test('so many results in a row change the verdict, and only changes are told', async () => {
    const answers = [true, false, false, true, false, false, false, true, true];
    const { time, rounds, changes } = stage(() => (answers.shift() ? OK : { ok: false, why: 'down' }));
    rounds.configure([planOf('one', { fall: 3, rise: 2 })]);
    await time.advance(millis(8_500));
    assert.deepEqual(changes(), ['one true ', 'one false down', 'one true ']);
  });
  test('with init_fail it is down before it has succeeded', async () => {
    const { time, rounds } = stage(() => OK);
    rounds.configure([planOf('one', { initFail: true, rise: 2 })]);
    assert.equal(rounds.snapshots()[0]!.up, false);
    await time.advance(millis(900));
    assert.equal(rounds.snapshots()[0]!.up, false);
    await time.advance(millis(200));
    assert.equal(rounds.snapshots()[0]!.up, true);
  });
});

describe('the first result', () => {
  test('is told even where it is what was assumed, for the agent may remember another one', async () => {
    const { time, rounds, changes } = stage(() => ({ ok: false, why: 'down' }));
    rounds.configure([planOf('one', { initFail: true })]);
    await time.advance(millis(2_100));
    assert.deepEqual(changes(), ['one false down']);
  });
});

describe('a reload', () => {
  test('leaves equal checks alone, ends removed ones, and keeps what a changed one said', async () => {
    const { time, rounds, probes, closed, changes } = stage(() => ({ ok: false, why: 'down' }));
    rounds.configure([planOf('same'), planOf('gone'), planOf('changed')]);
    await time.advance(millis(600));
    rounds.configure([planOf('same'), planOf('changed', { interval: seconds(2), timeout: seconds(1) })]);
    assert.deepEqual(closed, ['gone', 'changed']);
    assert.equal(rounds.snapshots().find(({ name }) => name === 'changed')!.up, false);
    await time.advance(millis(600));
    assert.deepEqual(
      probes.filter(({ name }) => name === 'same').map(({ at }) => at),
      [0, 1_000],
    );
    assert.deepEqual(changes(), ['same false down', 'gone false down', 'changed false down', 'changed false down']);
  });
  test('a probe of a check that is gone tells nothing any more', async () => {
    const { time, rounds, events } = stage((_, signal) => whenAborted(signal));
    rounds.configure([planOf('gone')]);
    await time.advance(millis(100));
    rounds.configure([]);
    await time.advance(seconds(5));
    assert.deepEqual(events, []);
    assert.equal(time.timers, 0);
  });
});

describe('what a plugin logs', () => {
  test('is rationed and cut, and what was left out is counted', async () => {
    const time = new VirtualTime();
    const logs: string[] = [];
    const rounds = new Rounds({
      timing: time,
      random: () => 0,
      plugins: new Map([
        [
          'wordy',
          {
            api: 1,
            kind: 'check',
            name: 'wordy',
            help: 'writes a lot',
            options: {},
            create: (_, { log }) => ({
              probe: async () => {
                for (let i = 0; i < 1_000; i++) log('info', 'x'.repeat(1_000));
                return OK;
              },
            }),
          },
        ],
      ]),
      services: {},
      post: (event) => event.type === 'log' && logs.push(event.text),
    });
    rounds.configure([planOf('one', { plugin: 'wordy', interval: seconds(60), timeout: seconds(1) })]);
    await time.advance(seconds(1));
    assert.deepEqual(logs, Array(10).fill('x'.repeat(200)));
    await time.advance(seconds(60));
    assert.equal(logs.length, 21);
    assert.equal(logs[10], 'its plugin wrote 990 more lines, left out');
  });
});

describe('a check that cannot be made', () => {
  test('is reported once, is not probed, and says why', async () => {
    const { time, rounds, logs, probes } = stage(() => OK);
    rounds.configure([planOf('strange', { plugin: 'unknown' })]);
    await time.advance(seconds(3));
    assert.deepEqual(logs(), ['error strange it cannot run: there is no plugin unknown']);
    assert.equal(probes.length, 0);
    assert.equal(rounds.snapshots()[0]!.detail, 'there is no plugin unknown');
  });
});
