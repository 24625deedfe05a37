// Files with a number that moves priorities (track_file): what each says at present. Knows nothing of weights nor of
// how files are watched.
import type { InstanceConfig, SyncGroupConfig, Track, TrackFileConfig } from '../config/model.ts';
import { fileNumber } from '../health/file-number.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { WatchedStatus } from '../health/watched-status.ts';
import type { Timing } from '../ports/process.ts';
import type { FileContent, WatchedFiles } from '../ports/watched-files.ts';
import { after, millis } from '../units.ts';
import type { TrackerPlan, TrackSource, Use } from './trackers.ts';

/** More than any number needs. */
const LIMIT = 64;
/** `echo 1 >file` empties the file before it writes: an empty one counts as 0 only when it stays so. */
const EMPTY = millis(100);

export interface FileChange {
  readonly file: string;
  readonly value: number;
  /** What is wrong with it; empty: nothing. */
  readonly problem: string;
}

export interface FileTrackerOptions {
  readonly files: WatchedFiles;
  readonly timing: Timing;
  readonly onFile: (change: FileChange) => void;
}

export class FileTracker implements TrackSource {
  readonly noun = 'file';
  readonly #options: FileTrackerOptions;
  #changed: (name: string) => void = () => {};
  #files: ReadonlyMap<string, TrackedFile> = new Map();
  #uses: ReadonlyMap<string, readonly Use[]> = new Map();

  constructor(options: FileTrackerOptions) {
    this.#options = options;
  }

  listen(changed: (name: string) => void): void {
    this.#changed = changed;
  }

  tracksOf({ trackFiles = [] }: InstanceConfig | SyncGroupConfig): readonly Track[] {
    return trackFiles;
  }

  /** A file under another path keeps its number until it is read; its first number is written when it is new. */
  configure({ config, uses }: TrackerPlan): void {
    this.#uses = uses;
    const before = this.#files;
    const files = new Map<string, TrackedFile>();
    for (const file of config.trackFiles ?? []) {
      if (!uses.has(file.name)) continue;
      const old = before.get(file.name);
      const same = old !== undefined && old.config.path === file.path;
      files.set(file.name, same ? old : new TrackedFile(file, this.#options, (name) => this.#changed(name), old));
    }
    this.#files = files;
    for (const [name, file] of before) if (files.get(name) !== file) file.close();
  }

  stateOf(name: string): TrackedState | undefined {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    const { value, detail } = file;
    return value === undefined
      ? { up: undefined, disabled: false, detail }
      : { up: value === 0, disabled: false, detail, value };
  }

  statuses(): readonly WatchedStatus[] {
    return [...this.#files].map(([name, { config, value, detail, problem, since }]) => ({
      kind: 'file',
      name,
      condition: value === undefined ? 'waiting' : value === 0 ? 'ok' : 'failed',
      value,
      multiplied: true,
      detail,
      problem,
      since,
      subject: config.path,
      usedBy: this.#uses.get(name) ?? [],
    }));
  }

  stop(): Promise<void> {
    for (const file of this.#files.values()) file.close();
    return Promise.resolve();
  }
}

class TrackedFile {
  readonly config: TrackFileConfig;
  /** undefined: not read yet. */
  value: number | undefined;
  detail = '';
  problem = '';
  /** Milliseconds since 1970 at which `value` changed. */
  since: number;
  readonly #options: FileTrackerOptions;
  readonly #onChange: (name: string) => void;
  #end: () => void = () => {};
  #cancelEmpty: () => void = () => {};
  #closed = false;

  constructor(
    config: TrackFileConfig,
    options: FileTrackerOptions,
    onChange: (name: string) => void,
    predecessor: TrackedFile | undefined,
  ) {
    this.config = config;
    this.#options = options;
    this.#onChange = onChange;
    this.value = predecessor?.value;
    this.detail = predecessor?.detail ?? '';
    this.since = predecessor?.since ?? options.timing.wallTime();
    void this.#begin();
  }

  close(): void {
    this.#closed = true;
    this.#cancelEmpty();
    this.#end();
  }

  async #begin(): Promise<void> {
    const { path, initial, name } = this.config;
    const { files, onFile } = this.#options;
    const why = initial && (await files.write(path, `${initial.value}\n`, initial.overwrite));
    if (this.#closed) return;
    if (why !== undefined) onFile({ file: name, value: this.value ?? 0, problem: `${path} cannot be written: ${why}` });
    this.#end = files.watch(path, LIMIT, (content) => this.#read(content));
  }

  #read(content: FileContent): void {
    this.#cancelEmpty();
    const { path } = this.config;
    const number = content.type === 'text' ? fileNumber(content.text) : undefined;
    switch (number?.type) {
      case 'number':
        this.#take(number.value, number.rest ? `${path} holds more than a number; what follows it is not read` : '');
        return;
      case 'empty': {
        const { timing } = this.#options;
        if (this.value === undefined) this.#take(0, `${path} is empty, which counts as 0`);
        else
          this.#cancelEmpty = timing.setTimer(after(timing.now(), EMPTY), () =>
            this.#take(0, `${path} is empty, which counts as 0`),
          );
        return;
      }
    }
    if (content.type === 'missing') this.#take(0, '', `${path} does not exist`);
    // Neither a typing error nor a lost permission may move an address: the last number stays.
    else {
      const what = content.type === 'unreadable' ? `cannot be read (${content.why})` : 'holds no number';
      const kept = this.value ?? 0;
      this.#take(kept, `${path} ${what}; ${kept} stays`, this.detail || `${kept}`);
    }
  }

  #take(value: number, problem: string, detail = `it says ${value}`): void {
    const { onFile, timing } = this.#options;
    if (value === this.value && problem === this.problem && detail === this.detail) return;
    if (value !== this.value) this.since = timing.wallTime();
    const told = value !== this.value || problem !== this.problem;
    this.value = value;
    this.problem = problem;
    this.detail = detail;
    if (told) onFile({ file: this.config.name, value, problem });
    this.#onChange(this.config.name);
  }
}
