// A simulated machine: a kernel, interfaces on simulated switches, and one process that runs the production engine with
// its production view of links and its production provider. Takes the time from the world; judges nothing.
import { diffConfigurations } from '../../core/config/diff.ts';
import type { Configuration, InstanceConfig } from '../../core/config/model.ts';
import { Engine, type Inbox } from '../../core/engine/engine.ts';
import { LeaseHolder, LeaseWatch, leaseMemory } from '../../core/engine/lease.ts';
import { LinkTable } from '../../core/engine/links.ts';
import type { EngineCommand, EngineEvent, TrackVerdict } from '../../core/engine/messages.ts';
import type { IpAddress, MacAddress } from '../../core/net/address.ts';
import type { Pollable } from '../../core/ports/engine-io.ts';
import { type Instant, instant, seconds } from '../../core/units.ts';
import { NetlinkProvider } from '../../providers/netlink/index.ts';
import { SimulatedKernel } from './simulated-kernel.ts';
import { type Outlet, SimulatedNetwork } from './simulated-sockets.ts';
import type { SimulatedSwitch, Wire } from './simulated-switch.ts';

/** What a machine needs of the world around it. */
export interface MachineWorld {
  readonly now: number;
  /** Milliseconds since 1970 as this machine's clock has them. */
  wallClock(machine: SimulatedMachine): number;
  /** How late a process that should run at `at` really runs, in microseconds. */
  lateness(machine: SimulatedMachine, at: number): number;
  /** 0 up to 1, the same for the same arguments. */
  noise(machine: SimulatedMachine, at: number): number;
  told(machine: SimulatedMachine, event: EngineEvent): void;
  sent(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void;
  heard(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void;
}

export interface MachineInterface {
  readonly name: string;
  readonly network: SimulatedSwitch;
  readonly mac: MacAddress;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefix: number }[];
}

interface Process {
  readonly engine: Engine;
  readonly network: SimulatedNetwork;
  readonly inbox: EngineCommand[];
  readonly holder: LeaseHolder;
  instances: readonly InstanceConfig[];
  fenced: number | undefined;
}

type Groups = readonly { readonly name: string; readonly members: readonly string[] }[];

const FIRST_INDEX = 2;
const LEASE = seconds(3);
const AGENT_BEAT = 100_000;

export class SimulatedMachine {
  readonly name: string;
  readonly index: number;
  readonly kernel: SimulatedKernel;
  readonly interfaces: readonly (MachineInterface & { readonly port: number })[];
  readonly #world: MachineWorld;
  readonly #outlets: readonly Outlet[];
  #process: Process | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** The process does not run before this moment (SIGSTOP, a paused machine). */
  stalledUntil = 0;
  /** The agent gives no sign of life while set. */
  agentHangs = false;

