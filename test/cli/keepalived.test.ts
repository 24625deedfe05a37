// keepalived's command line as getopt_long(3) reads it, and what answers without starting anything.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { KEEPALIVED_OPTIONS, keepalivedUsage, parseKeepalived } from '../../core/cli/keepalived-options.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'core', 'cli', 'main.ts');
const directory = mkdtempSync(join(tmpdir(), 'vk-keepalived-'));
const link = join(directory, 'keepalived');
symlinkSync(MAIN, link);
after(() => rmSync(directory, { recursive: true }));

function values(...argv: readonly string[]): Record<string, string> {
  const parsed = parseKeepalived(argv);
  assert.equal(parsed.type, 'options');
  return parsed.type === 'options' ? Object.fromEntries(parsed.values) : {};
}

describe('options', () => {
  const cases: readonly (readonly [string, Record<string, string>])[] = [
    ['-f a.conf -nlD', { 'use-file': 'a.conf', 'dont-fork': '', 'log-console': '', 'log-detail': '' }],
    ['-nfa.conf', { 'dont-fork': '', 'use-file': 'a.conf' }],
    ['--use-file=a.conf --dont-fork', { 'use-file': 'a.conf', 'dont-fork': '' }],
    ['--use-file a.conf', { 'use-file': 'a.conf' }],
    ['--use a.conf', { 'use-file': 'a.conf' }],
    ['-t -f a.conf', { 'config-test': '', 'use-file': 'a.conf' }],
    ['-tlog.txt', { 'config-test': 'log.txt' }],
    ['--config-test=log.txt', { 'config-test': 'log.txt' }],
    ['-S 3 -u 077 -i id1', { 'log-facility': '3', umask: '077', 'config-id': 'id1' }],
    [
      '-g/x.log -p p -r r -c c -b b',
      { 'log-file': '/x.log', pid: 'p', vrrp_pid: 'r', checkers_pid: 'c', bfd_pid: 'b' },
    ],
    [
      '-PCBeRXVIdamx',
      Object.fromEntries(
        'vrrp check no_bfd all-config dont-respawn release-vips dont-release-vrrp dont-release-ipvs dump-conf address-monitoring core-dump snmp'
          .split(' ')
          .map((name) => [name, '']),
      ),
    ],
    ['--signum=JSON', { signum: 'JSON' }],
  ];
  for (const [line, expected] of cases) test(line, () => assert.deepEqual(values(...line.split(' ')), expected));

  const faults = [
    ['--nosuch', 'Unknown option --nosuch'],
    ['-nZ', 'Unknown option -Z'],
    ['-f', 'Missing parameter for option -f'],
    ['--pid', 'Missing parameter for option --pid'],
    ['--dont', 'Unknown option --dont'], // three begin so
    ['--dont-fork=1', 'Option --dont-fork takes no parameter'],
  ] as const;
  for (const [line, message] of faults)
    test(line, () => assert.deepEqual(parseKeepalived(line.split(' ')), { type: 'error', message }));

  test('operands are told apart, also after --', () => {
    assert.deepEqual(parseKeepalived(['a', '-n', '--', '-x']), {
      type: 'options',
      values: new Map([['dont-fork', '']]),
      operands: ['a', '-x'],
    });
  });

  test('each letter and each name is there once, and in the help', () => {
    const letters = KEEPALIVED_OPTIONS.flatMap(({ letter }) => letter ?? []);
    assert.equal(new Set(letters).size, letters.length);
    // All of 2.2.7.
    assert.equal([...letters].sort().join(''), [...'fPCBlDSgGuXVIRndprTcabxAsmMeitvh'].sort().join(''));
    for (const { long } of KEEPALIVED_OPTIONS) assert.match(keepalivedUsage('keepalived'), new RegExp(`--${long}\\b`));
  });
});

describe('called keepalived', () => {
  const run = (...argv: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 20_000 });
    return { status, stdout, stderr };
  };

  test('signal numbers', () => {
    const names = ['STOP', 'RELOAD', 'DATA', 'STATS', 'STATS_CLEAR', 'JSON'];
    const numbers = names.map((name) => run(link, `--signum=${name}`).stdout);
    assert.deepEqual(numbers, ['15\n', '1\n', '10\n', '12\n', '63\n', '36\n']);
    assert.deepEqual(run(link, '--signum=FOO'), { status: 1, stdout: '', stderr: 'Unknown sigfunc FOO\n' });
  });

  test('the version has keepalived’s shape and tells who this is, on stderr', () => {
    const { status, stdout, stderr } = run(link, '-v');
    assert.deepEqual([status, stdout], [0, '']);
    assert.match(stderr, /^Keepalived v\d+\.\d+\.\d+ .*vipkeeper v/);
  });

  test('help and faults', () => {
    assert.match(run(link, '-h').stderr, /^Usage: keepalived \[OPTION\.\.\.\]\n/);
    assert.deepEqual(run(link, '--nosuch'), { status: 1, stdout: '', stderr: 'Unknown option --nosuch\n' });
    assert.equal(run(link, '-n', 'extra').status, 1);
  });

  test('-t writes to a file when told so, and a missing file does not pass', () => {
    const file = join(directory, 'k.conf');
    const log = join(directory, 'log');
    writeFileSync(file, 'global_defs {\n  nosuchkeyword 1\n}\n');
    assert.deepEqual(run(link, `-t${log}`, '-f', file), { status: 5, stdout: '', stderr: '' });
    assert.equal(readFileSync(log, 'utf8'), `(${file}: Line 2) Unknown keyword 'nosuchkeyword'\n`);
    assert.equal(run(link, '-t', '-f', join(directory, 'none')).status, 4);
  });

  test('@ID lines follow -i', () => {
    const file = join(directory, 'id.conf');
    writeFileSync(file, '@one nosuchkeyword\n@two global_defs\n');
    const codes = ['one', 'two', 'three'].map((id) => run(link, '-t', '-i', id, '-f', file).status);
    assert.equal(codes[0], 5);
    assert.equal(codes[2], 0);
  });

  test('`vipkeeper keepalived` and flags without a verb are the same', () => {
    for (const argv of [
      [MAIN, 'keepalived', '--signum=JSON'],
      [MAIN, '--signum=JSON'],
    ])
      assert.equal(run(...argv).stdout, '36\n');
  });
});
