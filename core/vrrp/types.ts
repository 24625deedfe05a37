// The vocabulary of the protocol core: states, events, effects, drop reasons, configuration of one virtual router.
// Plain data, so that it crosses threads and appears in logs, tests and metrics under the same names.
import type { Family, IpAddress } from '../net/address.ts';
import type { Instant, Micros, Priority, Vrid } from '../units.ts';

/**
 * RFC 9568 §6.4 with keepalived's words. FAULT: a tracked thing fails, the router neither sends nor listens.
 * LEAVING: priority 0 was sent, the addresses still answer until the successor is heard (make before break).
 */
export type RouterState = 'INIT' | 'BACKUP' | 'MASTER' | 'LEAVING' | 'FAULT';

/** One decoded VRRP advertisement. Holds only legal values; wire units end at the codec. */
export interface Advertisement {
  readonly version: 2 | 3;
  readonly vrid: Vrid;
  readonly priority: Priority;
  /** Advertisement interval; v2: whole seconds 1..255, v3: 10 ms .. 40.95 s. */
  readonly interval: Micros;
  readonly addresses: readonly IpAddress[];
}

/** Why a received packet was not acted upon. The names are counters, log words and metric labels. */
export type DropReason =
  | 'truncated'
  | 'length'
  | 'version'
  | 'type'
  | 'vrid'
  | 'checksum'
  | 'ttl'
  | 'count-zero'
  | 'interval-zero'
  | 'interval-mismatch'
  | 'auth-type'
  | 'auth-mismatch'
  | 'auth-failure'
  /** An authentication header whose sequence number was seen before. */
  | 'auth-replay'
  /** Unsigned, where signatures are demanded. */
  | 'hmac-missing'
  | 'hmac-malformed'
  | 'hmac-unknown-key'
  /** Signed with another secret under a number that we know, or changed on the way. */
  | 'hmac-bad'
  /** Signed at a time that differs from our clock by more than the window. */
  | 'hmac-stale'
  /** Not newer than what was heard from this peer. */
  | 'hmac-replay'
  | 'destination'
  | 'source-own'
  | 'source-illegal'
  | 'source-unknown'
  /** Strict mode: from an address that is in no network of the interface. */
  | 'source-off-subnet'
  | 'address-list'
  /** Heard in INIT or FAULT, or by an owner that ignores adverts. */
  | 'not-listening'
  /** Priority 0 from a router that is not the master we know: somebody else's goodbye must not hurry us. */
  | 'not-master';

/** Why a router changed state; the words appear in logs, history and status. */
export type TransitionReason =
  | 'startup'
  | 'owner'
  | 'master-timeout'
  /** The master's priority fell below ours. */
  | 'lower-priority'
  | 'priority-zero'
  | 'higher-priority'
  | 'higher-address'
  | 'fault'
  | 'recovered'
  | 'shutdown'
  | 'successor-heard'
  | 'no-successor'
  | 'stalled'
  | 'fenced'
  | 'sync-group'
  | 'resign';

export interface RouterConfig {
  readonly vrid: Vrid;
  readonly family: Family;
  readonly version: 2 | 3;
  /** Base priority 1..255; 255 is the address owner and is never changed by trackers. */
  readonly priority: Priority;
  readonly interval: Micros;
  readonly preempt: boolean;
  /** How long a lower-priority master is tolerated after start or after it is first heard as BACKUP; 0: not at all. */
  readonly preemptDelay: Micros;
  /** Missed adverts until the master counts as down, 1..100, default 3 (keepalived's down_timer_adverts). */
  readonly downTimerAdverts: number;
  /** What the advertisements list, in order. */
  readonly addresses: readonly IpAddress[];
  /** The source address of our advertisements, for the equal-priority rule. */
  readonly source: IpAddress;
  /** Upper bound for an interval learned from a v3 master, so that nobody can blind a backup. Default 10 × interval. */
  readonly maxMasterInterval: Micros;
  /** Answer a losing advert at once (RFC 9568 §6.4.3); false: keepalived's lower_prio_no_advert. Default true. */
  readonly answerLowerPriority: boolean;
  /** Send one last advert of our own before yielding to a better master, so that it re-announces. Default true. */
  readonly advertiseBeforeYielding: boolean;
  /** Stop with the addresses still answering until the successor is heard; false: keepalived's order. Default true. */
  readonly makeBeforeBreak: boolean;
  /**
   * As BACKUP take over after the skew when the master's priority fell below ours, instead of after a whole down timer;
   * false: keepalived's way. Default true.
   */
  readonly fastHandover?: boolean;
  /** An owner (priority 255) does not listen to adverts of others; default: it does (RFC 9568 erratum 8298). */
  readonly ownerIgnoresAdverts?: boolean;
  /** A member of a sync group does not become MASTER by itself, not even as owner: see group.ts. Default false. */
  readonly grouped?: boolean;
}

