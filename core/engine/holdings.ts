// The addresses that this machine's routers want to hold, and the batches that make it so.
// Wishes are noted during a turn and settled at its end: adverts first, then one batch for all that let go,
// one for all that take, one burst of announcements.
import type { IpAddress } from '../net/address.ts';
import type { AddressRecord } from '../net/rtnetlink.ts';
import type { BindOutcome, LocalProvider } from '../vip/local-provider.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';
import type { InstanceDriver } from './driver.ts';
import type { Routing } from './routing.ts';

export type Complain = (level: 'error' | 'warning' | 'info', text: string) => void;

export class Holdings {
  readonly #provider: LocalProvider;
  readonly #complain: Complain;
  readonly #routing: Routing | undefined;
  readonly #wishes = new Map<InstanceDriver, 'own' | 'disown'>();
  readonly #renewals = new Set<InstanceDriver>();
  readonly #bursts = new Map<InstanceDriver, number>();
  /** What each router holds as far as we know. */
  readonly #held = new Map<InstanceDriver, readonly VirtualIp[]>();

  /** @param routing absent: no routes and rules are set */
  constructor(provider: LocalProvider, complain: Complain, routing?: Routing) {
    this.#provider = provider;
    this.#complain = complain;
    this.#routing = routing;
  }

  wish(driver: InstanceDriver, wish: 'own' | 'disown'): void {
    this.#wishes.set(driver, wish);
    if (wish === 'disown') this.#bursts.delete(driver);
  }

  renew(driver: InstanceDriver): void {
    this.#renewals.add(driver);
  }

  announce(driver: InstanceDriver, repeat: number): void {
    this.#bursts.set(driver, Math.max(repeat, this.#bursts.get(driver) ?? 0));
  }

  held(driver: InstanceDriver): readonly VirtualIp[] {
    return this.#held.get(driver) ?? [];
  }

  /** Routes and rules that a router has set. */
  routes(driver: InstanceDriver): readonly RoutingEntry[] {
    return this.#routing?.heldBy(driver) ?? [];
  }

  /** Removes what a crashed run may have left of the routes and rules of these routers. */
  clearRoutes(drivers: readonly InstanceDriver[]): void {
    this.#routing?.clear(drivers.flatMap(({ routing }) => routing));
  }

  /** Removes what a crashed run may have left of these addresses. @param markedOnly see LocalProvider.leftovers */
  clear(vips: readonly VirtualIp[], markedOnly = false): void {
    if (vips.length === 0) return;
    const left = this.#provider.leftovers(vips, markedOnly);
    if (left.length === 0) return;
    this.#complain('warning', `removing ${left.length} virtual addresses that were bound before: ${listed(left)}`);
    this.#report(this.#provider.unbind(left));
  }

