// The virtual routers at work with what they share: sockets, deadlines, sync groups. Takes configurations and the
// kernel's news apart into what concerns each router. Knows no loop.
import type { InstanceConfig } from '../config/model.ts';
import { DeadlineQueue } from '../deadlines.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { IpAddress } from '../net/address.ts';
import type { EngineNetwork, LinkInfo, Poller } from '../ports/engine-io.ts';
import { after, type Instant, seconds } from '../units.ts';
import { OWNER } from '../vrrp/priority.ts';
import { InstanceDriver } from './driver.ts';
import type { DriverHost, DriverOptions } from './driver-host.ts';
import { type GroupChange, Groups } from './groups.ts';
import type { Complain, Holdings } from './holdings.ts';
import { judgeLinks, type LinkVerdict, type SharedTracks } from './link-verdict.ts';
import type { Links } from './links.ts';
import type { EngineConfig, EngineGroup, TrackVerdict } from './messages.ts';
import { Segment, type SegmentListener } from './segment.ts';

const RETRY = seconds(1);

export interface CrewDependencies {
  readonly network: EngineNetwork;
  readonly poller: Poller;
  readonly links: Links;
  readonly wallClock: () => number;
  readonly holdings: Holdings;
  readonly host: DriverHost;
  readonly listener: SegmentListener;
  readonly groupChanged: GroupChange;
  readonly complain: Complain;
  /** undefined: there is no such BFD session. */
  readonly bfdState: (session: string) => TrackedState | undefined;
  /** Until when an interface may be deaf, so that silence on it proves nothing; undefined: it hears. */
  readonly deafUntil: (interfaceName: string, now: Instant) => Instant | undefined;
  /** Whether new routers have to wait for `begin`. */
  readonly isQuiet: () => boolean;
  /** Whether the agent gave no sign of life: a new router waits in FAULT as all others do. */
  readonly isFenced: () => boolean;
  /** Sends and binds what was asked for, now: before a router and its socket go. */
  readonly settle: () => void;
}

export class Crew {
  readonly #io: CrewDependencies;
  readonly queue = new DeadlineQueue<InstanceDriver>();
  readonly groups: Groups;
  readonly #drivers = new Set<InstanceDriver>();
  readonly #segments = new Map<string, Segment>();
  /** Routers that may not begin yet. */
  readonly #waiting = new Set<InstanceDriver>();
  /** Every address that some router here may own. */
  #virtual: ReadonlySet<IpAddress> = new Set();
  /** The sync group of each instance that is in one. */
  #grouped: ReadonlyMap<string, EngineGroup> = new Map();
  #addressLifetime = false;
  /** disable_local_igmp */
  #localIgmpOff = false;
  /** When sockets that could not be opened are tried again; undefined: all are open. */
  #retryAt: Instant | undefined;

  constructor(dependencies: CrewDependencies) {
    this.#io = dependencies;
    this.groups = new Groups((driver) => this.queue.touch(driver), dependencies.groupChanged);
  }

  [Symbol.iterator](): Iterator<InstanceDriver> {
    return this.#drivers[Symbol.iterator]();
  }

  get segments(): Iterable<Segment> {
    return this.#segments.values();
  }

