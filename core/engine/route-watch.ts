// The engine's ear for routes and rules: hears of removals while there is something to watch, sees that it is put back, and
// tells which routers must not be master because something cannot be. Keeps the static part of the file, too.

import { host16 } from '../net/netlink.ts';
import { ROUTE_PROTOCOL_VRRP } from '../net/route.ts';
import type { AddressRecord } from '../net/rtnetlink.ts';
import { decodeRoute, RTM_DELROUTE, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE } from '../net/rtroute.ts';
import { decodeRule, RTM_DELRULE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_RULE } from '../net/rtrule.ts';
import type { Clock, EngineNetwork, Poller, RouteMonitor } from '../ports/engine-io.ts';
import { after, type Instant, seconds } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { RouteProvider } from '../vip/route-provider.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';
import type { Complain } from './holdings.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';
import { Routing } from './routing.ts';
import { routeKey, ruleKey } from './routing-keys.ts';
import { Statics } from './statics.ts';

export interface RouteWatchDependencies {
  readonly network: Pick<EngineNetwork, 'routeMonitor'>;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly provider: LocalProvider;
  /** undefined: this machine sets no routes. */
  readonly routes: RouteProvider | undefined;
  readonly complain: Complain;
  /** The reasons why a router must not be master, as far as routes are concerned; none: it may. */
  readonly faults: (instance: string, why: readonly string[], now: Instant) => void;
  /** Whether an entry needs an address of this router. */
  readonly leansOn: (instance: string, entry: RoutingEntry) => boolean;
}

const GROUPS = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_RULE;
/** A router that lost a route keeps away at least so long, and until the route can be set again. */
const KEEP_AWAY = seconds(30);
/** As a deadline: at once. */
const AT_ONCE = 0 as number as Instant;

/** A router that had an entry as master and lost it. */
interface Away {
  readonly why: string;
  readonly entry: RoutingEntry;
  readonly until: Instant;
}
/** Offsets of the protocol in struct rtmsg behind the header of a message. */
const ROUTE_PROTOCOL = 16 + 5;

export class RouteWatch implements Resident {
  readonly routing: Routing;
  readonly #io: RouteWatchDependencies;
  readonly #statics: Statics;
  #monitor: RouteMonitor | undefined;
  /** The monitor could not be opened: not tried again before the next configuration. */
  #isDeaf = false;
  #dirty = false;
  /** Everybody is to be told once more. */
  #all = false;
  /** Routers that lost something they had as master, why, and until when they keep away. */
  readonly #away = new Map<string, Away>();
  /** What was told of each router. */
  readonly #told = new Map<string, string>();

  constructor(dependencies: RouteWatchDependencies) {
    this.#io = dependencies;
    const { provider, routes, complain } = dependencies;
    this.routing = new Routing(routes, complain, ({ name, holds }, entry, why) => {
      if (holds) this.#away.set(name, { why, entry, until: after(dependencies.clock.now(), KEEP_AWAY) });
    });
    this.#statics = new Statics(provider, this.routing, complain);
  }

  get ready(): boolean {
    return this.#monitor?.ready === true;
  }

  get deadline(): Instant | undefined {
    if (this.#dirty) return AT_ONCE;
    let next = this.routing.deadline;
    for (const { until } of this.#away.values()) if (next === undefined || until < next) next = until;
    return next;
  }

  /** The faults are told in this turn's `expire`, when the routers know the configuration, too. */
  configure({ statics, trackGroups }: EngineConfig): void {
    this.#away.clear();
    this.#isDeaf = false;
    this.#statics.configure(statics, trackGroups);
    this.#dirty = this.#all = true;
  }

  /** The kernel drops routes with interfaces and addresses, IPv4 ones without a word. */
  followLinks(): void {
    this.#dirty = true;
  }

  /** Addresses vanished. */
  removed(addresses: readonly AddressRecord[], ifindexOf: (device: string) => number | undefined): void {
    this.#statics.repair(addresses, ifindexOf);
  }

  listen(): void {
    if (this.#monitor?.receive((message) => this.#hear(message)) === 'overrun') this.#dirty = true;
  }

  expire(now: Instant): void {
    for (const [name, { entry, why, until }] of this.#away) {
      if (until > now) continue;
      if (this.#isPossible(name, entry)) this.#away.delete(name);
      else this.#away.set(name, { entry, why, until: after(now, KEEP_AWAY) });
    }
    const retry = this.routing.deadline;
    if (this.#dirty || (retry !== undefined && retry <= now)) {
      this.#dirty = false;
      this.#statics.retry();
      this.routing.reassert(now);
    }
    this.#tell(now);
  }

  settle(): void {
    if (this.routing.deadline === undefined && this.routing.watching) this.routing.schedule(this.#io.clock.now());
    if (this.routing.watching) this.#open();
    else this.#shut();
  }

  close(): void {
    this.#statics.remove();
    this.#shut();
  }

  /** What leans on an address of the router itself can only be tried with it. */
  #isPossible(name: string, entry: RoutingEntry): boolean {
    return this.#io.leansOn(name, entry) || this.routing.isPossible(entry);
  }

  #hear(message: Uint8Array): void {
    const type = message.length > ROUTE_PROTOCOL ? host16(message, 4) : 0;
    if (type === RTM_DELROUTE) {
      // A router with the whole Internet in its tables tells much; only what carries our mark is looked at.
      if (message[ROUTE_PROTOCOL] !== ROUTE_PROTOCOL_VRRP) return;
      const notice = decodeRoute(message);
      if (typeof notice !== 'string' && this.routing.watches(routeKey(notice.route))) this.#dirty = true;
    } else if (type === RTM_DELRULE) {
      const notice = decodeRule(message);
      if (typeof notice !== 'string' && this.routing.watches(ruleKey(notice.rule))) this.#dirty = true;
    }
  }

  /** Opened late, so that a machine without watched routes is never woken for others. */
  #open(): void {
    if (this.#monitor !== undefined || this.#isDeaf) return;
    let monitor: RouteMonitor | undefined;
    try {
      monitor = this.#io.network.routeMonitor(GROUPS);
      this.#io.poller.add(monitor);
    } catch (error) {
      monitor?.close();
      this.#isDeaf = true;
      this.#io.complain('warning', `cannot hear of lost routes and rules at once: ${(error as Error).message}`);
      return;
    }
    this.#monitor = monitor;
    // What vanished before we listened.
    this.#dirty = true;
  }

  #shut(): void {
    if (this.#monitor === undefined) return;
    this.#io.poller.remove(this.#monitor);
    this.#monitor.close();
    this.#monitor = undefined;
  }

  /** Tells each router what changed for it. */
  #tell(now: Instant): void {
    const faults = new Map([...this.#statics.faults()].map(([name, why]) => [name, [...why]]));
    for (const [name, { why }] of this.#away) faults.set(name, [...(faults.get(name) ?? []), why]);
    for (const name of new Set([...faults.keys(), ...this.#told.keys()])) {
      const why = faults.get(name) ?? [];
      const text = why.join('; ');
      if (text === (this.#told.get(name) ?? '') && !this.#all) continue;
      if (text === '') this.#told.delete(name);
      else this.#told.set(name, text);
      this.#io.faults(name, why, now);
    }
    this.#all = false;
  }
}
