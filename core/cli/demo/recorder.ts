// What happens on a network of the demo or a test, seen from outside the agents and stamped by one clock: adverts and
// announcements on the bridge ports, addresses in the hosts. A thread of its own watches; this side answers questions.
// Times are milliseconds on CLOCK_MONOTONIC.
import { Worker } from 'node:worker_threads';
import { entryFile } from '../../system/entry-file.ts';
import { type Host, type Network, namespaceFile, run } from './network.ts';
import { ProbeTable } from './probe-table.ts';
import type { WatchPlan } from './watch-thread.ts';

interface At {
  readonly t: number;
  /** The host whose port the frame came from, or whose addresses changed. */
  readonly host: string;
}
export interface AdvertSeen extends At {
  readonly type: 'advert';
  readonly vrid: number;
  readonly priority: number;
  readonly version: number;
  readonly source: string;
  readonly mac: string;
}
/** A gratuitous ARP, or an unsolicited neighbour advertisement. */
export interface GarpSeen extends At {
  readonly type: 'garp';
  readonly ip: string;
  readonly mac: string;
}
/** An answer to an ARP request. */
export interface ArpSeen extends At {
  readonly type: 'arp';
  readonly ip: string;
}
/** An address became usable (bound, on a link that runs), or ceased to be. */
export interface HoldingSeen extends At {
  readonly type: 'holding';
  readonly ip: string;
  readonly held: boolean;
}
/** An address was bound or removed, whatever the link does. */
export interface AddressSeen extends At {
  readonly type: 'address';
  readonly ip: string;
  readonly bound: boolean;
}
export type Sighting = AdvertSeen | GarpSeen | ArpSeen | HoldingSeen | AddressSeen;
type OfType<T extends Sighting['type']> = Extract<Sighting, { type: T }>;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds on the clock of the sightings. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export class Recorder {
  /** In the order in which they were seen. */
  readonly sightings: Sighting[] = [];
  readonly probes: ProbeTable;
  readonly hosts: readonly Host[];
  readonly #worker: Worker;
  readonly #held = new Map<string, Set<string>>();
  readonly #bound = new Map<string, Set<string>>();
  readonly #listeners = new Set<() => void>();
  #failure: Error | undefined;

  private constructor(hosts: readonly Host[], worker: Worker, probes: ProbeTable) {
    this.hosts = hosts;
    this.probes = probes;
    this.#worker = worker;
    for (const { name } of hosts) {
      this.#held.set(name, new Set());
      this.#bound.set(name, new Set());
    }
    worker.on('message', (batch: readonly Sighting[]) => this.#take(batch));
    worker.on('error', (error) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#tell();
    });
  }

  /** Watches these hosts of a network; asks for `arpWatch` by ARP fifty times a second. Resolves when it sees everything. */
  static async start(network: Network, hosts: readonly Host[], arpWatch: readonly string[] = []): Promise<Recorder> {
    const probes = ProbeTable.create();
    const plan: WatchPlan = {
      bridge: namespaceFile(network.bridge),
      ports: await portsOf(network),
      hosts: hosts.map(({ name, namespace, port }) => ({ name, port, namespace: namespaceFile(namespace) })),
      arpWatch,
      probes: probes.memory,
    };
    const worker = new Worker(entryFile(import.meta.url, './watch-thread'), { workerData: plan });
    const recorder = new Recorder(hosts, worker, probes);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    return recorder;
  }

  #take(batch: readonly Sighting[]): void {
    for (const sighting of batch) {
      this.sightings.push(sighting);
      if (sighting.type === 'holding') change(this.#held.get(sighting.host)!, sighting.ip, sighting.held);
      if (sighting.type === 'address') change(this.#bound.get(sighting.host)!, sighting.ip, sighting.bound);
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after every batch of sightings; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // Questions.

  /** Whether a host has the address on a running link. */
  holds(host: string, ip: string): boolean {
    return this.#held.get(host)?.has(ip) ?? false;
  }

  /** Whether a host has the address at all. */
  bound(host: string, ip: string): boolean {
    return this.#bound.get(host)?.has(ip) ?? false;
  }

  holders(ip: string): readonly string[] {
    return this.hosts.map(({ name }) => name).filter((name) => this.holds(name, ip));
  }

  /** Exactly this host holds the address. */
  alone(host: string, ip: string): boolean {
    const holders = this.holders(ip);
    return holders.length === 1 && holders[0] === host;
  }

  /** The sightings of one kind from a time on that have these fields. */
  all<T extends Sighting['type']>(type: T, since: number, fields: Partial<OfType<T>> = {}): readonly OfType<T>[] {
    const wanted = Object.entries(fields);
    return this.sightings.filter((sighting): sighting is OfType<T> => {
      if (sighting.type !== type || sighting.t < since) return false;
      return wanted.every(([name, value]) => (sighting as unknown as Record<string, unknown>)[name] === value);
    });
  }

  first<T extends Sighting['type']>(type: T, since: number, fields: Partial<OfType<T>> = {}): OfType<T> | undefined {
    return this.all(type, since, fields)[0];
  }

  /** When a host held an address within a window. */
  spans(host: string, ip: string, from: number, to = now()): readonly Span[] {
    const spans: Span[] = [];
    let since: number | undefined;
    for (const { t, held } of this.all('holding', 0, { host, ip })) {
      if (held) since ??= t;
      else if (since !== undefined) {
        spans.push({ from: since, to: t });
        since = undefined;
      }
    }
    if (since !== undefined) spans.push({ from: since, to });
    return spans
      .filter((span) => span.to > from && span.from < to)
      .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }));
  }

  /** For how many milliseconds of a window two hosts held the address at once. */
  overlap(one: string, other: string, ip: string, from: number, to = now()): number {
    let sum = 0;
    for (const a of this.spans(one, ip, from, to))
      for (const b of this.spans(other, ip, from, to))
        sum += Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
    return sum;
  }

  /** Resolves as soon as the condition holds; looks after each sighting. @throws Error with the latest sightings in time */
  async wait(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        stop();
        if (error) reject(error);
        else resolve();
      };
      const stop = this.onChange(() => {
        if (this.#failure) finish(this.#failure);
        else if (condition()) finish();
      });
      const timer = setTimeout(() => {
        finish(new Error(`${what}: not within ${timeoutMs} ms; the latest sightings:\n${this.story(25)}`));
      }, timeoutMs);
    });
  }

  /** The latest sightings as lines, for people. */
  story(count: number): string {
    const rest = ({ t, host, type, ...fields }: Sighting) =>
      `${t.toFixed(1)} ${host} ${type} ${Object.values(fields).join(' ')}`;
    return this.sightings.slice(-count).map(rest).join('\n');
  }

  async stop(): Promise<void> {
    this.probes.close();
    await new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
      if (this.#worker.threadId === -1) resolve();
    });
  }
}

/** The indexes of the bridge's interfaces by their names. */
async function portsOf(network: Network): Promise<Record<string, number>> {
  const links = JSON.parse(await run('ip', '-n', network.bridge, '-j', 'link')) as {
    ifname: string;
    ifindex: number;
  }[];
  return Object.fromEntries(links.map(({ ifname, ifindex }) => [ifname, ifindex]));
}

function change(set: Set<string>, member: string, present: boolean): void {
  if (present) set.add(member);
  else set.delete(member);
}
