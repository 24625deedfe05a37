// A lab for one test: routers and a client around a bridge, a recorder that sees everything, a prober, daemons, and a
// directory for their files. Everything made here is gone at the end, also after a crash of an earlier run: names carry
// the id of the process that made them, and what belongs to no living process is removed first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, inside, Network, removeNamespaces, run } from '../../core/cli/demo/network.ts';
import { Prober } from '../../core/cli/demo/prober.ts';
import { now, Recorder } from '../../core/cli/demo/recorder.ts';
import { Daemon, type Kind } from './daemons.ts';

export interface LabPlan {
  /** Unique within the test file. */
  readonly name: string;
  /** Addresses of r1, r2 …, with prefix length. Default two routers 192.0.2.1/24 and 192.0.2.2/24. */
  readonly routers?: readonly string[];
  /** Address of the client. Default 192.0.2.250/24. */
  readonly client?: string;
  /** Addresses to ask for by ARP fifty times a second, so that two answers show. */
  readonly arpWatch?: readonly string[];
}

const DROP_VRRP = 'add chain bridge lab cut { type filter hook forward priority 0; }';

export class Lab implements AsyncDisposable {
  readonly network: Network;
  readonly recorder: Recorder;
  readonly directory: string;
  readonly #daemons: Daemon[] = [];
  readonly #probers: Prober[] = [];

  private constructor(network: Network, recorder: Recorder, directory: string) {
    this.network = network;
    this.recorder = recorder;
    this.directory = directory;
  }

  static async create(plan: LabPlan): Promise<Lab> {
    await removeOrphans();
    const routers = plan.routers ?? ['192.0.2.1/24', '192.0.2.2/24'];
    const network = await Network.create(`vk-${process.pid}-${plan.name}`, [
      ...routers.map((address, i) => ({ name: `r${i + 1}`, address })),
      { name: 'client', address: plan.client ?? '192.0.2.250/24' },
    ]);
    try {
      const watched = [...network.hosts.values()].filter((host) => host.name !== 'client');
      const recorder = await Recorder.start(network, watched, plan.arpWatch);
      return new Lab(network, recorder, mkdtempSync(join(tmpdir(), `vk-${process.pid}-${plan.name}-`)));
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  host(name: string): Host {
    return this.network.host(name);
  }

  /** Gives each host fd00::N/64 and fe80::N/64, N as in its IPv4 address, that need no time to settle. */
  async useIpv6(): Promise<void> {
    for (const { name, address } of this.network.hosts.values()) {
      const n = address.split('.').at(-1);
      await this.network.exec(name, 'ip', '-6', 'addr', 'flush', 'dev', 'eth0');
      for (const own of [`fe80::${n}/64`, `fd00::${n}/64`])
        await this.network.exec(name, 'ip', 'addr', 'add', own, 'dev', 'eth0', 'nodad');
    }
  }

  /** A daemon on a router, not yet started. */
  daemon(kind: Kind, router: string, text: string, entry?: string): Daemon {
    const directory = mkdtempSync(join(this.directory, `${router}-`));
    const daemon = new Daemon(kind, this.host(router), directory, text, entry);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Writes an executable script; returns its path. */
  script(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  }

  /** Starts pinging an address every millisecond from the client. */
  async probe(ip: string): Promise<Prober> {
    const prober = await Prober.start(this.host('client'), ip, this.recorder);
    this.#probers.push(prober);
    return prober;
  }

  /** The network between the routers drops VRRP, and nothing else. */
  async partition(): Promise<void> {
    await this.#nft('add table bridge lab', DROP_VRRP, 'add rule bridge lab cut ip protocol 112 drop');
  }

  async heal(): Promise<void> {
    await this.#nft('delete table bridge lab');
  }

  async #nft(...rules: readonly string[]): Promise<void> {
    await run('ip', ...inside(this.network.bridge, 'nft', rules.join('\n')));
  }

  /** Resolves when only this router has the address, and goes on advertising. @throws Error in time */
  async master(router: string, ip: string, timeoutMs = 10_000): Promise<void> {
    await this.recorder.wait(`${router} alone with ${ip}`, () => this.recorder.alone(router, ip), timeoutMs);
    await this.adverts(router, 1);
  }

  /** Resolves when the router has sent so many adverts from now on: time as the protocol counts it. */
  async adverts(router: string, count: number, vrid?: number): Promise<void> {
    const since = now();
    const fields = { host: router, ...(vrid === undefined ? {} : { vrid }) };
    const seen = () => this.recorder.all('advert', since, fields).length >= count;
    await this.recorder.wait(`${count} adverts of ${router}`, seen, 5_000 + count * 2_000);
  }

  /** When a router got hold of an address, in ms since a time. @throws Error when it did not */
  tookAfter(since: number, router: string, ip: string): number {
    const taken = this.recorder.first('holding', since, { host: router, ip, held: true });
    if (!taken) throw new Error(`${router} did not take ${ip}`);
    return taken.t - since;
  }

  /** What everybody said lately, added to an error. */
  explain(error: unknown): Error {
    const logs = this.#daemons.map(({ kind, host, log }) => {
      return `--- ${kind} on ${host.name}\n${log.trimEnd().split('\n').slice(-30).join('\n')}`;
    });
    const message = error instanceof Error ? error.message : String(error);
    return new Error([message, ...logs].join('\n'), { cause: error });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const prober of this.#probers) await prober.stop();
    for (const daemon of this.#daemons) await daemon[Symbol.asyncDispose]();
    await this.recorder.stop();
    await this.network.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Namespaces and directories of test processes that are no more. */
async function removeOrphans(): Promise<void> {
  await removeNamespaces((await readdir('/run/netns').catch(() => [])).filter(orphaned));
  for (const name of (await readdir(tmpdir())).filter(orphaned))
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

/** The name carries the id of a process that does not live. */
function orphaned(name: string): boolean {
  const owner = /^vk-(\d+)-/.exec(name)?.[1];
  return owner !== undefined && !alive(Number(owner));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
