// The receive checks that need the configuration, between the codec and the router: is this well-formed advert for
// us, from whom it may come, under the right password? What it refuses never reaches a state machine. Pure.
import type { InstanceConfig, UnicastPeer } from '../config/model.ts';
import { familyOf, type IpAddress, ipBytes, isMulticast } from '../net/address.ts';
import type { Micros } from '../units.ts';
import { readTrailer, TRAILER_LENGTH } from './hmac-trailer.ts';
import { startsEqual } from './mac.ts';
import { AUTH_AH, AUTH_NONE, AUTH_PASS, type ChecksumForm, type DecodedPacket, passData } from './packet.ts';
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
  | 'source-not-link-local'
  /** IPv4 multicast from an address that is in no network of our interface. */
  | 'source-off-subnet'
  /** A unicast peer counts the checksum with the group's address, as keepalived before 1.3.7; we answer alike. */
  | 'old-checksum'
  /** Of our own: the numbers under an authentication header are used up. */
  | 'sequence-exhausted';

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
  /** The 8 bytes of v2 PASS; undefined: type 0, or 2 behind an authentication header. */
  readonly authData: Uint8Array | undefined;
  /** v2: adverts come behind an authentication header, which was verified before. Default false. */
  readonly authenticationHeader?: boolean;
  /** v3 over IPv4: forms of the checksum that are taken. Default: all. */
  readonly checksumForms?: ReadonlySet<ChecksumForm>;
  /** What is worth a warning to others is refused here (vrrp_strict). Default false. */
  readonly strict?: boolean;
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
  /** What the checksum covered. */
  readonly checksumForm: ChecksumForm;
}

/** What this machine knows at the moment. */
export interface Here {
  /** The source address of our own adverts, if we have one. */
  readonly source: IpAddress | undefined;
  /** Whether an address is in a network of our interface; absent: nothing is known. */
  readonly isOnLink?: ((address: IpAddress) => boolean) | undefined;
}

/** Judges the signature behind an advert (auth_hmac; undefined: there is none): the reason to drop it, or undefined. */
export type SignatureCheck = (signed: Uint8Array | undefined, source: IpAddress) => DropReason | undefined;

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
    authenticationHeader: authentication.type === 'AH',
    checksumForms: checksumForms(config),
    strict: config.strict ?? false,
    group: unicast ? undefined : transport.group,
    peers: new Map(unicast ? transport.peers.map((peer) => [peer.address, peer]) : []),
    // Who signs for a unicast router is one of its peers.
    onlyPeers: config.checkUnicastSource || config.hmac !== undefined,
    strictAddressList: config.strictAddressList,
    addresses: config.vips.map(({ address }) => address),
  };
}

/** Both forms, and the old one of unicast unless it is turned off; in strict mode only the one that we send. */
function checksumForms(config: InstanceConfig): ReadonlySet<ChecksumForm> {
  if (config.strict) return new Set([ownForm(config)]);
  const old = config.transport.mode === 'unicast' && config.oldUnicastChecksum !== 'never';
  return new Set(['pseudo', 'message-only', ...(old ? ['old-unicast' as const] : [])]);
}

/** The form of the checksums that we send unless a peer is known to use another (v3 over IPv4). */
export function ownForm(config: InstanceConfig): ChecksumForm {
  if (config.family === 6) return 'pseudo';
  if (config.checksumWithoutPseudoHeader) return 'message-only';
  return config.transport.mode === 'unicast' && config.oldUnicastChecksum === 'always' ? 'old-unicast' : 'pseudo';
}

/**
 * Judges a decoded advert whose VRID is this instance's (RFC 9568 §7.1, RFC 3768 §7.1).
 * @param signature judges the signature; undefined: none is expected, and what is behind an advert is only looked at
 */
