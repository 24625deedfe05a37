import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { after, type Instant, instant, micros, millis, seconds } from '../../core/units.ts';
import { AnnounceSchedule, LOWER_PRIORITY_GAP_MAX, LOWER_PRIORITY_GAP_MIN } from '../../core/vip/announce-schedule.ts';
import type { AnnounceTiming } from '../../core/vip/local-provider.ts';

const START = instant(1_000_000_000);
const at = (ms: number): Instant => after(START, millis(ms));
const DEFAULTS: AnnounceTiming = {
  masterDelay: seconds(5),
  masterRepeat: 5,
  refresh: micros(0),
  refreshRepeat: 1,
  lowerPrioDelay: seconds(5),
  lowerPrioRepeat: 5,
};

function master(timing: Partial<AnnounceTiming> = {}): AnnounceSchedule {
  const schedule = new AnnounceSchedule({ ...DEFAULTS, ...timing });
  schedule.becameMaster(START);
  return schedule;
}

/** Lets time pass up to `end` ms, always waking at the deadline; what was due, as [ms, repeat]. */
function pass(schedule: AnnounceSchedule, end: number): [number, number][] {
  const bursts: [number, number][] = [];
  for (let deadline = schedule.deadline; deadline !== undefined && deadline <= at(end); deadline = schedule.deadline) {
    const due = schedule.due(deadline);
    assert.ok(due && due.at === deadline, 'something is due at the deadline');
    bursts.push([(deadline - START) / 1000, due.repeat]);
  }
  return bursts;
}

test('before it is master nothing is due', () => {
  const schedule = new AnnounceSchedule({ ...DEFAULTS, refresh: seconds(1) });
  assert.equal(schedule.deadline, undefined);
  assert.equal(schedule.due(START), undefined);
  assert.equal(schedule.lowerPriorityHeard(START), undefined);
  assert.equal(schedule.deadline, undefined);
});

test('the second burst comes after the master delay, and no third', () => {
  const schedule = master();
  assert.equal(schedule.due(at(4999)), undefined);
  assert.deepEqual(pass(schedule, 100_000), [[5000, 5]]);
  assert.equal(schedule.deadline, undefined);
});

test('a master delay of 0 means no second burst', () => {
  assert.equal(master({ masterDelay: micros(0) }).deadline, undefined);
});

test('no repeats mean no burst', () => {
  const schedule = master({ masterRepeat: 0, lowerPrioRepeat: 0, refresh: seconds(1), refreshRepeat: 0 });
  assert.equal(schedule.lowerPriorityHeard(at(1)), undefined);
  assert.equal(schedule.deadline, undefined);
});

test('refreshes go on while it is master', () => {
  const schedule = master({ masterDelay: micros(0), refresh: seconds(10) });
  assert.deepEqual(pass(schedule, 35_000), [
    [10_000, 1],
    [20_000, 1],
    [30_000, 1],
  ]);
  schedule.stop();
  assert.equal(schedule.deadline, undefined);
  assert.equal(schedule.due(at(100_000)), undefined);
});

test('a late refresh keeps the rhythm, and missed ones are not made up for', () => {
  const schedule = master({ masterDelay: micros(0), refresh: seconds(10) });
  assert.equal(schedule.due(at(10_700))?.repeat, 1);
  assert.equal(schedule.deadline, at(20_000));
  assert.equal(schedule.due(at(57_000))?.repeat, 1);
  assert.equal(schedule.due(at(57_000)), undefined);
  assert.equal(schedule.deadline, at(67_000));
});

test('bursts that fall together are one, with the most repeats', () => {
  const schedule = master({ refresh: seconds(5), refreshRepeat: 2 });
  assert.deepEqual(pass(schedule, 10_000), [
    [5000, 5],
    [10_000, 2],
  ]);
});

test('a lower-priority master is answered at once and again after the delay', () => {
  const schedule = master({ masterDelay: micros(0), lowerPrioRepeat: 3 });
  assert.equal(schedule.lowerPriorityHeard(at(20)), 3);
  assert.deepEqual(pass(schedule, 100_000), [[5020, 3]]);
});

