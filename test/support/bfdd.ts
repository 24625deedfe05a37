// FRR's bfdd in a lab's host, with the zebra that it asks about interfaces: an independent neighbour for our BFD.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, inside, run, toolEnvironment } from '../../core/cli/demo/network.ts';

const DIRECTORY = '/usr/lib/frr';

export class Bfdd implements AsyncDisposable {
  readonly #host: Host;
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];
  #log = '';

  private constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  /** @param peers lines of its configuration within `bfd` */
  static async start(host: Host, peers: readonly string[]): Promise<Bfdd> {
    // FRR gives its rights up for a user of its own, who must be able to write here.
    const directory = mkdtempSync(join(tmpdir(), `vk-${process.pid}-frr-`));
    chmodSync(directory, 0o777);
    const bfdd = new Bfdd(host, directory);
    writeFileSync(join(directory, 'bfdd.conf'), `bfd\n${peers.map((line) => ` ${line}\n`).join('')}!\n`, {
      mode: 0o644,
    });
    writeFileSync(join(directory, 'zebra.conf'), '!\n', { mode: 0o644 });
    bfdd.#run('zebra');
    await bfdd.#until(() => existsSync(join(directory, 'zserv.sock')), 'zebra listens');
    bfdd.#run('bfdd', '--bfdctl', join(directory, 'control.sock'));
    await bfdd.#until(() => existsSync(join(directory, 'bfdd.vty')), 'bfdd listens');
    return bfdd;
  }

  #run(name: string, ...options: readonly string[]): void {
    const path = (file: string) => join(this.#directory, file);
    const argv = [
      join(DIRECTORY, name),
      ...['-f', path(`${name}.conf`), '-i', path(`${name}.pid`), '-z', path('zserv.sock')],
      ...['--vty_socket', this.#directory, '-A', '127.0.0.1', '-P', '0', '--log', 'stdout', ...options],
    ];
    const child = spawn('ip', inside(this.#host.namespace, ...argv), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: toolEnvironment(),
    });
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding('utf8').on('data', (text) => {
        this.#log += text;
      });
    this.#children.push(child);
  }

  /** What it says of its sessions, by neighbour. */
  async peers(): Promise<readonly { readonly peer: string; readonly status: string; readonly multihop: boolean }[]> {
    return JSON.parse(await run('vtysh', '--vty_socket', this.#directory, '-d', 'bfdd', '-c', 'show bfd peers json'));
  }

  /** Stops and continues it, as a machine that hangs. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#children[1]!.pid!, signal);
  }

  /** Resolves when all its sessions have this status. @throws Error in time */
  async all(status: 'up' | 'down'): Promise<void> {
    for (const end = Date.now() + 15_000; ; ) {
      const peers = await this.peers().catch(() => []);
      if (peers.length > 0 && peers.every((peer) => peer.status === status)) return;
      if (Date.now() > end) throw new Error(`FRR says ${JSON.stringify(peers)}\n${this.#log}`);
    }
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    for (const end = Date.now() + 15_000; !condition(); ) {
      if (Date.now() > end) throw new Error(`${what}: not in time\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.reverse()) {
      child.kill('SIGCONT');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
