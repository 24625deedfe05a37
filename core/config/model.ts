// The meaning of a configuration file: what the parser hands to the agent. Plain data, all defaults filled in.
// Knows nothing of text, positions or keywords.
import type { Family, IpAddress } from '../net/address.ts';
import type { Micros, Priority, Vrid } from '../units.ts';
import type { AnnounceTiming } from '../vip/local-provider.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';

export interface Configuration {
  readonly globals: GlobalDefs;
  readonly scripts: readonly ScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly groups: readonly SyncGroupConfig[];
}

export interface GlobalDefs {
  /** Default: the host name. */
  readonly routerId: string;
  readonly scriptUser: ScriptUser | undefined;
  readonly enableScriptSecurity: boolean;
  /** SCHED_RR priority of the engine thread, 1..99; 0: ordinary scheduling; undefined: not said. (vrrp_rt_priority) */
  readonly realtimePriority: number | undefined;
  /** Kernel lifetime on bound addresses; `vrrp_address_lifetime off` turns it off. */
  readonly addressLifetime: boolean;
}

export interface ScriptUser {
  readonly user: string;
  readonly group?: string;
}

/** A program and its arguments; never passed through a shell. */
export interface Command {
  readonly argv: readonly string[];
  readonly user?: ScriptUser;
}

/** vrrp_script. */
export interface ScriptConfig {
  readonly name: string;
  readonly command: Command;
  readonly interval: Micros;
  readonly timeout: Micros;
  /** -253..253; 0: failure is a fault. */
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
}

/** A reference to a script or interface with the weight that applies here. */
export interface Track {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

export interface NotifyConfig {
  readonly master?: Command;
  readonly backup?: Command;
  readonly fault?: Command;
  readonly stop?: Command;
  /** `notify`: gets kind, name, state and priority as further arguments. */
  readonly any?: Command;
}

export type Transport =
  | { readonly mode: 'multicast'; readonly group: IpAddress; readonly source: IpAddress | undefined }
  | {
      readonly mode: 'unicast';
      /** unicast_src_ip; undefined: the interface's primary address. */
      readonly source: IpAddress | undefined;
      readonly peers: readonly UnicastPeer[];
      readonly ttl: number;
    };

export interface UnicastPeer {
  readonly address: IpAddress;
  readonly minTtl: number;
  readonly maxTtl: number;
}

export type Authentication = { readonly type: 'none' } | { readonly type: 'PASS'; readonly password: string };

export interface InstanceConfig {
  readonly name: string;
  readonly interface: string;
  readonly family: Family;
  readonly vrid: Vrid;
  readonly version: 2 | 3;
  readonly initialState: 'MASTER' | 'BACKUP';
  readonly priority: Priority;
  readonly interval: Micros;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly downTimerAdverts: number;
  readonly transport: Transport;
  readonly authentication: Authentication;
  /** Advertised addresses, in the order of the file. */
  readonly vips: readonly VirtualIp[];
  readonly excludedVips: readonly VirtualIp[];
  readonly announce: AnnounceTiming;
  readonly answerLowerPriority: boolean;
  readonly advertiseBeforeYielding: boolean;
  /** Drop adverts whose address list differs from ours (keepalived 2.2.7); default: accept and warn. */
  readonly strictAddressList: boolean;
  /** Drop unicast adverts from sources that are not peers. Default true, unlike keepalived. */
  readonly checkUnicastSource: boolean;
  /** `vrrp_stop_order break_before_make` restores keepalived's order. */
  readonly makeBeforeBreak: boolean;
  readonly trackScripts: readonly Track[];
  readonly trackInterfaces: readonly Track[];
  readonly trackPrimary: boolean;
  readonly notify: NotifyConfig;
}

export interface SyncGroupConfig {
  readonly name: string;
  readonly members: readonly string[];
  readonly notify: NotifyConfig;
  readonly trackScripts: readonly Track[];
  readonly trackInterfaces: readonly Track[];
}
