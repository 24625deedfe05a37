// Cuts a captured Ethernet frame down to its VRRP message. Just enough for frames known to be well formed.
import { type Family, formatIp, type IpAddress } from '../../core/net/address.ts';

const ETHERNET_HEADER = 14;

export interface Frame {
  readonly family: Family;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly pdu: Uint8Array;
}

export function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16));
}

export const hexText = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');

export function cutFrame(l2: string): Frame {
  const ip = hexBytes(l2).subarray(ETHERNET_HEADER);
  if (ip[0]! >> 4 === 4) {
    const length = (ip[2]! << 8) | ip[3]!;
    return {
      family: 4,
      source: formatIp(ip, 12, 4),
      destination: formatIp(ip, 16, 4),
      ttl: ip[8]!,
      pdu: ip.subarray((ip[0]! & 15) * 4, length),
    };
  }
  const length = (ip[4]! << 8) | ip[5]!;
  return {
    family: 6,
    source: formatIp(ip, 8, 16),
    destination: formatIp(ip, 24, 16),
    ttl: ip[7]!,
    pdu: ip.subarray(40, 40 + length),
  };
}
