// What checks mean to virtual routers, in virtual time: expressions, threads that go and come back, reloads. The checks
// are real ones (Rounds) whose plugin asks the test.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CheckTracker } from '../../core/agent/check-tracker.ts';
import { Trackers } from '../../core/agent/trackers.ts';
import type { CheckEvent } from '../../core/checks/messages.ts';
import { serve } from '../../core/checks/serve.ts';
import { type CheckThread, SupervisedThread, type ThreadWatcher } from '../../core/checks/supervised-thread.ts';
import type { CheckConfig, CheckProbe } from '../../core/config/model.ts';
import type { CheckPlugin } from '../../core/plugin/check.ts';
import { micros, millis, seconds } from '../../core/units.ts';
import { allReady, instance, track } from './sample-config.ts';
import { VirtualTime } from './virtual-time.ts';

const probing: CheckProbe = { type: 'plugin', plugin: 'asked', options: {} };
const all = (...of: string[]): CheckProbe => ({ type: 'expression', count: of.length, of });
const atLeast = (count: number, ...of: string[]): CheckProbe => ({ type: 'expression', count, of });

const check = (name: string, probe: CheckProbe = probing, more: Partial<CheckConfig> = {}): CheckConfig => ({
  name,
  probe,
  interval: seconds(1),
  timeout: millis(500),
  jitter: micros(0),
  rise: 1,
  fall: 1,
  weight: 0,
  reverse: false,
  initFail: false,
  ...more,
});

/** A tracker whose checks answer what the test says: up, down, or nothing (absent). */
function stage() {
  const time = new VirtualTime();
  const answers = new Map<string, boolean>();
  const unable = new Set<string>();
  const told: string[] = [];
  const verdicts: string[] = [];
  const sources = new Map<string, string>();
  const threads = new Map<string | undefined, SupervisedThread>();
  const running = new Map<string | undefined, (why: string) => void>();
  let watcherOf: (specifier: string | undefined) => ThreadWatcher;
  let startable = true;
  const plugin = (name: string): CheckPlugin => ({
    api: 1,
    kind: 'check',
    name,
    help: 'asks the test',
    options: {},
    create: (_, host) => {
      if (unable.has(host.name)) throw new Error('not on this machine');
      return {
        probe: async (signal) => {
          const up = answers.get(host.name);
          if (up === undefined)
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
          return up ? { ok: true, detail: 'fine' } : { ok: false, why: 'down' };
        },
      };
    },
  });
  const start = (specifier: string | undefined): CheckThread => {
    let alive = true;
    let hear: (event: CheckEvent) => void = () => {};
    let carryOut: ReturnType<typeof serve> | undefined;
    return {
      send: (command) => {
        if (alive) carryOut?.(command);
      },
      listen: (onEvent, onEnd) => {
        hear = (event) => {
          if (alive) queueMicrotask(() => onEvent(event));
        };
        running.set(specifier, (why) => {
          alive = false;
          carryOut?.({ type: 'configure', plans: [] });
          onEnd(why);
        });
        if (startable)
          carryOut = serve([plugin('asked'), plugin('other')], {
            timing: time,
            random: () => 0,
            services: {},
            post: (event: CheckEvent) => hear(event),
          } as unknown as Parameters<typeof serve>[1]);
      },
      terminate: () => {
        alive = false;
        carryOut?.({ type: 'configure', plans: [] });
      },
    };
  };
  const tracker = new CheckTracker({
    threads: {
      listen: (of) => {
        watcherOf = of;
      },
      sourceOf: (name) => sources.get(name),
      get: (specifier) => {
        const known = threads.get(specifier);
        if (known) return known;
        const thread = new SupervisedThread('it', () => start(specifier), time, watcherOf(specifier));
        threads.set(specifier, thread);
        return thread;
      },
      keep: (specifiers) => {
        for (const [specifier, thread] of threads)
          if (!specifiers.has(specifier)) {
            thread.stop();
            threads.delete(specifier);
          }
      },
    },
    onCheck: ({ check: name, up, detail }) => told.push(`${name} ${up} ${detail}`),
    log: () => {},
  });
  const trackers = new Trackers({
    sources: [tracker],
    onVerdict: ({ adjustment, faults }) => verdicts.push([adjustment, ...faults].join('; ')),
  });
  /** One virtual router that tracks these. */
  const configure = (checks: readonly CheckConfig[], ...tracks: readonly ReturnType<typeof track>[]): string => {
    const instances = [instance('V', { trackChecks: tracks })];
    const [verdict] = trackers.configure(
      { instances, groups: [], scripts: [], checks, trackFiles: [], trackProcesses: [] },
      allReady(),
    );
    return [verdict!.adjustment, ...verdict!.faults].join('; ');
  };
  const crash = (specifier?: string): void => running.get(specifier)!('crash');
  const setStartable = (can: boolean): void => {
    startable = can;
  };
  return { time, answers, unable, told, verdicts, sources, threads, tracker, configure, crash, setStartable };
}

