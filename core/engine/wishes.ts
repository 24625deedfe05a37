// What the drivers asked for during a turn of the loop, and what the agent is to be told of: noted as it comes, carried
// out at the turn's end in the order that keeps clients whole. Decides nothing; reads no socket.
import type { IpAddress } from '../net/address.ts';
import type { Clock } from '../ports/engine-io.ts';
import { type Instant, type Micros, millis, type Priority } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { AdmissionWarning } from '../vrrp/admission.ts';
import type { Advertisement, DropReason } from '../vrrp/types.ts';
import type { Crew } from './crew.ts';
import { DeafPeers } from './deaf-peers.ts';
import type { InstanceDriver } from './driver.ts';
import type { DriverHost, Transition } from './driver-host.ts';
import { DropLog } from './drop-log.ts';
import { Holdings } from './holdings.ts';
import { LonelyLinks, type ReceivedPackets } from './lonely-links.ts';
import type { AddressConflict, EngineEvent } from './messages.ts';
import { Ration } from './ration.ts';
import type { Routing } from './routing.ts';

export interface WishesDependencies {
  readonly clock: Clock;
  /** Milliseconds since 1970, for people. */
  readonly wallClock: () => number;
  readonly provider: LocalProvider;
  /** Absent: no routes and rules are set. */
  readonly routing?: Routing;
  readonly post: (event: EngineEvent) => void;
  /** Absent: no interface counts as lonely. */
  readonly received?: ReceivedPackets;
  /** Asked only during a turn: the crew is made after its host. */
  readonly crew: () => Crew;
}

const WARNING_TEXT: Readonly<Record<AdmissionWarning, string>> = {
  'address-list': 'the other router lists other virtual addresses than we do: make the two configurations equal',
  'interval-differs': 'the other router has another advert_int than we do: make the two configurations equal',
  'first-not-link-local': 'the first address of the other router is not link-local (RFC 9568 section 5.2.9)',
  'source-not-link-local': 'the other router does not send from a link-local address (RFC 9568 section 5.1.2.1)',
  'source-off-subnet': 'the other router does not send from a network of our interface',
  'sequence-exhausted': 'the sequence numbers under this auth_pass are used up: change it on all machines',
  'old-checksum': 'a peer counts checksums as keepalived before 1.3.7 did; it is answered alike (old_unicast_checksum)',
};

/** keepalived runs notify_master_rx_lower_pri for every packet; ours is told so often of one that persists. */
const RIVALS_EACH = millis(500);

const DEAF =
  'does not yield, so it does not hear what comes from the virtual MAC address; adverts leave by the interface itself, ' +
  'too. Without vmac_xmit_base on that machine this is not needed';

export class Wishes implements DriverHost {
  readonly #io: WishesDependencies;
  readonly holdings: Holdings;
  readonly #drops: DropLog;
  readonly #deaf = new DeafPeers();
  readonly #lonely: LonelyLinks;
  readonly #rivals = new Ration(RIVALS_EACH);
  readonly #outgoing: EngineEvent[] = [];

  constructor(dependencies: WishesDependencies) {
    this.#io = dependencies;
    this.#lonely = new LonelyLinks(dependencies.received);
    this.holdings = new Holdings(dependencies.provider, this.log, dependencies.routing);
    this.#drops = new DropLog((event) => this.#outgoing.push(event));
  }

  /** For the agent, at the end of the turn. */
  tell(event: EngineEvent): void {
    this.#outgoing.push(event);
  }

  readonly log = (level: 'error' | 'warning' | 'info', text: string, conflict?: AddressConflict): void => {
    this.#outgoing.push({ type: 'log', level, text, ...(conflict && { conflict }) });
  };

  /** Adverts first, then addresses, then announcements. */
  carryOut(): void {
    for (const segment of this.#io.crew().segments) {
      const errors = segment.flush();
      if (errors.length > 0)
        this.#drops.warn(segment.interface, `sending failed: ${errors.join(', ')}`, this.#io.clock.now());
    }
    this.holdings.settle();
  }

