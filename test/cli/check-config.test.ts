// vipkeeper check-config: what it prints and how it exits.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckIo, checkConfig } from '../../core/cli/check-config.ts';

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

function run(argv: readonly string[], files: Readonly<Record<string, string>> = {}, probe?: CheckIo['probe']) {
  let out = '';
  let err = '';
  const status = checkConfig(argv, {
    hostName: 'r1.example',
    environment: {},
    readFile(file) {
      if (files[file] === undefined) throw new Error(`ENOENT: ${file}`);
      return files[file];
    },
    includes: { include: (pattern) => (files[pattern] === undefined ? [] : [{ file: pattern, text: files[pattern] }]) },
    ...(probe && { probe }),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}

describe('check-config', () => {
  test('a clean file passes, strictly too, whatever infos there are', () => {
    const { status, out } = run(['--strict', 'f'], { f: CLEAN });
    assert.equal(status, 0);
    assert.match(out, /info: VRID 51 .*\n[\s\S]*\n0 warnings, 0 errors: vipkeeper would run with this file\n$/);
  });
  test('a warning passes, but not strictly', () => {
    const text = CLEAN.replace('priority 150', 'priority 1500');
    assert.deepEqual(run(['f'], { f: text }).status, 0);
    const { status, out } = run(['f', '--strict'], { f: text });
    assert.equal(status, 1);
    assert.match(
      out,
      /^f:14:14: warning: priority 1500 is out of range 1\.\.255; the default 100 is used\n {3}priority 1500\n {12}\^\^\^\^\n/m,
    );
    assert.match(out, /\n1 warning, 0 errors: vipkeeper would run, but --strict allows no warnings\n$/);
  });
  test('an error fails', () => {
    const { status, out } = run(['f'], { f: CLEAN.replace('virtual_router_id 51', '') });
    assert.equal(status, 1);
    assert.match(out, /\n0 warnings, 1 error: vipkeeper would not start with this file\n$/);
  });
  test('findings in an included file show that file’s line', () => {
    const { out } = run(['/e/f'], { '/e/f': `include g\n${CLEAN}`, '/e/g': '\nglobal_defs {\n bogus\n}\n' });
    assert.match(out, /^\/e\/g:3:2: warning: unknown keyword bogus in global_defs\n {3}bogus\n/m);
  });
  test('scripts are looked up here, and not for another machine', () => {
    const probe = { program: () => 'missing' as const };
    assert.match(run(['f'], { f: CLEAN }, probe).out, /vrrp_script ok cannot be run: \/bin\/true does not exist/);
    assert.equal(run(['--strict', '--offline', 'f'], { f: CLEAN }, probe).status, 0);
  });
  test('the id of a machine decides which lines count', () => {
    const f = `${CLEAN}@a bogus\n`;
    assert.equal(run(['--strict', '--config-id=a', 'f'], { f }).status, 1);
    assert.equal(run(['--strict', 'f'], { f }).status, 0);
  });
  test('a file that cannot be read, wrong usage and help', () => {
    assert.deepEqual(run(['none']), { status: 2, out: '', err: 'none: error: cannot be read: ENOENT: none\n' });
    for (const argv of [[], ['a', 'b'], ['--odd', 'f']]) {
      const { status, err } = run(argv, { f: CLEAN });
      assert.equal(status, 2);
      assert.match(err, /usage: vipkeeper check-config/);
    }
    assert.equal(run(['--help']).status, 0);
  });
});
