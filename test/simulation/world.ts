// The simulated world: one clock, switches, machines with production engines, clients; and what the outside does to
// them. Nothing waits for real: time jumps to whatever comes next. Judges nothing; tells the witness everything.
import type { EngineEvent } from '../../core/engine/messages.ts';
import { BROADCAST_MAC, type IpAddress, ip, type MacAddress } from '../../core/net/address.ts';
import { encodeArp } from '../../core/net/arp.ts';
import { hashed, type Random, randomFrom } from '../support/simulated-chance.ts';
import { SimulatedClient } from '../support/simulated-client.ts';
import { SimulatedMachine } from '../support/simulated-machine.ts';
import { SimulatedSwitch, type Wire } from '../support/simulated-switch.ts';
import { Agenda } from './agenda.ts';
import { CHATTER } from './bounds.ts';
import type { Target } from './faults.ts';
import { instanceName, instanceOf, ownAddress, type Scenario } from './scenario.ts';

/** Sees everything; throws when it must not be. */
export interface Witness {
  started(machine: SimulatedMachine): void;
  killed(machine: SimulatedMachine): void;
  told(machine: SimulatedMachine, event: EngineEvent): void;
  sent(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void;
  heard(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void;
  /** A machine's turn is over. */
  turned(machine: SimulatedMachine): void;
  /** Something has happened, at any rate time has passed. */
  looked(): void;
  /** Who is master of a slot now, by the number of the machine. */
  masterOf(slot: number): number | undefined;
}

/** What a machine's file and its checks say at present. */
interface Circumstances {
  priority: number | undefined;
  readonly more: (readonly IpAddress[])[];
  readonly failing: number[];
  adjustment: number;
}

const NOBODY = ip('192.0.2.1');
const GATEWAY = ip('192.0.2.254');
const START = 1_000_000_000;
const BOOT_WALL_CLOCK = 1_700_000_000_000;

export class World {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly switches: readonly SimulatedSwitch[];
  readonly machines: readonly SimulatedMachine[];
  /** By network. */
  readonly clients: readonly (readonly SimulatedClient[])[];
  readonly agenda = new Agenda();
  now = START;
  /** Milliseconds by which the wall clocks are off. */
  wallClockStep = 0;
  witness!: Witness;
  /** Hears everything that is said on a network, from a port of its own. */
  wiretap: ((network: number, message: Wire) => void) | undefined;
  /** Since when nothing from outside disturbs; Infinity while something does. */
  quietSince = START;
  #disturbances = 0;
  readonly #circumstances: readonly Circumstances[];
  readonly #owner = new Map<MacAddress, SimulatedMachine>();

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.random = randomFrom(scenario.seed ^ 0x5eed);
    const host = {
      random: this.random,
      later: (delay: number, run: () => void) => this.agenda.add(this.now + delay, run),
    };
    this.switches = scenario.delays.map((delay, i) => new SimulatedSwitch(`net${i}`, delay, host));
    this.machines = scenario.seats.map((_, machine) => this.#makeMachine(machine));
    this.#circumstances = scenario.seats.map((seats) => ({
      priority: undefined,
      more: seats.map(() => []),
      failing: seats.map(() => 0),
      adjustment: 0,
    }));
    this.clients = this.switches.map((network) =>
      Array.from({ length: scenario.clients }, (_, n) => this.#makeClient(network, n)),
    );
    for (const [i, network] of this.switches.entries())
      network.attach({ name: 'wiretap', receive: (message) => this.wiretap?.(i, message) }, []);
    for (const [machine, at] of scenario.boot.entries()) this.agenda.add(START + at, () => this.start(machine));
  }

  /** Microseconds since the beginning. */
  get elapsed(): number {
    return this.now - START;
  }

  // MachineWorld.

  wallClock(): number {
    return BOOT_WALL_CLOCK + this.wallClockStep + Math.floor(this.now / 1_000);
  }

  lateness(machine: SimulatedMachine, at: number): number {
    const { lateness, seed } = this.scenario;
    return lateness === 0 ? 0 : lateness * hashed(seed, machine.index, at);
  }

  noise(machine: SimulatedMachine, at: number): number {
    return hashed(this.scenario.seed, 1_000 + machine.index, at);
  }

  told(machine: SimulatedMachine, event: EngineEvent): void {
    this.witness.told(machine, event);
  }

