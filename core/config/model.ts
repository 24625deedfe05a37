// The meaning of a configuration file: what the parser hands to the agent. Plain data, all defaults filled in.
// Knows nothing of text, positions or keywords. A member with `?` whose comment names a default is always there after
// load(); it is optional so that a configuration made by hand (a test, a rehearsal) needs only what it is about.
import type { Family, IpAddress } from '../net/address.ts';
import type { Micros, Priority, Vrid } from '../units.ts';
import type { AnnounceTiming } from '../vip/local-provider.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type {
  BfdConfig,
  CheckConfig,
  EngineTransport,
  GarpGroup,
  InterfaceDelay,
  NotifierConfig,
  PluginConfig,
  RouteLine,
  RuleLine,
  StaticConfig,
  TrackFileConfig,
  TrackGroup,
  TrackProcessConfig,
} from './shared-model.ts';

export type * from './shared-model.ts';

export interface Configuration {
  readonly globals: GlobalDefs;
  readonly scripts: readonly ScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  readonly groups: readonly SyncGroupConfig[];
  /** track_file, in the order of the file. Default: none. */
  readonly trackFiles?: readonly TrackFileConfig[];
  /** vrrp_track_process. Default: none. */
  readonly trackProcesses?: readonly TrackProcessConfig[];
  /** vrrp_check, in the order of the file. Default: none. */
  readonly checks?: readonly CheckConfig[];
  /** notifier and load_plugin, each in the order of the file. Default: none. */
  readonly notifiers?: readonly NotifierConfig[];
  readonly plugins?: readonly PluginConfig[];
  /** bfd_instance. Default: none. */
  readonly bfds?: readonly BfdConfig[];
  /** garp_group. Default: none. */
  readonly garpGroups?: readonly GarpGroup[];
  /** interface_up_down_delays: how long a change of a link must last to count. Default: none. */
  readonly interfaceDelays?: readonly InterfaceDelay[];
  /** track_group: instances that share static addresses, routes and rules. Default: none. */
  readonly trackGroups?: readonly TrackGroup[];
  /** static_ipaddress, static_routes, static_rules. Default: nothing. */
  readonly statics?: StaticConfig;
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
  /** What carries the adverts; undefined: native, or raw-socket where the addon does not load. (vrrp_transport) */
  readonly transport?: EngineTransport;
  /** Told of everything. (notify_fifo) */
  readonly notifyFifo?: NotifyFifo;
  /** Told of instances and groups. (vrrp_notify_fifo) */
  readonly vrrpNotifyFifo?: NotifyFifo;
  /** Told of virtual and real servers. (lvs_notify_fifo) */
  readonly lvsNotifyFifo?: NotifyFifo;
  /** Whether priority changes are told, unless an instance or group says otherwise. Default false. */
  readonly notifyPriorityChanges?: boolean;
  /** Write every state into the FIFOs after a reload. Default false. */
  readonly fifoStatesOnReload?: boolean;
  /** Default: no server, so no mail. */
  readonly mail?: MailConfig;
  /** Layout of the JSON dump. Default 1. */
  readonly jsonVersion?: 1 | 2;
  /** Files that signals write; undefined: keepalived's places in /tmp. */
  readonly stateDumpFile?: string;
  readonly statsDumpFile?: string;
  readonly jsonDumpFile?: string;
  /** Put the name of the instance and namespace into the names of dump files. Default false. */
  readonly dataUseInstance?: boolean;
  /** Names of the processes, by who bears them; undefined: not said. */
  readonly processNames?: ProcessNames;
  /** Permissions taken from files that are created. Default 0o177. */
  readonly umask?: number;
  readonly startupScript?: TimedCommand;
  readonly shutdownScript?: TimedCommand;
  /** How long a stop may take. Default 5 s. */
  readonly childWaitTime?: Micros;
  readonly reload?: ReloadConfig;
  /** Adverts are neither sent nor heard for so long after the start of the agent. Default 0. */
  readonly startupDelay?: Micros;
  /** The same, counted from the start of the machine; the later end holds. Default 0. */
  readonly delayAfterBoot?: Micros;
  /** The longest that silence counts for nothing after an interface came up; 0: it always counts. Default 40 s. */
  readonly startHold?: Micros;
  /** Watch for others who claim our addresses. Default true. */
  readonly conflictWatch?: boolean;
  /** Say so when an advert carries a VRID that nobody here uses. Default false. */
  readonly logUnknownVrids?: boolean;
  /** Interfaces may come and go; `changes`: and come back as another kind. Default false. */
  readonly dynamicInterfaces?: boolean | 'changes';
  /** Leave the multicast group of the loopback copy. Default false. */
  readonly disableLocalIgmp?: boolean;
  /** Shortest time between two gratuitous ARPs, and between two neighbour advertisements, on every interface that no
   * garp_group names. Default 0. */
  readonly garpInterval?: Micros;
  readonly gnaInterval?: Micros;
  /** How no_accept is carried out; undefined members: table vipkeeper, priority -1, no counters. */
  readonly nftables?: { readonly table?: string; readonly priority?: number; readonly counters?: boolean };
  /** First letters of the names of macvlan and ipvlan interfaces. Default `vrrp`, and the same. */
  readonly vmacPrefix?: string;
  readonly vmacAddressPrefix?: string;
  readonly networkNamespace?: string;
  /** instance: a name for this agent where several run on a machine. */
  readonly instanceName?: string;
  /** Put pid files into a directory of their own. Default false. */
  readonly usePidDirectory?: boolean;
  /** Give scripts the further groups of their user. Default false. */
  readonly supplementaryGroups?: boolean;
  /** Judge symbolic links of scripts by their own path. Default false. */
  readonly useSymlinkPaths?: boolean;
}

