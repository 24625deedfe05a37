// notify-exec, notify-smtp and notify-fifo against what they are for: real programs, a mail relay, named pipes and files.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { seconds } from '../../core/units.ts';
import type { Received } from '../agent/smtp-server.ts';
import { needs } from '../support/needs.ts';
import { notifierOf, readNotifier, transition } from './notify-block.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'vk-notify-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** A program; `$1` is a file of its own. */
function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return `program ${path} ${path}.out`;
}
const output = (name: string): string => readFileSync(join(directory, `${name}.out`), 'utf8');

describe('notify-exec', needs('root'), () => {
  test('a program gets the event on its standard input and in its environment', async () => {
    const lines = script(
      'good',
      '{ cat; echo "$VIPKEEPER_INSTANCE $VIPKEEPER_STATE $VIPKEEPER_PREVIOUS_STATE"; env | wc -l; } > "$1"',
    );
    assert.deepEqual(await notifierOf('exec', lines).tell(), { ok: true });
    const [json, state, count] = output('good').split('\n');
    assert.deepEqual(JSON.parse(json!), transition);
    assert.equal(state, 'VI_1 MASTER BACKUP');
    assert.ok(Number(count) < 14, 'nothing is inherited');
  });

  test('a program that does not read its input is fine, one that fails says why', async () => {
    assert.deepEqual(await notifierOf('exec', script('deaf', 'exit 0')).tell(), { ok: true });
    const result = await notifierOf(
      'exec',
      script('bad', 'echo first; echo no line to the outside >&2; exit 3'),
    ).tell();
    assert.deepEqual(result, { ok: false, why: 'exit code 3: no line to the outside' });
  });

  test('what is not there or not safe is not tried again', async () => {
    const absent = await notifierOf('exec', `program ${directory}/absent`).tell();
    assert.ok(!absent.ok && absent.permanent);
    const open = script('open', 'exit 0');
    chmodSync(join(directory, 'open'), 0o777);
    const unsafe = await notifierOf('exec', open).tell();
    assert.ok(!unsafe.ok && unsafe.permanent);
    assert.match(unsafe.why, /unsafe permissions/);
  });

  test('when the time is up, the program and what it started are gone', async () => {
    const abort = new AbortController();
    const path = join(directory, 'slow.out');
    const lines = script('slow', 'sleep 1000 & echo $! > "$1.new"; mv "$1.new" "$1"; wait');
    const telling = notifierOf('exec', lines).tell(undefined, abort.signal);
    const pid = await new Promise<number>((resolve) => {
      const look = setInterval(() => {
        if (!statSync(path, { throwIfNoEntry: false })) return;
        clearInterval(look);
        resolve(Number(readFileSync(path, 'utf8')));
      }, 10);
    });
    abort.abort();
    assert.deepEqual(await telling, { ok: false, why: 'stopped by vipkeeper' });
    assert.ok(isGone(pid));
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

/** A relay in a process of its own at an address of this test's. */
async function relay(address: string, busy: number) {
  const file = join(import.meta.dirname, '..', 'agent', 'smtp-server.ts');
  const child = spawn(process.execPath, [file, address, `${busy}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const mails: Received[] = [];
  const lines = createInterface({ input: child.stdout! });
  await once(lines, 'line');
  lines.on('line', (line) => mails.push(JSON.parse(line)));
  return {
    mails,
    next: async (): Promise<Received> =>
      mails.length > 0 ? mails.at(-1)! : JSON.parse((await once(lines, 'line'))[0]),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe('notify-smtp', () => {
  const lines = (address: string) =>
    `server ${address}\nport 2525\nfrom a@example.org\nto b@example.org\nto c@example.org`;

  test('several events are one mail, with words for people and the events as they are', async () => {
    await using at = await relay('127.0.0.71', 0);
    const second = {
      ...transition,
      id: '1-000000002',
      to: 'FAULT',
      from: 'MASTER',
      reason: 'fault',
      detail: 'eth0 is down',
    };
    assert.deepEqual(await notifierOf('smtp', lines('127.0.0.71')).tell([transition, { ...second, lost: 4 }]), {
      ok: true,
    });
    const mail = await at.next();
    assert.deepEqual(mail.to, ['b@example.org', 'c@example.org']);
    assert.equal(mail.headers['Subject'], '[r1] VI_1: BACKUP to MASTER (master-timeout) and 1 more');
    const text = mail.body.replaceAll(/=\n/g, '').replaceAll('=3D', '=');
    assert.match(text, /VI_1: MASTER to FAULT \(fault\)\n {4}eth0 is down\n\n4 earlier events were lost\./);
    assert.deepEqual(
      text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line).id] : [])),
      [transition.id, second.id],
    );
  });

  test('a relay that is busy, or not there, is a failure to try again', async () => {
    await using _ = await relay('127.0.0.72', 1);
    const notifier = notifierOf('smtp', lines('127.0.0.72'));
    const busy = await notifier.tell();
    assert.ok(!busy.ok && !busy.permanent);
    assert.match(busy.why, /451/);
    assert.deepEqual(await notifier.tell(), { ok: true });
    const absent = await notifierOf('smtp', lines('127.0.0.73')).tell();
    assert.ok(!absent.ok && !absent.permanent);
    assert.match(absent.why, /ECONNREFUSED/);
  });

  test('its digest is what the agent gathers for', () => {
    const block = (more: string) => readNotifier(`smtp {\n${lines('192.0.2.25')}\n${more}\n}`);
    assert.equal(block('').config?.gather, seconds(10));
    assert.equal(block('digest 0').config?.gather, 0);
    assert.throws(() => notifierOf('smtp', 'server h\nfrom a@b'), /nobody is to get the mail/);
  });
});

describe('notify-fifo', () => {
  const event = (n: number) => ({ ...transition, id: `1-${`${n}`.padStart(9, '0')}` });

  test('a line of JSON each goes into a pipe, which is made, waits for its reader and is removed at the end', async () => {
    const path = join(directory, 'pipe');
    const notifier = notifierOf('fifo', `pipe ${path}`);
    for (const n of [1, 2]) assert.deepEqual(await notifier.tell([event(n)]), { ok: true });
    const status = statSync(path);
    assert.ok(status.isFIFO());
    assert.equal(status.mode & 0o777, 0o600);
    assert.deepEqual(
      readAll(path).map((line) => JSON.parse(line)),
      [event(1), event(2)],
    );
    notifier.close?.();
    assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  });

  test('a full pipe delays nobody and loses nothing: the same event is written when somebody has read', async () => {
    const path = join(directory, 'full');
    const notifier = notifierOf('fifo', `pipe ${path}`);
    let n = 0;
    let result = await notifier.tell([event(n)]);
    while (result.ok) result = await notifier.tell([event(++n)]);
    assert.deepEqual(result, { ok: false, why: 'nobody reads the pipe, and it is full' });
    assert.equal(readAll(path).length, n);
    assert.deepEqual(await notifier.tell([event(n)]), { ok: true });
    assert.deepEqual(
      readAll(path).map((line) => JSON.parse(line).id),
      [event(n).id],
    );
    notifier.close?.();
  });

  test('a file is appended to, also after somebody moved it away', async () => {
    const path = join(directory, 'log');
    const notifier = notifierOf('fifo', `file ${path}\nformat keepalived`);
    await notifier.tell();
    await notifier.tell([{ ...transition, type: 'group-transition', group: 'G', to: 'INIT' }]);
    await notifier.tell([{ ...transition, type: 'stall' }]);
    assert.equal(readFileSync(path, 'utf8'), 'INSTANCE "VI_1" MASTER 100\nGROUP "G" STOP 0\n');
    rmSync(path);
    await notifier.tell();
    assert.equal(readFileSync(path, 'utf8'), 'INSTANCE "VI_1" MASTER 100\n');
  });

  test('what is no pipe is refused, and pipe and file exclude each other', async () => {
    const path = join(directory, 'plain');
    writeFileSync(path, '');
    const result = await notifierOf('fifo', `pipe ${path}`).tell();
    assert.deepEqual(result, { ok: false, why: `${path} is not a named pipe` });
    assert.throws(() => notifierOf('fifo', 'pipe /a\nfile /b'), /either pipe or file is needed/);
    assert.throws(() => notifierOf('fifo', 'format json'), /either pipe or file is needed/);
  });
});

/** What is in a pipe now, as lines. */
function readAll(path: string): readonly string[] {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(1 << 20);
  let length = 0;
  try {
    for (;;) length += readSync(descriptor, buffer, length, buffer.length - length, null);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
  } finally {
    closeSync(descriptor);
  }
  return buffer.toString('utf8', 0, length).split('\n').slice(0, -1);
}
