// The VRRP message, versions 2 and 3: bytes to Advertisement and back. What follows the IP header, nothing else.
// Knows no configuration: whether a well-formed advert is welcome is admission.ts's question. Never throws on input.
//
//   version 2, RFC 3768 §5.1 (IPv4 only)              version 3, RFC 9568 §5.1 (IPv4 and IPv6)
//    0       8       16      24      31                0       8       16      24      31
//   +---+---+-------+-------+-------+                 +---+---+-------+-------+-------+
//   | 2 | 1 | VRID  | prio  | count |                 | 3 | 1 | VRID  | prio  | count |
//   +-------+-------+-------+-------+                 +---+---+-------+-------+-------+
//   | auth  | sec   |   checksum    |                 |rsv| interval cs|   checksum   |
//   +-------+-------+---------------+                 +---+-----------+---------------+
//   | count IPv4 addresses          |                 | count addresses of the family |
//   +-------------------------------+                 +-------------------------------+
//   | 8 bytes authentication data   |
//   +-------------------------------+
import { type Family, formatIp, type IpAddress, ipBytes } from '../net/address.ts';
import { addWords, finishChecksum, pseudoHeaderSum } from '../net/checksum.ts';
import { micros, priority, seconds, vrid } from '../units.ts';
import { TRAILER_LENGTH } from './hmac-trailer.ts';
import type { Advertisement, DropReason } from './types.ts';

const VERSION_TYPE = 0;
const VRID = 1;
const PRIORITY = 2;
const COUNT = 3;
const INTERVAL = 4; // v3: 4 reserved bits, 12 bits of centiseconds
const AUTH_TYPE = 4; // v2
const SECONDS = 5; // v2
const CHECKSUM = 6;
const ADDRESSES = 8;

const TYPE_ADVERTISEMENT = 1;
const CENTISECOND = 10_000;
const MOST_CENTISECONDS = 4095;

/** IP protocol number of VRRP. */
export const PROTOCOL_VRRP = 112;
/** Every v2 advert carries this many bytes of authentication data, used or not (RFC 3768 §5.3.10). */
export const AUTH_DATA_LENGTH = 8;
/** v2 authentication types (RFC 2338 §5.3.6). */
export const AUTH_NONE = 0;
export const AUTH_PASS = 1;
export const AUTH_AH = 2;
/** Where adverts go (RFC 9568 §5.1.1.2, §5.1.2.2). */
export const VRRP_GROUP = { 4: '224.0.0.18' as IpAddress, 6: 'ff02::12' as IpAddress } as const;

/**
 * What a checksum covers besides the message.
 * - `pseudo`: the pseudo-header with the packet's own destination (v3: RFC 5798 for IPv4, RFC 8200 for IPv6).
 * - `message-only`: nothing (v2; v3 over IPv4 as RFC 9568 §5.2.8 has it).
 * - `old-unicast`: a pseudo-header with 224.0.0.18 although the packet goes to a peer (old keepalived, IPv4).
 */
export type ChecksumForm = 'pseudo' | 'message-only' | 'old-unicast';

