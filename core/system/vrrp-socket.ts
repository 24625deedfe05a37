// The VRRP socket port on Linux: IP protocol 112 on one interface, IPv4 or IPv6, in batches both ways.
// It knows IP headers and nothing of VRRP. One socket for all virtual routers of an interface and family: every
// raw socket gets every packet, so one each would cost n² (and 20 groups a socket are the kernel's limit).
import { type Family, familyOf, type IpAddress, ipBytes, isMulticast } from '../net/address.ts';
import type { Datagram, VrrpSocket, VrrpSocketSpec } from '../ports/engine-io.ts';
import { instant } from '../units.ts';
import { AddressTexts } from './address-texts.ts';
import { ArrivalClock } from './arrival.ts';
import * as linux from './linux.ts';
import {
  type Handle,
  type Native,
  RX_ADDRESS_SIZE,
  RX_DESTINATION_LENGTH,
  RX_LENGTH,
  RX_SOURCE_LENGTH,
  RX_SOURCE_SIZE,
  RX_TTL,
  RX_WORDS,
  type SystemError,
} from './native/index.ts';
import { SendBatch } from './send-batch.ts';
import { ipSockaddr } from './sockaddr.ts';
import { setReceiveBuffer, setSendBuffer } from './socket-buffers.ts';

const BATCH = 32;
/** Above the longest VRRP packet: 255 IPv6 addresses and an IP header. */
const STRIDE = 4608;
/** 255 routers at 10 ms make 25,500 packets a second of about 1 KiB of kernel memory: a third of a second without us. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;
const SEND_BUFFER = 2 * 1024 * 1024;
const KNOWN_DESTINATIONS = 1024;
const KNOWN_VIEWS = 2048;
/** A socket error is reported once by a receive, so a few in a row are possible; more mean that the socket is broken. */
const ERRORS = 8;
const NOTHING = new Uint8Array(0);

interface Destination {
  readonly sockaddr: Uint8Array;
  readonly flags: number;
}

export class LinuxVrrpSocket implements VrrpSocket {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #family: Family;
  readonly #ifindex: number;
  readonly #joined = new Set<IpAddress>();
  readonly #batch: SendBatch;
  readonly #destinations = new Map<IpAddress, Destination>();

  readonly #arena = new Uint8Array(BATCH * STRIDE);
  readonly #table = new Int32Array(BATCH * RX_WORDS);
  readonly #addresses = new Uint8Array(BATCH * RX_ADDRESS_SIZE);
  readonly #times = new Float64Array(BATCH);
  readonly #texts = new AddressTexts();
  readonly #views = new Map<number, Uint8Array>();
  readonly #datagram: Datagram;
  readonly #arrivals: ArrivalClock;

