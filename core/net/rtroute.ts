// The route messages of NETLINK_ROUTE (rtnetlink(7), linux/rtnetlink.h, lwtunnel.h): to add and remove a route, and what a
// notice says of one. Interfaces are numbers here; who knows their names is the caller. Pure.
import { type Family, familyOf, formatIp, type IpAddress, ipBytes } from './address.ts';
import {
  align,
  buildMessage,
  forEachAttribute,
  host32,
  NETLINK_HEADER_LENGTH,
  type NetlinkAttribute,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  readNetlinkHeader,
  setHost16,
  setHost32,
  u32,
} from './netlink.ts';
import { type Encapsulation, type NextHop, ROUTE_METRICS, ROUTE_TYPES, type Route, type RouteMode } from './route.ts';
import type { RtnetlinkRefusal } from './rtnetlink.ts';

/** Message types (linux/rtnetlink.h). */
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;

/** Multicast groups of route changes, as bits of sockaddr_nl.nl_groups. */
export const RTMGRP_IPV4_ROUTE = 0x40;
export const RTMGRP_IPV6_ROUTE = 0x400;

const AF_INET = 2;
const AF_INET6 = 10;

/** Attributes (linux/rtnetlink.h). */
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_FLOW = 11;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_PREF = 20;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const RTA_EXPIRES = 23;
const RTA_TTL_PROPAGATE = 26;
const RTA_NH_ID = 30;

const RTAX_LOCK = 1;
const RTNH_F_ONLINK = 4;
const NLA_F_NESTED = 0x8000;
/** In the one-byte table of the fixed part: the number is in RTA_TABLE. */
const RT_TABLE_UNSPEC = 0;
/** In a request to delete: any scope. */
const SCOPE_NOWHERE = 255;

// struct rtmsg: family u8, destination length u8, source length u8, tos u8, table u8, protocol u8, scope u8, type u8, flags u32
const FIXED_LENGTH = 12;
// struct rtnexthop: length u16, flags u8, weight - 1 u8, interface i32
const HOP_LENGTH = 8;

/** The number of an interface; undefined: there is none of this name. */
export type IndexOf = (device: string) => number | undefined;

/** A route names an interface that is not there. */
export interface MissingDevice {
  readonly missing: string;
}

const MODE_FLAGS: Readonly<Record<RouteMode, number>> = {
  prepend: NLM_F_CREATE,
  append: NLM_F_CREATE | NLM_F_APPEND,
  add: NLM_F_CREATE | NLM_F_EXCL,
};

/** RTM_NEWROUTE that is acknowledged. */
export const addRouteRequest = (route: Route, indexOf: IndexOf): Uint8Array | MissingDevice =>
  routeRequest(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | MODE_FLAGS[route.mode], route, indexOf);

/**
 * RTM_NEWROUTE for each next hop by itself: an IPv6 route takes what it lacks of them and refuses the others with EEXIST. (The
 * kernel removes its next hops one by one, and adds none of a list whose first one is there.)
 */
export const addHopRequests = (route: Route, indexOf: IndexOf): readonly (Uint8Array | MissingDevice)[] =>
  route.hops.map((hop) =>
    routeRequest(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, { ...route, hops: [hop] }, indexOf, true),
  );

/** RTM_DELROUTE that is acknowledged: of exactly this route, with this protocol. */
export const deleteRouteRequest = (route: Route, indexOf: IndexOf): Uint8Array | MissingDevice =>
  routeRequest(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, route, indexOf);

