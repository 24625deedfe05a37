// Cuts a netlink datagram into its messages. netlink(7). Pure.
import { NLMSG_HEADER } from './linux.ts';

export const readU16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
export const readU32 = (bytes: Uint8Array, at: number): number =>
  (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** nlmsg_len, nlmsg_type, nlmsg_flags, nlmsg_seq, nlmsg_pid of struct nlmsghdr. */
export const NLMSG_TYPE = 4;
export const NLMSG_FLAGS = 6;
export const NLMSG_SEQ = 8;
export const NLMSG_PID = 12;

/** Where the next message begins: NLMSG_ALIGN. */
export const aligned = (length: number): number => (length + 3) & ~3;

/**
 * The length of the message at `offset` of a datagram of `length` bytes; 0 at its end, -1 when what is there is none:
 * shorter than its header or reaching beyond the datagram.
 */
export function messageLength(datagram: Uint8Array, offset: number, length: number): number {
  if (offset >= length) return 0;
  if (length - offset < NLMSG_HEADER) return -1;
  const own = readU32(datagram, offset);
  return own < NLMSG_HEADER || own > length - offset ? -1 : own;
}
