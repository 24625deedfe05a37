// One check as people and programs see it: its state, its latest probe and who depends on it. Plain data.
import type { ScriptCondition } from './script-status.ts';
import type { TrackRule } from './verdict.ts';

export interface CheckStatus {
  readonly name: string;
  /** `disabled`: it cannot run, and why is in `detail`. */
  readonly condition: ScriptCondition;
  /** Why it is in this condition, in one line; empty when there is nothing to say. */
  readonly detail: string;
  /** When the condition was entered, milliseconds since 1970; 0: unknown. */
  readonly since: number;
  /** `tcp`, or for an expression `2 of web1, web2, web3`. */
  readonly what: string;
  /** The latest probe; undefined: none has ended, or it is an expression. `took` in milliseconds. */
  readonly last:
    | { readonly time: number; readonly ok: boolean; readonly outcome: string; readonly took: number }
    | undefined;
  readonly runs: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly skipped: number;
  /** The virtual routers that track it, directly or through their sync group. */
  readonly usedBy: readonly (Omit<TrackRule, 'name'> & { readonly instance: string })[];
}
