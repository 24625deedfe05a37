// ICMP (RFC 792) and ICMPv6 (RFC 4443): echo requests, what answers them, and the neighbour solicitations of RFC 4861.
// Builds and reads messages, and the filter that lets only answers to one asker through; sends nothing. Pure.
import { type Family, formatIp, type IpAddress, ip, ipBytes, type MacAddress, macBytes } from './address.ts';
import { type Instruction, program } from './bpf.ts';
import { internetChecksum } from './checksum.ts';
import { IPV4_HEADER_LENGTH } from './ipv4.ts';
import { IPV6_HEADER_LENGTH } from './ipv6.ts';
import { ICMPV6 } from './ndisc.ts';

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |     type      |     code      |           checksum            |
//   +---------------+---------------+-------------------------------+
//   |          identifier           |           sequence            |   echo; in errors: unused, the MTU, a pointer
//   +-------------------------------+-------------------------------+
//   |  payload; in errors: the packet that is complained of ...     |
//   +---------------------------------------------------------------+
const CODE = 1;
const CHECKSUM = 2;
const IDENTIFIER = 4;
const SEQUENCE = 6;
/** Bytes before the payload. */
export const ICMP_HEADER_LENGTH = 8;

/** Protocol number of ICMP in IPv4. */
export const ICMP = 1;

const ECHO_REQUEST: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };
const ECHO_REPLY: Readonly<Record<Family, number>> = { 4: 0, 6: 129 };
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
/** Where in a neighbour message its flags, its target and its options stand. */
const FLAGS = 4;
const SOLICITED = 0x40;
const TARGET = 8;
const OPTIONS = 24;
const SOURCE_LINK_LAYER = 1;
const LINK_OPTION_LENGTH = 8;

/** Why a packet did not arrive, as somebody on the way tells. */
export type IcmpError =
  | 'no-route'
  | 'host-unreachable'
  | 'prohibited'
  | 'too-big'
  | 'time-exceeded'
  | 'protocol-unreachable'
  | 'parameter';

/** What answers an echo request. */
export type EchoAnswer =
  | {
      readonly type: 'reply';
      readonly identifier: number;
      readonly sequence: number;
      /** A view of what was given. */
      readonly payload: Uint8Array;
    }
  /** About an echo request to `destination`. */
  | {
      readonly type: 'error';
      readonly error: IcmpError;
      readonly destination: IpAddress;
      readonly identifier: number;
      readonly sequence: number;
    };

/** A message that answers somebody. */
export type IcmpAnswer =
  | EchoAnswer
  /** ICMPv6 only, solicited: somebody has `target`. The hop limit must be checked by whoever knows it. */
  | { readonly type: 'advertisement'; readonly target: IpAddress };

/**
 * An echo request. In IPv6 the checksum is left 0: it covers the source address, which the kernel chooses, so the kernel
 * fills it in.
 * @param identifier 0..65535
 * @param sequence 0..65535
 */
export function encodeEchoRequest(
  family: Family,
  identifier: number,
  sequence: number,
  payload: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(ICMP_HEADER_LENGTH + payload.length);
  message[0] = ECHO_REQUEST[family];
  setWord(message, IDENTIFIER, identifier);
  setWord(message, SEQUENCE, sequence);
  message.set(payload, ICMP_HEADER_LENGTH);
  if (family === 4) setWord(message, CHECKSUM, internetChecksum(message));
  return message;
}

/** A neighbour solicitation (RFC 4861 §4.3) for an IPv6 address, its checksum left to the kernel. */
export function encodeNeighbourSolicitation(target: IpAddress, mac: MacAddress): Uint8Array {
  const message = new Uint8Array(OPTIONS + LINK_OPTION_LENGTH);
  message[0] = NEIGHBOUR_SOLICITATION;
  message.set(ipBytes(target), TARGET);
  message[OPTIONS] = SOURCE_LINK_LAYER;
  message[OPTIONS + 1] = 1;
  message.set(macBytes(mac), OPTIONS + 2);
  return message;
}

const SOLICITED_NODES = ipBytes(ip('ff02::1:ff00:0'));

/** The group that whoever has an IPv6 address listens to (RFC 4291 §2.7.1). */
export function solicitedNode(address: IpAddress): IpAddress {
  const group = SOLICITED_NODES.slice();
  group.set(ipBytes(address).subarray(13), 13);
  return formatIp(group, 0, 16);
}

/** Reads a message, from its type on; undefined: it is no answer, or it is damaged. The kernel checked ICMPv6's checksum. */
export function decodeIcmpAnswer(family: Family, message: Uint8Array): IcmpAnswer | undefined {
  if (message.length < ICMP_HEADER_LENGTH) return undefined;
  if (family === 4 && internetChecksum(message) !== 0) return undefined;
  if (message[0] === ECHO_REPLY[family]) {
    if (message[CODE] !== 0) return undefined;
    return {
      type: 'reply',
      identifier: word(message, IDENTIFIER),
      sequence: word(message, SEQUENCE),
      payload: message.subarray(ICMP_HEADER_LENGTH),
    };
  }
  if (family === 6 && message[0] === NEIGHBOUR_ADVERTISEMENT) return decodeAdvertisement(message);
  const error = family === 4 ? errorOf4(message[0]!, message[CODE]!) : errorOf6(message[0]!, message[CODE]!);
  return error && decodeError(family, error, message.subarray(ICMP_HEADER_LENGTH));
}

