// A simulated network segment in virtual time: routers that hear each other's adverts after a delay, unless they are
// lost or a partition lies between. Carries the effects out as an engine would, and keeps who owns the addresses.
import { formatIp, type IpAddress } from '../../core/net/address.ts';
import { after, type Instant, instant, type Micros, millis } from '../../core/units.ts';
import { type GroupOrder, SyncGroup } from '../../core/vrrp/group.ts';
import { VrrpRouter } from '../../core/vrrp/router.ts';
import type { Advertisement, RouterConfig, RouterEffect, RouterEvent } from '../../core/vrrp/types.ts';

/** What happened: an effect of a router, and whether it is the routine advert of a MASTER. */
export interface Happening {
  readonly at: Instant;
  readonly name: string;
  readonly effect: RouterEffect;
  readonly routine: boolean;
}

export interface SegmentOptions {
  /** One-way delay of the next delivery. */
  readonly delay?: () => Micros;
  /** Whether the next delivery of a router's advert is lost. */
  readonly isLost?: (sender: string) => boolean;
  readonly onEffect?: (happening: Happening) => void;
}

interface Station {
  readonly name: string;
  readonly config: RouterConfig;
  router: VrrpRouter;
  group: SyncGroup | undefined;
  owns: boolean;
  alive: boolean;
  /** The side of the partition it is on. */
  side: number;
}

interface Pending {
  readonly at: Instant;
  readonly run: () => void;
}

export class Segment {
  readonly #options: SegmentOptions;
  readonly #stations = new Map<string, Station>();
  #pending: Pending[] = [];
  #now = instant(0);

  constructor(options: SegmentOptions = {}) {
    this.#options = options;
  }

  get now(): Instant {
    return this.#now;
  }

  add(name: string, config: RouterConfig): void {
    const router = new VrrpRouter(config);
    this.#stations.set(name, { name, config, router, group: undefined, owns: false, alive: true, side: 0 });
  }

  /** Makes a sync group of routers whose configuration says `grouped`. */
  join(group: string, members: readonly string[]): void {
    const sync = new SyncGroup(group, members);
    for (const member of members) this.#station(member).group = sync;
  }

  router(name: string): VrrpRouter {
    return this.#station(name).router;
  }

  /** Names of the living routers that satisfy a condition. */
  which(condition: (router: VrrpRouter, owns: boolean) => boolean): string[] {
    return [...this.#stations.values()]
      .filter(({ alive, router, owns }) => alive && condition(router, owns))
      .map(({ name }) => name);
  }

  get masters(): string[] {
    return this.which(({ state }) => state === 'MASTER');
  }

  get owners(): string[] {
    return this.which((_, owns) => owns);
  }

  feed(name: string, event: RouterEvent): void {
    const station = this.#station(name);
    if (!station.alive) return;
    const routine = event.type === 'timer' && station.router.state === 'MASTER';
    for (const effect of station.router.handle(event, this.#now)) this.#carryOut(station, effect, routine);
    if (station.group) this.#obey(station.group.report(name, station.router.standing));
  }

  fault(name: string, why: string): void {
    const { group } = this.#station(name);
    if (group) this.#obey(group.fault(name, why));
    else this.feed(name, { type: 'fault', why });
  }

  recover(name: string): void {
    const { group } = this.#station(name);
    if (group) this.#obey(group.recovered(name));
    else this.feed(name, { type: 'recovered' });
  }

  /** Its process dies and its kernel drops the addresses. */
  kill(name: string): void {
    const station = this.#station(name);
    station.alive = station.owns = false;
  }

  /** A new process of a killed router. */
  revive(name: string): void {
    const station = this.#station(name);
    station.router = new VrrpRouter(station.config);
    station.alive = true;
    this.feed(name, { type: 'startup' });
  }

  /** Splits the segment: routers hear only those on their own side; who is not named is on the first. */
  partition(sides: readonly (readonly string[])[]): void {
    for (const station of this.#stations.values())
      station.side = Math.max(
        0,
        sides.findIndex((side) => side.includes(station.name)),
      );
  }

  runUntil(end: Instant): void {
    for (;;) {
      const delivery = this.#pending[0];
      const due = this.#nextDue();
      const at = Math.min(delivery?.at ?? Infinity, due?.router.deadline ?? Infinity);
      if (at > end) break;
      if (at > this.#now) this.#now = instant(at);
      // An engine drains its sockets before it lets a deadline pass.
      if (delivery && delivery.at <= at) {
        this.#pending.shift();
        delivery.run();
      } else if (due) this.feed(due.name, { type: 'timer' });
    }
    this.#now = end;
  }

  #nextDue(): Station | undefined {
    let next: Station | undefined;
    for (const station of this.#stations.values()) {
      const { deadline } = station.router;
      if (!station.alive || deadline === undefined) continue;
      if (next === undefined || deadline < next.router.deadline!) next = station;
    }
    return next;
  }

  #carryOut(station: Station, effect: RouterEffect, routine: boolean): void {
    if (effect.type === 'send') this.#send(station, effect.ad);
    if (effect.type === 'own' || effect.type === 'disown') {
      const owns = effect.type === 'own';
      if (station.owns === owns) throw new Error(`${station.name}: ${effect.type} twice`);
      station.owns = owns;
    }
    this.#options.onEffect?.({ at: this.#now, name: station.name, effect, routine });
  }

  #send(from: Station, ad: Advertisement): void {
    const source: IpAddress = from.config.source;
    for (const to of this.#stations.values()) {
      if (to === from || to.config.vrid !== ad.vrid || to.side !== from.side || this.#options.isLost?.(from.name))
        continue;
      const at = after(this.#now, this.#options.delay?.() ?? millis(1));
      const run = () => this.feed(to.name, { type: 'advertisement', from: source, ad });
      const place = this.#pending.findLastIndex((other) => other.at <= at) + 1;
      this.#pending.splice(place, 0, { at, run });
    }
  }

  #obey(orders: readonly GroupOrder[]): void {
    for (const { member, event } of orders) this.feed(member, event);
  }

  #station(name: string): Station {
    const station = this.#stations.get(name);
    if (!station) throw new Error(`no router ${name}`);
    return station;
  }
}

/** The n-th address of 10.0.0.0/24, 1..254. */
export const address = (n: number): IpAddress => formatIp(Uint8Array.of(10, 0, 0, n), 0, 4);
