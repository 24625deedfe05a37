// The real-time thread's loop: wait, listen, let deadlines act, speak, settle. It never returns to an event loop,
// never allocates for a packet it refuses, and decides nothing that the routers can decide.
import type { IpAddress } from '../net/address.ts';
import type { Clock, Datagram, EngineNetwork, Pollable, Poller } from '../ports/engine-io.ts';
import { after, between, type Instant, type Micros, micros, millis, type Priority } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { AdmissionWarning } from '../vrrp/admission.ts';
import type { Advertisement, DropReason } from '../vrrp/types.ts';
import { Crew } from './crew.ts';
import type { DriverHost, InstanceDriver, Transition } from './driver.ts';
import { DropLog } from './drop-log.ts';
import { Holdings } from './holdings.ts';
import type { LeaseWatch } from './lease.ts';
import type { Links } from './links.ts';
import type { EngineCommand, EngineConfig, EngineEvent, TrackVerdict } from './messages.ts';
import { Ration } from './ration.ts';
import type { Resident } from './resident.ts';
import type { SegmentListener } from './segment.ts';
import { snapshotOf } from './snapshot.ts';
import { Strangers } from './strangers.ts';

/** The agent's commands as they arrive. */
export interface Inbox extends Pollable {
  take(): EngineCommand | undefined;
}

export interface EngineDependencies {
  readonly clock: Clock;
  /** Milliseconds since 1970, for people. */
  readonly wallClock: () => number;
  readonly poller: Poller;
  readonly network: EngineNetwork;
  readonly links: Links;
  /** What tells of changes that `links` then reads. */
  readonly monitor: Pollable;
  readonly provider: LocalProvider;
  readonly lease: LeaseWatch;
  readonly inbox: Inbox;
  readonly post: (event: EngineEvent) => void;
}

const WARNING_TEXT: Readonly<Record<AdmissionWarning, string>> = {
  'address-list': 'the other router lists other virtual addresses than we do: make the two configurations equal',
  'interval-differs': 'the other router has another advert_int than we do: make the two configurations equal',
  'first-not-link-local': 'the first address of the other router is not link-local (RFC 9568 section 5.2.9)',
  'source-not-link-local': 'the other router does not send from a link-local address (RFC 9568 section 5.1.2.1)',
};

/** The longest sleep: the engine shows the agent that it lives at least this often. */
const LONGEST_WAIT = millis(500);
/** A deadline missed by more than this means that we did not run: listen before acting. */
const LATE = millis(1);
/** Batches read after a pause before deadlines count all the same: a flood must not stop the clock. */
const MOST_BATCHES = 64;
/** keepalived runs notify_master_rx_lower_pri for every packet; ours is told so often of one that persists. */
const RIVALS_EACH = millis(500);
/** A pause that is worth telling. */
const STALL = millis(100);

export class Engine implements DriverHost, SegmentListener {
  readonly #io: EngineDependencies;
  readonly #crew: Crew;
  readonly #residents: readonly Resident[] = [];
  readonly #holdings: Holdings;
  readonly #drops: DropLog;
  readonly #strangers = new Strangers();
  readonly #rivals = new Ration(RIVALS_EACH);
  readonly #outgoing: EngineEvent[] = [];
  #configured = false;
  #fenceEpoch = 0;
  #fenced = false;
  #stopping = false;
  #done = false;

