// The counters of one virtual router, under the names of RFC 8347 and keepalived's statistics.
import type { IpAddress, MacAddress } from '../net/address.ts';
import { type Instant, type Micros, micros, type Priority } from '../units.ts';
import type { ChecksumForm } from '../vrrp/packet.ts';
import type { DropReason, RouterState } from '../vrrp/types.ts';
import type { InstanceStatistics } from './messages.ts';

export interface AddressConflict {
  readonly address: IpAddress;
  readonly mac: MacAddress;
  readonly at: Instant;
}

export class Tally {
  #sent = 0;
  #received = 0;
  #becomeMaster = 0;
  #releaseMaster = 0;
  #zeroSent = 0;
  #zeroReceived = 0;
  #announcements = 0;
  #repairs = 0;
  #conflicts = 0;
  #lastConflict: AddressConflict | undefined;
  #lateMax = micros(0);
  readonly #drops: Partial<Record<DropReason, number>> = {};
  readonly #checksumForms: Partial<Record<ChecksumForm, number>> = {};

  sent(priority: Priority): void {
    this.#sent++;
    if (priority === 0) this.#zeroSent++;
  }

  received(priority: Priority): void {
    this.#received++;
    if (priority === 0) this.#zeroReceived++;
  }

  /** What the checksum of an accepted advert (v3) covered. */
  checksumForm(form: ChecksumForm): void {
    this.#checksumForms[form] = (this.#checksumForms[form] ?? 0) + 1;
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

  /** Somebody else claimed an address that is held here. */
  conflict(address: IpAddress, mac: MacAddress, at: Instant): void {
    this.#conflicts++;
    this.#lastConflict = { address, mac, at };
  }

  /** The latest claim of a foreign MAC; undefined: none since the start or `clear`. */
  get lastConflict(): AddressConflict | undefined {
    return this.#lastConflict;
  }

  /** How late a deadline was acted upon. */
  late(by: Micros): void {
    if (by > this.#lateMax) this.#lateMax = by;
  }

  clear(): void {
    this.#sent = this.#received = this.#becomeMaster = this.#releaseMaster = 0;
    this.#zeroSent = this.#zeroReceived = this.#announcements = this.#repairs = 0;
    this.#conflicts = 0;
    this.#lastConflict = undefined;
    this.#lateMax = micros(0);
    for (const why of Object.keys(this.#drops) as DropReason[]) delete this.#drops[why];
    for (const form of Object.keys(this.#checksumForms) as ChecksumForm[]) delete this.#checksumForms[form];
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
      addressConflicts: this.#conflicts,
      timerLateMax: this.#lateMax,
      drops: { ...this.#drops },
      checksumForms: { ...this.#checksumForms },
    };
  }
}