  /** Carries out everything noted. */
  settle(): void {
    if (this.#wishes.size > 0) this.#settleWishes();
    if (this.#renewals.size > 0) this.#settleRenewals();
    if (this.#bursts.size > 0) this.#settleBursts();
  }

  /** Puts back at once what somebody else removed from a router that holds it. Returns the routers concerned. */
  repair(
    removed: readonly AddressRecord[],
    ifindexOf: (device: string) => number | undefined,
  ): readonly InstanceDriver[] {
    const hit = new Map<InstanceDriver, VirtualIp[]>();
    for (const [driver, vips] of this.#held) {
      if (!driver.holds) continue;
      for (const vip of vips) {
        const gone = removed.some(
          ({ address, index, prefix }) =>
            address === vip.address && prefix === vip.prefix && index === ifindexOf(vip.device),
        );
        if (gone && vip.noTrack !== true) hit.set(driver, [...(hit.get(driver) ?? []), vip]);
      }
    }
    for (const [driver, vips] of hit) {
      const outcomes = this.#provider.bind(vips, driver.addressLifetime);
      this.#report(outcomes);
      const restored = outcomes.filter(({ outcome }) => outcome === 'bound').map(({ vip }) => vip);
      if (restored.length === 0) continue;
      driver.tally.repaired();
      driver.tally.announced(this.#provider.announce(restored, driver.config.announce.masterRepeat));
      this.#complain(
        'warning',
        `put back ${listed(restored)} of ${driver.name}: somebody removed it while we are master`,
      );
    }
    return [...hit.keys()];
  }

  /** A holder's configuration changed: lets go of what it no longer lists, takes and announces what is new. */
  adjust(driver: InstanceDriver): void {
    const before = this.#held.get(driver);
    if (before === undefined || !driver.holds) return;
    const now = driver.vips;
    const dropped = before.filter((vip) => !now.some((other) => same(vip, other)));
    const added = now.filter((vip) => !before.some((other) => same(vip, other)));
    if (dropped.length > 0) this.#report(this.#provider.unbind(dropped));
    if (added.length > 0) {
      this.#report(this.#provider.bind(added, driver.addressLifetime));
      driver.tally.announced(this.#provider.announce(added, driver.config.announce.masterRepeat));
    }
    this.#held.set(driver, now);
    this.#routing?.adjust(driver, driver.routing);
  }

  forget(driver: InstanceDriver): void {
    this.#held.delete(driver);
    this.#renewals.delete(driver);
    this.#bursts.delete(driver);
    this.#routing?.forget(driver);
  }

  /** Removes everything that is held, whatever the routers think: the last thing an ending engine does. */
  abandon(): void {
    const vips = [...this.#held.values()].flat();
    this.#held.clear();
    if (vips.length > 0) this.#report(this.#provider.unbind(vips));
    this.#routing?.abandon();
  }

  /**
   * Addresses go first: that two machines hold one is worse than a route that leads nowhere for a moment. What is taken comes in
   * the order in which it leans on each other: addresses, the routes that start from them and reach their gateways through
   * their networks, the rules that point to the routes' tables; and only then the announcements that bring the traffic.
   */
  #settleWishes(): void {
    const leaving: VirtualIp[] = [];
    const left: InstanceDriver[] = [];
    const taking: InstanceDriver[] = [];
    for (const [driver, wish] of this.#wishes) {
      if (wish === 'own') taking.push(driver);
      else {
        left.push(driver);
        leaving.push(...(this.#held.get(driver) ?? []));
        this.#held.delete(driver);
        this.#renewals.delete(driver);
      }
    }
    this.#wishes.clear();
    if (leaving.length > 0) this.#report(this.#provider.unbind(leaving));
    this.#routing?.withdraw(left);
    // Noted first: should a bug end this half way, `abandon` must know of it.
    for (const driver of taking) this.#held.set(driver, driver.vips);
    this.#bindAll(taking);
    this.#routing?.install(taking.map((owner) => ({ owner, entries: owner.routing })));
  }

  #settleRenewals(): void {
    const drivers = [...this.#renewals].filter((driver) => driver.holds);
    this.#renewals.clear();
    for (const [lifetime, vips] of byLifetime(drivers)) this.#report(this.#provider.renew(vips, lifetime));
  }

  #settleBursts(): void {
    const byRepeat = new Map<number, InstanceDriver[]>();
    for (const [driver, repeat] of this.#bursts) {
      const drivers = byRepeat.get(repeat);
      if (drivers === undefined) byRepeat.set(repeat, [driver]);
      else drivers.push(driver);
    }
    this.#bursts.clear();
    for (const [repeat, drivers] of byRepeat) {
      this.#provider.announce(
        drivers.flatMap(({ vips }) => vips),
        repeat,
      );
      for (const driver of drivers) driver.tally.announced(driver.vips.length * repeat);
    }
  }

  #bindAll(drivers: readonly InstanceDriver[]): void {
    for (const [lifetime, vips] of byLifetime(drivers)) this.#report(this.#provider.bind(vips, lifetime));
  }

  #report(outcomes: readonly BindOutcome[]): void {
    for (const outcome of outcomes)
      if (outcome.outcome === 'failed')
        this.#complain('error', `${outcome.vip.address} on ${outcome.vip.device}: ${outcome.why}`);
  }
}

function byLifetime(drivers: readonly InstanceDriver[]): Map<number | 'forever', VirtualIp[]> {
  const groups = new Map<number | 'forever', VirtualIp[]>();
  for (const driver of drivers) {
    const vips = groups.get(driver.addressLifetime);
    if (vips === undefined) groups.set(driver.addressLifetime, [...driver.vips]);
    else vips.push(...driver.vips);
  }
  return groups;
}

const same = (a: VirtualIp, b: VirtualIp): boolean =>
  a.address === b.address &&
  a.prefix === b.prefix &&
  a.device === b.device &&
  a.label === b.label &&
  a.scope === b.scope;

function listed(vips: readonly { readonly address: IpAddress }[]): string {
  const shown = vips.slice(0, 5).map(({ address }) => address);
  return vips.length > shown.length ? `${shown.join(', ')} and ${vips.length - shown.length} more` : shown.join(', ');
}
