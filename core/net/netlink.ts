// Netlink messages and attributes (RFC 3549 §2, linux/netlink.h): building and bounds-checked walking, in host byte order.
// Knows no family of messages; rtnetlink.ts does. Nothing from the kernel makes it loop or throw. Pure.

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |          length of the message, header included               |
//   +-------------------------------+-------------------------------+
//   |             type              |             flags             |
//   +-------------------------------+-------------------------------+
//   |                        sequence number                        |
//   |                            port id                            |
//   +---------------------------------------------------------------+     struct nlmsghdr
//
//   +-------------------------------+-------------------------------+
//   |   length, header included     |             type              |     struct nlattr, then the value
//   +-------------------------------+-------------------------------+
const LENGTH = 0;
const TYPE = 4;
const FLAGS = 6;
const SEQUENCE = 8;
const PORT = 12;
/** Bytes of a message header (NLMSG_HDRLEN). */
export const NETLINK_HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;
/** Flags in the type of an attribute: NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** Control message types (linux/netlink.h). */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

/** Message flags (linux/netlink.h). */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
/** NLM_F_ROOT | NLM_F_MATCH of a GET request. */
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A view that reads and writes numbers; `host16` and the like take the byte order of the machine. */
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export const host16 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint16(at, littleEndian);
export const host32 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint32(at, littleEndian);
export const hostInt32 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getInt32(at, littleEndian);
export const setHost16 = (bytes: Uint8Array, at: number, value: number): void =>
  viewOf(bytes).setUint16(at, value, littleEndian);
export const setHost32 = (bytes: Uint8Array, at: number, value: number): void =>
  viewOf(bytes).setUint32(at, value, littleEndian);

/** Rounds up to the alignment of messages and attributes, 4 bytes (NLMSG_ALIGN, NLA_ALIGN). */
export const align = (length: number): number => (length + 3) & ~3;

/** A message header as it was received. */
export interface NetlinkHeader {
  /** Bytes of the message including the header; at most what was given. */
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
}

/** Fewer bytes than a header or than the header promises; a length below that of the header itself. */
export type NetlinkRefusal = 'truncated' | 'length';

/** Reads the header of a message. */
export function readNetlinkHeader(message: Uint8Array): NetlinkHeader | NetlinkRefusal {
  if (message.length < NETLINK_HEADER_LENGTH) return 'truncated';
  const length = host32(message, LENGTH);
  if (length < NETLINK_HEADER_LENGTH) return 'length';
  if (length > message.length) return 'truncated';
  return {
    length,
    type: host16(message, TYPE),
    flags: host16(message, FLAGS),
    sequence: host32(message, SEQUENCE),
    port: host32(message, PORT),
  };
}

/**
 * Calls `sink` with each message of a datagram (a view, header included, padding not) and its header, in order.
 * Stops at the first malformed one and names the fault; those before it have been delivered.
 */
export function forEachMessage(
  datagram: Uint8Array,
  sink: (message: Uint8Array, header: NetlinkHeader) => void,
): 'ok' | NetlinkRefusal {
  for (let at = 0; at < datagram.length; ) {
    const rest = datagram.subarray(at);
    const header = readNetlinkHeader(rest);
    if (typeof header === 'string') return header;
    sink(rest.subarray(0, header.length), header);
    at += align(header.length);
  }
  return 'ok';
}

/** The code in an NLMSG_ERROR or NLMSG_DONE: 0 (an acknowledgement, the end) or a negative errno. A short NLMSG_DONE means 0. */
export function readErrorCode(message: Uint8Array): number | 'not-an-error' | NetlinkRefusal {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string') return header;
  if (header.type !== NLMSG_ERROR && header.type !== NLMSG_DONE) return 'not-an-error';
  if (header.length < NETLINK_HEADER_LENGTH + 4) return header.type === NLMSG_DONE ? 0 : 'truncated';
  return Math.min(0, hostInt32(message, NETLINK_HEADER_LENGTH));
}

/**
 * Calls `sink` with the type (flags removed) and the value of each attribute from `start` to the end of `message`.
 * Stops at the first malformed one and names the fault; fewer than 4 bytes at the end are padding, as for the kernel.
 */
export function forEachAttribute(
  message: Uint8Array,
  start: number,
  sink: (type: number, value: Uint8Array) => void,
): 'ok' | 'attribute' {
  for (let at = start; at + ATTRIBUTE_HEADER_LENGTH <= message.length; ) {
    const length = host16(message, at);
    if (length < ATTRIBUTE_HEADER_LENGTH || at + length > message.length) return 'attribute';
    sink(host16(message, at + 2) & ATTRIBUTE_TYPE_MASK, message.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length));
    at += align(length);
  }
  return 'ok';
}

/** An attribute to be sent. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** A message with sequence number and port 0: header, the fixed part of its family, attributes, each padded to 4 bytes. */
export function buildMessage(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: readonly NetlinkAttribute[],
): Uint8Array {
  const size = attributes.reduce(
    (sum, { value }) => sum + align(ATTRIBUTE_HEADER_LENGTH + value.length),
    NETLINK_HEADER_LENGTH + align(fixed.length),
  );
  const message = new Uint8Array(size);
  setHost32(message, LENGTH, size);
  setHost16(message, TYPE, type);
  setHost16(message, FLAGS, flags);
  message.set(fixed, NETLINK_HEADER_LENGTH);
  let at = NETLINK_HEADER_LENGTH + align(fixed.length);
  for (const { type: attributeType, value } of attributes) {
    setHost16(message, at, ATTRIBUTE_HEADER_LENGTH + value.length);
    setHost16(message, at + 2, attributeType);
    message.set(value, at + ATTRIBUTE_HEADER_LENGTH);
    at += align(ATTRIBUTE_HEADER_LENGTH + value.length);
  }
  return message;
}

/** Numbers a message that is sent again or was built ahead. @param sequence 0..2^32-1 */
export const setSequence = (message: Uint8Array, sequence: number): void => setHost32(message, SEQUENCE, sequence);

/** Changes the flags of a message that was built ahead. */
export const setFlags = (message: Uint8Array, flags: number): void => setHost16(message, FLAGS, flags);

/** A value of one 32-bit number, for an attribute. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  setHost32(bytes, 0, value);
  return bytes;
}
