// The real-time thread's loop: wait, listen, let deadlines act, speak, settle. It never returns to an event loop,
// never allocates for a packet it refuses, and decides nothing that the routers can decide.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import type { Clock, Datagram, EngineNetwork, Pollable, Poller } from '../ports/engine-io.ts';
import { after, between, type Instant, type Micros, millis, type Priority } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { AdmissionWarning } from '../vrrp/admission.ts';
import type { Advertisement, DropReason } from '../vrrp/types.ts';
import { DeadlineQueue } from './deadlines.ts';
import { type DriverHost, type DriverOptions, InstanceDriver, type Transition } from './driver.ts';
import { DropLog } from './drop-log.ts';
import { Groups } from './groups.ts';
import { Holdings } from './holdings.ts';
import type { LeaseWatch } from './lease.ts';
import { judgeLinks } from './link-verdict.ts';
import type { Links } from './links.ts';
import type { EngineCommand, EngineConfig, EngineEvent, TrackVerdict } from './messages.ts';
import { Roster } from './roster.ts';
import { Segment, type SegmentListener } from './segment.ts';
import { snapshotOf } from './snapshot.ts';

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
const LONGEST_WAIT = millis(250);
/** A deadline missed by more than this means that we did not run: listen before acting. */
const LATE = millis(1);
/** Batches read after a pause before deadlines count all the same: a flood must not stop the clock. */
const MOST_BATCHES = 64;
/** A pause that is worth telling. */
const STALL = millis(100);

export class Engine implements DriverHost, SegmentListener {
  readonly #io: EngineDependencies;
  readonly #queue = new DeadlineQueue<InstanceDriver>();
  readonly #roster = new Roster();
  readonly #segments = new Map<string, Segment>();
  readonly #holdings: Holdings;
  readonly #groups: Groups;
  readonly #drops: DropLog;
  readonly #outgoing: EngineEvent[] = [];
  #config: EngineConfig | undefined;
  /** Every address that some router here may own. */
  #virtual: ReadonlySet<IpAddress> = new Set();
  /** Names of instances in sync groups. */
  #grouped: ReadonlySet<string> = new Set();
  #fenceEpoch = 0;
  #fenced = false;
  #stopping = false;
  #done = false;

