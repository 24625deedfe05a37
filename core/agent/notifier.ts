// Tells the configured programs about state changes: notify_<state> first, then notify, one at a time and in order
// for each virtual router and each sync group. keepalived starts them all at once, and they overtake one another.
import type { Command, Configuration, NotifyConfig } from '../config/model.ts';
import type { ProcessRunner, Timing } from '../ports/process.ts';
import { after, type Micros, seconds } from '../units.ts';
import { keyOf, type Notice, type NoticeSink, type NoticeWord } from './events.ts';
import type { Logger } from './log.ts';
import { describeFailure, lastLine } from './program-outcome.ts';
import { PROGRAM_PATH, type ReadyCommand, type VettedCommands } from './script-security.ts';

export interface NotifierOptions {
  readonly processes: ProcessRunner;
  readonly timing: Timing;
  readonly logger: Logger;
  /** For each program. Default 30 s. */
  readonly timeout?: Micros;
}

/** Notices that wait for one virtual router; beyond them the oldest is dropped. */
export const QUEUE_LIMIT = 32;

/** The program that a word is for; DELETED and priorities have none. */
const PROGRAM_OF: Readonly<
  Record<NoticeWord, 'master' | 'backup' | 'fault' | 'stop' | 'masterRxLowerPriority' | undefined>
> = {
  MASTER: 'master',
  BACKUP: 'backup',
  FAULT: 'fault',
  STOP: 'stop',
  MASTER_RX_LOWER_PRI: 'masterRxLowerPriority',
  DELETED: undefined,
  MASTER_PRIORITY: undefined,
  BACKUP_PRIORITY: undefined,
};
/** The words that `notify` is called for, as keepalived: changes of state. */
const CHANGES: ReadonlySet<NoticeWord> = new Set(['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED']);

/** One program to run for one notice. */
interface Call {
  readonly label: string;
  readonly command: ReadyCommand;
}

interface Pending {
  readonly notice: Notice;
  readonly calls: readonly Call[];
}

/** What somebody's notices run. */
interface Programs {
  readonly notify: NotifyConfig;
  readonly vetted: VettedCommands;
}

