// All check scripts in use: starts, keeps and ends their runners, and tells whether each passes.
// Knows nothing of weights, verdicts or virtual routers but who depends on a script, for people.
import type { InstanceConfig, ScriptConfig, SyncGroupConfig, Track } from '../config/model.ts';
import type { ScriptStatus } from '../health/script-status.ts';
import type { TrackedState } from '../health/verdict.ts';
import { after, type Micros, millis } from '../units.ts';
import { type RunnerPorts, type ScriptPlan, ScriptRunner } from './script-runner.ts';
import type { TrackerPlan, TrackSource, Use } from './trackers.ts';

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
}

type Entry =
  | { readonly config: ScriptConfig; readonly runner: ScriptRunner }
  | { readonly config: ScriptConfig; readonly runner: undefined; readonly why: string; readonly since: number };

export class ScriptTracker implements TrackSource {
  readonly noun = 'script';
  readonly #options: TrackerOptions;
  #changed: (name: string) => void = () => {};
  #entries: ReadonlyMap<string, Entry> = new Map();
  #uses: ReadonlyMap<string, readonly Use[]> = new Map();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  listen(changed: (name: string) => void): void {
    this.#changed = changed;
  }

  tracksOf(owner: InstanceConfig | SyncGroupConfig): readonly Track[] {
    return owner.trackScripts;
  }

  /**
   * Starts, keeps and stops scripts so that exactly those that something tracks run. A script with equal command, user
   * and timing goes on undisturbed. One that changed keeps its verdict until its first result.
   */
  configure({ config, vetted, uses }: TrackerPlan): void {
    this.#uses = uses;
    const before = this.#entries;
    const starting: { runner: ScriptRunner; predecessor: ScriptRunner | undefined }[] = [];
    const entries = new Map<string, Entry>();
    for (const script of config.scripts) {
      if (!uses.has(script.name)) continue;
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
    this.#start(starting);
    for (const { runner } of before.values())
      if (runner && entries.get(runner.plan.name)?.runner !== runner) this.#end(runner);
  }

  stateOf(name: string): TrackedState | undefined {
    const runner = this.#entries.get(name)?.runner;
    return runner && { up: runner.up, disabled: false, detail: runner.detail };
  }

  /** The scripts in use, in the order of the file. */
  scripts(): readonly ScriptStatus[] {
    return [...this.#entries].map(([name, entry]) => {
      const usedBy = this.#uses.get(name) ?? [];
      const command = entry.config.command.argv;
      if (!entry.runner) {
        const idle = { lastRun: undefined, runs: 0, failures: 0, skipped: 0 };
        return { name, condition: 'disabled', detail: entry.why, since: entry.since, command, usedBy, ...idle };
      }
      const { condition, detail, since, lastRun, runs, failures, skipped } = entry.runner;
      return { name, condition, detail, since, command, usedBy, lastRun, runs, failures, skipped };
    });
  }

  /** Stops every script; fulfilled when none of them lives any more. */
  async stop(): Promise<void> {
    for (const { runner } of this.#entries.values()) if (runner) this.#end(runner);
    await Promise.all(this.#ending);
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
    this.#changed(name);
  }
}

function samePlan(a: ScriptPlan, b: ScriptPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