  /** Only when all is done is anybody told. */
  report(): void {
    for (const event of this.#outgoing) this.#io.post(event);
    this.#outgoing.length = 0;
  }

  wallTime(): number {
    return this.#io.wallClock();
  }

  isOnLink(driver: InstanceDriver, address: IpAddress): boolean {
    return this.#io.crew().isOnLink(driver.config.interface, address);
  }

  /** Asks the network who holds the first address of a router. Of a virtual MAC address every holder's answer is the same. */
  readonly ask = (driver: InstanceDriver): void => {
    const [vip] = driver.vips;
    if (vip !== undefined && driver.config.virtualInterface === undefined) this.#io.provider.ask?.(vip);
  };

  send(driver: InstanceDriver, ad: Advertisement, now: Instant): void {
    // Before the advert: a rival who yields to it in silence has answered by then. Not in the way of a takeover.
    if (this.holdings.held(driver).length > 0 && this.#lonely.shouldAsk(driver.config.interface, now)) this.ask(driver);
    const segment = this.#io.crew().segmentOf(driver.config);
    const through = this.#io.crew().outletOf(driver.config);
    const both = through !== undefined && this.#deaf.has(driver);
    for (const { packet, destination } of driver.packets(ad)) {
      segment.queue(packet, destination, through);
      if (both) segment.queue(packet, destination);
    }
  }

  own(driver: InstanceDriver): void {
    this.holdings.wish(driver, 'own');
  }

  disown(driver: InstanceDriver): void {
    this.holdings.wish(driver, 'disown');
  }

  announce(driver: InstanceDriver, repeat: number): void {
    this.holdings.announce(driver, repeat);
  }

  renew(driver: InstanceDriver): void {
    this.holdings.renew(driver);
  }

  contested(driver: InstanceDriver, now: Instant): void {
    const { groups, queue } = this.#io.crew();
    for (const each of groups.companions(driver)) {
      each.reannounce(now);
      queue.touch(each);
    }
  }

  transition(driver: InstanceDriver, change: Transition): void {
    const time = this.#io.wallClock();
    driver.since = time;
    const priority = driver.router.effectivePriority;
    if (change.from === 'MASTER') this.#deaf.resigned(driver);
    this.#outgoing.push({ type: 'transition', instance: driver.name, ...change, priority, time });
  }

  lowerPriorityHeard(driver: InstanceDriver, source: IpAddress, now: Instant): void {
    if (this.#deaf.note(driver, now) && this.#io.crew().outletOf(driver.config) !== undefined)
      this.log('warning', `${driver.name}: ${source} ${DEAF}`);
    const count = this.#rivals.note(driver.name, now);
    const { effectivePriority: priority } = driver.router;
    if (count > 0)
      this.#outgoing.push({ type: 'lower-priority-heard', instance: driver.name, source, priority, count });
  }

  priorityChanged(driver: InstanceDriver): void {
    const { state, effectivePriority: priority } = driver.router;
    this.#outgoing.push({ type: 'priority-changed', instance: driver.name, state, priority });
  }

  masterSeen(driver: InstanceDriver, source: IpAddress, priority: Priority, interval: Micros): void {
    this.#outgoing.push({ type: 'master-seen', instance: driver.name, source, priority, interval });
  }

  dropped(driver: InstanceDriver, why: DropReason, source: IpAddress): void {
    this.#drops.note(driver.name, why, source, this.#io.clock.now());
  }

  warned(driver: InstanceDriver, warning: AdmissionWarning): void {
    this.#drops.warn(driver.name, WARNING_TEXT[warning], this.#io.clock.now());
  }

  faultChanged(driver: InstanceDriver, why: string | undefined, now: Instant): void {
    const { groups, queue } = this.#io.crew();
    if (groups.has(driver)) {
      if (why !== undefined) groups.fault(driver, why, now);
      else groups.recovered(driver, now);
    } else driver.feed(why !== undefined ? { type: 'fault', why } : { type: 'recovered' }, now);
    queue.touch(driver);
  }
}
