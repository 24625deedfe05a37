// Link messages of NETLINK_ROUTE that make, set and remove interfaces above another one (linux/if_link.h): macvlan, ipvlan,
// and the IPv4 settings of any interface. Knows neither why nor which. Pure.
import { formatMac, type MacAddress, macBytes } from './address.ts';
import {
  buildMessage,
  forEachAttribute,
  host32,
  hostInt32,
  NETLINK_HEADER_LENGTH,
  type NetlinkAttribute,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  readNetlinkHeader,
  setHost16,
  setHost32,
  u32,
} from './netlink.ts';
import { RTM_DELLINK, RTM_NEWLINK } from './rtnetlink.ts';

const RTM_SETLINK = 19;

// struct ifinfomsg: family u8, pad u8, hardware type u16, index i32, flags u32, change mask u32
const FIXED_LENGTH = 16;
const INDEX = 4;
const DEVICE_FLAGS = 8;
const CHANGE = 12;
const IFF_UP = 0x1;

const AF_INET = 2;
const AF_INET6 = 10;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const IFLA_IPVLAN_MODE = 1;
const IFLA_IPVLAN_FLAGS = 2;
const IFLA_INET_CONF = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;

/** Attributes on the way to the kernel carry this where they hold attributes (NLA_F_NESTED). */
const NESTED = 0x8000;
/** MACVLAN_MODE_PRIVATE: the macvlans of one interface do not hear one another. */
const MACVLAN_PRIVATE = 1;
const IPVLAN_L2 = 0;
/** IPVLAN_F_PRIVATE, IPVLAN_F_VEPA. */
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;
const ADDR_GEN_MODE_NONE = 1;

/** Longest name of an interface in bytes (IFNAMSIZ - 1). */
export const LINK_NAME_MAX = 15;
/** Longest alias in bytes (IFALIASZ - 1). */
export const LINK_ALIAS_MAX = 255;

/** IPv4 settings of an interface by their names in /proc/sys/net/ipv4/conf, with the kernel's numbers (linux/ip.h). */
export const IPV4_SETTINGS = { rp_filter: 8, arp_filter: 13, arp_announce: 18, arp_ignore: 19 } as const;
export type Ipv4Setting = keyof typeof IPV4_SETTINGS;
export type Ipv4Settings = Readonly<Partial<Record<Ipv4Setting, number>>>;

/** An interface to be made above another one. */
export type LinkAbove = {
  readonly name: string;
  /** Index of the interface below. */
  readonly parent: number;
  /** Number of the interface group; absent: 0. */
  readonly group?: number;
} & (
  | { readonly kind: 'macvlan'; readonly mac: MacAddress }
  | { readonly kind: 'ipvlan'; readonly mode: keyof typeof IPVLAN_FLAGS }
);

/** RTM_NEWLINK that makes it, switched off; fails with EEXIST when the name is taken. @throws RangeError for a name that is too long */
export function createLinkRequest(link: LinkAbove): Uint8Array {
  const data =
    link.kind === 'macvlan'
      ? nest(IFLA_INFO_DATA, [{ type: IFLA_MACVLAN_MODE, value: u32(MACVLAN_PRIVATE) }])
      : nest(IFLA_INFO_DATA, [
          { type: IFLA_IPVLAN_MODE, value: u16(IPVLAN_L2) },
          { type: IFLA_IPVLAN_FLAGS, value: u16(IPVLAN_FLAGS[link.mode]) },
        ]);
  const attributes: NetlinkAttribute[] = [
    { type: IFLA_LINK, value: u32(link.parent) },
    { type: IFLA_IFNAME, value: nameBytes(link.name) },
    nest(IFLA_LINKINFO, [{ type: IFLA_INFO_KIND, value: text(link.kind) }, data]),
  ];
  if (link.kind === 'macvlan') attributes.push({ type: IFLA_ADDRESS, value: macBytes(link.mac) });
  if (link.group !== undefined) attributes.push({ type: IFLA_GROUP, value: u32(link.group) });
  return buildMessage(RTM_NEWLINK, CREATE, new Uint8Array(FIXED_LENGTH), attributes);
}

/** A remark on an interface, which lives as long as it. Ignored in the message that makes it. */
export const aliasRequest = (name: string, alias: string): Uint8Array =>
  setRequest(name, [{ type: IFLA_IFALIAS, value: new TextEncoder().encode(alias.slice(0, LINK_ALIAS_MAX)) }]);

/** No IPv6 link-local address of its own. Refused in the message that makes the interface (EAFNOSUPPORT). */
export const noGeneratedAddressRequest = (name: string): Uint8Array =>
  setRequest(name, [
    nest(IFLA_AF_SPEC, [
      nest(AF_INET6, [{ type: IFLA_INET6_ADDR_GEN_MODE, value: Uint8Array.of(ADDR_GEN_MODE_NONE) }]),
    ]),
  ]);

/** Sets what /proc/sys/net/ipv4/conf/NAME would, also where that is mounted read-only. */
export function ipv4SettingsRequest(name: string, settings: Ipv4Settings): Uint8Array {
  const values = Object.entries(settings).map(([setting, value]) => ({
    type: IPV4_SETTINGS[setting as Ipv4Setting],
    value: u32(value),
  }));
  return setRequest(name, [nest(IFLA_AF_SPEC, [nest(AF_INET, [nest(IFLA_INET_CONF, values)])])]);
}

