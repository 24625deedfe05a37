import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkOf, read } from './block.ts';

describe('check-process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'vk-process-'));
  const name = `vk${process.pid}`;
  const children: ChildProcess[] = [];
  /** A program of that name that waits for its end; its name is known to the kernel when this resolves. */
  const start = async (...args: readonly string[]): Promise<ChildProcess> => {
    const child = spawn(join(directory, name), ['-c', 'echo here; read line', ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout!, 'data');
    return child;
  };
  const look = (lines: string) => checkOf('process', lines).look();
  before(() => symlinkSync('/bin/sh', join(directory, name)));
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  test('processes are counted by name, command line and user', async () => {
    assert.deepEqual(await look(`name ${name}`), { ok: false, why: '0 processes, at least 1 wanted' });
    assert.deepEqual(await look(`name ${name}\nat_least 0\nat_most 0`), { ok: true, detail: '0 processes' });
    const first = await start('role=main');
    await start('role=spare');
    assert.deepEqual(await look(`name ${name}`), { ok: true, detail: '2 processes' });
    assert.deepEqual(await look(`name ${name}\narguments role=main$`), { ok: true, detail: '1 process' });
    assert.deepEqual(await look(`name ${name}\nuser ${process.getuid?.()}\nat_least 3`), {
      ok: false,
      why: '2 processes, at least 3 wanted',
    });
    assert.deepEqual(await look(`name ${name}\nuser 54321`), { ok: false, why: '0 processes, at least 1 wanted' });
    assert.deepEqual(await look(`name ${name}\nat_most 1`), { ok: false, why: '2 processes, at most 1 wanted' });
    first.stdin?.end();
    await once(first, 'exit');
    assert.deepEqual(await look(`name ${name}`), { ok: true, detail: '1 process' });
  });
  test('a pid file names one process, which must fit the rest', async () => {
    const child = await start();
    const file = join(directory, 'pid');
    const missing = { ok: false, why: 'the pid file is not there or holds no number' };
    assert.deepEqual(await look(`pid_file ${file}`), missing);
    writeFileSync(file, ' nonsense\n');
    assert.deepEqual(await look(`pid_file ${file}`), missing);
    writeFileSync(file, `${child.pid}\n`);
    assert.deepEqual(await look(`pid_file ${file}\nname ${name}`), { ok: true, detail: '1 process' });
    assert.deepEqual(await look(`pid_file ${file}\nname other`), { ok: false, why: '0 processes, at least 1 wanted' });
    child.stdin?.end();
    await once(child, 'exit');
    assert.deepEqual(await look(`pid_file ${file}`), { ok: false, why: '0 processes, at least 1 wanted' });
  });
  test('a look whose time is up ends early', async () => {
    const result = await checkOf('process', `name ${name}`).probe(AbortSignal.abort());
    assert.deepEqual(result, { ok: false, why: 'looking took too long' });
  });
  test('its block is checked', () => {
    assert.deepEqual(read('process', 'at_least 1').said, ['it does not say which process']);
    assert.deepEqual(read('process', 'name a\nat_least 3\nat_most 2').said, [
      'at_most: at_most 2 is less than at_least 3',
    ]);
    assert.deepEqual(read('process', 'pid_file run\nat_least 2').said, [
      "pid_file: 'run' is no absolute path",
      'at_least: a pid file names one process only',
    ]);
    assert.throws(() => checkOf('process', 'name a\nuser nobody-of-that-name'), /there is no user/);
    assert.throws(() => checkOf('process', 'at_least 1'), /it does not say which process/);
  });
});
