// The rule messages of NETLINK_ROUTE (linux/fib_rules.h): to add and remove a routing rule, and what a notice says of one. Pure.
import { type Family, ipBytes } from './address.ts';
import {
  buildMessage,
  forEachAttribute,
  host32,
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
import type { NumberRange, Rule, RuleAction } from './route.ts';
import type { RtnetlinkRefusal } from './rtnetlink.ts';
import { networkU64, nulEnded } from './rtroute.ts';

/** Message types (linux/rtnetlink.h). */
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;

/** Multicast groups of rule changes, as bits of sockaddr_nl.nl_groups; of the second the header knows the number 19 only. */
export const RTMGRP_IPV4_RULE = 0x80;
export const RTMGRP_IPV6_RULE = 0x40000;

const AF_INET = 2;
const AF_INET6 = 10;

/** Attributes (linux/fib_rules.h). */
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_GOTO = 4;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_FLOW = 11;
const FRA_TUN_ID = 12;
const FRA_SUPPRESS_IFGROUP = 13;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_PROTOCOL = 21;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;

const FIB_RULE_INVERT = 2;
/** FR_ACT_ numbers. */
const ACTIONS: Readonly<Record<RuleAction['type'], number>> = {
  table: 1,
  l3mdev: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
};

// struct fib_rule_hdr: family u8, destination length u8, source length u8, tos u8, table u8, 2 reserved, action u8, flags u32
const FIXED_LENGTH = 12;

/** RTM_NEWRULE that is acknowledged; fails with EEXIST where there is the same one. */
export const addRuleRequest = (rule: Rule): Uint8Array =>
  ruleRequest(RTM_NEWRULE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, rule);

/**
 * RTM_DELRULE that is acknowledged. The kernel removes the first rule that has everything that is said here: a more special
 * one of the same preference, table and protocol can be meant by mistake.
 */
export const deleteRuleRequest = (rule: Rule): Uint8Array => ruleRequest(RTM_DELRULE, NLM_F_REQUEST | NLM_F_ACK, rule);

function ruleRequest(type: number, flags: number, rule: Rule): Uint8Array {
  const { action } = rule;
  const table = action.type === 'table' ? action.table : 0;
  const fixed = new Uint8Array(FIXED_LENGTH);
  fixed[0] = rule.family === 4 ? AF_INET : AF_INET6;
  fixed[1] = rule.to?.prefix ?? 0;
  fixed[2] = rule.from?.prefix ?? 0;
  fixed[3] = rule.tos;
  fixed[4] = table < 256 ? table : 0;
  fixed[7] = ACTIONS[action.type];
  setHost32(fixed, 8, rule.not ? FIB_RULE_INVERT : 0);
  const attributes: NetlinkAttribute[] = [{ type: FRA_PRIORITY, value: u32(rule.preference) }];
  const add = (attribute: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) attributes.push({ type: attribute, value });
  };
  const number = (value: number | undefined): Uint8Array | undefined => (value === undefined ? undefined : u32(value));
  const text = (value: string | undefined): Uint8Array | undefined =>
    value === undefined ? undefined : nulEnded(value);
  add(FRA_PROTOCOL, Uint8Array.of(rule.protocol));
  if (rule.from !== undefined && rule.from.prefix > 0) add(FRA_SRC, ipBytes(rule.from.address));
  if (rule.to !== undefined && rule.to.prefix > 0) add(FRA_DST, ipBytes(rule.to.address));
  if (table >= 256) add(FRA_TABLE, u32(table));
  if (action.type === 'goto') add(FRA_GOTO, u32(action.preference));
  if (action.type === 'l3mdev') add(FRA_L3MDEV, Uint8Array.of(1));
  add(FRA_FWMARK, number(rule.mark?.value));
  add(FRA_FWMASK, number(rule.mark?.mask));
  add(FRA_IIFNAME, text(rule.input));
  add(FRA_OIFNAME, text(rule.output));
  add(FRA_FLOW, number(rule.realms));
  if (rule.tunnel !== undefined) add(FRA_TUN_ID, networkU64(rule.tunnel));
  add(FRA_SUPPRESS_PREFIXLEN, number(rule.suppressPrefix));
  add(FRA_SUPPRESS_IFGROUP, number(rule.suppressGroup));
  if (rule.users !== undefined) add(FRA_UID_RANGE, Uint8Array.of(...u32(rule.users.first), ...u32(rule.users.last)));
  if (rule.ipProtocol !== undefined) add(FRA_IP_PROTO, Uint8Array.of(rule.ipProtocol));
  add(FRA_SPORT_RANGE, portsBytes(rule.sourcePorts));
  add(FRA_DPORT_RANGE, portsBytes(rule.destinationPorts));
  return buildMessage(type, flags, fixed, attributes);
}

function portsBytes(range: NumberRange | undefined): Uint8Array | undefined {
  if (range === undefined) return undefined;
  const bytes = new Uint8Array(4);
  setHost16(bytes, 0, range.first);
  setHost16(bytes, 2, range.last);
  return bytes;
}

/** What a notice says of a rule: as much as tells one of ours. */
export interface RuleRecord {
  readonly family: Family;
  readonly preference: number;
  readonly protocol: number;
  readonly table: number;
  readonly action: number;
}

/** Decodes RTM_NEWRULE and RTM_DELRULE of IPv4 and IPv6. */
export function decodeRule(
  message: Uint8Array,
): { readonly type: 'rule' | 'rule-gone'; readonly rule: RuleRecord } | RtnetlinkRefusal {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string') return header;
  if (header.type !== RTM_NEWRULE && header.type !== RTM_DELRULE) return 'type';
  if (header.length < NETLINK_HEADER_LENGTH + FIXED_LENGTH) return 'truncated';
  const fixed = NETLINK_HEADER_LENGTH;
  const af = message[fixed];
  if (af !== AF_INET && af !== AF_INET6) return 'family';
  let preference = 0;
  let protocol = 0;
  let table = message[fixed + 4]!;
  const walked = forEachAttribute(message.subarray(0, header.length), fixed + FIXED_LENGTH, (type, value) => {
    if (type === FRA_PRIORITY && value.length === 4) preference = host32(value, 0);
    else if (type === FRA_TABLE && value.length === 4) table = host32(value, 0);
    else if (type === FRA_PROTOCOL && value.length === 1) protocol = value[0]!;
  });
  if (walked !== 'ok') return walked;
  return {
    type: header.type === RTM_NEWRULE ? 'rule' : 'rule-gone',
    rule: { family: af === AF_INET ? 4 : 6, preference, protocol, table, action: message[fixed + 7]! },
  };
}
