// Tells named pipes of every change, in keepalived's lines, and keeps the programs that read them running.
// A reader that is slow or absent never holds anything up: what does not fit is lost, counted and said.
import type { Configuration, NotifyFifo } from '../config/model.ts';
import type { Fifo, Fifos } from '../ports/fifo.ts';
import type { ProcessRunner, Timing } from '../ports/process.ts';
import { after, type Micros, micros, seconds } from '../units.ts';
import type { Notice, NoticeSink } from './events.ts';
import type { Logger } from './log.ts';
import { describeFailure, lastLine } from './program-outcome.ts';
import { PROGRAM_PATH, type ReadyCommand, type VettedCommands } from './script-security.ts';

export interface FifoOptions {
  readonly fifos: Fifos;
  readonly processes: ProcessRunner;
  readonly timing: Timing;
  readonly logger: Logger;
}

/** A reader that ended is started again after this time. */
const RESTART: Micros = seconds(1);
/** A reader may run for ever. */
const FOR_EVER: Micros = micros(Number.MAX_SAFE_INTEGER);
/** keepalived makes pipes with 0644, less its umask of 0177. */
const MODE = 0o644;
const UMASK = 0o177;

/** `INSTANCE "VI_1" MASTER 100` and a line feed, byte for byte as keepalived. */
export function fifoLine({ kind, name, state, priority }: Notice): string {
  return `${kind} "${name}" ${state} ${priority}\n`;
}

export class FifoNotifier implements NoticeSink {
  readonly #options: FifoOptions;
  #pipes: readonly Pipe[] = [];

  constructor(options: FifoOptions) {
    this.#options = options;
  }

  /**
   * A pipe with a program is closed and made anew, as keepalived does at every reload, so that the old program comes to
   * the end of the file. One without, that stays as it was, goes on: nobody who reads it notices the reload.
   */
  configure({ globals }: Pick<Configuration, 'globals'>, vetted: VettedCommands): void {
    const { notifyFifo, vrrpNotifyFifo, umask = UMASK } = globals;
    const wanted = [
      ['notify_fifo', notifyFifo],
      ['vrrp_notify_fifo', vrrpNotifyFifo],
    ] as const;
    const before = this.#pipes;
    const kept = before.filter(
      (pipe) => pipe.plain && wanted.some(([, fifo]) => fifo?.path === pipe.path && fifo.script === undefined),
    );
    for (const pipe of before) if (!kept.includes(pipe)) void pipe.end();
    this.#pipes = wanted.flatMap(([keyword, fifo]) => {
      if (fifo === undefined) return [];
      const old = kept.find((pipe) => pipe.path === fifo.path);
      return [old ?? new Pipe(keyword, fifo, readerOf(fifo, vetted), MODE & ~umask, this.#options)];
    });
  }

  notify(notice: Notice): void {
    const line = fifoLine(notice);
    for (const pipe of this.#pipes) pipe.write(line);
  }

  repeat(notices: readonly Notice[]): void {
    for (const notice of notices) this.notify(notice);
  }

  /** Lines that did not fit, by pipe. */
  get lost(): readonly { readonly path: string; readonly lost: number }[] {
    return this.#pipes.map(({ path, lost }) => ({ path, lost }));
  }

  /** Ends the programs and removes the pipes; a program gets two seconds to end, whatever the time allowed. */
  async drain(): Promise<void> {
    await Promise.all(this.#pipes.map((pipe) => pipe.end()));
  }
}

/** The program with the path as its last argument; undefined: there is none, or none that may run. */
function readerOf({ path, script }: NotifyFifo, vetted: VettedCommands): ReadyCommand | undefined {
  const verdict = script && vetted.of(script);
  if (verdict?.type !== 'ready') return undefined;
  const { argv, identity } = verdict.command;
  return { argv: [...argv, path], identity };
}

/** One named pipe and its reader. */
class Pipe {
  readonly path: string;
  /** No program was asked for. */
  readonly plain: boolean;
  lost = 0;
  readonly #keyword: string;
  readonly #options: FifoOptions;
  readonly #reader: ReadyCommand | undefined;
  readonly #abort = new AbortController();
  #fifo: Fifo | undefined;
  #gone: Promise<void> = Promise.resolve();
  #cancelRestart: (() => void) | undefined;

  constructor(keyword: string, fifo: NotifyFifo, reader: ReadyCommand | undefined, mode: number, options: FifoOptions) {
    this.path = fifo.path;
    this.plain = fifo.script === undefined;
    this.#keyword = keyword;
    this.#options = options;
    this.#reader = reader;
    const opened = options.fifos.open(this.path, mode);
    if ('why' in opened) options.logger.log('error', 'fifo', { fifo: keyword, why: opened.why, effect: 'not written' });
    else {
      this.#fifo = opened;
      this.#read();
    }
  }

  write(line: string): void {
    const result = this.#fifo?.write(line);
    if (result === undefined || result === 'written') return;
    this.lost++;
    const why = result === 'full' ? 'it is full: nobody reads it' : result.why;
    this.#options.logger.limited(`fifo ${this.path}`, 'warning', 'fifo-lost', {
      fifo: this.path,
      why,
      lost: this.lost,
    });
  }

  async end(): Promise<void> {
    this.#cancelRestart?.();
    this.#abort.abort(); // SIGTERM first, as keepalived: the end of the file then finds a reader that knows why
    this.#fifo?.close();
    this.#fifo = undefined;
    await this.#gone;
  }

  #read(): void {
    if (this.#reader === undefined || this.#abort.signal.aborted) return;
    const { processes, timing, logger } = this.#options;
    const request = { ...this.#reader, environment: { PATH: PROGRAM_PATH }, timeout: FOR_EVER };
    const running = processes.start(request, this.#abort.signal);
    this.#gone = running.gone;
    void running.result.then((result) => {
      if (this.#abort.signal.aborted) return;
      const why = result.ok ? 'it ended' : describeFailure(result.failure);
      const fields = { script: `${this.#keyword}_script`, why, output: lastLine(result.output) || undefined };
      logger.limited(`fifo-script ${this.path}`, 'warning', 'fifo-script', { ...fields, effect: 'started again' });
      this.#cancelRestart = timing.setTimer(after(timing.now(), RESTART), () => this.#read());
    });
  }
}
