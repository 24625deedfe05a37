// What the repository as a whole promises: it builds from a clone anywhere, it names no place that only one machine has,
// and its licence is what package.json says. Looks at the files that git tracks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)) && statSync(join(ROOT, file)).isFile());

/** Every line of the tracked text files that matches, as file:line: text. */
function linesMatching(pattern: RegExp, except: readonly string[] = []): string[] {
  const found: string[] = [];
  for (const file of tracked) {
    if (except.includes(file)) continue;
    const text = readFileSync(join(ROOT, file), 'utf8');
    if (text.includes('\0') || !pattern.test(text)) continue;
    for (const [i, line] of text.split('\n').entries())
      if (pattern.test(line)) found.push(`${file}:${i + 1}: ${line.trim().slice(0, 120)}`);
  }
  return found;
}

test('no tracked file names a path of the machine it was written on', () => {
  assert.deepEqual(linesMatching(/(?<![\w.])\/(work|farm)\/|\.\.\/shared\b/, ['test/repository.test.ts']), []);
});

test('no tracked file names a package registry', () => {
  const hosts =
    /registry\.(npmjs|yarnpkg|npmmirror)\.|\bdeb\.debian\.org|\b(security|ftp)\.debian\.org|pypi\.org|artifactory/i;
  assert.deepEqual(linesMatching(hosts, ['test/repository.test.ts']), []);
});

test('package-lock.json pins packages by content, not by the host they came from', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  assert.ok(entries.length > 0);
  for (const [path, entry] of entries) {
    assert.equal(entry.resolved, undefined, `${path} has a resolved host`);
    if (!entry.link) assert.match(entry.integrity ?? '', /^sha512-/, `${path} has no integrity`);
  }
});

test('the licence is Apache-2.0, in package.json and in LICENSE', () => {
  const description = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { license: string };
  assert.equal(description.license, 'Apache-2.0');
  const text = readFileSync(join(ROOT, 'LICENSE'), 'utf8');
  assert.match(text, /Apache License\s+Version 2\.0, January 2004/);
  assert.match(text, /END OF TERMS AND CONDITIONS/);
});

test('no built file or addon is tracked', () => {
  assert.deepEqual(
    tracked.filter((file) => /\.node$|^(dist|build|node_modules)\//.test(file)),
    [],
  );
});