  constructor(world: MachineWorld, name: string, index: number, interfaces: readonly MachineInterface[]) {
    this.#world = world;
    this.name = name;
    this.index = index;
    const links = interfaces.map(({ name: link, mac }, i) => ({
      index: FIRST_INDEX + i,
      name: link,
      mac,
      carrier: true,
    }));
    this.kernel = new SimulatedKernel(
      {
        now: () => world.now,
        expiryLag: () => 250_000 * world.noise(this, world.now),
        noticed: () => this.#wakeBy(world.now),
      },
      links,
    );
    this.interfaces = interfaces.map((each, i) => {
      for (const { address, prefix } of each.addresses) this.kernel.own(address, prefix, FIRST_INDEX + i);
      const receive = (message: Wire) => this.#receive(i, message);
      const addresses = each.addresses.map(({ address }) => address);
      return { ...each, port: each.network.attach({ name, receive }, addresses) };
    });
    this.#outlets = this.interfaces.map(({ network, port, mac }, i) => ({
      ifindex: FIRST_INDEX + i,
      mac,
      carrier: () => links[i]!.carrier,
      transmit: (message) => {
        world.sent(this, network, message);
        network.transmit(port, message);
      },
      errors: 0,
    }));
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** When it wants its turn; Infinity: not by itself. */
  get due(): number {
    if (this.#process === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(this.#wakeAt, this.stalledUntil);
  }

  get isStalled(): boolean {
    return this.#process !== undefined && this.stalledUntil > this.#world.now;
  }

  /** Starts the process. */
  start(instances: readonly InstanceConfig[], groups: Groups, verdicts: readonly TrackVerdict[]): void {
    const world = this.#world;
    const memory = leaseMemory();
    const inbox: EngineCommand[] = [];
    const bell: Inbox = { ready: false, take: () => inbox.shift() };
    const network = new SimulatedNetwork(this.kernel, this.#outlets, () => instant(world.now));
    const monitor = network.routeMonitor();
    const route = network.routeSocket();
    const links = new LinkTable(monitor, route);
    const engine = new Engine({
      clock: { now: () => instant(world.now) },
      wallClock: () => world.wallClock(this),
      poller: {
        add: (source: Pollable) => network.watch(source),
        remove: (source: Pollable) => network.unwatch(source),
        wait: () => {
          if (inbox.length > 0) bell.ready = true;
        },
      },
      network,
      links,
      monitor,
      provider: new NetlinkProvider({ route, frames: network.frameSocket(), links: (name) => links.get(name) }),
      lease: new LeaseWatch(memory, LEASE, instant(world.now)),
      inbox: bell,
      post: (event) => this.#told(event),
    });
    this.#process = { engine, network, inbox, holder: new LeaseHolder(memory), instances: [], fenced: undefined };
    this.agentHangs = false;
    this.configure(instances, groups, verdicts);
  }

  /** The configuration becomes this one: at start, and at each reload. */
  configure(instances: readonly InstanceConfig[], groups: Groups, verdicts: readonly TrackVerdict[]): void {
    const process = this.#process;
    if (process === undefined) return;
    const { added, changed, removed } = diffConfigurations(
      configurationOf(process.instances),
      configurationOf(instances),
    );
    process.instances = instances;
    const config = {
      added,
      changed: changed.map(({ before, after }) => ({ name: before.name, config: after })),
      removed: removed.map(({ name }) => name),
      groups,
      addressLifetime: true,
      leaseTime: LEASE,
    };
    this.command({ type: 'configure', config, verdicts });
  }

  command(command: EngineCommand): void {
    this.#process?.inbox.push(command);
    this.#wakeBy(this.#world.now);
  }

  /** The agent is alive again; if the engine had given it up, it may go on. */
  revive(): void {
    this.agentHangs = false;
    const epoch = this.#process?.fenced;
    if (epoch !== undefined) this.command({ type: 'resume', epoch });
    if (this.#process !== undefined) this.#process.fenced = undefined;
  }

  /** kill -9: what the kernel has stays as it is. */
  kill(): void {
    this.#process = undefined;
    this.stalledUntil = 0;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.kernel.forgetMonitors();
  }

  /** The next so many flushes on an interface fail. */
  failSending(network: SimulatedSwitch, times: number): void {
    const at = this.interfaces.findIndex((each) => each.network === network);
    if (at >= 0) this.#outlets[at]!.errors = times;
  }

  turn(): void {
    const process = this.#process;
    if (process === undefined) return;
    const { now } = this.#world;
    // The agent proves that it lives ten times a second, not whenever its engine happens to run.
    if (!this.agentHangs) process.holder.renew(instant(Math.floor(now / AGENT_BEAT) * AGENT_BEAT));
    process.engine.turn();
    if (process.engine.done) this.kill();
    else {
      const wake: Instant = process.engine.wake;
      const next = process.inbox.length > 0 || process.network.readable ? now : wake < now ? now : wake;
      this.#wakeAt = next + this.#world.lateness(this, next);
    }
  }

  #told(event: EngineEvent): void {
    if (event.type === 'fenced' && this.#process !== undefined) this.#process.fenced = event.epoch;
    this.#world.told(this, event);
  }

  #receive(i: number, message: Wire): void {
    const { network } = this.interfaces[i]!;
    if (!this.kernel.links[i]!.carrier || this.#process?.network.deliver(FIRST_INDEX + i, message) !== true) return;
    this.#world.heard(this, network, message);
    this.#wakeBy(this.#world.now);
  }

  #wakeBy(at: number): void {
    if (this.#process === undefined) return;
    const late = at + this.#world.lateness(this, at);
    if (late < this.#wakeAt) this.#wakeAt = late;
  }
}

const configurationOf = (instances: readonly InstanceConfig[]) => ({ instances }) as Configuration;
