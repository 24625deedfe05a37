// How long the machine was suspended: CLOCK_BOOTTIME goes on then, CLOCK_MONOTONIC stands still. A paused virtual machine
// looks the same where the hypervisor lets the guest's boot clock run on; where it does not, nobody inside can tell.
import type { Clock } from '../ports/engine-io.ts';
import { type Micros, micros, millis } from '../units.ts';

/** Clocks are read one after the other: less than this is no sleep. */
const LEAST = millis(10);

export class SleepWatch {
  readonly #clock: Clock;
  #total: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#total = this.#read();
  }

  /** How long it slept since the last call; 0: not at all, or nobody knows. */
  take(): Micros {
    const total = this.#read();
    const slept = total - this.#total;
    if (slept < LEAST) return micros(0);
    this.#total = total;
    return micros(slept);
  }

  /** The second clock is read last: a preemption in between makes the difference smaller, never larger. */
  #read(): number {
    const sinceBoot = this.#clock.sinceBoot?.();
    return sinceBoot === undefined ? 0 : sinceBoot - this.#clock.now();
  }
}
