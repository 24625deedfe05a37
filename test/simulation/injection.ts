// What each fault does to the world, and how it is undone.
import type { SimulatedSwitch, Way } from '../support/simulated-switch.ts';
import type { Fault } from './faults.ts';
import { vipAddress } from './scenario.ts';
import type { World } from './world.ts';

/** Puts the faults of a scenario on the agenda. @param at microseconds of the clock of the world at which it begins */
export function plan(world: World, faults: readonly Fault[], tell: (text: string) => void): void {
  const start = world.now;
  for (const fault of faults)
    world.agenda.add(start + fault.at, () => {
      tell(`fault ${describe(fault)}`);
      const undo = inject(world, fault);
      if (undo === undefined) return;
      world.agenda.add(start + fault.at + fault.lasts, () => {
        tell(`over: ${fault.type}`);
        undo();
      });
    });
}

export function describe({ at: _, lasts, ...kind }: Fault): string {
  return `${JSON.stringify(kind).replaceAll('"', '')} for ${(lasts / 1_000).toFixed(1)} ms`;
}

/** Makes it so; returns what undoes it, undefined: nothing is to be undone. */
export function inject(world: World, fault: Fault): (() => void) | undefined {
  switch (fault.type) {
    case 'partition': {
      const { network, sides } = fault;
      return cut(
        world,
        ways(world.switches[network]!).filter(([from, to]) => sides[from] !== sides[to]),
        network,
      );
    }
    case 'one-way':
      return cut(world, fault.from === fault.to ? [] : [[fault.from, fault.to]], fault.network);
    case 'isolate': {
      const port = world.target(fault.target);
      const network = world.switches[fault.network]!;
      return cut(
        world,
        ways(network).filter(([from, to]) => from === port || to === port),
        fault.network,
      );
    }
    case 'loss':
      return spoil(world, fault.network, (way) => {
        way.loss = fault.probability;
      });
    case 'bursts':
      return spoil(world, fault.network, (way) => {
        way.burst = { toBad: fault.toBad, toGood: fault.toGood, loss: 0.9, bad: false };
      });
    case 'jitter':
      return spoil(
        world,
        fault.network,
        (way) => {
          way.jitter = fault.most;
        },
        fault.most,
      );
    case 'duplicates':
      return spoil(
        world,
        fault.network,
        (way) => {
          way.duplicate = fault.probability;
        },
        world.switches[fault.network]!.delay,
      );
    default:
      return injectIntoMachine(world, fault, world.target(fault.target));
  }
}

type MachineFault = Extract<Fault, { readonly target: unknown }>;

function injectIntoMachine(world: World, fault: MachineFault, number: number): (() => void) | undefined {
  const machine = world.machines[number]!;
  switch (fault.type) {
    case 'stall':
      world.disturb();
      machine.stalledUntil = Math.max(machine.stalledUntil, world.now + fault.lasts);
      return () => world.settle();
    case 'agent-hangs':
      world.disturb();
      machine.agentHangs = true;
      return () => {
        machine.revive();
        world.settle();
      };
    case 'crash':
      world.kill(number);
      return () => world.start(number);
    case 'stop':
      world.stop(number, fault.immediate);
      return () => world.start(number);
    case 'carrier': {
      const name = `eth${fault.network}`;
      world.touch();
      machine.kernel.setCarrier(name, false);
      return () => {
        world.touch();
        machine.kernel.setCarrier(name, true);
      };
    }
    case 'check-fails': {
      const slots = fault.slot === 'all' ? [...world.scenario.slots.keys()] : [fault.slot];
      for (const slot of slots) world.changeFault(number, slot, 1);
      return () => {
        for (const slot of slots) world.changeFault(number, slot, -1);
      };
    }
    case 'weight':
      world.changeWeight(number, fault.adjustment);
      return () => world.changeWeight(number, -fault.adjustment);
    case 'steal':
      world.touch();
      machine.kernel.remove(world.scenario.slots[fault.slot]!.vips[0]!);
      return undefined;
    case 'no-memory':
      world.disturb();
      machine.kernel.failures = fault.times;
      return () => {
        machine.kernel.failures = 0;
        world.settle();
      };
    case 'send-errors':
      world.disturb();
      machine.failSending(world.switches[fault.network]!, fault.times);
      return () => {
        machine.failSending(world.switches[fault.network]!, 0);
        world.settle();
      };
    case 'overrun':
      world.touch();
      machine.kernel.overrun();
      return undefined;
    case 'reload-priority':
      if (world.scenario.seats[number]!.some(({ priority }) => priority === 255)) return undefined;
      world.setPriority(number, fault.priority);
      return () => world.setPriority(number, undefined);
    case 'reload-address': {
      const { network, family } = world.scenario.slots[fault.slot]!;
      world.setMoreAddresses(number, fault.slot, [vipAddress(network, family, fault.slot, 40)]);
      return () => world.setMoreAddresses(number, fault.slot, []);
    }
  }
}

type Pair = readonly [from: number, to: number];

function ways(network: SimulatedSwitch): Pair[] {
  const ports = [...network.ports.keys()];
  return ports.flatMap((from) => ports.filter((to) => to !== from).map((to): Pair => [from, to]));
}

function cut(world: World, pairs: readonly Pair[], number = 0): () => void {
  const network = world.switches[number]!;
  world.disturb();
  for (const [from, to] of pairs) network.way(from, to).cuts++;
  return () => {
    for (const [from, to] of pairs) network.way(from, to).cuts--;
    world.settle();
  };
}

/** Makes every way of a network worse. @param echo microseconds after which its last message has arrived */
function spoil(world: World, number: number, how: (way: Way) => void, echo = 0): () => void {
  const network = world.switches[number]!;
  world.disturb();
  const spoiled = ways(network).map(([from, to]) => network.way(from, to));
  for (const way of spoiled) how(way);
  return () => {
    for (const way of spoiled) Object.assign(way, { loss: 0, burst: undefined, jitter: 0, duplicate: 0 });
    world.settle(echo);
  };
}
