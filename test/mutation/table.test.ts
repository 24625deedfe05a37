// The table of mutations fits the sources: a text that no longer occurs would be a rule that nobody tries to break.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MUTATIONS } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');

test('each text to mutate occurs exactly once in its file', () => {
  const wrong = MUTATIONS.map(({ file, text, rule }) => {
    const times = readFileSync(join(ROOT, file), 'utf8').split(text).length - 1;
    return times === 1 ? undefined : `${file}: ${rule}: ${times} times: ${text}`;
  });
  assert.deepEqual(
    wrong.filter((each) => each !== undefined),
    [],
  );
});

test('there are at least 40 of them, each with a rule of its own, and each changes something', () => {
  assert.ok(MUTATIONS.length >= 40);
  assert.equal(new Set(MUTATIONS.map(({ file, rule }) => `${file} ${rule}`)).size, MUTATIONS.length);
  assert.ok(MUTATIONS.every(({ text, replacement }) => text !== replacement));
});
