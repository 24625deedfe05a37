// IPv4 headers (RFC 791). Checks bounds and structure; what a packet carries is the caller's business. Pure.
import { formatIp, type IpAddress, ipBytes } from './address.ts';
import { internetChecksum } from './checksum.ts';

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------+-------+---------------+-------------------------------+
//   |  4    |  IHL  |      TOS      |         total length          |
//   +-------+-------+---------------+-----+-------------------------+
//   |        identification         |0 D M|     fragment offset     |
//   +---------------+---------------+-----+-------------------------+
//   |      TTL      |   protocol    |        header checksum        |
//   +---------------+---------------+-------------------------------+
//   |                            source                             |
//   |                          destination                          |
//   +---------------------------------------------------------------+
const TOS = 1;
const TOTAL_LENGTH = 2;
const ID = 4;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;
/** Bytes of a header without options. */
export const IPV4_HEADER_LENGTH = 20;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/** A received header. */
export interface Ipv4Header {
  /** Bytes including options, 20..60: where the payload begins. */
  readonly headerLength: number;
  readonly tos: number;
  /** Bytes of header and payload: where the payload ends. At least headerLength, at most what was given. */
  readonly totalLength: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** Fewer bytes than a header; not version 4; IHL below 5 or beyond the packet; total length below the header or beyond the packet. */
export type Ipv4Refusal = 'truncated' | 'version' | 'header-length' | 'total-length';

/** Parses the header at the start of `packet`; bytes behind the total length (Ethernet padding) are allowed. Verifies no checksum. */
export function parseIpv4Header(packet: Uint8Array): Ipv4Header | Ipv4Refusal {
  if (packet.length < IPV4_HEADER_LENGTH) return 'truncated';
  if (packet[0]! >> 4 !== 4) return 'version';
  const headerLength = (packet[0]! & 15) * 4;
  if (headerLength < IPV4_HEADER_LENGTH || headerLength > packet.length) return 'header-length';
  const totalLength = word(packet, TOTAL_LENGTH);
  if (totalLength < headerLength || totalLength > packet.length) return 'total-length';
  const fragment = word(packet, FRAGMENT);
  return {
    headerLength,
    tos: packet[TOS]!,
    totalLength,
    id: word(packet, ID),
    dontFragment: (fragment & DONT_FRAGMENT) !== 0,
    moreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset: (fragment & OFFSET_MASK) * 8,
    ttl: packet[TTL]!,
    protocol: packet[PROTOCOL]!,
    source: formatIp(packet, SOURCE, 4),
    destination: formatIp(packet, DESTINATION, 4),
  };
}

/** Whether the checksum of a header is right. @param headerLength as parsed, in bytes */
export function ipv4ChecksumIsRight(packet: Uint8Array, headerLength: number): boolean {
  return internetChecksum(packet, 0, headerLength) === 0;
}

/** What a header to be sent says. */
export interface Ipv4HeaderFields {
  readonly tos: number;
  /** Identification, 0..65535; the kernel replaces 0 in packets of raw sockets. */
  readonly id: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/**
 * Writes a header of 20 bytes, without options and with DF clear, at the start of `packet`, with its checksum.
 * @param totalLength bytes of header and payload, 20..65535
 */
export function writeIpv4Header(packet: Uint8Array, fields: Ipv4HeaderFields, totalLength: number): void {
  packet[0] = 0x45;
  packet[TOS] = fields.tos;
  setWord(packet, TOTAL_LENGTH, totalLength);
  setWord(packet, ID, fields.id);
  setWord(packet, FRAGMENT, 0);
  packet[TTL] = fields.ttl;
  packet[PROTOCOL] = fields.protocol;
  setWord(packet, CHECKSUM, 0);
  packet.set(ipBytes(fields.source), SOURCE);
  packet.set(ipBytes(fields.destination), DESTINATION);
  setWord(packet, CHECKSUM, internetChecksum(packet, 0, IPV4_HEADER_LENGTH));
}

/** A header of 20 bytes for a payload of `payloadLength` bytes (0..65515). */
export function encodeIpv4Header(fields: Ipv4HeaderFields, payloadLength: number): Uint8Array {
  const header = new Uint8Array(IPV4_HEADER_LENGTH);
  writeIpv4Header(header, fields, IPV4_HEADER_LENGTH + payloadLength);
  return header;
}

const word = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!;

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
