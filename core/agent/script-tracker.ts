// All check scripts in use, and what they say about each virtual router: a verdict, told only when it changes.
// Decides nothing about states or priorities; the engine does.
import type { Configuration, ScriptConfig, Track } from '../config/model.ts';
import type { TrackVerdict } from '../engine/messages.ts';
import type { ScriptStatus } from '../health/script-status.ts';
import { judge, NO_OBJECTION, sameVerdict, type TrackedState } from '../health/verdict.ts';
import { after, type Micros, millis } from '../units.ts';
import { type RunnerPorts, type ScriptPlan, ScriptRunner } from './script-runner.ts';
import type { VettedCommands } from './script-security.ts';

/** First runs are spread over this time when there are more than a few, so that they do not fork all at once. */
const SPREAD: Micros = millis(100);
const FEW = 8;

export interface ScriptChange {
  readonly script: string;
  readonly up: boolean | undefined;
  readonly detail: string;
}

export interface TrackerOptions extends RunnerPorts {
  readonly onScript: (change: ScriptChange) => void;
  readonly onVerdict: (verdict: TrackVerdict) => void;
}

type Entry =
  | { readonly config: ScriptConfig; readonly runner: ScriptRunner }
  | { readonly config: ScriptConfig; readonly runner: undefined; readonly why: string; readonly since: number };

interface TrackedInstance {
  readonly tracks: readonly Track[];
  /** Scripts whose first result must come before it may run; see `configure`. */
  readonly awaited: ReadonlySet<string>;
  verdict: TrackVerdict;
}