/** A named pipe that gets a line for each change, and the program that reads it. */
export interface NotifyFifo {
  readonly path: string;
  /** Started with the path as its last argument. */
  readonly script?: Command;
}

/** A program that may run for so long. */
export interface TimedCommand {
  readonly command: Command;
  readonly timeout: Micros;
}

export interface MailConfig {
  /** undefined: no mail is sent. Default port 25. */
  readonly server: { readonly host: string; readonly port: number } | undefined;
  /** Default: root@ and the host name. */
  readonly from: string;
  /** In the order of the file. */
  readonly to: readonly string[];
  /** Name in HELO. Default: the host name. */
  readonly helo: string;
  /** Default 30 s. */
  readonly connectTimeout: Micros;
  /** smtp_alert_vrrp, else smtp_alert: whether instances and groups that do not say mail. Default false. */
  readonly alertVrrp: boolean;
  /** smtp_alert_checker, else smtp_alert: the same for virtual servers. Default false. */
  readonly alertChecker: boolean;
  /** No mail about FAULT. (no_email_faults) */
  readonly noFaults: boolean;
  /** No mail about single checkers, only about servers. (no_checker_emails) */
  readonly noCheckers: boolean;
}

export interface ProcessNames {
  readonly main?: string;
  readonly vrrp?: string;
  readonly checker?: string;
  readonly bfd?: string;
}

export interface ReloadConfig {
  /** Check the new file before the old configuration is given up; here it always is. Default false. */
  readonly checkConfig: boolean;
  /** Where that check writes what it found; undefined: the log. */
  readonly checkLog: string | undefined;
  /** A file that says when to reload. */
  readonly timeFile: string | undefined;
  /** Go on looking at timeFile after a reload. Default false. */
  readonly repeat: boolean;
  /** A file that is written when a reload is done. */
  readonly file: string | undefined;
  /** A directory for copies of the configuration. */
  readonly saveDirectory: string | undefined;
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
  /** MASTER heard a peer of lower priority. (notify_master_rx_lower_pri) */
  readonly masterRxLowerPriority?: Command;
  /** notify_deleted: an instance that a reload removes is told as DELETED instead of FAULT. Default false. */
  readonly deleted?: boolean;
  /** Whether FIFOs are told of priority changes. undefined: as GlobalDefs.notifyPriorityChanges. */
  readonly priorityChanges?: boolean;
  /** Whether changes are mailed. undefined: as GlobalDefs.mail.alertVrrp. */
  readonly smtpAlert?: boolean;
}

export type Transport =
  | { readonly mode: 'multicast'; readonly group: IpAddress; readonly source: IpAddress | undefined }
  | {
      readonly mode: 'unicast';
      /** unicast_src_ip; undefined: the interface's primary address. */
      readonly source: IpAddress | undefined;
      readonly peers: readonly UnicastPeer[];
      /** Peers by name, never an empty list: the agent puts what they mean into `peers`. Default: none. */
      readonly names?: readonly PeerName[];
      readonly ttl: number;
    };

export interface UnicastPeer {
  readonly address: IpAddress;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** No limit was given: while the peer is in our own network its adverts must have a TTL of 255. Default false. */
  readonly neighbourly?: boolean;
}

/** A host, or a service (SRV), with the limits of all its addresses. */
export interface PeerName extends Omit<UnicastPeer, 'address'> {
  readonly name: string;
}

