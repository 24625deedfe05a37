// The signature of keepalived 2.4.2 and later (draft-cassen-vrrp-auth-hmac): 28 bytes behind an advert of either
// version, HMAC-SHA256 cut to 16 bytes. Pure codec; keys, clocks and replay marks are the caller's.
//
//    0       8       16              31      What is signed: 4 or 6, version, VRID, 0, the source address filled up to
//   +-------+-------+---------------+        16 bytes; the advert with a checksum of 0; the first 12 bytes of the
//   |   1   |  key  |       0       |        trailer; 16 zero bytes. The destination is not, so that one signature
//   +-------+-------+---------------+        serves all peers.
//   |            seconds            |
//   +---------------+---------------+        IPv4: the advert's checksum leaves the trailer out. IPv6: it covers it,
//   |  1/65536 s    |    counter    |        since the kernel's does.
//   +---------------+---------------+
//   |     16 bytes of HMAC-SHA256   |
//   +-------------------------------+
import { type IpAddress, ipBytes } from '../net/address.ts';
import { type Mac, startsEqual } from './mac.ts';
import type { Stamp } from './stamp.ts';

export const TRAILER_LENGTH = 28;
/** Bytes of a key (keepalived's limits). */
export const KEY_LENGTH = { least: 32, most: 64 } as const;

const TYPE_HMAC = 1;
const KEY = 1;
const RESERVED = 2;
const SECONDS = 4;
const FINE = 8;
const CODE = 12;
const PSEUDO_LENGTH = 20;
const ADVERT_CHECKSUM = 6;

export interface Trailer {
  readonly key: number;
  readonly stamp: Stamp;
}

/** What a trailer says, whoever made it; undefined: it is none. */
export function readTrailer(bytes: Uint8Array): Trailer | undefined {
  if (bytes.length !== TRAILER_LENGTH || bytes[0] !== TYPE_HMAC) return undefined;
  if (bytes[RESERVED] !== 0 || bytes[RESERVED + 1] !== 0) return undefined;
  return { key: bytes[KEY]!, stamp: { seconds: word(bytes, SECONDS), fine: word(bytes, FINE) } };
}

/** Writes a trailer behind an advert and signs both. @param signed the advert, and TRAILER_LENGTH bytes for the trailer */
export function sign(signed: Uint8Array, source: IpAddress, { key, stamp }: Trailer, mac: Mac): void {
  const trailer = signed.subarray(signed.length - TRAILER_LENGTH);
  trailer.fill(0);
  trailer[0] = TYPE_HMAC;
  trailer[KEY] = key;
  setWord(trailer, SECONDS, stamp.seconds);
  setWord(trailer, FINE, stamp.fine);
  trailer.set(mac(covered(signed, source)).subarray(0, TRAILER_LENGTH - CODE), CODE);
}

/** Whether the signature is this key's. @param signed the advert with its trailer */
export function isSigned(signed: Uint8Array, source: IpAddress, mac: Mac): boolean {
  return startsEqual(signed.subarray(signed.length - TRAILER_LENGTH + CODE), mac(covered(signed, source)));
}

function covered(signed: Uint8Array, source: IpAddress): Uint8Array {
  const bytes = new Uint8Array(PSEUDO_LENGTH + signed.length);
  const address = ipBytes(source);
  bytes[0] = address.length === 4 ? 4 : 6;
  bytes[1] = signed[0]! >> 4;
  bytes[2] = signed[1]!;
  bytes.set(address, 4);
  bytes.set(signed, PSEUDO_LENGTH);
  bytes.fill(0, PSEUDO_LENGTH + ADVERT_CHECKSUM, PSEUDO_LENGTH + ADVERT_CHECKSUM + 2);
  bytes.fill(0, bytes.length - TRAILER_LENGTH + CODE);
  return bytes;
}

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function setWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i);
}
