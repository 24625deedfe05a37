// The course of a run: the time of faults, the heal, then a clean loss of the master twice over, and in the end a
// while with some adverts lost, but never enough in a row. Throws nothing itself; the invariants watch.
import { skew } from './bounds.ts';
import type { Round } from './scenario.ts';
import { Strangers } from './strangers.ts';
import type { View } from './view.ts';
import type { World } from './world.ts';

/** A weight that takes any priority to its end. */
const LARGE = 300;
/** Intervals with some adverts lost. */
const MILD_INTERVALS = 20;

export class Finale {
  readonly #world: World;
  readonly #view: View;
  readonly #tell: (text: string) => void;
  /** How long until everything has settled. */
  readonly #settled: number;
  readonly #interval: number;

  constructor(world: World, view: View, tell: (text: string) => void, harmless: boolean) {
    this.#world = world;
    this.#view = view;
    this.#tell = tell;
    this.#settled = Math.max(...view.slots.map(({ bounds }) => bounds.settled));
    this.#interval = Math.max(...world.scenario.seats.flat().map(({ interval }) => interval));
    if (harmless) this.#disturbHarmlessly();
  }

  play(): void {
    const { healAt, rounds } = this.#world.scenario;
    this.#world.runUntil(healAt);
    this.#pass(this.#settled);
    for (const round of rounds) this.#lose(round);
    this.#loseSome();
  }

  #pass(duration: number): void {
    this.#world.runUntil(this.#world.elapsed + duration);
  }

  #lose(round: Round): void {
    const world = this.#world;
    const machine = this.#view.slots[0]!.masters[0] ?? 0;
    const name = `eth${world.scenario.slots[0]!.network}`;
    const { kernel } = world.machines[machine]!;
    this.#tell(`round: ${round} of ${world.machines[machine]!.name}`);
    switch (round) {
      case 'crash':
        world.kill(machine);
        this.#pass(this.#settled);
        world.start(machine);
        break;
      case 'stop':
        this.#expectSuccessors(machine);
        world.stop(machine, false);
        this.#pass(this.#settled);
        world.start(machine);
        break;
      case 'fault':
        this.#expectSuccessors(machine);
        for (const slot of world.scenario.slots.keys()) world.changeFault(machine, slot, 1);
        this.#pass(this.#settled);
        for (const slot of world.scenario.slots.keys()) world.changeFault(machine, slot, -1);
        break;
      case 'weaken':
        this.#weaken(machine);
        break;
      case 'carrier':
        world.touch();
        kernel.setCarrier(name, false);
        this.#pass(this.#settled);
        world.touch();
        kernel.setCarrier(name, true);
        break;
      case 'stall':
        world.disturb();
        world.machines[machine]!.stalledUntil = world.now + 6 * this.#interval;
        this.#pass(6 * this.#interval);
        world.settle();
        break;
    }
    this.#pass(this.#settled);
  }

  /** A master that falls below its backups is replaced after the skew alone. */
  #weaken(machine: number): void {
    const world = this.#world;
    const { seats } = world.scenario;
    const willing = seats.flat().every(({ preempt, preemptDelay }) => preempt && preemptDelay === 0);
    const canFall = seats[machine]!.every(({ priority }) => priority !== 255);
    if (willing && canFall) this.#expectSuccessors(machine, 1);
    world.changeWeight(machine, -LARGE);
    this.#pass(this.#settled);
    world.changeWeight(machine, LARGE);
  }

  /** I6: who says goodbye is replaced after the skew alone. @param above by one of a higher priority than this */
  #expectSuccessors(leaving: number, above = 0): void {
    const { scenario } = this.#world;
    const waits = this.#view.slots.map(({ index, bounds }) => {
      if (!this.#view.slots[index]!.masters.includes(leaving)) return undefined;
      const { version } = scenario.slots[index]!;
      const { interval } = scenario.seats[leaving]![index]!;
      const skews = [...scenario.seats.keys()]
        .filter((machine) => machine !== leaving && this.#view.isEligible(machine, index))
        .map((machine) => this.#view.parts[machine]![index]!.priority)
        .filter((priority) => priority > above)
        .map((priority) => skew(version, priority, interval));
      return skews.length === 0 ? undefined : Math.min(...skews) + 3 * bounds.hop;
    });
    for (const [slot, wait] of waits.entries()) {
      // A group follows as one, after the skew of its slowest member.
      const longest = scenario.grouped ? Math.max(...waits.map((each) => each ?? 0)) : wait;
      if (wait === undefined || longest === undefined) continue;
      this.#view.expectSuccessor(slot, leaving, this.#world.now + longest);
    }
  }

  #loseSome(): void {
    const { scenario, switches } = this.#world;
    const most = Math.min(...scenario.slots.map(({ adverts }) => adverts)) - 2;
    if (most < 1 || scenario.seats.flat().some(({ interval }) => interval !== scenario.slots[0]!.interval)) return;
    this.#tell(`at most ${most} adverts are lost in a row`);
    for (const network of switches)
      for (const from of network.ports.keys()) for (const to of network.ports.keys()) network.way(from, to).mild = most;
    this.#pass(MILD_INTERVALS * this.#interval);
  }

  /** What must change nothing: the wall clocks jump, files are read again as they were, strangers talk. */
  #disturbHarmlessly(): void {
    const world = this.#world;
    const every = 3.7 * this.#interval;
    const signed = world.scenario.slots.some(({ protection }) => protection.startsWith('hmac'));
    const strangers = new Strangers(world);
    const step = (count: number): void => {
      // Signatures carry the time, so that they may be told from replays.
      if (!signed) world.wallClockStep = count % 2 === 0 ? 3_600_000 : -3_600_000;
      for (const [number, machine] of world.machines.entries()) if (!machine.agentHangs) world.reload(number);
      strangers.talk(count);
      world.agenda.add(world.now + every, () => step(count + 1));
    };
    world.agenda.add(world.now + every, () => step(0));
  }
}
