// The link and address messages of NETLINK_ROUTE (rtnetlink(7), linux/rtnetlink.h, if_link.h, if_addr.h): what they say and how to ask.
// Knows neither sockets nor whose address is whose. Pure.
import { type Family, familyOf, formatIp, formatMac, type IpAddress, ipBytes, type MacAddress } from './address.ts';
import {
  buildMessage,
  forEachAttribute,
  host16,
  host32,
  hostInt32,
  NETLINK_HEADER_LENGTH,
  type NetlinkAttribute,
  type NetlinkRefusal,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  readNetlinkHeader,
  setHost32,
  u32,
} from './netlink.ts';

/** Message types (linux/rtnetlink.h). */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

/** Multicast groups of changes, as bits of sockaddr_nl.nl_groups (linux/rtnetlink.h). */
export const RTMGRP_LINK = 0x1;
export const RTMGRP_IPV4_IFADDR = 0x10;
export const RTMGRP_IPV6_IFADDR = 0x100;

/** Address families (sys/socket.h). */
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;

/** Device flags (linux/if.h). */
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;
const IFF_LOWER_UP = 0x10000;
/** Hardware type of Ethernet and of what looks like it (linux/if_arp.h). */
const ARPHRD_ETHER = 1;

/** Attributes of links (linux/if_link.h). */
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;

/** Attributes of addresses (linux/if_addr.h). */
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_PROTO = 11;

/** Address flags (linux/if_addr.h). */
export const IFA_F_SECONDARY = 0x01;
export const IFA_F_NODAD = 0x02;
export const IFA_F_DADFAILED = 0x08;
export const IFA_F_DEPRECATED = 0x20;
export const IFA_F_TENTATIVE = 0x40;
/** No finite lifetime. Set by the kernel. */
export const IFA_F_PERMANENT = 0x80;
export const IFA_F_NOPREFIXROUTE = 0x200;

/** What IFA_PROTO says of addresses that VRRP manages; keepalived uses the same number (RTPROT_KEEPALIVED of linux/rtnetlink.h). Linux 5.18. */
export const ADDRESS_PROTOCOL_VRRP = 18;

/** Longest label and interface name in bytes (IFNAMSIZ - 1). */
export const LABEL_LENGTH_MAX = 15;

/** An address lifetime: whole seconds 0..4294967294, or no end (0xffffffff on the wire). */
export type Lifetime = number | 'forever';
const INFINITY_LIFE_TIME = 0xffffffff;

/** A header fault; another message type or address family; an attribute that does not fit, is missing, or has an illegal value. */
export type RtnetlinkRefusal = NetlinkRefusal | 'type' | 'family' | 'attribute' | 'missing' | 'prefix' | 'value';

// struct ifinfomsg: family u8, pad u8, hardware type u16, index i32, flags u32, change mask u32
const LINK_FIXED_LENGTH = 16;

/** An interface as the kernel describes it. */
export interface LinkRecord {
  /** 1 and up. */
  readonly index: number;
  readonly name: string;
  /** The Ethernet address; undefined when the interface is not of that kind. */
  readonly mac: MacAddress | undefined;
  /** Bytes. */
  readonly mtu: number;
  /** IFF_UP: switched on. */
  readonly up: boolean;
  /** IFF_LOWER_UP: the driver sees a carrier. */
  readonly carrier: boolean;
  /** IFF_UP and IFF_RUNNING: can carry traffic. */
  readonly running: boolean;
  readonly loopback: boolean;
}

/** A link that exists, or one that has gone. */
export type LinkMessage =
  | { readonly type: 'link'; readonly link: LinkRecord }
  | { readonly type: 'link-gone'; readonly index: number; readonly name: string };

/** Asks for all links. */
export function linkDumpRequest(): Uint8Array {
  return buildMessage(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, new Uint8Array(LINK_FIXED_LENGTH), []);
}

/**
 * Decodes RTM_NEWLINK and RTM_DELLINK. Messages of another family than AF_UNSPEC are refused: the kernel sends RTM_DELLINK of
 * AF_BRIDGE when a port leaves its bridge, and the link lives on.
 */
export function decodeLink(message: Uint8Array): LinkMessage | RtnetlinkRefusal {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string') return header;
  if (header.type !== RTM_NEWLINK && header.type !== RTM_DELLINK) return 'type';
  if (header.length < NETLINK_HEADER_LENGTH + LINK_FIXED_LENGTH) return 'truncated';
  const fixed = NETLINK_HEADER_LENGTH;
  if (message[fixed] !== AF_UNSPEC) return 'family';
  const index = hostInt32(message, fixed + 4);
  const flags = host32(message, fixed + 8);
  let name: string | undefined;
  let hardware: Uint8Array | undefined;
  let mtu = 0;
  const walked = forEachAttribute(message.subarray(0, header.length), fixed + LINK_FIXED_LENGTH, (type, value) => {
    if (type === IFLA_IFNAME) name = readText(value);
    else if (type === IFLA_ADDRESS) hardware = value;
    else if (type === IFLA_MTU && value.length === 4) mtu = host32(value, 0);
  });
  if (walked !== 'ok') return walked;
  if (name === undefined) return 'missing';
  if (index < 1 || name === '') return 'value';
  if (header.type === RTM_DELLINK) return { type: 'link-gone', index, name };
  const ethernet = host16(message, fixed + 2) === ARPHRD_ETHER && hardware?.length === 6;
  return {
    type: 'link',
    link: {
      index,
      name,
      mac: ethernet ? formatMac(hardware!, 0) : undefined,
      mtu,
      up: (flags & IFF_UP) !== 0,
      carrier: (flags & IFF_LOWER_UP) !== 0,
      running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
      loopback: (flags & IFF_LOOPBACK) !== 0,
    },
  };
}

