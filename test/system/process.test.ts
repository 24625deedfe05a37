// What the process asks of the system for itself, each in a process of its own.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { needs } from '../support/needs.ts';

const SYSTEM = new URL('../../core/system/', import.meta.url).href;

/** Runs `body` with `native` and `process.ts`'s exports; returns what it prints, read as JSON. */
function run(body: string, options: { readonly command?: readonly string[] } = {}): unknown {
  const source = `
    import { loadNative } from '${SYSTEM}native/index.ts';
    import * as own from '${SYSTEM}process.ts';
    import { readFileSync } from 'node:fs';
    const native = loadNative();
    ${body}
  `;
  const argv = [...(options.command ?? []), process.execPath, '--input-type=module', '-e', source];
  const done = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8' });
  assert.equal(done.signal, null, `killed by ${done.signal}`);
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
}

test('signals that would kill the process are survived', () => {
  const sent = `
    own.prepareProcess(native);
    for (const signal of [36, 63]) process.kill(process.pid, signal);
    console.log(JSON.stringify('alive'));`;
  assert.equal(run(sent), 'alive');
});

test('no core is dumped', () => {
  assert.equal(run('own.prepareProcess(native); console.log(native.prctl(3, 0));'), 0);
});

test('timers are as sharp as they get, and an ordinary thread stays one', () => {
  const body = `
    const refusals = own.prepareEngineThread(native, undefined);
    console.log(JSON.stringify([refusals, native.prctl(30, 0), native.getScheduler()]));`;
  assert.deepEqual(run(body), [[], 1, 0]);
});

test('real-time scheduling is taken, is not inherited, and is given back', needs('root'), (t) => {
  const body = `
    const refusals = own.prepareEngineThread(native, 50);
    const policy = native.getScheduler();
    const child = (await import('node:child_process')).execFileSync('cat', ['/proc/self/stat'], { encoding: 'utf8' });
    const back = own.leaveRealtime(native);
    console.log(JSON.stringify({ refusals, policy, child: Number(child.split(' ')[40]), back, after: native.getScheduler() }));`;
  const got = run(body) as { refusals: { code: string }[]; policy: number };
  if (got.refusals[0]?.code === 'EPERM' && process.env['CI'] !== 'true') {
    t.skip('this cgroup grants no real-time scheduling');
    return;
  }
  const RESET_ON_FORK = 0x40000000;
  assert.deepEqual(got, { refusals: [], policy: 2 | RESET_ON_FORK, child: 0, back: [], after: RESET_ON_FORK });
});

test('what is refused is reported with the fix', needs('root', 'setpriv'), () => {
  const body = 'console.log(JSON.stringify(own.prepareEngineThread(native, 50)));';
  const [refusal, ...others] = run(body, { command: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] }) as {
    what: string;
    code: string;
    fix: string;
  }[];
  assert.deepEqual(others, []);
  assert.equal(refusal!.code, 'EPERM');
  assert.match(refusal!.what, /real-time priority 50/);
  assert.match(refusal!.fix, /CAP_SYS_NICE.*LimitRTPRIO/);
});

test(
  'without the capabilities the network says which are missing and how to get them',
  needs('root', 'setpriv'),
  () => {
    const source = `
    import { loadNative } from '${SYSTEM}native/index.ts';
    import { LinuxNetwork } from '${SYSTEM}network.ts';
    try { new LinuxNetwork(loadNative()).vrrpSocket({ interface: 'lo', ifindex: 1, family: 4, protocol: 112 }); } catch (error) { console.log(error.code, error.message); }
  `;
    const argv = ['--bounding-set=-all', '--inh-caps=-all', process.execPath, '--input-type=module', '-e', source];
    const output = execFileSync('setpriv', argv, { encoding: 'utf8' });
    assert.match(
      output,
      /^EPERM cannot open the IPv4 VRRP socket on lo: EPERM: CAP_NET_RAW and CAP_NET_ADMIN are missing/,
    );
  },
);
