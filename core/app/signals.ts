// The process's signals, from before there is an agent until its end: what each of them starts. keepalived's numbers:
// 1 reload, 2 and 15 stop, 10 data, 12 statistics, 36 (SIGRTMIN+2) JSON, 63 (SIGRTMAX-1) clear the statistics.
import type { Native } from '../system/native/index.ts';
import { onRealtimeSignal, type Refusal } from '../system/process.ts';

export const SIGNAL_JSON = 36;
export const SIGNAL_STATS_CLEAR = 63;

export type DumpKind = 'data' | 'stats' | 'json';

export interface SignalActions {
  stop(why: string): void;
  reload(): void;
  dump(what: DumpKind): void;
  clearStatistics(): void;
}

export class Signals {
  #actions: SignalActions | undefined;

  /** Ends the process with `exitCode` on SIGTERM while there is nothing else to stop. */
  constructor(exitCode: number, ignoreInterrupt = false) {
    // SIGUSR1 without a listener would open the debugger.
    process.on('SIGUSR1', () => this.#actions?.dump('data'));
    process.on('SIGUSR2', () => this.#actions?.dump('stats'));
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (signal === 'SIGINT' && ignoreInterrupt) return;
        if (this.#actions !== undefined) this.#actions.stop(signal);
        else process.exit(exitCode);
      });
    process.on('SIGHUP', () => this.#actions?.reload());
    process.on('SIGPIPE', () => {});
  }

  /** The real-time signals, as soon as the addon is there. */
  useNative(native: Native): readonly Refusal[] {
    return onRealtimeSignal(native, [SIGNAL_JSON, SIGNAL_STATS_CLEAR], (signal) =>
      signal === SIGNAL_JSON ? this.#actions?.dump('json') : this.#actions?.clearStatistics(),
    );
  }

  attach(actions: SignalActions): void {
    this.#actions = actions;
  }
}
