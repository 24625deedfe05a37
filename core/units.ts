// Branded numbers for quantities that must not be mixed, and the functions that make them.
// Pure; imports nothing.

declare const unit: unique symbol;

/** A duration in microseconds. May carry binary fractions (skew times are multiples of 1/16 µs), never rounding errors. */
export type Micros = number & { readonly [unit]: 'duration in microseconds' };

/** A point on the monotonic clock (CLOCK_MONOTONIC) in microseconds. Comparable only on one machine since its boot. */
export type Instant = number & { readonly [unit]: 'monotonic microseconds' };

/** A VRRP priority on the wire, 0 to 255; 0 means "I am leaving", 255 the address owner (RFC 9568 §5.2.4). */
export type Priority = number & { readonly [unit]: 'VRRP priority' };

/** A virtual router identifier, 1 to 255 (RFC 9568 §5.2.3). */
export type Vrid = number & { readonly [unit]: 'VRID' };

export const micros = (n: number): Micros => n as Micros;
export const millis = (n: number): Micros => (n * 1_000) as Micros;
export const seconds = (n: number): Micros => (n * 1_000_000) as Micros;
export const instant = (n: number): Instant => n as Instant;

/** The instant a duration after another. */
export const after = (t: Instant, d: Micros): Instant => (t + d) as Instant;
/** How long from `a` to `b`; negative when b is earlier. */
export const between = (a: Instant, b: Instant): Micros => (b - a) as Micros;

/** @throws RangeError outside 0..255 or when not an integer */
export function priority(n: number): Priority {
  if (!Number.isInteger(n) || n < 0 || n > 255) throw new RangeError(`priority ${n} is out of range 0..255`);
  return n as Priority;
}

/** @throws RangeError outside 1..255 or when not an integer */
export function vrid(n: number): Vrid {
  if (!Number.isInteger(n) || n < 1 || n > 255) throw new RangeError(`VRID ${n} is out of range 1..255`);
  return n as Vrid;
}
