// When to announce an address again because somebody else claims it (RFC 5227 §2.4). Bounded, since two who both defend an
// address for ever would storm, yet the last word of a passing quarrel is ours. Knows no frames, reads no clock.
import { after, between, type Instant, type Micros, millis, seconds } from '../units.ts';

/** Pauses between defences while claims go on: a short quarrel is over after the first ones, an endless one costs little. */
const PAUSES: readonly Micros[] = [millis(100), seconds(1), seconds(10)];
/** After so much silence the next claim is a new quarrel. */
const PEACE = seconds(30);

export class ConflictDefence {
  #lastClaim: Instant | undefined;
  #next: Instant | undefined;
  #defences = 0;
  #due = false;

  /** A claim was heard. @returns whether to announce now; a claim within a pause is answered at its end: see `deadline` */
  claimed(now: Instant): boolean {
    if (this.#lastClaim === undefined || between(this.#lastClaim, now) >= PEACE) {
      this.#defences = 0;
      this.#next = undefined;
    }
    this.#lastClaim = now;
    if (this.#next !== undefined && now < this.#next) {
      this.#due = true;
      return false;
    }
    this.#defend(now);
    return true;
  }

  /** When `due` has something; undefined: nothing was held back. */
  get deadline(): Instant | undefined {
    return this.#due ? this.#next : undefined;
  }

  /** Whether a defence that was held back is to be sent now. */
  due(now: Instant): boolean {
    const next = this.deadline;
    if (next === undefined || now < next) return false;
    this.#defend(now);
    return true;
  }

  #defend(now: Instant): void {
    this.#due = false;
    this.#next = after(now, PAUSES[Math.min(this.#defences, PAUSES.length - 1)]!);
    this.#defences++;
  }
}
