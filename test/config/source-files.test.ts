// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// Includes on a real file system: which files a pattern names, in which order, and what is said of those that cannot
// be read. keepalived 2.2.7 takes the same files in the same order.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { readLines } from '../../core/config/source.ts';
import { includeFiles } from '../../core/system/include-files.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'vipkeeper-include-')));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'd/sub.conf'), { recursive: true });
mkdirSync(join(root, 'd/e'));
for (const name of ['d/b.conf', 'd/B.conf', 'd/a.conf', 'd/.hidden.conf', 'd/other', 'd/s p', 'd/e/deep.conf'])
  writeFileSync(join(root, name), `${name}\n`);
writeFileSync(join(root, 'd/e/pwd'), '${_PWD}\ninclude deep.conf\n');
symlinkSync('d/e', join(root, 'link'));

function included(pattern: string) {
  const report = new Report();
  const options = { configId: '', reader: { include: includeFiles }, environment: {} };
  const lines = readLines({ file: join(root, 'main'), text: `include ${pattern}` }, options, report);
  return [lines.map(({ text }) => text), report.sorted().map(({ code, message }) => `${code} ${message}`)];
}

describe('an include takes', () => {
  for (const [pattern, texts, messages] of [
    ['d/a.conf', ['d/a.conf'], []],
    ['d/s p', ['d/s p'], []],
    ['d/[ab].conf', ['d/a.conf', 'd/b.conf'], []],
    ['d/?.conf', ['d/B.conf', 'd/a.conf', 'd/b.conf'], []],
    ['d/{other,a.conf}', ['d/other', 'd/a.conf'], []],
    ['d/**.conf', ['d/B.conf', 'd/a.conf', 'd/b.conf'], [`W026 ${root}/d/sub.conf cannot be read: it is a directory`]],
    ['d/none*', [], []],
    ['none/*', [], ['W026 no file matches none/*']],
    ['d/none', [], ['W026 no file matches d/none']],
    ['d', [], [`W026 ${root}/d cannot be read: it is a directory`]],
    ['/dev/null', [], ['W026 /dev/null cannot be read: it is not a regular file']],
    [`${root}/d/a.conf`, ['d/a.conf'], []],
    ['link/pwd', [`${root}/d/e`, 'd/e/deep.conf'], []],
  ] as const)
    test(pattern.replace(root, '…'), () => assert.deepEqual(included(pattern), [texts, messages]));
});