test('a second advert within the gap is answered when the gap has passed', () => {
  const schedule = master({ masterDelay: micros(0), lowerPrioDelay: micros(0) });
  assert.equal(schedule.lowerPriorityHeard(at(0)), 5);
  assert.equal(schedule.lowerPriorityHeard(at(10)), undefined);
  assert.equal(schedule.lowerPriorityHeard(at(99)), undefined);
  assert.deepEqual(pass(schedule, 100_000), [[100, 5]]);
});

test('the gap widens while adverts go on and is short again after a second of silence', () => {
  const schedule = master({ masterDelay: micros(0), lowerPrioDelay: micros(0) });
  const bursts: number[] = [];
  for (let ms = 0; ms <= 5000; ms += 10) {
    if (schedule.due(at(ms))) bursts.push(ms);
    if (schedule.lowerPriorityHeard(at(ms)) !== undefined) bursts.push(ms);
  }
  assert.deepEqual(bursts, [0, 100, 300, 700, 1500, 2500, 3500, 4500]);
  pass(schedule, 5999);
  assert.equal(schedule.lowerPriorityHeard(at(6000)), 5);
  assert.equal(schedule.lowerPriorityHeard(at(6001)), undefined);
  assert.equal(schedule.deadline, at(6100));
});

test('an advert during a pending second burst gets one of its own later', () => {
  const schedule = master({ masterDelay: micros(0) });
  assert.equal(schedule.lowerPriorityHeard(at(0)), 5);
  assert.equal(schedule.lowerPriorityHeard(at(3000)), 5);
  assert.deepEqual(pass(schedule, 100_000), [
    [5000, 5],
    [8000, 5],
  ]);
});

test('the second burst of the takeover is not lost to that of a lower-priority advert', () => {
  const schedule = master({ masterDelay: seconds(60), lowerPrioDelay: seconds(2), lowerPrioRepeat: 2 });
  assert.equal(schedule.lowerPriorityHeard(at(1000)), 2);
  assert.deepEqual(pass(schedule, 100_000), [
    [3000, 2],
    [60_000, 5],
  ]);
});

test('becoming master again forgets what was pending', () => {
  const schedule = master();
  schedule.lowerPriorityHeard(at(10));
  schedule.lowerPriorityHeard(at(20));
  schedule.stop();
  schedule.becameMaster(at(1000));
  assert.equal(schedule.deadline, at(6000));
  assert.equal(schedule.lowerPriorityHeard(at(1001)), 5);
});

test('however many adverts are heard when, bursts are rationed and the last advert is followed by one', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 150, 5000), (gaps, delay) => {
      const schedule = master({ masterDelay: micros(0), lowerPrioDelay: millis(delay) });
      const bursts: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        bursts.push(...pass(schedule, now + gap).map(([ms]) => ms));
        now += gap;
        if (schedule.lowerPriorityHeard(at(now)) !== undefined) bursts.push(now);
      }
      const lastHeard = now;
      bursts.push(...pass(schedule, now + 1_000_000).map(([ms]) => ms));
      assert.equal(schedule.deadline, undefined, 'it comes to rest');
      assert.ok(bursts.at(-1)! >= lastHeard + delay, 'the last advert is answered');
      // At most one a gap, and the second bursts beside them.
      const span = bursts.at(-1)! - bursts[0]!;
      const most = 1 + span / (LOWER_PRIORITY_GAP_MIN / 1000) + (delay ? 1 + span / delay : 0);
      assert.ok(bursts.length <= most, `${bursts.length} bursts in ${span} ms`);
    }),
  );
});

test('a flood of forged adverts draws no more than a burst a second in the long run', () => {
  const schedule = master({ masterDelay: micros(0), lowerPrioDelay: micros(0) });
  let bursts = 0;
  for (let ms = 0; ms < 60_000; ms++) {
    if (schedule.due(at(ms))) bursts++;
    if (schedule.lowerPriorityHeard(at(ms)) !== undefined) bursts++;
  }
  assert.ok(bursts <= 60_000 / (LOWER_PRIORITY_GAP_MAX / 1000) + 4, `${bursts}`);
});
