// Every *.txt beside this file is a scenario: commands, "----", what must come of them.
// UPDATE_SCENARIOS=1 writes down what comes of them now; read the diff.
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rerun } from './scenario.ts';

const { UPDATE_SCENARIOS } = process.env;
const files = globSync('*.txt', { cwd: import.meta.dirname }).sort();

for (const file of files)
  test(`scenario: ${file.replace('.txt', '').replaceAll('-', ' ')}`, () => {
    const path = join(import.meta.dirname, file);
    const text = readFileSync(path, 'utf8');
    const now = rerun(text);
    if (UPDATE_SCENARIOS === '1') writeFileSync(path, now);
    else assert.equal(now, text);
  });

test('there are scenarios', () => {
  assert.ok(files.length > 0);
});
