// keepalived and ours, called keepalived, each with the same file in a network of its own and with the same history:
// a better master is heard, stops, and they take over. Signals, dumps, pid files, log and exit codes side by side.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inside, Network, toolEnvironment } from '../../core/cli/demo/network.ts';
import { AGENT } from '../support/daemons.ts';
import { command, needs } from '../support/needs.ts';

const root = mkdtempSync(join(tmpdir(), `vk-${process.pid}-dropin-`));
const link = join(root, 'keepalived');
const REAL = command('keepalived') ?? 'keepalived';

const CONF = `
global_defs {
  router_id lb1
  script_user root
  enable_script_security
}
vrrp_script good {
  script "/bin/true with args"
  interval 1
  weight 2
}
vrrp_script bad {
  script "/bin/false"
  interval 1
  weight -10
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 71
  priority 100
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass geheim12
  }
  virtual_ipaddress {
    192.0.2.100/24
    192.0.2.101/32 label eth0:1
  }
  virtual_ipaddress_excluded {
    192.0.2.102/24
  }
  track_script {
    good
    bad
  }
  track_interface {
    lo
  }
  notify_master "/bin/true m 'a b'"
  notify /bin/true
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 72
  priority 90
  version 3
  advert_int 0.5
  nopreempt
  unicast_src_ip 192.0.2.1
  unicast_peer {
    192.0.2.2
  }
  virtual_ipaddress {
    192.0.2.103
  }
}
`;

const PEER = `
global_defs {
  router_id peer
}
vrrp_instance P_1 {
  interface eth0
  virtual_router_id 71
  priority 200
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass geheim12
  }
  virtual_ipaddress {
    192.0.2.100/24
    192.0.2.101/32
  }
}
`;

interface Dumps {
  readonly json: readonly { readonly data: Record<string, unknown>; readonly stats: Record<string, number> }[];
  readonly stats: string;
  readonly data: string;
}

/** One daemon called keepalived, with its own TMPDIR, where its dumps go. */
class Subject {
  readonly directory: string;
  readonly #namespace: string;
  readonly #argv: readonly string[];
  #child: ChildProcess | undefined;
  log = '';

