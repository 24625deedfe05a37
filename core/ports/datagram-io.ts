// UDP for the real-time thread: one listener a port and family for everybody, one sender for each conversation.
// Interfaces only; every call is synchronous. core/system implements them on Linux, tests with simulated wires.
import type { Family, IpAddress } from '../net/address.ts';
import type { Instant } from '../units.ts';
import type { Pollable } from './engine-io.ts';

/** One received UDP datagram; the object and its buffer are reused, so nobody may keep them. */
export interface UdpDatagram {
  payload: Uint8Array;
  source: IpAddress;
  destination: IpAddress;
  /** The interface it came in by. */
  ifindex: number;
  /** TTL or hop limit on arrival. */
  ttl: number;
  /** When the kernel received it. */
  arrival: Instant;
}

export interface UdpListener extends Pollable {
  /** Calls `sink` for each waiting datagram, at most `limit`; returns how many there were. Never throws for what the network does. */
  receive(sink: (datagram: UdpDatagram) => void, limit: number): number;
  close(): void;
}

export interface UdpSender {
  /** Sends one datagram at once; returns the errno name when the system refused it. */
  send(payload: Uint8Array): string | undefined;
  close(): void;
}

/** One conversation's way out. */
export interface UdpSenderSpec {
  readonly destination: IpAddress;
  readonly port: number;
  /** The interface of a link-local destination; 0: as the routes say. */
  readonly ifindex: number;
  /** undefined: the system chooses. */
  readonly source: IpAddress | undefined;
  readonly sourcePort: number;
  /** TTL or hop limit. */
  readonly ttl: number;
}

/** Opens the sockets. @throws Error with `code` (EADDRINUSE, EADDRNOTAVAIL …) */
export interface DatagramNetwork {
  udpListener(family: Family, port: number): UdpListener;
  udpSender(spec: UdpSenderSpec): UdpSender;
}
