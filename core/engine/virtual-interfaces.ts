// The interfaces that virtual routers stand on (use_vmac, use_ipvlan): made before their routers are told of the
// configuration, made anew when the interface below comes back, never touched by a transition. What is no longer wanted is
// named to the agent, which removes it: that takes the kernel 20 ms, too long for this thread.
import type { InstanceConfig } from '../config/model.ts';
import type { Family, MacAddress } from '../net/address.ts';
import type { RouteSocket } from '../ports/engine-io.ts';
import type { Sysctl } from '../ports/sysctl.ts';
import { after, type Instant, seconds } from '../units.ts';
import type { Links } from './links.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident, ResidentHost } from './resident.ts';
import { ensureLinks, type VirtualLink } from './virtual-links.ts';

/** What could not be made is tried again so much later. */
const RETRY = seconds(5);

export interface VirtualInterfacesDependencies extends ResidentHost {
  readonly links: Pick<Links, 'get'>;
  readonly sysctl: Sysctl;
  /** Opened when the first interface is wanted. */
  readonly routeSocket: () => RouteSocket;
}

export class VirtualInterfaces implements Resident {
  readonly ready = false;
  readonly #io: VirtualInterfacesDependencies;
  #route: RouteSocket | undefined;
  /** By the name of the instance. */
  readonly #wanted = new Map<string, readonly VirtualLink[]>();
  /** What was said last about each interface: once is enough. */
  readonly #told = new Map<string, string>();
  /** Indexes of interfaces that were made or adopted, and set, in this life. */
  #settled: ReadonlySet<number> = new Set();
  /** What could not be made or set, and when that is tried again. */
  #failed: ReadonlySet<string> = new Set();
  #retryAt: Instant | undefined;

  constructor(dependencies: VirtualInterfacesDependencies) {
    this.#io = dependencies;
  }

  get deadline(): Instant | undefined {
    return this.#retryAt;
  }

  configure({ added, changed, removed }: EngineConfig, now: Instant): void {
    const before = this.#names();
    for (const name of removed) this.#wanted.delete(name);
    for (const { name } of changed) this.#wanted.delete(name);
    for (const config of [...changed.map((change) => change.config), ...added]) {
      const links = virtualLinksOf(config);
      if (links.length > 0) this.#wanted.set(config.name, links);
    }
    this.#told.clear();
    this.#retryAt = undefined;
    this.#ensure(now);
    const names = this.#names();
    const unused = [...before].filter((name) => !names.has(name));
    if (unused.length > 0) this.#io.tell({ type: 'links-unused', names: unused });
  }

  followLinks(now: Instant): void {
    this.#ensure(now);
  }

  listen(): void {}

  expire(now: Instant): void {
    this.#ensure(now);
  }

  settle(): void {}

  close(): void {
    this.#route?.close();
    this.#route = undefined;
  }

  #names(): ReadonlySet<string> {
    return new Set([...this.#wanted.values()].flat().map(({ name }) => name));
  }

  /**
   * What could not be made is not tried again with every notice of the kernel, since each attempt makes new ones: they
   * would follow one another without end.
   */
  #ensure(now: Instant): void {
    const wanted = [...this.#wanted.values()].flat();
    // what the kernel's notices tell already need not be asked for
    const missing = wanted.filter((link) => !this.#isThere(link) && this.#io.links.get(link.base) !== undefined);
    const rests = this.#retryAt !== undefined && now < this.#retryAt;
    if (rests && missing.every(({ name }) => this.#failed.has(name))) return;
    this.#retryAt = undefined;
    this.#failed = new Set();
    if (missing.length === 0) return;
    this.#route ??= this.#io.routeSocket();
    const { settled, troubles } = ensureLinks(missing, this.#route, this.#io.sysctl);
    const kept = wanted.filter((link) => this.#isThere(link)).map(({ name }) => this.#io.links.get(name)!.index);
    this.#settled = new Set([...kept, ...settled]);
    // settings of an interface below fail under its name, for all that stand on it
    const fatal = new Set(troubles.filter((trouble) => trouble.fatal).map(({ name }) => name));
    this.#failed = new Set(
      missing.filter(({ name, base }) => fatal.has(name) || fatal.has(base)).map(({ name }) => name),
    );
    if (this.#failed.size > 0) this.#retryAt = after(now, RETRY);
    for (const { name, fatal: isFatal, why } of troubles) {
      if (this.#told.get(name) === why) continue;
      this.#told.set(name, why);
      this.#io.complain(isFatal ? 'error' : 'warning', `interface ${name}: ${why}`);
    }
  }

  #isThere(link: VirtualLink): boolean {
    const found = this.#io.links.get(link.name);
    if (found === undefined || !found.up || (link.kind === 'macvlan' && found.mac !== link.mac)) return false;
    return this.#settled.has(found.index);
  }
}

/** The interfaces that an instance stands on. */
export function virtualLinksOf(config: InstanceConfig): readonly VirtualLink[] {
  const { virtualInterface: own, addressInterfaces = [], interface: base } = config;
  const families = (name: string): ReadonlySet<Family> =>
    new Set(
      [...config.vips, ...config.excludedVips]
        .filter(({ device }) => device === name)
        .map(({ address }) => (address.includes(':') ? 6 : 4)),
    );
  const ipv6 = (name: string): boolean => families(name).has(6);
  const links: VirtualLink[] = addressInterfaces.map(({ name, base: below, mac }) => ({
    kind: 'macvlan',
    name,
    base: below,
    mac: mac as MacAddress,
    group: undefined,
    ipv6: ipv6(name),
  }));
  if (own?.kind === 'macvlan') {
    const { kind, name, mac, group } = own;
    links.push({ kind, name, base, mac: mac as MacAddress, group, ipv6: ipv6(name) });
  } else if (own?.kind === 'ipvlan') {
    const { kind, name, mode, group, address } = own;
    links.push({ kind, name, base, mode, group, address, ipv6: ipv6(name) || address?.includes(':') === true });
  }
  return links;
}
