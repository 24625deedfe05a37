// The counters of one virtual router, under the names of RFC 8347 and keepalived's statistics.
import { type Micros, micros, type Priority } from '../units.ts';
import type { DropReason, RouterState } from '../vrrp/types.ts';
import type { InstanceStatistics } from './messages.ts';

export class Tally {
  #sent = 0;
  #received = 0;
  #becomeMaster = 0;
  #releaseMaster = 0;
  #zeroSent = 0;
  #zeroReceived = 0;
  #announcements = 0;
  #repairs = 0;
  #lateMax = micros(0);
  readonly #drops: Partial<Record<DropReason, number>> = {};

  sent(priority: Priority): void {
    this.#sent++;
    if (priority === 0) this.#zeroSent++;
  }

  received(priority: Priority): void {
    this.#received++;
    if (priority === 0) this.#zeroReceived++;
  }

  drop(why: DropReason): void {
    this.#drops[why] = (this.#drops[why] ?? 0) + 1;
  }

  transition(from: RouterState, to: RouterState): void {
    if (to === 'MASTER') this.#becomeMaster++;
    if (from === 'MASTER') this.#releaseMaster++;
  }

  announced(frames: number): void {
    this.#announcements += frames;
  }

  repaired(): void {
    this.#repairs++;
  }

  /** How late a deadline was acted upon. */
  late(by: Micros): void {
    if (by > this.#lateMax) this.#lateMax = by;
  }

  clear(): void {
    this.#sent = this.#received = this.#becomeMaster = this.#releaseMaster = 0;
    this.#zeroSent = this.#zeroReceived = this.#announcements = this.#repairs = 0;
    this.#lateMax = micros(0);
    for (const why of Object.keys(this.#drops) as DropReason[]) delete this.#drops[why];
  }

  get statistics(): InstanceStatistics {
    return {
      advertisementsSent: this.#sent,
      advertisementsReceived: this.#received,
      becomeMaster: this.#becomeMaster,
      releaseMaster: this.#releaseMaster,
      priorityZeroSent: this.#zeroSent,
      priorityZeroReceived: this.#zeroReceived,
      announcementsSent: this.#announcements,
      addressRepairs: this.#repairs,
      timerLateMax: this.#lateMax,
      drops: { ...this.#drops },
    };
  }
}
