// One check script as people and programs see it: its state, its latest run and who depends on it. Plain data.
import type { TrackRule } from './verdict.ts';

/** `waiting`: no result yet. `disabled`: never run, because it is missing or unsafe. */
export type ScriptCondition = 'ok' | 'failed' | 'waiting' | 'disabled';

export interface ScriptStatus {
  readonly name: string;
  readonly condition: ScriptCondition;
  /** Why it is in this condition, in one line; empty when there is nothing to say. */
  readonly detail: string;
  /** When the condition was entered, milliseconds since 1970. */
  readonly since: number;
  readonly command: readonly string[];
  readonly lastRun: ScriptRun | undefined;
  readonly runs: number;
  readonly failures: number;
  /** Runs left out because the one before still lived. */
  readonly skipped: number;
  /** The virtual routers that track it, directly or through their sync group. */
  readonly usedBy: readonly (Omit<TrackRule, 'name'> & { readonly instance: string })[];
}

export interface ScriptRun {
  /** When it ended, milliseconds since 1970. */
  readonly time: number;
  readonly ok: boolean;
  /** Empty for a success, else `exit code 1`, `killed by SIGKILL`, `timed out after 2 s`, … */
  readonly outcome: string;
  /** The last line it printed; empty: none. */
  readonly output: string;
  /** Milliseconds. */
  readonly took: number;
}
