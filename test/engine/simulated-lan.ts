// Whole engines on a simulated segment in virtual time: the production code from the loop inwards, fakes outside.
// One clock for all; a packet arrives when its delay has passed; nothing waits for real.
import { diffConfigurations } from '../../core/config/diff.ts';
import type { Configuration, InstanceConfig } from '../../core/config/model.ts';
import { Engine, type EngineDependencies, type Inbox } from '../../core/engine/engine.ts';
import { LeaseHolder, LeaseWatch, leaseMemory } from '../../core/engine/lease.ts';
import type { EngineCommand, EngineConfig, EngineEvent, TrackVerdict } from '../../core/engine/messages.ts';
import { formatIp, type IpAddress, type MacAddress } from '../../core/net/address.ts';
import type { AddressRecord } from '../../core/net/rtnetlink.ts';
import type {
  Datagram,
  FrameTap,
  FrameTapSpec,
  LinkInfo,
  Pollable,
  RouteMonitor,
  VrrpSocket,
} from '../../core/ports/engine-io.ts';
import { after, type Instant, instant, type Micros, micros, seconds } from '../../core/units.ts';
import type { BindOutcome, LocalProvider } from '../../core/vip/local-provider.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';
import { runFilter } from '../support/bpf-machine.ts';
import { randomFrom } from '../support/simulated-chance.ts';
import { DatagramWire, SimulatedDatagrams } from '../support/simulated-datagrams.ts';
import { FakeRoutes } from './fake-routes.ts';

/** One advert as it passed the segment. */
export interface Sent {
  readonly at: Instant;
  readonly node: SimulatedNode;
  readonly vrid: number;
  readonly priority: number;
}

export class SimulatedLan {
  now: Instant = seconds(1_000) as number as Instant;
  readonly nodes: SimulatedNode[] = [];
  readonly sent: Sent[] = [];
  /** Loses packets for which it is true. */
  loses: (from: SimulatedNode, to: SimulatedNode, vrid: number) => boolean = () => false;
  delay: Micros = micros(50);
  /** What carries UDP. */
  readonly wire = new DatagramWire(() => this.now);
  readonly #start = this.now;

  add(address: string): SimulatedNode {
    const node = new SimulatedNode(this, address as IpAddress);
    this.nodes.push(node);
    return node;
  }

  /** Microseconds since the beginning. */
  get elapsed(): number {
    return this.now - this.#start;
  }

  carry(from: SimulatedNode, packet: Uint8Array, destination: IpAddress): void {
    this.sent.push({ at: this.now, node: from, vrid: packet[21]!, priority: packet[22]! });
    for (const to of this.nodes) {
      if (to === from || this.loses(from, to, packet[21]!) || !from.link.running || !to.link.running) continue;
      if (destination === to.address || to.groups.has(destination)) to.deliver(packet, after(this.now, this.delay));
    }
  }

  /** Lets time pass. */
  run(duration: Micros): void {
    this.runUntil(() => false, duration);
  }

  /** Lets time pass until something holds; whether it did within the limit. */
  runUntil(condition: () => boolean, limit: Micros): boolean {
    const end = after(this.now, limit);
    for (;;) {
      if (condition()) return true;
      const next = Math.min(...this.nodes.map((node) => node.wake));
      if (next > end) break;
      if (next > this.now) this.now = instant(next);
      for (const node of this.nodes) if (node.wake <= this.now) node.turn();
    }
    this.now = end;
    return condition();
  }
}

interface SimulatedTap extends FrameTap {
  readonly spec: FrameTapSpec;
  readonly frames: Uint8Array[];
}

export class SimulatedNode {
  readonly lan: SimulatedLan;
  readonly address: IpAddress;
  readonly events: EngineEvent[] = [];
  readonly kernel = new Map<
    string,
    { readonly vip: VirtualIp; lifetime: number | 'forever'; boundAt: Instant; marked?: boolean }
  >();
  /** Addresses announced, with the time. */
  readonly announced: { readonly at: Instant; readonly address: IpAddress; readonly repeat: number }[] = [];
  /** When it asked the network who holds an address. */
  readonly asked: { readonly at: Instant; readonly address: IpAddress }[] = [];
  link: LinkInfo = {
    index: 2,
    name: 'eth0',
    mac: '02:00:00:00:00:01' as MacAddress,
    mtu: 1500,
    running: true,
    loopback: false,
  };
  /** How long the machine had run when the simulation began, µs; what a suspension adds to the boot clock alone. */
  upBefore = 86_400_000_000;
  slept = 0;
  readonly datagrams: SimulatedDatagrams;
  /** Whether the source address of adverts is there. */
  hasAddress = true;
  /** How far the wall clock is wrong, ms. */
  wallStep = 0;
  /** Groups whose packets it hears; why it can open no socket, or join no group but these. */
  readonly groups = new Set<IpAddress>();
  noSocket: string | undefined;
  joinable: (group: IpAddress) => boolean = () => true;
  /** Places of its poller. */
  mostPolled = 256;
  /** Open frame taps. */
  readonly taps = new Set<SimulatedTap>();
  /** Its table of routes and rules. */
  readonly routes = new FakeRoutes();
  readonly #routeMonitor: RouteMonitor = { ready: false, receive: () => 'ok', close: () => {} };
  /** Does not run while set (SIGSTOP). */
  stopped = false;
  /** Its agent gives no sign of life while set. */
  agentHangs = false;
  #instances: readonly InstanceConfig[] = [];
  readonly #inbox: EngineCommand[] = [];
  readonly #waiting: { readonly packet: Uint8Array; readonly at: Instant }[] = [];
  readonly #removed: AddressRecord[] = [];
  #linkChanged = false;
  #overrun = false;
  #fails = false;
  #listening = false;
  readonly #bell: Inbox;
  readonly #monitor: Pollable = { ready: false };
  readonly #polled = new Set<Pollable>();
  readonly #socket: VrrpSocket;
  readonly #holder: LeaseHolder;
  readonly engine: Engine;

