// When the bursts of gratuitous ARP and neighbour advertisements of one virtual router are due: at takeover, again later,
// at a refresh period, and after another router was heard claiming the addresses. Knows no frames, sends nothing, reads no clock.
import { after, between, type Instant, type Micros, millis, seconds } from '../units.ts';
import type { AnnounceTiming, DueAnnouncement } from './local-provider.ts';

/** The shortest time between two bursts that adverts of lower priority cause. */
export const LOWER_PRIORITY_GAP_MIN = millis(100);
/** That time while such adverts go on: it doubles with each burst up to this, and begins anew after as long a silence. */
export const LOWER_PRIORITY_GAP_MAX = seconds(1);

/**
 * The schedule of one virtual router. The caller sends the burst that a call asks for, then waits for `deadline` and asks `due`.
 *
 * Whoever hears a master of lower priority must announce again, since that master's own announcements moved the addresses.
 * Adverts can be forged, and a burst is many frames, so bursts for that cause are rationed: the first at once, then at most one
 * per gap (100 ms, doubling to 1 s). A cause that is held back is not lost: one burst follows when the gap has passed.
 */
export class AnnounceSchedule {
  readonly #timing: AnnounceTiming;
  #master = false;
  /** The second burst after becoming master. */
  #second: DueAnnouncement | undefined;
  /** The second burst after a lower-priority advert. */
  #lowerSecond: DueAnnouncement | undefined;
  #refresh: DueAnnouncement | undefined;
  /** A burst held back by the ration. */
  #heldBack: DueAnnouncement | undefined;
  #lastBurst: Instant | undefined;
  #lastHeard: Instant | undefined;
  #gap: Micros = LOWER_PRIORITY_GAP_MIN;

  constructor(timing: AnnounceTiming) {
    this.#timing = timing;
  }

  /** The caller sends the first burst (masterRepeat frames an address) now; the others are scheduled. */
  becameMaster(now: Instant): void {
    this.stop();
    const { masterDelay, masterRepeat, refresh, refreshRepeat } = this.#timing;
    this.#master = true;
    this.#second = burst(now, masterDelay, masterRepeat);
    this.#refresh = burst(now, refresh, refreshRepeat);
  }

  /**
   * A master of lower priority was heard while we are master.
   * @returns how many frames an address to send now; undefined: none now, because it is too soon or none is configured
   */
  lowerPriorityHeard(now: Instant): number | undefined {
    const { lowerPrioDelay, lowerPrioRepeat } = this.#timing;
    if (!this.#master || lowerPrioRepeat <= 0) return undefined;
    const quiet = this.#lastHeard === undefined || between(this.#lastHeard, now) >= LOWER_PRIORITY_GAP_MAX;
    this.#lastHeard = now;
    this.#lowerSecond ??= burst(now, lowerPrioDelay, lowerPrioRepeat);
    if (this.#heldBack) return undefined;
    if (this.#lastBurst === undefined || quiet) this.#gap = LOWER_PRIORITY_GAP_MIN;
    else if (now < after(this.#lastBurst, this.#gap)) {
      this.#heldBack = { at: after(this.#lastBurst, this.#gap), repeat: lowerPrioRepeat };
      return undefined;
    } else this.#widenGap();
    this.#lastBurst = now;
    return lowerPrioRepeat;
  }

  /** No longer master: nothing is due any more. */
  stop(): void {
    this.#master = false;
    this.#second = undefined;
    this.#lowerSecond = undefined;
    this.#refresh = undefined;
    this.#heldBack = undefined;
    this.#lastBurst = undefined;
    this.#lastHeard = undefined;
    this.#gap = LOWER_PRIORITY_GAP_MIN;
  }

  /** When `due` next has something; undefined: never. */
  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const one of [this.#second, this.#lowerSecond, this.#refresh, this.#heldBack])
      if (one && (earliest === undefined || one.at < earliest)) earliest = one.at;
    return earliest;
  }

  /**
   * What is due at `now`, or undefined. Bursts that have come due together are one, with the most repeats of them and the time
   * of the earliest. Missed refreshes are not made up for.
   */
  due(now: Instant): DueAnnouncement | undefined {
    const deadline = this.deadline;
    if (deadline === undefined || now < deadline) return undefined;
    let repeat = 0;
    const { refresh, refreshRepeat, lowerPrioDelay, lowerPrioRepeat } = this.#timing;
    if (this.#refresh && this.#refresh.at <= now) {
      repeat = Math.max(repeat, this.#refresh.repeat);
      const next = after(this.#refresh.at, refresh);
      this.#refresh = next > now ? { at: next, repeat: refreshRepeat } : burst(now, refresh, refreshRepeat);
    }
    if (this.#heldBack && this.#heldBack.at <= now) {
      repeat = Math.max(repeat, this.#heldBack.repeat);
      this.#heldBack = undefined;
      this.#lastBurst = now;
      this.#widenGap();
    }
    if (this.#second && this.#second.at <= now) {
      repeat = Math.max(repeat, this.#second.repeat);
      this.#second = undefined;
    }
    if (this.#lowerSecond && this.#lowerSecond.at <= now) {
      repeat = Math.max(repeat, this.#lowerSecond.repeat);
      // Adverts heard while this burst was pending had no second burst of their own; one more, counted from the last of them.
      const covered = this.#lastHeard === undefined || after(this.#lastHeard, lowerPrioDelay) <= now;
      this.#lowerSecond = covered ? undefined : burst(this.#lastHeard!, lowerPrioDelay, lowerPrioRepeat);
    }
    return { at: deadline, repeat };
  }

  #widenGap(): void {
    this.#gap = Math.min(2 * this.#gap, LOWER_PRIORITY_GAP_MAX) as Micros;
  }
}

/** A burst after a delay; undefined when the delay is 0 or there is nothing to repeat. */
function burst(from: Instant, delay: Micros, repeat: number): DueAnnouncement | undefined {
  return delay > 0 && repeat > 0 ? { at: after(from, delay), repeat } : undefined;
}
