import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration } from '../../core/control/duration.ts';
import { LineBuffer } from '../../core/control/line-buffer.ts';
import { displayWidth, layOut, wrap } from '../../core/control/text-table.ts';

const durations: readonly [ms: number, text: string][] = [
  [-5, '0.0s'],
  [Number.NaN, '0.0s'],
  [0, '0.0s'],
  [400, '0.4s'],
  [9_949, '9.9s'],
  [9_950, '10s'],
  [45_000, '45s'],
  [59_700, '1m00s'],
  [192_000, '3m12s'],
  [18_420_000, '5h07m'],
  [86_399_999, '1d00h'],
  [1_051_200_000, '12d04h'],
];

for (const [ms, text] of durations)
  test(`${ms} ms is ${text}`, () => {
    assert.equal(formatDuration(ms), text);
  });

test('columns are as wide as their widest cell, and the last one is broken below itself', () => {
  const rows = [
    [{ text: 'a' }, { text: 'one two three four five' }],
    [{ text: '中文' }, { text: 'six' }],
  ];
  assert.deepEqual(layOut(rows, 1, { width: 23, colour: false }), [
    ' a     one two three',
    '       four five',
    ' 中文  six',
  ]);
});

test('wrapping loses nothing and keeps the width', () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 30 }).filter((word) => !word.includes(' ')));
  fc.assert(
    fc.property(words, fc.integer({ min: 4, max: 40 }), (list, width) => {
      const lines = wrap(list.join(' '), width);
      assert.ok(lines.every((line) => displayWidth(line) <= width));
      assert.equal(lines.join('').replaceAll(' ', ''), list.join(''));
    }),
  );
});

test('a line buffer cuts lines however the bytes are divided', () => {
  const lines = fc.array(fc.string({ maxLength: 20 }).map((line) => line.replaceAll('\n', '')));
  fc.assert(
    fc.property(lines, fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1 }), (list, sizes) => {
      const bytes = Buffer.from(list.map((line) => `${line}\n`).join(''));
      const buffer = new LineBuffer(1_000);
      const got: string[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + sizes[i % sizes.length]!;
        const cut = buffer.add(bytes.subarray(at, end));
        assert.ok(cut !== 'too-long');
        got.push(...cut.map((line) => Buffer.from(line).toString()));
        at = end;
      }
      assert.deepEqual(got, list);
      assert.equal(buffer.incomplete, false);
    }),
  );
});

test('a line buffer takes exactly its limit', () => {
  assert.equal((new LineBuffer(3).add(Buffer.from('abc\n')) as Uint8Array[]).length, 1);
  assert.equal(new LineBuffer(3).add(Buffer.from('abcd\n')), 'too-long');
  assert.equal(new LineBuffer(3).add(Buffer.from('abcd')), 'too-long');
});
