// What a router remembers of the master while it waits: who it is, at which interval it speaks, how long it is
// tolerated. Decides which adverts keep a BACKUP in its place; the router decides what follows.
import { compareIp, type IpAddress } from '../net/address.ts';
import { after, type Instant, instant, type Micros, type Priority } from '../units.ts';
import { downInterval, skewTime } from './timers.ts';
import type { Advertisement, RouterConfig } from './types.ts';

export interface KnownMaster {
  readonly source: IpAddress;
  readonly priority: Priority;
  /** As advertised, not clamped. */
  readonly interval: Micros;
}

export class MasterWatch {
  #master: KnownMaster | undefined;
  #heardAt = instant(0);
  #resigned = false;
  /** The most that the master was heeded for since it was last no worse than we are. */
  #peak: Priority | undefined;
  #fallen: Priority | undefined;
  /** Until when a lower master is tolerated; undefined: none was heard yet. */
  #tolerateUntil: Instant | undefined;

  /** The master whose advert was heeded last; undefined: none since `forget`. */
  get master(): KnownMaster | undefined {
    return this.#master;
  }

  /** Whether the master said goodbye, so that the skew alone is running. */
  get resigned(): boolean {
    return this.#resigned;
  }

  /** The priority that the master fell to and that is below ours; undefined: it did not fall. */
  get fallen(): Priority | undefined {
    return this.#fallen;
  }

  /**
   * Whether an advert that is not heeded is the master's own, and lower than the one it was heeded for. One who always
   * was lower has not fallen: RFC 9568 §6.4.2 lets the timer run on.
   */
  hasFallen(source: IpAddress, { priority }: Advertisement): boolean {
    if (this.#master?.source !== source || this.#peak === undefined || priority >= this.#peak) return false;
    this.#fallen = priority;
    return true;
  }

  resign(): void {
    this.#resigned = true;
  }

  forget(): void {
    this.#master = undefined;
    this.#resigned = false;
    this.#peak = undefined;
    this.#fallen = undefined;
    this.#tolerateUntil = undefined;
  }

  /**
   * Remembers the sender of an advert that was heeded. True when anything about the master is new. While a better
   * master speaks, another one does not take its place: that is the last word of one who yields.
   */
  follow(source: IpAddress, { priority, interval }: Advertisement, now: Instant): boolean {
    const known = this.#master;
    if (known !== undefined && known.source !== source && !this.#resigned) {
      const speaks = now < after(this.#heardAt, known.interval);
      const isBetter =
        known.priority > priority || (known.priority === priority && compareIp(known.source, source) > 0);
      if (speaks && isBetter) return false;
    }
    this.#heardAt = now;
    this.#resigned = false;
    this.#fallen = undefined;
    const tolerated = this.#tolerateUntil !== undefined && known?.source === source;
    if (!tolerated || this.#peak === undefined || priority > this.#peak) this.#peak = priority;
    if (known?.source === source && known.priority === priority && known.interval === interval) return false;
    this.#master = { source, priority, interval };
    return true;
  }

  /** Whether an advert of priority > 0 keeps us in BACKUP (RFC 9568 §6.4.2, with keepalived's preempt_delay). */
  heeds(ad: Advertisement, own: Priority, { preempt, preemptDelay }: RouterConfig, now: Instant): boolean {
    if (!preempt) return true;
    if (ad.priority >= own) {
      this.#tolerateUntil = undefined;
      return true;
    }
    // The delay begins with the first lower advert: it puts off preemption, never the takeover from a silent master.
    this.#tolerateUntil ??= after(now, preemptDelay);
    return now < this.#tolerateUntil;
  }

  /** The interval the down timer counts: v3 the master's, clamped to maxMasterInterval; v2 or no master known: our own. */
  interval({ version, interval, maxMasterInterval }: RouterConfig): Micros {
    if (version === 2 || this.#master === undefined) return interval;
    return this.#master.interval < maxMasterInterval ? this.#master.interval : maxMasterInterval;
  }

  skew(own: Priority, config: RouterConfig): Micros {
    return skewTime({ version: config.version, priority: own, interval: this.interval(config) });
  }

  downInterval(own: Priority, config: RouterConfig): Micros {
    const { version, downTimerAdverts: adverts } = config;
    return downInterval({ version, priority: own, interval: this.interval(config), adverts });
  }
}