  constructor(dependencies: EngineDependencies) {
    this.#io = dependencies;
    const { wallClock, poller, inbox, monitor } = dependencies;
    const complain = this.#log.bind(this);
    this.#holdings = new Holdings(dependencies.provider, complain);
    this.#drops = new DropLog((event) => this.#outgoing.push(event));
    this.#crew = new Crew({
      ...dependencies,
      holdings: this.#holdings,
      host: this,
      listener: this,
      groupChanged: (group, from, to) =>
        this.#outgoing.push({ type: 'group-transition', group, from, to, time: wallClock() }),
      complain,
      settle: () => this.#settle(),
    });
    poller.add(inbox);
    poller.add(monitor);
  }

  /** Runs until stopped. A bug ends it, but never with an address left behind. */
  run(): void {
    try {
      while (!this.#done) this.turn();
      this.#io.post({ type: 'stopped' });
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Until when the next turn will wait if nothing happens. */
  get wake(): Instant {
    const { clock, lease } = this.#io;
    let wake = after(clock.now(), LONGEST_WAIT);
    const next = this.#crew.queue.next;
    if (next !== undefined && next < wake) wake = next;
    if (!this.#fenced && lease.end < wake) wake = lease.end;
    for (const { deadline } of this.#residents) if (deadline !== undefined && deadline < wake) wake = deadline;
    return wake;
  }

  /** Every router has ended and every address is gone. */
  get done(): boolean {
    return this.#done;
  }

  /** One turn of the loop: blocks until something is to be done, and does it. */
  turn(): void {
    const { clock, poller, lease } = this.#io;
    poller.wait(this.wake);
    let now = clock.now();
    const late = this.#lateness(now);
    if (late > LATE) this.#wakeLate(now, late);
    lease.beat(now);
    this.#listen(now, late > LATE);
    now = clock.now();
    if (!this.#fenced && lease.end <= now) this.#fence(now);
    this.#expire(now);
    this.#settle();
    if (this.#stopping && this.#allEnded()) this.#end();
  }

  // DriverHost: wishes of the drivers, settled at the end of the turn.

  send(driver: InstanceDriver, ad: Advertisement): void {
    const segment = this.#crew.segmentOf(driver.config);
    for (const { packet, destination } of driver.packets(ad)) segment.queue(packet, destination);
  }

  own(driver: InstanceDriver): void {
    this.#holdings.wish(driver, 'own');
  }

  disown(driver: InstanceDriver): void {
    this.#holdings.wish(driver, 'disown');
  }

  announce(driver: InstanceDriver, repeat: number): void {
    this.#holdings.announce(driver, repeat);
  }

  contested(driver: InstanceDriver, now: Instant): void {
    for (const each of this.#crew.groups.companions(driver)) {
      each.reannounce(now);
      this.#crew.queue.touch(each);
    }
  }

  renew(driver: InstanceDriver): void {
    this.#holdings.renew(driver);
  }

  transition(driver: InstanceDriver, change: Transition): void {
    const time = this.#io.wallClock();
    driver.since = time;
    const priority = driver.router.effectivePriority;
    this.#outgoing.push({ type: 'transition', instance: driver.name, ...change, priority, time });
  }

  lowerPriorityHeard(driver: InstanceDriver, source: IpAddress, now: Instant): void {
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
    const { groups, queue } = this.#crew;
    if (groups.has(driver)) {
      if (why !== undefined) groups.fault(driver, why, now);
      else groups.recovered(driver, now);
    } else driver.feed(why !== undefined ? { type: 'fault', why } : { type: 'recovered' }, now);
    queue.touch(driver);
  }

  // SegmentListener.

  heard(driver: InstanceDriver, datagram: Datagram, now: Instant): void {
    driver.receive(datagram, now);
    this.#crew.queue.touch(driver);
    this.#crew.groups.follow(driver, now);
  }

  unknownVrid(datagram: Datagram, now: Instant): void {
    const trouble = this.#strangers.examine(datagram, this.#crew.isVirtual, now);
    if (trouble !== undefined) this.#log('warning', trouble);
  }

  // The parts of a turn.

  #lateness(now: Instant): Micros {
    const next = this.#crew.queue.next;
    return next === undefined ? micros(0) : between(next, now);
  }

  /** Woken long after a deadline: whoever was silent for too long lets go before it hears or says anything. */
  #wakeLate(now: Instant, late: Micros): void {
    for (const driver of this.#crew)
      if (driver.isStalled(now))
        this.#crew.act(driver, now, () =>
          driver.feed({ type: 'withdraw', reason: 'stalled', announceLeave: false }, now),
        );
    if (late < STALL) return;
    this.#io.lease.excuse(now);
    this.#outgoing.push({ type: 'stall', duration: late });
  }

  #listen(now: Instant, late: boolean): void {
    const { inbox, monitor } = this.#io;
    if (inbox.ready) this.#obey(now);
    if (monitor.ready) this.#followKernel(now);
    for (const resident of this.#residents) if (resident.ready || late) resident.listen(now);
    for (const segment of this.#crew.segments) {
      if (!segment.ready && !late) continue;
      // Normally one batch a turn; after a pause everything that waits, because deadlines are judged by it.
      for (let more = segment.receive(now), batches = 1; more && late && batches < MOST_BATCHES; batches++)
        more = segment.receive(now);
    }
  }

  #expire(now: Instant): void {
    for (const resident of this.#residents)
      if (resident.deadline !== undefined && resident.deadline <= now) resident.expire(now);
    const { queue } = this.#crew;
    for (let driver = queue.due(now); driver !== undefined; driver = queue.due(now)) {
      driver.timer(now);
      queue.touch(driver);
      this.#crew.groups.follow(driver, now);
    }
  }

  /** Adverts first, then addresses, then announcements; and only then is anybody told. */
  #settle(): void {
    for (const segment of this.#crew.segments) {
      const errors = segment.flush();
      if (errors.length > 0)
        this.#drops.warn(segment.interface, `sending failed: ${errors.join(', ')}`, this.#io.clock.now());
    }
    this.#holdings.settle();
    for (const resident of this.#residents) resident.settle();
    for (const event of this.#outgoing) this.#io.post(event);
    this.#outgoing.length = 0;
  }

  #fence(now: Instant): void {
    this.#fenced = true;
    this.#fenceEpoch++;
    this.#crew.actAll(now, (driver) => driver.fence(now));
    this.#outgoing.push({ type: 'fenced', epoch: this.#fenceEpoch, why: 'the agent gave no sign of life' });
  }

  #followKernel(now: Instant): void {
    const { links } = this.#io;
    const changes = links.update();
    if (changes.interfaces.size > 0) {
      for (const resident of this.#residents) resident.followLinks(now);
      this.#crew.followLinks(now);
    }
    if (changes.removed.length > 0) this.#holdings.repair(changes.removed, (device) => links.get(device)?.index);
    if (!changes.overrun) return;
    this.#log('warning', 'the kernel had more changes than we could read: everything was read anew');
    for (const driver of this.#crew) this.#holdings.renew(driver);
  }

  // Commands of the agent.

  #obey(now: Instant): void {
    const { inbox } = this.#io;
    inbox.ready = false;
    for (let command = inbox.take(); command !== undefined; command = inbox.take()) this.#carryOut(command, now);
  }

  #carryOut(command: EngineCommand, now: Instant): void {
    switch (command.type) {
      case 'configure':
        this.#configure(command.config, command.verdicts, now);
        break;
      case 'track':
        this.#crew.track(command.verdict, now);
        break;
      case 'resume':
        if (this.#fenced && command.epoch === this.#fenceEpoch) this.#resume(now);
        break;
      case 'stop':
        this.#stopping = true;
        this.#crew.actAll(now, (driver) => driver.feed({ type: 'shutdown', immediate: command.immediate }, now));
        break;
      case 'snapshot': {
        const instances = [...this.#crew].map((driver) => snapshotOf(driver, this.#holdings.held(driver), now));
        this.#outgoing.push({ type: 'snapshot', id: command.id, instances });
        break;
      }
      case 'clear-statistics':
        for (const driver of this.#crew) driver.tally.clear();
        break;
    }
  }

  #configure(config: EngineConfig, verdicts: readonly TrackVerdict[], now: Instant): void {
    this.#io.lease.duration = config.leaseTime;
    for (const resident of this.#residents) resident.configure(config, now);
    this.#crew.configure(config, verdicts, now);
    if (!this.#configured) this.#outgoing.push({ type: 'configured' });
    this.#configured = true;
  }

  #resume(now: Instant): void {
    this.#fenced = false;
    this.#io.lease.excuse(now);
    this.#crew.actAll(now, (driver) => driver.resume(now));
  }

  // The end.

  #allEnded(): boolean {
    for (const driver of this.#crew) if (driver.router.state !== 'INIT') return false;
    return true;
  }

  #end(): void {
    this.#done = true;
    this.#holdings.abandon();
    for (const segment of this.#crew.segments) segment.close();
    for (const resident of this.#residents) resident.close();
  }

  #giveUp(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      const now = this.#io.clock.now();
      for (const driver of this.#crew) driver.feed({ type: 'shutdown', immediate: true }, now);
      for (const segment of this.#crew.segments) segment.flush();
    } finally {
      this.#holdings.abandon();
      this.#io.post({ type: 'failed', error: text });
    }
  }

  #log(level: 'error' | 'warning' | 'info', text: string): void {
    this.#outgoing.push({ type: 'log', level, text });
  }
}
