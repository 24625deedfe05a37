// One virtual router at work: feeds its state machine, carries the effects out through the host, keeps the counts.
// Decides nothing about the protocol; knows no sockets, no kernel.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import type { Datagram } from '../ports/engine-io.ts';
import { after, between, type Instant, micros, type Priority, seconds } from '../units.ts';
import { AnnounceSchedule } from '../vip/announce-schedule.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';
import { effectivePriority } from '../vrrp/priority.ts';
import { VrrpRouter } from '../vrrp/router.ts';
import type { Advertisement, RouterEvent, TransitionReason } from '../vrrp/types.ts';
import { AdvertPackets } from './advert-packets.ts';
import { Doorkeeper } from './doorkeeper.ts';
import type { DriverHost, DriverOptions, Transition } from './driver-host.ts';
import type { TrackVerdict } from './messages.ts';
import { PeerTable } from './peer-table.ts';
import { routerConfig } from './router-config.ts';
import { RouterMemory } from './router-memory.ts';
import { Tally } from './tally.ts';

/** Transitions that have to do with another router: with the one just heard, or else with the master there was. */
const ABOUT_A_PEER: ReadonlySet<TransitionReason> = new Set([
  'master-timeout',
  'priority-zero',
  'lower-priority',
  'resign',
  'higher-priority',
  'higher-address',
  'successor-heard',
  'sync-group',
]);

/** Address lifetimes are renewed with every advert, but no more often than this. */
const RENEW_EVERY = seconds(0.35);
/** One second for both to hold an address, less what the kernel may be late. */
const LATEST_EXPIRY = 1 - 0.25;

const NO_ROUTING: readonly RoutingEntry[] = [];

export class InstanceDriver {
  readonly #host: DriverHost;
  #config: InstanceConfig;
  #vips: readonly VirtualIp[];
  #options: DriverOptions;
  readonly router: VrrpRouter;
  #schedule: AnnounceSchedule;
  readonly tally = new Tally();
  readonly peers = new PeerTable();
  readonly #memory: RouterMemory;
  #doorkeeper: Doorkeeper;
  #packets: AdvertPackets;
  #source: IpAddress | undefined;
  #verdict: TrackVerdict | undefined;
  #linkFaults: readonly string[] = [];
  #linkAdjustment = 0;
  #routeFaults: readonly string[] = [];
  #fenced = false;
  #lastSent: Instant | undefined;
  #lastRenewed: Instant | undefined;
  since: number;
  lastTransition: Transition = { from: 'INIT', to: 'INIT', why: 'startup', detail: '' };

  constructor(
    host: DriverHost,
    config: InstanceConfig,
    options: DriverOptions,
    source: IpAddress | undefined,
    time: number,
  ) {
    this.#host = host;
    this.#config = config;
    this.#vips = [...config.vips, ...config.excludedVips];
    this.#options = options;
    this.#source = source;
    this.since = time;
    this.router = new VrrpRouter(routerConfig(config, source, options.grouped));
    this.#schedule = new AnnounceSchedule(config.announce);
    this.#memory = new RouterMemory(() => host.wallTime());
    this.#doorkeeper = this.#makeDoorkeeper();
    this.#packets = new AdvertPackets(config, this.#memory);
  }

  get config(): InstanceConfig {
    return this.#config;
  }

  get options(): DriverOptions {
    return this.#options;
  }

  get name(): string {
    return this.#config.name;
  }

  /** Every address it may own, the advertised ones first. */
  get vips(): readonly VirtualIp[] {
    return this.#vips;
  }

  /** Every route and rule it may set, in the order in which they are set. */
  get routing(): readonly RoutingEntry[] {
    const { routes = [], rules = [] } = this.#config;
    return routes.length + rules.length === 0 ? NO_ROUTING : [...routes, ...rules];
  }

