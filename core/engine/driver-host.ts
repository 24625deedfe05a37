// What a driver asks of the engine, and what the whole configuration says about a driver. Interfaces only.
// Calls note wishes; the engine carries them out, batched, at the end of its turn.
import type { IpAddress } from '../net/address.ts';
import type { Instant, Micros, Priority } from '../units.ts';
import type { AdmissionWarning } from '../vrrp/admission.ts';
import type { Advertisement, DropReason, RouterState, TransitionReason } from '../vrrp/types.ts';
import type { InstanceDriver } from './driver.ts';

/** What a driver asks of the engine. Calls only note wishes; the engine carries them out, batched, at the end of its turn. */
export interface DriverHost {
  /** Milliseconds since 1970. */
  wallTime(): number;
  /** Whether an address is in a network of the router's interface; true where that is not known. */
  isOnLink(driver: InstanceDriver, address: IpAddress): boolean;
  send(driver: InstanceDriver, ad: Advertisement, now: Instant): void;
  own(driver: InstanceDriver): void;
  disown(driver: InstanceDriver): void;
  announce(driver: InstanceDriver, repeat: number): void;
  /** As MASTER it heard this router, which loses against it; as often as it does. */
  lowerPriorityHeard(driver: InstanceDriver, source: IpAddress, now: Instant): void;
  priorityChanged(driver: InstanceDriver): void;
  /** Another router believed to be master: this one and its companions in the sync group must announce again. */
  contested(driver: InstanceDriver, now: Instant): void;
  renew(driver: InstanceDriver): void;
  transition(driver: InstanceDriver, change: Transition): void;
  masterSeen(driver: InstanceDriver, source: IpAddress, priority: Priority, interval: Micros): void;
  dropped(driver: InstanceDriver, why: DropReason, source: IpAddress): void;
  warned(driver: InstanceDriver, warning: AdmissionWarning): void;
  /** The first reason for FAULT came, or the last one went: it concerns the whole sync group. */
  faultChanged(driver: InstanceDriver, why: string | undefined, now: Instant): void;
}

/** What the whole configuration says about a router. */
export interface DriverOptions {
  /** Bind addresses with a kernel lifetime. */
  readonly addressLifetime: boolean;
  /** It is a member of a sync group. */
  readonly grouped: boolean;
}

export interface Transition {
  readonly from: RouterState;
  readonly to: RouterState;
  readonly why: TransitionReason;
  readonly detail: string;
  /** The router that took over, or whose place we take. */
  readonly peer?: IpAddress;
}
