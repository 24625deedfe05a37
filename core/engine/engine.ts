// The real-time thread's loop: wait, listen, let deadlines act, speak, settle. It never returns to an event loop,
// never allocates for a packet it refuses, and decides nothing that the routers can decide.
import type { DatagramNetwork } from '../ports/datagram-io.ts';
import type { Clock, Datagram, EngineNetwork, Pollable, Poller } from '../ports/engine-io.ts';
import { after, between, type Instant, type Micros, micros, millis } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import type { RouteProvider } from '../vip/route-provider.ts';
import { Bfd } from './bfd.ts';
import { ConflictWatch } from './conflict-watch.ts';
import { Crew } from './crew.ts';
import type { InstanceDriver } from './driver.ts';
import type { LeaseWatch } from './lease.ts';
import { LinkDelays } from './link-delays.ts';
import type { Links } from './links.ts';
import type { ReceivedPackets } from './lonely-links.ts';
import type { EngineCommand, EngineConfig, EngineEvent, TrackVerdict } from './messages.ts';
import { QuietStart } from './quiet-start.ts';
import type { Resident, ResidentHost } from './resident.ts';
import { RouteWatch } from './route-watch.ts';
import { leansOn } from './routing-keys.ts';
import type { SegmentListener } from './segment.ts';
import { SleepWatch } from './sleep-watch.ts';
import { snapshotOf } from './snapshot.ts';
import { StartHold } from './start-hold.ts';
import { Strangers } from './strangers.ts';
import { Wishes } from './wishes.ts';

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
  /** For BFD. Default: none, and no session comes up. */
  readonly datagrams?: DatagramNetwork;
  /** 0 up to but not 1; nobody should be able to guess it. Default: Math.random. */
  readonly random?: () => number;
  readonly links: Links;
  /** What tells of changes that `links` then reads. */
  readonly monitor: Pollable;
  readonly provider: LocalProvider;
  /** Sets routes and rules. Default: nobody does. */
  readonly routes?: RouteProvider;
  readonly lease: LeaseWatch;
  readonly inbox: Inbox;
  readonly post: (event: EngineEvent) => void;
  /** Counters of the kernel. Absent: no interface counts as lonely. */
  readonly received?: ReceivedPackets;
  /** Makes what else lives in the loop. Default: nothing. */
  readonly residents?: (host: ResidentHost) => readonly Resident[];
}

/** The longest sleep: the engine shows the agent that it lives at least this often. */
const LONGEST_WAIT = millis(500);
/** A deadline missed by more than this means that we did not run: listen before acting. */
const LATE = millis(1);
/** Batches read after a pause before deadlines count all the same: a flood must not stop the clock. */
const MOST_BATCHES = 64;
/** A pause that is worth telling. */
const STALL = millis(100);

export class Engine implements SegmentListener {
  readonly #io: EngineDependencies;
  readonly #crew: Crew;
  readonly #residents: readonly Resident[];
  readonly #links: LinkDelays;
  readonly #bfd: Bfd | undefined;
  readonly #conflicts: ConflictWatch;
  readonly #sleep: SleepWatch;
  readonly #wishes: Wishes;
  readonly #routes: RouteWatch;
  readonly #strangers = new Strangers();
  #configured = false;
  #fenceEpoch = 0;
  #fenced = false;
  #stopping = false;
  #done = false;

