// Starts, watches and ends VRRP daemons in a lab's hosts: our agent, and the real keepalived. A daemon here survives its
// process: it can be killed and started again, and its log goes on. Awaits what it says by event, never by sleeping.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, inside, run, toolEnvironment } from '../../core/cli/demo/network.ts';
import { command } from './needs.ts';

export type Kind = 'vipkeeper' | 'keepalived';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ROOT = join(import.meta.dirname, '..', '..');
export const AGENT = join(ROOT, 'core', 'cli', 'main.ts');

export class Daemon implements AsyncDisposable {
  readonly kind: Kind;
  readonly host: Host;
  readonly directory: string;
  /** The configuration file. */
  readonly file: string;
  readonly #entry: string;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> = Promise.resolve({ code: 0, signal: null });
  #log = '';
  readonly #listeners = new Set<() => void>();

  /** `entry` is the program that Node runs for our agent, if not the command line itself. */
  constructor(kind: Kind, host: Host, directory: string, text: string, entry = AGENT) {
    this.kind = kind;
    this.host = host;
    this.directory = directory;
    this.file = join(directory, 'keepalived.conf');
    this.#entry = entry;
    this.configure(text);
  }

  /** Writes the configuration file, without telling the daemon. */
  configure(text: string): void {
    writeFileSync(this.file, text);
  }

  /** Starts the process, and does not wait for it to be of use. */
  start(): this {
    if (this.#child) throw new Error(`${this.kind} on ${this.host.name} runs already`);
    const argv = inside(this.host.namespace, ...(this.kind === 'vipkeeper' ? this.#agent() : this.#keepalived()));
    const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe'], env: toolEnvironment() });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream!.setEncoding('utf8').on('data', (s) => this.#hear(s));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (this.#child === child) this.#child = undefined;
        this.#hear(`[${this.kind} on ${this.host.name} ended: ${signal ?? code}]\n`);
        resolve({ code, signal });
      });
    });
    return this;
  }

  /** Starts the process and waits until it takes part in elections. Starting takes its time where others do the same. */
  async up(): Promise<this> {
    const from = this.#log.length;
    this.start();
    const working = this.kind === 'vipkeeper' ? / running / : /Entering (BACKUP|MASTER) STATE/;
    const [said] = await this.says(new RegExp(`${working.source}|\\[.* ended: .*`), 20_000, from);
    if (said.includes('ended:')) throw new Error(`${said}\n${this.#log.slice(from)}`);
    return this;
  }

  #agent(): string[] {
    return [process.execPath, this.#entry, 'run', '-f', this.file, '--runtime-dir', this.directory];
  }

  #keepalived(): string[] {
    const pid = (name: string) => join(this.directory, `${name}.pid`);
    const files = ['-p', pid('keepalived'), '-r', pid('vrrp'), '-c', pid('checkers')];
    return [command('keepalived') ?? 'keepalived', '-n', '-l', '-D', '-G', '-f', this.file, ...files];
  }

  #hear(text: string): void {
    this.#log += text;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Everything it has said, over all its lives. */
  get log(): string {
    return this.#log;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The process id of the main process. @throws Error when it does not run */
  get pid(): number {
    if (!this.#child?.pid) throw new Error(`${this.kind} on ${this.host.name} does not run`);
    return this.#child.pid;
  }

  /** When the running process ends, or has ended. */
  get ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Resolves when a line matches that was said after the first `from` characters. @throws Error with the log in time */
  async says(pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> {
    const look = () => pattern.exec(this.#log.slice(from));
    const now = look();
    if (now) return now;
    return await new Promise((resolve, reject) => {
      const finish = (found: RegExpExecArray | null) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        if (found) resolve(found);
        else reject(new Error(`${this.kind} on ${this.host.name} did not say ${pattern}; its log:\n${this.#log}`));
      };
      const listener = () => {
        const found = look();
        if (found) finish(found);
      };
      const timer = setTimeout(finish, timeoutMs, null);
      this.#listeners.add(listener);
    });
  }

  /** Sends a signal to the main process, as an administrator would. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** SIGTERM, and the end. @throws Error when it does not end within ten seconds */
  async stop(): Promise<Ended> {
    if (!this.#child) return await this.#ended;
    this.signal('SIGTERM');
    const late = setTimeout(() => this.killAll('SIGKILL'), 10_000);
    const ended = await this.#ended;
    clearTimeout(late);
    if (ended.signal === 'SIGKILL') throw new Error(`${this.kind} on ${this.host.name} ignored SIGTERM; ${this.#log}`);
    return ended;
  }

  /** A crash of the whole machine's daemon: all its processes at once, none can act on the death of another. */
  async crash(): Promise<void> {
    this.killAll('SIGSTOP');
    this.killAll('SIGKILL');
    await this.#ended;
  }

  killAll(signal: NodeJS.Signals): void {
    if (!this.#child?.pid) return;
    for (const pid of descendants(this.#child.pid))
      try {
        process.kill(pid, signal);
      } catch {
        // It ended meanwhile.
      }
  }

  /** Writes a new file and sends SIGHUP. */
  reload(text: string): void {
    this.configure(text);
    this.signal('SIGHUP');
  }

  /** Our agent's `status --json`. */
  async status(): Promise<unknown> {
    const text = await run(process.execPath, AGENT, 'status', '--json', '--runtime-dir', this.directory);
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killAll('SIGCONT');
    if (this.#child) await this.crash();
  }
}

/** A process and all below it, parents first. */
function descendants(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return [pid, ...children.flatMap(descendants)];
  } catch {
    return [];
  }
}