// struct ifaddrmsg: family u8, prefix length u8, flags u8, scope u8, interface index u32
const ADDRESS_FIXED_LENGTH = 8;
const ADDRESS_INDEX = NETLINK_HEADER_LENGTH + 4;
// Where the value of IFA_CACHEINFO begins: it goes out as the first attribute, so that it can be changed in place.
// struct ifa_cacheinfo: preferred u32, valid u32, created u32, updated u32
const CACHE_INFO = NETLINK_HEADER_LENGTH + ADDRESS_FIXED_LENGTH + 4;
const CACHE_INFO_LENGTH = 16;

/** An address of an interface as the kernel describes it. */
export interface AddressRecord {
  /** Index of the interface, 1 and up. */
  readonly index: number;
  readonly family: Family;
  /** IFA_LOCAL, or IFA_ADDRESS where there is no other. */
  readonly address: IpAddress;
  /** The other end of a point-to-point address; absent: none. */
  readonly peer?: IpAddress;
  /** 0..32 or 0..128. */
  readonly prefix: number;
  /** rt_scope: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** IFA_F_ bits, from IFA_FLAGS where present. */
  readonly flags: number;
  readonly label?: string;
  readonly broadcast?: IpAddress;
  /** IFA_PROTO: who added it; 0 when unknown, always so before Linux 5.18. */
  readonly protocol: number;
  readonly validLifetime: Lifetime;
  readonly preferredLifetime: Lifetime;
}

/** An address that exists, or one that has gone. */
export interface AddressMessage {
  readonly type: 'address' | 'address-gone';
  readonly address: AddressRecord;
}

/** What is added. The lifetime and the interface can be changed later with setLifetime and setInterface. */
export interface AddressRequest {
  readonly index: number;
  readonly address: IpAddress;
  readonly prefix: number;
  /** Ignored by the kernel for IPv6. */
  readonly scope: number;
  /** IFA_F_NODAD and IFA_F_NOPREFIXROUTE are ours to set. */
  readonly flags: number;
  /** IPv4 only, at most LABEL_LENGTH_MAX bytes. */
  readonly label?: string;
  readonly broadcast?: IpAddress;
  readonly peer?: IpAddress;
  readonly protocol: number;
  readonly validLifetime: Lifetime;
  readonly preferredLifetime: Lifetime;
}

/** `replace`: create it or give it a new lifetime and flags; `exclusive`: create it or fail with EEXIST. */
export type AddMode = 'replace' | 'exclusive';

const ADD_FLAGS: Readonly<Record<AddMode, number>> = {
  replace: NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
  exclusive: NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
};

/** RTM_NEWADDR that is acknowledged. @throws RangeError for a label that the kernel would refuse */
export function addAddressRequest(request: AddressRequest, mode: AddMode): Uint8Array {
  const attributes: NetlinkAttribute[] = [{ type: IFA_CACHEINFO, value: new Uint8Array(CACHE_INFO_LENGTH) }];
  attributes.push(...identity(request), { type: IFA_FLAGS, value: u32(request.flags) });
  if (request.label !== undefined) attributes.push({ type: IFA_LABEL, value: labelBytes(request.label) });
  if (request.broadcast !== undefined) attributes.push({ type: IFA_BROADCAST, value: ipBytes(request.broadcast) });
  attributes.push({ type: IFA_PROTO, value: Uint8Array.of(request.protocol) });
  const message = buildMessage(RTM_NEWADDR, ADD_FLAGS[mode], addressFixed(request), attributes);
  setLifetime(message, request.validLifetime, request.preferredLifetime);
  return message;
}

/**
 * RTM_DELADDR that is acknowledged. The kernel matches interface, address and prefix (and peer), not the label.
 * Removing a primary IPv4 address removes its secondaries too unless net.ipv4.conf.*.promote_secondaries is set.
 */
export function deleteAddressRequest(
  request: Pick<AddressRequest, 'index' | 'address' | 'prefix' | 'peer'>,
): Uint8Array {
  const fixed = addressFixed({ ...request, scope: 0, flags: 0 });
  return buildMessage(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, fixed, identity(request));
}

/** Asks for all addresses of one family, or of both. */
export function addressDumpRequest(family?: Family): Uint8Array {
  const fixed = new Uint8Array(ADDRESS_FIXED_LENGTH);
  fixed[0] = family === undefined ? AF_UNSPEC : family === 4 ? AF_INET : AF_INET6;
  return buildMessage(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, fixed, []);
}

