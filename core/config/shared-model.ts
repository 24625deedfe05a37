// The part of the model that instances share: what is watched, the pace of interfaces, what is always set. Plain data.
import type { IpAddress } from '../net/address.ts';
import type { ProbeConfig } from '../plugin/check.ts';
import type { EventType } from '../plugin/notifier.ts';
import type { PlainOptions } from '../plugin/options.ts';
import type { Micros } from '../units.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { VirtualRoute, VirtualRule } from '../vip/virtual-route.ts';
import type { TRANSPORTS } from './defaults.ts';

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
  /** How arguments are compared: not, all of them, the first ones, or the first ones of which the last may go on. */
  readonly match: 'any' | 'exact' | 'partial' | 'initial';
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

/** vrrp_check: a check that a plugin makes, or an expression over other checks. */
export interface CheckConfig {
  readonly name: string;
  readonly probe: CheckProbe;
  /** At least 50 ms. */
  readonly interval: Micros;
  /** At most the interval. */
  readonly timeout: Micros;
  /** Up to so much is added to each interval. */
  readonly jitter: Micros;
  readonly rise: number;
  readonly fall: number;
  /** -253..253; 0: failure is a fault. */
  readonly weight: number;
  readonly reverse: boolean;
  /** Counts as failed before the first success, and when it cannot run. */
  readonly initFail: boolean;
}

export type CheckProbe =
  | ({ readonly type: 'plugin' } & ProbeConfig)
  /** Up while at least `count` of these checks are. */
  | { readonly type: 'expression'; readonly count: number; readonly of: readonly string[] }
  /** It cannot be made, and why. */
  | { readonly type: 'none'; readonly why: string };

/** notifier: who is told of what by which plugin. */
export interface NotifierConfig {
  readonly name: string;
  /** Name of the plugin. */
  readonly plugin: string;
  /** As the plugin described them, defaults filled in. */
  readonly options: PlainOptions;
  readonly events: readonly EventType[];
  /** undefined: all. */
  readonly instances: readonly string[] | undefined;
  /** Of one attempt. */
  readonly timeout: Micros;
  /** Attempts after the first. */
  readonly retries: number;
  /** What happens within it is told together; 0: each event by itself. */
  readonly gather: Micros;
}

/** load_plugin */
export interface PluginConfig {
  /** As written: the path of an ES module or the name of a package. */
  readonly specifier: string;
  readonly settings: PlainOptions;
}

/** `native`: our own sockets on the real-time thread; `raw-socket`: the npm package, on the main thread, IPv4 only. */
export type EngineTransport = (typeof TRANSPORTS)[number];

/** bfd_instance: a session that tells within milliseconds whether a neighbour answers (RFC 5880). */
export interface BfdConfig {
  readonly name: string;
  readonly neighbor: IpAddress;
  readonly source: IpAddress | undefined;
  /** Where a link-local neighbor is (fe80::1%eth0). */
  readonly interface?: string;
  /** Default 10 ms each; idle 1 s. */
  readonly minReceive: Micros;
  readonly minTransmit: Micros;
  readonly idleTransmit: Micros;
  /** Lost packets until the neighbour is down. Default 5. */
  readonly multiplier: number;
  /** Wait for the neighbour to begin. */
  readonly passive: boolean;
  /** TTL or hop limit of what is sent, and where counting begins for what is received. Default 255. */
  readonly ttl: number;
  /** How many hops a packet may have come; -1: any number. Default 0, multihop -1. */
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

/** A route, its words and whether it is watched. */
export type RouteLine = VirtualRoute;
export type RuleLine = VirtualRule;

/** An address of static_ipaddress. */
export interface StaticAddress extends VirtualIp {
  /** The track_group that it belongs to. */
  readonly group?: string;
}

export interface StaticConfig {
  readonly addresses: readonly StaticAddress[];
  readonly routes: readonly RouteLine[];
  readonly rules: readonly RuleLine[];
}
