// The part of the model that instances share: what is watched, the pace of interfaces, what is always set. Plain data.
import type { IpAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';

/** track_file: a number in a file moves the priority. */
export interface TrackFileConfig {
  readonly name: string;
  readonly path: string;
  /** Multiplies the number; -2147483647..2147483647, default 1; 0: any number but 0 is a fault. */
  readonly weight: number;
  readonly reverse: boolean;
  /** What to write into the file when it does not exist. */
  readonly initial: { readonly value: number; readonly overwrite: boolean } | undefined;
}

/** vrrp_track_process: whether enough processes of a kind run. */
export interface TrackProcessConfig {
  readonly name: string;
  /** The program, and arguments to compare when `match` or `fullCommand` says so. */
  readonly argv: readonly string[];
  /** How arguments are compared: all of them, the first ones, or the first ones as beginnings. */
  readonly match: 'exact' | 'initial' | 'partial';
  /** -254..254; 0: too few processes are a fault. */
  readonly weight: number;
  readonly reverse: boolean;
  /** Fewest and most processes; default 1 and no limit. */
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  /** How long a quorum must be there, or be lost, to count. Default 0. */
  readonly forkDelay: Micros;
  readonly terminateDelay: Micros;
  /** Compare the whole command line and not the name of the process. */
  readonly fullCommand: boolean;
}

/** bfd_instance: a session that tells within milliseconds whether a neighbour answers (RFC 5880). */
export interface BfdConfig {
  readonly name: string;
  readonly neighbor: IpAddress;
  readonly source: IpAddress | undefined;
  /** Default 10 ms each; idle 1 s. */
  readonly minReceive: Micros;
  readonly minTransmit: Micros;
  readonly idleTransmit: Micros;
  /** Lost packets until the neighbour is down. Default 5. */
  readonly multiplier: number;
  /** Wait for the neighbour to begin. */
  readonly passive: boolean;
  /** TTL or hop limit of what is sent. Default 255; multihop 64. */
  readonly ttl: number;
  /** How many hops a packet may have come. Default 0. */
  readonly maxHops: number;
  /** RFC 5883: port 4784 instead of 3784. */
  readonly multihop: boolean;
  readonly weight: number;
  readonly reverse: boolean;
}

/** Interfaces that share a pace of announcements. */
export interface GarpGroup {
  readonly interfaces: readonly string[];
  readonly garpInterval: Micros | undefined;
  readonly gnaInterval: Micros | undefined;
}

export interface InterfaceDelay {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}

export interface TrackGroup {
  readonly name: string;
  readonly members: readonly string[];
}

export interface StaticConfig {
  readonly addresses: readonly VirtualIp[];
  readonly routes: readonly RouteLine[];
  readonly rules: readonly RouteLine[];
}

/** A route or rule in the words of `ip route` and `ip rule`. */
export interface RouteLine {
  /** Without our own words no_track and track_group. */
  readonly words: readonly string[];
  /** Whether somebody else's removal of it is noticed; never for routes without an interface. */
  readonly track: boolean;
  /** Static ones only. */
  readonly group?: string;
}
