// Files that are replaced in one step, in a directory where others can plant things.
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeAtomically } from '../../core/system/atomic-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'vk-atomic-'));
after(() => rmSync(directory, { recursive: true }));

test('a link in its place is replaced, and what it points to is not touched', async () => {
  const victim = join(directory, 'victim');
  const path = join(directory, 'linked');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, path);
  await writeAtomically(path, 'dump');
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.equal(readFileSync(path, 'utf8'), 'dump');
});

test('nobody else may read it, also when a readable file was there before and whatever the umask', async () => {
  const path = join(directory, 'open');
  writeFileSync(path, 'planted', { mode: 0o666 });
  const before = process.umask(0);
  try {
    await writeAtomically(path, 'secret');
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that cannot be put in place leaves nothing behind', async () => {
  const path = join(directory, 'occupied');
  mkdirSync(join(path, 'full'), { recursive: true });
  await assert.rejects(writeAtomically(path, 'dump'));
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('occupied')),
    ['occupied'],
  );
});
