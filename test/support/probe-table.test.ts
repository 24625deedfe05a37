// What a client missed, computed from what was sent and what came back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProbeTable } from '../../core/cli/demo/probe-table.ts';

/** A prober's record: one probe a millisecond, answered after 0.1 ms by host 0 unless `answer` says otherwise. */
function record(count: number, answer: (i: number) => { host: number; after: number } | undefined): ProbeTable {
  const table = ProbeTable.create();
  for (let i = 0; i < count; i++) {
    const sequence = table.send(1, 1_000 + i)!;
    const answered = answer(i);
    if (answered) table.answer(sequence, answered.host, 1_000 + i + answered.after);
  }
  return table;
}

const prompt = { host: 0, after: 0.25 };

describe('probe table', () => {
  test('no gap where every probe was answered', () => {
    assert.deepEqual(record(100, () => prompt).gaps(1, 1_000, 1_100), []);
  });

  test('a gap lasts from the first lost probe to the next answer', () => {
    const table = record(100, (i) => (i >= 20 && i < 50 ? undefined : prompt));
    assert.deepEqual(table.gaps(1, 1_000, 1_100), [{ from: 1_020, to: 1_050.25, lost: 30 }]);
  });

  test('a gap that does not end lasts to the end of the window', () => {
    const table = record(100, (i) => (i < 90 ? prompt : undefined));
    assert.deepEqual(table.gaps(1, 1_000, 1_100), [{ from: 1_090, to: 1_100, lost: 10 }]);
  });

  test('an answer that waited in a queue is none', () => {
    const table = record(100, (i) => (i === 10 ? { host: 0, after: 21 } : prompt));
    assert.deepEqual(table.gaps(1, 1_000, 1_100), [{ from: 1_010, to: 1_011.25, lost: 1 }]);
  });

  test('the first answer counts, and says who gave it', () => {
    const table = record(10, (i) => ({ host: i < 4 ? 0 : 1, after: 0.25 }));
    table.answer(0, 1, 1_000.5);
    assert.deepEqual(
      table.answers(1, 1_000, 1_010),
      new Map([
        [0, 4],
        [1, 6],
      ]),
    );
  });

  test("another prober's probes do not count", () => {
    const table = record(10, () => prompt);
    table.send(2, 1_005);
    assert.deepEqual(table.gaps(1, 1_000, 1_010), []);
    assert.deepEqual(table.gaps(2, 1_000, 1_010), [{ from: 1_005, to: 1_010, lost: 1 }]);
  });
});