  /** @throws Error EPERM without CAP_NET_RAW, ENODEV without the interface, EAFNOSUPPORT without IPv6 */
  constructor(native: Native, { interface: interfaceName, ifindex, family, protocol }: VrrpSocketSpec) {
    this.#native = native;
    this.#family = family;
    this.#ifindex = ifindex;
    this.handle = native.socket(family === 4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_RAW, protocol);
    this.#arrivals = new ArrivalClock(native);
    const none = '' as IpAddress;
    this.#datagram = {
      payload: NOTHING,
      header: NOTHING,
      source: none,
      destination: none,
      ttl: 0,
      arrival: instant(0),
    };
    try {
      this.#configure(interfaceName);
      this.#batch = new SendBatch(native, this.handle);
      // until it was bound, it heard all interfaces
      for (let left = 1024; left > 0 && this.#fetch(BATCH) > 0; ) left--;
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  #configure(interfaceName: string): void {
    const set = (level: number, option: number, value: number | Uint8Array) =>
      this.#native.setsockopt(this.handle, level, option, value);
    set(linux.SOL_SOCKET, linux.SO_BINDTODEVICE, new TextEncoder().encode(`${interfaceName}\0`));
    set(linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
    setReceiveBuffer(this.#native, this.handle, RECEIVE_BUFFER);
    setSendBuffer(this.#native, this.handle, SEND_BUFFER);
    if (this.#family === 4) {
      set(linux.SOL_IP, linux.IP_HDRINCL, 1);
      set(linux.SOL_IP, linux.IP_PKTINFO, 1);
      set(linux.SOL_IP, linux.IP_RECVTTL, 1);
      set(linux.SOL_IP, linux.IP_MULTICAST_LOOP, 0);
      set(linux.SOL_IP, linux.IP_MULTICAST_ALL, 0);
      set(linux.SOL_IP, linux.IP_MULTICAST_IF, this.#membership(undefined));
    } else {
      set(linux.SOL_IPV6, linux.IPV6_HDRINCL, 1);
      set(linux.SOL_IPV6, linux.IPV6_RECVPKTINFO, 1);
      set(linux.SOL_IPV6, linux.IPV6_RECVHOPLIMIT, 1);
      set(linux.SOL_IPV6, linux.IPV6_MULTICAST_LOOP, 0);
      this.#hearOwnGroupsOnly();
      set(linux.SOL_IPV6, linux.IPV6_MULTICAST_IF, this.#ifindex);
    }
  }

  /** Since Linux 4.20; without it the groups that others joined on this interface are heard, too, which is harmless. */
  #hearOwnGroupsOnly(): void {
    try {
      this.#native.setsockopt(this.handle, linux.SOL_IPV6, linux.IPV6_MULTICAST_ALL, 0);
    } catch (error) {
      if ((error as SystemError).code !== 'ENOPROTOOPT') throw error;
    }
  }

  /** Does nothing when it has joined already. @throws Error ENODEV when the interface is gone, ENOBUFS after 20 IPv4 groups */
  join(group: IpAddress): void {
    if (this.#joined.has(group)) return;
    this.#member(group, linux.IP_ADD_MEMBERSHIP, linux.IPV6_ADD_MEMBERSHIP);
    this.#joined.add(group);
  }

  /** Does nothing when it has not joined. */
  leave(group: IpAddress): void {
    if (!this.#joined.delete(group)) return;
    this.#member(group, linux.IP_DROP_MEMBERSHIP, linux.IPV6_DROP_MEMBERSHIP);
  }

  #member(group: IpAddress, option4: number, option6: number): void {
    if (familyOf(group) !== this.#family) throw new TypeError(`${group} is not an IPv${this.#family} group`);
    const v4 = this.#family === 4;
    const request = this.#membership(group);
    this.#native.setsockopt(this.handle, v4 ? linux.SOL_IP : linux.SOL_IPV6, v4 ? option4 : option6, request);
  }

  /** struct ip_mreqn (group, local address, ifindex) or struct ipv6_mreq (group, ifindex). */
  #membership(group: IpAddress | undefined): Uint8Array {
    const index = this.#family === 4 ? 8 : 16;
    const request = new Uint8Array(index + 4);
    if (group !== undefined) request.set(ipBytes(group));
    new DataView(request.buffer).setInt32(index, this.#ifindex, true);
    return request;
  }

  receive(sink: (datagram: Datagram) => void, limit: number): number {
    let total = 0;
    let errors = 0;
    while (total < limit) {
      const wanted = Math.min(BATCH, limit - total);
      const before = this.#native.monotonic();
      const count = this.#fetch(wanted);
      if (count > 0) {
        total += count;
        this.#deliver(count, sink);
      } else if (count !== -linux.EAGAIN && ++errors <= ERRORS) continue;
      if (count < wanted) {
        this.#arrivals.emptyAt(before);
        this.ready = false;
        break;
      }
    }
    return total;
  }

  #fetch(count: number): number {
    return this.#native.recvmmsg(this.handle, this.#arena, STRIDE, count, this.#table, this.#addresses, this.#times);
  }

  #deliver(count: number, sink: (datagram: Datagram) => void): void {
    this.#arrivals.update();
    for (let i = 0; i < count; i++) {
      const understood = this.#family === 4 ? this.#readIpv4(i) : this.#readIpv6(i);
      if (!understood) continue;
      this.#datagram.arrival = this.#arrivals.of(this.#times[i]!);
      sink(this.#datagram);
    }
  }

  /** RFC 791 §3.1: version and header length, total length, TTL, source, destination. A raw IPv4 socket delivers the header. */
  #readIpv4(i: number): boolean {
    const bytes = this.#arena;
    const at = i * STRIDE;
    const length = this.#table[i * RX_WORDS + RX_LENGTH]!;
    if (length < 20 || bytes[at]! >> 4 !== 4) return false;
    const header = (bytes[at]! & 15) * 4;
    const end = Math.min((bytes[at + 2]! << 8) | bytes[at + 3]!, length);
    if (header < 20 || header > end) return false;
    this.#datagram.payload = this.#view(at + header, end - header);
    this.#datagram.header = this.#view(at, header);
    this.#datagram.source = this.#texts.text(bytes, at + 12, 4);
    this.#datagram.destination = this.#texts.text(bytes, at + 16, 4);
    this.#datagram.ttl = bytes[at + 8]!;
    return true;
  }

  /** A raw IPv6 socket delivers the payload; the rest comes beside it (RFC 3542 §6). */
  #readIpv6(i: number): boolean {
    const row = i * RX_WORDS;
    const at = i * RX_ADDRESS_SIZE;
    if (this.#table[row + RX_SOURCE_LENGTH]! < 28 || this.#table[row + RX_DESTINATION_LENGTH] !== 16) return false;
    this.#datagram.payload = this.#view(i * STRIDE, this.#table[row + RX_LENGTH]!);
    this.#datagram.source = this.#texts.text(this.#addresses, at + 8, 16);
    this.#datagram.destination = this.#texts.text(this.#addresses, at + RX_SOURCE_SIZE, 16);
    this.#datagram.ttl = this.#table[row + RX_TTL]!;
    return true;
  }

  /** A view of the arena, made once for each place and length that occurs. */
  #view(start: number, length: number): Uint8Array {
    const key = start * (STRIDE + 1) + length;
    let view = this.#views.get(key);
    if (view === undefined) {
      if (this.#views.size >= KNOWN_VIEWS) this.#views.clear();
      view = this.#arena.subarray(start, start + length);
      this.#views.set(key, view);
    }
    return view;
  }

  queue(packet: Uint8Array, destination: IpAddress): void {
    let known = this.#destinations.get(destination);
    if (known === undefined) {
      if (this.#destinations.size >= KNOWN_DESTINATIONS) this.#destinations.clear();
      // multicast must leave here even when the routing table has no way for it; unicast peers may be routed
      const flags = this.#family === 4 && isMulticast(destination) ? linux.MSG_DONTROUTE : 0;
      known = { sockaddr: ipSockaddr(destination, this.#ifindex), flags };
      this.#destinations.set(destination, known);
    }
    this.#batch.add(packet, known.sockaddr, known.flags);
  }

  flush(): readonly string[] {
    return this.#batch.flush();
  }

  close(): void {
    this.#native.close(this.handle);
  }
}
