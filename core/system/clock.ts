// The clock port on Linux. Knows nothing of who asks.
import type { Clock } from '../ports/engine-io.ts';
import { type Instant, instant, type Micros, micros } from '../units.ts';
import type { Native } from './native/index.ts';

/** CLOCK_MONOTONIC to the nanosecond, without allocating. It stands still while the machine is suspended (clock_gettime(2)). */
export class LinuxClock implements Clock {
  readonly #native: Native;

  constructor(native: Native) {
    this.#native = native;
  }

  now(): Instant {
    return instant(this.#native.monotonic());
  }

  sinceBoot(): Micros {
    return micros(this.#native.boottime());
  }

  /** Milliseconds since 1970. */
  wallTime(): number {
    return this.#native.realtime() / 1_000;
  }
}
