// What the engine is told of a configuration. Pure.
import type { Configuration } from '../config/model.ts';
import type { EngineConfig } from '../engine/messages.ts';
import { micros, seconds } from '../units.ts';

/** However short the intervals: an agent that is busy for less than this is not dead. */
const SHORTEST_LEASE = seconds(3);

export function engineConfig({ instances, groups, globals }: Configuration): EngineConfig {
  const longest = Math.max(0, ...instances.map(({ interval }) => interval));
  return {
    instances,
    groups: groups.map(({ name, members }) => ({ name, members })),
    addressLifetime: globals.addressLifetime,
    leaseTime: micros(Math.max(SHORTEST_LEASE, 3 * longest)),
  };
}
