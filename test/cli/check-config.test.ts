// vipkeeper check-config: what it prints and how it exits.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckIo, checkConfig } from '../../core/cli/check-config.ts';
import { CODES } from '../../core/config/diagnostics.ts';
import { ip } from '../../core/net/address.ts';

const CLEAN = `global_defs {
    router_id r1
    vrrp_version 3
    script_user root
    enable_script_security
}
vrrp_script ok {
    script "/bin/true"
}
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 0.1
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.100/24
    }
    track_script {
        ok
    }
}
`;

interface Surroundings {
  readonly probe?: NonNullable<CheckIo['probe']>;
  readonly host?: NonNullable<CheckIo['host']>;
  readonly interactive?: boolean;
  readonly environment?: CheckIo['environment'];
}

async function run(
  argv: readonly string[],
  files: Readonly<Record<string, string>> = {},
  { environment = {}, ...surroundings }: Surroundings = {},
) {
  let out = '';
  let err = '';
  const status = await checkConfig(argv, {
    hostName: 'r1.example',
    environment,
    readFile(file) {
      if (files[file] === undefined) throw new Error(`ENOENT: ${file}`);
      return files[file];
    },
    includes: { include: (pattern) => (files[pattern] === undefined ? [] : [{ file: pattern, text: files[pattern] }]) },
    ...surroundings,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}

/** A machine with one interface, on which every file belongs to this user. */
const host = (name: string, uid: number): NonNullable<CheckIo['host']> => ({
  interfaces: () => [{ name, addresses: [{ address: ip('192.0.2.1'), prefix: 24 }] }],
  files: {
    look: async (path) => ({ kind: path === '/' || path === '/bin' ? 'directory' : 'file', mode: 0o755, uid, gid: 0 }),
    readLink: async () => ({ error: 'EINVAL' }),
    self: () => ({ uid: 0, gid: 0 }),
    user: async () => ({ uid: 0, gid: 0 }),
    group: async () => 0,
  },
});

describe('check-config', () => {
  test('a clean file passes, strictly too, whatever infos there are', async () => {
    const { status, out } = await run(['--strict', 'f'], { f: CLEAN });
    assert.equal(status, 0);
    assert.match(out, /info: VRID 51 .*\n[\s\S]*\n0 warnings, 0 errors: vipkeeper would run with this file\n$/);
  });
  test('a warning passes, but not strictly', async () => {
    const text = CLEAN.replace('priority 150', 'priority 1500');
    assert.deepEqual((await run(['f'], { f: text })).status, 0);
    const { status, out } = await run(['f', '--strict'], { f: text });
    assert.equal(status, 1);
    assert.match(
      out,
      /^f:14:14: warning: priority 1500 is out of range 1\.\.255; the default 100 is used \[W011\]\n {3}priority 1500\n {12}\^\^\^\^\n/m,
    );
    assert.match(out, /\n1 warning, 0 errors: vipkeeper would run, but --strict allows no warnings\n$/);
  });
  test('an error fails', async () => {
    const { status, out } = await run(['f'], { f: CLEAN.replace('virtual_router_id 51', '') });
    assert.equal(status, 1);
    assert.match(out, /\n0 warnings, 1 error: vipkeeper would not start with this file\n$/);
  });
  test('findings in an included file show that file’s line', async () => {
    const { out } = await run(['/e/f'], { '/e/f': `include g\n${CLEAN}`, '/e/g': '\nglobal_defs {\n bogus\n}\n' });
    assert.match(out, /^\/e\/g:3:2: warning: unknown keyword bogus in global_defs \[W010\]\n {3}bogus\n/m);
  });
  test('scripts are looked up here, and not for another machine', async () => {
    const probe = { program: () => 'missing' as const };
    assert.match(
      (await run(['f'], { f: CLEAN }, { probe })).out,
      /vrrp_script ok cannot be run: \/bin\/true does not exist/,
    );
    assert.equal((await run(['--strict', '--offline', 'f'], { f: CLEAN }, { probe })).status, 0);
  });
  test('the id of a machine decides which lines count', async () => {
    const f = `${CLEAN}@a bogus\n`;
    assert.equal((await run(['--strict', '--config-id=a', 'f'], { f })).status, 1);
    assert.equal((await run(['--strict', 'f'], { f })).status, 0);
  });
  test('a file that cannot be read, wrong usage and help', async () => {
    const { status, out, err } = await run(['none']);
    assert.deepEqual([status, err], [2, '']);
    assert.match(
      out,
      /^none:1:1: error: the file cannot be read: ENOENT: none \[E001\]\n0 warnings, 1 error: not every/,
    );
    for (const [argv, message] of [
      [[], /FILE is missing/],
      [['a', 'b'], /unexpected operand b/],
      [['--odd', 'f'], /unknown option --odd/],
      [['--stirct', 'f'], /did you mean --strict/],
      [['--format', 'xml', 'f'], /--format xml is not one of text, json, sarif/],
      [['--format=sarif', '--explain', 'f'], /--explain needs/],
      [['--against-id=a', 'f'], /--against-id needs --against/],
    ] as const) {
      const wrong = await run(argv, { f: CLEAN });
      assert.deepEqual([wrong.status, wrong.out], [2, '']);
      assert.match(wrong.err, message);
      assert.match(wrong.err, /Try `vipkeeper check-config --help`/);
    }
    const help = await run(['--help']);
    assert.equal(help.status, 0);
    assert.match(help.out, /Exit codes:\n {2}0 {2}the agent would run with this file\n {2}1 .*\n {2}2 /);
  });
  test('on the host its interfaces and scripts are looked at, and not for another machine', async () => {
    const { out } = await run(['f'], { f: CLEAN }, { host: host('ens3', 1000) });
    assert.match(out, /this machine has no interface eth0: VI_1 stays in FAULT until there is one \[W070\]/);
    assert.match(
      out,
      /vrrp_script ok would not be run: unsafe permissions found for \/bin\/true: .* \[W071\]\n {3}script/,
    );
    const offline = await run(['--offline', '--strict', 'f'], { f: CLEAN }, { host: host('ens3', 1000) });
    assert.equal(offline.status, 0);
    assert.equal((await run(['--strict', 'f'], { f: CLEAN }, { host: host('eth0', 0) })).status, 0);
  });
  test('colours on a terminal, unless NO_COLOR or TERM forbid them', async () => {
    const coloured = async (surroundings: Surroundings) =>
      (await run(['f'], { f: CLEAN }, surroundings)).out.includes('\u001b[');
    assert.equal(await coloured({ interactive: true }), true);
    assert.equal(await coloured({ interactive: false }), false);
    assert.equal(await coloured({ interactive: true, environment: { NO_COLOR: '1' } }), false);
    assert.equal(await coloured({ interactive: true, environment: { TERM: 'dumb' } }), false);
    assert.equal(await coloured({ interactive: true, environment: { NO_COLOR: '' } }), true);
  });
  test('JSON is one document with a version', async () => {
    const f = CLEAN.replace('priority 150', 'priority 1500');
    const { status, out } = await run(['--format', 'json', '--strict', 'f'], { f });
    assert.equal(status, 1);
    const { diagnostics, ...rest } = JSON.parse(out);
    assert.deepEqual(rest, {
      kind: 'vipkeeper-check',
      version: 1,
      file: 'f',
      against: [],
      strict: true,
      offline: false,
      exitStatus: 1,
      counts: { error: 0, warning: 1, info: 1 },
      files: ['f'],
    });
    assert.deepEqual(diagnostics[1], {
      code: 'W011',
      severity: 'warning',
      title: 'value out of range',
      file: 'f',
      line: 14,
      column: 14,
      length: 4,
      message: 'priority 1500 is out of range 1..255; the default 100 is used',
      value: '1500',
      limit: '1..255',
    });
  });
  test('--explain prints what holds and where it comes from, in JSON as data', async () => {
    const { out } = await run(['--explain', 'f'], { f: CLEAN });
    assert.match(out, /\nvrrp_instance VI_1 \{ {2}# line 10\n/);
    assert.match(out, /\n {4}priority 150 +# line 14\n/);
    assert.match(out, /\n {4}version 3 +# vrrp_version in line 3\n/);
    const { effective } = JSON.parse((await run(['--explain', '--format=json', 'f'], { f: CLEAN })).out);
    assert.deepEqual(
      effective.map(({ keyword, name }: { keyword: string; name?: string }) => [keyword, name]),
      [
        ['global_defs', undefined],
        ['vrrp_script', 'ok'],
        ['vrrp_instance', 'VI_1'],
      ],
    );
  });
  test('--against compares with the other half', async () => {
    const g = CLEAN.replace('virtual_router_id 51', 'virtual_router_id 52');
    const { status, out } = await run(['--strict', '--against', 'g', 'f'], { f: CLEAN, g });
    assert.equal(status, 1);
    assert.match(out, /VI_1 has virtual_router_id 51, but VI_1 in g has 52: both become MASTER \[W101\]/);
    assert.match((await run(['--against', 'g', 'f'], { f: CLEAN, g: 'vrrp_instance V {' })).out, /^g:1:15: error/m);
    assert.equal((await run(['--against', 'none', 'f'], { f: CLEAN })).status, 2);
  });
  test('one file with @ID lines may be compared with itself', async () => {
    const f = CLEAN.replace('priority 150', '@a priority 150\n@b priority 100')
      .replace('unicast_src_ip 192.0.2.1', '@a unicast_src_ip 192.0.2.1\n@b unicast_src_ip 192.0.2.2')
      .replace('        192.0.2.2', '@a 192.0.2.2\n@b 192.0.2.1');
    const same = await run(['--strict', '-i', 'a', '--against', 'f', '--against-id', 'b', 'f'], { f });
    assert.equal(same.status, 0, same.out);
    assert.equal((await run(['--strict', '-i', 'a', '--against', 'f', 'f'], { f })).status, 1);
  });
  test('three machines: each is compared with every other', async () => {
    const machine = (n: number, priority: number) =>
      CLEAN.replace('priority 150', `priority ${priority}`)
        .replace('unicast_src_ip 192.0.2.1', `unicast_src_ip 192.0.2.${n}`)
        .replace(
          '        192.0.2.2\n',
          [1, 2, 3]
            .filter((other) => other !== n)
            .map((other) => `192.0.2.${other}\n`)
            .join(''),
        );
    const files = { a: machine(1, 150), b: machine(2, 100), c: machine(3, 50) };
    const fits = await run(['--strict', '--against=b', '--against=c', 'a'], files);
    assert.equal(fits.status, 0, fits.out);
    const { out } = await run(['--against=b', '--against=c', 'a'], { ...files, c: machine(3, 150) });
    assert.match(out, /VI_1 has priority 150 on both machines.*\[W106\]/);
    assert.equal((await run(['--against=none', '--against=c', 'a'], files)).status, 2);
  });
  test('--list-codes explains every code', async () => {
    const { status, out } = await run(['--list-codes']);
    assert.equal(status, 0);
    for (const [code, title] of Object.entries(CODES)) assert.match(out, new RegExp(`^${code} {2}\\w+: `, 'm'), title);
    assert.equal(
      JSON.parse((await run(['--list-codes', '--format=json'])).out).codes.length,
      Object.keys(CODES).length,
    );
  });
  test('passwords are not shown in any format', async () => {
    const f = CLEAN.replace('vrrp_version 3', '').replace(
      '    unicast_src_ip',
      '    authentication {\n auth_type PASS\n auth_pass geheimnis geheimrest\n }\n    unicast_src_ip',
    );
    const g = f.replace('geheimnis', 'secretive');
    for (const more of [['--explain'], ['--format=json', '--explain'], ['--format=sarif']]) {
      const { out } = await run([...more, '--against=g', 'f'], { f, g });
      assert.match(out, /W042/);
      assert.match(out, /W104/);
      assert.doesNotMatch(out, /geheim|secretive/);
    }
  });
});
