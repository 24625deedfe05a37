import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { status, type Terminal } from '../../core/cli/status.ts';
import { ControlServer } from '../../core/control/server.ts';
import { buildStatus } from '../../core/control/status-report.ts';
import { sources, withBfd } from '../control/sample-report.ts';

async function runtimeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'vipkeeper-status-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function agent(t: TestContext, answer: unknown = buildStatus(sources())): Promise<string> {
  const runtimeDir = await runtimeDirectory(t);
  const verbs = new Map([['status', async () => answer]]);
  const server = new ControlServer({ runtimeDir, verbs, onError: () => {} });
  await server.open();
  t.after(() => server.close());
  return runtimeDir;
}

async function run(argv: readonly string[], surroundings: Partial<Terminal> = {}) {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: false,
    columns: undefined,
    environment: {},
    ...surroundings,
  };
  const code = await status(argv, terminal);
  return { code, out, err };
}

test('the status of a running agent is a table of all virtual routers', async (t) => {
  const { code, out, err } = await run(['--runtime-dir', await agent(t)]);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^VI_1 {2}MASTER {2}for 3m12s, since 2026-11-21T10:20:30.000Z$/m);
  assert.match(out, /^VI_2 {2}FAULT/m);
});

test('with a name it is that virtual router alone', async (t) => {
  const { code, out } = await run(['VI_2', '--runtime-dir', await agent(t)]);
  assert.equal(code, 0);
  assert.doesNotMatch(out, /VI_1/);
  assert.match(out, /^VI_2/m);
});

test('with a name it shows the BFD sessions that this virtual router tracks, and no others', async (t) => {
  const runtimeDir = await agent(t, buildStatus(withBfd()));
  assert.match((await run(['VI_1', '--runtime-dir', runtimeDir])).out, /^BFD gw {2}Down/m);
  assert.doesNotMatch((await run(['VI_2', '--runtime-dir', runtimeDir])).out, /BFD/);
});

test('with --json it is one document, with a name as well', async (t) => {
  const runtimeDir = await agent(t);
  const all = await run(['--json', '--runtime-dir', runtimeDir]);
  assert.deepEqual(JSON.parse(all.out), buildStatus(sources()));
  const one = await run(['--json', '--runtime-dir', runtimeDir, 'VI_1']);
  assert.deepEqual(
    JSON.parse(one.out).instances.map(({ name }: { name: string }) => name),
    ['VI_1'],
  );
});

test('a name that does not exist exits with 4 and suggests', async (t) => {
  const runtimeDir = await agent(t);
  const near = await run(['VI_3', '--runtime-dir', runtimeDir]);
  assert.deepEqual([near.code, near.out], [4, '']);
  assert.match(near.err, /there is no vrrp_instance VI_3, did you mean VI_1\?/);
  const far = await run(['database', '--runtime-dir', runtimeDir]);
  assert.match(far.err, /there is VI_1, VI_2\n$/);
});

test('without an agent it exits with 3 and says how to start one', async (t) => {
  const { code, out, err } = await run(['--runtime-dir', await runtimeDirectory(t)]);
  assert.deepEqual([code, out], [3, '']);
  assert.match(err, /^vipkeeper status: no vipkeeper is running with --runtime-dir .*: start it with/);
});

test('an answer of another version exits with 3', async (t) => {
  const { code, err } = await run(['--runtime-dir', await agent(t, { kind: 'vipkeeper-status', version: 99 })]);
  assert.equal(code, 3);
  assert.match(err, /a form that this version does not know/);
});

test('a wrong command line exits with 2, help with 0', async () => {
  const wrong = await run(['--jsno']);
  assert.deepEqual([wrong.code, wrong.out], [2, '']);
  assert.match(wrong.err, /unknown option --jsno, did you mean --json\?/);
  const help = await run(['--help']);
  assert.deepEqual([help.code, help.err], [0, '']);
  assert.match(help.out, /Usage: vipkeeper status \[OPTIONS\] \[NAME\]/);
});

test('colours are for terminals, and not with NO_COLOR', async (t) => {
  const runtimeDir = await agent(t);
  const coloured = async (surroundings: Partial<Terminal>) =>
    (await run(['--runtime-dir', runtimeDir], surroundings)).out.includes('\u001b[');
  assert.equal(await coloured({ interactive: true, columns: 80 }), true);
  assert.equal(await coloured({ interactive: true, environment: { NO_COLOR: '' } }), true);
  assert.equal(await coloured({ interactive: true, environment: { NO_COLOR: '1' } }), false);
  assert.equal(await coloured({ interactive: true, environment: { TERM: 'dumb' } }), false);
  assert.equal(await coloured({ interactive: false }), false);
});

test('on a terminal lines are broken at its width, elsewhere not at all', async (t) => {
  const runtimeDir = await agent(t);
  const longest = async (surroundings: Partial<Terminal>) =>
    Math.max(...(await run(['--runtime-dir', runtimeDir], surroundings)).out.split('\n').map((line) => line.length));
  assert.ok((await longest({ interactive: true, columns: 50, environment: { NO_COLOR: '1' } })) <= 50);
  assert.ok((await longest({ columns: 50 })) > 80);
});