  sent(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void {
    this.witness.sent(machine, network, message);
  }

  heard(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void {
    this.witness.heard(machine, network, message);
  }

  // Time.

  /** Lets time pass until so many microseconds after the beginning. */
  runUntil(elapsed: number): void {
    const end = START + elapsed;
    for (;;) {
      let next = this.agenda.next;
      let machine: SimulatedMachine | undefined;
      let expiring: SimulatedMachine | undefined;
      for (const each of this.machines) {
        if (each.kernel.nextExpiry < next) {
          next = each.kernel.nextExpiry;
          expiring = each;
          machine = undefined;
        }
        if (each.due < next) {
          next = each.due;
          machine = each;
          expiring = undefined;
        }
      }
      if (next > end) break;
      if (next > this.now) this.now = next;
      if (machine !== undefined) {
        machine.turn();
        this.witness.turned(machine);
      } else if (expiring !== undefined) expiring.kernel.expire();
      else this.agenda.runNext();
      this.witness.looked();
    }
    this.now = end;
    this.witness.looked();
  }

  // Disturbances.

  /** Something from outside happens now. */
  touch(): void {
    if (this.#disturbances === 0) this.quietSince = this.now;
  }

  /** Something from outside lasts until `settle`. */
  disturb(): void {
    this.#disturbances++;
    this.quietSince = Number.POSITIVE_INFINITY;
  }

  /** @param echo microseconds for which it may still have consequences on the wire */
  settle(echo = 0): void {
    this.#disturbances--;
    if (this.#disturbances > 0) return;
    if (echo > 0) {
      this.#disturbances++;
      this.agenda.add(this.now + echo, () => this.settle());
    } else this.quietSince = this.now;
  }

  // What the outside does.

  target(target: Target): number {
    if ('machine' in target) return target.machine;
    return this.witness.masterOf(target.masterOf) ?? 0;
  }

  start(machine: number): void {
    const each = this.machines[machine]!;
    if (each.running) this.kill(machine);
    this.touch();
    each.start(this.#instances(machine), this.#groups(), this.#verdicts(machine));
    this.witness.started(each);
  }

  kill(machine: number): void {
    const each = this.machines[machine]!;
    if (!each.running) return;
    this.touch();
    each.kill();
    this.witness.killed(each);
  }

  stop(machine: number, immediate: boolean): void {
    if (!this.machines[machine]!.running) return;
    this.touch();
    this.machines[machine]!.command({ type: 'stop', immediate });
  }

  /** The machine's file is read again, perhaps with changes. */
  reload(machine: number): void {
    this.machines[machine]!.configure(this.#instances(machine), this.#groups(), this.#verdicts(machine));
  }

  setPriority(machine: number, priority: number | undefined): void {
    this.touch();
    this.#circumstances[machine]!.priority = priority;
    this.reload(machine);
  }

  setMoreAddresses(machine: number, slot: number, more: readonly IpAddress[]): void {
    this.touch();
    this.#circumstances[machine]!.more[slot] = more;
    this.reload(machine);
  }

  /** A check of a slot begins (+1) or ceases (−1) to fail. */
  changeFault(machine: number, slot: number, change: 1 | -1): void {
    this.touch();
    this.#circumstances[machine]!.failing[slot]! += change;
    this.#track(machine, slot);
  }

  changeWeight(machine: number, change: number): void {
    this.touch();
    this.#circumstances[machine]!.adjustment += change;
    for (const slot of this.scenario.slots.keys()) this.#track(machine, slot);
  }

  /** Every address that a machine's configuration has for a slot now. */
  addressesOf(machine: number, slot: number): readonly IpAddress[] {
    return [...this.scenario.slots[slot]!.vips, ...this.#circumstances[machine]!.more[slot]!];
  }

  machineOf(mac: MacAddress): SimulatedMachine | undefined {
    return this.#owner.get(mac);
  }

  #track(machine: number, slot: number): void {
    this.machines[machine]!.command({ type: 'track', verdict: this.#verdicts(machine)[slot]! });
  }

  #verdicts(machine: number) {
    const { failing, adjustment } = this.#circumstances[machine]!;
    return failing.map((count, slot) => ({
      instance: instanceName(slot),
      adjustment,
      faults: count > 0 ? ['a check fails'] : [],
    }));
  }

  #instances(machine: number) {
    const { priority, more } = this.#circumstances[machine]!;
    return this.scenario.slots.map((_, slot) =>
      instanceOf(this.scenario, machine, slot, { ...(priority !== undefined && { priority }), more: more[slot]! }),
    );
  }

  #groups() {
    if (!this.scenario.grouped) return [];
    return [{ name: 'VG_1', members: this.scenario.slots.map((_, slot) => instanceName(slot)) }];
  }

  #makeMachine(machine: number): SimulatedMachine {
    const interfaces = this.switches.map((network, i) => {
      const own = ownAddress(i, machine);
      const mac = `02:00:00:00:0${i}:0${machine + 1}` as MacAddress;
      const addresses = [
        { address: own[4], prefix: 16 },
        { address: own.local, prefix: 64 },
        { address: own[6], prefix: 64 },
      ];
      return { name: `eth${i}`, network, mac, addresses };
    });
    const made = new SimulatedMachine(this, String.fromCharCode(97 + machine), machine, interfaces);
    for (const { mac } of interfaces) this.#owner.set(mac, made);
    return made;
  }

  #makeClient(network: SimulatedSwitch, n: number): SimulatedClient {
    const accepts = (machine: SimulatedMachine | undefined, address: IpAddress): boolean => {
      const own = machine?.interfaces.find((each) => each.network === network);
      if (machine === undefined || own === undefined) return false;
      const open = network.way(port, own.port).cuts === 0 && network.way(own.port, port).cuts === 0;
      return open && machine.kernel.has(address) && machine.kernel.link(own.name)?.carrier === true;
    };
    const client = new SimulatedClient(`client${n}`, {
      now: () => this.now,
      resolve: (address) => {
        const holder = this.machines.find((machine) => accepts(machine, address));
        return holder?.interfaces.find((each) => each.network === network)?.mac;
      },
      reaches: (mac, address) => accepts(this.machineOf(mac), address),
    });
    const port = network.attach(client, []);
    this.#chatter(network, port, `02:00:00:00:ff:0${n}` as MacAddress);
    return client;
  }

  /** Hosts ask for one another all the time: who listens knows that the network is alive. */
  #chatter(network: SimulatedSwitch, port: number, mac: MacAddress): void {
    const request = {
      operation: 'request',
      senderMac: mac,
      senderIp: NOBODY,
      targetMac: mac,
      targetIp: GATEWAY,
    } as const;
    const bytes = encodeArp({ destination: BROADCAST_MAC, source: mac, arp: request });
    const every = CHATTER * Math.max(...this.scenario.seats.flat().map(({ interval }) => interval));
    const say = (): void => {
      network.transmit(port, { kind: 'frame', bytes, mac, announces: undefined, order: 0 });
      this.agenda.add(this.now + every, say);
    };
    this.agenda.add(this.now + every * this.random.next(), say);
  }
}
