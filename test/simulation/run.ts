// Runs one scenario and says what went wrong, when, and what led to it.
import type { EngineEvent } from '../../core/engine/messages.ts';
import type { SimulatedMachine } from '../support/simulated-machine.ts';
import type { SimulatedSwitch, Wire } from '../support/simulated-switch.ts';
import { Finale } from './finale.ts';
import { plan } from './injection.ts';
import { SLOT_INVARIANTS, TRANSITION_INVARIANTS, TURN_INVARIANTS } from './invariants.ts';
import type { Scenario } from './scenario.ts';
import { priorityIn, View } from './view.ts';
import { type Witness, World } from './world.ts';

/** An invariant that does not hold. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export interface RunOptions {
  /** Keep a line for each thing that happens; `adverts`: for each packet, too. */
  readonly trace?: 'events' | 'adverts';
  /** Things that must change nothing: steps of the wall clock, reloads of the same file, packets without authority. */
  readonly harmless?: boolean;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  /** A number for everything that was sent and told, and when. */
  readonly digest: number;
  readonly turns: number;
  /** Microseconds. */
  readonly simulated: number;
}

export function run(scenario: Scenario, options: RunOptions = {}): Outcome {
  const world = new World(scenario);
  const witness = new Judge(world, options);
  world.witness = witness;
  const outcome = (violation: Violation | undefined): Outcome => ({
    violation,
    trace: witness.trace,
    digest: witness.digest,
    turns: witness.turns,
    simulated: world.elapsed,
  });
  try {
    plan(world, scenario.faults, witness.tell);
    new Finale(world, witness.view, witness.tell, options.harmless === true).play();
    return outcome(undefined);
  } catch (error) {
    if (error instanceof Violation) {
      witness.tell(`VIOLATION ${error.message}`);
      return outcome(error);
    }
    throw error;
  }
}

/** Clients send, and the announcements are compared, this often, in microseconds at least. */
const SAMPLE = 2_000;
const SAMPLED = new Set(['clients reach the master', 'the last announcement is the winner’s']);

class Judge implements Witness {
  readonly view: View;
  readonly trace: string[] = [];
  digest = 0;
  turns = 0;
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #steady = Object.entries(SLOT_INVARIANTS).filter(([name]) => !SAMPLED.has(name));
  readonly #sampled = Object.entries(SLOT_INVARIANTS).filter(([name]) => SAMPLED.has(name));
  readonly #turn = Object.entries(TURN_INVARIANTS);
  readonly #transition = Object.entries(TRANSITION_INVARIANTS);
  #nextSample = 0;

  constructor(world: World, options: RunOptions) {
    this.#world = world;
    this.#options = options;
    this.view = new View(world);
  }

  readonly tell = (text: string): void => {
    if (this.#options.trace === undefined) return;
    this.trace.push(`${(this.#world.elapsed / 1_000).toFixed(3).padStart(12)} ms  ${text}`);
  };

  masterOf(slot: number): number | undefined {
    return this.view.slots[slot]!.masters[0];
  }

  started(machine: SimulatedMachine): void {
    this.tell(`${machine.name} starts`);
    for (const [slot, part] of this.view.parts[machine.index]!.entries())
      part.priority = this.#world.scenario.seats[machine.index]![slot]!.priority;
  }

  killed(machine: SimulatedMachine): void {
    this.tell(`${machine.name} is killed`);
    this.view.ended(machine);
  }

  told(machine: SimulatedMachine, event: EngineEvent): void {
    switch (event.type) {
      case 'transition': {
        const { instance, from, to, why, detail } = event;
        this.tell(`${machine.name} ${instance} ${from} → ${to} (${why}: ${detail})`);
        this.#mix(from.length * 31 + to.length * 7 + why.length, machine.index);
        if (from === 'BACKUP') this.view.readWaiting(machine.index, this.view.slotNamed(instance));
        for (const [name, invariant] of this.#transition) refuse(name, invariant(this.view, machine, event));
        this.view.moved(machine, event);
        this.view.transitions++;
        break;
      }
      case 'priority-changed':
        this.tell(`${machine.name} ${event.instance} has priority ${event.priority}`);
        this.view.parts[machine.index]![this.view.slotNamed(event.instance)]!.priority = event.priority;
        break;
      case 'group-transition':
        this.tell(`${machine.name} ${event.group} ${event.from} → ${event.to}`);
        this.view.groupTransitions++;
        break;
      case 'failed':
        throw new Violation('no engine gives up', event.error);
      case 'log':
        this.view.wrote(machine);
        this.tell(`${machine.name} ${event.level}: ${event.text}`);
        if (event.level === 'error') this.view.excuse(machine);
        break;
      case 'drop':
        this.view.wrote(machine);
        this.tell(`${machine.name} drops ${event.count} from ${event.source}: ${event.why}`);
        break;
      default:
        if (event.type !== 'lower-priority-heard') this.tell(`${machine.name} ${JSON.stringify(event)}`);
    }
  }

  sent(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void {
    this.view.outgoing.push({ network, message });
    this.#mix(message.bytes[message.bytes.length - 1]! + message.bytes.length, machine.index);
    if (message.kind === 'frame' && message.announces !== undefined) {
      for (const { announcedBy, announcedAt, index } of this.view.slots)
        if (this.#world.scenario.slots[index]!.vips.includes(message.announces)) {
          announcedBy.set(message.announces, machine.index);
          announcedAt[machine.index] = this.#world.now;
        }
      if (this.#options.trace !== undefined) this.tell(`${machine.name} announces ${message.announces}`);
    } else if (this.#options.trace === 'adverts' && message.kind === 'packet')
      this.tell(
        `${machine.name} advertises ${this.view.slotOf(network, message)} with ${priorityIn(message.bytes)} to ${message.destination}`,
      );
  }

  heard(machine: SimulatedMachine, network: SimulatedSwitch, message: Wire): void {
    this.view.heard(machine, network, message);
  }

  turned(machine: SimulatedMachine): void {
    this.turns++;
    if (!machine.running) {
      this.tell(`${machine.name} has ended`);
      this.view.ended(machine);
    }
    for (const slot of this.#world.scenario.slots.keys()) this.view.readWaiting(machine.index, slot);
    for (const [name, invariant] of this.#turn) refuse(name, invariant(this.view, machine));
    this.view.outgoing.length = 0;
    this.view.transitions = this.view.groupTransitions = 0;
  }

  looked(): void {
    const { view } = this;
    for (const slot of view.slots) for (const [name, invariant] of this.#steady) refuse(name, invariant(view, slot));
    if (this.#world.now < this.#nextSample) return;
    this.#nextSample = this.#world.now + Math.max(SAMPLE, this.view.slots[0]!.bounds.dual / 8);
    for (const slot of view.slots) for (const [name, invariant] of this.#sampled) refuse(name, invariant(view, slot));
  }

  #mix(a: number, b: number): void {
    this.digest = Math.imul(this.digest ^ Math.round(this.#world.elapsed), 0x01000193) + a;
    this.digest = Math.imul(this.digest ^ b, 0x01000193) | 0;
  }
}

function refuse(invariant: string, wrong: string | undefined): void {
  if (wrong !== undefined) throw new Violation(invariant, wrong);
}