  constructor(dependencies: EngineDependencies) {
    this.#io = dependencies;
    this.#holdings = new Holdings(dependencies.provider, (level, text) => this.#log(level, text));
    this.#groups = new Groups(
      (driver) => this.#queue.touch(driver),
      (group, from, to) =>
        this.#outgoing.push({ type: 'group-transition', group, from, to, time: dependencies.wallClock() }),
    );
    this.#drops = new DropLog((event) => this.#outgoing.push(event));
    dependencies.poller.add(dependencies.inbox);
    dependencies.poller.add(dependencies.monitor);
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
    return this.#nextWake();
  }

  /** Every router has ended and every address is gone. */
  get done(): boolean {
    return this.#done;
  }

  /** One turn of the loop: blocks until something is to be done, and does it. */
  turn(): void {
    const { clock, poller, lease } = this.#io;
    poller.wait(this.#nextWake());
    let now = clock.now();
    const late = this.#lateness(now);
    if (late > LATE) this.#wakeLate(now, late);
    lease.beat(now);
    this.#listen(now, late > LATE);
    now = clock.now();
    if (lease.end <= now) this.#fence(now);
    this.#expire(now);
    this.#settle();
    if (this.#stopping && this.#allEnded()) this.#end();
  }

  // DriverHost: wishes of the drivers, settled at the end of the turn.

  send(driver: InstanceDriver, ad: Advertisement): void {
    const segment = this.#segmentOf(driver.config);
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

  renew(driver: InstanceDriver): void {
    this.#holdings.renew(driver);
  }

  transition(driver: InstanceDriver, change: Transition): void {
    const time = this.#io.wallClock();
    driver.since = time;
    const { from, to, why, detail } = change;
    const priority = driver.router.effectivePriority;
    this.#outgoing.push({ type: 'transition', instance: driver.name, from, to, why, detail, priority, time });
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
    if (this.#groups.has(driver)) {
      if (why !== undefined) this.#groups.fault(driver, why, now);
      else this.#groups.recovered(driver, now);
    } else driver.feed(why !== undefined ? { type: 'fault', why } : { type: 'recovered' }, now);
    this.#queue.touch(driver);
  }

  // SegmentListener.

  heard(driver: InstanceDriver, datagram: Datagram, now: Instant): void {
    driver.receive(datagram, now);
    this.#queue.touch(driver);
    this.#groups.follow(driver, now);
  }

  unknownVrid({ source }: Datagram): void {
    this.#drops.note('', 'vrid', source, this.#io.clock.now());
  }

  // The parts of a turn.

  #nextWake(): Instant {
    const { clock, lease } = this.#io;
    let wake = after(clock.now(), LONGEST_WAIT);
    const next = this.#queue.next;
    if (next !== undefined && next < wake) wake = next;
    if (!this.#fenced && lease.end < wake) wake = lease.end;
    return wake;
  }

  #lateness(now: Instant): Micros {
    const next = this.#queue.next;
    return next === undefined ? (0 as Micros) : between(next, now);
  }

  /** Woken long after a deadline: whoever was silent for too long lets go before it hears or says anything. */
  #wakeLate(now: Instant, late: Micros): void {
    for (const driver of this.#roster)
      if (driver.isStalled(now))
        this.#act(driver, now, () => driver.feed({ type: 'withdraw', reason: 'stalled', announceLeave: false }, now));
    if (late < STALL) return;
    this.#io.lease.excuse(now);
    this.#outgoing.push({ type: 'stall', duration: late });
  }

  #listen(now: Instant, late: boolean): void {
    const { inbox, monitor } = this.#io;
    if (inbox.ready) this.#obey(now);
    if (monitor.ready) this.#followKernel(now);
    for (const segment of this.#segments.values()) {
      if (!segment.ready && !late) continue;
      // Normally one batch a turn; after a pause everything that waits, because deadlines are judged by it.
      for (let more = segment.receive(now), batches = 1; more && late && batches < MOST_BATCHES; batches++)
        more = segment.receive(now);
    }
  }

  #expire(now: Instant): void {
    for (let driver = this.#queue.due(now); driver !== undefined; driver = this.#queue.due(now)) {
      const current = driver;
      this.#act(current, now, () => current.timer(now));
    }
  }

  /** Lets a driver do something, and sees to what follows from it: its deadline, its sync group. */
  #act(driver: InstanceDriver, now: Instant, what: () => void): void {
    what();
    this.#queue.touch(driver);
    this.#groups.follow(driver, now);
  }

  #settle(): void {
    for (const segment of this.#segments.values()) {
      const errors = segment.flush();
      if (errors.length > 0)
        this.#drops.warn(segment.interface, `sending failed: ${errors.join(', ')}`, this.#io.clock.now());
    }
    this.#holdings.settle();
    for (const event of this.#outgoing) this.#io.post(event);
    this.#outgoing.length = 0;
  }

  #fence(now: Instant): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#fenceEpoch++;
    for (const driver of this.#roster) this.#act(driver, now, () => driver.fence(now));
    this.#outgoing.push({ type: 'fenced', epoch: this.#fenceEpoch, why: 'the agent gave no sign of life' });
  }

  #followKernel(now: Instant): void {
    const { links } = this.#io;
    const changes = links.update();
    if (changes.interfaces.size > 0) this.#applyLinks(now);
    if (changes.removed.length > 0) this.#holdings.repair(changes.removed, (device) => links.get(device)?.index);
    if (changes.overrun) {
      this.#log('warning', 'the kernel had more changes than we could read: everything was read anew');
      for (const driver of this.#roster) this.#holdings.renew(driver);
    }
  }

  /** Opens and closes sockets, and tells each driver what its interfaces say. */
  #applyLinks(now: Instant): void {
    for (const segment of this.#segments.values()) this.#openSegment(segment);
    for (const driver of this.#roster) this.#judge(driver, now);
  }

  #openSegment(segment: Segment): void {
    try {
      segment.follow(this.#io.links.get(segment.interface));
    } catch (error) {
      this.#log('error', `cannot listen on ${segment.interface}: ${(error as Error).message}`);
    }
  }

  #judge(driver: InstanceDriver, now: Instant): void {
    const { faults, adjustment, source } = judgeLinks(driver.config, this.#io.links, this.#isVirtual);
    this.#act(driver, now, () => driver.links(faults, adjustment, source, now));
  }

  readonly #isVirtual = (address: IpAddress): boolean => this.#virtual.has(address);

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
      case 'track': {
        const driver = this.#roster.byName(command.verdict.instance);
        if (driver !== undefined) this.#act(driver, now, () => driver.track(command.verdict, now));
        break;
      }
      case 'resume':
        if (this.#fenced && command.epoch === this.#fenceEpoch) this.#resume(now);
        break;
      case 'stop':
        this.#stopping = true;
        for (const driver of this.#roster)
          this.#act(driver, now, () => driver.feed({ type: 'shutdown', immediate: command.immediate }, now));
        break;
      case 'snapshot': {
        const instances = [...this.#roster].map((driver) => snapshotOf(driver, this.#holdings.held(driver), now));
        this.#outgoing.push({ type: 'snapshot', id: command.id, instances });
        break;
      }
      case 'clear-statistics':
        for (const driver of this.#roster) driver.tally.clear();
        break;
    }
  }

  #configure(config: EngineConfig, verdicts: readonly TrackVerdict[], now: Instant): void {
    const first = this.#config === undefined;
    this.#config = config;
    this.#io.lease.duration = config.leaseTime;
    this.#virtual = new Set(
      config.instances.flatMap((i) => [...i.vips, ...i.excludedVips].map(({ address }) => address)),
    );
    const { added, removed, changed } = this.#roster.compare(config.instances);
    this.#grouped = new Set(config.groups.flatMap(({ members }) => members));
    for (const driver of removed) this.#remove(driver, now);
    for (const { driver, config: wanted } of changed) this.#change(driver, wanted, now);
    const drivers = added.map((wanted) => this.#add(wanted));
    this.#groups.configure(config.groups, [...this.#roster], now);
    for (const segment of this.#segments.values()) this.#openSegment(segment);
    for (const verdict of verdicts) this.#roster.byName(verdict.instance)?.expect(verdict);
    this.#holdings.clear(drivers.flatMap(({ vips }) => vips));
    for (const driver of drivers) this.#start(driver, now);
    for (const verdict of verdicts) {
      const driver = this.#roster.byName(verdict.instance);
      if (driver !== undefined) this.#act(driver, now, () => driver.track(verdict, now));
    }
    if (first) this.#outgoing.push({ type: 'configured' });
  }

  #add(config: InstanceConfig): InstanceDriver {
    const { source } = judgeLinks(config, this.#io.links, this.#isVirtual);
    const driver = new InstanceDriver(this, config, this.#optionsOf(config), source, this.#io.wallClock());
    this.#roster.add(driver);
    this.#segmentOf(config).add(driver);
    return driver;
  }

  #optionsOf({ name }: InstanceConfig): DriverOptions {
    return { addressLifetime: this.#config!.addressLifetime, grouped: this.#grouped.has(name) };
  }

  #start(driver: InstanceDriver, now: Instant): void {
    const { faults, adjustment, source } = judgeLinks(driver.config, this.#io.links, this.#isVirtual);
    this.#act(driver, now, () => driver.start(faults, adjustment, source, now));
  }

  #change(driver: InstanceDriver, config: InstanceConfig, now: Instant): void {
    this.#act(driver, now, () => driver.reconfigure(config, this.#optionsOf(config), now));
    this.#holdings.adjust(driver);
    this.#judge(driver, now);
  }

  /** A router that is no longer configured hands over at once: its addresses must not stay without an owner's say. */
  #remove(driver: InstanceDriver, now: Instant): void {
    driver.feed({ type: 'shutdown', immediate: true }, now);
    this.#settle();
    this.#queue.remove(driver);
    this.#roster.remove(driver);
    this.#holdings.forget(driver);
    const segment = this.#segmentOf(driver.config);
    segment.remove(driver);
    if (!segment.empty) return;
    segment.close();
    this.#segments.delete(segmentKey(driver.config));
  }

  #segmentOf(config: InstanceConfig): Segment {
    const key = segmentKey(config);
    const known = this.#segments.get(key);
    if (known !== undefined) return known;
    const { network, poller } = this.#io;
    const segment = new Segment(config.interface, config.family, network, poller, this);
    this.#segments.set(key, segment);
    return segment;
  }

  #resume(now: Instant): void {
    this.#fenced = false;
    this.#io.lease.excuse(now);
    for (const driver of this.#roster) this.#act(driver, now, () => driver.resume(now));
  }

  // The end.

  #allEnded(): boolean {
    for (const driver of this.#roster) if (driver.router.state !== 'INIT') return false;
    return true;
  }

  #end(): void {
    this.#done = true;
    this.#holdings.abandon();
    for (const segment of this.#segments.values()) segment.close();
  }

  #giveUp(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      const now = this.#io.clock.now();
      for (const driver of this.#roster) driver.feed({ type: 'shutdown', immediate: true }, now);
      for (const segment of this.#segments.values()) segment.flush();
    } finally {
      this.#holdings.abandon();
      this.#io.post({ type: 'failed', error: text });
    }
  }

  #log(level: 'error' | 'warning' | 'info', text: string): void {
    this.#outgoing.push({ type: 'log', level, text });
  }
}

const segmentKey = ({ interface: name, family }: InstanceConfig): string => `${name} ${family}`;
