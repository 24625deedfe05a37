// Interfaces that may be deaf: a switch port that came up with its machine, or with its cable, forwards nothing for up to
// 50 s (spanning tree). Silence on it proves nothing, so it must not make anybody master: that is how nopreempt is lost at
// a reboot. Ends with the first frame from elsewhere that only a forwarding port delivers. Knows no VRRP.

import { formatMac } from '../net/address.ts';
import { foreignTraffic } from '../net/bpf.ts';
import type { Clock, EngineNetwork, FrameTap, Poller } from '../ports/engine-io.ts';
import { after, type Instant, type Micros, seconds } from '../units.ts';
import type { Links } from './links.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';

export interface StartHoldHost {
  /** Something was heard on this interface. */
  alive(interfaceName: string, now: Instant): void;
  log(level: 'info', text: string): void;
}

export interface StartHoldDependencies {
  readonly clock: Clock;
  readonly network: EngineNetwork;
  readonly poller: Poller;
  readonly links: Links;
}

/** The longest hold, unless the configuration says otherwise: listening and learning take 15 s each, and some are slow to begin. */
const LONGEST = seconds(40);
/** A machine that has run for longer has ports that forward: an agent that is started then waits for nothing. */
const BOOTING = seconds(120);
/** Frames looked at in one turn; one is enough. */
const BATCH = 16;
const SOURCE = 6;

interface Watched {
  /** The interface's index; undefined: it is not there or has no carrier. */
  ifindex: number | undefined;
  until: Instant | undefined;
  tap: FrameTap | undefined;
}

export class StartHold implements Resident {
  readonly #io: StartHoldDependencies;
  readonly #host: StartHoldHost;
  readonly #watched = new Map<string, Watched>();
  #longest: Micros = LONGEST;

  constructor(dependencies: StartHoldDependencies, host: StartHoldHost) {
    this.#io = dependencies;
    this.#host = host;
  }

  /** Until when silence on an interface proves nothing; undefined: it counts. From the first call on the interface is watched. */
  deafUntil(name: string, now: Instant): Instant | undefined {
    let watched = this.#watched.get(name);
    if (watched === undefined) {
      watched = { ifindex: this.#carrier(name), until: undefined, tap: undefined };
      this.#watched.set(name, watched);
      const age = this.#io.clock.sinceBoot?.();
      // an interface without a carrier is held when it gets one
      if (age !== undefined && age < BOOTING && watched.ifindex !== undefined) this.#hold(name, watched, now);
    }
    return watched.until !== undefined && now < watched.until ? watched.until : undefined;
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { until } of this.#watched.values())
      if (until !== undefined && (earliest === undefined || until < earliest)) earliest = until;
    return earliest;
  }

  get ready(): boolean {
    for (const { tap } of this.#watched.values()) if (tap?.ready) return true;
    return false;
  }

  configure({ start }: EngineConfig): void {
    this.#longest = start?.hold ?? LONGEST;
  }

  followLinks(now: Instant): void {
    for (const [name, watched] of this.#watched) {
      const ifindex = this.#carrier(name);
      if (ifindex === watched.ifindex) continue;
      this.#end(watched);
      watched.ifindex = ifindex;
      if (ifindex !== undefined) this.#hold(name, watched, now);
    }
  }

  listen(now: Instant): void {
    for (const [name, watched] of this.#watched) {
      if (watched.tap?.ready !== true) continue;
      const own = this.#io.links.get(name)?.mac;
      let foreign = false;
      watched.tap.receive((frame) => {
        if (frame.length >= SOURCE + 6 && formatMac(frame, SOURCE) !== own) foreign = true;
      }, BATCH);
      if (!foreign) continue;
      this.#end(watched);
      this.#host.log('info', `${name} carries traffic: from now on silence counts`);
      this.#host.alive(name, now);
    }
  }

  expire(now: Instant): void {
    for (const [name, watched] of this.#watched) {
      if (watched.until === undefined || now < watched.until) continue;
      this.#end(watched);
      this.#host.log('info', `nothing was heard on ${name} for as long as a start may take: going on without`);
    }
  }

  settle(): void {}

  close(): void {
    for (const watched of this.#watched.values()) this.#end(watched);
  }

  /** The index of an interface that can carry traffic from elsewhere now. */
  #carrier(name: string): number | undefined {
    const link = this.#io.links.get(name);
    // one without a MAC address (a tunnel) has no switch before it
    return link?.running && link.mac !== undefined && !link.loopback ? link.index : undefined;
  }

  /** Without a tap nothing could end it early, so there is none then. */
  #hold(name: string, watched: Watched, now: Instant): void {
    const { network, poller } = this.#io;
    if (this.#longest <= 0 || watched.ifindex === undefined || network.frameTap === undefined) return;
    try {
      const tap = network.frameTap({
        interface: name,
        ifindex: watched.ifindex,
        etherType: 'all',
        filter: foreignTraffic(),
      });
      watched.tap = tap;
      poller.add(tap);
    } catch {
      this.#end(watched); // the interface went away again, its kind has no frames, or there are too many to poll
      return;
    }
    watched.until = after(now, this.#longest);
  }

  #end(watched: Watched): void {
    watched.until = undefined;
    if (watched.tap === undefined) return;
    this.#io.poller.remove(watched.tap);
    watched.tap.close();
    watched.tap = undefined;
  }
}
