// What keepalived's dumps have in common, whatever their format: where the facts come from, and keepalived's words for
// states, addresses and commands. Pure. Compared with keepalived 2.2.7; see keepalived-json, -data and -stats.
import type { Command, Configuration, GlobalDefs } from '../config/model.ts';
import type { InstanceSnapshot } from '../engine/messages.ts';
import type { ScriptStatus } from '../health/script-status.ts';
import type { Micros } from '../units.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { DropReason, RouterState } from '../vrrp/types.ts';

export interface DumpSources {
  readonly config: Configuration;
  readonly snapshots: readonly InstanceSnapshot[];
  readonly scripts: readonly ScriptStatus[];
  /** A program as it is run: keepalived resolves symbolic links (`/bin/true` is `/usr/bin/true`). */
  readonly resolve: (program: string) => string;
}

/** Passwords in a dump: keepalived 2.2.7 writes them out, 2.4 this. */
export const REDACTED = '********';

/** keepalived has no LEAVING: the addresses still answer here, so it counts as MASTER. */
export function stateName(state: RouterState): 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT' {
  return state === 'LEAVING' ? 'MASTER' : state;
}

const NUMBERS = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const;
export const stateNumber = (state: RouterState): number => NUMBERS[stateName(state)];

/** The priority of the master last heeded; 0: none was. */
export function masterPriority({ master, peers }: InstanceSnapshot): number {
  if (master !== undefined) return master.priority;
  return peers.toSorted((a, b) => a.age - b.age)[0]?.priority ?? 0;
}

/** `'/usr/bin/chk' 'with space'` */
export function commandText({ argv }: Command, resolve: DumpSources['resolve']): string {
  const [program, ...rest] = argv;
  return [resolve(program!), ...rest].map((word) => `'${word}'`).join(' ');
}

const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' };

/** `192.0.2.100/24 dev eth0 scope global set`; `set`: this machine holds it. */
export function addressText(vip: VirtualIp, held: boolean): string {
  const { address, prefix, device, scope, label, broadcast, peer, noDad, noPrefixRoute, noTrack } = vip;
  const isV6 = address.includes(':');
  const words = [
    peer !== undefined || prefix === (isV6 ? 128 : 32) ? address : `${address}/${prefix}`,
    ...(broadcast ? [`brd ${broadcast}`] : []),
    `dev ${device}`,
    `scope ${SCOPES[scope] ?? scope}`,
    ...(label ? [`label ${label}`] : []),
    ...(peer ? [`peer ${peer}/${prefix}`] : []),
    ...(noDad ? ['nodad'] : []),
    ...(noPrefixRoute ? ['noprefixroute'] : []),
    ...(isV6 ? ['preferred_lft forever'] : []),
    ...(noTrack ? ['no_track'] : []),
    ...(held ? ['set'] : []),
  ];
  return words.join(' ');
}

/** Whether this machine holds an address of a virtual router. */
export function holds({ addresses }: InstanceSnapshot, { address, device }: VirtualIp): boolean {
  return addresses.some((entry) => entry.held && entry.address === address && entry.device === device);
}

/** With data_use_instance `/tmp/keepalived.json` is `/tmp/keepalived_NAMESPACE_INSTANCE.json`. */
export function dumpFile(path: string, { dataUseInstance, networkNamespace, instanceName }: GlobalDefs): string {
  if (!dataUseInstance) return path;
  const name = [networkNamespace, instanceName].flatMap((part) => (part === undefined ? [] : [`_${part}`])).join('');
  return path.replace(/(\.[^./]*)?$/, (extension) => name + extension);
}

export const secondsOf = (time: Micros): number => time / 1_000_000;

/** Counters that keepalived keeps and that here are reasons to drop a packet. */
export function errorsOf({ statistics: { drops } }: InstanceSnapshot) {
  const sum = (...reasons: readonly DropReason[]): number =>
    reasons.reduce((total, reason) => total + (drops[reason] ?? 0), 0);
  return {
    length: sum('truncated', 'length'),
    interval: sum('interval-mismatch'),
    ttl: sum('ttl'),
    type: sum('type'),
    addressList: sum('address-list'),
    authType: sum('auth-type'),
    authMismatch: sum('auth-mismatch'),
    authFailure: sum('auth-failure', 'auth-replay'),
    signature: {
      auth_ext_missing: sum('hmac-missing'),
      auth_ext_malformed: sum('hmac-malformed'),
      auth_ext_unknown_key: sum('hmac-unknown-key'),
      auth_ext_invalid_hmac: sum('hmac-bad'),
      auth_ext_stale: sum('hmac-stale'),
      auth_ext_replay: sum('hmac-replay'),
    },
  };
}

/** The instances of the configuration that the engine knows, in the order of the file. */
export function* instancesOf({ config, snapshots }: DumpSources) {
  for (const instance of config.instances) {
    const snapshot = snapshots.find(({ name }) => name === instance.name);
    if (snapshot !== undefined) yield { instance, snapshot };
  }
}