/** The part of the IP header that matters to the codec. */
export interface Envelope {
  readonly family: Family;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** A well-formed advert and what else its packet said. */
export interface DecodedPacket {
  readonly ad: Advertisement;
  readonly checksumForm: ChecksumForm;
  /** v2: 0 none, 1 PASS, 2 AH, others as received; v3: 0. */
  readonly authType: number;
  /** v2: the 8 bytes at the end, a view of the packet; v3: undefined. */
  readonly authData: Uint8Array | undefined;
  /** The advert with what may be a signature behind it (hmac-trailer.ts), a view; undefined: nothing is behind it. */
  readonly signed?: Uint8Array | undefined;
}

/** How to send: the form of the checksum (v3 over IPv4 only; the others have one) and the v2 password. */
export interface EncodeOptions {
  readonly checksumForm?: ChecksumForm;
  /** v2 PASS: authentication data made by `passData`; absent: zeros. */
  readonly authData?: Uint8Array;
  /** v2 behind an authentication header: type 2. Otherwise the type is 1 with authentication data, 0 without. */
  readonly authenticationHeader?: boolean;
}

/**
 * Reads one VRRP message.
 * @param pdu the payload of the IP packet, as long as the IP header says: trailing bytes are refused, but for as many as a
 *   signature has
 */
export function decode(pdu: Uint8Array, envelope: Envelope): DecodedPacket | DropReason {
  if (pdu.length < ADDRESSES) return 'truncated';
  const version = pdu[VERSION_TYPE]! >> 4;
  if (version !== 3 && (version !== 2 || envelope.family === 6)) return 'version';
  if ((pdu[VERSION_TYPE]! & 15) !== TYPE_ADVERTISEMENT) return 'type';
  if (pdu[VRID] === 0) return 'vrid';
  const count = pdu[COUNT]!;
  const length = messageLength(version, envelope.family, count);
  // The checksum covers the message, not what an extension puts after it; over IPv6 the kernel's rule: all there is.
  const covered = envelope.family === 4 && pdu.length > length ? pdu.subarray(0, length) : pdu;
  const checksumForm = formOf(covered, version, envelope);
  if (checksumForm === undefined) return 'checksum';
  const signed = pdu.length === length + TRAILER_LENGTH;
  if (pdu.length !== length && !signed) return 'length';
  const interval =
    version === 2 ? seconds(pdu[SECONDS]!) : micros((((pdu[INTERVAL]! & 15) << 8) | pdu[INTERVAL + 1]!) * CENTISECOND);
  if (interval === 0) return 'interval-zero'; // erratum 8301
  const size = envelope.family === 4 ? 4 : 16;
  const addresses: IpAddress[] = [];
  for (let i = 0; i < count; i++) addresses.push(formatIp(pdu, ADDRESSES + i * size, size));
  return {
    ad: { version, vrid: vrid(pdu[VRID]!), priority: priority(pdu[PRIORITY]!), interval, addresses },
    checksumForm,
    authType: version === 2 ? pdu[AUTH_TYPE]! : AUTH_NONE,
    authData: version === 2 ? pdu.subarray(length - AUTH_DATA_LENGTH, length) : undefined,
    signed: signed ? pdu : undefined,
  };
}

/**
 * Writes one VRRP message. Equal adverts make equal bytes, so a caller may keep them by `ad` and destination.
 * @throws RangeError when the advert has no wire form: a bug or a configuration that was not checked
 */
export function encode(ad: Advertisement, envelope: Envelope, options: EncodeOptions = {}): Uint8Array {
  const { version, addresses, interval } = ad;
  if (addresses.length > 255) throw new RangeError(`${addresses.length} addresses in an advert`);
  const units = interval / (version === 2 ? seconds(1) : CENTISECOND);
  if (!Number.isInteger(units) || units < 1 || units > (version === 2 ? 255 : MOST_CENTISECONDS))
    throw new RangeError(`an interval of ${interval} µs has no wire form in version ${version}`);
  if (version === 2 && envelope.family === 6) throw new RangeError('version 2 over IPv6');
  const pdu = new Uint8Array(messageLength(version, envelope.family, addresses.length));
  pdu[VERSION_TYPE] = (version << 4) | TYPE_ADVERTISEMENT;
  pdu[VRID] = ad.vrid;
  pdu[PRIORITY] = ad.priority;
  pdu[COUNT] = addresses.length;
  if (version === 2) {
    pdu[AUTH_TYPE] = options.authenticationHeader ? AUTH_AH : options.authData ? AUTH_PASS : AUTH_NONE;
    pdu[SECONDS] = units;
    if (options.authData) pdu.set(options.authData.subarray(0, AUTH_DATA_LENGTH), pdu.length - AUTH_DATA_LENGTH);
  } else {
    pdu[INTERVAL] = units >> 8;
    pdu[INTERVAL + 1] = units & 255;
  }
  const size = envelope.family === 4 ? 4 : 16;
  for (const [i, address] of addresses.entries()) {
    const bytes = ipBytes(address);
    if (bytes.length !== size) throw new RangeError(`${address} in an advert of family ${envelope.family}`);
    pdu.set(bytes, ADDRESSES + i * size);
  }
  const form = version === 2 ? 'message-only' : envelope.family === 6 ? 'pseudo' : (options.checksumForm ?? 'pseudo');
  setChecksum(pdu, form, envelope);
  return pdu;
}

/** Makes the checksum of a message right: over IPv6 once more when a signature was put behind it, which it covers. */
export function setChecksum(pdu: Uint8Array, form: ChecksumForm, envelope: Envelope): void {
  pdu[CHECKSUM] = pdu[CHECKSUM + 1] = 0;
  const sum = finishChecksum(addWords(besides(form, envelope, pdu.length), pdu));
  pdu[CHECKSUM] = sum >> 8;
  pdu[CHECKSUM + 1] = sum & 255;
}

/** The v2 authentication data of a password: its first 8 bytes, filled up with zeros, in clear (RFC 2338 §5.3.10). */
export function passData(password: string): Uint8Array {
  const data = new Uint8Array(AUTH_DATA_LENGTH);
  data.set(new TextEncoder().encode(password).subarray(0, AUTH_DATA_LENGTH));
  return data;
}

function messageLength(version: number, family: Family, count: number): number {
  return ADDRESSES + count * (family === 4 ? 4 : 16) + (version === 2 ? AUTH_DATA_LENGTH : 0);
}

/** The form under which the checksum of a message holds, or undefined. */
function formOf(message: Uint8Array, version: number, envelope: Envelope): ChecksumForm | undefined {
  const total = addWords(0, message);
  const holds = (form: ChecksumForm) => finishChecksum(total + besides(form, envelope, message.length)) === 0;
  if (version === 2) return holds('message-only') ? 'message-only' : undefined;
  if (holds('pseudo')) return 'pseudo';
  if (envelope.family === 6) return undefined;
  if (holds('message-only')) return 'message-only';
  return holds('old-unicast') ? 'old-unicast' : undefined;
}

/** The running sum of what a form covers besides the message. */
function besides(form: ChecksumForm, { family, source, destination }: Envelope, length: number): number {
  if (form === 'message-only') return 0;
  const to = form === 'old-unicast' ? VRRP_GROUP[family] : destination;
  return pseudoHeaderSum(source, to, PROTOCOL_VRRP, length);
}