const verdictOf = ({ verdicts }: { readonly verdicts: readonly string[] }): string | undefined => verdicts.at(-1);

describe('an expression', () => {
  test('is decided as soon as enough are up or too few can be, and waits until then', async () => {
    const it = stage();
    it.answers.set('a', true);
    const waiting = it.configure([check('a'), check('b'), check('two', all('a', 'b'))], track('two'));
    assert.equal(waiting, '0; check two is waiting for its first result');
    await it.time.advance(millis(100));
    assert.deepEqual(it.told, ['a true fine']);
    it.answers.set('b', true);
    await it.time.advance(seconds(1));
    assert.deepEqual(it.told.slice(1), [
      'b false no answer within 500 ms',
      'two false 1 of 2 are up, not b',
      'b true fine',
      'two true 2 of 2 are up',
    ]);
    assert.equal(verdictOf(it), '0');
  });
  test('over expressions tells each change once, and no state in between', async () => {
    const it = stage();
    for (const name of ['a', 'b', 'c']) it.answers.set(name, true);
    const checks = [
      check('a'),
      check('b'),
      check('c'),
      check('left', all('a', 'b')),
      check('right', atLeast(1, 'b', 'c')),
      check('top', all('left', 'right')),
    ];
    it.configure(checks, track('top'));
    await it.time.advance(millis(100));
    it.told.length = 0;
    it.answers.set('b', false);
    await it.time.advance(seconds(1));
    assert.deepEqual(it.told, ['b false down', 'left false 1 of 2 are up, not b', 'top false 1 of 2 are up, not left']);
    assert.equal(verdictOf(it), '0; check top failed: 1 of 2 are up, not left');
  });
  test('counts a check that cannot run as down', () => {
    const it = stage();
    const broken: CheckProbe = { type: 'none', why: 'it lacks a port' };
    assert.equal(
      it.configure([check('a', broken), check('one', all('a'))], track('one')),
      '0; check one failed: 0 of 1 are up, not a',
    );
  });
  test('of twenty levels, each naming the one below twice over, takes no time', async () => {
    const it = stage();
    it.answers.set('x0', true);
    it.answers.set('y0', true);
    const levels = Array.from({ length: 20 }, (_, i) => i + 1);
    const checks = [check('x0'), check('y0')].concat(
      levels.flatMap((i) => ['x', 'y'].map((side) => check(`${side}${i}`, all(`x${i - 1}`, `y${i - 1}`)))),
    );
    it.configure(checks, track('x20'));
    await it.time.advance(millis(100));
    assert.equal(it.tracker.stateOf('x20')?.up, true);
  });
});

describe('a check that cannot be made', () => {
  test('is not waited for, and counts as failed only with init_fail', async () => {
    const it = stage();
    it.unable.add('free').add('strict');
    const checks = [check('free'), check('strict', probing, { initFail: true })];
    assert.equal(it.configure(checks.slice(0, 1), track('free')), '0; check free is waiting for its first result');
    await it.time.advance(millis(100));
    assert.equal(verdictOf(it), '0');
    it.configure(checks, track('free'), track('strict'));
    await it.time.advance(millis(100));
    assert.equal(verdictOf(it), '0; check strict failed: not on this machine');
    assert.deepEqual(
      (await it.tracker.checks()).map(({ name, condition, detail }) => `${name} ${condition} ${detail}`),
      ['free disabled not on this machine', 'strict failed not on this machine'],
    );
  });
  test('is tried again at a reload', async () => {
    const it = stage();
    it.unable.add('web');
    it.answers.set('web', true);
    it.configure([check('web')], track('web', 10));
    await it.time.advance(seconds(2));
    assert.deepEqual(it.verdicts, []);
    it.unable.clear();
    it.configure([check('web')], track('web', 10));
    await it.time.advance(seconds(1));
    assert.deepEqual(it.verdicts, ['10']);
  });
});

