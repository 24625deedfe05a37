// The boundary between the agent and a thread that makes checks: plain data in both directions.
import type { NotifyResult, PluginDescription, VipkeeperEvent } from '../plugin/notifier.ts';
import type { PlainOptions } from '../plugin/options.ts';
import type { ProgramPolicy } from '../plugin/program.ts';
import type { Micros } from '../units.ts';

/** One check to be made by one plugin. */
export interface CheckPlan {
  readonly name: string;
  /** The word of the plugin. */
  readonly plugin: string;
  readonly options: PlainOptions;
  /** Of its load_plugin block. */
  readonly settings: PlainOptions;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly jitter: Micros;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
  /** Whom its programs run as, and whether unsafe ones are refused; absent: it starts none. */
  readonly programs?: ProgramPolicy;
}

/** One notifier to be made by one plugin. */
export interface NotifierPlan {
  readonly name: string;
  /** The word of the plugin. */
  readonly plugin: string;
  readonly options: PlainOptions;
  /** Of its load_plugin block. */
  readonly settings: PlainOptions;
  /** Of one attempt. */
  readonly timeout: Micros;
  /** Whom its programs run as, and whether unsafe ones are refused. */
  readonly programs: ProgramPolicy;
}

/** Events that a notifier is to tell. */
export interface Delivery {
  readonly notifier: string;
  readonly events: readonly VipkeeperEvent[];
}

/** What is known of one check. Times are milliseconds since 1970. */
export interface CheckSnapshot {
  readonly name: string;
  /** undefined: no result yet. */
  readonly up: boolean | undefined;
  /** Why it is up or not; constant until that changes. */
  readonly detail: string;
  readonly since: number;
  /** undefined: it has not ended a probe yet. */
  readonly last:
    | { readonly time: number; readonly ok: boolean; readonly outcome: string; readonly took: number }
    | undefined;
  readonly runs: number;
  readonly failures: number;
  readonly timeouts: number;
  /** Probes left out because the one before did not end although its time was up. */
  readonly skipped: number;
}

export type CheckCommand =
  /** Makes exactly these checks; equal ones go on undisturbed. */
  | { readonly type: 'configure'; readonly plans: readonly CheckPlan[] }
  /** Makes exactly these notifiers; equal ones go on undisturbed. */
  | { readonly type: 'notifiers'; readonly plans: readonly NotifierPlan[] }
  /** Tells; `delivered` with the same number answers. */
  | { readonly type: 'deliver'; readonly id: number; readonly delivery: Delivery }
  | { readonly type: 'snapshot'; readonly id: number }
  /** Looks at once, out of turn. */
  | { readonly type: 'probe'; readonly name: string }
  /** The answer shows that the thread is alive. */
  | { readonly type: 'ping'; readonly id: number };

export type CheckEvent =
  /** What the thread can do. Once, first. */
  | { readonly type: 'ready'; readonly plugins: readonly PluginDescription[] }
  /** The plugin cannot be used; nothing follows. */
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'changed'; readonly name: string; readonly up: boolean; readonly detail: string }
  /** A check could not be made; it gives no result. */
  | { readonly type: 'unable'; readonly name: string; readonly why: string }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warning' | 'info';
      /** Empty: it is of no check. */
      readonly check: string;
      readonly text: string;
    }
  | { readonly type: 'delivered'; readonly id: number; readonly result: NotifyResult }
  | { readonly type: 'snapshot'; readonly id: number; readonly checks: readonly CheckSnapshot[] }
  | { readonly type: 'pong'; readonly id: number };