  get faults(): readonly string[] {
    return [
      ...this.#linkFaults,
      ...this.#routeFaults,
      ...(this.#verdict?.faults ?? []),
      ...(this.#fenced ? ['the agent does not respond'] : []),
    ];
  }

  get source(): IpAddress | undefined {
    return this.#source;
  }

  /** Whether this router's addresses are meant to be bound. */
  get holds(): boolean {
    return this.router.state === 'MASTER' || this.router.state === 'LEAVING';
  }

  /**
   * Seconds of kernel lifetime for bound addresses. A crashed master's address should stay until a backup takes over, so
   * that clients lose nothing, and be gone a second later. Backups have no higher priority than their master, so none is
   * faster than our own down interval; the kernel is up to 0.25 s late (net/ipv4/devinet.c, check_lifetime) and counts
   * whole seconds. Where both cannot be had, the second counts: two holders are worse than none.
   */
  get addressLifetime(): number | 'forever' {
    if (!this.#options.addressLifetime) return 'forever';
    if (this.router.state === 'LEAVING') return Math.ceil(this.router.downInterval / seconds(1)) + 1;
    return Math.max(1, Math.floor(this.router.downInterval / seconds(1) + LATEST_EXPIRY));
  }

  get deadline(): Instant | undefined {
    const router = this.router.deadline;
    const burst = this.#schedule.deadline;
    if (router === undefined) return burst;
    return burst === undefined || router < burst ? router : burst;
  }

  /** What the trackers said before the first event. */
  expect(verdict: TrackVerdict): void {
    if (this.router.state === 'INIT') this.#verdict = verdict;
  }

  /** The first event of its life. */
  start(faults: readonly string[], adjustment: number, source: IpAddress | undefined, now: Instant): void {
    this.#linkFaults = faults;
    this.#linkAdjustment = adjustment;
    if (source !== undefined) this.#useSource(source, now);
    this.#applyPriority(now);
    if (this.faults.length > 0) this.#host.faultChanged(this, this.faults.join('; '), now);
    else this.feed({ type: 'startup' }, now);
  }

  feed(event: RouterEvent, now: Instant): void {
    const peer = event.type === 'advertisement' ? event.from : this.router.masterSource;
    for (const effect of this.router.handle(event, now)) {
      switch (effect.type) {
        case 'send':
          this.#send(effect.ad, now);
          break;
        case 'own':
          this.#lastRenewed = now;
          this.#host.own(this);
          this.#schedule.becameMaster(now);
          this.#host.announce(this, this.#config.announce.masterRepeat);
          break;
        case 'disown':
          this.#schedule.stop();
          this.#host.disown(this);
          break;
        case 'announce':
          this.#host.contested(this, now);
          if (event.type === 'advertisement') this.#host.lowerPriorityHeard(this, event.from, now);
          break;
        case 'transition':
          this.#noteTransition(effect, peer);
          break;
        case 'master':
          this.#host.masterSeen(this, effect.source, effect.priority, effect.interval);
          break;
        case 'drop':
          this.tally.drop(effect.why);
          break;
      }
    }
  }

  /** One datagram that carries this router's VRID. */
  receive(datagram: Datagram, now: Instant): void {
    const verdict = this.#doorkeeper.admit(datagram, now);
    if (typeof verdict === 'string') {
      this.tally.drop(verdict);
      this.#host.dropped(this, verdict, datagram.source);
      return;
    }
    const { ad } = verdict;
    this.tally.received(ad.priority);
    if (ad.version === 3) this.tally.checksumForm(verdict.checksumForm);
    // A goodbye says nothing of what its sender is worth; who it was stays known by its last real advert.
    if (ad.priority !== 0) this.peers.heard(datagram.source, ad.priority, ad.interval, datagram.arrival);
    for (const warning of verdict.warnings) this.#host.warned(this, warning);
    const arrival = datagram.arrival < now ? datagram.arrival : now;
    this.feed({ type: 'advertisement', from: datagram.source, ad }, arrival);
  }

  /** Acts on whatever deadline has passed. */
  timer(now: Instant): void {
    const due = this.router.deadline;
    if (due !== undefined && due <= now) {
      this.tally.late(between(due, now));
      if (this.#packets.exhausted) this.#fallSilent(now);
      else this.feed({ type: 'timer' }, now);
    }
    const burst = this.#schedule.due(now);
    if (burst !== undefined) this.#host.announce(this, burst.repeat);
  }

  /** Every sequence number of its authentication header was used (RFC 2402 §3.3.2): it may only listen. */
  #fallSilent(now: Instant): void {
    this.#host.warned(this, 'sequence-exhausted');
    this.feed({ type: 'withdraw', reason: 'stalled', announceLeave: false }, now);
  }

  /**
   * True when a master has been silent for so long, the time that the machine `slept` included, that another one may
   * exist: it must not speak before it listens.
   */
  isStalled(now: Instant, slept = micros(0)): boolean {
    if (this.router.state !== 'MASTER' || this.router.isResigning || this.#lastSent === undefined) return false;
    return between(this.#lastSent, now) + slept > this.#config.downTimerAdverts * this.#config.interval;
  }

  /** Announces the addresses again because another router believed to own them; rationed. */
  reannounce(now: Instant): void {
    const repeat = this.#schedule.lowerPriorityHeard(now);
    if (repeat !== undefined) this.#host.announce(this, repeat);
  }

  track(verdict: TrackVerdict, now: Instant): void {
    this.#changeFaults(now, () => {
      this.#verdict = verdict;
    });
  }

  /** What the interfaces say: reasons for FAULT, the sum of weights, and our present source address. */
  links(faults: readonly string[], adjustment: number, source: IpAddress | undefined, now: Instant): void {
    if (source !== undefined) this.#useSource(source, now);
    this.#changeFaults(now, () => {
      this.#linkFaults = faults;
      this.#linkAdjustment = adjustment;
    });
  }

  /** Routes and rules that cannot be kept: reasons for FAULT. */
  routes(faults: readonly string[], now: Instant): void {
    this.#changeFaults(now, () => {
      this.#routeFaults = faults;
    });
  }

  /** The agent is gone: say goodbye and hold still until `resume`. */
  fence(now: Instant): void {
    // one that may not begin yet finds the fault when it does
    if (this.router.state !== 'INIT') this.feed({ type: 'withdraw', reason: 'fenced', announceLeave: true }, now);
    this.#changeFaults(now, () => {
      this.#fenced = true;
    });
  }

  resume(now: Instant): void {
    this.#changeFaults(now, () => {
      this.#fenced = false;
    });
  }

  /** Takes over a changed configuration of the same virtual router; the caller deals with its addresses. */
  reconfigure(config: InstanceConfig, options: DriverOptions, now: Instant): void {
    this.#config = config;
    this.#vips = [...config.vips, ...config.excludedVips];
    this.#options = options;
    const { transport } = config;
    this.#memory.forms.keep(new Set(transport.mode === 'unicast' ? transport.peers.map(({ address }) => address) : []));
    this.#doorkeeper = this.#makeDoorkeeper();
    this.#packets = new AdvertPackets(config, this.#memory);
    this.#schedule = new AnnounceSchedule(config.announce);
    if (this.router.state === 'MASTER') this.#schedule.becameMaster(now);
    const before = this.router.effectivePriority;
    const resign = this.#outranking(this.#worth, now);
    this.feed({ type: 'reconfigure', config: routerConfig(config, this.#source, options.grouped), ...resign }, now);
    this.#applyPriority(now, before);
  }

  /** The IP packets that carry an advertisement, one for each destination. */
  packets(ad: Advertisement): ReturnType<AdvertPackets['of']> {
    return this.#source === undefined ? [] : this.#packets.of(ad, this.#source);
  }

  #makeDoorkeeper(): Doorkeeper {
    const here = { source: this.#source, isOnLink: (address: IpAddress) => this.#host.isOnLink(this, address) };
    return new Doorkeeper(this.#config, here, this.#memory);
  }

  #useSource(source: IpAddress, now: Instant): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#doorkeeper = this.#makeDoorkeeper();
    this.feed({ type: 'source', address: source }, now);
  }

  #send(ad: Advertisement, now: Instant): void {
    this.#lastSent = now;
    this.tally.sent(ad.priority);
    this.#host.send(this, ad, now);
    const lifetime = this.addressLifetime;
    if (ad.priority === 0 || lifetime === 'forever' || this.#lastRenewed === undefined) return;
    if (now >= after(this.#lastRenewed, RENEW_EVERY)) this.#renew(now);
  }

  #renew(now: Instant): void {
    this.#lastRenewed = now;
    this.#host.renew(this);
  }

  #noteTransition({ from, to, why, detail }: Transition, peer: IpAddress | undefined): void {
    const about = peer !== undefined && ABOUT_A_PEER.has(why) ? { peer } : {};
    const change = { from, to, why, detail, ...about };
    this.lastTransition = change;
    this.tally.transition(change.from, change.to);
    if (change.to === 'LEAVING') this.#host.renew(this);
    if (change.to !== 'MASTER') this.#schedule.stop();
    this.#host.transition(this, change);
  }

  #changeFaults(now: Instant, change: () => void): void {
    const before = this.faults.length;
    change();
    this.#applyPriority(now);
    const faults = this.faults;
    if (this.router.state === 'INIT') return;
    if (faults.length > 0 && before === 0) this.#host.faultChanged(this, faults.join('; '), now);
    else if (faults.length === 0 && before > 0) this.#host.faultChanged(this, undefined, now);
  }

  /** The effective priority that configuration and trackers make. */
  get #worth(): Priority {
    return effectivePriority(this.#config.priority, this.#linkAdjustment + (this.#verdict?.adjustment ?? 0));
  }

  /** Who should get the addresses at once when we are worth only so much. */
  #outranking(value: Priority, now: Instant): { resign?: IpAddress } {
    const { resignMemory } = this.#config;
    if (resignMemory === undefined || this.#source === undefined) return {};
    const resign = this.peers.outranking(value, this.#source, resignMemory, now);
    return resign === undefined ? {} : { resign };
  }

  #applyPriority(now: Instant, before = this.router.effectivePriority): void {
    const value = this.#worth;
    if (value !== this.router.effectivePriority)
      this.feed({ type: 'priority', value, ...this.#outranking(value, now) }, now);
    if (before !== this.router.effectivePriority && this.router.state !== 'INIT') this.#host.priorityChanged(this);
  }
}