describe('a thread', () => {
  test('lost for five seconds takes its checks with it, and brings them back when it works', async () => {
    const it = stage();
    it.answers.set('web', true);
    it.configure([check('web')], track('web'));
    await it.time.advance(seconds(2));
    it.setStartable(false);
    it.crash();
    await it.time.advance(millis(4_900));
    assert.equal(verdictOf(it), '0', 'what it said last still counts');
    await it.time.advance(millis(200));
    assert.match(verdictOf(it)!, /^0; check web failed: its plugin does not work: /);
    it.setStartable(true);
    await it.time.advance(seconds(30));
    assert.equal(verdictOf(it), '0');
  });
  test('that comes back is believed when a check with init_fail fails now', async () => {
    const it = stage();
    it.answers.set('web', true);
    it.configure([check('web', probing, { initFail: true })], track('web'));
    await it.time.advance(seconds(2));
    it.crash();
    it.answers.set('web', false);
    await it.time.advance(seconds(2));
    assert.equal(verdictOf(it), '0; check web failed: down');
  });
  test('given up before a reload adds a check is not waited for without a word', async () => {
    const it = stage();
    it.setStartable(false);
    it.configure([check('web')], track('web', -10));
    await it.time.advance(seconds(11));
    assert.equal(verdictOf(it), '-10');
    assert.match(
      it.configure([check('web'), check('new')], track('web', -10), track('new')),
      /^-10; check new failed: its plugin does not work: /,
    );
  });
  test('of another plugin says nothing about checks that are not its own', async () => {
    const it = stage();
    it.sources.set('other', './other.mjs');
    const other: CheckProbe = { type: 'plugin', plugin: 'other', options: {} };
    it.answers.set('web', true).set('foreign', true);
    it.configure([check('web'), check('foreign', other)], track('web'), track('foreign'));
    await it.time.advance(seconds(1));
    it.setStartable(false);
    it.crash('./other.mjs');
    await it.time.advance(seconds(6));
    assert.match(verdictOf(it)!, /^0; check foreign failed: its plugin does not work: /);
    assert.equal(it.tracker.stateOf('web')?.up, true);
  });
});

describe('a reload', () => {
  test('moves nothing for a check that changed, until its first result', async () => {
    const it = stage();
    it.answers.set('web', false);
    it.configure([check('web')], track('web'));
    await it.time.advance(seconds(1));
    it.answers.set('web', true);
    const changed = check('web', probing, { interval: seconds(2) });
    assert.equal(it.configure([changed], track('web')), '0; check web failed: down');
    await it.time.advance(millis(100));
    assert.equal(verdictOf(it), '0');
  });
  test('does not lose a verdict when it comes while a thread starts again', async () => {
    const it = stage();
    it.answers.set('web', true);
    it.configure([check('web')], track('web'));
    await it.time.advance(seconds(1));
    it.crash();
    it.answers.set('web', false);
    assert.equal(it.configure([check('web', probing, { fall: 2 })], track('web')), '0');
    await it.time.advance(seconds(4));
    assert.equal(verdictOf(it), '0; check web failed: down');
  });
  test('ends the thread of checks that nobody tracks any more', async () => {
    const it = stage();
    it.configure([check('web')], track('web'));
    assert.equal(it.threads.size, 1);
    it.configure([check('web')]);
    assert.equal(it.threads.size, 0);
    await it.time.advance(seconds(5));
    assert.equal(it.time.timers, 0);
  });
  test('gives a check with another name no verdict of the old one, and does not stop who runs', async () => {
    const it = stage();
    it.answers.set('old', false).set('new', true);
    it.configure([check('old')], track('old', -10));
    await it.time.advance(seconds(1));
    assert.equal(verdictOf(it), '-10');
    assert.equal(it.configure([check('new')], track('new', -10)), '0');
    await it.time.advance(seconds(1));
    assert.equal(it.tracker.stateOf('old'), undefined);
    assert.equal(it.tracker.stateOf('new')?.up, true);
  });
});
