// What the trackers of an instance can make of its priority. Pure.
import type { Configuration, InstanceConfig, Track } from './model.ts';

/** The priority while every check succeeds and at its extremes; the owner's 255 never moves. */
export interface PriorityRange {
  readonly base: number;
  readonly healthy: number;
  readonly lowest: number;
  readonly highest: number;
  /** Trackers that move it by a fixed amount. */
  readonly weighted: readonly Track[];
  /** A tracked file can set it to anything. */
  readonly anywhere: boolean;
  /** Trackers whose failure is a fault: these give the addresses over whatever the priorities are. */
  readonly faulting: readonly Track[];
}

/** What a tracker adds while it is up and while it is down. */
function swing({ weight, reverse }: Track): { up: number; down: number } {
  const effect = reverse ? -weight : weight;
  return weight > 0 ? { up: effect, down: 0 } : { up: 0, down: effect };
}

/** The trackers of an instance and of its group. */
export function tracksOf(
  instance: InstanceConfig,
  groups: Configuration['groups'],
): { readonly files: readonly Track[]; readonly others: readonly Track[] } {
  const group = groups.find(({ members }) => members.includes(instance.name));
  const owners = [instance, ...(group ? [group] : [])];
  return {
    files: owners.flatMap(({ trackFiles = [] }) => trackFiles),
    others: owners.flatMap(({ trackScripts, trackInterfaces, trackProcesses = [], trackBfds = [] }) => [
      ...trackScripts,
      ...trackInterfaces,
      ...trackProcesses,
      ...trackBfds,
    ]),
  };
}

export function priorityRange(instance: InstanceConfig, groups: Configuration['groups']): PriorityRange {
  const base: number = instance.priority;
  const { files, others: tracks } = tracksOf(instance, groups);
  // A tracked file counts its weight as often as the number in it says: that reaches anywhere.
  const anywhere = files.some(({ weight }) => weight !== 0);
  const weighted = base === 255 ? [] : tracks.filter(({ weight }) => weight !== 0);
  const sum = (of: (swing: { up: number; down: number }) => number) =>
    base === 255
      ? base
      : Math.min(
          254,
          Math.max(
            1,
            weighted.reduce((total, track) => total + of(swing(track)), base),
          ),
        );
  return {
    base,
    healthy: sum(({ up }) => up),
    lowest: anywhere ? Math.min(base, 1) : sum(({ up, down }) => Math.min(up, down)),
    highest: anywhere ? Math.max(base, 254) : sum(({ up, down }) => Math.max(up, down)),
    anywhere,
    weighted,
    faulting: [...tracks, ...files].filter(({ weight }) => weight === 0),
  };
}

/** The priority when one tracker alone is in its worse state. */
export function withOneFailed({ base, healthy }: PriorityRange, track: Track): number {
  if (base === 255) return base;
  const { up, down } = swing(track);
  return Math.min(254, Math.max(1, healthy - up + Math.min(up, down)));
}
