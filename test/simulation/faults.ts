// The faults of a scenario as plain data, and how they are drawn: each says when it begins, how long it lasts and whom
// it hits. What they do is in injection.ts.
import type { Random } from '../support/simulated-chance.ts';
import type { Slot } from './scenario.ts';

/** A machine by its number, or whoever is master of a slot when the fault comes. */
export type Target = { readonly machine: number } | { readonly masterOf: number };

/** Ports of a network are machines first, then clients. */
export type FaultKind =
  | { readonly type: 'partition'; readonly network: number; readonly sides: readonly number[] }
  | { readonly type: 'one-way'; readonly network: number; readonly from: number; readonly to: number }
  | { readonly type: 'isolate'; readonly network: number; readonly target: Target }
  | { readonly type: 'loss'; readonly network: number; readonly probability: number }
  | { readonly type: 'bursts'; readonly network: number; readonly toBad: number; readonly toGood: number }
  | { readonly type: 'jitter'; readonly network: number; readonly most: number }
  | { readonly type: 'duplicates'; readonly network: number; readonly probability: number }
  | { readonly type: 'stall'; readonly target: Target }
  | { readonly type: 'agent-hangs'; readonly target: Target }
  | { readonly type: 'crash'; readonly target: Target }
  | { readonly type: 'stop'; readonly target: Target; readonly immediate: boolean }
  | { readonly type: 'carrier'; readonly target: Target; readonly network: number }
  | { readonly type: 'check-fails'; readonly target: Target; readonly slot: number | 'all' }
  | { readonly type: 'weight'; readonly target: Target; readonly adjustment: number }
  | { readonly type: 'steal'; readonly target: Target; readonly slot: number }
  | { readonly type: 'no-memory'; readonly target: Target; readonly times: number }
  | { readonly type: 'send-errors'; readonly target: Target; readonly network: number; readonly times: number }
  | { readonly type: 'overrun'; readonly target: Target }
  | { readonly type: 'reload-priority'; readonly target: Target; readonly priority: number }
  | { readonly type: 'reload-address'; readonly target: Target; readonly slot: number };

export type Fault = FaultKind & {
  /** Microseconds from the beginning. */
  readonly at: number;
  /** Microseconds; what cannot last passes at once. */
  readonly lasts: number;
};

export interface FaultShape {
  readonly machines: number;
  readonly networks: number;
  readonly clients: number;
  readonly slots: readonly Slot[];
  /** The longest interval in use, in microseconds. */
  readonly unit: number;
  readonly begin: number;
  readonly end: number;
}

/** A stall of a process lasts at least this, in microseconds. */
const SHORTEST_STALL = 5_000;

/** Faults between `begin` and `end`; all are over at `end`. @param calm none that could make anybody yield */
export function drawFaults(random: Random, shape: FaultShape, calm: boolean): Fault[] {
  if (calm) return [];
  const faults: Fault[] = [];
  const count = 3 + random.below(7);
  const span = shape.end - shape.begin;
  for (let i = 0; i < count; i++) {
    const at = shape.begin + random.next() * 0.9 * span;
    const lasts = Math.min(random.range(0.3, 14) * shape.unit, shape.end - at);
    if (random.chance(0.08)) faults.push(...swizzle(random, shape, at, shape.end));
    else {
      const kind = draw(random, shape);
      faults.push({ ...kind, at, lasts: kind.type === 'stall' ? Math.max(SHORTEST_STALL, lasts) : lasts });
    }
  }
  return faults.sort((a, b) => a.at - b.at);
}

function draw(random: Random, shape: FaultShape): FaultKind {
  const network = random.below(shape.networks);
  const ports = shape.machines + shape.clients;
  const target = drawTarget(random, shape);
  const slot = random.below(shape.slots.length);
  switch (random.below(22)) {
    case 0:
    case 1:
      return { type: 'partition', network, sides: Array.from({ length: ports }, () => random.below(2)) };
    case 2:
      return { type: 'one-way', network, from: random.below(shape.machines), to: random.below(ports) };
    case 3:
      return { type: 'isolate', network, target: { masterOf: slot } };
    case 4:
      return { type: 'loss', network, probability: random.range(0.02, 0.6) };
    case 5:
      return { type: 'bursts', network, toBad: random.range(0.01, 0.2), toGood: random.range(0.1, 0.5) };
    case 6:
      return { type: 'jitter', network, most: random.range(0.1, 2.5) * shape.unit };
    case 7:
      return { type: 'duplicates', network, probability: random.range(0.1, 1) };
    case 8:
    case 9:
      return { type: 'stall', target };
    case 10:
      return { type: 'agent-hangs', target };
    case 11:
    case 12:
      return { type: 'crash', target };
    case 13:
      return { type: 'stop', target, immediate: random.chance(0.3) };
    case 14:
      return { type: 'carrier', target, network };
    case 15:
      return { type: 'check-fails', target, slot: random.chance(0.5) ? 'all' : slot };
    case 16:
      return { type: 'weight', target, adjustment: random.below(160) - 80 };
    case 17:
      return { type: 'steal', target: { masterOf: slot }, slot };
    case 18:
      return { type: 'no-memory', target, times: 1 + random.below(4) };
    case 19:
      return { type: 'send-errors', target, network, times: 1 + random.below(5) };
    case 20:
      return random.chance(0.5)
        ? { type: 'overrun', target }
        : { type: 'reload-address', target: { machine: random.below(shape.machines) }, slot };
    default:
      return { type: 'reload-priority', target, priority: 1 + random.below(254) };
  }
}

function drawTarget(random: Random, { machines, slots }: FaultShape): Target {
  return random.chance(0.5) ? { masterOf: random.below(slots.length) } : { machine: random.below(machines) };
}

/** FoundationDB's swizzle-clogging: some are cut off one after the other, and come back in another order. */
function swizzle(random: Random, { machines, networks, unit }: FaultShape, at: number, end: number): Fault[] {
  const network = random.below(networks);
  const chosen = Array.from({ length: machines }, (_, machine) => machine).filter(() => random.chance(0.6));
  return chosen.map((machine) => {
    const from = Math.min(at + random.range(0, 5) * unit, end);
    const until = Math.min(from + random.range(0.5, 10) * unit, end);
    return { type: 'isolate', network, target: { machine }, at: from, lasts: until - from };
  });
}