  constructor(name: string, namespace: string, conf: string, program: readonly string[], more: readonly string[] = []) {
    this.directory = join(root, name);
    mkdirSync(this.directory);
    const file = join(this.directory, 'keepalived.conf');
    writeFileSync(file, conf);
    this.#namespace = namespace;
    const pids = ['-p', this.path('parent.pid'), '-r', this.path('vrrp.pid'), '-c', this.path('checkers.pid')];
    this.#argv = [...program, '-n', '-l', '-D', '-G', '-f', file, ...pids, ...more];
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get pid(): number {
    return Number(readFileSync(this.path('parent.pid'), 'utf8'));
  }

  async start(): Promise<void> {
    const env = { ...toolEnvironment(), TMPDIR: this.directory };
    const child = spawn('ip', inside(this.#namespace, ...this.#argv), { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    await this.says(/Startup complete/);
  }

  async says(pattern: RegExp): Promise<void> {
    await until(
      () => pattern.test(this.log),
      () => `${this.directory} did not say ${pattern}:\n${this.log}`,
    );
  }

  /** Sends the signal and waits for the file, as exporters do. */
  async dump(signal: number, name: string): Promise<string> {
    const file = this.path(name);
    rmSync(file, { force: true });
    process.kill(this.pid, signal);
    // keepalived writes in place, so a reader may see a part: whole is what has stopped growing.
    let before = 0;
    await until(
      () => {
        const size = existsSync(file) ? statSync(file).size : 0;
        const whole = size > 0 && size === before;
        before = size;
        return whole;
      },
      () => `no ${file}:\n${this.log}`,
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    return readFileSync(file, 'utf8');
  }

  async dumps(): Promise<Dumps> {
    return {
      json: JSON.parse(await this.dump(36, 'keepalived.json')),
      stats: await this.dump(12, 'keepalived.stats'),
      data: await this.dump(10, 'keepalived.data'),
    };
  }

  async stop(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const code = await ended;
    clearTimeout(late);
    return code;
  }
}

async function until(condition: () => boolean, explain: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) if (condition()) return;
  throw new Error(explain());
}

/** Fields of `data` that may or must differ, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  last_transition: 'a time',
  auth_data: 'redacted, as keepalived does since 2.4',
  higher_prio_send_advert: 'on by default: the loser of an election re-announces the winner',
};
/** Packets: their number depends on how long each has been what it is. */
const COUNTED_IN_TIME = ['advert_rcvd', 'advert_sent'];

function compare(real: Dumps, ours: Dumps): void {
  assert.deepEqual(
    ours.json.map(({ data, stats }) => [Object.keys(data), Object.keys(stats)]),
    real.json.map(({ data, stats }) => [Object.keys(data), Object.keys(stats)]),
    'the same keys in the same order',
  );
  for (const [i, { data, stats }] of real.json.entries()) {
    const mine = ours.json[i]!;
    const without = (all: Record<string, unknown>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(all).filter(([key]) => !(key in DIFFERENT) && !COUNTED_IN_TIME.includes(key)));
    assert.deepEqual(without(mine.data), without(data), `data of ${data['iname']}`);
    assert.deepEqual(without(mine.stats), without(stats), `stats of ${data['iname']}`);
    for (const key of COUNTED_IN_TIME)
      assert.equal(mine.stats[key]! > 0, stats[key]! > 0, `${key}: ${mine.stats[key]} and ${stats[key]}`);
  }
  const shape = (text: string): string => text.replace(/(Received|Sent): \d+/g, '$1: N');
  assert.equal(shape(ours.stats), shape(real.stats));
}

describe('called keepalived', needs('root', 'ip', 'keepalived'), () => {
  const prefix = `vk-${process.pid}-di`;
  const hosts = [
    { name: 'r1', address: '192.0.2.1/24' },
    { name: 'r2', address: '192.0.2.2/24' },
  ];
  const networks: Network[] = [];
  const all: Subject[] = [];
  let real: Subject;
  let ours: Subject;
  let peers: Subject[];

  const subject = (...given: ConstructorParameters<typeof Subject>): Subject => {
    const made = new Subject(...given);
    all.push(made);
    return made;
  };

  before(async () => {
    chmodSync(root, 0o755);
    symlinkSync(AGENT, link);
    for (const which of ['a', 'b']) networks.push(await Network.create(`${prefix}${which}`, hosts));
    const at = (network: number, host: string): string => networks[network]!.host(host).namespace;
    real = subject('real', at(0, 'r1'), CONF, [REAL]);
    ours = subject('ours', at(1, 'r1'), CONF, [process.execPath, link], ['--runtime-dir', join(root, 'run')]);
    peers = [0, 1].map((network) => subject(`peer${network}`, at(network, 'r2'), PEER, [REAL]));
    await Promise.all(peers.map((peer) => peer.start()));
    await Promise.all(peers.map((peer) => peer.says(/\(P_1\) Entering MASTER STATE/)));
    await Promise.all([real, ours].map((daemon) => daemon.start()));
    await Promise.all([real, ours].map((daemon) => daemon.says(/\(VI_2\) Entering MASTER STATE/)));
  });

  after(async () => {
    await Promise.all(all.map((daemon) => daemon.stop()));
    for (const network of networks) await network.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('as BACKUP: the dumps say the same', async () => {
    const [theirs, mine] = await Promise.all([real.dumps(), ours.dumps()]);
    compare(theirs, mine);
    assert.equal(mine.json[0]!.data['state'], 1);
  });

  test('as MASTER: the dumps say the same', async () => {
    await Promise.all(peers.map((peer) => peer.stop()));
    await Promise.all([real, ours].map((daemon) => daemon.says(/\(VI_1\) Entering MASTER STATE/)));
    const [theirs, mine] = await Promise.all([real.dumps(), ours.dumps()]);
    compare(theirs, mine);
    assert.equal(mine.json[0]!.data['state'], 2);
    for (const text of [JSON.stringify(mine.json), mine.data, mine.stats]) assert.doesNotMatch(text, /geheim/);
  });

  test('mehdy/keepalived-exporter and gen2brain/keepalived_exporter find what they parse', async () => {
    const { json, data, stats } = await ours.dumps();
    for (const { data: fields, stats: counters } of json) {
      for (const name of ['iname', 'ifp_ifname']) assert.equal(typeof fields[name], 'string', name);
      for (const name of ['state', 'wantstate', 'vrid', 'garp_delay'])
        assert.ok(Number.isInteger(fields[name]), `${name} is ${fields[name]}`);
      for (const vip of fields['vips'] as string[]) assert.match(vip, /^\S+ (\S+ )*dev \S+/);
      for (const [name, value] of Object.entries(counters)) assert.ok(Number.isInteger(value), `${name} is ${value}`);
    }
    const value = (name: string): string[] =>
      [...data.matchAll(new RegExp(`^ +${name} = (.*)$`, 'gm'))].map((m) => m[1]!);
    assert.deepEqual(value('VRRP Instance'), ['VI_1', 'VI_2']);
    assert.deepEqual(value('Virtual Router ID'), ['71', '72']);
    assert.deepEqual(value('Interface'), ['eth0', 'eth0']);
    assert.deepEqual(value('Gratuitous ARP delay'), ['5', '5']);
    assert.deepEqual(value('VRRP Script'), ['good', 'bad']);
    assert.deepEqual(value('Status'), ['GOOD', 'BAD']);
    assert.deepEqual(value('State'), ['MASTER', 'MASTER', 'idle', 'idle']);
    for (const name of ['Became master', 'Released master', 'Length', 'TTL', 'Address List', 'Failure'])
      assert.match(stats, new RegExp(`^ +${name}: \\d+$`, 'm'));
  });

  test('63 clears the statistics, and the process lives after each signal', async () => {
    for (const daemon of [real, ours]) {
      const last = await daemon.dump(63, 'keepalived.stats');
      assert.match(last, /VI_1[\s\S]*?Became master: 1/, 'as they were');
      const text = await daemon.dump(12, 'keepalived.stats');
      assert.match(text, /VI_1[\s\S]*?Became master: 0/);
    }
    const pid = ours.pid;
    for (let i = 0; i < 20; i++) for (const signal of [36, 63, 10, 12]) process.kill(pid, signal);
    assert.equal(ours.pid, pid);
    assert.equal(JSON.parse(await ours.dump(36, 'keepalived.json')).length, 2);
    const listening = await networks[1]!.exec('r1', 'cat', '/proc/net/tcp');
    assert.equal(listening.trim().split('\n').length, 1, 'no inspector listens');
  });

  test('pid files and the name of the process', () => {
    assert.equal(readFileSync(ours.path('vrrp.pid'), 'utf8'), readFileSync(ours.path('parent.pid'), 'utf8'));
    assert.equal(readFileSync(`/proc/${ours.pid}/comm`, 'utf8'), 'keepalived\n');
  });

  test('the log has keepalived’s phrases, with its times', () => {
    const time = String.raw`^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: `;
    for (const phrase of [
      /\(VI_1\) Entering BACKUP STATE \(init\)/,
      /\(VI_1\) Backup received priority 0 advertisement/,
      /\(VI_1\) Receive advertisement timeout/,
      /\(VI_1\) Entering MASTER STATE/,
      /\(VI_1\) setting VIPs\./,
      /VRRP_Script\(good\) succeeded/,
      /VRRP_Script\(bad\) failed \(exited with status 1\)/,
      /Printing VRRP as json for process\(\d+\) on signal/,
      /Printing and clearing VRRP stats for process\(\d+\) on signal/,
      /Printing VRRP stats for process\(\d+\) on signal/,
      /Printing VRRP data for process\(\d+\) on signal/,
    ])
      for (const { log } of [real, ours]) assert.match(log, new RegExp(`${time}${phrase.source}$`, 'm'));
    assert.doesNotMatch(ours.log, /FAULT/);
  });

  test('a stop removes the pid files and ends with 0', async () => {
    for (const daemon of [real, ours]) {
      assert.equal(await daemon.stop(), 0, daemon.log);
      for (const name of ['parent.pid', 'vrrp.pid']) assert.ok(!existsSync(daemon.path(name)), name);
    }
  });

  test('-t ends with keepalived’s code', () => {
    const file = join(root, 'tested.conf');
    const { namespace } = networks[0]!.host('r1');
    const script = join(root, 'unsafe.sh');
    writeFileSync(script, '#!/bin/sh\n');
    chmodSync(script, 0o777);
    const variants: readonly (readonly [string, string])[] = [
      ['good', CONF],
      ['empty', ''],
      ['unknown keyword', CONF.replace('nopreempt', 'nopreemption')],
      ['VRID out of range', CONF.replace('virtual_router_id 72', 'virtual_router_id 272')],
      ['no such interface', CONF.replace('interface eth0', 'interface eth77')],
      ['no script security', CONF.replace('enable_script_security', '')],
      ['no such script', CONF.replace('/bin/false', '/bin/nosuchthing')],
      ['unsafe script', CONF.replace('/bin/false', script)],
      [
        'unsafe script without script security',
        CONF.replace('/bin/false', script).replace('enable_script_security', ''),
      ],
      ['no such user', CONF.replace('script_user root', 'script_user nosuchuser')],
    ];
    for (const [what, text] of variants) {
      writeFileSync(file, text);
      const puppet = ['-t', '-f', file];
      const ansible = [`--use-file=${file}`, '--check', '--all-config', '--config-test'];
      for (const options of what === 'good' ? [puppet, ansible] : [puppet]) {
        const codes = [[REAL], [process.execPath, link]].map(
          (program) => spawnSync('ip', inside(namespace, ...program, ...options), { env: toolEnvironment() }).status,
        );
        assert.equal(codes[1], codes[0], `${what}: ours ${codes[1]}, keepalived ${codes[0]}`);
      }
    }
  });

  test('without -n it goes into the background and returns when it is ready, or with the code of its failure', async () => {
    const { namespace } = networks[1]!.host('r1');
    const file = join(root, 'daemon.conf');
    const pid = join(root, 'daemon.pid');
    const log = join(root, 'daemon.log');
    const run = (text: string) => {
      writeFileSync(file, text);
      const argv = [
        '-G',
        `--log-file=${log}`,
        `--runtime-dir=${join(root, 'run2')}`,
        '-f',
        file,
        '-p',
        pid,
        '-r',
        `${pid}.vrrp`,
      ];
      return spawnSync('ip', inside(namespace, process.execPath, link, ...argv), {
        env: toolEnvironment(),
        timeout: 20_000,
      });
    };
    assert.equal(run(CONF).status, 0);
    const daemon = Number(readFileSync(pid, 'utf8'));
    try {
      assert.match(readFileSync(log, 'utf8'), /Startup complete/);
      const [, , , , , session] = readFileSync(`/proc/${daemon}/stat`, 'utf8').split(' ');
      assert.equal(Number(session), daemon, 'a session of its own');
      assert.equal(run(CONF).status, 0, 'a second one is not started, as keepalived says with 0');
      assert.equal(Number(readFileSync(pid, 'utf8')), daemon);
    } finally {
      process.kill(daemon, 'SIGTERM');
      await until(
        () => !existsSync(`/proc/${daemon}`),
        () => readFileSync(log, 'utf8'),
      );
    }
    assert.ok(!existsSync(pid));
    assert.equal(run(CONF.replace('virtual_router_id 72', '')).status, 2);
    rmSync(file);
    const missing = spawnSync(process.execPath, [link, '-n', '-f', file], { encoding: 'utf8' });
    assert.deepEqual([missing.status, missing.stderr], [6, `Config files missing '${file}'.\n`]);
  });
});