export function admit(
  packet: DecodedPacket,
  origin: PacketOrigin,
  rules: ReceiveRules,
  here: Here,
  signature?: SignatureCheck,
): Admission | DropReason {
  const { ad, checksumForm } = packet;
  if (ad.version !== rules.version) return 'version';
  // RFC 9568 §5.2.5 with erratum 8299. Routers whose addresses a cloud moves list none, and must hear one another.
  if (ad.addresses.length === 0 && rules.addresses.length > 0) return 'count-zero';
  const refusal =
    refusePath(origin, rules, here) ??
    refuseSignature(packet.signed, origin, signature) ??
    refuseChecksum(ad, checksumForm, rules) ??
    refusePassword(packet, rules);
  if (refusal !== undefined) return refusal;
  // RFC 3768 §7.1: MUST be the same. In v3 it is learned (RFC 9568 §6.4.2).
  if (ad.version === 2 && ad.interval !== rules.interval) return 'interval-mismatch';
  const listed = sameSet(ad.addresses, rules.addresses);
  // RFC 3768 §7.1 forgives the owner; RFC 9568 and keepalived from 2.3.3 on forgive all.
  if (!listed && (rules.strictAddressList || rules.strict) && !(ad.version === 2 && ad.priority === OWNER))
    return 'address-list';
  const warnings = warningsOf(packet, origin.source, rules, here, listed);
  if (rules.strict) {
    if (warnings.includes('first-not-link-local')) return 'address-list';
    if (warnings.includes('source-off-subnet')) return 'source-off-subnet';
  }
  return { ad, warnings, checksumForm };
}

/** What stands behind an advert that nobody needs to check must at least look like a signature. */
function refuseSignature(
  signed: Uint8Array | undefined,
  { source }: PacketOrigin,
  signature: SignatureCheck | undefined,
): DropReason | undefined {
  if (signature !== undefined) return signature(signed, source);
  if (signed === undefined) return undefined;
  return readTrailer(signed.subarray(signed.length - TRAILER_LENGTH)) ? undefined : 'length';
}

/** The codec has seen to those that know one form only: v2, and v3 over IPv6. */
function refuseChecksum({ version }: Advertisement, form: ChecksumForm, rules: ReceiveRules): DropReason | undefined {
  if (version === 2 || rules.checksumForms === undefined) return undefined;
  return rules.checksumForms.has(form) ? undefined : 'checksum';
}

/** Where it came from and went to. */
function refusePath(
  { source, destination, ttl }: PacketOrigin,
  rules: ReceiveRules,
  here: Here,
): DropReason | undefined {
  if (rules.group === undefined ? isMulticast(destination) : destination !== rules.group) return 'destination';
  if (!canBeSource(source)) return 'source-illegal';
  if (source === here.source) return 'source-own';
  if (rules.group !== undefined) return ttl === UNTOUCHED_TTL ? undefined : 'ttl';
  const peer = rules.peers.get(source);
  if (peer === undefined) return rules.onlyPeers ? 'source-unknown' : undefined;
  const least = peer.neighbourly && here.isOnLink?.(source) ? UNTOUCHED_TTL : peer.minTtl;
  return ttl >= least && ttl <= peer.maxTtl ? undefined : 'ttl';
}

/** v2 authentication (RFC 2338 §5.3.6, §7.1); v3 has none. */
function refusePassword({ ad, authType, authData }: DecodedPacket, rules: ReceiveRules): DropReason | undefined {
  if (ad.version === 3) return undefined;
  if (authType > AUTH_AH) return 'auth-type';
  if (authType !== (rules.authenticationHeader ? AUTH_AH : rules.authData ? AUTH_PASS : AUTH_NONE))
    return 'auth-mismatch';
  if (rules.authData === undefined) return undefined;
  return authData !== undefined && startsEqual(rules.authData, authData) ? undefined : 'auth-failure';
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

function warningsOf(
  { ad, checksumForm }: DecodedPacket,
  source: IpAddress,
  rules: ReceiveRules,
  here: Here,
  listed: boolean,
): readonly AdmissionWarning[] {
  const linkLocal = (address: IpAddress | undefined) => address !== undefined && /^fe[89ab].:/.test(address);
  const v6 = familyOf(source) === 6;
  const warnings: AdmissionWarning[] = [];
  if (!listed) warnings.push('address-list');
  if (ad.interval !== rules.interval) warnings.push('interval-differs');
  if (v6 && !linkLocal(ad.addresses[0])) warnings.push('first-not-link-local');
  if (v6 && !linkLocal(source)) warnings.push('source-not-link-local');
  if (!v6 && rules.group !== undefined && here.isOnLink?.(source) === false) warnings.push('source-off-subnet');
  if (checksumForm === 'old-unicast') warnings.push('old-checksum');
  return warnings.length === 0 ? NO_WARNINGS : warnings;
}
