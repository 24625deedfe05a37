// All checks in use: gives each to the thread of its plugin, evaluates expressions over them, and tells what passes.
// Knows nothing of weights or virtual routers but who depends on a check, for people; runs no code of a plugin.
import type { CheckPlan, CheckSnapshot } from '../checks/messages.ts';
import type { SupervisedThread, ThreadWatcher } from '../checks/supervised-thread.ts';
import type { CheckConfig, GlobalDefs, InstanceConfig, SyncGroupConfig, Track } from '../config/model.ts';
import type { CheckStatus } from '../health/check-status.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { TrackerPlan, TrackSource, Use } from './trackers.ts';

/** Gives the thread of a plugin; the same one as long as it is kept. */
export interface CheckThreads {
  /** Whom the thread of a source tells what happens. Once, before anything else. */
  listen(watcherOf: (specifier: string | undefined) => ThreadWatcher): void;
  /** @param specifier what load_plugin names; undefined: the plugins that come with the agent */
  get(specifier: string | undefined): SupervisedThread;
  /** Which load_plugin a plugin came from; undefined: it came with the agent. */
  sourceOf(plugin: string): string | undefined;
  /** Ends the threads of all others. */
  keep(specifiers: ReadonlySet<string | undefined>): void;
}

export interface CheckTrackerOptions {
  readonly threads: CheckThreads;
  readonly onCheck: (change: { readonly check: string; readonly up: boolean; readonly detail: string }) => void;
  readonly log: (level: 'error' | 'warning' | 'info', text: string, check: string | undefined) => void;
}

interface Entry {
  readonly config: CheckConfig;
  /** Which load_plugin its plugin came from; undefined: it came with the agent, or there is none. */
  readonly source: string | undefined;
  /** Why it could not be made; undefined: it could, as far as is known. */
  unable: string | undefined;
  /** undefined: no result yet. */
  up: boolean | undefined;
  detail: string;
}

export class CheckTracker implements TrackSource {
  readonly noun = 'check';
  readonly #options: CheckTrackerOptions;
  #changed: (name: string) => void = () => {};
  #entries: ReadonlyMap<string, Entry> = new Map();
  #uses: ReadonlyMap<string, readonly Use[]> = new Map();
  /** Which expressions a check stands in. */
  #wholes: ReadonlyMap<string, readonly string[]> = new Map();
  #threads = new Map<string | undefined, SupervisedThread>();

  constructor(options: CheckTrackerOptions) {
    this.#options = options;
    options.threads.listen((specifier) => this.#watcherOf(specifier));
  }

  listen(changed: (name: string) => void): void {
    this.#changed = changed;
  }

  tracksOf(owner: InstanceConfig | SyncGroupConfig): readonly Track[] {
    return owner.trackChecks ?? [];
  }

  configure({ config, uses }: TrackerPlan): void {
    this.#uses = uses;
    const all = new Map((config.checks ?? []).map((check) => [check.name, check]));
    const before = this.#entries;
    const entries = new Map<string, Entry>();
    for (const check of wanted(all, uses.keys())) {
      const old = before.get(check.name);
      const initial = check.initFail
        ? { up: false, detail: 'it has not succeeded yet (init_fail)' }
        : { up: undefined, detail: '' };
      const source = check.probe.type === 'plugin' ? this.#options.threads.sourceOf(check.probe.plugin) : undefined;
      const known = old ? { up: old.up, detail: old.detail } : initial;
      entries.set(check.name, { config: check, source, unable: undefined, ...known });
    }
    this.#entries = entries;
    this.#wholes = wholesOf(entries.values());
    this.#assign(
      new Map((config.plugins ?? []).map(({ specifier, settings }) => [specifier, settings])),
      config.globals && policyOf(config.globals),
    );
  }

  stateOf(name: string): TrackedState | undefined {
    return this.#stateOf(name, new Map());
  }

