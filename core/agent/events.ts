// Makes notices of what the engine tells: which changes are told outside, under which names, in which order, and none
// twice. Whoever wants them (programs, named pipes, mail) is a sink. Starts nothing itself.
import type { Configuration, InstanceConfig, SyncGroupConfig } from '../config/model.ts';
import type { EngineEvent, TrackVerdict } from '../engine/messages.ts';
import type { IpAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';
import type { RouterState } from '../vrrp/types.ts';
import type { VettedCommands } from './script-security.ts';

/** keepalived's words: four states and the end of an instance at a reload, then what is no change of state. */
export type NoticeWord =
  | 'MASTER'
  | 'BACKUP'
  | 'FAULT'
  | 'STOP'
  | 'DELETED'
  | 'MASTER_RX_LOWER_PRI'
  | 'MASTER_PRIORITY'
  | 'BACKUP_PRIORITY';

export interface Notice {
  readonly kind: 'INSTANCE' | 'GROUP';
  readonly name: string;
  readonly state: NoticeWord;
  readonly previous: RouterState;
  /** Why, in one word or a few; 'deleted' when it is no longer configured. */
  readonly reason: string;
  /** The effective priority; 0 for a group. */
  readonly priority: number;
  /** The router that took over, whose place we take, or that was heard. */
  readonly peer?: IpAddress;
}

/** Somebody to tell. No call throws, and only `drain` may take time. */
export interface NoticeSink {
  /** @param removed names of instances that were configured until now: one last notice of each may come */
  configure(configuration: Configuration, vetted: VettedCommands, removed: readonly string[]): void;
  notify(notice: Notice): void;
  /** What the engine tells, before anything is made of it. */
  hear?(event: EngineEvent): void;
  /** After a reload: what everybody is, though nothing changed. */
  repeat?(notices: readonly Notice[]): void;
  /** For the end: finishes what was told, within the time, and lets go of everything. */
  drain(timeout: Micros): Promise<unknown>;
}

/** What a transition is called in notices; undefined: nothing is told (LEAVING is still on its way). */
export function notifyState(to: RouterState): 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | undefined {
  switch (to) {
    case 'MASTER':
    case 'BACKUP':
    case 'FAULT':
      return to;
    case 'INIT':
      return 'STOP';
    case 'LEAVING':
      return undefined;
  }
}

/** Waiting for the first result of a check is no fault that anybody has to be told of. */
const isWaiting = (why: string): boolean => why.includes('waiting for its first result');

export class Teller implements Pick<NoticeSink, 'configure' | 'drain'> {
  readonly #sinks: readonly NoticeSink[];
  #instances: ReadonlyMap<string, InstanceConfig> = new Map();
  #groups: readonly SyncGroupConfig[] = [];
  #globals: Configuration['globals'] | undefined;
  /** Instances that a reload took away and that have not ended yet, and whether that is called DELETED. */
  readonly #leaving = new Map<string, boolean>();
  /** The latest change of state that was told. */
  readonly #told = new Map<string, Notice>();
  /** Instances and groups in a FAULT that is not told: see isWaiting. */
  readonly #waiting = new Map<string, Notice>();
  /** What the trackers said last: they may be faster than the engine. */
  readonly #verdicts = new Map<string, TrackVerdict>();
  /** Notices of the start, until everybody has a state: groups are then told first, as keepalived does. */
  #first: Notice[] | undefined = [];
  #stopping = false;

  constructor(sinks: readonly NoticeSink[]) {
    this.#sinks = sinks;
  }

  configure(configuration: Configuration, vetted: VettedCommands, removed: readonly string[]): void {
    const { globals, instances, groups } = configuration;
    for (const name of removed) this.#leaving.set(name, this.#instances.get(name)?.notify.deleted ?? false);
    this.#globals = globals;
    this.#instances = new Map(instances.map((instance) => [instance.name, instance]));
    this.#groups = groups;
    for (const sink of this.#sinks) sink.configure(configuration, vetted, removed);
    this.#forget();
    if (this.#first !== undefined || !globals.fifoStatesOnReload) return;
    const staying = [...this.#told.values()].filter(({ kind, name }) => kind === 'GROUP' || !this.#leaving.has(name));
    const order = [...staying.filter(({ kind }) => kind === 'GROUP'), ...staying.filter((n) => n.kind === 'INSTANCE')];
    for (const sink of this.#sinks) sink.repeat?.(order);
  }

  hear(event: EngineEvent): void {
    for (const sink of this.#sinks) sink.hear?.(event);
    if (event.type === 'configured') this.#begin();
    else if (event.type === 'transition') this.#transition(event);
    else if (event.type === 'group-transition') this.#groupTransition(event);
    else if (event.type === 'priority-changed') this.#priority(event);
    else if (event.type === 'lower-priority-heard') {
      const { instance: name, priority, source: peer } = event;
      const state = 'MASTER_RX_LOWER_PRI';
      this.#tell({ kind: 'INSTANCE', name, state, previous: 'MASTER', reason: 'lower-priority', priority, peer });
    }
  }

  /** A verdict of the trackers: a fault that was only waited for may have become a real one, without a transition. */
  judged(verdict: TrackVerdict): void {
    this.#verdicts.set(verdict.instance, verdict);
    if (this.#first === undefined) this.#reconsider(verdict.instance);
  }

  /** From now on everybody only ends. */
  stopping(): void {
    this.#stopping = true;
  }

  /** Whoever has not been told to have ended has now; groups after all instances, as keepalived does. */
  async drain(timeout: Micros): Promise<void> {
    const reason = this.#stopping ? 'shutdown' : 'failed';
    for (const kind of ['INSTANCE', 'GROUP'])
      for (const { name, priority, ...told } of [...this.#told.values()])
        if (told.kind === kind)
          this.#change({ kind: told.kind, name, priority, state: 'STOP', previous: 'INIT', reason });
    await Promise.all(this.#sinks.map((sink) => sink.drain(timeout)));
  }

  /** Names that nobody has any more, such as the former one of an instance that a reload renamed. */
  #forget(): void {
    const instances = [...this.#instances.keys(), ...this.#leaving.keys()];
    const known = new Set([
      ...instances.map((name) => keyOf('INSTANCE', name)),
      ...this.#groups.map(({ name }) => keyOf('GROUP', name)),
    ]);
    for (const map of [this.#told, this.#waiting])
      for (const key of [...map.keys()]) if (!known.has(key)) map.delete(key);
    for (const name of [...this.#verdicts.keys()]) if (!this.#instances.has(name)) this.#verdicts.delete(name);
  }

  #begin(): void {
    const first = this.#first ?? [];
    this.#first = undefined;
    for (const kind of ['GROUP', 'INSTANCE']) for (const notice of first) if (notice.kind === kind) this.#tell(notice);
    for (const { kind, name } of [...this.#waiting.values()]) if (kind === 'INSTANCE') this.#reconsider(name);
  }

  /** Tells a fault that was held back, if it is not waiting that ails the instance by now. */
  #reconsider(instance: string): void {
    const withheld = this.#waiting.get(keyOf('INSTANCE', instance));
    const faults = this.#verdicts.get(instance)?.faults ?? [];
    if (withheld === undefined || faults.length === 0 || faults.some(isWaiting)) return;
    this.#change(withheld);
    for (const { name, members } of this.#groups) {
      const group = members.includes(instance) ? this.#waiting.get(keyOf('GROUP', name)) : undefined;
      if (group !== undefined) this.#change(group);
    }
  }

  #transition(event: Extract<EngineEvent, { type: 'transition' }>): void {
    const { instance: name, from, to, why, detail, priority, peer } = event;
    const state = notifyState(to);
    if (state === undefined) return;
    const about = { kind: 'INSTANCE', name, priority, ...(peer === undefined ? {} : { peer }) } as const;
    const deleted = this.#leaving.get(name);
    if (state === 'STOP' && deleted !== undefined) {
      this.#leaving.delete(name);
      this.#change({ ...about, state: deleted ? 'DELETED' : 'FAULT', previous: from, reason: 'deleted' });
      this.#told.delete(keyOf('INSTANCE', name));
      return;
    }
    const notice: Notice = { ...about, state, previous: from, reason: why };
    if (from !== 'INIT' || state !== 'FAULT' || !isWaiting(detail)) {
      this.#change(notice);
      return;
    }
    this.#waiting.set(keyOf('INSTANCE', name), notice);
    if (this.#first === undefined) this.#reconsider(name);
  }

  #groupTransition({ group: name, from, to }: Extract<EngineEvent, { type: 'group-transition' }>): void {
    const state = notifyState(to);
    // While it stops, members that hand over make it look like a backup: the end is told by drain.
    if (state === undefined || this.#stopping) return;
    const notice: Notice = { kind: 'GROUP', name, state, previous: from, reason: 'sync-group', priority: 0 };
    const members = this.#groups.find((group) => group.name === name)?.members ?? [];
    const inFault = members.some((member) => this.#told.get(keyOf('INSTANCE', member))?.state === 'FAULT');
    const waited = members.some((member) => this.#waiting.has(keyOf('INSTANCE', member)));
    if (state === 'FAULT' && waited && !inFault) this.#waiting.set(keyOf('GROUP', name), notice);
    else this.#change(notice);
  }

  #priority({ instance: name, state, priority }: Extract<EngineEvent, { type: 'priority-changed' }>): void {
    if (state === 'INIT' || state === 'LEAVING') return;
    const group = this.#groups.find(({ members }) => members.includes(name));
    const wanted = this.#instances.get(name)?.notify.priorityChanges ?? group?.notify.priorityChanges;
    if (!(wanted ?? this.#globals?.notifyPriorityChanges)) return;
    const word = state === 'MASTER' ? 'MASTER_PRIORITY' : 'BACKUP_PRIORITY';
    this.#tell({ kind: 'INSTANCE', name, state: word, previous: state, reason: 'priority', priority });
  }

  /** Tells a change of state, unless that is what was told last. What came before is what was told before. */
  #change(notice: Notice): void {
    const key = keyOf(notice.kind, notice.name);
    this.#waiting.delete(key);
    const before = this.#told.get(key)?.state;
    const previous = before === 'MASTER' || before === 'BACKUP' || before === 'FAULT' ? before : 'INIT';
    this.#told.set(key, notice);
    if (before !== notice.state) this.#tell({ ...notice, previous });
  }

  #tell(notice: Notice): void {
    if (this.#first !== undefined) this.#first.push(notice);
    else for (const sink of this.#sinks) sink.notify(notice);
  }
}

/** Names of instances and of groups do not meet. */
export function keyOf(kind: Notice['kind'], name: string): string {
  return `${kind} ${name}`;
}
