// What can be known of a run from outside: states as they were told, adverts and announcements as they were sent and
// heard, addresses as the kernels have them. Keeps since when what holds; the invariants judge it.
import type { EngineEvent } from '../../core/engine/messages.ts';
import type { IpAddress } from '../../core/net/address.ts';
import type { SimulatedMachine } from '../support/simulated-machine.ts';
import type { SimulatedSwitch, Wire, WirePacket } from '../support/simulated-switch.ts';
import { type Bounds, boundsOf } from './bounds.ts';
import { instanceName } from './scenario.ts';
import type { World } from './world.ts';

export type Transition = Extract<EngineEvent, { readonly type: 'transition' }>;

/** One machine's part in one slot. */
export interface Part {
  state: Transition['to'];
  priority: number;
  /** When it entered its state; when it last came out of INIT or FAULT. */
  since: number;
  listeningSince: number;
  /** When the last advert arrived that has to keep it in BACKUP; −Infinity: none since it is there. */
  heededAt: number;
  /** When a goodbye last arrived; and an advert that it discards since it is better itself. */
  goodbyeAt: number;
  worseAt: number;
  /** Adverts that have arrived and that the process has not looked at yet. */
  readonly waiting: { readonly at: number; readonly priority: number }[];
}

/** What is true of one slot. */
export interface SlotView {
  readonly index: number;
  readonly bounds: Bounds;
  masters: readonly number[];
  dualSince: number | undefined;
  dualEnded: number;
  noneSince: number | undefined;
  soleSince: number | undefined;
  readonly announcedBy: Map<IpAddress, number>;
  /** By machine: when it announced last, and when each other one last heard an advert or announcement of it since. */
  readonly announcedAt: number[];
  readonly rivalHeard: number[][];
  /** The adverts of the present peace: whose, since when. */
  cadence: { readonly master: number; readonly first: number } | undefined;
  /** Somebody else has to be master of it by then. */
  successor: { readonly leaving: number; readonly until: number } | undefined;
}

/** An advert or announcement that left in the present turn. */
export interface Sent {
  readonly network: SimulatedSwitch;
  readonly message: Wire;
}

const NEVER = Number.NEGATIVE_INFINITY;
const MINUTE = 60_000_000;

export class View {
  readonly world: World;
  readonly slots: readonly SlotView[];
  /** By machine, then by slot. */
  readonly parts: readonly (readonly Part[])[];
  readonly killedAt: number[];
  /** Until when a machine's kernel is excused for what it has or lacks. */
  readonly excusedUntil: number[];
  /** What the machine in turn has sent. */
  readonly outgoing: Sent[] = [];
  /** Its transitions in this turn, and those of its group. */
  transitions = 0;
  groupTransitions = 0;
  /** By machine: when its engine told lines for the log and drops, within the minute up to now. */
  readonly lines: readonly number[][];
  readonly #slotOf = new Map<string, number>();
  /** By machine, slot and sender: the latest advert that has arrived, by its order on the wire. */
  readonly #latest: readonly number[][][];

  constructor(world: World) {
    this.world = world;
    const { scenario } = world;
    this.slots = scenario.slots.map((_, index) => ({
      index,
      bounds: boundsOf(scenario, index),
      masters: [],
      dualSince: undefined,
      dualEnded: NEVER,
      noneSince: world.now,
      soleSince: undefined,
      announcedBy: new Map(),
      announcedAt: scenario.seats.map(() => NEVER),
      rivalHeard: scenario.seats.map(() => scenario.seats.map(() => NEVER)),
      cadence: undefined,
      successor: undefined,
    }));
    this.parts = scenario.seats.map((seats) =>
      seats.map(({ priority }) => ({
        state: 'INIT',
        priority,
        since: world.now,
        listeningSince: world.now,
        heededAt: NEVER,
        goodbyeAt: NEVER,
        worseAt: NEVER,
        waiting: [],
      })),
    );
    this.killedAt = scenario.seats.map(() => NEVER);
    this.lines = scenario.seats.map(() => []);
    this.excusedUntil = scenario.seats.map(() => NEVER);
    this.#latest = scenario.seats.map((seats) => seats.map(() => []));
    for (const slot of scenario.slots.keys()) this.#slotOf.set(instanceName(slot), slot);
  }

  slotNamed(instance: string): number {
    return this.#slotOf.get(instance)!;
  }

  /** A machine's kernel refused something: until the next renewals, or the end of lifetimes, it may differ. */
  excuse(machine: SimulatedMachine): void {
    const longest = Math.max(...this.slots.map(({ bounds }) => bounds.zombie));
    this.excusedUntil[machine.index] = this.world.now + longest;
  }

  /** A machine's engine told something for the log. */
  wrote(machine: SimulatedMachine): void {
    const lines = this.lines[machine.index]!;
    while (lines.length > 0 && lines[0]! <= this.world.now - MINUTE) lines.shift();
    lines.push(this.world.now);
  }