/** VRRPv2: nothing, a password in clear text, or HMAC-MD5 in an authentication header; at most 8 bytes of password. */
export type Authentication = { readonly type: 'none' } | { readonly type: 'PASS' | 'AH'; readonly password: string };

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
  /** Take over after the skew when the master's priority falls below ours; false: keepalived's way. Default true. */
  readonly fastHandover?: boolean;
  /**
   * Resign when our priority falls below that of a router whose adverts were heard within this time, 1 s and more.
   * Default: never.
   */
  readonly resignMemory?: Micros;
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
  /** References to Configuration.checks. Default: none. */
  readonly trackChecks?: readonly Track[];
  /** References to Configuration.trackFiles, trackProcesses and bfds. Default: none. */
  readonly trackFiles?: readonly Track[];
  readonly trackProcesses?: readonly Track[];
  readonly trackBfds?: readonly Track[];
  /** The address that unicast adverts come from must exist, else FAULT. Default false. */
  readonly trackSource?: boolean;
  /** Strict mode: the RFC to the letter. Default false. */
  readonly strict?: boolean;
  /** Packets to the addresses are accepted by a master that does not own them. Default true, in strict mode false. */
  readonly accept?: boolean;
  /** Why it must not be master, whatever else: the agent could not prepare something. Never from the file. */
  readonly blocked?: string;
  /** Signed adverts (auth_hmac). */
  readonly hmac?: HmacConfig;
  /** VRRPv3 checksums over IPv4 leave the pseudo header out. Default false. */
  readonly checksumWithoutPseudoHeader?: boolean;
  /** Unicast checksums as keepalived before 1.3.7 made them. Default `auto`: as the peers do. */
  readonly oldUnicastChecksum?: 'auto' | 'always' | 'never';
  /** An owner does not listen to adverts of others. Default false. */
  readonly ownerIgnoresAdverts?: boolean;
  /** Step down when a timer fires later than the peers wait; `priority`: only as a master of at most that priority. */
  readonly backupAfterStall?: { readonly priority: number | undefined };
  /** FAULT while a unicast instance has no peers, instead of multicast. Default false. */
  readonly faultWithoutPeers?: boolean;
  /** A secondary address takes the place of a removed primary one. Default false. */
  readonly promoteSecondaries?: boolean;
  readonly vrf?: string;
  /** What the instance stands on instead of its interface; its addresses name it as their device. */
  readonly virtualInterface?: VirtualInterface;
  /** Macvlans for addresses on other interfaces. Default: none. */
  readonly addressInterfaces?: readonly AddressInterface[];
  /** Bytes of the receive buffer; undefined: the kernel's. */
  readonly receiveBuffer?: number;
  /** Repeat announcements on the interfaces of routes and addresses that are not the instance's own. */
  readonly announceElsewhere?: { readonly everywhere: boolean; readonly interval: Micros };
  /** Default: none. */
  readonly routes?: readonly RouteLine[];
  readonly rules?: readonly RuleLine[];
  /** debug: 0..4. Default 0. */
  readonly debug?: number;
}

/** use_vmac or use_ipvlan: an interface made for the instance. */
export type VirtualInterface =
  | {
      readonly kind: 'macvlan';
      readonly name: string;
      /** Unless the file says so: 00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID. */
      readonly mac: string;
      readonly group: number | undefined;
      /** use_vmac_addr: macvlans also for addresses on other interfaces. */
      readonly forAddresses: boolean;
      /** vmac_xmit_base: adverts leave through the interface below. */
      readonly sendBelow: boolean;
    }
  | {
      readonly kind: 'ipvlan';
      readonly name: string;
      readonly address: IpAddress | undefined;
      readonly mode: 'bridge' | 'private' | 'vepa';
      readonly group: number | undefined;
    };

/** A macvlan for addresses on another interface than the instance's. */
export interface AddressInterface {
  readonly name: string;
  /** The interface below. */
  readonly base: string;
  readonly mac: string;
}

/** auth_hmac of keepalived 2.4. */
export interface HmacConfig {
  readonly keys: readonly HmacKey[];
  /** Which key signs; the first one unless said. */
  readonly activeKey: number | undefined;
  readonly antiReplay: 'time' | 'monotonic';
  /** Seconds that clocks may differ, 1..300. */
  readonly timeWindow: number;
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
}

export interface HmacKey {
  readonly id: number;
  /** Text or `hex:…`; `file:PATH` only where files are not read (a check away from the machine). A secret. */
  readonly secret: string;
}

export interface SyncGroupConfig {
  readonly name: string;
  readonly members: readonly string[];
  readonly notify: NotifyConfig;
  readonly trackScripts: readonly Track[];
  readonly trackInterfaces: readonly Track[];
  /** Default: none. */
  readonly trackChecks?: readonly Track[];
  /** Default: none. */
  readonly trackFiles?: readonly Track[];
  readonly trackProcesses?: readonly Track[];
  readonly trackBfds?: readonly Track[];
  /** sync_group_tracking_weight: weights work inside the group. Default false. */
  readonly trackWeights?: boolean;
}