/** RFC 792 and RFC 1812 §5.2.7: at least the IP header and eight bytes are quoted. */
function decodeError(family: Family, error: IcmpError, quoted: Uint8Array): IcmpAnswer | undefined {
  const header = family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  if (quoted.length < header + ICMP_HEADER_LENGTH) return undefined;
  // Our requests have neither IP options nor extension headers, so what has is not ours.
  if (family === 4 ? quoted[0] !== 0x45 || quoted[9] !== ICMP : quoted[0]! >> 4 !== 6 || quoted[6] !== ICMPV6)
    return undefined;
  const request = quoted.subarray(header);
  if (request[0] !== ECHO_REQUEST[family]) return undefined;
  return {
    type: 'error',
    error,
    destination: family === 4 ? formatIp(quoted, 16, 4) : formatIp(quoted, 24, 16),
    identifier: word(request, IDENTIFIER),
    sequence: word(request, SEQUENCE),
  };
}

/** RFC 4861 §7.1.2, except for the hop limit. What was not asked for is no answer. */
function decodeAdvertisement(message: Uint8Array): IcmpAnswer | undefined {
  if (message.length < OPTIONS || message[CODE] !== 0 || message[TARGET] === 0xff) return undefined;
  if ((message[FLAGS]! & SOLICITED) === 0) return undefined;
  for (let at = OPTIONS; at < message.length; ) {
    const length = (message[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > message.length) return undefined;
    at += length;
  }
  return { type: 'advertisement', target: formatIp(message, TARGET, 16) };
}

/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
function errorOf4(type: number, code: number): IcmpError | undefined {
  if (type === 11) return 'time-exceeded';
  if (type === 12) return 'parameter';
  if (type !== 3) return undefined;
  if (code === 2 || code === 3) return 'protocol-unreachable';
  if (code === 4) return 'too-big';
  if (code === 9 || code === 10 || code === 13) return 'prohibited';
  return code === 0 || code === 6 || code === 11 ? 'no-route' : 'host-unreachable';
}

/** RFC 4443 §3. */
function errorOf6(type: number, code: number): IcmpError | undefined {
  if (type === 2) return 'too-big';
  if (type === 3) return 'time-exceeded';
  if (type === 4) return 'parameter';
  if (type !== 1) return undefined;
  if (code === 0) return 'no-route';
  if (code === 1 || code === 5 || code === 6) return 'prohibited';
  return code === 4 ? 'protocol-unreachable' : 'host-unreachable';
}

const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
/** At an offset from the index register. */
const LOAD_HALF_BEHIND = 0x48;
const LOAD_BYTE_BEHIND = 0x50;
/** Index register = length of the IPv4 header, from its low four bits. */
const LOAD_HEADER_LENGTH = 0xb1;
const IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALL: Instruction = [RETURN, 0, 0, 0xffff];
const NONE: Instruction = [RETURN, 0, 0, 0];

/**
 * For a raw socket: echo replies with this identifier, errors that quote such a request, and in IPv6 neighbour
 * advertisements. Everything else costs no wake-up and no room in the socket's buffer. A raw IPv4 socket shows a filter the
 * IP header, a raw IPv6 socket does not.
 */
export function answerFilter(family: Family, identifier: number): Uint8Array {
  const [byte, half] = family === 4 ? [LOAD_BYTE_BEHIND, LOAD_HALF_BEHIND] : [LOAD_BYTE, LOAD_HALF];
  const quoted = ICMP_HEADER_LENGTH + (family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH);
  const errors = family === 4 ? [3, 11, 12] : [1, 2, 3, 4];
  const isOurs = (at: number): readonly Instruction[] => [[half, 0, 0, at], [IF_EQUAL, 1, 0, identifier], NONE, ALL];
  return program([
    ...(family === 4 ? [[LOAD_HEADER_LENGTH, 0, 0, 0] as const] : []),
    [byte, 0, 0, 0],
    [IF_EQUAL, 0, 4, ECHO_REPLY[family]],
    ...isOurs(IDENTIFIER),
    ...(family === 6 ? [[IF_EQUAL, 0, 1, NEIGHBOUR_ADVERTISEMENT] as const, ALL] : []),
    // Each sort of error jumps over those behind it and the refusal.
    ...errors.map((type, i): Instruction => [IF_EQUAL, errors.length - i, 0, type]),
    NONE,
    [byte, 0, 0, quoted],
    [IF_EQUAL, 1, 0, ECHO_REQUEST[family]],
    NONE,
    ...isOurs(quoted + IDENTIFIER),
  ]);
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
