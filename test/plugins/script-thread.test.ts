// Programs of checks in a real thread of plugins: by which rules they run, and that none outlives its thread.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CheckThreadPool } from '../../core/app/check-threads.ts';
import type { CheckPlan } from '../../core/checks/messages.ts';
import { systemTiming } from '../../core/system/child-process.ts';
import { micros, seconds } from '../../core/units.ts';
import { needs } from '../support/needs.ts';

describe('programs of a thread', needs('root'), () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vk-thread-'));
    chmodSync(directory, 0o755);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const planOf = (text: string, user: string): CheckPlan => {
    const path = join(directory, 'program');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return {
      name: 'c',
      plugin: 'script',
      options: { command: [path] },
      settings: {},
      interval: seconds(60),
      timeout: seconds(60),
      jitter: micros(0),
      rise: 1,
      fall: 1,
      initFail: false,
      programs: { user, group: undefined, strict: true },
    };
  };

  test('a program runs as the script user of the plan, as of a reload too', async () => {
    const pool = new CheckThreadPool(systemTiming, directory);
    const heard: string[] = [];
    let hear: () => void = () => {};
    const watcher = { unable: () => {}, log: () => {}, lost: () => {} };
    pool.listen(() => ({
      ...watcher,
      changed: (_name, _up, detail) => {
        heard.push(detail);
        hear();
      },
    }));
    const next = () => new Promise<void>((resolve) => (hear = resolve));
    const thread = pool.get(undefined);
    try {
      for (const user of ['root', 'nobody']) {
        const told = next();
        thread.configure([planOf('id -un; exit 1', user)]);
        await told;
      }
    } finally {
      pool.keep(new Set());
    }
    assert.deepEqual(heard, ['exit code 1: root', 'exit code 1: nobody']);
  });

  test('a program that still runs when its thread is ended is killed', async () => {
    const pool = new CheckThreadPool(systemTiming, directory);
    const path = join(directory, 'pid');
    pool.get(undefined).configure([planOf(`sleep 1000 & echo $! > ${path}.new; mv ${path}.new ${path}; wait`, 'root')]);
    const child = await new Promise<number>((resolve) => {
      const look = setInterval(() => {
        if (!statSync(path, { throwIfNoEntry: false })) return;
        clearInterval(look);
        resolve(Number(readFileSync(path, 'utf8')));
      }, 10);
    });
    assert.ok(!isGone(child));
    // A program may run before its thread has noted it; an answer of the thread shows that it has.
    await pool.get(undefined).snapshot();
    pool.keep(new Set());
    while (!isGone(child)) await new Promise(setImmediate);
  });
});

/** Ended, though its parent may not have asked for its end yet. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