  constructor(lan: SimulatedLan, address: IpAddress) {
    this.lan = lan;
    this.address = address;
    this.datagrams = new SimulatedDatagrams(lan.wire, address);
    const memory = leaseMemory();
    this.#holder = new LeaseHolder(memory);
    this.#bell = { ready: false, take: () => this.#inbox.shift() };
    this.#socket = this.#makeSocket();
    const dependencies: EngineDependencies = {
      clock: {
        now: () => lan.now,
        sinceBoot: () => micros(lan.now + this.upBefore + this.slept),
      },
      wallClock: () => lan.now / 1_000 + this.wallStep,
      poller: {
        add: (source) => {
          if (this.#polled.size >= this.mostPolled) throw new RangeError('too many sources to poll');
          this.#polled.add(source);
        },
        remove: (source) => void this.#polled.delete(source),
        wait: () => this.#poll(),
      },
      network: {
        vrrpSocket: () => {
          if (this.noSocket !== undefined) throw new Error(this.noSocket);
          this.#listening = true;
          return this.#socket;
        },
        frameSocket: () => unused(),
        frameTap: (spec) => this.#tap(spec),
        routeSocket: () => unused(),
        routeMonitor: () => this.#routeMonitor,
      },
      links: {
        get: (name) => (name === 'eth0' ? { ...this.link, up: true, carrier: true } : undefined),
        primaryAddress: (name) => (name === 'eth0' ? this.address : undefined),
        hasAddress: (wanted) => wanted === this.address && this.hasAddress,
        update: () => {
          const removed = this.#removed.splice(0);
          const interfaces = new Set(this.#linkChanged ? ['eth0'] : []);
          const overrun = this.#overrun;
          this.#linkChanged = this.#overrun = this.#monitor.ready = false;
          return { interfaces, removed, overrun };
        },
      },
      datagrams: this.datagrams,
      random: randomFrom(lan.nodes.length).next,
      monitor: this.#monitor,
      provider: this.#makeProvider(),
      routes: this.routes,
      lease: new LeaseWatch(memory, seconds(10), lan.now),
      inbox: this.#bell,
      post: (event) => this.events.push(event),
    };
    this.engine = new Engine(dependencies);
  }

  /** When it will do something by itself; Infinity while stopped or ended. */
  get wake(): number {
    if (this.stopped || this.engine.done) return Number.POSITIVE_INFINITY;
    if (this.#inbox.length > 0 || this.#monitor.ready) return this.lan.now;
    for (const tap of this.taps) if (tap.frames.length > 0 && this.#polled.has(tap)) return this.lan.now;
    return Math.min(this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY, this.datagrams.next, this.engine.wake);
  }

  turn(): void {
    if (!this.agentHangs) this.#holder.renew(this.lan.now);
    this.engine.turn();
  }

  send(command: EngineCommand): void {
    this.#inbox.push(command);
  }

  configure(
    instances: readonly InstanceConfig[],
    options: Partial<EngineConfig> & { verdicts?: readonly TrackVerdict[] } = {},
  ): void {
    const { verdicts = [], ...rest } = options;
    const { added, changed, removed } = diffConfigurations(
      configurationOf(this.#instances),
      configurationOf(instances),
    );
    this.#instances = instances;
    const config: EngineConfig = {
      added,
      changed: changed.map(({ before, after: wanted }) => ({ name: before.name, config: wanted })),
      removed: removed.map(({ name }) => name),
      groups: [],
      addressLifetime: true,
      leaseTime: seconds(3),
      ...rest,
    };
    this.send({ type: 'configure', config, verdicts });
  }

  deliver(packet: Uint8Array, at: Instant): void {
    if (this.#listening) this.#waiting.push({ packet, at });
  }

  setLink(running: boolean): void {
    this.link = { ...this.link, running };
    this.#linkChanged = this.#monitor.ready = true;
  }

  /** The address that adverts come from goes or comes back. */
  setAddress(present: boolean): void {
    this.hasAddress = present;
    this.#linkChanged = this.#monitor.ready = true;
  }

  /** Somebody else removes an address; untold: just when the kernel has more to tell than is read. */
  steal(address: string, { told } = { told: true }): void {
    const entry = this.kernel.get(address);
    if (entry === undefined) throw new Error(`${address} is not bound`);
    this.kernel.delete(address);
    if (!told) {
      this.overrun();
      return;
    }
    this.#removed.push({ index: 2, address: entry.vip.address, prefix: entry.vip.prefix } as AddressRecord);
    this.#monitor.ready = true;
  }

  /** The kernel had more to tell than was read. */
  overrun(): void {
    this.#overrun = this.#monitor.ready = true;
  }

  /** The kernel's address table, with expired lifetimes gone. */
  holds(address: string): boolean {
    const entry = this.kernel.get(address);
    if (entry === undefined) return false;
    return entry.lifetime === 'forever' || this.lan.now < entry.boundAt + seconds(entry.lifetime);
  }

  get transitions(): readonly Extract<EngineEvent, { type: 'transition' }>[] {
    return this.events.filter((event) => event.type === 'transition');
  }

  /** The state of an instance by what was told of it. */
  state(instance = 'VI_1'): string {
    return this.transitions.findLast((event) => event.instance === instance)?.to ?? 'INIT';
  }

  /** A frame arrives, from the destination MAC on. */
  frame(bytes: Uint8Array): void {
    for (const tap of this.taps) {
      const { etherType, filter } = tap.spec;
      const type = (bytes[12]! << 8) | bytes[13]!;
      if ((etherType === 'all' || etherType === type) && runFilter(filter, bytes) > 0) tap.frames.push(bytes);
    }
  }

  /** The next wait meets a bug. */
  failNext(): void {
    this.#fails = true;
  }

  #tap(spec: FrameTapSpec): FrameTap {
    const frames: Uint8Array[] = [];
    const tap: SimulatedTap = {
      spec,
      frames,
      ready: false,
      receive: (sink, limit) => {
        const taken = frames.splice(0, limit);
        for (const frame of taken) sink(frame);
        tap.ready = frames.length > 0;
        return taken.length;
      },
      close: () => void this.taps.delete(tap),
    };
    this.taps.add(tap);
    return tap;
  }

  #poll(): void {
    for (const tap of this.taps) if (tap.frames.length > 0 && this.#polled.has(tap)) tap.ready = true;

    this.datagrams.poll();
    if (this.#fails) throw new Error('a bug');
    if (this.#inbox.length > 0) this.#bell.ready = true;
    if ((this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= this.lan.now) this.#socket.ready = true;
  }

  #makeSocket(): VrrpSocket {
    const queue: { packet: Uint8Array; destination: IpAddress }[] = [];
    const socket: VrrpSocket = {
      ready: false,
      join: (group) => {
        if (!this.joinable(group)) throw new Error('ENOBUFS');
        this.groups.add(group);
      },
      leave: (group) => void this.groups.delete(group),
      receive: (sink, limit) => {
        let n = 0;
        for (; n < limit && (this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= this.lan.now; n++) {
          const { packet, at } = this.#waiting.shift()!;
          sink(datagramOf(packet, at));
        }
        socket.ready = false;
        return n;
      },
      queue: (packet, destination) => void queue.push({ packet: packet.slice(), destination }),
      flush: () => {
        for (const { packet, destination } of queue.splice(0)) this.lan.carry(this, packet, destination);
        return [];
      },
      close: () => {
        this.#listening = false;
        this.groups.clear();
        this.#waiting.length = 0;
      },
    };
    return socket;
  }

  #makeProvider(): LocalProvider {
    const bind = (vips: readonly VirtualIp[], lifetime: number | 'forever'): BindOutcome[] =>
      vips.map((vip) => {
        const outcome = this.kernel.has(vip.address) ? 'present' : 'bound';
        this.kernel.set(vip.address, { vip, lifetime, boundAt: this.lan.now, marked: true });
        return { vip, outcome };
      });
    return {
      bind,
      renew: bind,
      unbind: (vips) => vips.map((vip) => ({ vip, outcome: this.kernel.delete(vip.address) ? 'removed' : 'absent' })),
      ask: ({ address }) => {
        this.asked.push({ at: this.lan.now, address });
      },
      announce: (vips, repeat) => {
        for (const { address } of vips) this.announced.push({ at: this.lan.now, address, repeat });
        return vips.length * repeat;
      },
      leftovers: (vips, markedOnly) =>
        vips.filter(({ address }) => this.kernel.has(address) && (!markedOnly || this.kernel.get(address)?.marked)),
      observe: (vips) => vips.filter((vip) => this.kernel.has(vip.address)),
    };
  }
}

function datagramOf(packet: Uint8Array, arrival: Instant): Datagram {
  return {
    payload: packet.subarray(20),
    header: packet.subarray(0, 20),
    source: formatIp(packet, 12, 4),
    destination: formatIp(packet, 16, 4),
    ttl: packet[8]!,
    arrival,
  };
}

function unused(): never {
  throw new Error('the simulated machine has no such socket');
}

const configurationOf = (instances: readonly InstanceConfig[]) => ({ instances }) as Configuration;
