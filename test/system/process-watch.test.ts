// The counting of real processes, with the kernel's events and without them.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ProcessNews, ProcessQuery } from '../../core/ports/process-watch.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { ProcessWatcher } from '../../core/system/process-watch.ts';
import { command, needs } from '../support/needs.ts';

/** A program under a name that nobody else uses, and a watcher that counts it. */
class Watched implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vk-process-watch-'));
  readonly name = `vk${process.pid}x${Math.floor(Math.random() * 1e6)}`;
  readonly program = join(this.directory, this.name);
  readonly watcher: ProcessWatcher;
  readonly news: ProcessNews[] = [];
  readonly #children: ChildProcess[] = [];
  #heard = () => {};

  constructor(events: boolean) {
    this.watcher = new ProcessWatcher(events ? loadNative() : undefined);
    copyFileSync(command('sleep')!, this.program);
  }

  count(...queries: (Partial<ProcessQuery> & { argv: readonly string[] })[]): void {
    const full = queries.map((query, i) => ({ name: `q${i}`, match: 'any', fullCommand: false, ...query }) as const);
    this.watcher.count(full, (news) => {
      this.news.push(news);
      this.#heard();
    });
  }

  start(...argv: readonly string[]): ChildProcess {
    const child = spawn(this.program, argv, { stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => late.reject(new Error(`not in time: ${what}; heard ${JSON.stringify(this.news)}`)),
      60_000,
    );
    try {
      while (!condition()) {
        const heard = Promise.withResolvers<void>();
        this.#heard = heard.resolve;
        await Promise.race([heard.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async says(name: string, count: number): Promise<void> {
    const latest = () => this.news.findLast((news) => news.type === 'count' && news.name === name);
    await this.until(`${count} of ${name}`, () => (latest() as { count?: number } | undefined)?.count === count);
  }

  async counted(by: 'events' | 'scan'): Promise<void> {
    await this.until(by, () => this.news.some((news) => news.type === 'source' && news.source.kind === by));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watcher.stop();
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true });
  }
}

/** One story for both ways of counting. */
async function startsAndEnds(watched: Watched, by: 'events' | 'scan'): Promise<void> {
  const old = watched.start('100');
  watched.count({ argv: [watched.name] }, { argv: [watched.program, '200'], match: 'exact' });
  await watched.counted(by);
  await watched.says('q0', 1);
  await watched.says('q1', 0);
  const further = watched.start('200');
  await watched.says('q0', 2);
  await watched.says('q1', 1);
  further.kill('SIGKILL');
  await watched.says('q1', 0);
  old.kill('SIGKILL');
  await watched.says('q0', 0);
}

describe('processes are counted', needs('root'), () => {
  test('by the events of the kernel', async () => {
    await using watched = new Watched(true);
    await startsAndEnds(watched, 'events');
  });

  test('by looking into /proc where there are no events', async () => {
    await using watched = new Watched(false);
    await startsAndEnds(watched, 'scan');
  });

  test('children that are forks, and a program that turns into another one', async () => {
    await using watched = new Watched(true);
    copyFileSync(command('dash') ?? command('sh')!, watched.program);
    watched.count({ argv: [watched.name] });
    await watched.says('q0', 0);
    // The fork waits for the end of descriptor 3, the shell for a line before it turns into something else.
    const shell = spawn(watched.program, ['-c', '(read x <&3) & read y; exec sleep 100'], {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    });
    try {
      await watched.says('q0', 2);
      shell.stdin!.write('go\n');
      await watched.says('q0', 1);
      shell.stdio[3]!.destroy();
      await watched.says('q0', 0);
    } finally {
      shell.kill('SIGKILL');
    }
  });

  test('a storm of processes leaves the counts right', async () => {
    await using watched = new Watched(true);
    watched.count({ argv: [watched.name] });
    await watched.says('q0', 0);
    const storm = spawn('sh', ['-c', 'i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done']);
    const children = Array.from({ length: 5 }, () => watched.start('100'));
    await new Promise((resolve) => storm.once('exit', resolve));
    await watched.says('q0', 5);
    for (const child of children) child.kill('SIGKILL');
    await watched.says('q0', 0);
  });

  test('other questions replace the former ones, and the end of all ends the thread', async () => {
    await using watched = new Watched(true);
    watched.start('100');
    watched.count({ argv: ['nobody-has-this'] });
    await watched.says('q0', 0);
    watched.count({ argv: [watched.name] });
    await watched.says('q0', 1);
    watched.count();
    await watched.watcher.stop();
  });
});
