// The boundary between the agent (main thread) and the engine (real-time thread): plain data in both directions.
// Whatever crosses is one of these; a test or a simulator can play either side.
import type { BfdDropReason, BfdState } from '../bfd/types.ts';
import type { BfdConfig, InstanceConfig, InterfaceDelay, StaticConfig, Track, TrackGroup } from '../config/model.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { IpAddress, MacAddress } from '../net/address.ts';
import type { Instant, Micros, Priority } from '../units.ts';
import type { ChecksumForm } from '../vrrp/packet.ts';
import type { DropReason, RouterState, TransitionReason } from '../vrrp/types.ts';
import type { AnnouncementPace } from './paced-frames.ts';

/**
 * What a new configuration changes (core/config/diff.ts); at start everything is added. What is named nowhere is left
 * alone and costs nothing, so that a reload with hundreds of instances delays no advert.
 */
export interface EngineConfig {
  readonly added: readonly InstanceConfig[];
  /** `name`: what the virtual router was called until now. */
  readonly changed: readonly { readonly name: string; readonly config: InstanceConfig }[];
  /** Names of virtual routers that are no more. */
  readonly removed: readonly string[];
  readonly groups: readonly EngineGroup[];
  /** Bind addresses with a kernel lifetime, so that none outlives the process. */
  readonly addressLifetime: boolean;
  /** How fast announcements may follow one another. Default: as fast as they can. */
  readonly pace?: AnnouncementPace;
  /** Say nothing by IGMP of the groups that are heard. Default false. */
  readonly disableLocalIgmp?: boolean;
  /** What holds beginners back; default: what StartHold and ConflictWatch do by themselves. */
  readonly start?: StartRules;
  /** Watch for others who claim the addresses. Default true. */
  readonly conflictWatch?: boolean;
  /** How long the engine goes on without a sign of life from the agent before it fences itself. */
  readonly leaseTime: Micros;
  /** Every BFD session there is to be. Default: none. */
  readonly bfds?: readonly BfdConfig[];
  /** How long a change of a link must last to count. Default: not at all. */
  readonly interfaceDelays?: readonly InterfaceDelay[];
  /** Everything static there is to be, and the instances that depend on it. Default: nothing. */
  readonly statics?: StaticConfig;
  readonly trackGroups?: readonly TrackGroup[];
}

/** A sync group, with what its members track together in the engine. */
export interface EngineGroup {
  readonly name: string;
  readonly members: readonly string[];
  readonly trackInterfaces?: readonly Track[];
  readonly trackBfds?: readonly Track[];
}

/** What must have passed before virtual routers speak. */
export interface StartRules {
  /** vrrp_startup_delay, from the first configuration on; 0: none. */
  readonly startupDelay: Micros;
  /** vrrp_delay_after_boot, from the start of the machine on; 0: none. */
  readonly delayAfterBoot: Micros;
  /** The longest that silence counts for nothing on an interface that came up; 0: it always counts. */
  readonly hold: Micros;
}

/** What the trackers say about an instance: the sum of their weights, and what forbids mastership. */
export interface TrackVerdict {
  readonly instance: string;
  /** Added to the base priority; the effective priority is clamped to 1..254. */
  readonly adjustment: number;
  /** Reasons to be in FAULT, for people; empty: none. */
  readonly faults: readonly string[];
}

export type EngineCommand =
  | { readonly type: 'configure'; readonly config: EngineConfig; readonly verdicts: readonly TrackVerdict[] }
  | { readonly type: 'track'; readonly verdict: TrackVerdict }
  /** After a fence: the agent is alive again and has seen it; start from BACKUP. */
  | { readonly type: 'resume'; readonly epoch: number }
  /** Hand over and end. `immediate`: do not wait for a successor. */
  | { readonly type: 'stop'; readonly immediate: boolean }
  | { readonly type: 'snapshot'; readonly id: number }
  | { readonly type: 'clear-statistics' };

