// What the protocol promises, with room for a noisy machine: bounds that only a defect can break.
import assert from 'node:assert/strict';

/** Longest that two nodes may hold an address after the second one took it, when the first one is dead or stopped. */
export const SHARED_MS = 1_000;

/** The time a backup waits for a master that fell silent: between two and three adverts and the skew, in ms. */
export function downTime(priority: number, advertMs = 1_000, version: 2 | 3 = 2): { from: number; to: number } {
  const skew = ((256 - priority) / 256) * (version === 3 ? advertMs : 1_000);
  return { from: 2 * advertMs + skew, to: 3 * advertMs + skew };
}

/** A time lies within bounds, 10 % or 100 ms early at most, and not more than `slackMs` late. */
export function within(actual: number, bounds: { from: number; to: number }, what: string, slackMs = 2_000): void {
  const from = bounds.from - Math.max(100, bounds.from / 10);
  const to = bounds.to + slackMs;
  assert.ok(actual >= from, `${what} came too early: ${actual.toFixed(0)} ms, not before ${from.toFixed(0)}`);
  assert.ok(actual <= to, `${what} came too late: ${actual.toFixed(0)} ms, not after ${to.toFixed(0)}`);
}

export function atMost(actual: number, limit: number, what: string): void {
  assert.ok(actual <= limit, `${what}: ${actual.toFixed(0)} ms, at most ${limit}`);
}
