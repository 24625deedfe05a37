// The effective priority: what the trackers make of the configured one. Pure.
import { type Priority, priority } from '../units.ts';

/** The address owner (RFC 9568 §5.2.4); no tracker changes it. */
export const OWNER = priority(255);

/** The priority of an advertisement that says "I am leaving" (RFC 9568 §5.2.4). */
export const LEAVING = priority(0);

/**
 * Base priority plus the sum of the trackers' weights, kept within 1..254, so that no failing check announces a
 * departure (0) and no passing one claims ownership (255). An owner stays 255.
 * @param base 1..255
 * @param adjustment any integer
 */
export function effectivePriority(base: Priority, adjustment: number): Priority {
  return base === OWNER ? OWNER : priority(Math.min(254, Math.max(1, base + adjustment)));
}