/** Changes the lifetimes in a message made by addAddressRequest. The preferred one must not exceed the valid one. */
export function setLifetime(message: Uint8Array, valid: Lifetime, preferred: Lifetime): void {
  setHost32(message, CACHE_INFO, preferred === 'forever' ? INFINITY_LIFE_TIME : preferred);
  setHost32(message, CACHE_INFO + 4, valid === 'forever' ? INFINITY_LIFE_TIME : valid);
}

/** Changes the interface in a message made by addAddressRequest or deleteAddressRequest. */
export const setInterface = (message: Uint8Array, index: number): void => setHost32(message, ADDRESS_INDEX, index);

/** Decodes RTM_NEWADDR and RTM_DELADDR of IPv4 and IPv6. */
export function decodeAddress(message: Uint8Array): AddressMessage | RtnetlinkRefusal {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string') return header;
  if (header.type !== RTM_NEWADDR && header.type !== RTM_DELADDR) return 'type';
  if (header.length < NETLINK_HEADER_LENGTH + ADDRESS_FIXED_LENGTH) return 'truncated';
  const fixed = NETLINK_HEADER_LENGTH;
  const af = message[fixed];
  if (af !== AF_INET && af !== AF_INET6) return 'family';
  const family: Family = af === AF_INET ? 4 : 6;
  const size = family === 4 ? 4 : 16;
  const prefix = message[fixed + 1]!;
  if (prefix > size * 8) return 'prefix';
  const index = host32(message, ADDRESS_INDEX);
  if (index < 1 || index > 0x7fffffff) return 'value';

  let flags = message[fixed + 2]!;
  let prefixAddress: IpAddress | undefined;
  let local: IpAddress | undefined;
  let broadcast: IpAddress | undefined;
  let label: string | undefined;
  let protocol = 0;
  let valid: Lifetime = 'forever';
  let preferred: Lifetime = 'forever';
  let fits = true;
  const has = (value: Uint8Array, length: number) => {
    const enough = value.length === length;
    fits &&= enough;
    return enough;
  };
  const walked = forEachAttribute(message.subarray(0, header.length), fixed + ADDRESS_FIXED_LENGTH, (type, value) => {
    if (type === IFA_ADDRESS && has(value, size)) prefixAddress = formatIp(value, 0, size);
    else if (type === IFA_LOCAL && has(value, size)) local = formatIp(value, 0, size);
    else if (type === IFA_BROADCAST && has(value, size)) broadcast = formatIp(value, 0, size);
    else if (type === IFA_LABEL) label = readText(value);
    else if (type === IFA_FLAGS && has(value, 4)) flags = host32(value, 0);
    else if (type === IFA_PROTO && has(value, 1)) protocol = value[0]!;
    else if (type === IFA_CACHEINFO && has(value, CACHE_INFO_LENGTH)) {
      preferred = readLifetime(value, 0);
      valid = readLifetime(value, 4);
    }
  });
  if (walked !== 'ok') return walked;
  if (!fits) return 'attribute';
  const address = local ?? prefixAddress;
  if (address === undefined) return 'missing';
  const peer = prefixAddress !== undefined && prefixAddress !== address ? prefixAddress : undefined;
  return {
    type: header.type === RTM_NEWADDR ? 'address' : 'address-gone',
    address: {
      index,
      family,
      address,
      ...(peer !== undefined && { peer }),
      prefix,
      scope: message[fixed + 3]!,
      flags,
      ...(label !== undefined && { label }),
      ...(broadcast !== undefined && { broadcast }),
      protocol,
      validLifetime: valid,
      preferredLifetime: preferred,
    },
  };
}

function addressFixed(request: Pick<AddressRequest, 'index' | 'address' | 'prefix' | 'scope' | 'flags'>): Uint8Array {
  const fixed = new Uint8Array(ADDRESS_FIXED_LENGTH);
  fixed[0] = familyOf(request.address) === 4 ? AF_INET : AF_INET6;
  fixed[1] = request.prefix;
  fixed[2] = request.flags & 0xff;
  fixed[3] = request.scope;
  setHost32(fixed, 4, request.index);
  return fixed;
}

function identity({ address, peer }: Pick<AddressRequest, 'address' | 'peer'>): NetlinkAttribute[] {
  return [
    { type: IFA_LOCAL, value: ipBytes(address) },
    { type: IFA_ADDRESS, value: ipBytes(peer ?? address) },
  ];
}

/** A text with the NUL behind it that the kernel wants. */
function labelBytes(label: string): Uint8Array {
  const bytes = new TextEncoder().encode(label);
  if (bytes.length > LABEL_LENGTH_MAX) throw new RangeError(`label ${label} is longer than ${LABEL_LENGTH_MAX} bytes`);
  return Uint8Array.of(...bytes, 0);
}

/** A text up to its NUL, or to the end. */
function readText(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end === -1 ? value : value.subarray(0, end));
}

function readLifetime(value: Uint8Array, at: number): Lifetime {
  const lifetime = host32(value, at);
  return lifetime === INFINITY_LIFE_TIME ? 'forever' : lifetime;
}