export type EngineEvent =
  /** The first configuration is in force. */
  | { readonly type: 'configured' }
  | {
      readonly type: 'transition';
      readonly instance: string;
      readonly from: RouterState;
      readonly to: RouterState;
      readonly why: TransitionReason;
      readonly detail: string;
      readonly priority: Priority;
      /** The router that took over, or whose place we take; where there is one. */
      readonly peer?: IpAddress;
      /** Milliseconds since 1970 at which it happened. */
      readonly time: number;
    }
  | {
      readonly type: 'group-transition';
      readonly group: string;
      readonly from: RouterState;
      readonly to: RouterState;
      readonly time: number;
    }
  | {
      readonly type: 'master-seen';
      readonly instance: string;
      readonly source: IpAddress;
      readonly priority: Priority;
      readonly interval: Micros;
    }
  /** As MASTER it heard a router that loses against it; at most two a second, `count` of them since the last event. */
  | {
      readonly type: 'lower-priority-heard';
      readonly instance: string;
      readonly source: IpAddress;
      /** Our own effective priority. */
      readonly priority: Priority;
      readonly count: number;
    }
  /** The effective priority changed, in this state; never told before the first state. */
  | {
      readonly type: 'priority-changed';
      readonly instance: string;
      readonly state: RouterState;
      readonly priority: Priority;
    }
  /** Packets dropped since the last such event for the same cause; at most one a minute and cause. */
  | {
      readonly type: 'drop';
      readonly instance: string;
      readonly why: DropReason;
      readonly source: IpAddress;
      readonly count: number;
    }
  /** A BFD session came up or went down. */
  | {
      readonly type: 'bfd-transition';
      readonly session: string;
      readonly neighbor: IpAddress;
      readonly from: BfdState;
      readonly to: BfdState;
      /** The words of RFC 5880 §4.1 for its diagnostic. */
      readonly why: string;
      /** Milliseconds since 1970. */
      readonly time: number;
    }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warning' | 'info';
      readonly text: string;
      /** It is of an address of ours that somebody else claims. */
      readonly conflict?: AddressConflict;
    }
  /** Interfaces that no virtual router stands on any more: the agent removes them. */
  | { readonly type: 'links-unused'; readonly names: readonly string[] }
  | { readonly type: 'fenced'; readonly epoch: number; readonly why: string }
  /** The engine did not run for this long. */
  | { readonly type: 'stall'; readonly duration: Micros }
  | {
      readonly type: 'snapshot';
      readonly id: number;
      readonly instances: readonly InstanceSnapshot[];
      /** Default: none. */
      readonly bfds?: readonly BfdSnapshot[];
    }
  /** Every address is gone and every socket closed. */
  | { readonly type: 'stopped' }
  /** A bug: the engine has withdrawn its addresses and ends. */
  | { readonly type: 'failed'; readonly error: string }
  /** It could not begin: a capability or an interface of the system is missing. Nothing was bound. */
  | { readonly type: 'unable'; readonly why: string };

/** An address that is held here and by somebody else. */
export interface AddressConflict {
  readonly instance: string;
  readonly address: IpAddress;
  readonly interface: string;
}

/** One BFD session (RFC 5880) as it is now. */
export interface BfdSnapshot {
  readonly name: string;
  readonly neighbor: IpAddress;
  readonly multihop: boolean;
  readonly state: BfdState;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Why, in the words of RFC 5880 §4.1; the same for the other end. */
  readonly diagnostic: string;
  readonly remoteState: BfdState;
  readonly remoteDiagnostic: string;
  readonly discriminator: number;
  /** 0: unknown. */
  readonly remoteDiscriminator: number;
  /** Agreed, before jitter. */
  readonly transmitInterval: Micros;
  /** Silence of this length means that the neighbor is gone. */
  readonly detectionTime: Micros;
  readonly sent: number;
  readonly received: number;
  /** Since the latest packet that counted; undefined: there was none. */
  readonly lastHeard: Micros | undefined;
  readonly wentUp: number;
  readonly wentDown: number;
  readonly drops: Readonly<Partial<Record<BfdDropReason, number>>>;
  /** Why nothing can be sent, an errno name; empty: nothing is wrong. */
  readonly trouble: string;
  /** What those that track it see. */
  readonly counts: TrackedState;
}

export interface InstanceSnapshot {
  readonly name: string;
  readonly state: RouterState;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly basePriority: number;
  readonly effectivePriority: number;
  readonly faults: readonly string[];
  readonly lastReason: TransitionReason;
  readonly lastDetail: string;
  /** The latest advert accepted from another router. */
  readonly master:
    | { readonly source: IpAddress; readonly priority: number; readonly interval: Micros; readonly age: Micros }
    | undefined;
  readonly peers: readonly { readonly source: IpAddress; readonly priority: number; readonly age: Micros }[];
  readonly addresses: readonly {
    readonly address: IpAddress;
    readonly prefix: number;
    readonly device: string;
    readonly held: boolean;
  }[];
  /** The latest claim of one of the addresses by somebody else, while they were held here. */
  readonly conflict?: { readonly address: IpAddress; readonly mac: MacAddress; readonly age: Micros };
  /** Routes and rules of the file, and whether they are set now. Default: none. */
  readonly routing?: readonly { readonly text: string; readonly held: boolean }[];
  readonly downInterval: Micros;
  readonly skew: Micros;
  readonly nextDeadline: Instant | undefined;
  readonly statistics: InstanceStatistics;
}

/** Names after RFC 8347 and keepalived's dump. */
export interface InstanceStatistics {
  readonly advertisementsSent: number;
  readonly advertisementsReceived: number;
  readonly becomeMaster: number;
  readonly releaseMaster: number;
  readonly priorityZeroSent: number;
  readonly priorityZeroReceived: number;
  readonly announcementsSent: number;
  readonly addressRepairs: number;
  /** ARP packets and neighbour advertisements with which others claimed addresses that were held here. */
  readonly addressConflicts: number;
  /** The longest an own deadline was missed by. */
  readonly timerLateMax: Micros;
  readonly drops: Readonly<Partial<Record<DropReason, number>>>;
  /** Accepted adverts of version 3 by what their checksum covered. */
  readonly checksumForms?: Readonly<Partial<Record<ChecksumForm, number>>>;
}

/** Layout of the shared memory between the threads: a Float64Array of instants, written by one side each. */
export const LEASE_AGENT_BEAT = 0;
export const LEASE_ENGINE_BEAT = 1;
export const LEASE_LENGTH = 2;