  constructor(dependencies: EngineDependencies) {
    this.#io = dependencies;
    const { wallClock, poller, inbox, monitor } = dependencies;
    this.#routes = new RouteWatch({
      ...dependencies,
      routes: dependencies.routes,
      complain: (level, text) => this.#wishes.log(level, text),
      faults: (instance, why, now) => this.#crew.routesFailed(instance, why, now),
      leansOn: (instance, entry) => leansOn(this.#crew.byName(instance)?.vips ?? [], entry),
    });
    const wishes = new Wishes({ ...dependencies, routing: this.#routes.routing, crew: () => this.#crew });
    this.#wishes = wishes;
    this.#links = new LinkDelays(dependencies.links, dependencies.clock, (now) => this.#crew.followLinks(now));
    const { datagrams, random = Math.random } = dependencies;
    this.#bfd =
      datagrams &&
      new Bfd({
        network: datagrams,
        poller,
        links: dependencies.links,
        random,
        wallClock,
        complain: wishes.log,
        tell: (event) => wishes.tell(event),
        changed: (session, now) => this.#crew.followBfd(session, now),
      });
    const { announce } = wishes;
    this.#sleep = new SleepWatch(dependencies.clock);
    this.#conflicts = new ConflictWatch(dependencies, {
      announce: announce.bind(wishes),
      ask: wishes.ask,
      log: wishes.log,
    });
    const quiet = new QuietStart(dependencies.clock, { begin: (now) => this.#crew.begin(now), log: wishes.log });
    const hold = new StartHold(dependencies, {
      alive: (name, now) => this.#crew.alive(name, now),
      log: wishes.log,
    });
    this.#crew = new Crew({
      ...dependencies,
      deafUntil: (name, now) => hold.deafUntil(name, now),
      isQuiet: () => quiet.isQuiet,
      isFenced: () => this.#fenced,
      links: this.#links,
      bfdState: (session) => this.#bfd?.stateOf(session),
      holdings: wishes.holdings,
      host: wishes,
      listener: this,
      groupChanged: (group, from, to) => wishes.tell({ type: 'group-transition', group, from, to, time: wallClock() }),
      complain: wishes.log,
      settle: () => this.#settle(),
    });
    this.#residents = [
      this.#links,
      ...(this.#bfd === undefined ? [] : [this.#bfd]),
      quiet,
      hold,
      this.#conflicts,
      ...(dependencies.residents?.({ tell: (event) => wishes.tell(event), complain: wishes.log }) ?? []),
      // Behind those that make interfaces.
      this.#routes,
    ];
    poller.add(inbox);
    poller.add(monitor);
  }

  /** Runs until stopped. A bug ends it, but never with an address left behind. */
  run(): void {
    while (this.step());
  }

  /** One turn for whoever has a loop of its own; false: it was the last one. A bug ends it as it ends `run`. */
  step(): boolean {
    try {
      this.turn();
      if (this.#done) this.#io.post({ type: 'stopped' });
      return !this.#done;
    } catch (error) {
      this.#giveUp(error);
      return false;
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
    const slept = this.#sleep.take();
    const overslept = late > LATE || slept > 0;
    if (overslept) this.#wakeLate(now, late, slept);
    lease.beat(now);
    this.#listen(now, overslept);
    now = clock.now();
    if (!this.#fenced && lease.end <= now) this.#fence(now);
    this.#expire(now);
    this.#settle();
    if (this.#stopping && this.#allEnded()) this.#end();
  }

  // SegmentListener.

  heard(driver: InstanceDriver, datagram: Datagram, now: Instant): void {
    driver.receive(datagram, now);
    this.#crew.queue.touch(driver);
    this.#crew.groups.follow(driver, now);
  }

  unknownVrid(datagram: Datagram, now: Instant): void {
    const trouble = this.#strangers.examine(datagram, this.#crew.isVirtual, now);
    if (trouble !== undefined) this.#wishes.log('warning', trouble);
  }

  // The parts of a turn.

  #lateness(now: Instant): Micros {
    const next = this.#crew.queue.next;
    return next === undefined ? micros(0) : between(next, now);
  }

  /**
   * Woken long after a deadline, or on a machine that slept: whoever was silent for too long lets go before it hears or
   * says anything. What came while the machine slept is lost: a BACKUP listens anew.
   */
  #wakeLate(now: Instant, late: Micros, slept: Micros): void {
    for (const driver of this.#crew)
      if (driver.isStalled(now, slept) || (slept > 0 && driver.router.state === 'BACKUP'))
        this.#crew.act(driver, now, () =>
          driver.feed({ type: 'withdraw', reason: 'stalled', announceLeave: false }, now),
        );
    const duration = micros(Math.max(late, slept));
    if (duration < STALL) return;
    this.#io.lease.excuse(now);
    this.#wishes.tell({ type: 'stall', duration });
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
    this.#crew.retry(now);
    const { queue } = this.#crew;
    for (let driver = queue.due(now); driver !== undefined; driver = queue.due(now)) {
      driver.timer(now);
      queue.touch(driver);
      this.#crew.groups.follow(driver, now);
    }
  }

  /** Adverts first, then addresses, then announcements; and only then is anybody told. */
  #settle(): void {
    this.#wishes.carryOut();
    for (const resident of this.#residents) resident.settle();
    this.#wishes.report();
  }

  #fence(now: Instant): void {
    this.#fenced = true;
    this.#fenceEpoch++;
    this.#crew.actAll(now, (driver) => driver.fence(now));
    this.#wishes.tell({ type: 'fenced', epoch: this.#fenceEpoch, why: 'the agent gave no sign of life' });
  }

  #followKernel(now: Instant): void {
    const links = this.#links;
    const changes = links.update();
    if (changes.interfaces.size > 0) {
      for (const resident of this.#residents) resident.followLinks(now);
      this.#crew.followLinks(now);
    }
    if (changes.removed.length > 0) {
      const indexOf = (device: string): number | undefined => links.get(device)?.index;
      this.#routes.removed(changes.removed, indexOf);
      this.#wishes.holdings.repair(changes.removed, indexOf);
    }
    if (!changes.overrun) return;
    this.#wishes.log('warning', 'the kernel had more changes than we could read: everything was read anew');
    for (const driver of this.#crew) this.#wishes.holdings.renew(driver);
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
        const { holdings } = this.#wishes;
        const instances = [...this.#crew].map((driver) =>
          snapshotOf(driver, holdings.held(driver), holdings.routes(driver), now),
        );
        this.#wishes.tell({ type: 'snapshot', id: command.id, instances, bfds: this.#bfd?.snapshot(now) ?? [] });
        break;
      }
      case 'clear-statistics':
        for (const driver of this.#crew) driver.tally.clear();
        this.#bfd?.clearStatistics();
        break;
    }
  }

  #configure(config: EngineConfig, verdicts: readonly TrackVerdict[], now: Instant): void {
    this.#io.lease.duration = config.leaseTime;
    if (this.#bfd === undefined && (config.bfds ?? []).length > 0)
      this.#wishes.log('error', 'BFD is not available here: what tracks its sessions goes on without them');
    for (const resident of this.#residents) resident.configure(config, now);
    // What a resident has just made, the routers must find.
    if (this.#residents.length > 0) this.#followKernel(now);
    this.#crew.configure(config, verdicts, now);
    this.#conflicts.watch(this.#crew);
    if (!this.#configured) this.#wishes.tell({ type: 'configured' });
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
    this.#wishes.holdings.abandon();
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
      this.#abandon();
      this.#io.post({ type: 'failed', error: text });
    }
  }

  /** Nothing of ours stays, whatever part of it fails. */
  #abandon(): void {
    for (const part of [() => this.#wishes.holdings.abandon(), ...this.#residents.map((each) => () => each.close())])
      try {
        part();
      } catch {
        // what failed before may fail again; its cause is told
      }
  }
}
