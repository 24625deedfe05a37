// What the agent needs from the operating system to run other programs, and to wait. Interfaces only.
// core/system/child-process.ts implements them on Linux, the tests with programs that exist only in virtual time.
import type { Instant, Micros } from '../units.ts';

/** Numeric user and group a program runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessRequest {
  /** The program (an absolute path) and its arguments, at least one element. No shell sees them. */
  readonly argv: readonly [string, ...string[]];
  /** undefined: as this process. Supplementary groups are dropped with a change of user. */
  readonly identity: Identity | undefined;
  /** All of it: nothing is inherited, not even PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it reads from its standard input, which then ends. Default: nothing. */
  readonly input?: string;
  /** From the start; then the process group gets SIGTERM and, two seconds later, SIGKILL. More than 24 days: never. */
  readonly timeout: Micros;
  /** SIGKILL at once instead: for what has no state to put in order. */
  readonly abrupt?: true;
}

export type ProcessFailure =
  | { readonly type: 'exit'; readonly code: number }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'timeout'; readonly after: Micros }
  | { readonly type: 'aborted' }
  /** It never ran. `code` is an errno name where there is one. */
  | { readonly type: 'spawn'; readonly code: string; readonly message: string };

/** `output`: the last 4 KiB of stdout and stderr together, as text, for people. */
export type ProcessResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly failure: ProcessFailure; readonly output: string };

/** Both promises are always fulfilled, never rejected. */
export interface RunningProcess {
  /** As soon as the result is certain: at the exit, or already at the timeout or abort. */
  readonly result: Promise<ProcessResult>;
  /** When nothing of it lives any more: a timed-out program may take two seconds longer than its result. */
  readonly gone: Promise<void>;
}

export interface ProcessRunner {
  /** Starts a program in a process group of its own. An abort ends it as a timeout would. */
  start(request: ProcessRequest, signal: AbortSignal): RunningProcess;
}

/** Time for code that may be late: the monotonic clock, the wall clock and one kind of timer. */
export interface Timing {
  now(): Instant;
  /** Milliseconds since 1970, for people. */
  wallTime(): number;
  /** Calls back once, at that instant or later, never from within this call. Returns the way to cancel. */
  setTimer(at: Instant, callback: () => void): () => void;
}
