// What a thread or the process may ask of the scheduler and the kernel for itself. Nothing here is vital: what is
// refused is reported, and the daemon goes on.
import * as linux from './linux.ts';
import type { Native, SystemError } from './native/index.ts';

/** A wish that the system turned down: what, why, and what would change that. */
export interface Refusal {
  readonly what: string;
  /** errno name. */
  readonly code: string;
  readonly fix: string;
}

/** Signals that keepalived answers and that kill a Node process, which has no way to handle them: SIGRTMIN+2 (JSON dump) and 63. */
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

function attempt(refusals: Refusal[], what: string, fix: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { code, syscall } = error as Partial<SystemError>;
    if (code === undefined || syscall === undefined) throw error;
    refusals.push({ what, code, fix });
  }
}
