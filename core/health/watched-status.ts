// One watched thing (a file, a program) as people and programs see it: what it is at present, what that is worth, and
// who depends on it. Plain data; scripts, which run and can fail to, have a report of their own.
import type { TrackRule } from './verdict.ts';

/** `waiting`: nothing is known yet. */
export type WatchedCondition = 'ok' | 'failed' | 'waiting';

export interface WatchedStatus {
  /** What kind of thing it is, in one word: `file`, `process`. */
  readonly kind: string;
  readonly name: string;
  readonly condition: WatchedCondition;
  /** The number in a file, or of processes; undefined: unknown. */
  readonly value: number | undefined;
  /** Whether the weight multiplies `value`. */
  readonly multiplied: boolean;
  /** Why it is in this condition, in one line. */
  readonly detail: string;
  /** What is wrong with watching it; empty: nothing. */
  readonly problem: string;
  /** When the value or condition changed, milliseconds since 1970. */
  readonly since: number;
  /** The path, or the words that are looked for. */
  readonly subject: string;
  /** The virtual routers that track it, directly or through their sync group. */
  readonly usedBy: readonly (Omit<TrackRule, 'name'> & { readonly instance: string })[];
}
