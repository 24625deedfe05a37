// Runs programs for the agent: no shell, a process group and a clean environment each, an end that is certain.
// Also the agent's clock and timers. Knows nothing of checks, notifications or who asked.
import { type ChildProcess, spawn } from 'node:child_process';
import { isMainThread } from 'node:worker_threads';
import type {
  ProcessFailure,
  ProcessRequest,
  ProcessResult,
  ProcessRunner,
  RunningProcess,
  Timing,
} from '../ports/process.ts';
import { type Instant, instant } from '../units.ts';
import { stdioBeyond } from './portable/descriptors.ts';

/** Bytes of output kept for people. */
const OUTPUT_LIMIT = 4096;
/** Between SIGTERM and SIGKILL, as keepalived. */
const GRACE_MS = 2_000;
/** How long the output of a program that ended is waited for, if something it left in the background holds it open. */
const DRAIN_MS = 100;
/** How often we look whether a process group that got SIGTERM has gone. */
const LOOK_MS = 20;
/** keepalived hands on its own 0177, with which a script that writes an executable or a directory makes useless ones. */
const UMASK = 0o022;

export class ChildProcesses implements ProcessRunner {
  readonly #alive = new Set<Child>();
  readonly #groups: Int32Array | undefined;

  /** @param groups memory for their process groups, 0: free, for who must end them when this thread is no more */
  constructor(groups?: Int32Array) {
    this.#groups = groups;
  }

