// The two derived times of VRRP: skew and the down timer. Pure arithmetic on microseconds.
// Exact: an interval is a whole number of microseconds, and n/256 of it is a binary fraction that a double holds.
import { type Micros, micros, type Priority, seconds } from '../units.ts';

export interface TimerInput {
  readonly version: 2 | 3;
  /** Effective priority, 1..255. */
  readonly priority: Priority;
  /** The master's advertisement interval: v3 learned from its adverts, v2 our own. */
  readonly interval: Micros;
  /** Missed adverts until the master counts as down, 1..100. */
  readonly adverts: number;
}

/**
 * How much longer than the others a router waits, the less its priority the longer.
 * v3: (256 − priority) × interval / 256 (RFC 9568 §6.1). v2: (256 − priority) / 256 seconds, whatever the interval
 * (RFC 3768 §6.1).
 */
export function skewTime({ version, priority, interval }: Omit<TimerInput, 'adverts'>): Micros {
  return micros(((256 - priority) * (version === 2 ? seconds(1) : interval)) / 256);
}

/** Active_Down_Interval: the silence after which the master counts as down (RFC 9568 §6.1). */
export function downInterval(input: TimerInput): Micros {
  return micros(input.adverts * input.interval + skewTime(input));
}
