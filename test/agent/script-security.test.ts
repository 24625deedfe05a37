import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScriptPolicy, vetCommands, vetConfiguration } from '../../core/agent/script-security.ts';
import type { Command } from '../../core/config/model.ts';
import type { Account, FileError, FileFacts, Files } from '../../core/ports/files.ts';
import { instance, script, track } from './sample-config.ts';

type Node = Partial<FileFacts> & { readonly target?: string };

/** A file system and accounts of a test: directories are 0755, files as given, everything of root unless said. */
class FakeFiles implements Files {
  readonly #nodes: Readonly<Record<string, Node>>;
  readonly #self: Account;
  readonly #users: Readonly<Record<string, Account>>;

  constructor(nodes: Record<string, Node>, self: Account = { uid: 0, gid: 0 }, users: Record<string, Account> = {}) {
    this.#nodes = nodes;
    this.#self = self;
    this.#users = { root: { uid: 0, gid: 0 }, alice: { uid: 1000, gid: 1000 }, ...users };
  }

  async look(path: string): Promise<FileFacts | FileError> {
    const node = this.#nodes[path];
    const parent = Object.keys(this.#nodes).some((other) => other.startsWith(path === '/' ? '/' : `${path}/`));
    if (!node && !parent) return { error: 'ENOENT' };
    if (node?.target !== undefined) return { kind: 'link', mode: 0o777, uid: 0, gid: 0, ...node };
    return { kind: parent ? 'directory' : 'file', mode: 0o755, uid: 0, gid: 0, ...node };
  }

  async readLink(path: string): Promise<string | FileError> {
    return this.#nodes[path]?.target ?? { error: 'EINVAL' };
  }

  self(): Account {
    return this.#self;
  }

  async user(name: string): Promise<Account | undefined> {
    return this.#users[name];
  }

  async group(name: string): Promise<number | undefined> {
    return { root: 0, staff: 50 }[name];
  }
}

async function vet(command: Command, files: Files, policy: Partial<ScriptPolicy> = {}) {
  const vetted = await vetCommands(
    [{ what: 'track script chk', command }],
    { defaultUser: undefined, enforce: false, ...policy },
    files,
  );
  return { verdict: vetted.of(command), findings: vetted.findings };
}

const file = '/etc/keepalived/chk.sh';
const run = (...argv: string[]): Command => ({ argv });
const as = (user: string, group?: string): Command => ({ argv: [file], user: { user, ...(group ? { group } : {}) } });

test('a safe script runs as it is, with its arguments', async () => {
  const { verdict, findings } = await vet(run(file, '-v', 'a b'), new FakeFiles({ [file]: {} }));
  assert.deepEqual(verdict, { type: 'ready', command: { argv: [file, '-v', 'a b'], identity: undefined } });
  assert.deepEqual(findings, []);
});

test('a script that does not exist is disabled and says so', async () => {
  const { verdict, findings } = await vet(run(file), new FakeFiles({ '/etc/passwd': {} }));
  assert.deepEqual(verdict, { type: 'disabled', why: `${file}: not found` });
  assert.deepEqual(findings, [{ level: 'error', text: `Disabling track script chk: ${file}: not found` }]);
});

const unusable: readonly [what: string, nodes: Record<string, Node>, why: RegExp][] = [
  ['without an x bit', { [file]: { mode: 0o644 } }, /not executable/],
  ['that is a directory', { [`${file}/x`]: {} }, /not a file/],
  ['that is a device', { [file]: { kind: 'other' } }, /not a file/],
  ['behind a file', { '/etc/keepalived': { kind: 'file' } }, /not found/],
  ['behind links that go round', { [file]: { target: file } }, /too many symbolic links/],
  ['that is a dangling link', { [file]: { target: 'gone.sh' } }, /not found/],
];

for (const [what, nodes, why] of unusable)
  test(`a script ${what} is disabled`, async () => {
    const { verdict } = await vet(run(file), new FakeFiles(nodes));
    assert.equal(verdict.type, 'disabled');
    assert.match(verdict.type === 'disabled' ? verdict.why : '', why);
  });

test('a bare name is looked up in the fixed path, past what cannot run', async () => {
  const files = new FakeFiles({ '/usr/local/bin/killall': { mode: 0o644 }, '/usr/bin/killall': {} });
  const { verdict } = await vet(run('killall', '-0', 'nginx'), files);
  assert.deepEqual(verdict, {
    type: 'ready',
    command: { argv: ['/usr/bin/killall', '-0', 'nginx'], identity: undefined },
  });
  const missing = await vet(run('pidof'), files);
  assert.match(
    missing.verdict.type === 'disabled' ? missing.verdict.why : '',
    /^pidof: not found in \/usr\/local\/sbin:/,
  );
});

test('a relative path is disabled', async () => {
  const { verdict } = await vet(run('scripts/chk.sh'), new FakeFiles({ [file]: {} }));
  assert.match(verdict.type === 'disabled' ? verdict.why : '', /relative path/);
});

const unsafe: readonly [what: string, nodes: Record<string, Node>, which: string][] = [
  ['group-writable', { [file]: { mode: 0o775 } }, file],
  ['writable by all', { [file]: { mode: 0o757 } }, file],
  ['of another user', { [file]: { uid: 1000 } }, file],
  [
    'in a directory of another user',
    { [file]: {}, '/etc/keepalived': { uid: 1000, kind: 'directory' } },
    '/etc/keepalived',
  ],
  ['in a writable directory', { [file]: {}, '/etc': { mode: 0o777, kind: 'directory' } }, '/etc'],
  ['behind a link of another user', { [file]: { target: '/opt/chk.sh', uid: 1000 }, '/opt/chk.sh': {} }, file],
  [
    'behind a link to a writable file',
    { [file]: { target: '../../opt/chk.sh' }, '/opt/chk.sh': { mode: 0o777 } },
    '/opt/chk.sh',
  ],
  [
    'behind a linked directory in a writable place',
    {
      '/etc/keepalived': { target: '/srv/conf' },
      '/srv': { mode: 0o777, kind: 'directory' },
      '/srv/conf': { target: '/opt' },
      '/opt/chk.sh': {},
    },
    '/srv',
  ],
];

for (const [what, nodes, which] of unsafe) {
  test(`a script ${what} runs as root with a warning`, async () => {
    const { verdict, findings } = await vet(run(file), new FakeFiles(nodes));
    assert.equal(verdict.type, 'ready');
    assert.equal(findings.length, 1);
    assert.equal(findings[0]!.level, 'warning');
    assert.ok(findings[0]!.text.includes(`would run as root but ${which} is`), findings[0]!.text);
  });

  test(`a script ${what} is disabled with enable_script_security`, async () => {
    const { verdict, findings } = await vet(run(file), new FakeFiles(nodes), { enforce: true });
    assert.equal(verdict.type, 'disabled');
    assert.match(findings[0]!.text, /^Disabling track script chk: unsafe permissions found for/);
  });

  test(`a script ${what} may run as somebody else`, async () => {
    const { verdict, findings } = await vet(as('alice'), new FakeFiles(nodes), { enforce: true });
    assert.deepEqual(findings, []);
    assert.deepEqual(verdict.type === 'ready' && verdict.command.identity, { uid: 1000, gid: 1000 });
  });
}

test('sticky directories are safe', async () => {
  const files = new FakeFiles({ '/tmp': { mode: 0o1777, kind: 'directory' }, '/tmp/chk.sh': {} });
  const { verdict, findings } = await vet(run('/tmp/chk.sh'), files, { enforce: true });
  assert.deepEqual([verdict.type, findings], ['ready', []]);
});

test('who may execute is judged by owner, then group, then others', async () => {
  const verdictOf = async (mode: number, uid: number, gid: number) =>
    (await vet(as('alice'), new FakeFiles({ [file]: { mode, uid, gid } }))).verdict.type;
  assert.equal(await verdictOf(0o700, 1000, 0), 'ready');
  assert.equal(await verdictOf(0o077, 1000, 0), 'disabled');
  assert.equal(await verdictOf(0o710, 0, 1000), 'ready');
  assert.equal(await verdictOf(0o701, 0, 1000), 'disabled');
  assert.equal(await verdictOf(0o701, 0, 0), 'ready');
  assert.equal(await verdictOf(0o700, 0, 0), 'disabled');
});

test('a directory that the user may not search is in the way, but not for root', async () => {
  const files = new FakeFiles({ '/etc/keepalived': { mode: 0o700, kind: 'directory' }, [file]: {} });
  const { verdict } = await vet(as('alice'), files);
  assert.match(verdict.type === 'disabled' ? verdict.why : '', /\/etc\/keepalived is closed/);
  assert.equal((await vet(run(file), files)).verdict.type, 'ready');
});

test('the user of a script is its own, else script_user, else keepalived_script, else ours', async () => {
  const nodes = { [file]: {} };
  const standard = { keepalived_script: { uid: 900, gid: 901 } };
  const root = { uid: 0, gid: 0 };
  const identity = async (command: Command, files: Files, policy: Partial<ScriptPolicy> = {}) => {
    const { verdict } = await vet(command, files, policy);
    return verdict.type === 'ready' && verdict.command.identity;
  };
  const withStandard = new FakeFiles(nodes, root, standard);
  assert.deepEqual(await identity(as('alice', 'staff'), withStandard, { defaultUser: { user: 'root' } }), {
    uid: 1000,
    gid: 50,
  });
  assert.equal(await identity(run(file), withStandard, { defaultUser: { user: 'root' } }), undefined);
  assert.deepEqual(await identity(run(file), withStandard), { uid: 900, gid: 901 });
  assert.equal(await identity(run(file), new FakeFiles(nodes)), undefined);
  assert.equal(await identity(run(file), new FakeFiles(nodes, { uid: 900, gid: 7 }, standard)), undefined);
});

test('an unknown user or group disables the script', async () => {
  const files = new FakeFiles({ [file]: {} });
  assert.deepEqual((await vet(as('bob'), files)).verdict, { type: 'disabled', why: 'there is no user bob' });
  assert.deepEqual((await vet(as('alice', 'wheel'), files)).verdict, {
    type: 'disabled',
    why: 'there is no group wheel',
  });
});

test('a configuration is vetted once for each command that is in use', async () => {
  const gone = (name: string): Command => ({ argv: [`/gone/${name}`] });
  const config = {
    globals: {
      routerId: 'r',
      scriptUser: undefined,
      enableScriptSecurity: true,
      realtimePriority: undefined,
      addressLifetime: true,
    },
    scripts: [script('a', { command: gone('a') }), script('unused', { command: gone('unused') })],
    instances: [
      instance('VI_1', { trackScripts: [track('a')], notify: { master: gone('n'), any: gone('n') } }),
      instance('VI_2', { notify: { stop: gone('s') } }),
    ],
    groups: [],
  };
  const vetted = await vetConfiguration(config, new FakeFiles({ '/etc/passwd': {} }));
  assert.deepEqual(
    vetted.findings.map(({ text }) => text),
    [
      'Disabling track script a: /gone/a: not found',
      'Disabling notify_master script of VI_1: /gone/n: not found',
      'Disabling notify_stop script of VI_2: /gone/s: not found',
    ],
  );
  assert.equal(vetted.of(gone('never seen')).type, 'disabled');
});
