// FRR's VRRP in a lab's host: zebra, vrrpd and the macvlans that it wants to find. It keeps the addresses bound on its
// macvlan always and holds the link down as backup, so that what counts is an address on a running link.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { type Host, inside, run, toolEnvironment } from '../../core/cli/demo/network.ts';

const BIN = '/usr/lib/frr';

export interface FrrPlan {
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly priority: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly vips: readonly string[];
}

/** Resolves when a file of this name is in a directory. @throws Error in ten seconds */
async function appears(directory: string, name: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const changes = watch(directory, { signal });
  if (existsSync(join(directory, name))) return;
  for await (const { filename } of changes) if (filename === name) return;
}

export class Frr implements AsyncDisposable {
  readonly host: Host;
  readonly #directory: string;
  readonly #plan: FrrPlan;
  readonly #children: ChildProcess[] = [];
  log = '';

  constructor(host: Host, directory: string, plan: FrrPlan) {
    this.host = host;
    this.#plan = plan;
    this.#directory = mkdtempSync(join(directory, 'frr-'));
    chmodSync(directory, 0o755);
  }

  get #macvlan(): string {
    return `vrrp${this.#family}-${this.#plan.vrid}`;
  }

  get #family(): 4 | 6 {
    return this.#plan.vips[0]!.includes(':') ? 6 : 4;
  }

  /** Its interface and its daemons; resolves when vrrpd has read its configuration. */
  async up(): Promise<this> {
    const { vrid, version, priority, interval, vips } = this.#plan;
    const family = this.#family;
    const ip = (...args: readonly string[]) => run('ip', '-n', this.host.namespace, ...args);
    await this.#exec(
      'sysctl',
      '-qw',
      'net.ipv4.conf.all.arp_ignore=1',
      'net.ipv4.conf.all.ignore_routes_with_linkdown=1',
    );
    await ip('link', 'add', this.#macvlan, 'link', 'eth0', 'type', 'macvlan', 'mode', 'bridge');
    const mac = `00:00:5e:00:0${family === 6 ? 2 : 1}:${vrid.toString(16).padStart(2, '0')}`;
    await ip('link', 'set', this.#macvlan, 'address', mac, 'addrgenmode', 'random');
    for (const vip of vips)
      await ip(
        'addr',
        'add',
        `${vip}/${family === 6 ? 64 : 24}`,
        'dev',
        this.#macvlan,
        ...(family === 6 ? ['nodad'] : []),
      );
    await ip('link', 'set', this.#macvlan, 'up');
    const lines = [
      'interface eth0',
      ` vrrp ${vrid} version ${version}`,
      ` vrrp ${vrid} priority ${priority}`,
      ` vrrp ${vrid} advertisement-interval ${interval}`,
      ...vips.map((vip) => ` vrrp ${vrid} ${family === 6 ? 'ipv6' : 'ip'} ${vip}`),
    ];
    const directory = join(this.#directory, 'run');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    const file = join(directory, 'vrrpd.conf');
    writeFileSync(file, `${lines.join('\n')}\n`);
    await run('chown', '-R', 'frr:frr', this.#directory);
    const common = ['-z', join(directory, 'zserv.api'), '--vty_socket', directory, '-P', '0', '--log', 'stdout'];
    const socket = appears(directory, 'zserv.api');
    this.#start('zebra', ...common, '-i', join(directory, 'zebra.pid'));
    await socket;
    this.#start('vrrpd', ...common, '-i', join(directory, 'vrrpd.pid'), '-f', file);
    return this;
  }

  #exec(...argv: readonly string[]): Promise<string> {
    return run('ip', ...inside(this.host.namespace, ...argv));
  }

  #start(daemon: string, ...args: readonly string[]): void {
    const argv = inside(this.host.namespace, join(BIN, daemon), ...args);
    const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'], env: toolEnvironment() });
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    this.#children.push(child);
  }

  /** Ends vrrpd and then zebra by a signal, and removes the macvlan, as an administrator would. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    for (const child of this.#children.splice(0).toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await ended;
    }
    await run('ip', '-n', this.host.namespace, 'link', 'del', this.#macvlan).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}
