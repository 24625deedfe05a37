// Time that stands still until a test moves it.
import type { Timing } from '../../core/ports/process.ts';
import { after, type Instant, instant, type Micros } from '../../core/units.ts';

/** The wall clock at the virtual instant 0, in milliseconds since 1970. */
export const EPOCH = Date.UTC(2026, 10, 21, 10, 0, 0);

export class VirtualTime implements Timing {
  #now = instant(0);
  #timers: { readonly at: Instant; readonly callback: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  wallTime(): number {
    return EPOCH + this.#now / 1_000;
  }

  setTimer(at: Instant, callback: () => void): () => void {
    const timer = { at, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on, firing what falls due at its own instant, and lets everything that became ready happen. */
  async advance(duration: Micros): Promise<void> {
    const end = after(this.#now, duration);
    for (;;) {
      await settle();
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      if (due.at > this.#now) this.#now = due.at;
      due.callback();
    }
    this.#now = end;
    await settle();
  }

  /** The process slept: timers that fell due meanwhile fire late, all at the end. */
  async stall(duration: Micros): Promise<void> {
    this.#now = after(this.#now, duration);
    await this.advance(0 as Micros);
  }

  get timers(): number {
    return this.#timers.length;
  }
}

/** Lets every promise that is ready run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
