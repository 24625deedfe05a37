// VRRPv2 behind an authentication header: RFC 2338 §5.3.6.3 with RFC 2402 and HMAC-MD5-96 (RFC 2403), IPv4 only.
// Signs and verifies whole packets. Which key, and whether a sequence number is fresh, is the caller's business.
//
//    0       8       16                31     The code covers the IP header without what routers change (TOS, fragment
//   +-------+-------+-------------------+     bits, checksum; the TTL is 255 and kept for multicast, 0 for unicast),
//   |  112  |   4   |     reserved      |     this header with 12 zero bytes in place of the code, and the advert.
//   +-------+-------+-------------------+     The parameter index (SPI) is the source address.
//   |   parameter index (SPI)           |
//   +-----------------------------------+     The sequence number is one for all routers of a virtual router: whoever
//   |   sequence number                 |     becomes master goes on from the greatest that it saw.
//   +-----------------------------------+
//   |   12 bytes of code (ICV)          |
//   +-----------------------------------+
import { IPV4_HEADER_LENGTH } from '../net/ipv4.ts';
import { type Mac, startsEqual } from './mac.ts';
import { PROTOCOL_VRRP } from './packet.ts';
import type { DropReason } from './types.ts';

/** IP protocol number of the authentication header. */
export const PROTOCOL_AH = 51;
/** Bytes of the header in front of the advert. */
export const AH_LENGTH = 24;
/** RFC 2402 §3.3.2: numbers never come again; behind this one a key is used up. */
export const LAST_SEQUENCE = 0xfffffffd;

const TOS = 1;
const FRAGMENT = 6;
const TTL = 8;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;
const PAYLOAD_LENGTH = 1; // in words of 4 bytes, less two
const SPI = 4;
const SEQUENCE = 8;
const CODE = 12;
const CODE_LENGTH = AH_LENGTH - CODE;
const WORDS = AH_LENGTH / 4 - 2;

/** What came out of a good packet. */
export interface Opened {
  readonly sequence: number;
  /** The advert behind the header, a view. */
  readonly pdu: Uint8Array;
}

/**
 * Fills in the header and the code of a packet: IPv4 header without options, AH_LENGTH bytes, the advert.
 * @param sequence 1..LAST_SEQUENCE
 */
export function seal(packet: Uint8Array, sequence: number, mac: Mac): void {
  const header = packet.subarray(IPV4_HEADER_LENGTH, IPV4_HEADER_LENGTH + AH_LENGTH);
  header.fill(0);
  header[0] = PROTOCOL_VRRP;
  header[PAYLOAD_LENGTH] = WORDS;
  header.set(packet.subarray(SOURCE, DESTINATION), SPI);
  for (let i = 0; i < 4; i++) header[SEQUENCE + i] = sequence >>> (24 - 8 * i);
  const code = mac(covered(packet.subarray(0, IPV4_HEADER_LENGTH), packet.subarray(IPV4_HEADER_LENGTH)));
  header.set(code.subarray(0, CODE_LENGTH), CODE);
}

/**
 * Verifies a received packet of protocol 51. Never throws.
 * @param ipHeader as received, with its options; nobody sends VRRP with options behind an authentication header
 * @param payload what follows it
 */
export function open(ipHeader: Uint8Array, payload: Uint8Array, mac: Mac): Opened | DropReason {
  if (payload.length < AH_LENGTH) return 'truncated';
  if (payload[0] !== PROTOCOL_VRRP || payload[PAYLOAD_LENGTH] !== WORDS) return 'auth-type';
  if (ipHeader.length !== IPV4_HEADER_LENGTH) return 'auth-failure';
  for (let i = 0; i < 4; i++) if (payload[SPI + i] !== ipHeader[SOURCE + i]) return 'auth-failure';
  if (!startsEqual(payload.subarray(CODE, AH_LENGTH), mac(covered(ipHeader, payload)))) return 'auth-failure';
  const sequence =
    ((payload[SEQUENCE]! << 24) |
      (payload[SEQUENCE + 1]! << 16) |
      (payload[SEQUENCE + 2]! << 8) |
      payload[SEQUENCE + 3]!) >>>
    0;
  return { sequence, pdu: payload.subarray(AH_LENGTH) };
}

function covered(ipHeader: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER_LENGTH + payload.length);
  bytes.set(ipHeader);
  bytes.set(payload, IPV4_HEADER_LENGTH);
  bytes[TOS] = 0;
  bytes.fill(0, FRAGMENT, FRAGMENT + 2);
  bytes.fill(0, CHECKSUM, CHECKSUM + 2);
  if (bytes[DESTINATION]! >> 4 !== 14) bytes[TTL] = 0;
  bytes.fill(0, IPV4_HEADER_LENGTH + CODE, IPV4_HEADER_LENGTH + AH_LENGTH);
  return bytes;
}

/**
 * The sequence numbers of one virtual router as one of its routers knows them. Two masters that sent the same number at
 * the same time must still hear each other, or neither would ever yield: so a number equal to our own last one counts
 * as fresh, once.
 */
export class SequenceNumbers {
  #heard = 0;
  #sent = 0;

  /** Not seen before (RFC 2402 §3.4.3, with a window of one). */
  isFresh(sequence: number): boolean {
    return sequence > this.#heard && sequence >= this.#sent;
  }

  heard(sequence: number): void {
    this.#heard = sequence;
  }

  /** The next one to send; undefined: there are none left, and whoever has them must be silent. */
  next(): number | undefined {
    const last = Math.max(this.#heard, this.#sent);
    if (last >= LAST_SEQUENCE) return undefined;
    this.#sent = last + 1;
    return this.#sent;
  }

  get exhausted(): boolean {
    return Math.max(this.#heard, this.#sent) >= LAST_SEQUENCE;
  }
}