  start(request: ProcessRequest, signal: AbortSignal): RunningProcess {
    const child = new Child(request, signal);
    this.#alive.add(child);
    const slot = child.group === undefined ? -1 : (this.#groups?.indexOf(0) ?? -1);
    if (slot >= 0) Atomics.store(this.#groups!, slot, child.group!);
    void child.gone.then(() => {
      this.#alive.delete(child);
      if (slot >= 0) Atomics.store(this.#groups!, slot, 0);
    });
    return child;
  }

  /** SIGKILL to every process group at once, for the moment before the process ends. */
  killAll(): void {
    for (const child of this.#alive) child.kill('SIGKILL');
  }
}

/** SIGKILL to the process groups that a thread has left behind. */
export function killGroups(groups: Int32Array): void {
  for (let slot = 0; slot < groups.length; slot++) {
    const group = Atomics.exchange(groups, slot, 0);
    if (group <= 1) continue;
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  }
}

class Child implements RunningProcess {
  readonly result: Promise<ProcessResult>;
  readonly gone: Promise<void>;
  readonly #settle: (result: ProcessResult) => void;
  readonly #leave: () => void;
  readonly #output = new OutputTail();
  readonly #signal: AbortSignal;
  readonly #last: 'SIGTERM' | 'SIGKILL';
  #process: ChildProcess | undefined;
  #group: number | undefined;
  #exited = false;
  #killed = false;
  #deadline: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(request: ProcessRequest, signal: AbortSignal) {
    const result = Promise.withResolvers<ProcessResult>();
    const gone = Promise.withResolvers<void>();
    this.result = result.promise;
    this.gone = gone.promise;
    this.#settle = result.resolve;
    this.#leave = gone.resolve;
    this.#signal = signal;
    this.#last = request.abrupt ? 'SIGKILL' : 'SIGTERM';
    if (signal.aborted) this.#neverRan({ type: 'aborted' });
    else this.#spawn(request);
  }

  /** The process group; undefined: it never ran. */
  get group(): number | undefined {
    return this.#group;
  }

  /** Signals the whole process group; one that has gone is no error. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGKILL') this.#killed = true;
    this.#signalGroup(signal);
  }

  #spawn(request: ProcessRequest): void {
    const [program, ...args] = request.argv;
    let child: ChildProcess;
    try {
      child = withUmask(() =>
        spawn(program, args, {
          cwd: '/',
          // A process group of its own, so that what a script starts can be ended with it. (setsid)
          detached: true,
          env: { ...request.environment },
          stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...stdioBeyond()],
          // libuv also empties the supplementary groups when either is set, as keepalived does. Only where something
          // changes, since without privileges setuid to ourselves is fine but setgroups is not worth the attempt.
          ...(request.identity && changes(request.identity) ? request.identity : {}),
        }),
      );
    } catch (error) {
      // An argument with a NUL byte or a list that is too long throws here; everything else arrives as 'error'.
      this.#neverRan(spawnFailure(error));
      return;
    }
    this.#process = child;
    this.#group = child.pid;
    child.on('error', (error) => {
      if (child.pid === undefined) this.#neverRan(spawnFailure(error));
    });
    if (child.pid === undefined) return;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#output.add(chunk));
      // Resets of the pipe are the script's business.
      stream?.on('error', () => {});
    }
    // A program that does not read what it is given is free not to.
    child.stdin?.on('error', () => {});
    child.stdin?.end(request.input);
    child.on('exit', (code, signal) => this.#onExit(code, signal));
    const limit = request.timeout / 1_000;
    if (limit <= LONGEST_MS)
      this.#deadline = setTimeout(() => this.#end({ type: 'timeout', after: request.timeout }), limit);
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => this.#end({ type: 'aborted' });

  #neverRan(failure: ProcessFailure): void {
    this.#settle({ ok: false, failure, output: '' });
    this.#leave();
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    this.#exited = true;
    if (this.#look !== undefined) {
      // It was told to go; members of its group may need more time, but SIGKILL stays due.
      this.#watchGroup();
      return;
    }
    clearTimeout(this.#deadline);
    this.#signal.removeEventListener('abort', this.#onAbort);
    // What the program wrote last may still be in the pipe. 'close' says that all of it is read, but waits for
    // everybody who inherited the pipe, so not for long.
    const finish = (): void => {
      clearTimeout(this.#deadline);
      const output = this.#output.text();
      if (code === 0) this.#settle({ ok: true, output });
      else if (code !== null) this.#settle({ ok: false, failure: { type: 'exit', code }, output });
      else this.#settle({ ok: false, failure: { type: 'signal', signal: signal ?? 'an unknown signal' }, output });
      this.#release();
    };
    this.#process!.once('close', finish);
    this.#deadline = setTimeout(() => {
      this.#process!.off('close', finish);
      finish();
    }, DRAIN_MS);
  }

  /** Ends a program that had its time: the result is certain now; its signal, and SIGKILL for what remains. */
  #end(failure: ProcessFailure): void {
    if (this.#exited || this.#look !== undefined) return;
    clearTimeout(this.#deadline);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#settle({ ok: false, failure, output: this.#output.text() });
    this.kill(this.#last);
    this.#deadline = setTimeout(() => {
      this.kill('SIGKILL');
      this.#watchGroup();
    }, GRACE_MS);
    this.#look = setInterval(() => this.#watchGroup(), LOOK_MS);
  }

  /** Gone: the program is reaped and its group is empty, or has got the signal that nobody survives. */
  #watchGroup(): void {
    if (!this.#exited) return;
    if (!this.#killed && this.#signalGroup(0)) return;
    clearInterval(this.#look);
    clearTimeout(this.#deadline);
    this.#process?.stdout?.destroy();
    this.#process?.stderr?.destroy();
    this.#release();
  }

  /**
   * Lets go of a program that ended by itself. What it left in the background goes on, as under keepalived: a check that
   * restarts its service must not lose it again. Its pipes stay open and drained, or writing would kill it (SIGPIPE),
   * but do not keep this process alive.
   */
  #release(): void {
    this.#output.close();
    for (const stream of [this.#process?.stdout, this.#process?.stderr])
      (stream as { unref?: () => void } | null | undefined)?.unref?.();
    this.#leave();
  }

  /** False when there is no such process group any more. */
  #signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (this.#group === undefined) return false;
    try {
      process.kill(-this.#group, signal);
      return true;
    } catch (error) {
      // EPERM: there is a group, but it changed its user beyond our reach.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }
}

/** The last bytes of two streams, in the order they came. */
class OutputTail {
  #chunks: Buffer[] = [];
  #length = 0;
  #closed = false;

  add(chunk: Buffer): void {
    if (this.#closed) return;
    this.#chunks.push(chunk.length > OUTPUT_LIMIT ? chunk.subarray(-OUTPUT_LIMIT) : chunk);
    this.#length += this.#chunks.at(-1)!.length;
    while (this.#length - this.#chunks[0]!.length >= OUTPUT_LIMIT) this.#length -= this.#chunks.shift()!.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-OUTPUT_LIMIT).toString('utf8');
  }

  close(): void {
    this.#closed = true;
    this.#chunks = [];
    this.#length = 0;
  }
}

/** Runs `start` with our file creation mask: spawn forks before it returns, so the change is seen by nobody else. */
function withUmask<T>(start: () => T): T {
  // The mask is the process's, and only its main thread may change it.
  if (!isMainThread) return start();
  const before = process.umask(UMASK);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}

function changes(identity: { uid: number; gid: number }): boolean {
  return identity.uid !== process.geteuid?.() || identity.gid !== process.getegid?.();
}

function spawnFailure(error: unknown): ProcessFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'spawn', code: code ?? 'unknown', message: SPAWN_HINTS[code ?? ''] ?? message };
}

const SPAWN_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such program, or its interpreter (the #! line) does not exist',
  EACCES: 'permission denied',
  EPERM: 'not allowed to change to its user (needs CAP_SETUID and CAP_SETGID)',
  ENOEXEC: 'not a program: the #! line is missing',
  E2BIG: 'its arguments are too long',
};

/** The longest wait a Node timer can do in one go. */
const LONGEST_MS = 0x7fffffff;

/** The real clock and timers. Instants are CLOCK_MONOTONIC in microseconds. */
export const systemTiming: Timing = {
  now: monotonic,
  wallTime: () => Date.now(),
  setTimer(at, callback) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      handle = setTimeout(look, Math.min(LONGEST_MS, Math.max(0, Math.ceil((at - monotonic()) / 1_000))));
    };
    // Node counts in whole milliseconds of a clock it reads once a turn, so it may call up to one too early.
    const look = (): void => (monotonic() < at ? arm() : callback());
    arm();
    return () => clearTimeout(handle);
  },
};

function monotonic(): Instant {
  return instant(Number(process.hrtime.bigint() / 1_000n));
}
