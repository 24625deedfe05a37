// Which of our routers are masters beside a peer that ought to yield and does not hear why. Known cause: it has a macvlan
// of the same MAC address above the interface that it listens on, and the macvlan takes what comes from that address.
// Such a peer hears what the interface itself sends. Knows no sockets.
import { between, type Instant, seconds } from '../units.ts';
import type { InstanceDriver } from './driver.ts';

/** A peer that hears us yields at our first answer; two adverts may be on their way. */
const PATIENCE = 4;
/** Adverts of lower priority that are further apart than this are not the same trouble. */
const SAME_TROUBLE = seconds(45);

export class DeafPeers {
  readonly #heard = new WeakMap<InstanceDriver, { count: number; last: Instant }>();

  /** An advert of lower priority was heard by this master. @returns true when the peer has just been found deaf */
  note(driver: InstanceDriver, now: Instant): boolean {
    const known = this.#heard.get(driver);
    if (known === undefined || (known.count < PATIENCE && between(known.last, now) > SAME_TROUBLE)) {
      this.#heard.set(driver, { count: 1, last: now });
      return false;
    }
    known.last = now;
    if (known.count >= PATIENCE) return false;
    known.count++;
    return known.count === PATIENCE;
  }

  /** Whether adverts must leave by the interface itself, too. Once found, it stays so: the peer has not changed. */
  has(driver: InstanceDriver): boolean {
    return (this.#heard.get(driver)?.count ?? 0) >= PATIENCE;
  }

  /** The router is no longer master: what it hears now says nothing. Those found deaf are remembered. */
  resigned(driver: InstanceDriver): void {
    if (!this.has(driver)) this.#heard.delete(driver);
  }
}
