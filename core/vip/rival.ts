// Whether somebody who claims an address still holds it: asked again and again, until no answer comes. A master that lost an
// election in silence is noticed by this within some 35 ms, so that the winner can announce itself. Knows no frames, reads no clock.
import { after, between, type Instant, millis, seconds } from '../units.ts';

const ASK_EACH = millis(10);
/** A quarrel that lasts, for example with a router of another VRID, is asked about less often. */
const PATIENT_AFTER = seconds(30);
const PATIENT_EACH = millis(100);
/** Questions without an answer until the rival counts as gone. */
const UNANSWERED = 2;
/** A rival that comes and goes is not announced against more often. */
const GONE_EACH = seconds(1);

export class Rival {
  #since: Instant | undefined;
  #next: Instant | undefined;
  #unanswered = 0;
  #toldAt: Instant | undefined;

  /** When `act` has something to do; undefined: no rival is known. */
  get deadline(): Instant | undefined {
    return this.#next;
  }

  /** It claimed the address, or answered. @returns whether it was not known before */
  heard(now: Instant): boolean {
    this.#unanswered = 0;
    if (this.#next !== undefined) return false;
    this.#since = now;
    this.#next = now;
    return true;
  }

  /** What is to be done now: ask whether it is still there, or announce since it has gone. */
  act(now: Instant): 'ask' | 'gone' | undefined {
    if (this.#next === undefined || now < this.#next) return undefined;
    if (this.#unanswered < UNANSWERED) {
      this.#unanswered++;
      this.#next = after(now, between(this.#since!, now) < PATIENT_AFTER ? ASK_EACH : PATIENT_EACH);
      return 'ask';
    }
    if (this.#toldAt !== undefined && between(this.#toldAt, now) < GONE_EACH) {
      this.#next = after(this.#toldAt, GONE_EACH);
      return undefined;
    }
    this.#toldAt = now;
    this.forget();
    return 'gone';
  }

  /** We hold the address no longer: it is no business of ours. */
  forget(): void {
    this.#next = undefined;
    this.#unanswered = 0;
  }
}
