// Neighbour advertisements (RFC 4861 §4.4) in whole Ethernet frames, and the unsolicited form that announces a moved address (§7.2.6).
// Solicitations and router messages are not handled here. Pure.
import { formatIp, formatMac, type IpAddress, ip, ipBytes, isMulticast, type MacAddress, macBytes } from './address.ts';
import { internetChecksum, ipv6PseudoHeaderSum } from './checksum.ts';
import {
  decodeEthernetHeader,
  ETHERNET_HEADER_LENGTH,
  type EthernetRefusal,
  EtherType,
  multicastMac,
  newEthernetFrame,
} from './ethernet.ts';
import { IPV6_HEADER_LENGTH, type Ipv6Refusal, parseIpv6Header, writeIpv6Header } from './ipv6.ts';

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |  type = 136   |   code = 0    |           checksum            |
//   +-+-+-+---------+---------------+-------------------------------+
//   |R|S|O|                        reserved                         |
//   +-+-+-+---------------------------------------------------------+
//   |                       target (16 bytes)                       |
//   +---------------+---------------+-------------------------------+
//   | option = 2    | length = 1    |  target link-layer address    |
//   +---------------+---------------+                               |
//   |                                                               |
//   +---------------------------------------------------------------+
const CHECKSUM = 2;
const FLAGS = 4;
const TARGET = 8;
const OPTIONS = 24;
const LINK_OPTION_LENGTH = 8;

/** Next header of ICMPv6 (RFC 4443 §1). */
export const ICMPV6 = 58;
const NEIGHBOUR_ADVERTISEMENT = 136;
const TARGET_LINK_LAYER = 2;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
/** Neighbour discovery is never forwarded: a lower hop limit comes from elsewhere (RFC 4861 §7.1.2). */
const HOP_LIMIT = 255;
const ALL_NODES = ip('ff02::1');

/** A neighbour advertisement in its Ethernet frame. */
export interface NeighbourAdvertisement {
  readonly ethernetDestination: MacAddress;
  readonly ethernetSource: MacAddress;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The sender is a router. */
  readonly router: boolean;
  /** It answers a solicitation. */
  readonly solicited: boolean;
  /** It overrides what caches hold. */
  readonly override: boolean;
  /** The address that is announced, never multicast. */
  readonly target: IpAddress;
  /** The target link-layer address option; absent: none. */
  readonly linkAddress?: MacAddress;
}

/** Each of the validity checks of RFC 4861 §7.1.2 has a name. */
export type NdiscRefusal =
  | EthernetRefusal
  | Ipv6Refusal
  | 'not-ipv6'
  | 'not-neighbour-advertisement'
  | 'hop-limit'
  | 'checksum'
  | 'code'
  | 'target'
  | 'option';

export function decodeNeighbourAdvertisement(frame: Uint8Array): NeighbourAdvertisement | NdiscRefusal {
  const ethernet = decodeEthernetHeader(frame);
  if (typeof ethernet === 'string') return ethernet;
  if (ethernet.type !== EtherType.IPV6) return 'not-ipv6';
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
  const header = parseIpv6Header(packet);
  if (typeof header === 'string') return header;
  const message = packet.subarray(IPV6_HEADER_LENGTH, IPV6_HEADER_LENGTH + header.payloadLength);
  if (header.nextHeader !== ICMPV6 || message[0] !== NEIGHBOUR_ADVERTISEMENT) return 'not-neighbour-advertisement';
  if (message.length < OPTIONS) return 'truncated';
  if (header.hopLimit !== HOP_LIMIT) return 'hop-limit';
  const pseudo = ipv6PseudoHeaderSum(header.source, header.destination, ICMPV6, message.length);
  if (internetChecksum(message, 0, message.length, pseudo) !== 0) return 'checksum';
  if (message[1] !== 0) return 'code';
  const target = formatIp(message, TARGET, 16);
  const flags = message[FLAGS]!;
  const solicited = (flags & SOLICITED) !== 0;
  if (isMulticast(target) || (solicited && isMulticast(header.destination))) return 'target';
  const linkAddress = readLinkOption(message);
  if (linkAddress === 'option') return 'option';
  return {
    ethernetDestination: ethernet.destination,
    ethernetSource: ethernet.source,
    source: header.source,
    destination: header.destination,
    router: (flags & ROUTER) !== 0,
    solicited,
    override: (flags & OVERRIDE) !== 0,
    target,
    ...(linkAddress && { linkAddress }),
  };
}

/** The frame of an advertisement: 86 bytes with the link-layer option, 78 without. */
export function encodeNeighbourAdvertisement(na: NeighbourAdvertisement): Uint8Array {
  const length = OPTIONS + (na.linkAddress ? LINK_OPTION_LENGTH : 0);
  const frame = newEthernetFrame(
    { destination: na.ethernetDestination, source: na.ethernetSource, type: EtherType.IPV6 },
    IPV6_HEADER_LENGTH + length,
  );
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
  const { source, destination } = na;
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: ICMPV6, hopLimit: HOP_LIMIT, source, destination };
  writeIpv6Header(packet, header, length);
  const message = packet.subarray(IPV6_HEADER_LENGTH);
  message[0] = NEIGHBOUR_ADVERTISEMENT;
  message[FLAGS] = (na.router ? ROUTER : 0) | (na.solicited ? SOLICITED : 0) | (na.override ? OVERRIDE : 0);
  message.set(ipBytes(na.target), TARGET);
  if (na.linkAddress) {
    message[OPTIONS] = TARGET_LINK_LAYER;
    message[OPTIONS + 1] = 1;
    message.set(macBytes(na.linkAddress), OPTIONS + 2);
  }
  const checksum = internetChecksum(message, 0, length, ipv6PseudoHeaderSum(source, destination, ICMPV6, length));
  message[CHECKSUM] = checksum >> 8;
  message[CHECKSUM + 1] = checksum & 0xff;
  return frame;
}

/**
 * The advertisement to all nodes that tells a LAN that `address` is at `mac` now (RFC 9568 §6.4.2): override set, sent from
 * the address itself, as keepalived and FRR do.
 * @param router whether this machine forwards packets; FRR and the RFC always set the flag, keepalived follows the sysctl
 */
export function unsolicitedNeighbourAdvertisement(mac: MacAddress, address: IpAddress, router: boolean): Uint8Array {
  return encodeNeighbourAdvertisement({
    ethernetDestination: multicastMac(ALL_NODES),
    ethernetSource: mac,
    source: address,
    destination: ALL_NODES,
    router,
    solicited: false,
    override: true,
    target: address,
    linkAddress: mac,
  });
}

/** The target link-layer address among the options; other options are skipped, one of length 0 or beyond the end is refused. */
function readLinkOption(message: Uint8Array): MacAddress | undefined | 'option' {
  let found: MacAddress | undefined;
  for (let at = OPTIONS; at < message.length; ) {
    const length = (message[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > message.length) return 'option';
    if (message[at] === TARGET_LINK_LAYER) {
      if (length !== LINK_OPTION_LENGTH) return 'option';
      found ??= formatMac(message, at + 2);
    }
    at += length;
  }
  return found;
}
