// ARP for IPv4 over Ethernet (RFC 826) and the gratuitous form with which a new master announces an address (RFC 5227 §3).
// Decodes and builds whole frames; sends nothing. Pure.
import { BROADCAST_MAC, formatIp, formatMac, type IpAddress, ipBytes, type MacAddress, macBytes } from './address.ts';
import {
  decodeEthernetHeader,
  ETHERNET_HEADER_LENGTH,
  type EthernetRefusal,
  EtherType,
  newEthernetFrame,
} from './ethernet.ts';

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------------------------------+-------------------------------+
//   |    hardware type = 1          |    protocol type = 0x0800     |
//   +---------------+---------------+-------------------------------+
//   | hw length = 6 | pr length = 4 |    operation                  |
//   +---------------+---------------+-------------------------------+
//   |    sender hardware address (6), sender protocol address (4)   |
//   |    target hardware address (6), target protocol address (4)   |
//   +---------------------------------------------------------------+
const OPERATION = 6;
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
const ARP_LENGTH = 28;
const FIXED_FIELDS = [0, 1, 8, 0, 6, 4];

/** An ARP packet for IPv4 over Ethernet. */
export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: MacAddress;
  readonly senderIp: IpAddress;
  readonly targetMac: MacAddress;
  readonly targetIp: IpAddress;
}

/** An ARP packet in its Ethernet frame. */
export interface ArpFrame {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly arp: ArpPacket;
}

/** Not Ethernet II; not ARP; too short; not IPv4 over Ethernet; an operation other than request and reply. */
export type ArpRefusal = EthernetRefusal | 'not-arp' | 'truncated' | 'address-type' | 'operation';

/** Decodes a frame; trailing padding is ignored. */
export function decodeArp(frame: Uint8Array): ArpFrame | ArpRefusal {
  const ethernet = decodeEthernetHeader(frame);
  if (typeof ethernet === 'string') return ethernet;
  if (ethernet.type !== EtherType.ARP) return 'not-arp';
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
  if (packet.length < ARP_LENGTH) return 'truncated';
  if (FIXED_FIELDS.some((value, i) => packet[i] !== value)) return 'address-type';
  const operation = (packet[OPERATION]! << 8) | packet[OPERATION + 1]!;
  if (operation !== 1 && operation !== 2) return 'operation';
  return {
    destination: ethernet.destination,
    source: ethernet.source,
    arp: {
      operation: operation === 1 ? 'request' : 'reply',
      senderMac: formatMac(packet, SENDER_MAC),
      senderIp: formatIp(packet, SENDER_IP, 4),
      targetMac: formatMac(packet, TARGET_MAC),
      targetIp: formatIp(packet, TARGET_IP, 4),
    },
  };
}

/** The 42 bytes of a frame, unpadded: the driver pads to the minimum of 60. Both IP addresses must be IPv4. */
export function encodeArp({ destination, source, arp }: ArpFrame): Uint8Array {
  const frame = newEthernetFrame({ destination, source, type: EtherType.ARP }, ARP_LENGTH);
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
  packet.set(FIXED_FIELDS);
  packet[OPERATION + 1] = arp.operation === 'request' ? 1 : 2;
  packet.set(macBytes(arp.senderMac), SENDER_MAC);
  packet.set(ipBytes(arp.senderIp), SENDER_IP);
  packet.set(macBytes(arp.targetMac), TARGET_MAC);
  packet.set(ipBytes(arp.targetIp), TARGET_IP);
  return frame;
}

/** The broadcast request that tells a LAN that `address` is at `mac` now, bit for bit as keepalived and FRR send it. */
export function gratuitousArp(mac: MacAddress, address: IpAddress): Uint8Array {
  return encodeArp({
    destination: BROADCAST_MAC,
    source: mac,
    arp: {
      operation: 'request',
      senderMac: mac,
      senderIp: address,
      targetMac: BROADCAST_MAC,
      targetIp: address,
    },
  });
}

/** The broadcast question who holds `address`, without an address of our own: no cache learns from it (RFC 5227 §2.1.1). */
export function arpProbe(mac: MacAddress, address: IpAddress): Uint8Array {
  return encodeArp({
    destination: BROADCAST_MAC,
    source: mac,
    arp: {
      operation: 'request',
      senderMac: mac,
      senderIp: '0.0.0.0' as IpAddress,
      targetMac: '00:00:00:00:00:00' as MacAddress,
      targetIp: address,
    },
  });
}

/**
 * The same as a broadcast reply (RFC 5944 §4.6). For a virtual MAC address: a request is answered by a machine that still has
 * the address, and that answer, from the same MAC address, teaches the switches the way to the wrong machine.
 */
export function gratuitousArpReply(mac: MacAddress, address: IpAddress): Uint8Array {
  return encodeArp({
    destination: BROADCAST_MAC,
    source: mac,
    arp: { operation: 'reply', senderMac: mac, senderIp: address, targetMac: mac, targetIp: address },
  });
}

/** Whether a MAC address is that of a virtual router over IPv4 (RFC 9568 §7.3). */
export const isVirtualRouterMac = (mac: MacAddress): boolean => mac.startsWith('00:00:5e:00:01:');

/** Whether a packet announces its sender's own address: sender and target address are the same (RFC 5227 §3). */
export const isGratuitous = (arp: ArpPacket): boolean => arp.senderIp === arp.targetIp;
