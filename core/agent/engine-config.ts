// What the engine is told of a configuration: what it changes. Pure.
import { diffConfigurations } from '../config/diff.ts';
import type { Configuration } from '../config/model.ts';
import type { EngineConfig } from '../engine/messages.ts';
import { micros, seconds } from '../units.ts';

/** However short the intervals: an agent that is busy for less than this is not dead. */
const SHORTEST_LEASE = seconds(3);

/** @param before the configuration in force; undefined: none yet */
export function engineConfig(before: Configuration | undefined, after: Configuration): EngineConfig {
  const { instances, groups, globals } = after;
  const { added, changed, removed } = diffConfigurations(before ?? { ...after, instances: [] }, after);
  const longest = Math.max(0, ...instances.map(({ interval }) => interval));
  return {
    added,
    changed: changed.map((change) => ({ name: change.before.name, config: change.after })),
    removed: removed.map(({ name }) => name),
    groups: groups.map(({ name, members, trackInterfaces, trackBfds = [] }) => ({
      name,
      members,
      trackInterfaces,
      trackBfds,
    })),
    addressLifetime: globals.addressLifetime,
    pace: {
      garpInterval: globals.garpInterval ?? micros(0),
      gnaInterval: globals.gnaInterval ?? micros(0),
      groups: after.garpGroups ?? [],
    },
    disableLocalIgmp: globals.disableLocalIgmp ?? false,
    start: {
      startupDelay: globals.startupDelay ?? seconds(0),
      delayAfterBoot: globals.delayAfterBoot ?? seconds(0),
      hold: globals.startHold ?? seconds(40),
    },
    conflictWatch: globals.conflictWatch ?? true,
    leaseTime: micros(Math.max(SHORTEST_LEASE, 3 * longest)),
    bfds: after.bfds ?? [],
    ...(after.statics && { statics: after.statics }),
    ...(after.trackGroups && { trackGroups: after.trackGroups }),
    interfaceDelays: after.interfaceDelays ?? [],
  };
}
