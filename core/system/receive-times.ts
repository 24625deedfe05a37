// When a packet arrived, on the monotonic clock: the kernel stamps with the wall clock, which may be set meanwhile.
// Knows no socket.
import { type Instant, instant } from '../units.ts';
import type { Native } from './native/index.ts';

export class ReceiveTimes {
  readonly #native: Pick<Native, 'monotonic' | 'realtime'>;
  /** Whatever is received now came after this: the socket was empty then. */
  #emptyAt: number;
  #offset = 0;
  #now = 0;

  constructor(native: Pick<Native, 'monotonic' | 'realtime'>) {
    this.#native = native;
    this.#emptyAt = native.monotonic();
  }

  /** The socket had nothing more at this time (microseconds of the monotonic clock). */
  emptyAt(time: number): void {
    this.#emptyAt = time;
  }

  /** Before the times of a batch are asked for. */
  begin(): void {
    this.#offset = this.#realtimeOffset();
    this.#now = this.#native.monotonic();
  }

  /** @param stamp SO_TIMESTAMPNS in microseconds since 1970; 0: none */
  of(stamp: number): Instant {
    if (stamp === 0) return instant(this.#now);
    return instant(Math.min(Math.max(stamp - this.#offset, this.#emptyAt), this.#now));
  }

  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, read close together: a preemption in between would look like a late packet. */
  #realtimeOffset(): number {
    let best = 0;
    let narrowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3 && narrowest > 5; i++) {
      const before = this.#native.monotonic();
      const real = this.#native.realtime();
      const later = this.#native.monotonic();
      if (later - before < narrowest) {
        narrowest = later - before;
        best = real - (before + later) / 2;
      }
    }
    return best;
  }
}
