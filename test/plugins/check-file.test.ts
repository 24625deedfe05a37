import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { checkOf, read } from './block.ts';

const directory = mkdtempSync(join(tmpdir(), 'vk-file-'));
const path = join(directory, 'ready');

describe('check-file', () => {
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('a file that is there, or one that is not', async () => {
    rmSync(path, { force: true });
    assert.deepEqual(await checkOf('file', `path ${path}`).look(), { ok: false, why: 'it is not there' });
    assert.deepEqual(await checkOf('file', `path ${path}\nabsent`).look(), { ok: true, detail: 'it is not there' });
    writeFileSync(path, '');
    assert.deepEqual(await checkOf('file', `path ${path}`).look(), { ok: true });
    assert.deepEqual(await checkOf('file', `path ${path}\nabsent`).look(), { ok: false, why: 'it is there' });
  });
  test('its age', async () => {
    writeFileSync(path, '');
    const check = checkOf('file', `path ${path}\nmax_age 60`);
    assert.deepEqual(await check.look(), { ok: true });
    const old = Date.now() / 1_000 - 61;
    utimesSync(path, old, old);
    assert.deepEqual(await check.look(), { ok: false, why: 'it was not written for 60 s' });
  });
  test('its content, of which a bounded part is read', async () => {
    const check = checkOf('file', `path ${path}\nmatch ^ready$`);
    writeFileSync(path, 'starting\nready\n');
    assert.deepEqual(await check.look(), { ok: true });
    writeFileSync(path, 'starting\n');
    assert.deepEqual(await check.look(), { ok: false, why: 'it does not match ^ready$' });
    writeFileSync(path, `${'x'.repeat(70_000)}\nready\n`);
    assert.equal((await check.look()).ok, false);
  });
  test('a directory in the way, a link to nowhere', async () => {
    const odd = join(path, 'below');
    writeFileSync(path, '');
    assert.deepEqual(await checkOf('file', `path ${odd}`).look(), { ok: false, why: 'ENOTDIR' });
    chmodSync(path, 0o600);
  });
  test('a pipe into which nobody writes holds up nothing', async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const result = await checkOf('file', `path ${pipe}\nmatch ready`).look();
    assert.equal(result.ok, false);
    assert.match(result.ok ? '' : result.why, /^ESPIPE/);
  });
  test('its block is checked', () => {
    assert.deepEqual(read('file', 'absent').said, ['W059 file in vrrp_check c needs path']);
    assert.deepEqual(read('file', 'path here\nabsent\nmatch x').said, [
      "path: 'here' is no absolute path",
      'absent: a file that is not there has neither age nor content',
    ]);
    assert.match(read('file', 'path /x\nmatch [').said[0]!, /^W012 match is no regular expression: /);
  });
});
