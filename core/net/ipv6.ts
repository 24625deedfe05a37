// IPv6 headers (RFC 8200 §3). Extension headers are payload here. Pure.
import { formatIp, type IpAddress, ipBytes } from './address.ts';

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------+---------------+---------------------------------------+
//   |  6    | traffic class |              flow label               |
//   +-------+---------------+-------+---------------+---------------+
//   |        payload length         |  next header  |   hop limit   |
//   +-------------------------------+---------------+---------------+
//   |                        source (16 bytes)                      |
//   |                     destination (16 bytes)                    |
//   +---------------------------------------------------------------+
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
const SOURCE = 8;
const DESTINATION = 24;
/** Bytes of the fixed header. */
export const IPV6_HEADER_LENGTH = 40;

export interface Ipv6HeaderFields {
  readonly trafficClass: number;
  /** 20 bits. */
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** A received header. */
export interface Ipv6Header extends Ipv6HeaderFields {
  /** Bytes behind the fixed header; at most what was given. */
  readonly payloadLength: number;
}

/** Fewer bytes than a header; not version 6; a payload beyond the packet. */
export type Ipv6Refusal = 'truncated' | 'version' | 'payload-length';

/** Parses the header at the start of `packet`; bytes behind the payload (Ethernet padding) are allowed. */
export function parseIpv6Header(packet: Uint8Array): Ipv6Header | Ipv6Refusal {
  if (packet.length < IPV6_HEADER_LENGTH) return 'truncated';
  if (packet[0]! >> 4 !== 6) return 'version';
  const payloadLength = (packet[PAYLOAD_LENGTH]! << 8) | packet[PAYLOAD_LENGTH + 1]!;
  if (payloadLength > packet.length - IPV6_HEADER_LENGTH) return 'payload-length';
  return {
    trafficClass: ((packet[0]! & 15) << 4) | (packet[1]! >> 4),
    flowLabel: ((packet[1]! & 15) << 16) | (packet[2]! << 8) | packet[3]!,
    payloadLength,
    nextHeader: packet[NEXT_HEADER]!,
    hopLimit: packet[HOP_LIMIT]!,
    source: formatIp(packet, SOURCE, 16),
    destination: formatIp(packet, DESTINATION, 16),
  };
}

/** Writes the 40 bytes of a header at the start of `packet`. @param payloadLength bytes behind it, 0..65535 */
export function writeIpv6Header(packet: Uint8Array, fields: Ipv6HeaderFields, payloadLength: number): void {
  packet[0] = 0x60 | (fields.trafficClass >> 4);
  packet[1] = ((fields.trafficClass & 15) << 4) | (fields.flowLabel >> 16);
  packet[2] = (fields.flowLabel >> 8) & 0xff;
  packet[3] = fields.flowLabel & 0xff;
  packet[PAYLOAD_LENGTH] = payloadLength >> 8;
  packet[PAYLOAD_LENGTH + 1] = payloadLength & 0xff;
  packet[NEXT_HEADER] = fields.nextHeader;
  packet[HOP_LIMIT] = fields.hopLimit;
  packet.set(ipBytes(fields.source), SOURCE);
  packet.set(ipBytes(fields.destination), DESTINATION);
}

/** A header of 40 bytes for a payload of `payloadLength` bytes (0..65535). */
export function encodeIpv6Header(fields: Ipv6HeaderFields, payloadLength: number): Uint8Array {
  const header = new Uint8Array(IPV6_HEADER_LENGTH);
  writeIpv6Header(header, fields, payloadLength);
  return header;
}
