import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after as afterAll, test } from 'node:test';
import { describeFailure, lastLine } from '../../core/agent/program-outcome.ts';
import type { ProcessRequest } from '../../core/ports/process.ts';
import { ChildProcesses, systemTiming } from '../../core/system/child-process.ts';
import { SystemFiles } from '../../core/system/files.ts';
import { after, micros, millis, seconds } from '../../core/units.ts';

const processes = new ChildProcesses();
const isRoot = process.getuid!() === 0;
const never = new AbortController().signal;
const directory = await mkdtemp(join(tmpdir(), 'vipkeeper-child-'));
afterAll(() => rm(directory, { recursive: true }));

function sh(script: string, changes: Partial<ProcessRequest> = {}): ProcessRequest {
  const argv = ['/bin/sh', '-c', script] as const;
  return { argv, identity: undefined, environment: { PATH: '/usr/bin:/bin' }, timeout: seconds(60), ...changes };
}

const resultOf = (request: ProcessRequest) => processes.start(request, never).result;

/** The processes of a group that still run (zombies do not), as /proc has them. */
async function members(group: number): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(processGroup) === group && state !== 'Z' && state !== 'X') found.push(Number(entry));
  }
  return found;
}

/** Starts a script that says its process id, through a file, once it is ready; returns that. */
async function startReady(script: string, signal: AbortSignal, changes: Partial<ProcessRequest> = {}) {
  const path = join(directory, `ready-${Math.random()}`);
  const running = processes.start(
    sh(`${script.replace('READY', () => `echo $$ > ${path}.new; mv ${path}.new ${path}`)}`, changes),
    signal,
  );
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return { running, group: Number(text) };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A group leader with a child and a grandchild, all of which run "for ever". */
const FAMILY = '(sleep 1000 & sleep 1000) & READY; wait';
const STUBBORN = `trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & READY; while :; do sleep 1000; done`;

test('exit code 0 is a success with its output', async () => {
  assert.deepEqual(await resultOf(sh('echo out; echo err >&2')), { ok: true, output: 'out\nerr\n' });
});

test('another exit code is a failure', async () => {
  assert.deepEqual(await resultOf(sh('echo no; exit 7')), {
    ok: false,
    failure: { type: 'exit', code: 7 },
    output: 'no\n',
  });
});

test('death by a signal is a failure', async () => {
  const result = await resultOf(sh('kill -SEGV $$'));
  assert.deepEqual(!result.ok && result.failure, { type: 'signal', signal: 'SIGSEGV' });
});

test('no shell sees the arguments', async () => {
  const result = await resultOf(sh('', { argv: ['/bin/echo', '$HOME; exit 1', '*', 'a  b'] }));
  assert.deepEqual(result, { ok: true, output: '$HOME; exit 1 * a  b\n' });
});

test('a program that does not exist could not be started', async () => {
  const running = processes.start(sh('', { argv: ['/nowhere/program'] }), never);
  const result = await running.result;
  await running.gone;
  assert.ok(!result.ok && result.failure.type === 'spawn');
  assert.equal(result.failure.code, 'ENOENT');
  assert.match(describeFailure(result.failure), /^could not be started: no such program/);
});

test('a program that is not executable could not be started', async () => {
  const path = join(directory, 'plain');
  await writeFile(path, '#!/bin/sh\n', { mode: 0o644 });
  const result = await resultOf(sh('', { argv: [path] }));
  assert.ok(!result.ok && result.failure.type === 'spawn');
  assert.equal(result.failure.code, 'EACCES');
});

test('an argument with a NUL byte is a failure, not an exception', async () => {
  const result = await resultOf(sh('', { argv: ['/bin/echo', 'a\0b'] }));
  assert.ok(!result.ok && result.failure.type === 'spawn');
});

test('the environment is what is given and nothing of ours', async () => {
  Object.assign(process.env, { VIPKEEPER_TEST_SECRET: 'secret' });
  const result = await resultOf(sh('', { argv: ['/usr/bin/env'], environment: { VIPKEEPER_STATE: 'MASTER' } }));
  assert.deepEqual(result, { ok: true, output: 'VIPKEEPER_STATE=MASTER\n' });
});

test('it runs in / with umask 022, whatever ours is, and ours stays', async () => {
  const before = process.umask(0o177);
  try {
    const result = await resultOf(sh('pwd; umask'));
    assert.match(result.output, /^\/\n0?022\n$/);
    assert.equal(process.umask(), 0o177);
  } finally {
    process.umask(before);
  }
});

test('its standard input is empty and it has a process group of its own', async () => {
  const result = await resultOf(
    sh(`cat; read -r stat < /proc/$$/stat; set -- \${stat##*) }; [ "$3" = $$ ] && echo leader`),
  );
  assert.deepEqual(result, { ok: true, output: 'leader\n' });
});

test('only the last 4 KiB of the output are kept', async () => {
  const result = await resultOf(sh('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo end'));
  assert.ok(result.ok);
  assert.equal(result.output.length, 4096);
  assert.ok(result.output.endsWith('xxx\nend\n'));
});

test('a timeout ends the whole process group', async () => {
  // The timeout runs from the start, so it may come before the family is complete: then the test is merely easier.
  const running = processes.start(sh('(sleep 1000 & sleep 1000) & echo $$; wait', { timeout: millis(300) }), never);
  const result = await running.result;
  assert.ok(!result.ok);
  assert.deepEqual(result.failure, { type: 'timeout', after: millis(300) });
  await running.gone;
  const group = Number(lastLine(result.output));
  assert.ok(group > 0);
  assert.deepEqual(await members(group), []);
});

test('an abort ends the whole process group, and the result does not wait for that', async () => {
  const abort = new AbortController();
  const { running, group } = await startReady(FAMILY, abort.signal);
  assert.ok((await members(group)).length >= 3);
  abort.abort();
  const result = await running.result;
  assert.deepEqual(!result.ok && result.failure, { type: 'aborted' });
  await running.gone;
  // Children that are not ours are reaped by others, who may take a moment.
  while ((await members(group)).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('a process group that ignores SIGTERM gets SIGKILL', async () => {
  const abort = new AbortController();
  const { running, group } = await startReady(STUBBORN, abort.signal);
  abort.abort();
  const result = await running.result;
  assert.equal(!result.ok && result.failure.type, 'aborted');
  assert.notDeepEqual(await members(group), []);
  await running.gone;
  // SIGKILL has been delivered; the kernel may take a moment to carry it out on children that are not ours.
  while ((await members(group)).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('a group whose leader obeys SIGTERM but whose child does not is ended as well', async () => {
  const abort = new AbortController();
  const { running, group } = await startReady(
    `(trap '' TERM; READY; while :; do sleep 1000; done) & wait`,
    abort.signal,
  );
  abort.abort();
  await running.gone;
  while ((await members(group)).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('killAll ends every process group at once', async () => {
  const own = new ChildProcesses();
  const running = own.start(sh(STUBBORN.replace('READY', () => 'echo $$')), never);
  own.killAll();
  const result = await running.result;
  await running.gone;
  assert.deepEqual(!result.ok && result.failure, { type: 'signal', signal: 'SIGKILL' });
});

test('what is aborted before its start never runs', async () => {
  const path = join(directory, 'never');
  const running = processes.start(sh(`touch ${path}`), AbortSignal.abort());
  await running.gone;
  assert.deepEqual(await running.result, { ok: false, failure: { type: 'aborted' }, output: '' });
  await assert.rejects(readFile(path), { code: 'ENOENT' });
});

test('what a program leaves in the background goes on, and its output does not kill it', async () => {
  const path = join(directory, 'background');
  const go = join(directory, 'go');
  const script = `(while [ ! -e ${go} ]; do sleep 0.02; done; echo one; echo two; echo $? > ${path}) & echo started`;
  const running = processes.start(sh(script), never);
  assert.deepEqual(await running.result, { ok: true, output: 'started\n' });
  await running.gone;
  await writeFile(go, '');
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text === '0\n') break;
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('no zombie is left behind', async () => {
  const runs = Array.from({ length: 20 }, (_, i) => processes.start(sh(`exit ${i % 2}`), never));
  await Promise.all(runs.map(({ gone }) => gone));
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    assert.ok(Number(parent) !== process.pid || state !== 'Z', `zombie: ${stat}`);
  }
});

test('as root it can run as another user and group, without our supplementary groups', {
  skip: !isRoot && 'needs root',
}, async () => {
  const result = await resultOf(sh('id -u; id -g; id -G', { identity: { uid: 65534, gid: 65533 } }));
  assert.deepEqual(result, { ok: true, output: '65534\n65533\n65533\n' });
});

test('accounts come from passwd and group, or are numbers', async () => {
  await writeFile(
    join(directory, 'passwd'),
    'root:x:0:0::/root:/bin/sh\nbroken\nalice:x:1000:1001::/:/bin/sh\n12:x:77:78::/:/bin/sh\n',
  );
  await writeFile(join(directory, 'group'), 'root:x:0:\nstaff:x:50:alice\n');
  const files = new SystemFiles(directory);
  assert.deepEqual(await files.user('alice'), { uid: 1000, gid: 1001 });
  assert.deepEqual(await files.user('1000'), { uid: 1000, gid: 1001 });
  assert.deepEqual(await files.user('12'), { uid: 77, gid: 78 });
  assert.deepEqual(await files.user('4711'), { uid: 4711, gid: 4711 });
  assert.equal(await files.user('broken'), undefined);
  assert.equal(await files.user('4294967295'), undefined);
  assert.deepEqual(
    [await files.group('staff'), await files.group('60'), await files.group('nobody')],
    [50, 60, undefined],
  );
});

test('facts of files, links and what is missing', async () => {
  const files = new SystemFiles();
  const path = join(directory, 'facts');
  await writeFile(path, '', { mode: 0o640 });
  const facts = await files.look(path);
  assert.ok(!('error' in facts));
  assert.deepEqual([facts.kind, facts.mode, facts.uid], ['file', 0o640 & ~process.umask(), process.getuid!()]);
  assert.deepEqual(await files.look(join(directory, 'missing')), { error: 'ENOENT' });
  assert.deepEqual(await files.look('/proc/self'), { ...(await files.look('/proc/self')), kind: 'link' });
  assert.equal(await files.readLink('/proc/self'), String(process.pid));
  assert.deepEqual(await files.readLink(path), { error: 'EINVAL' });
});

test('a timer calls back at its instant or later, never from within, and not after it was cancelled', async () => {
  const called: string[] = [];
  const start = systemTiming.now();
  const cancel = systemTiming.setTimer(start, () => called.push('cancelled'));
  const done = Promise.withResolvers<void>();
  systemTiming.setTimer(after(start, millis(3)), () => done.resolve());
  systemTiming.setTimer(after(start, micros(-5)), () => called.push('past'));
  assert.deepEqual(called, []);
  cancel();
  await done.promise;
  assert.ok(systemTiming.now() >= after(start, millis(3)));
  assert.deepEqual(called, ['past']);
});

test('a timer beyond what Node can wait for in one go does not fire at once', async () => {
  let fired = false;
  const cancel = systemTiming.setTimer(after(systemTiming.now(), seconds(30 * 86_400)), () => {
    fired = true;
  });
  const soon = new EventTarget();
  systemTiming.setTimer(after(systemTiming.now(), millis(5)), () => soon.dispatchEvent(new Event('soon')));
  await once(soon, 'soon');
  cancel();
  assert.equal(fired, false);
});

test('the last line is the last one with something in it, harmless and short', () => {
  assert.equal(lastLine('a\nb\r\n \n'), 'b');
  assert.equal(lastLine(''), '');
  assert.equal(lastLine('\u001b[31mred\u0007'), '[31mred');
  assert.equal(lastLine('x'.repeat(500)).length, 200);
});
