// Everything that is tracked, put together: what scripts, files, processes and later kinds say about each virtual
// router becomes one verdict, told only when it changes. Knows nothing of how anything is watched, nor of states.
import type { Configuration, InstanceConfig, SyncGroupConfig, Track } from '../config/model.ts';
import type { TrackVerdict } from '../engine/messages.ts';
import { judge, NO_OBJECTION, sameVerdict, type TrackedState, type TrackRule } from '../health/verdict.ts';
import type { WatchedStatus } from '../health/watched-status.ts';
import type { VettedCommands } from './script-security.ts';

/** The part of a configuration that says what is tracked. */
export type Tracking = Pick<
  Configuration,
  'instances' | 'groups' | 'scripts' | 'checks' | 'plugins' | 'trackFiles' | 'trackProcesses'
> &
  /** Absent: checks start no programs. */
  Partial<Pick<Configuration, 'globals'>>;

/** Who tracks a thing, directly or through its sync group. */
export type Use = Omit<TrackRule, 'name'> & { readonly instance: string };

export interface TrackerPlan {
  readonly config: Tracking;
  readonly vetted: VettedCommands;
  /** By name: exactly these are to be watched. */
  readonly uses: ReadonlyMap<string, readonly Use[]>;
}

/** One kind of thing that can be tracked: it gives states by name. A new kind implements this and is listed once. */
export interface TrackSource {
  /** What these things are called in the texts of faults: `script`. */
  readonly noun: string;
  /** The lines of an instance or sync group that name them. */
  tracksOf(owner: InstanceConfig | SyncGroupConfig): readonly Track[];
  /** Told once, before anything else: whom to call when the state of a name has changed. Never from within a call. */
  listen(changed: (name: string) => void): void;
  /** Begins, goes on with and ends watching. A state that is known should outlive a reload: it must move no address. */
  configure(plan: TrackerPlan): void;
  /** undefined: no such thing, it contributes nothing. */
  stateOf(name: string): TrackedState | undefined;
  /** What people see of them; a kind with a report of its own has none. */
  statuses?(): readonly WatchedStatus[];
  /** Fulfilled when nothing is watched any more; states stay as they are. */
  stop(): Promise<void>;
}

/** What one virtual router tracks of one source. */
interface Watching {
  readonly source: TrackSource;
  readonly tracks: readonly Track[];
  /** Names whose first result must come before the router may run; see `configure`. */
  readonly awaited: ReadonlySet<string>;
}

interface TrackedInstance {
  readonly watching: readonly Watching[];
  verdict: TrackVerdict;
}

export interface TrackersOptions {
  /** Faults are listed in this order. */
  readonly sources: readonly TrackSource[];
  readonly onVerdict: (verdict: TrackVerdict) => void;
}

export class Trackers {
  readonly #sources: readonly TrackSource[];
  readonly #onVerdict: (verdict: TrackVerdict) => void;
  #instances: ReadonlyMap<string, TrackedInstance> = new Map();

  constructor({ sources, onVerdict }: TrackersOptions) {
    this.#sources = sources;
    this.#onVerdict = onVerdict;
    for (const source of sources) source.listen((name) => this.#onChange(source, name));
  }

  /**
   * Watches exactly what something tracks. Returns every verdict as it is now; only later changes are told.
   *
   * What has no result yet keeps a new virtual router waiting, but never one that is already running: a reload must not
   * move an address.
   */
  configure(config: Tracking, vetted: VettedCommands): readonly TrackVerdict[] {
    const tracked = this.#sources.map((source) => ({ source, tracks: tracksByInstance(config, source) }));
    for (const { source, tracks } of tracked) source.configure({ config, vetted, uses: usesOf(tracks) });
    const instances = new Map<string, TrackedInstance>();
    for (const { name } of config.instances) {
      const before = this.#instances.get(name);
      const watching = tracked.map(({ source, tracks }): Watching => {
        const own = tracks.get(name)!;
        const waiting = own.map((track) => track.name).filter((one) => isWaiting(source.stateOf(one)));
        const awaited = before?.watching.find((one) => one.source === source)?.awaited;
        return { source, tracks: own, awaited: new Set(before ? waiting.filter((w) => awaited?.has(w)) : waiting) };
      });
      instances.set(name, { watching, verdict: judgeAll(name, watching) });
    }
    this.#instances = instances;
    return this.verdicts();
  }

  /** One for each virtual router of the configuration, also for those that track nothing. */
  verdicts(): readonly TrackVerdict[] {
    return [...this.#instances.values()].map((instance) => instance.verdict);
  }

  /** Everything that is watched, but for the kinds that have a report of their own. */
  statuses(): readonly WatchedStatus[] {
    return this.#sources.flatMap((source) => source.statuses?.() ?? []);
  }

  /** Ends all watching; fulfilled when none of it lives any more. Verdicts stay as they are. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  #onChange(source: TrackSource, name: string): void {
    for (const [instance, tracked] of this.#instances) {
      const { watching } = tracked;
      if (!watching.some((one) => one.source === source && one.tracks.some((track) => track.name === name))) continue;
      const verdict = judgeAll(instance, watching);
      if (sameVerdict(verdict, tracked.verdict)) continue;
      tracked.verdict = verdict;
      this.#onVerdict(verdict);
    }
  }
}

const isWaiting = (state: TrackedState | undefined): boolean => state !== undefined && state.up === undefined;

function judgeAll(instance: string, watching: readonly Watching[]): TrackVerdict {
  let { adjustment, faults } = NO_OBJECTION;
  for (const { source, tracks, awaited } of watching) {
    if (tracks.length === 0) continue;
    const stateOf = (name: string): TrackedState | undefined => {
      const state = source.stateOf(name);
      return isWaiting(state) && !awaited.has(name) ? undefined : state;
    };
    const verdict = judge(tracks, stateOf, source.noun);
    adjustment += verdict.adjustment;
    faults = [...faults, ...verdict.faults];
  }
  return { instance, adjustment, faults };
}

/** The tracks of each virtual router, with those of its sync group. */
function tracksByInstance(
  { instances, groups }: Pick<Configuration, 'instances' | 'groups'>,
  source: TrackSource,
): ReadonlyMap<string, readonly Track[]> {
  return new Map(
    instances.map((instance) => {
      const merged = new Map(source.tracksOf(instance).map((track) => [track.name, track]));
      // As keepalived: tracked by both, the group's weight counts, unless failing is a fault already.
      for (const group of groups.filter(({ members }) => members.includes(instance.name)))
        for (const track of source.tracksOf(group))
          if (merged.get(track.name)?.weight !== 0) merged.set(track.name, track);
      return [instance.name, [...merged.values()]];
    }),
  );
}

function usesOf(tracks: ReadonlyMap<string, readonly Track[]>): ReadonlyMap<string, readonly Use[]> {
  const uses = new Map<string, Use[]>();
  for (const [instance, own] of tracks)
    for (const { name, weight, reverse } of own) {
      const known = uses.get(name);
      if (known) known.push({ instance, weight, reverse });
      else uses.set(name, [{ instance, weight, reverse }]);
    }
  return uses;
}