/** Switches an interface on. */
export function switchOnRequest(name: string): Uint8Array {
  const message = setRequest(name, []);
  setHost32(message, NETLINK_HEADER_LENGTH + DEVICE_FLAGS, IFF_UP);
  setHost32(message, NETLINK_HEADER_LENGTH + CHANGE, IFF_UP);
  return message;
}

/** Puts an interface into a group, so that `deleteGroupRequest` reaches it. */
export const regroupRequest = (index: number, group: number): Uint8Array =>
  buildMessage(RTM_SETLINK, CHANGE_FLAGS, fixed(index), [{ type: IFLA_GROUP, value: u32(group) }]);

/** RTM_DELLINK of all interfaces of a group at once: the kernel waits for its readers once, and not for each. */
export const deleteGroupRequest = (group: number): Uint8Array =>
  buildMessage(RTM_DELLINK, CHANGE_FLAGS, fixed(0), [{ type: IFLA_GROUP, value: u32(group) }]);

/** What an interface above another one is, and how IPv4 is set on any interface. */
export interface LinkDetails {
  readonly index: number;
  readonly name: string;
  /** Index of the interface below; undefined: there is none. */
  readonly parent: number | undefined;
  readonly mac: MacAddress | undefined;
  readonly alias: string;
  /** 'macvlan', 'veth' …; empty: hardware. */
  readonly kind: string;
  readonly group: number;
  readonly up: boolean;
  /** Those of IPV4_SETTINGS that the kernel told. */
  readonly ipv4: Ipv4Settings;
}

/** Reads RTM_NEWLINK; undefined for anything else and for what is malformed. */
export function readLinkDetails(message: Uint8Array): LinkDetails | undefined {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string' || header.type !== RTM_NEWLINK) return undefined;
  if (header.length < NETLINK_HEADER_LENGTH + FIXED_LENGTH || message[NETLINK_HEADER_LENGTH] !== 0) return undefined;
  let name = '';
  let alias = '';
  let kind = '';
  let parent: number | undefined;
  let mac: MacAddress | undefined;
  let group = 0;
  let ipv4: Ipv4Settings = {};
  const start = NETLINK_HEADER_LENGTH + FIXED_LENGTH;
  const walked = forEachAttribute(message.subarray(0, header.length), start, (type, value) => {
    if (type === IFLA_IFNAME) name = untilNul(value);
    else if (type === IFLA_IFALIAS) alias = untilNul(value);
    else if (type === IFLA_LINK && value.length === 4) parent = host32(value, 0);
    else if (type === IFLA_ADDRESS && value.length === 6) mac = formatMac(value, 0);
    else if (type === IFLA_GROUP && value.length === 4) group = host32(value, 0);
    else if (type === IFLA_LINKINFO)
      forEachAttribute(value, 0, (inner, text) => {
        if (inner === IFLA_INFO_KIND) kind = untilNul(text);
      });
    else if (type === IFLA_AF_SPEC) ipv4 = readIpv4Settings(value);
  });
  if (walked !== 'ok' || name === '') return undefined;
  const index = hostInt32(message, NETLINK_HEADER_LENGTH + INDEX);
  const up = (host32(message, NETLINK_HEADER_LENGTH + DEVICE_FLAGS) & IFF_UP) !== 0;
  return { index, name, parent, mac, alias, kind, group, up, ipv4 };
}

/** IFLA_AF_SPEC → AF_INET → IFLA_INET_CONF: all settings as an array of u32, the first being number 1. */
function readIpv4Settings(specification: Uint8Array): Ipv4Settings {
  const found: Partial<Record<Ipv4Setting, number>> = {};
  forEachAttribute(specification, 0, (family, inner) => {
    if (family !== AF_INET) return;
    forEachAttribute(inner, 0, (type, values) => {
      if (type !== IFLA_INET_CONF) return;
      for (const [name, number] of Object.entries(IPV4_SETTINGS) as [Ipv4Setting, number][])
        if (values.length >= number * 4) found[name] = host32(values, (number - 1) * 4);
    });
  });
  return found;
}

const CREATE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
const CHANGE_FLAGS = NLM_F_REQUEST | NLM_F_ACK;

/** RTM_SETLINK by name: whoever has just asked for an interface does not know its index yet. */
const setRequest = (name: string, attributes: readonly NetlinkAttribute[]): Uint8Array =>
  buildMessage(RTM_SETLINK, CHANGE_FLAGS, new Uint8Array(FIXED_LENGTH), [
    { type: IFLA_IFNAME, value: nameBytes(name) },
    ...attributes,
  ]);

function fixed(index: number): Uint8Array {
  const bytes = new Uint8Array(FIXED_LENGTH);
  setHost32(bytes, INDEX, index);
  return bytes;
}

/** An attribute that holds attributes. */
function nest(type: number, attributes: readonly NetlinkAttribute[]): NetlinkAttribute {
  const message = buildMessage(0, 0, new Uint8Array(0), attributes);
  return { type: type | NESTED, value: message.subarray(NETLINK_HEADER_LENGTH) };
}

function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  setHost16(bytes, 0, value);
  return bytes;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);

function nameBytes(name: string): Uint8Array {
  const bytes = text(name);
  if (bytes.length - 1 > LINK_NAME_MAX)
    throw new RangeError(`interface name ${name} is longer than ${LINK_NAME_MAX} bytes`);
  return bytes;
}

function untilNul(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end === -1 ? value : value.subarray(0, end));
}
