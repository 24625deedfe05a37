// What a router says itself: its present advert, its goodbye, and how often it may answer out of turn.
import { after, between, type Instant, type Micros, micros, type Priority } from '../units.ts';
import { LEAVING } from './priority.ts';
import type { Advertisement, RouterConfig } from './types.ts';

/** Answers to losing adverts and to priority 0: at most this many in an interval, so that no two routers can storm. */
const ANSWERS_PER_INTERVAL = 10;

export class OwnAdverts {
  #current: Advertisement;
  #lastAnswer: Instant | undefined;

  constructor(config: RouterConfig, priority: Priority) {
    this.#current = advert(config, priority);
  }

  /** The same object until `renew`. */
  get current(): Advertisement {
    return this.#current;
  }

  renew(config: RouterConfig, priority: Priority): void {
    this.#current = advert(config, priority);
  }

  /** A new master has answered nobody yet. */
  begin(): void {
    this.#lastAnswer = undefined;
  }

  /** Whether an advert may go out of turn now; if so, the next one has to wait. */
  mayAnswer(now: Instant): boolean {
    const pause = this.#current.interval / ANSWERS_PER_INTERVAL;
    if (this.#lastAnswer !== undefined && between(this.#lastAnswer, now) < pause) return false;
    this.#lastAnswer = now;
    return true;
  }
}

/** The advert that says "I am leaving". */
export const goodbye = (config: RouterConfig): Advertisement => advert(config, LEAVING);

/** The first moment of a schedule that lies ahead: no drift, and no burst after a delay. @param due the moment that has come */
export function nextOnSchedule(due: Instant, interval: Micros, now: Instant): Instant {
  return after(due, micros((Math.floor(between(due, now) / interval) + 1) * interval));
}

function advert({ version, vrid, interval, addresses }: RouterConfig, priority: Priority): Advertisement {
  return { version, vrid, priority, interval, addresses };
}
