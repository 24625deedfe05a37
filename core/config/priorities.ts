// What the trackers of an instance can make of its priority. Pure.
import type { Configuration, InstanceConfig, Track } from './model.ts';

/** The priority while every check succeeds and at its extremes; the owner's 255 never moves. */
export interface PriorityRange {
  readonly base: number;
  readonly healthy: number;
  readonly lowest: number;
  readonly highest: number;
  /** Trackers that move it. */
  readonly weighted: readonly Track[];
  /** Trackers whose failure is a fault: these give the addresses over whatever the priorities are. */
  readonly faulting: readonly Track[];
}

/** What a tracker adds while it is up and while it is down. */
function swing({ weight, reverse }: Track): { up: number; down: number } {
  const effect = reverse ? -weight : weight;
  return weight > 0 ? { up: effect, down: 0 } : { up: 0, down: effect };
}

/** Every list of trackers that an instance carries, its own and those of its group, whatever they track. */
export function tracksOf(instance: InstanceConfig, groups: Configuration['groups']): readonly Track[] {
  const group = groups.find(({ members }) => members.includes(instance.name));
  return [instance, ...(group ? [group] : [])].flatMap((owner) =>
    Object.entries(owner).flatMap(([key, value]) =>
      key.startsWith('track') && Array.isArray(value) ? (value as readonly Track[]).filter(isWeighted) : [],
    ),
  );
}

const isWeighted = (track: Partial<Track> | undefined): track is Track => typeof track?.weight === 'number';

export function priorityRange(instance: InstanceConfig, groups: Configuration['groups']): PriorityRange {
  const base: number = instance.priority;
  const tracks = tracksOf(instance, groups);
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
    lowest: sum(({ up, down }) => Math.min(up, down)),
    highest: sum(({ up, down }) => Math.max(up, down)),
    weighted,
    faulting: tracks.filter(({ weight }) => weight === 0),
  };
}

/** The priority when one tracker alone is in its worse state. */
export function withOneFailed({ base, healthy }: PriorityRange, track: Track): number {
  if (base === 255) return base;
  const { up, down } = swing(track);
  return Math.min(254, Math.max(1, healthy - up + Math.min(up, down)));
}