  /** @param known what was found out already: an expression may reach the same check in very many ways */
  #stateOf(name: string, known: Map<string, TrackedState | undefined>): TrackedState | undefined {
    if (known.has(name)) return known.get(name);
    const entry = this.#entries.get(name);
    const state = entry && this.#stateOfEntry(entry, known);
    known.set(name, state);
    return state;
  }

  #stateOfEntry({ config, up, detail, unable }: Entry, known: Map<string, TrackedState | undefined>): TrackedState {
    const { probe, initFail } = config;
    if (probe.type === 'expression') return this.#evaluate(probe.count, probe.of, known);
    const why = probe.type === 'none' ? probe.why : unable;
    if (why !== undefined) return { up: initFail ? false : undefined, disabled: !initFail, detail: why };
    return { up, disabled: false, detail };
  }

  /** The checks in use, in the order of the file. */
  async checks(): Promise<readonly CheckStatus[]> {
    const snapshots = new Map<string, CheckSnapshot>();
    for (const list of await Promise.all([...this.#threads.values()].map((thread) => thread.snapshot())))
      for (const snapshot of list) snapshots.set(snapshot.name, snapshot);
    return [...this.#entries.values()].map(({ config }) => this.#status(config, snapshots.get(config.name)));
  }

  /** Looks at once, out of turn. False: there is no such check with a probe of its own. */
  probe(name: string): boolean {
    const entry = this.#entries.get(name);
    if (entry?.config.probe.type !== 'plugin') return false;
    this.#threads.get(entry.source)?.probe(name);
    return true;
  }

  async stop(): Promise<void> {
    this.#threads.clear();
    this.#options.threads.keep(new Set());
  }

  /** Each thread gets its checks; a thread without any is not needed. */
  #assign(settings: ReadonlyMap<string, CheckPlan['settings']>, programs: CheckPlan['programs']): void {
    const { threads } = this.#options;
    const plans = new Map<string | undefined, CheckPlan[]>();
    for (const { config, source } of this.#entries.values()) {
      if (config.probe.type !== 'plugin') continue;
      const own = source === undefined ? {} : (settings.get(source) ?? {});
      const plan = { ...planOf(config, config.probe, own), ...(programs && { programs }) };
      const list = plans.get(source);
      if (list) list.push(plan);
      else plans.set(source, [plan]);
    }
    threads.keep(new Set(plans.keys()));
    const next = new Map<string | undefined, SupervisedThread>();
    for (const [source, list] of plans) {
      const thread = threads.get(source);
      thread.configure(list);
      next.set(source, thread);
    }
    this.#threads = next;
    for (const entry of this.#entries.values()) {
      if (entry.config.probe.type !== 'plugin' || entry.up !== undefined) continue;
      // Its thread was given up before it came: nobody would say so again, and it would be waited for.
      const why = next.get(entry.source)?.lostBecause;
      if (why !== undefined) Object.assign(entry, { up: false, detail: lostText(why) });
    }
  }

  #watcherOf(specifier: string | undefined): ThreadWatcher {
    return {
      changed: (name, up, detail) => {
        if (this.#isOf(name, specifier)) this.#settle(name, { up, detail, unable: undefined });
      },
      unable: (name, why) => {
        if (this.#isOf(name, specifier)) this.#settle(name, { unable: why });
      },
      log: (level, text, check) => this.#options.log(level, text, check),
      lost: (why) => {
        for (const name of this.#entries.keys())
          if (this.#isOf(name, specifier)) this.#settle(name, { up: false, detail: lostText(why) });
      },
    };
  }

  #isOf(name: string, specifier: string | undefined): boolean {
    const entry = this.#entries.get(name);
    return entry?.config.probe.type === 'plugin' && entry.source === specifier;
  }

  /** Takes what is new about a check, and tells what that changes, expressions over it included. */
  #settle(name: string, news: Partial<Pick<Entry, 'up' | 'detail' | 'unable'>>): void {
    const affected = [name, ...this.#dependents(name)];
    const known = new Map<string, TrackedState | undefined>();
    const before = affected.map((one) => this.#stateOf(one, known));
    Object.assign(this.#entries.get(name)!, news);
    known.clear();
    for (const [i, one] of affected.entries()) {
      const old = before[i];
      const now = this.#stateOf(one, known);
      if (now === undefined || (now.up === old?.up && now.disabled === old?.disabled && now.detail === old?.detail))
        continue;
      if (now.up !== undefined && now.up !== old?.up)
        this.#options.onCheck({ check: one, up: now.up, detail: now.detail });
      this.#changed(one);
    }
  }

  /** The expressions that a check is part of, directly or not. */
  #dependents(name: string): readonly string[] {
    const found = new Set([name]);
    for (const one of found) for (const whole of this.#wholes.get(one) ?? []) found.add(whole);
    found.delete(name);
    return [...found];
  }

  /** Certain as soon as enough are up, or too few can still be. */
  #evaluate(count: number, of: readonly string[], known: Map<string, TrackedState | undefined>): TrackedState {
    const states = of.map((name) => ({ name, state: this.#stateOf(name, known) }));
    const up = states.filter(({ state }) => state?.up === true).length;
    const down = states.filter(({ state }) => state === undefined || state.up === false || state.disabled);
    const detail = `${up} of ${of.length} are up${down.length > 0 ? `, not ${down.map(({ name }) => name).join(', ')}` : ''}`;
    if (up >= count) return { up: true, disabled: false, detail };
    if (of.length - down.length < count) return { up: false, disabled: false, detail };
    return { up: undefined, disabled: false, detail };
  }

  #status(config: CheckConfig, snapshot: CheckSnapshot | undefined): CheckStatus {
    const { name, probe } = config;
    const state = this.stateOf(name);
    const condition =
      state === undefined || state.disabled
        ? 'disabled'
        : state.up === undefined
          ? 'waiting'
          : state.up
            ? 'ok'
            : 'failed';
    const of = probe.type === 'expression' ? probe.of.join(', ') : '';
    return {
      name,
      condition,
      detail: state?.detail ?? '',
      since: snapshot?.since ?? 0,
      what: probe.type === 'plugin' ? probe.plugin : probe.type === 'expression' ? `${probe.count} of ${of}` : '',
      last: snapshot?.last,
      runs: snapshot?.runs ?? 0,
      failures: snapshot?.failures ?? 0,
      timeouts: snapshot?.timeouts ?? 0,
      skipped: snapshot?.skipped ?? 0,
      usedBy: this.#uses.get(name) ?? [],
    };
  }
}

const policyOf = ({ scriptUser, enableScriptSecurity: strict }: GlobalDefs): CheckPlan['programs'] => ({
  user: scriptUser?.user,
  group: scriptUser?.group,
  strict,
});

const lostText = (why: string): string => `its plugin does not work: ${why}`;

function wholesOf(entries: Iterable<Entry>): ReadonlyMap<string, readonly string[]> {
  const wholes = new Map<string, string[]>();
  for (const { config } of entries)
    if (config.probe.type === 'expression')
      for (const part of config.probe.of) {
        const known = wholes.get(part);
        if (known) known.push(config.name);
        else wholes.set(part, [config.name]);
      }
  return wholes;
}

/** What is tracked, and what that is made of. In the order of the file. */
function wanted(all: ReadonlyMap<string, CheckConfig>, tracked: Iterable<string>): readonly CheckConfig[] {
  const names = new Set(tracked);
  for (const name of names) {
    const probe = all.get(name)?.probe;
    if (probe?.type === 'expression') for (const part of probe.of) names.add(part);
  }
  return [...all.values()].filter(({ name }) => names.has(name));
}

function planOf(
  { name, interval, timeout, jitter, rise, fall, initFail }: CheckConfig,
  { plugin, options }: Extract<CheckConfig['probe'], { type: 'plugin' }>,
  settings: CheckPlan['settings'],
): CheckPlan {
  return { name, plugin, options, settings, interval, timeout, jitter, rise, fall, initFail };
}