function routeRequest(
  type: number,
  flags: number,
  route: Route,
  indexOf: IndexOf,
  listed = route.hops.length > 1,
): Uint8Array | MissingDevice {
  const missing = route.hops.find(({ device }) => device !== undefined && indexOf(device) === undefined)?.device;
  if (missing !== undefined) return { missing };
  const deleting = type === RTM_DELROUTE;
  const fixed = new Uint8Array(FIXED_LENGTH);
  fixed[0] = route.family === 4 ? AF_INET : AF_INET6;
  fixed[1] = route.prefix;
  fixed[2] = route.from?.prefix ?? 0;
  fixed[3] = route.tos;
  fixed[4] = route.table < 256 ? route.table : RT_TABLE_UNSPEC;
  fixed[5] = route.protocol;
  fixed[6] = deleting && route.family === 6 ? SCOPE_NOWHERE : route.scope;
  fixed[7] = ROUTE_TYPES[route.type];
  const single = listed ? undefined : route.hops[0];
  if (single?.onlink) setHost32(fixed, 8, RTNH_F_ONLINK);
  const attributes: NetlinkAttribute[] = [{ type: RTA_DST, value: ipBytes(route.destination) }];
  const add = (attribute: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) attributes.push({ type: attribute, value });
  };
  const number = (value: number | undefined): Uint8Array | undefined => (value === undefined ? undefined : u32(value));
  if (route.from !== undefined) add(RTA_SRC, ipBytes(route.from.address));
  add(RTA_TABLE, u32(route.table));
  add(RTA_PRIORITY, number(route.metric));
  if (route.preferredSource !== undefined) add(RTA_PREFSRC, ipBytes(route.preferredSource));
  add(RTA_FLOW, number(route.realms));
  if (single !== undefined) {
    add(RTA_OIF, number(single.device === undefined ? undefined : indexOf(single.device)));
    attributes.push(...hopAttributes(single, route.family));
  } else if (listed) add(RTA_MULTIPATH, hopsBytes(route, indexOf));
  add(RTA_METRICS, metricsBytes(route));
  if (!deleting) {
    add(RTA_EXPIRES, number(route.expires));
    if (route.preference !== undefined) add(RTA_PREF, Uint8Array.of(PREFERENCES[route.preference]));
    if (route.ttlPropagate !== undefined) add(RTA_TTL_PROPAGATE, Uint8Array.of(route.ttlPropagate ? 1 : 0));
  }
  add(RTA_NH_ID, number(route.nextHopId));
  return buildMessage(type, flags, fixed, attributes);
}

/** Two bits, signed (RFC 4191 section 2.1). */
const PREFERENCES = { low: 3, medium: 0, high: 1 } as const;

/** Gateway, realms and encapsulation of a next hop. */
function hopAttributes({ gateway, realms, encapsulation }: NextHop, family: Family): NetlinkAttribute[] {
  const attributes: NetlinkAttribute[] = [];
  if (gateway !== undefined && familyOf(gateway) === family)
    attributes.push({ type: RTA_GATEWAY, value: ipBytes(gateway) });
  else if (gateway !== undefined) {
    // struct rtvia: family u16, address
    const address = ipBytes(gateway);
    const value = new Uint8Array(2 + address.length);
    setHost16(value, 0, familyOf(gateway) === 4 ? AF_INET : AF_INET6);
    value.set(address, 2);
    attributes.push({ type: RTA_VIA, value });
  }
  if (realms !== undefined) attributes.push({ type: RTA_FLOW, value: u32(realms) });
  if (encapsulation !== undefined) {
    attributes.push({ type: RTA_ENCAP_TYPE, value: u16(ENCAPSULATIONS[encapsulation.type]) });
    attributes.push({ type: RTA_ENCAP | NLA_F_NESTED, value: attributeBytes(encapsulationAttributes(encapsulation)) });
  }
  return attributes;
}

function hopsBytes({ hops, family }: Route, indexOf: IndexOf): Uint8Array {
  return joined(
    hops.map((hop) => {
      const attributes = attributeBytes(hopAttributes(hop, family));
      const bytes = new Uint8Array(HOP_LENGTH + attributes.length);
      setHost16(bytes, 0, bytes.length);
      bytes[2] = hop.onlink ? RTNH_F_ONLINK : 0;
      bytes[3] = hop.weight - 1;
      setHost32(bytes, 4, hop.device === undefined ? 0 : indexOf(hop.device)!);
      bytes.set(attributes, HOP_LENGTH);
      return bytes;
    }),
  );
}

function metricsBytes({ metrics }: Route): Uint8Array | undefined {
  if (metrics.length === 0) return undefined;
  const attributes: NetlinkAttribute[] = metrics.map(({ metric, value }) => ({
    type: ROUTE_METRICS[metric],
    value: typeof value === 'number' ? u32(value) : nulEnded(value),
  }));
  const locks = metrics.reduce((bits, { metric, lock }) => bits | (lock ? 1 << ROUTE_METRICS[metric] : 0), 0);
  if (locks !== 0) attributes.push({ type: RTAX_LOCK, value: u32(locks) });
  return attributeBytes(attributes);
}

/** LWTUNNEL_ENCAP_ numbers of linux/lwtunnel.h. */
const ENCAPSULATIONS = { mpls: 1, ip: 2, ila: 3, ip6: 4 } as const;

