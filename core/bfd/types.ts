// The words of BFD (RFC 5880): states, diagnostics, what is told and asked of a session. Pure data.
import type { Micros } from '../units.ts';

/** RFC 5880 §4.1, in the order of their numbers on the wire. */
export const STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const;
export type BfdState = (typeof STATES)[number];

/** RFC 5880 §4.1, by number; 9 to 31 are reserved. */
const DIAGNOSTICS = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const;

export const DIAGNOSTIC_NONE = 0;
export const DIAGNOSTIC_DETECTION_TIME_EXPIRED = 1;
export const DIAGNOSTIC_NEIGHBOR_SIGNALED_DOWN = 3;
export const DIAGNOSTIC_ADMINISTRATIVELY_DOWN = 7;

/** A diagnostic for people. @param code 0..31 */
export const diagnosticText = (code: number): string => DIAGNOSTICS[code] ?? `diagnostic ${code}`;

/** One BFD control packet. Whoever decodes many may reuse one object. */
export interface ControlPacket {
  /** 0..31. */
  diagnostic: number;
  state: BfdState;
  poll: boolean;
  final: boolean;
  /** The sender wants us silent once the session is up (§6.6). */
  demand: boolean;
  /** 1..255. */
  detectMultiplier: number;
  /** 1..2^32-1. */
  myDiscriminator: number;
  /** 0: the sender has not heard us yet. */
  yourDiscriminator: number;
  desiredMinTransmit: Micros;
  /** 0: the sender wants no periodic packets. */
  requiredMinReceive: Micros;
  /** 0: the sender answers no echo packets. */
  requiredMinEchoReceive: Micros;
}

/** Why a packet is no BFD control packet that we accept (§6.8.6, first part). */
export type PacketRefusal =
  | 'bad-version'
  | 'too-short'
  | 'bad-length'
  | 'authenticated'
  | 'zero-multiplier'
  | 'multipoint'
  | 'zero-discriminator'
  | 'state-without-discriminator';

/** Why a packet reached no session, or changed nothing there. */
export type BfdDropReason = PacketRefusal | 'unknown-session' | 'ttl' | 'admin-down';

export interface SessionParameters {
  /** Shortest interval between our packets while up; 1 ms and more. */
  readonly minTransmit: Micros;
  /** Shortest interval between packets that we can receive; 1 ms and more. */
  readonly minReceive: Micros;
  /** The interval between our packets while not up; counts as 1 s where it is less (§6.8.3). */
  readonly idleTransmit: Micros;
  /** 1..255: packets that the other end may miss. */
  readonly multiplier: number;
  /** Silent until the other end has been heard (§6.1). */
  readonly passive: boolean;
}

export type BfdEvent =
  | { readonly type: 'start' }
  | { readonly type: 'timer' }
  | { readonly type: 'packet'; readonly packet: Readonly<ControlPacket> }
  | { readonly type: 'reconfigure'; readonly parameters: SessionParameters }
  | { readonly type: 'shutdown' };

export type BfdEffect =
  /** Send a packet with the present contents; `final` answers a poll. */
  | { readonly type: 'send'; readonly final: boolean }
  | { readonly type: 'transition'; readonly from: BfdState; readonly to: BfdState; readonly diagnostic: number }
  | { readonly type: 'drop'; readonly why: 'admin-down' };
