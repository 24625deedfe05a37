// When packets came, on the monotonic clock: the kernel stamps them with the wall clock, which may have been set since.
// Knows no packets.
import { type Instant, instant } from '../units.ts';
import type { Native } from './native/index.ts';

export class ArrivalClock {
  readonly #native: Native;
  /** Whatever is received now came after this: the socket was empty then. */
  #emptyAt: number;
  #offset = 0;
  #now = 0;

  constructor(native: Native) {
    this.#native = native;
    this.#emptyAt = native.monotonic();
  }

  /** The socket was found empty at this time. */
  emptyAt(time: number): void {
    this.#emptyAt = time;
  }

  /** Compares the clocks; before the stamps of a batch are asked for. */
  update(): void {
    this.#offset = this.#realtimeOffset();
    this.#now = this.#native.monotonic();
  }

  /** The arrival of a packet with this stamp (microseconds since 1970; 0: none); what we know for sure bounds the result. */
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
      const after = this.#native.monotonic();
      if (after - before < narrowest) {
        narrowest = after - before;
        best = real - (before + after) / 2;
      }
    }
    return best;
  }
}
