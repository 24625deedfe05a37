// What a thread or the process may ask of the scheduler and the kernel for itself. Nothing here is vital: what is
// refused is reported, and the daemon goes on.
import process from 'node:process';
import * as linux from './linux.ts';
import type { Native, SystemError } from './native/index.ts';

/** A wish that the system turned down: what, why, and what would change that. */
export interface Refusal {
  readonly what: string;
  /** errno name. */
  readonly code: string;
  readonly fix: string;
}

/** Signals that keepalived answers and that kill a Node process, which cannot listen to them: SIGRTMIN+2 and SIGRTMAX-1. */
const STRAY_SIGNALS = [36, 63];

/**
 * Readies the calling thread for the engine: round-robin real-time scheduling that children do not inherit, and timers
 * to the nanosecond. `priority` 1 to 99, undefined to stay an ordinary thread. sched(7), PR_SET_TIMERSLACK in prctl(2)
 */
export function prepareEngineThread(native: Native, priority: number | undefined): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (priority !== undefined)
    attempt(
      refusals,
      `real-time priority ${priority}`,
      'CAP_SYS_NICE, or LimitRTPRIO in the systemd unit; in a cgroup with RT_GROUP_SCHED also cpu.rt_runtime_us',
      () => native.setScheduler(linux.SCHED_RR | linux.SCHED_RESET_ON_FORK, priority),
    );
  attempt(refusals, 'timer slack of 1 ns', 'nothing known', () => native.prctl(linux.PR_SET_TIMERSLACK, 1));
  return refusals;
}

/** Makes the calling thread an ordinary one again. */
export function leaveRealtime(native: Native): readonly Refusal[] {
  const refusals: Refusal[] = [];
  // a thread with SCHED_RESET_ON_FORK may not drop that flag without CAP_SYS_NICE, so it keeps it
  attempt(refusals, 'ordinary scheduling', 'nothing known', () =>
    native.setScheduler(linux.SCHED_OTHER | linux.SCHED_RESET_ON_FORK, 0),
  );
  return refusals;
}

/** For the whole process, once: ignores signals that would kill it unhandled, and writes no core dump (it would hold secrets). */
export function prepareProcess(native: Native): readonly Refusal[] {
  const refusals: Refusal[] = [];
  for (const signal of STRAY_SIGNALS)
    attempt(refusals, `ignoring signal ${signal}`, 'nothing known', () => native.ignoreSignal(signal));
  attempt(refusals, 'no core dumps', 'nothing known', () => native.prctl(linux.PR_SET_DUMPABLE, 0));
  return refusals;
}

/**
 * Calls back on the main thread's event loop when one of these real-time signals (35 to 64) came; signals that come in
 * quick succession may be one call. For the life of the process.
 */
export function onRealtimeSignal(
  native: Native,
  signals: readonly number[],
  callback: (signal: number) => void,
): readonly Refusal[] {
  const refusals: Refusal[] = [];
  process.on('SIGIO', () => {
    for (const signal of signals) if (native.takeSignal(signal) > 0) callback(signal);
  });
  for (const signal of signals)
    attempt(refusals, `catching signal ${signal}`, 'nothing known', () => native.catchSignal(signal));
  return refusals;
}

function attempt(refusals: Refusal[], what: string, fix: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { code, syscall } = error as Partial<SystemError>;
    if (code === undefined || syscall === undefined) throw error;
    refusals.push({ what, code, fix });
  }
}
