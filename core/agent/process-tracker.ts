// Programs of which enough processes must run (track_process): whether each has its quorum, when starts and ends have
// lasted as long as they must. Knows nothing of weights nor of how processes are counted.
import type { InstanceConfig, SyncGroupConfig, Track, TrackProcessConfig } from '../config/model.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { WatchedStatus } from '../health/watched-status.ts';
import type { Timing } from '../ports/process.ts';
import type { ProcessNews, ProcessSource, ProcessWatch } from '../ports/process-watch.ts';
import { after } from '../units.ts';
import type { TrackerPlan, TrackSource, Use } from './trackers.ts';

export interface ProcessChange {
  readonly process: string;
  readonly up: boolean;
  readonly detail: string;
}

export interface ProcessTrackerOptions {
  readonly watch: ProcessWatch;
  readonly timing: Timing;
  readonly onProcess: (change: ProcessChange) => void;
  /** Something about how they are counted, for the log. */
  readonly onSource: (level: 'info' | 'warning', text: string) => void;
}

export class ProcessTracker implements TrackSource {
  readonly noun = 'process';
  readonly #options: ProcessTrackerOptions;
  #changed: (name: string) => void = () => {};
  #quorums: ReadonlyMap<string, Quorum> = new Map();
  #uses: ReadonlyMap<string, readonly Use[]> = new Map();
  #queries = '[]';
  #source: ProcessSource['kind'] | undefined;
  #problem = '';

  constructor(options: ProcessTrackerOptions) {
    this.#options = options;
  }

  listen(changed: (name: string) => void): void {
    this.#changed = changed;
  }

  tracksOf({ trackProcesses = [] }: InstanceConfig | SyncGroupConfig): readonly Track[] {
    return trackProcesses;
  }

  /** One that changed keeps its verdict until it has been counted. */
  configure({ config, uses }: TrackerPlan): void {
    this.#uses = uses;
    const wanted = (config.trackProcesses ?? []).filter(({ name }) => uses.has(name));
    const before = this.#quorums;
    this.#quorums = new Map(
      wanted.map((process) => {
        const old = before.get(process.name);
        if (old !== undefined && JSON.stringify(old.config) === JSON.stringify(process)) return [process.name, old];
        return [process.name, new Quorum(process, this.#options, (name) => this.#changed(name), old)];
      }),
    );
    for (const [name, quorum] of before) if (this.#quorums.get(name) !== quorum) quorum.close();
    const queries = wanted.map(({ name, argv, match, fullCommand }) => ({ name, argv, match, fullCommand }));
    const text = JSON.stringify(wanted);
    if (text === this.#queries) return;
    this.#queries = text;
    this.#options.watch.count(queries, (news) => this.#hear(news));
  }

  stateOf(name: string): TrackedState | undefined {
    const quorum = this.#quorums.get(name);
    return quorum && { up: quorum.up, disabled: false, detail: quorum.detail };
  }

  statuses(): readonly WatchedStatus[] {
    return [...this.#quorums].map(([name, { config, up, count, detail, since }]) => ({
      kind: 'process',
      name,
      condition: up === undefined ? 'waiting' : up ? 'ok' : 'failed',
      value: count,
      multiplied: false,
      detail,
      problem: this.#problem,
      since,
      subject: config.argv.join(' '),
      usedBy: this.#uses.get(name) ?? [],
    }));
  }

  async stop(): Promise<void> {
    for (const quorum of this.#quorums.values()) quorum.close();
    await this.#options.watch.stop();
  }

  #hear(news: ProcessNews): void {
    switch (news.type) {
      case 'count':
        this.#quorums.get(news.name)?.counted(news.count);
        break;
      case 'source':
        this.#hearSource(news.source);
        break;
      case 'resync':
        this.#options.onSource('info', 'process events were lost; all processes were counted anew');
        break;
      case 'failed':
        this.#problem = news.why;
        this.#source = undefined;
        this.#options.onSource('warning', `${news.why}; verdicts stay until it runs again`);
    }
  }

  #hearSource(source: ProcessSource): void {
    this.#problem = '';
    if (source.kind === 'scan') {
      const cost = `${source.cost.toFixed(1)} ms`;
      const every = `every ${source.interval / 1_000} s`;
      this.#problem = `no process events (${source.why}): counted ${every}, which takes ${cost} of processor time`;
      if (this.#source !== 'scan')
        this.#options.onSource('warning', `${this.#problem} and may notice a death that late`);
    } else if (this.#source !== 'events') this.#options.onSource('info', 'the kernel tells of every start and end');
    this.#source = source.kind;
  }
}

class Quorum {
  readonly config: TrackProcessConfig;
  /** undefined: not counted yet. */
  up: boolean | undefined;
  detail: string;
  /** How many run at present; undefined: not counted yet. */
  count: number | undefined;
  /** Milliseconds since 1970 at which `up` changed. */
  since: number;
  readonly #options: ProcessTrackerOptions;
  readonly #onChange: (name: string) => void;
  #fresh = true;
  #cancel: (() => void) | undefined;

  constructor(
    config: TrackProcessConfig,
    options: ProcessTrackerOptions,
    onChange: (name: string) => void,
    predecessor: Quorum | undefined,
  ) {
    this.config = config;
    this.#options = options;
    this.#onChange = onChange;
    this.up = predecessor?.up;
    this.detail = predecessor?.detail ?? '';
    this.since = predecessor?.since ?? options.timing.wallTime();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The first count decides at once; later, a start must last fork_delay and an end terminate_delay to count. */
  counted(count: number): void {
    const { quorum, quorumMax = Number.POSITIVE_INFINITY, forkDelay, terminateDelay } = this.config;
    const { timing } = this.#options;
    const rose = this.count === undefined || count > this.count;
    const first = this.#fresh;
    this.#fresh = false;
    this.count = count;
    const up = count >= quorum && count <= quorumMax;
    if (up === this.up) {
      this.close();
      return;
    }
    const delay = rose ? forkDelay : terminateDelay;
    if (first || delay === 0) {
      this.close();
      this.#decide(up);
    } else
      this.#cancel ??= timing.setTimer(after(timing.now(), delay), () => {
        this.#cancel = undefined;
        this.#decide(up);
      });
  }

  #decide(up: boolean): void {
    const { name, quorum, quorumMax } = this.config;
    const wanted = quorumMax === undefined ? `at least ${quorum}` : `${quorum} to ${quorumMax}`;
    const detail = `${this.count} run, ${wanted} should`;
    this.up = up;
    this.detail = detail;
    this.since = this.#options.timing.wallTime();
    this.#options.onProcess({ process: name, up, detail });
    this.#onChange(name);
  }
}
