// The addon as a file: what it needs from the system that loads it, and how it is found.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { nativePaths } from '../../core/system/native/index.ts';
import { command } from '../support/needs.ts';

const NATIVE = join(import.meta.dirname, '../../core/system/native');
const built = nativePaths()[0]!;
const readelf = command('readelf');

const probe = (file: string): string =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { loadNative } = await import(${JSON.stringify(file)});
       try { console.log(typeof loadNative().ppoll); } catch (error) { console.log(error.name, error.code, error.message); }`,
    ],
    { encoding: 'utf8' },
  ).trim();

test('it needs no library, so it loads under glibc and musl alike', {
  skip: readelf === undefined ? 'missing: readelf' : false,
}, () => {
  const dynamic = execFileSync(readelf!, ['-dW', built], { encoding: 'utf8' });
  assert.doesNotMatch(dynamic, /\(NEEDED\)|\(TEXTREL\)/);
  assert.match(dynamic, /NODELETE/);
  assert.doesNotMatch(execFileSync(readelf!, ['-lW', built], { encoding: 'utf8' }), /GNU_STACK.*RWE/);
  const symbols = execFileSync(readelf!, ['--dyn-syms', '-W', built], { encoding: 'utf8' });
  const undefinedOnes = [...symbols.matchAll(/UND (\S+)/g)].map(([, name]) => name!);
  const strangers = undefinedOnes.filter((name) => !name.startsWith('napi_') && name !== 'clock_gettime');
  assert.deepEqual(strangers, []);
});

test('it is found from the sources, from dist/, and packed inside dist/; without it the error names the fix', () => {
  const root = mkdtempSync(join(tmpdir(), 'vipkeeper-native-'));
  try {
    const sources = join(root, 'core/system/native');
    const dist = join(root, 'dist');
    for (const directory of [sources, dist]) {
      mkdirSync(directory, { recursive: true });
      copyFileSync(join(NATIVE, 'index.ts'), join(directory, 'index.ts'));
    }
    const missing = probe(join(dist, 'index.ts'));
    assert.match(missing, /^NativeAddonError ERR_NATIVE_ADDON .*missing.*build\.mjs/);
    copyFileSync(built, join(sources, basename(built)));
    assert.equal(probe(join(sources, 'index.ts')), 'function');
    assert.equal(probe(join(dist, 'index.ts')), 'function');
    rmSync(join(sources, basename(built)));
    copyFileSync(built, join(dist, basename(built)));
    assert.equal(probe(join(dist, 'index.ts')), 'function');
    copyFileSync(join(NATIVE, 'vipkeeper.c'), join(sources, basename(built)));
    assert.match(probe(join(sources, 'index.ts')), /^NativeAddonError ERR_NATIVE_ADDON .*does not load.*build\.mjs/);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('building without a compiler names the packages to install', () => {
  assert.ok(existsSync(built));
  const failing = () =>
    execFileSync(process.execPath, [join(NATIVE, 'build.mjs')], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { CC: 'no-such-compiler' },
    });
  assert.throws(failing, (error: Error & { stderr?: string }) => {
    assert.match(error.stderr ?? '', /no C compiler \(tried no-such-compiler\); fix: apt-get install gcc libc6-dev/);
    return true;
  });
});
