// What the real-time thread needs from the operating system. Interfaces only; every call is synchronous.
// core/system implements them on Linux, test/support with a simulated LAN.
import type { Family, IpAddress, MacAddress } from '../net/address.ts';
import type { Instant, Micros } from '../units.ts';

/** CLOCK_MONOTONIC. */
export interface Clock {
  now(): Instant;
  /** CLOCK_BOOTTIME: how long ago the machine started, with the time it was suspended. Absent: nobody knows. */
  sinceBoot?(): Micros;
}

/** Something that can become readable; `ready` is set by Poller.wait and cleared by whoever drained it. */
export interface Pollable {
  ready: boolean;
}

export interface Poller {
  add(source: Pollable): void;
  remove(source: Pollable): void;
  /** Blocks until a source is readable or the deadline has come; sets `ready` on those that are. */
  wait(until: Instant | undefined): void;
}

/** One received IP datagram; the object and its buffer are reused, so nobody may keep them. */
export interface Datagram {
  /** The payload after the IP header; under IP protocol 51 it begins with the authentication header. */
  payload: Uint8Array;
  /** The IPv4 header as received, with its options; empty for IPv6. */
  header: Uint8Array;
  source: IpAddress;
  destination: IpAddress;
  ttl: number;
  /** When the kernel received it. */
  arrival: Instant;
}

/** IP protocol 112, or VRRP behind an authentication header (51), on one interface and family. */
export interface VrrpSocket extends Pollable {
  join(group: IpAddress): void;
  leave(group: IpAddress): void;
  /** Calls `sink` for each waiting datagram, at most `limit`; returns how many there were. Never throws for what the network does. */
  receive(sink: (datagram: Datagram) => void, limit: number): number;
  /**
   * Queues a complete IP packet (header included, checksum and id filled in by the kernel where zero) for `flush`.
   * The bytes must stay unchanged until then.
   * @param through leave by this interface instead, with its MAC address: a macvlan above the socket's interface. Multicast
   * only, and only from a socket that was opened to receive `below`.
   */
  queue(packet: Uint8Array, destination: IpAddress, through?: LinkInfo): void;
  /** Sends everything queued with as few system calls as possible; returns the errno names of what failed. */
  flush(): readonly string[];
  close(): void;
}

/** Ethernet frames out of any interface (AF_PACKET). */
export interface FrameSocket {
  queue(frame: Uint8Array, ifindex: number): void;
  flush(): readonly string[];
  close(): void;
}

/** What a frame tap is for. */
export interface FrameTapSpec {
  readonly interface: string;
  readonly ifindex: number;
  /** Which EtherType; `all`: any. */
  readonly etherType: number | 'all';
  /** Classic BPF over the frame from the destination MAC on (core/net/bpf.ts); runs in the kernel. */
  readonly filter: Uint8Array;
}

/** Frames that arrive on one interface from elsewhere, chosen in the kernel (AF_PACKET). Sends nothing. */
export interface FrameTap extends Pollable {
  /** Calls `sink` for each waiting frame, at most `limit`; returns how many there were. The bytes are reused. Never throws for what the network does. */
  receive(sink: (frame: Uint8Array) => void, limit: number): number;
  close(): void;
}

/** A kernel answer to one request: 0 or a negative errno, with its name. */
export interface NetlinkAck {
  readonly error: number;
  readonly name: string;
}

/** NETLINK_ROUTE. */
export interface RouteSocket {
  /** Sends whole netlink messages packed into one datagram, in order; each must carry NLM_F_ACK. One ack a message, in the same order. */
  request(messages: readonly Uint8Array[]): readonly NetlinkAck[];
  /** Runs one dump request; calls `sink` with every message of the answer. @throws Error after repeated interruption */
  dump(request: Uint8Array, sink: (message: Uint8Array) => void): void;
  close(): void;
}

/** Link and address changes as the kernel multicasts them. */
export interface RouteMonitor extends Pollable {
  /** Calls `sink` with each waiting message; 'overrun' means some were lost and everything must be read anew. */
  receive(sink: (message: Uint8Array) => void): 'ok' | 'overrun';
  close(): void;
}

/** An interface as the kernel describes it. */
export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  /** IFF_UP and IFF_RUNNING: can carry traffic. */
  readonly running: boolean;
  readonly loopback: boolean;
}

/** What a VRRP socket is for. */
export interface VrrpSocketSpec {
  /** The interface it hears and speaks on. */
  readonly interface: string;
  readonly ifindex: number;
  readonly family: Family;
  /** 112: VRRP itself; 51: VRRPv2 behind an authentication header (RFC 2402), IPv4 only. */
  readonly protocol: 112 | 51;
  /** Receive below the interfaces that stand above this one (macvlans), and before the firewall. Default false. */
  readonly below?: boolean;
  /** Tell the network which multicast groups are heard (IGMP, MLD). Default true; false needs `below`. */
  readonly reportsGroups?: boolean;
}

/** Opens the sockets. @throws Error with `code` (EPERM, ENODEV …) and the fix in its message */
export interface EngineNetwork {
  vrrpSocket(spec: VrrpSocketSpec): VrrpSocket;
  frameSocket(): FrameSocket;
  /** Absent where frames cannot be seen (the portable transport). */
  frameTap?(spec: FrameTapSpec): FrameTap;
  routeSocket(): RouteSocket;
  /** @param groups bits of RTMGRP_; default: links and addresses */
  routeMonitor(groups?: number): RouteMonitor;
}