function encapsulationAttributes(encapsulation: Encapsulation): NetlinkAttribute[] {
  switch (encapsulation.type) {
    case 'mpls': {
      // MPLS_IPTUNNEL_DST, _TTL of linux/mpls_iptunnel.h
      const { labels, ttl } = encapsulation;
      const stack = { type: 1, value: joined(labels.map((label, i) => labelBytes(label, i === labels.length - 1))) };
      return ttl === 0 ? [stack] : [stack, { type: 2, value: Uint8Array.of(ttl) }];
    }
    case 'ila':
      return [{ type: 1, value: Uint8Array.from(encapsulation.locator) }];
    case 'ip':
    case 'ip6': {
      // LWTUNNEL_IP_ID, _DST, _SRC, _TTL, _TOS, _FLAGS; LWTUNNEL_IP6_HOPLIMIT and _TC have the same numbers as TTL and TOS
      const { id, source, destination, tos, ttl, flags } = encapsulation;
      const attributes: NetlinkAttribute[] = [];
      if (id !== undefined) attributes.push({ type: 1, value: networkU64(id) });
      if (destination !== undefined) attributes.push({ type: 2, value: ipBytes(destination) });
      if (source !== undefined) attributes.push({ type: 3, value: ipBytes(source) });
      if (ttl !== undefined) attributes.push({ type: 4, value: Uint8Array.of(ttl) });
      if (tos !== undefined) attributes.push({ type: 5, value: Uint8Array.of(tos) });
      if (flags !== undefined) attributes.push({ type: 6, value: Uint8Array.of(flags >> 8, flags & 0xff) });
      return attributes;
    }
  }
}

/** A label stack entry (RFC 3032 section 2.1): label 20 bits, class 3 bits, bottom of stack, TTL. */
const labelBytes = (label: number, bottom: boolean): Uint8Array =>
  Uint8Array.of(label >> 12, (label >> 4) & 0xff, ((label & 0xf) << 4) | (bottom ? 1 : 0), 0);

/** What a notice says of a route: as much as tells one of ours. */
export interface RouteRecord {
  readonly family: Family;
  readonly type: number;
  readonly destination: IpAddress;
  readonly prefix: number;
  readonly table: number;
  readonly protocol: number;
  readonly tos: number;
  /** As the kernel has it: 0 for IPv4 and 1024 for IPv6 where nothing was said. */
  readonly metric: number;
}

/** Decodes RTM_NEWROUTE and RTM_DELROUTE of IPv4 and IPv6. */
export function decodeRoute(
  message: Uint8Array,
): { readonly type: 'route' | 'route-gone'; readonly route: RouteRecord } | RtnetlinkRefusal {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string') return header;
  if (header.type !== RTM_NEWROUTE && header.type !== RTM_DELROUTE) return 'type';
  if (header.length < NETLINK_HEADER_LENGTH + FIXED_LENGTH) return 'truncated';
  const fixed = NETLINK_HEADER_LENGTH;
  const af = message[fixed];
  if (af !== AF_INET && af !== AF_INET6) return 'family';
  const family: Family = af === AF_INET ? 4 : 6;
  const size = family === 4 ? 4 : 16;
  const prefix = message[fixed + 1]!;
  if (prefix > size * 8) return 'prefix';
  let destination: IpAddress | undefined;
  let table = message[fixed + 4]!;
  let metric = 0;
  let fits = true;
  const walked = forEachAttribute(message.subarray(0, header.length), fixed + FIXED_LENGTH, (type, value) => {
    if (type === RTA_DST) {
      if (value.length === size) destination = formatIp(value, 0, size);
      else fits = false;
    } else if (type === RTA_TABLE && value.length === 4) table = host32(value, 0);
    else if (type === RTA_PRIORITY && value.length === 4) metric = host32(value, 0);
  });
  if (walked !== 'ok') return walked;
  if (!fits) return 'attribute';
  return {
    type: header.type === RTM_NEWROUTE ? 'route' : 'route-gone',
    route: {
      family,
      type: message[fixed + 7]!,
      destination: destination ?? formatIp(new Uint8Array(size), 0, size),
      prefix,
      table,
      protocol: message[fixed + 5]!,
      tos: message[fixed + 3]!,
      metric,
    },
  };
}

function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  setHost16(bytes, 0, value);
  return bytes;
}

/** A 64-bit number in network order. @param text decimal */
export function networkU64(text: string): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(text)));
  return bytes;
}

/** A text with the NUL behind it that the kernel wants. */
export const nulEnded = (text: string): Uint8Array => Uint8Array.of(...new TextEncoder().encode(text), 0);

/** Attributes one behind the other, each padded: the value of a nested one. */
function attributeBytes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  return joined(
    attributes.map(({ type, value }) => {
      const bytes = new Uint8Array(align(4 + value.length));
      setHost16(bytes, 0, 4 + value.length);
      setHost16(bytes, 2, type);
      bytes.set(value, 4);
      return bytes;
    }),
  );
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