/** A router's state, and in BACKUP whether it would be MASTER but for its sync group. */
export type Standing = RouterState | 'READY';

export type RouterEvent =
  /** Begin: an owner is MASTER at once, others listen first. Only in INIT. */
  | { readonly type: 'startup' }
  /** End: hand over (or drop) mastership and go to INIT. `immediate` skips the wait for a successor. */
  | { readonly type: 'shutdown'; readonly immediate: boolean }
  | { readonly type: 'timer' }
  | { readonly type: 'advertisement'; readonly from: IpAddress; readonly ad: Advertisement }
  /**
   * The effective priority changed (trackers), 1..254; ignored by an owner. `resign`: the router that is known to outrank
   * it from now on and should be given the addresses at once; a MASTER says goodbye and holds them until it is heard.
   */
  | { readonly type: 'priority'; readonly value: Priority; readonly resign?: IpAddress }
  /**
   * The interface may be deaf (a switch port that does not forward yet): silence proves nothing before `until`. An advert
   * or `alive` ends that. May come before `startup` and `recovered`.
   */
  | { readonly type: 'deaf'; readonly until: Instant }
  /** Something else than adverts was heard on the interface: from now on silence counts. */
  | { readonly type: 'alive' }
  | { readonly type: 'source'; readonly address: IpAddress }
  /** Something forbids mastership. Instead of `startup` it begins in FAULT. */
  | { readonly type: 'fault'; readonly why: string }
  /** Nothing forbids mastership any more: neither a fault nor a fence. */
  | { readonly type: 'recovered' }
  /**
   * Give up mastership. `stalled`: the process slept past its peers' down timer; listen anew from BACKUP (a BACKUP starts
   * its timer over). `fenced`: the
   * agent is gone; hold in FAULT until `recovered`. `announceLeave`: priority 0 first, otherwise without a word.
   */
  | { readonly type: 'withdraw'; readonly reason: 'stalled' | 'fenced'; readonly announceLeave: boolean }
  /** The sync group moves this member: see group.ts. */
  | { readonly type: 'group'; readonly state: 'MASTER' | 'BACKUP' }
  /** `resign`: as with `priority`, when that falls by the new configuration. */
  | { readonly type: 'reconfigure'; readonly config: RouterConfig; readonly resign?: IpAddress };

export type RouterEffect =
  /** The same object as long as its content is the same, so that its packets can be kept. */
  | { readonly type: 'send'; readonly ad: Advertisement }
  /** Take the addresses: bind and announce them. */
  | { readonly type: 'own' }
  | { readonly type: 'disown' }
  /** Somebody else believed to be master: announce the addresses again. Comes as often as such adverts do; limit it. */
  | { readonly type: 'announce' }
  | {
      readonly type: 'transition';
      readonly from: RouterState;
      readonly to: RouterState;
      readonly why: TransitionReason;
      /** A person's words: which check, which peer. */
      readonly detail: string;
    }
  /** Another master, or the same with another priority or interval (as it advertised it, not clamped). */
  | { readonly type: 'master'; readonly source: IpAddress; readonly priority: Priority; readonly interval: Micros }
  | { readonly type: 'drop'; readonly why: DropReason };
