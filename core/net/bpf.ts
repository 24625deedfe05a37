// Classic BPF programs (the kernel's Documentation/networking/filter.rst): which Ethernet frames are worth waking up for.
// Builds bytes for SO_ATTACH_FILTER; attaches nothing. Pure.
import { familyOf, type IpAddress, ipBytes } from './address.ts';
import { EtherType } from './ethernet.ts';
import { ICMPV6 } from './ndisc.ts';

//   +-----------------+--------+--------+-----------------------------------+
//   |  code (u16)     | jt (u8)| jf (u8)|  k (u32)                          |   host byte order: little-endian machines
//   +-----------------+--------+--------+-----------------------------------+
const INSTRUCTION = 8;
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const IF_EQUAL = 0x15;
const RETURN = 0x06;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: a word the kernel keeps beside the packet. */
const PACKET_TYPE = 0xffff_f004;
const OUTGOING = 4;

const ETHER_TYPE = 12;
const ARP_SENDER_IP = 14 + 14;
const IPV6_NEXT_HEADER = 14 + 6;
const ICMPV6_TYPE = 14 + 40;
const IPV6_SOURCE = 14 + 8;
const HOP_BY_HOP = 0;
const ROUTER_SOLICITATION = 133;
const NEIGHBOUR_ADVERTISEMENT = 136;
/** The last word of the target of a neighbour advertisement. */
const TARGET_TAIL = 14 + 40 + 8 + 12;
/** Two instructions an address; the kernel takes 4096 of them, and older ones 20 KiB of its own form. */
export const MOST_FILTERED = 500;

/** The first bytes that pass; enough for an advertisement with its link-layer option. */
const SNAP = 128;

/** One instruction: struct sock_filter. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** The bytes of a program for SO_ATTACH_FILTER. */
export function program(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, jt, jf, k]] of instructions.entries()) {
    view.setUint16(i * INSTRUCTION, code, true);
    view.setUint8(i * INSTRUCTION + 2, jt);
    view.setUint8(i * INSTRUCTION + 3, jf);
    view.setUint32(i * INSTRUCTION + 4, k, true);
  }
  return bytes;
}

const ACCEPT: Instruction = [RETURN, 0, 0, SNAP];
const REFUSE: Instruction = [RETURN, 0, 0, 0];

/** Lets what was loaded pass if it is one of these; otherwise goes on. */
const acceptIf = (values: readonly number[]): readonly Instruction[] =>
  values.flatMap((value): readonly Instruction[] => [[IF_EQUAL, 0, 1, value], ACCEPT]);

/** Refuses if what was loaded is this. */
const refuseIf = (value: number): readonly Instruction[] => [[IF_EQUAL, 0, 1, value], REFUSE];

/** Refuses unless what was loaded is this. */
const demand = (value: number): readonly Instruction[] => [[IF_EQUAL, 1, 0, value], REFUSE];

/**
 * Frames that only a forwarding network delivers: IPv4, IPv6 and ARP from elsewhere. What a switch itself says on a port
 * that does not forward yet (spanning tree, LLDP, LACP) has other types. A port of a Linux bridge has an IPv6 stack of its
 * own and greets whoever is behind it: multicast listener reports (hop-by-hop options), router solicitations and duplicate
 * address detection (no source) do not count.
 */
export function foreignTraffic(): Uint8Array {
  return program([
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [IF_EQUAL, 0, 1, OUTGOING],
    REFUSE,
    [LOAD_HALF, 0, 0, ETHER_TYPE],
    ...acceptIf([EtherType.IPV4, EtherType.ARP]),
    ...demand(EtherType.IPV6),
    [LOAD_BYTE, 0, 0, IPV6_NEXT_HEADER],
    ...refuseIf(HOP_BY_HOP),
    [IF_EQUAL, 1, 0, ICMPV6],
    ACCEPT,
    [LOAD_BYTE, 0, 0, ICMPV6_TYPE],
    ...refuseIf(ROUTER_SOLICITATION),
    [LOAD_WORD, 0, 0, IPV6_SOURCE],
    ...refuseIf(0),
    ACCEPT,
  ]);
}

/** ARP packets whose sender says that it has one of these IPv4 addresses; at most MOST_FILTERED of them. For EtherType ARP. */
export function arpClaims(addresses: readonly IpAddress[]): Uint8Array {
  const words = addresses.filter((address) => familyOf(address) === 4).map((address) => tail(address));
  return program([[LOAD_WORD, 0, 0, ARP_SENDER_IP], ...acceptIf(words.slice(0, MOST_FILTERED)), REFUSE]);
}

/**
 * Neighbour advertisements for one of these IPv6 addresses, judged by its last four bytes: the reader compares the rest.
 * At most MOST_FILTERED of them. For EtherType IPv6.
 */
export function neighbourClaims(addresses: readonly IpAddress[]): Uint8Array {
  const words = addresses.filter((address) => familyOf(address) === 6).map((address) => tail(address));
  return program([
    [LOAD_BYTE, 0, 0, IPV6_NEXT_HEADER],
    ...demand(ICMPV6),
    [LOAD_BYTE, 0, 0, ICMPV6_TYPE],
    ...demand(NEIGHBOUR_ADVERTISEMENT),
    [LOAD_WORD, 0, 0, TARGET_TAIL],
    ...acceptIf(words.slice(0, MOST_FILTERED)),
    REFUSE,
  ]);
}

/** The last four bytes of an address as a number. */
function tail(address: IpAddress): number {
  const bytes = ipBytes(address);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4);
}