export class ScriptTracker {
  readonly #options: TrackerOptions;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #instances: ReadonlyMap<string, TrackedInstance> = new Map();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /**
   * Starts, keeps and stops scripts so that exactly those that something tracks run. Returns every verdict as it is
   * now; only later changes are told by `onVerdict`.
   *
   * A script with equal command, user and timing goes on undisturbed. One that changed keeps its verdict until its
   * first result. A new one keeps a new virtual router waiting, but never one that is already running: a reload must
   * not move an address.
   */
  configure(
    config: Pick<Configuration, 'scripts' | 'instances' | 'groups'>,
    vetted: VettedCommands,
  ): readonly TrackVerdict[] {
    const tracks = tracksByInstance(config);
    const used = new Set([...tracks.values()].flat().map((track) => track.name));
    const before = this.#entries;
    const starting: { runner: ScriptRunner; predecessor: ScriptRunner | undefined }[] = [];
    const entries = new Map<string, Entry>();
    for (const script of config.scripts) {
      if (!used.has(script.name)) continue;
      const old = before.get(script.name);
      const verdict = vetted.of(script.command);
      if (verdict.type === 'disabled') {
        const since = old && !old.runner ? old.since : this.#options.timing.wallTime();
        entries.set(script.name, { config: script, runner: undefined, why: verdict.why, since });
        continue;
      }
      const { name, interval, timeout, rise, fall, initFail } = script;
      const plan: ScriptPlan = { name, command: verdict.command, interval, timeout, rise, fall, initFail };
      if (old?.runner && samePlan(old.runner.plan, plan)) {
        entries.set(name, { config: script, runner: old.runner });
        continue;
      }
      const runner = new ScriptRunner(plan, this.#options, () => this.#onChange(name, runner), old?.runner);
      starting.push({ runner, predecessor: old?.runner });
      entries.set(name, { config: script, runner });
    }
    this.#entries = entries;
    this.#instances = this.#adopt(tracks);
    this.#start(starting);
    for (const { runner } of before.values())
      if (runner && entries.get(runner.plan.name)?.runner !== runner) this.#end(runner);
    return this.verdicts();
  }

  /** One for each virtual router of the configuration, also for those that track nothing. */
  verdicts(): readonly TrackVerdict[] {
    return [...this.#instances.values()].map((instance) => instance.verdict);
  }

  /** The scripts in use, in the order of the file. */
  statuses(): readonly ScriptStatus[] {
    return [...this.#entries].map(([name, entry]) => {
      const usedBy = [...this.#instances].flatMap(([instance, { tracks }]) =>
        tracks.filter((t) => t.name === name).map(({ weight, reverse }) => ({ instance, weight, reverse })),
      );
      const command = entry.config.command.argv;
      if (!entry.runner) {
        const idle = { lastRun: undefined, runs: 0, failures: 0, skipped: 0 };
        return { name, condition: 'disabled', detail: entry.why, since: entry.since, command, usedBy, ...idle };
      }
      const { condition, detail, since, lastRun, runs, failures, skipped } = entry.runner;
      return { name, condition, detail, since, command, usedBy, lastRun, runs, failures, skipped };
    });
  }

  /** Stops every script; fulfilled when none of them lives any more. Verdicts stay as they are. */
  async stop(): Promise<void> {
    for (const { runner } of this.#entries.values()) if (runner) this.#end(runner);
    await Promise.all(this.#ending);
  }

  #adopt(tracks: ReadonlyMap<string, readonly Track[]>): Map<string, TrackedInstance> {
    const instances = new Map<string, TrackedInstance>();
    for (const [name, own] of tracks) {
      const old = this.#instances.get(name);
      const waiting = own.map((track) => track.name).filter((script) => this.#isWaiting(script));
      const awaited = new Set(old ? waiting.filter((script) => old.awaited.has(script)) : waiting);
      const instance: TrackedInstance = { tracks: own, awaited, verdict: { instance: name, ...NO_OBJECTION } };
      instance.verdict = this.#judge(name, instance);
      instances.set(name, instance);
    }
    return instances;
  }

  #isWaiting(script: string): boolean {
    const runner = this.#entries.get(script)?.runner;
    return runner !== undefined && runner.up === undefined;
  }

  #start(starting: readonly { runner: ScriptRunner; predecessor: ScriptRunner | undefined }[]): void {
    const now = this.#options.timing.now();
    const step = starting.length > FEW ? SPREAD / starting.length : 0;
    for (const [i, { runner, predecessor }] of starting.entries()) {
      // The predecessor may still be running: wait for its end, so that a script never runs twice at once.
      if (predecessor) void predecessor.stop().then(() => runner.start(this.#options.timing.now()));
      else runner.start(after(now, (i * step) as Micros));
    }
  }

  #end(runner: ScriptRunner): void {
    const ended = runner.stop().then(() => {
      this.#ending.delete(ended);
    });
    this.#ending.add(ended);
  }

  #onChange(name: string, runner: ScriptRunner): void {
    if (this.#entries.get(name)?.runner !== runner) return;
    this.#options.onScript({ script: name, up: runner.up, detail: runner.detail });
    for (const [instanceName, instance] of this.#instances) {
      if (!instance.tracks.some((track) => track.name === name)) continue;
      const verdict = this.#judge(instanceName, instance);
      if (sameVerdict(verdict, instance.verdict)) continue;
      instance.verdict = verdict;
      this.#options.onVerdict(verdict);
    }
  }

  #judge(name: string, instance: TrackedInstance): TrackVerdict {
    return { instance: name, ...judge(instance.tracks, (script) => this.#stateFor(instance, script)) };
  }

  #stateFor(instance: TrackedInstance, script: string): TrackedState | undefined {
    const entry = this.#entries.get(script);
    if (!entry?.runner) return undefined;
    const { up, detail } = entry.runner;
    if (up === undefined && !instance.awaited.has(script)) return undefined;
    return { up, disabled: false, detail };
  }
}

/** The tracks of each virtual router, with those of its sync group. */
function tracksByInstance(config: Pick<Configuration, 'instances' | 'groups'>): Map<string, readonly Track[]> {
  return new Map(
    config.instances.map(({ name, trackScripts }) => {
      const merged = new Map(trackScripts.map((track) => [track.name, track]));
      // As keepalived: tracked by both, the group's weight counts, unless failing is a fault already.
      for (const group of config.groups.filter(({ members }) => members.includes(name)))
        for (const track of group.trackScripts) if (merged.get(track.name)?.weight !== 0) merged.set(track.name, track);
      return [name, [...merged.values()]];
    }),
  );
}

function samePlan(a: ScriptPlan, b: ScriptPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
