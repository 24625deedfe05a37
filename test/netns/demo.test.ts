// The demo as its audience runs it: without root, to its table; and Ctrl-C, after which nothing of it is left.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { toolEnvironment } from '../../core/cli/demo/network.ts';
import { AGENT } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';

const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];

/** Starts the demo as nobody, in a process group of its own; `mark` is in the environment of whatever it starts. */
function demo(mark: string): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const argv = [...NOBODY, '--', process.execPath, AGENT, 'demo'];
  const env = { ...toolEnvironment(), HOME: '/nonexistent', NO_COLOR: '1', VIPKEEPER_TEST: mark };
  const child = spawn('setpriv', argv, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream!.setEncoding('utf8').on('data', (s) => (text += s));
  const late = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), TIMEOUT_MS - 5_000);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  ended.then(() => clearTimeout(late));
  return { child, output: () => text, ended };
}

/** Processes that carry the mark. */
function marked(mark: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`VIPKEEPER_TEST=${mark}`);
    } catch {
      return false;
    }
  });
}

/** Twice what it takes. */
const TIMEOUT_MS = 60_000;

describe('vipkeeper demo', {
  concurrency: 2,
  timeout: TIMEOUT_MS,
  ...needs('root', 'ip', 'unshare', 'setpriv'),
}, () => {
  test('plays its five acts without root and shows who had the address after each', async () => {
    const mark = `demo-${process.pid}`;
    const { output, ended } = demo(mark);
    assert.equal(await ended, 0, output());
    const rows = output()
      .split('\n')
      .slice(
        output()
          .split('\n')
          .findIndex((line) => line.startsWith('what happened')),
      );
    const winners = rows.slice(1, 6).map((row) => row.split(/ {3,}/)[1]);
    assert.deepEqual(winners, ['LB1', 'LB2', 'LB1', 'LB2', 'LB1'], output());
    assert.ok(!output().includes('\x1b['), 'NO_COLOR is respected');
    assert.deepEqual(marked(mark), []);
  });

  test('Ctrl-C ends it at once and leaves no process', async () => {
    const mark = `ctrlc-${process.pid}`;
    const { child, output, ended } = demo(mark);
    await new Promise<void>((resolve) => {
      child.stdout!.on('data', () => {
        if (output().includes('LB1 takes')) resolve();
      });
      ended.then(() => resolve());
    });
    process.kill(-child.pid!, 'SIGINT');
    assert.equal(await ended, 130, output());
    assert.deepEqual(marked(mark), []);
  });
});
