// Ethernet II frame headers (RFC 894), without VLAN tags. Knows nothing of what the frames carry. Pure.
import { familyOf, formatMac, type IpAddress, ipBytes, type MacAddress, macBytes } from './address.ts';

//   0               6               12      14
//   +---------------+---------------+-------+---------
//   |  destination  |    source     | type  | payload
//   +---------------+---------------+-------+---------
const DESTINATION = 0;
const SOURCE = 6;
const TYPE = 12;
/** Bytes of an Ethernet header. */
export const ETHERNET_HEADER_LENGTH = 14;

/** Values of the type field (IEEE 802 numbers, linux/if_ether.h). */
export const EtherType = { IPV4: 0x0800, ARP: 0x0806, IPV6: 0x86dd } as const;

/** The type field holds a length below this value (IEEE 802.3). */
const FIRST_TYPE = 0x0600;

export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** 0x0600..0xffff. */
  readonly type: number;
}

/** Shorter than a header, or an 802.3 frame whose type field is a length. */
export type EthernetRefusal = 'truncated' | 'ether-type';

export function decodeEthernetHeader(frame: Uint8Array): EthernetHeader | EthernetRefusal {
  if (frame.length < ETHERNET_HEADER_LENGTH) return 'truncated';
  const type = (frame[TYPE]! << 8) | frame[TYPE + 1]!;
  if (type < FIRST_TYPE) return 'ether-type';
  return { destination: formatMac(frame, DESTINATION), source: formatMac(frame, SOURCE), type };
}

/** A new frame: the header and room for `payloadLength` zero bytes behind it. Nothing is padded; the driver does that. */
export function newEthernetFrame(header: EthernetHeader, payloadLength: number): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + payloadLength);
  frame.set(macBytes(header.destination), DESTINATION);
  frame.set(macBytes(header.source), SOURCE);
  frame[TYPE] = header.type >> 8;
  frame[TYPE + 1] = header.type & 0xff;
  return frame;
}

/** The Ethernet address that a multicast group maps to: 01:00:5e and 23 bits (RFC 1112 §6.4), or 33:33 and 32 bits (RFC 2464 §7). */
export function multicastMac(group: IpAddress): MacAddress {
  const bytes = ipBytes(group);
  if (familyOf(group) === 6) return formatMac(Uint8Array.of(0x33, 0x33, ...bytes.subarray(12)), 0);
  return formatMac(Uint8Array.of(0x01, 0x00, 0x5e, bytes[1]! & 0x7f, bytes[2]!, bytes[3]!), 0);
}
