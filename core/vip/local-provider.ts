// What the engine asks of a provider that owns addresses on this machine's own interfaces, within a deadline.
// Synchronous by nature: every call returns when the kernel has answered. Failures are values, never exceptions.
import type { Instant, Micros } from '../units.ts';
import type { VirtualIp } from './virtual-ip.ts';

/** What became of one address. `present` means: it was there already, which is as good. */
export type BindOutcome =
  | {
      readonly vip: VirtualIp;
      readonly outcome: 'bound' | 'present' | 'removed' | 'absent';
      /** Of what was present: false: VRRP bound it, in an earlier life; true: it is the machine's own. Absent: not known. */
      readonly foreign?: boolean;
    }
  | { readonly vip: VirtualIp; readonly outcome: 'failed'; readonly why: string };

export interface LocalProvider {
  /** Binds all addresses in one batch, with a kernel lifetime in whole seconds or for ever. Idempotent. */
  bind(vips: readonly VirtualIp[], lifetime: number | 'forever'): readonly BindOutcome[];
  /** Gives bound addresses a new lifetime, in one batch; returns those that are gone and could not be put back. */
  renew(vips: readonly VirtualIp[], lifetime: number | 'forever'): readonly BindOutcome[];
  /** Removes all addresses in one batch. Idempotent. */
  unbind(vips: readonly VirtualIp[]): readonly BindOutcome[];
  /** Sends one gratuitous ARP (or unsolicited neighbour advertisement) for each address, `repeat` times over, round-robin. Returns frames sent. */
  announce(vips: readonly VirtualIp[], repeat: number): number;
  /** Asks the network who holds an address, at once; IPv4 only. Absent: it cannot. */
  ask?(vip: VirtualIp): void;
  /**
   * What an earlier run left of these addresses: they themselves, or ours with another prefix length.
   * @param markedOnly those alone that bear VRRP's mark: what has none may be the machine's own. Default false.
   */
  leftovers(vips: readonly VirtualIp[], markedOnly?: boolean): readonly VirtualIp[];
  /** Which of these addresses this machine's kernel holds now. */
  observe(vips: readonly VirtualIp[]): readonly VirtualIp[];
}

/** Times of the gratuitous ARP bursts (keepalived's garp_master_* and garp_lower_prio_*). */
export interface AnnounceTiming {
  /** Delay of the second burst after becoming master; 0: no second burst. Default 5 s. */
  readonly masterDelay: Micros;
  /** Frames per address in a burst. Default 5. */
  readonly masterRepeat: number;
  /** Period of refreshes while master; 0: none. */
  readonly refresh: Micros;
  readonly refreshRepeat: number;
  /** Delay of the second burst after a lower-priority advertisement. */
  readonly lowerPrioDelay: Micros;
  readonly lowerPrioRepeat: number;
}

/** When the next burst of announcements is due, and how often each address is repeated in it. */
export interface DueAnnouncement {
  readonly at: Instant;
  readonly repeat: number;
}