  byName(name: string): InstanceDriver | undefined {
    for (const driver of this.#drivers) if (driver.name === name) return driver;
    return undefined;
  }

  /** Whether an address is in a network of an interface; true where that is not known. */
  isOnLink(name: string, address: IpAddress): boolean {
    return this.#io.links.isOnLink?.(name, address) ?? true;
  }

  readonly isVirtual = (address: IpAddress): boolean => this.#virtual.has(address);

  /** Lets a router do something, and sees to what follows from it: its deadline, its sync group. */
  act(driver: InstanceDriver, now: Instant, what: (driver: InstanceDriver) => void): void {
    what(driver);
    this.queue.touch(driver);
    this.groups.follow(driver, now);
  }

  actAll(now: Instant, what: (driver: InstanceDriver) => void): void {
    for (const driver of this.#drivers) this.act(driver, now, what);
  }

  /** Makes the configuration so. */
  configure(config: EngineConfig, verdicts: readonly TrackVerdict[], now: Instant): void {
    const { added, changed, removed, groups, addressLifetime } = config;
    const before = this.#grouped;
    this.#grouped = new Map(groups.flatMap((group) => group.members.map((member) => [member, group] as const)));
    this.#addressLifetime = addressLifetime;
    this.#localIgmpOff = config.disableLocalIgmp ?? false;
    // Looked up before anything is renamed: two routers may exchange their names.
    const changes = changed.map(({ name, config: wanted }) => ({ driver: this.byName(name), wanted }));
    for (const name of removed) this.#remove(name, now);
    for (const { driver, wanted } of changes) if (driver !== undefined) this.#change(driver, wanted, now);
    for (const driver of this.#drivers)
      if (!isSame(driver.options, this.#optionsOf(driver.config))) this.#change(driver, driver.config, now);
    for (const driver of this.#drivers)
      if (!tracksAlike(before.get(driver.name), this.#grouped.get(driver.name))) this.#judge(driver, now);
    const drivers = added.map((wanted) => this.#add(wanted));
    this.#virtual = new Set([...this.#drivers].flatMap(({ vips }) => vips.map(({ address }) => address)));
    this.groups.configure(groups, [...this.#drivers], now);
    for (const segment of this.#segments.values()) this.#open(segment, now);
    for (const verdict of verdicts) this.byName(verdict.instance)?.expect(verdict);
    const guests = drivers.filter((driver) => driver.config.priority !== OWNER);
    this.#io.holdings.clear(guests.flatMap(({ vips }) => vips));
    this.#io.holdings.clearRoutes(drivers);
    if (this.#io.isQuiet()) for (const driver of drivers) this.#waiting.add(driver);
    else for (const driver of drivers) this.#start(driver, now);
    // An owner's addresses may be the machine's own. What VRRP bound in an earlier life stays only with one that is master.
    const idle = drivers.filter((driver) => driver.config.priority === OWNER && !driver.holds);
    this.#io.holdings.clear(
      idle.flatMap(({ vips }) => vips),
      true,
    );
    for (const verdict of verdicts) this.track(verdict, now);
  }

  /** Those who had to wait begin. */
  begin(now: Instant): void {
    const drivers = [...this.#waiting];
    this.#waiting.clear();
    for (const driver of drivers) this.#start(driver, now);
  }

  /** Something was heard on an interface: silence on it counts from now on. */
  alive(interfaceName: string, now: Instant): void {
    for (const driver of this.#drivers)
      if (driver.config.interface === interfaceName) this.act(driver, now, () => driver.feed({ type: 'alive' }, now));
  }

  track(verdict: TrackVerdict, now: Instant): void {
    const driver = this.byName(verdict.instance);
    if (driver !== undefined) this.act(driver, now, () => driver.track(verdict, now));
  }

  /** Routes and rules of a router that cannot be kept; none: all is well. */
  routesFailed(name: string, why: readonly string[], now: Instant): void {
    const driver = this.byName(name);
    if (driver !== undefined) this.act(driver, now, () => driver.routes(why, now));
  }

  /** The interfaces changed: opens and closes sockets, and tells each router what its interfaces say. */
  followLinks(now: Instant): void {
    for (const segment of this.#segments.values()) this.#open(segment, now);
    for (const driver of this.#drivers) this.#judge(driver, now);
  }

  /** What could not be opened is tried again, once a second. */
  retry(now: Instant): void {
    if (this.#retryAt === undefined || now < this.#retryAt) return;
    this.#retryAt = undefined;
    for (const segment of this.#segments.values()) if (segment.trouble !== '') this.#open(segment, now);
  }

  /** A BFD session came up or went down. */
  followBfd(session: string, now: Instant): void {
    const names = (tracks: SharedTracks | undefined) => tracks?.trackBfds?.some(({ name }) => name === session);
    for (const driver of this.#drivers)
      if (names(driver.config) || names(this.#grouped.get(driver.name))) this.#judge(driver, now);
  }

  segmentOf(config: InstanceConfig): Segment {
    const key = segmentKey(config);
    const known = this.#segments.get(key);
    if (known !== undefined) return known;
    const { network, poller, listener } = this.#io;
    const segment = new Segment(config.interface, config.family, network, poller, listener);
    this.#segments.set(key, segment);
    return segment;
  }

  /** The macvlan that an instance's adverts leave by; undefined: its interface itself, as always with unicast. */
  outletOf({ virtualInterface: virtual, transport }: InstanceConfig): LinkInfo | undefined {
    if (virtual?.kind !== 'macvlan' || virtual.sendBelow || transport.mode === 'unicast') return undefined;
    return this.#io.links.get(virtual.name);
  }

  #add(config: InstanceConfig): InstanceDriver {
    const { host, wallClock } = this.#io;
    const { source } = this.#verdictOn(config);
    const driver = new InstanceDriver(host, config, this.#optionsOf(config), source, wallClock());
    this.#drivers.add(driver);
    this.segmentOf(config).add(driver);
    return driver;
  }

  #start(driver: InstanceDriver, now: Instant): void {
    const { faults, adjustment, source } = this.#verdictOn(driver.config);
    this.#noteDeafness(driver, now);
    if (this.#io.isFenced()) driver.fence(now);
    this.act(driver, now, () => driver.start(faults, adjustment, source, now));
  }

  #change(driver: InstanceDriver, config: InstanceConfig, now: Instant): void {
    // What is told of routes is told by name.
    if (config.name !== driver.name) this.act(driver, now, () => driver.routes([], now));
    this.act(driver, now, () => driver.reconfigure(config, this.#optionsOf(config), now));
    this.#io.holdings.adjust(driver);
    this.#judge(driver, now);
  }

  /** A router that is no longer configured hands over at once: its addresses must not stay without an owner's say. */
  #remove(name: string, now: Instant): void {
    const driver = this.byName(name);
    if (driver === undefined) return;
    driver.feed({ type: 'shutdown', immediate: true }, now);
    this.#io.settle();
    this.queue.remove(driver);
    this.#drivers.delete(driver);
    this.#waiting.delete(driver);
    this.#io.holdings.forget(driver);
    const segment = this.segmentOf(driver.config);
    segment.remove(driver);
    if (!segment.empty) return;
    segment.close();
    this.#segments.delete(segmentKey(driver.config));
  }

  #judge(driver: InstanceDriver, now: Instant): void {
    const { faults, adjustment, source } = this.#verdictOn(driver.config);
    if (driver.router.state === 'FAULT') this.#noteDeafness(driver, now);
    this.act(driver, now, () => driver.links(faults, adjustment, source, now));
  }

  #noteDeafness(driver: InstanceDriver, now: Instant): void {
    const until = this.#io.deafUntil(driver.config.interface, now);
    if (until !== undefined) driver.feed({ type: 'deaf', until }, now);
  }

  #verdictOn(config: InstanceConfig): LinkVerdict {
    const { links, bfdState } = this.#io;
    const shared = this.#grouped.get(config.name) ?? {};
    const verdict = judgeLinks(config, shared, { links, isVirtual: this.isVirtual, bfdState });
    const deaf = this.#segments.get(segmentKey(config))?.troubleOf(config);
    if (deaf === undefined) return verdict;
    return { ...verdict, faults: [...verdict.faults, `cannot listen on ${config.interface}: ${deaf}`] };
  }

  /** A router that cannot hear others must not become master because it hears nobody. */
  #open(segment: Segment, now: Instant): void {
    const before = segment.trouble;
    const reports = !(this.#localIgmpOff && segment.family === 4);
    segment.follow(this.#io.links.get(segment.interface), reports);
    const { trouble } = segment;
    if (trouble !== '') this.#retryAt = after(now, RETRY);
    if (trouble === before) return;
    if (trouble !== '') this.#io.complain('error', `cannot listen on ${segment.interface}: ${trouble}`);
    for (const driver of this.#drivers) if (this.segmentOf(driver.config) === segment) this.#judge(driver, now);
  }

  #optionsOf({ name }: InstanceConfig): DriverOptions {
    return { addressLifetime: this.#addressLifetime, grouped: this.#grouped.has(name) };
  }
}

const segmentKey = ({ interface: name, family }: InstanceConfig): string => `${name} ${family}`;

const tracksAlike = (a: SharedTracks = {}, b: SharedTracks = {}): boolean =>
  JSON.stringify([a.trackInterfaces, a.trackBfds]) === JSON.stringify([b.trackInterfaces, b.trackBfds]);

const isSame = (a: DriverOptions, b: DriverOptions): boolean =>
  a.addressLifetime === b.addressLifetime && a.grouped === b.grouped;
