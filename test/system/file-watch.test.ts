// The watcher of small files against the real inotify, in a directory of its own.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileContent } from '../../core/ports/watched-files.ts';
import { FileWatcher } from '../../core/system/file-watch.ts';

/** A directory, a watcher, and what it has told. */
class Desk implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vk-file-watch-'));
  readonly watcher = new FileWatcher();
  readonly #ends: (() => void)[] = [];

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Watches a file; the result waits until the file says this, and tells how often it was read. */
  watch(name: string, limit = 64): { says: (text: string | undefined) => Promise<void>; readonly told: string[] } {
    const told: string[] = [];
    const words = (content: FileContent) =>
      content.type === 'text' ? content.text : content.type === 'missing' ? 'missing' : `(${content.why})`;
    let heard = () => {};
    this.#ends.push(
      this.watcher.watch(this.path(name), limit, (content) => {
        told.push(words(content));
        heard();
      }),
    );
    const says = async (text: string | undefined): Promise<void> => {
      while (told.at(-1) !== (text ?? 'missing'))
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
    };
    return { says, told };
  }

  [Symbol.dispose](): void {
    for (const end of this.#ends) end();
    assert.equal(this.watcher.size, 0, 'no directory is watched any longer');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const patient = { timeout: 60_000 };

test('a file is read at once and after each way of writing it', patient, async () => {
  using desk = new Desk();
  desk.write('level', '1');
  const { says } = desk.watch('level');
  await says('1');
  desk.write('level', '2');
  await says('2');
  desk.write('new', '3');
  renameSync(desk.path('new'), desk.path('level'));
  await says('3');
  unlinkSync(desk.path('level'));
  await says(undefined);
  desk.write('level', '4');
  await says('4');
});

test('a file that is missing at first is seen when it comes, with its directories', patient, async () => {
  using desk = new Desk();
  const { says } = desk.watch('a/b/level');
  await says(undefined);
  mkdirSync(desk.path('a/b'), { recursive: true });
  desk.write('a/b/level', '1');
  await says('1');
});

test('a directory that is removed, made again or exchanged is followed', patient, async () => {
  using desk = new Desk();
  mkdirSync(desk.path('d'));
  desk.write('d/level', '1');
  const { says } = desk.watch('d/level');
  await says('1');
  rmSync(desk.path('d'), { recursive: true });
  await says(undefined);
  mkdirSync(desk.path('d'));
  desk.write('d/level', '2');
  await says('2');
  mkdirSync(desk.path('e'));
  desk.write('e/level', '3');
  renameSync(desk.path('d'), desk.path('old'));
  renameSync(desk.path('e'), desk.path('d'));
  await says('3');
  desk.write('d/level', '4');
  await says('4');
});

test('symbolic links are followed, and their turning is seen, as in a mounted ConfigMap', patient, async () => {
  using desk = new Desk();
  for (const [version, text] of [
    ['v1', '1'],
    ['v2', '2'],
  ] as const) {
    mkdirSync(desk.path(version));
    desk.write(`${version}/level`, text);
  }
  symlinkSync('v1', desk.path('..data'));
  symlinkSync('..data/level', desk.path('level'));
  const { says } = desk.watch('level');
  await says('1');
  symlinkSync('v2', desk.path('tmp'));
  renameSync(desk.path('tmp'), desk.path('..data'));
  await says('2');
  desk.write('v2/level', '3');
  await says('3');
});

test('many files in a directory share one watch', patient, async () => {
  using desk = new Desk();
  const files = Array.from({ length: 50 }, (_, i) => desk.watch(`f${i}`));
  for (const { says } of files) await says(undefined);
  assert.equal(desk.watcher.size, 1);
  desk.write('f7', '7');
  await files[7]!.says('7');
  assert.deepEqual(files[8]!.told, ['missing']);
});

test('only the beginning of a file is read', patient, async () => {
  using desk = new Desk();
  desk.write('level', '9'.repeat(1_000_000));
  await desk.watch('level', 8).says('99999999');
});

test('what is no readable file says why', patient, async () => {
  using desk = new Desk();
  mkdirSync(desk.path('directory'));
  await desk.watch('directory').says('(not a regular file)');
  symlinkSync('loop', desk.path('loop'));
  await desk.watch('loop').says('(ELOOP)');
});

test('a storm of writes is read a bounded number of times, and the last write is seen', patient, async () => {
  using desk = new Desk();
  desk.write('level', 'start');
  const { says, told } = desk.watch('level');
  await says('start');
  const began = performance.now();
  for (let i = 0; i < 1_000; i++) {
    await writeFile(desk.path('level'), `${i}`);
  }
  desk.write('level', 'end');
  await says('end');
  // Ten milliseconds lie between two readings, so a slow machine reads more often.
  const most = (performance.now() - began) / 9 + 2;
  assert.ok(told.length <= most, `${told.length} readings`);
});

test('a first value is written where there is no file, or over one on request', async () => {
  using desk = new Desk();
  const path = desk.path('level');
  assert.equal(await desk.watcher.write(path, '1\n', false), undefined);
  assert.equal(await desk.watcher.write(path, '2\n', false), undefined);
  const { says } = desk.watch('level');
  await says('1\n');
  assert.equal(await desk.watcher.write(path, '3\n', true), undefined);
  await says('3\n');
  assert.equal(await desk.watcher.write(join(path, 'below'), '', true), 'ENOTDIR');
});
