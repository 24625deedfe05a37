// Real named pipes: how they are made, what is refused, and that nobody ever waits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Fifo } from '../../core/ports/fifo.ts';
import { SystemFifos } from '../../core/system/fifo.ts';

function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'vk-fifo-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'pipe');
}

function open(path: string): Fifo {
  const fifo = new SystemFifos().open(path, 0o600);
  assert.ok('write' in fifo, JSON.stringify(fifo));
  return fifo;
}

const refusal = (path: string): string => {
  const answer = new SystemFifos().open(path, 0o600);
  assert.ok('why' in answer);
  return answer.why;
};

test('a pipe that is not there is made with the wanted permissions, carries lines, and is removed at the end', (t) => {
  const path = place(t);
  const fifo = open(path);
  assert.ok(statSync(path).isFIFO());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(fifo.write('one\n'), 'written');
  const reader = openSync(path, 'r');
  fifo.write('two\n');
  fifo.close();
  const buffer = Buffer.alloc(64);
  assert.equal(buffer.toString('utf8', 0, readSync(reader, buffer)), 'one\ntwo\n');
  assert.equal(readSync(reader, buffer), 0, 'the end of the file');
  closeSync(reader);
  assert.equal(existsSync(path), false);
  assert.deepEqual(fifo.write('three\n'), { why: `${path} is closed` });
});

test('a pipe that was there stays', (t) => {
  const path = place(t);
  execFileSync('mkfifo', [path]);
  open(path).close();
  assert.ok(existsSync(path));
});

test('a pipe that somebody put in the place of ours stays', (t) => {
  const path = place(t);
  const fifo = open(path);
  renameSync(path, `${path}.old`);
  execFileSync('mkfifo', [path]);
  fifo.close();
  assert.ok(existsSync(path));
});

test('without a reader writing never waits: when the pipe is full, lines are refused whole', (t) => {
  const fifo = open(place(t));
  const line = `INSTANCE "${'x'.repeat(80)}" MASTER 100\n`;
  let written = 0;
  let result = fifo.write(line);
  for (; result === 'written' && written < 100_000; written++) result = fifo.write(line);
  assert.equal(result, 'full');
  assert.ok(written > 100, String(written));
  fifo.close();
});

test('a file, a directory and a link are no pipes', (t) => {
  const path = place(t);
  writeFileSync(path, 'precious');
  assert.equal(refusal(path), `${path} is not a named pipe`);
  assert.equal(refusal(tmpdir()), `${tmpdir()} is not a named pipe`);
  execFileSync('mkfifo', [`${path}.real`]);
  symlinkSync(`${path}.real`, `${path}.link`);
  assert.equal(refusal(`${path}.link`), `${path}.link is not a named pipe`);
});

test("somebody else's pipe is refused", { skip: process.getuid?.() === 0 ? false : 'missing: root rights' }, (t) => {
  const path = place(t);
  execFileSync('mkfifo', [path]);
  chownSync(path, 12_345, 0);
  assert.equal(refusal(path), `${path} belongs to user id 12345`);
});

test('a pipe in a directory that is not there cannot be made, and the reason is said', (t) => {
  const path = join(place(t), 'deeper');
  assert.match(refusal(path), /could not be made: mkfifo: .*No such file/);
});
