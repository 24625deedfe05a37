// The way of events to one notifier: kept in order in a bounded queue, tried again after growing pauses, given up after
// so many attempts, and none lost without being counted. Knows no plugin and no thread.
import type { NotifyResult, VipkeeperEvent } from '../plugin/notifier.ts';
import type { Timing } from '../ports/process.ts';
import { after, type Micros, micros, seconds } from '../units.ts';
import type { Logger } from './log.ts';

/** Events that wait; beyond them the oldest is dropped. */
export const QUEUE_LIMIT = 1_000;
/** Events told together at most. */
const MOST_TOGETHER = 100;
const FIRST_PAUSE = seconds(1);
const LONGEST_PAUSE = seconds(60);
/** However long the other side asks for. */
const LONGEST_ASKED = seconds(300);
/** At the end there is no time for patience. */
const LAST_PAUSE = seconds(0.5);

export interface CourierPorts {
  readonly timing: Timing;
  readonly logger: Logger;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  /** One attempt; never rejected, and fulfilled within a bounded time. */
  readonly deliver: (events: readonly VipkeeperEvent[]) => Promise<NotifyResult>;
}

export interface CourierPlan {
  readonly name: string;
  readonly retries: number;
  /** What happens within it is told together; 0: each event by itself. */
  readonly gather: Micros;
}

export class NotifyCourier {
  readonly #ports: CourierPorts;
  readonly #queue: VipkeeperEvent[] = [];
  #plan: CourierPlan;
  /** Dropped or given up since the latest that got through. */
  #lost = 0;
  #working: Promise<void> | undefined;
  #ending = false;
  #over = false;
  /** Ends the present pause. */
  #wake: (() => void) | undefined;

  constructor(plan: CourierPlan, ports: CourierPorts) {
    this.#plan = plan;
    this.#ports = ports;
  }

  /** What waits goes the new way. */
  replan(plan: CourierPlan): void {
    this.#plan = plan;
  }

  push(event: VipkeeperEvent): void {
    if (this.#over) return;
    this.#queue.push(event);
    if (this.#queue.length > QUEUE_LIMIT) {
      this.#queue.shift();
      this.#lost++;
      const why = `more than ${QUEUE_LIMIT} events are waiting; the newest are kept`;
      this.#say('warning', 'notify-dropped', { why });
    }
    this.#working ??= this.#work();
  }

  /** Events that wait, without those that are under way. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** For the end: tells what it has, within the time. */
  async drain(timeout: Micros): Promise<void> {
    const { timing } = this.#ports;
    this.#ending = true;
    this.#wake?.();
    const late = Promise.withResolvers<void>();
    const cancel = timing.setTimer(after(timing.now(), timeout), late.resolve);
    const done = await Promise.race([this.#working?.then(() => true), late.promise]);
    cancel();
    this.close(done === true ? undefined : 'the end');
  }

  /** @param why undefined: nothing is left */
  close(why: string | undefined): void {
    const { logger } = this.#ports;
    const left = this.#queue.length + (this.#working === undefined ? 0 : 1);
    if (why !== undefined && this.#working !== undefined)
      logger.log('warning', 'notify-dropped', { notifier: this.#plan.name, events: left, why });
    this.#over = true;
    this.#queue.length = 0;
    this.#wake?.();
  }

  async #work(): Promise<void> {
    // Begun from push, which may be called within anything: the first attempt comes after it.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#over) {
      if (this.#plan.gather > 0 && !this.#ending) await this.#pause(this.#plan.gather);
      const [first, ...others] = this.#queue.splice(0, this.#plan.gather > 0 ? MOST_TOGETHER : 1);
      if (first !== undefined) await this.#deliver(first, others);
    }
    this.#working = undefined;
  }

  async #deliver(first: VipkeeperEvent, others: readonly VipkeeperEvent[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const told = this.#lost;
      const events = [told > 0 ? { ...first, lost: told } : first, ...others];
      const result = await this.#ports.deliver(events);
      if (this.#over) return;
      if (result.ok) {
        this.#lost -= told;
        if (attempt > 0) this.#ports.logger.log('info', 'notify', { notifier: this.#plan.name, attempts: attempt + 1 });
        return;
      }
      const { why, permanent } = result;
      if (permanent || attempt >= this.#plan.retries) {
        this.#lost += events.length;
        this.#say('error', 'notify-failed', { why, attempts: attempt + 1, events: events.length, effect: 'given up' });
        return;
      }
      const pause = this.#pauseAfter(attempt, result.retryAfter);
      const effect = `tried again in ${Math.round(pause / 100_000) / 10} s`;
      this.#say('warning', 'notify-failed', { why, attempts: attempt + 1, events: events.length, effect });
      await this.#pause(pause);
      if (this.#over) return;
    }
  }

  /** Doubled each time, of which a half is left to chance: many notifiers of many machines may wait for one server. */
  #pauseAfter(attempt: number, asked: Micros | undefined): Micros {
    if (this.#ending) return LAST_PAUSE;
    const base = Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE);
    const own = base * (0.5 + this.#ports.random() / 2);
    return micros(Math.round(Math.max(own, Math.min(asked ?? 0, LONGEST_ASKED))));
  }

  #pause(length: Micros): Promise<void> {
    const { timing } = this.#ports;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
      const cancel = timing.setTimer(after(timing.now(), length), end);
      this.#wake = end;
    });
  }

  #say(level: 'warning' | 'error', event: string, fields: Readonly<Record<string, string | number>>): void {
    const { name } = this.#plan;
    this.#ports.logger.limited(`${event} ${name} ${fields['effect'] === 'given up'}`, level, event, {
      notifier: name,
      ...fields,
    });
  }
}
