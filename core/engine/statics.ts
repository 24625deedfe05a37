// The addresses, routes and rules of the file that belong to the machine and not to a router: set before any router starts, kept
// over reloads, put back when they vanish, removed at the end. What of them cannot be kept is a fault of its track_group.
import type { StaticAddress, StaticConfig, TrackGroup } from '../config/model.ts';
import type { AddressRecord } from '../net/rtnetlink.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { Complain } from './holdings.ts';
import type { RouteOwner, Routing } from './routing.ts';

const NOTHING: StaticConfig = { addresses: [], routes: [], rules: [] };

export class Statics implements RouteOwner {
  readonly name = 'static';
  readonly #provider: LocalProvider;
  readonly #routing: Routing;
  readonly #complain: Complain;
  #config: StaticConfig = NOTHING;
  #groups: readonly TrackGroup[] = [];
  /** Addresses that we bound, and so may remove. */
  readonly #ours = new Set<string>();
  /** Addresses that cannot be bound at present, and why. */
  readonly #failed = new Map<StaticAddress, string>();

  constructor(provider: LocalProvider, routing: Routing, complain: Complain) {
    this.#provider = provider;
    this.#routing = routing;
    this.#complain = complain;
  }

  get refused(): boolean {
    return this.#failed.size > 0;
  }

  /** Makes it so; what stays is not touched. */
  configure(config: StaticConfig = NOTHING, groups: readonly TrackGroup[] = []): void {
    this.#groups = groups;
    const before = this.#config;
    this.#config = config;
    const old = new Set(before.addresses.map(keyOf));
    const now = new Set(config.addresses.map(keyOf));
    this.#failed.clear();
    const added = config.addresses.filter((address) => !old.has(keyOf(address)));
    const dropped = before.addresses.filter((address) => !now.has(keyOf(address)));
    // The kernel knows addresses by interface and address: one with other settings goes before it comes.
    const changed = dropped.filter((one) => added.some((other) => isSame(one, other)));
    this.#unbind(changed);
    this.#bind(added, false);
    this.#routing.adjust(this, [...config.routes, ...config.rules]);
    this.#unbind(dropped.filter((one) => !changed.includes(one)));
  }

  /** Somebody removed addresses, or interfaces changed: whatever is missing is bound again. */
  repair(removed: readonly AddressRecord[], ifindexOf: (device: string) => number | undefined): void {
    const { addresses } = this.#config;
    if (addresses.length === 0) return;
    const gone = addresses.filter(
      (one) =>
        this.#failed.has(one) ||
        removed.some(
          ({ address, prefix, index }) =>
            address === one.address && prefix === one.prefix && index === ifindexOf(one.device),
        ),
    );
    if (gone.length > 0) this.#bind(gone, true);
  }

  /** Tries again what was refused. */
  retry(): void {
    if (this.#failed.size > 0) this.#bind([...this.#failed.keys()], true);
  }

  /** What is missing, by the instances whose track_group it belongs to. */
  faults(): ReadonlyMap<string, readonly string[]> {
    const faults = new Map<string, string[]>();
    const note = (group: string | undefined, why: string): void => {
      for (const member of this.#groups.find(({ name }) => name === group)?.members ?? [])
        faults.set(member, [...(faults.get(member) ?? []), why]);
    };
    for (const [{ group }, why] of this.#failed) note(group, why);
    for (const [{ group, track }, why] of this.#routing.failuresOf(this)) if (track) note(group, why);
    return faults;
  }

  /** The end: everything of ours goes. */
  remove(): void {
    this.#routing.withdraw([this]);
    this.#unbind(this.#config.addresses);
    this.#config = NOTHING;
  }

  #bind(addresses: readonly StaticAddress[], again: boolean): void {
    if (addresses.length === 0) return;
    // No lifetime: an address of the machine itself harms nobody when the agent is gone.
    for (const [i, outcome] of this.#provider.bind(addresses, 'forever').entries()) {
      const address = addresses[i]!;
      if (outcome.outcome === 'failed') {
        if (!this.#failed.has(address)) this.#complain('error', `static address ${address.address}: ${outcome.why}`);
        this.#failed.set(address, `static address ${address.address}: ${outcome.why}`);
        continue;
      }
      this.#failed.delete(address);
      if (outcome.outcome === 'bound' || outcome.foreign === false) this.#ours.add(keyOf(address));
      if (outcome.outcome === 'bound' && again)
        this.#complain('warning', `put back static address ${address.address} on ${address.device}`);
    }
  }

  /** What was there before us stays. */
  #unbind(addresses: readonly StaticAddress[]): void {
    const ours = addresses.filter((address) => this.#ours.delete(keyOf(address)));
    for (const address of addresses) this.#failed.delete(address);
    if (ours.length === 0) return;
    for (const outcome of this.#provider.unbind(ours))
      if (outcome.outcome === 'failed') this.#complain('error', outcome.why);
  }
}

const isSame = (a: StaticAddress, b: StaticAddress): boolean => a.address === b.address && a.device === b.device;

const keyOf = ({ group: _, ...address }: StaticAddress): string => JSON.stringify(Object.entries(address).toSorted());
