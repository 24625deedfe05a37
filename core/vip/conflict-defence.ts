// When to announce an address again because somebody else claims it and goes on holding it (RFC 5227 §2.4). Not at once: a new
// master may announce before its first advert is heard, and against it our word must not be the last. Bounded, since two
// who both defend an address for ever would storm. Knows no frames, reads no clock.
import { after, between, type Instant, type Micros, seconds } from '../units.ts';

/** By then the adverts of a new master have come; FRR's over IPv6 come a second after its announcements. */
const FIRST: Micros = seconds(2);
/** Between defences while claims go on. */
const PAUSE: Micros = seconds(10);
/** After so much silence the next claim is a new quarrel. */
const PEACE = seconds(30);

export class ConflictDefence {
  #lastClaim: Instant | undefined;
  #next: Instant | undefined;
  #due = false;

  /** A claim was heard; it is answered at `deadline`. */
  claimed(now: Instant): void {
    if (this.#lastClaim === undefined || between(this.#lastClaim, now) >= PEACE) this.#next = undefined;
    this.#lastClaim = now;
    this.#next ??= after(now, FIRST);
    this.#due = true;
  }

  /** When `due` has something; undefined: no claim waits for an answer. */
  get deadline(): Instant | undefined {
    return this.#due ? this.#next : undefined;
  }

  /** Whether an answer is to be sent now. */
  due(now: Instant): boolean {
    const next = this.deadline;
    if (next === undefined || now < next) return false;
    this.#due = false;
    this.#next = after(now, PAUSE);
    return true;
  }

  /** The claim needs no answer any more: its author has gone, or we hold the address no longer. */
  forget(): void {
    this.#due = false;
    this.#next = undefined;
  }
}
