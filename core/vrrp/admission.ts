// The receive checks that need the configuration, between the codec and the router: is this well-formed advert for
// us, from whom it may come, under the right password? What it refuses never reaches a state machine. Pure.
import type { InstanceConfig, UnicastPeer } from '../config/model.ts';
import { familyOf, type IpAddress, ipBytes, isMulticast } from '../net/address.ts';
import type { Micros } from '../units.ts';
import { AUTH_DATA_LENGTH, AUTH_NONE, AUTH_PASS, type DecodedPacket, passData } from './packet.ts';
import { OWNER } from './priority.ts';
import type { Advertisement, DropReason } from './types.ts';

/** Accepted, yet worth a line in the log: two configurations differ, or the sender bends a rule. */
export type AdmissionWarning =
  /** Another set of addresses than ours (RFC 9568 §7.1: MAY log). */
  | 'address-list'
  /** v3: another interval than ours; we adopt it as BACKUP. */
  | 'interval-differs'
  /** IPv6: the first address should be link-local (RFC 9568 §5.2.9, erratum 8300). */
  | 'first-not-link-local'
  /** IPv6: the source should be link-local (RFC 9568 §5.1.2.1). */
  | 'source-not-link-local';

/** What the IP header said. */
export interface PacketOrigin {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** TTL or hop limit, 0..255. */
  readonly ttl: number;
}

/** What an instance accepts; made once from its configuration. */
export interface ReceiveRules {
  readonly version: 2 | 3;
  readonly interval: Micros;
  /** The 8 bytes of v2 PASS; undefined: type 0. */
  readonly authData: Uint8Array | undefined;
  /** Multicast: the group; undefined: unicast. */
  readonly group: IpAddress | undefined;
  /** Unicast: the TTL each peer's adverts may have. */
  readonly peers: ReadonlyMap<IpAddress, UnicastPeer>;
  readonly onlyPeers: boolean;
  readonly strictAddressList: boolean;
  readonly addresses: readonly IpAddress[];
}

export interface Admission {
  readonly ad: Advertisement;
  readonly warnings: readonly AdmissionWarning[];
}

/** RFC 9568 §5.1.1.3, §5.1.2.3: a multicast advert has crossed no router. */
const UNTOUCHED_TTL = 255;
const NO_WARNINGS: readonly AdmissionWarning[] = [];

export function receiveRules(config: InstanceConfig): ReceiveRules {
  const { transport, authentication } = config;
  const unicast = transport.mode === 'unicast';
  return {
    version: config.version,
    interval: config.interval,
    authData: authentication.type === 'PASS' ? passData(authentication.password) : undefined,
    group: unicast ? undefined : transport.group,
    peers: new Map(unicast ? transport.peers.map((peer) => [peer.address, peer]) : []),
    onlyPeers: config.checkUnicastSource,
    strictAddressList: config.strictAddressList,
    addresses: config.vips.map(({ address }) => address),
  };
}

/**
 * Judges a decoded advert whose VRID is this instance's (RFC 9568 §7.1, RFC 3768 §7.1).
 * @param ownSource the source address of our own adverts, if we have one
 */
export function admit(
  packet: DecodedPacket,
  origin: PacketOrigin,
  rules: ReceiveRules,
  ownSource: IpAddress | undefined,
): Admission | DropReason {
  const { ad } = packet;
  if (ad.version !== rules.version) return 'version';
  // RFC 9568 §5.2.5 with erratum 8299. Routers whose addresses a cloud moves list none, and must hear one another.
  if (ad.addresses.length === 0 && rules.addresses.length > 0) return 'count-zero';
  const refusal = refusePath(origin, rules, ownSource) ?? refusePassword(packet, rules);
  if (refusal !== undefined) return refusal;
  // RFC 3768 §7.1: MUST be the same. In v3 it is learned (RFC 9568 §6.4.2).
  if (ad.version === 2 && ad.interval !== rules.interval) return 'interval-mismatch';
  const listed = sameSet(ad.addresses, rules.addresses);
  // RFC 3768 §7.1 forgives the owner; RFC 9568 and keepalived from 2.3.3 on forgive all.
  if (!listed && rules.strictAddressList && !(ad.version === 2 && ad.priority === OWNER)) return 'address-list';
  return { ad, warnings: warningsOf(ad, origin.source, rules, listed) };
}

/** Where it came from and went to. */
function refusePath(
  { source, destination, ttl }: PacketOrigin,
  rules: ReceiveRules,
  ownSource: IpAddress | undefined,
): DropReason | undefined {
  if (rules.group === undefined ? isMulticast(destination) : destination !== rules.group) return 'destination';
  if (!canBeSource(source)) return 'source-illegal';
  if (source === ownSource) return 'source-own';
  if (rules.group !== undefined) return ttl === UNTOUCHED_TTL ? undefined : 'ttl';
  const peer = rules.peers.get(source);
  if (peer === undefined) return rules.onlyPeers ? 'source-unknown' : undefined;
  return ttl >= peer.minTtl && ttl <= peer.maxTtl ? undefined : 'ttl';
}

/** v2 authentication (RFC 2338 §5.3.6, §7.1); v3 has none. */
function refusePassword({ ad, authType, authData }: DecodedPacket, { authData: ours }: ReceiveRules) {
  if (ad.version === 3) return undefined;
  if (authType !== AUTH_NONE && authType !== AUTH_PASS) return 'auth-type';
  if (authType !== (ours ? AUTH_PASS : AUTH_NONE)) return 'auth-mismatch';
  return ours === undefined || (authData !== undefined && isEqual(ours, authData)) ? undefined : 'auth-failure';
}

/** Compares 8 bytes in a time that does not depend on where they differ. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < AUTH_DATA_LENGTH; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** No host's packet comes from "this network", loopback, multicast, reserved space or broadcast (RFC 1122 §3.2.1.3). */
function canBeSource(source: IpAddress): boolean {
  if (familyOf(source) === 6) return source !== '::' && source !== '::1' && !isMulticast(source);
  const first = ipBytes(source)[0]!;
  return first !== 0 && first !== 127 && first < 224;
}

/** Whether two lists hold the same addresses in whatever order. */
function sameSet(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  if (a.length !== b.length) return false;
  if (a.every((address, i) => address === b[i])) return true;
  const sorted = b.toSorted();
  return a.toSorted().every((address, i) => address === sorted[i]);
}

function warningsOf(ad: Advertisement, source: IpAddress, rules: ReceiveRules, listed: boolean) {
  const linkLocal = (address: IpAddress | undefined) => address !== undefined && /^fe[89ab].:/.test(address);
  const v6 = familyOf(source) === 6;
  const warnings: AdmissionWarning[] = [];
  if (!listed) warnings.push('address-list');
  if (ad.interval !== rules.interval) warnings.push('interval-differs');
  if (v6 && !linkLocal(ad.addresses[0])) warnings.push('first-not-link-local');
  if (v6 && !linkLocal(source)) warnings.push('source-not-link-local');
  return warnings.length === 0 ? NO_WARNINGS : warnings;
}
