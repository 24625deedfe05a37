// The Internet checksum (RFC 1071) over views of bytes, and the pseudo-headers of IPv4 (RFC 9293 §3.1) and IPv6 (RFC 8200 §8.1).
// Knows nothing of the protocols that use it. Pure.
import { familyOf, type IpAddress, ipBytes } from './address.ts';

/**
 * Adds the bytes from `start` up to `end` as big-endian 16-bit words to `sum`; an odd last byte counts as the high half of a word.
 * The result is a running sum for `finishChecksum`, which may be kept and added to; only the last part added may have an odd length.
 */
export function addWords(sum: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let total = sum;
  const even = start + ((end - start) & ~1);
  for (let i = start; i < even; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if (even < end) total += bytes[even]! << 8;
  return total;
}

/** The checksum of a running sum, 0..65535: the one's complement of the one's complement sum. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/**
 * The checksum of bytes, 0..65535, to be stored big-endian. Over data that include a correct checksum it is 0.
 * @param initial a running sum to start from, such as that of a pseudo-header
 */
export function internetChecksum(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  return finishChecksum(addWords(initial, bytes, start, end));
}

/** The running sum of an IPv4 pseudo-header: source, destination, zero, protocol, length in bytes (0..65535). */
export function ipv4PseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number {
  return addWords(addWords(protocol + length, ipBytes(source)), ipBytes(destination));
}

/** The running sum of an IPv6 pseudo-header: source, destination, 32-bit upper-layer length in bytes, next header. */
export function ipv6PseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  nextHeader: number,
  length: number,
): number {
  const words = (length >>> 16) + (length & 0xffff) + nextHeader;
  return addWords(addWords(words, ipBytes(source)), ipBytes(destination));
}

/** The pseudo-header sum of the family of `source`; both addresses must be of one family. */
export function pseudoHeaderSum(source: IpAddress, destination: IpAddress, protocol: number, length: number): number {
  const sum = familyOf(source) === 4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum;
  return sum(source, destination, protocol, length);
}
