// What the agent needs to know how many processes of a kind run on this machine. Interfaces only;
// core/system/process-watch.ts implements them with the kernel's process events, or by looking into /proc.
import type { TrackProcessConfig } from '../config/model.ts';

/** What is looked for, by a name of its own. */
export type ProcessQuery = Pick<TrackProcessConfig, 'name' | 'argv' | 'match' | 'fullCommand'>;

/** How the counts are come by. */
export type ProcessSource =
  /** The kernel tells of every start and end. */
  | { readonly kind: 'events' }
  /** All of /proc is looked through at intervals, and why. Both in milliseconds. */
  | { readonly kind: 'scan'; readonly why: string; readonly interval: number; readonly cost: number };

export type ProcessNews =
  /** How many run now; told first for each query, and then when it has changed. */
  | { readonly type: 'count'; readonly name: string; readonly count: number }
  | { readonly type: 'source'; readonly source: ProcessSource }
  /** Events were lost, so everything was counted anew. */
  | { readonly type: 'resync' }
  /** Nobody counts; it begins anew by itself. */
  | { readonly type: 'failed'; readonly why: string };

export interface ProcessWatch {
  /** Counts exactly these from now on; nothing runs for it while there are none. News come later, never from within. */
  count(queries: readonly ProcessQuery[], onNews: (news: ProcessNews) => void): void;
  /** Fulfilled when nothing counts any more. */
  stop(): Promise<void>;
}