  /** One leaves with a word: at this moment at the latest another one is master. */
  expectSuccessor(slot: number, leaving: number, until: number): void {
    this.slots[slot]!.successor = { leaving, until };
  }

  /** Microseconds of peace. */
  get quiet(): number {
    return this.world.now - this.world.quietSince;
  }

  /** A machine ended: by itself, or killed. */
  ended(machine: SimulatedMachine): void {
    for (const part of this.parts[machine.index]!) part.waiting.length = 0;
    this.killedAt[machine.index] = this.world.now;
    for (const [slot, part] of this.parts[machine.index]!.entries()) {
      part.state = 'INIT';
      part.since = this.world.now;
      this.#count(slot);
    }
  }

  moved(machine: SimulatedMachine, { instance, from, to, priority }: Transition): void {
    const slot = this.slotNamed(instance);
    const part = this.parts[machine.index]![slot]!;
    part.state = to;
    part.priority = priority;
    part.since = this.world.now;
    if (to === 'BACKUP') part.heededAt = part.goodbyeAt = part.worseAt = NEVER;
    if (from === 'INIT' || from === 'FAULT') part.listeningSince = this.world.now;
    this.#count(slot);
  }

  /** An advert reached a socket of a machine. */
  heard(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void {
    if (message.kind !== 'packet') return;
    const slot = this.slotOf(network, message);
    if (slot === undefined) return;
    const part = this.parts[machine.index]![slot]!;
    const priority = priorityIn(message.bytes);
    const sender = this.world.machineOf(message.mac);
    if (sender !== undefined && priority > 0 && part.state === 'MASTER')
      this.slots[slot]!.rivalHeard[machine.index]![sender.index] = this.world.now;
    if (this.#isOvertaken(machine, slot, message, sender?.index)) return;
    part.waiting.push({ at: this.world.now, priority });
  }

  /** Where adverts are signed, one that comes after a later one of the same sender counts as a replay. */
  #isOvertaken(machine: SimulatedMachine, slot: number, { order }: WirePacket, sender: number | undefined): boolean {
    const { protection } = this.world.scenario.slots[slot]!;
    if (sender === undefined) return true;
    const latest = this.#latest[machine.index]![slot]!;
    const overtaken = protection.startsWith('hmac') && order <= (latest[sender] ?? -1);
    latest[sender] = Math.max(order, latest[sender] ?? -1);
    return overtaken;
  }

  /** A machine looks at what has arrived: what an advert means depends on its priority by then. */
  readWaiting(machine: number, slot: number): void {
    const part = this.parts[machine]![slot]!;
    for (const { at, priority } of part.waiting) {
      if (priority === 0) part.goodbyeAt = at;
      else if (priority >= part.priority || !this.world.scenario.seats[machine]![slot]!.preempt) part.heededAt = at;
      else part.worseAt = at;
    }
    part.waiting.length = 0;
  }

  /** The slot that an advert is about; undefined: none, or it is no advert. */
  slotOf(network: SimulatedSwitch, message: Wire): number | undefined {
    if (message.kind !== 'packet') return undefined;
    const vrid = message.bytes[headerLength(message.bytes) + 1];
    const { slots } = this.world.scenario;
    const at = this.world.switches.indexOf(network);
    const found = slots.findIndex((slot) => slot.vrid === vrid && slot.network === at);
    return found < 0 ? undefined : found;
  }

  /** Whether a machine could be master of a slot, by its own account. */
  isEligible(machine: number, slot: number): boolean {
    const able = (part: Part): boolean => part.state === 'BACKUP' || part.state === 'MASTER';
    const parts = this.parts[machine]!;
    if (!this.world.machines[machine]!.running) return false;
    return this.world.scenario.grouped ? parts.every(able) : able(parts[slot]!);
  }

  #count(index: number): void {
    const { now } = this.world;
    const slot = this.slots[index]!;
    const masters: number[] = [];
    for (const [machine, parts] of this.parts.entries()) if (parts[index]!.state === 'MASTER') masters.push(machine);
    const same = masters.length === slot.masters.length && masters.every((each, i) => each === slot.masters[i]);
    slot.masters = masters;
    if (same) return;
    if (masters.length > 1) slot.dualSince ??= now;
    else {
      if (slot.dualSince !== undefined) slot.dualEnded = now;
      slot.dualSince = undefined;
    }
    slot.noneSince = masters.length === 0 ? (slot.noneSince ?? now) : undefined;
    slot.soleSince = masters.length === 1 ? now : undefined;
  }
}

const AH = 51;
const AH_LENGTH = 24;

/** Where the advert begins. */
export function headerLength(bytes: Uint8Array): number {
  if (bytes[0]! >> 4 !== 4) return 40;
  return (bytes[0]! & 15) * 4 + (bytes[9] === AH ? AH_LENGTH : 0);
}

export const priorityIn = (bytes: Uint8Array): number => bytes[headerLength(bytes) + 2]!;