export class Notifier implements NoticeSink {
  readonly #options: NotifierOptions;
  readonly #timeout: Micros;
  readonly #abort = new AbortController();
  readonly #queues = new Map<string, Queue>();
  #programs: ReadonlyMap<string, Programs> = new Map();
  /** Of instances that a reload took away, until their last notice. */
  readonly #departing = new Map<string, Programs>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? seconds(30);
  }

  /** Takes a configuration; notices already queued still run what was configured when they came. */
  configure(
    config: Pick<Configuration, 'instances' | 'groups'>,
    vetted: VettedCommands,
    removed: readonly string[] = [],
  ): void {
    for (const key of removed.map((name) => keyOf('INSTANCE', name))) {
      const programs = this.#programs.get(key);
      if (programs !== undefined) this.#departing.set(key, programs);
    }
    this.#programs = new Map([
      ...config.instances.map(({ name, notify }) => [keyOf('INSTANCE', name), { notify, vetted }] as const),
      ...config.groups.map(({ name, notify }) => [keyOf('GROUP', name), { notify, vetted }] as const),
    ]);
  }

  /** Queues a notice. Never throws and never waits. After `drain` has ended it does nothing. */
  notify(notice: Notice): void {
    const key = keyOf(notice.kind, notice.name);
    const calls = this.#callsFor(notice, this.#programsFor(notice, key));
    if (calls.length === 0 || this.#abort.signal.aborted) return;
    let queue = this.#queues.get(key);
    if (!queue) {
      queue = new Queue();
      this.#queues.set(key, queue);
    }
    const dropped = queue.push({ notice, calls });
    if (dropped)
      this.#options.logger.limited(`notify-queue ${key}`, 'warning', 'notify-dropped', {
        [notice.kind.toLowerCase()]: notice.name,
        state: dropped.notice.state,
        why: `more than ${QUEUE_LIMIT} notifications are waiting; the newest are kept`,
      });
    queue.working ??= this.#work(key, queue);
  }

  /** Notices that have not been handled to the end. */
  get pending(): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  }

  /**
   * Waits until every queue is empty, at most `timeout`; then ends what still runs and drops the rest (which is
   * logged). For the end of the process: later notices are ignored. Returns how many notices were cut off.
   */
  async drain(timeout: Micros): Promise<number> {
    const { timing, logger } = this.#options;
    const late = Promise.withResolvers<void>();
    const cancel = timing.setTimer(after(timing.now(), timeout), late.resolve);
    const idle = () => Promise.all([...this.#queues.values()].map((queue) => queue.working));
    await Promise.race([idle(), late.promise]);
    cancel();
    const cutOff = this.pending;
    this.#abort.abort();
    if (cutOff > 0)
      logger.log('warning', 'notify-cut-off', { notifications: cutOff, after: `${timeout / 1_000_000}s` });
    for (const queue of this.#queues.values()) queue.clear();
    await idle();
    return cutOff;
  }

  #programsFor({ reason }: Notice, key: string): Programs | undefined {
    if (reason !== 'deleted') return this.#programs.get(key);
    const programs = this.#departing.get(key);
    this.#departing.delete(key);
    return programs;
  }

  #callsFor(notice: Notice, programs: Programs | undefined): Call[] {
    const calls: Call[] = [];
    if (programs === undefined) return calls;
    const { notify, vetted } = programs;
    const add = (label: string, command: Command | undefined, extra: readonly string[]): void => {
      const verdict = command && vetted.of(command);
      if (verdict?.type !== 'ready') return;
      const { argv, identity } = verdict.command;
      calls.push({ label, command: { argv: [...argv, ...extra], identity } });
    };
    const slot = PROGRAM_OF[notice.state];
    if (slot !== undefined) add(`notify_${notice.state.toLowerCase()}`, notify[slot], []);
    // keepalived's four words.
    if (CHANGES.has(notice.state))
      add('notify', notify.any, [notice.kind, notice.name, notice.state, String(notice.priority)]);
    return calls;
  }

  async #work(key: string, queue: Queue): Promise<void> {
    for (let pending = queue.next(); pending; pending = queue.next()) {
      for (const call of pending.calls) {
        if (this.#abort.signal.aborted) break;
        await this.#run(call, pending.notice);
      }
      queue.done();
    }
    queue.working = undefined;
    // A notice may have come between the last look and here only through this very turn, so the queue is empty.
    this.#queues.delete(key);
  }

  async #run({ label, command }: Call, notice: Notice): Promise<void> {
    const { processes, logger } = this.#options;
    const environment = {
      PATH: PROGRAM_PATH,
      VIPKEEPER_KIND: notice.kind,
      VIPKEEPER_INSTANCE: notice.name,
      VIPKEEPER_STATE: notice.state,
      VIPKEEPER_PREVIOUS_STATE: notice.previous,
      VIPKEEPER_REASON: notice.reason,
      VIPKEEPER_PRIORITY: String(notice.priority),
      // Always there, so that a script under `set -u` need not ask.
      VIPKEEPER_PEER: notice.peer ?? '',
    };
    const request = { ...command, environment, timeout: this.#timeout };
    const running = processes.start(request, this.#abort.signal);
    const result = await running.result;
    if (!result.ok)
      logger.log('warning', 'notify-failed', {
        [notice.kind.toLowerCase()]: notice.name,
        state: notice.state,
        script: label,
        why: describeFailure(result.failure),
        output: lastLine(result.output) || undefined,
      });
    await running.gone;
  }
}

/** The notices of one virtual router: one in work and a bounded line behind it. */
class Queue {
  working: Promise<void> | undefined;
  readonly #waiting: Pending[] = [];
  #busy = false;

  /** Appends; returns the oldest waiting notice if it had to make room. */
  push(pending: Pending): Pending | undefined {
    this.#waiting.push(pending);
    return this.#waiting.length > QUEUE_LIMIT ? this.#waiting.shift() : undefined;
  }

  next(): Pending | undefined {
    const pending = this.#waiting.shift();
    this.#busy = pending !== undefined;
    return pending;
  }

  done(): void {
    this.#busy = false;
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }
}
