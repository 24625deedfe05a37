// How long things may take in a scenario, from its intervals, priorities, delays and lateness. Arithmetic only.
import type { Scenario } from './scenario.ts';

/** All in microseconds. */
export interface Bounds {
  /** Two masters that can hear each other: one interval of the better one, there and back, both of them late. */
  readonly dual: number;
  /** Nobody is master although somebody could be: the longest down timer. */
  readonly down: number;
  /** The latest preemption of a worse master, from when both are there. */
  readonly preempt: number;
  /** After this long without a disturbance nothing changes any more. */
  readonly settled: number;
  /** The least silence after which a backup may take over for want of adverts. */
  readonly silence: number;
  /** A dead process's addresses are gone. */
  readonly zombie: number;
  /** From a message's sending until its receiver has acted on it. */
  readonly hop: number;
}

/** Clients say something in every so many intervals. */
export const CHATTER = 3;
const SECOND = 1_000_000;
/** The kernel removes expired addresses up to a quarter of a second late. */
const EXPIRY_LAG = 250_000;
/** Between two bursts of announcements that rivals cause: core/vip/announce-schedule.ts. */
export const LONGEST_ANNOUNCE_GAP = 1_000_000;

/** A sync group is as slow as its slowest member. */
export function boundsOf(scenario: Scenario, slot: number): Bounds {
  const own = ownBounds(scenario, slot);
  if (!scenario.grouped) return own;
  const all = scenario.slots.map((_, each) => ownBounds(scenario, each));
  const slowest = (of: (bounds: Bounds) => number) => Math.max(...all.map(of));
  return {
    ...own,
    dual: slowest(({ dual }) => dual),
    down: slowest(({ down }) => down),
    preempt: slowest(({ preempt }) => preempt),
    settled: slowest(({ settled }) => settled),
    zombie: slowest(({ zombie }) => zombie),
    hop: slowest(({ hop }) => hop),
  };
}

function ownBounds(scenario: Scenario, slot: number): Bounds {
  const { version, adverts, network } = scenario.slots[slot]!;
  const seats = scenario.seats.map((each) => each[slot]!);
  const longest = Math.max(...seats.map(({ interval }) => interval));
  const shortest = Math.min(...seats.map(({ interval }) => interval));
  const hop = scenario.delays[network]! + scenario.lateness + 1;
  // Silence on an interface whose carrier came back proves nothing before anything was heard on it.
  const flaps = [...scenario.rounds, ...scenario.faults.map(({ type }) => type)].includes('carrier');
  const deaf = flaps ? CHATTER * longest : 0;
  const down = adverts * longest + skew(version, 1, longest) + deaf + 2 * hop;
  // AH has one sequence for all routers: of several that count alike only one advert in a round is new to the others.
  const rounds = scenario.slots[slot]!.protection === 'AH' ? seats.length : 1;
  const dual = rounds * longest + 3 * hop;
  const delay = Math.max(...seats.map(({ preemptDelay }) => preemptDelay));
  const lifetime = (Math.ceil((adverts * longest + skew(version, 1, longest)) / SECOND) + 1) * SECOND;
  return {
    dual,
    down,
    preempt: delay + down + dual,
    settled: delay + 2 * down + 2 * dual,
    silence: adverts * shortest,
    zombie: lifetime + EXPIRY_LAG,
    hop,
  };
}

/** RFC 9568 §6.1, RFC 3768 §6.1. */
export const skew = (version: 2 | 3, priority: number, interval: number): number =>
  ((256 - priority) * (version === 2 ? SECOND : interval)) / 256;
