// Packets of one IP protocol as they come in on an interface, before macvlans above it and the firewall see them: a packet
// socket with a filter in the kernel (packet(7), classic BPF). It knows IP headers and nothing of VRRP.
import type { Family, IpAddress } from '../net/address.ts';
import { internetChecksum } from '../net/checksum.ts';
import type { Datagram, Pollable } from '../ports/engine-io.ts';
import { instant } from '../units.ts';
import { AddressTexts } from './address-texts.ts';
import { ArrivalClock } from './arrival.ts';
import * as linux from './linux.ts';
import { type Handle, type Native, RX_ADDRESS_SIZE, RX_LENGTH, RX_WORDS } from './native/index.ts';
import { tapSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const BATCH = 32;
/** Above the longest VRRP packet: 255 IPv6 addresses and an IP header. */
const STRIDE = 4608;
const RECEIVE_BUFFER = 8 * 1024 * 1024;
const KNOWN_VIEWS = 2048;
const ERRORS = 8;
const NOTHING = new Uint8Array(0);
const IPV6_HEADER = 40;
/** More fragments, and the offset of a fragment (RFC 791 §3.1). */
const FRAGMENT = 0x3fff;

export class PacketTap implements Pollable {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #family: Family;
  readonly #arena = new Uint8Array(BATCH * STRIDE);
  readonly #table = new Int32Array(BATCH * RX_WORDS);
  readonly #addresses = new Uint8Array(BATCH * RX_ADDRESS_SIZE);
  readonly #times = new Float64Array(BATCH);
  readonly #texts = new AddressTexts();
  readonly #views = new Map<number, Uint8Array>();
  readonly #arrivals: ArrivalClock;
  readonly #datagram: Datagram;

  /** @throws Error EPERM without CAP_NET_RAW, ENODEV without the interface, ENOPROTOOPT before Linux 4.20 */
  constructor(native: Native, ifindex: number, family: Family, protocol: number) {
    this.#native = native;
    this.#family = family;
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
    // protocol 0: it hears nothing until it is bound, and then only what passes the filter
    this.handle = native.socket(linux.AF_PACKET, linux.SOCK_DGRAM, 0);
    try {
      native.attachFilter(this.handle, tapFilter(family, protocol));
      native.setsockopt(this.handle, linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, 1);
      native.setsockopt(this.handle, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
      setReceiveBuffer(native, this.handle, RECEIVE_BUFFER);
      native.bind(this.handle, tapSockaddr(ifindex));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  /** Has the hardware take frames to a multicast address, without telling the network (no IGMP, no MLD). @param mac 6 bytes */
  hear(mac: Uint8Array, ifindex: number): void {
    // struct packet_mreq: ifindex i32, type u16 (0: multicast), length u16, address
    const request = new Uint8Array(16);
    const view = new DataView(request.buffer);
    view.setInt32(0, ifindex, true);
    view.setUint16(6, mac.length, true);
    request.set(mac, 8);
    this.#native.setsockopt(this.handle, linux.SOL_PACKET, linux.PACKET_ADD_MEMBERSHIP, request);
  }

  /** As VrrpSocket.receive. */
  receive(sink: (datagram: Datagram) => void, limit: number): number {
    let total = 0;
    let errors = 0;
    while (total < limit) {
      const wanted = Math.min(BATCH, limit - total);
      const before = this.#native.monotonic();
      const count = this.#fetch(wanted);
      if (count > 0) {
        total += count;
        this.#arrivals.update();
        for (let i = 0; i < count; i++) {
          if (!(this.#family === 4 ? this.#readIpv4(i) : this.#readIpv6(i))) continue;
          this.#datagram.arrival = this.#arrivals.of(this.#times[i]!);
          sink(this.#datagram);
        }
        // ENETDOWN while the interface is off is reported once by a receive
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

  /** RFC 791 §3.1, RFC 1122 §3.2.1: what the IP layer would have refused; no part of a packet is taken for a whole one. */
  #readIpv4(i: number): boolean {
    const bytes = this.#arena;
    const at = i * STRIDE;
    const length = Math.min(this.#table[i * RX_WORDS + RX_LENGTH]!, STRIDE);
    if (length < 20 || bytes[at]! >> 4 !== 4) return false;
    const header = (bytes[at]! & 15) * 4;
    const total = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (header < 20 || header > total || total > length) return false;
    if ((((bytes[at + 6]! << 8) | bytes[at + 7]!) & FRAGMENT) !== 0) return false;
    if (internetChecksum(bytes, at, at + header) !== 0) return false;
    this.#datagram.payload = this.#view(at + header, total - header);
    this.#datagram.header = this.#view(at, header);
    this.#datagram.source = this.#texts.text(bytes, at + 12, 4);
    this.#datagram.destination = this.#texts.text(bytes, at + 16, 4);
    this.#datagram.ttl = bytes[at + 8]!;
    return true;
  }

  /** RFC 8200 §3; a packet with extension headers does not pass the filter. */
  #readIpv6(i: number): boolean {
    const bytes = this.#arena;
    const at = i * STRIDE;
    const length = Math.min(this.#table[i * RX_WORDS + RX_LENGTH]!, STRIDE);
    if (length < IPV6_HEADER || bytes[at]! >> 4 !== 6) return false;
    const payload = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    if (IPV6_HEADER + payload > length) return false;
    this.#datagram.payload = this.#view(at + IPV6_HEADER, payload);
    this.#datagram.source = this.#texts.text(bytes, at + 8, 16);
    this.#datagram.destination = this.#texts.text(bytes, at + 24, 16);
    this.#datagram.ttl = bytes[at + 7]!;
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

  close(): void {
    this.#native.close(this.handle);
  }
}

// struct sock_filter: code u16, jt u8, jf u8, k u32. linux/filter.h
const LOAD_WORD = 0x20;
const LOAD_BYTE = 0x30;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const RETURN = 0x06;
/** What the kernel knows beside the bytes (SKF_AD_OFF and what it is added to). */
const ANCILLARY = 0xffff_f000;
const ETHERTYPE = ANCILLARY;
const PACKET_TYPE = ANCILLARY + 4;
const VLAN_TAG_PRESENT = ANCILLARY + 48;
/** PACKET_HOST, PACKET_BROADCAST and PACKET_MULTICAST are 0, 1 and 2; what is above was not sent to us. */
const PACKET_MULTICAST = 2;

type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

/** The packets of one IP protocol that were sent to us, untagged. Offsets count from the IP header. */
function tapFilter(family: Family, protocol: number): Uint8Array {
  return program([
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_GREATER, 7, 0, PACKET_MULTICAST],
    [LOAD_WORD, 0, 0, VLAN_TAG_PRESENT],
    [JUMP_EQUAL, 0, 5, 0],
    [LOAD_WORD, 0, 0, ETHERTYPE],
    [JUMP_EQUAL, 0, 3, family === 4 ? 0x0800 : 0x86dd],
    [LOAD_BYTE, 0, 0, family === 4 ? 9 : 6],
    [JUMP_EQUAL, 0, 1, protocol],
    [RETURN, 0, 0, 0xffff],
    [RETURN, 0, 0, 0],
  ]);
}

/** For sockets that only send: they hear nothing. */
export const HEAR_NOTHING: Uint8Array = program([[RETURN, 0, 0, 0]]);

function program(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, whenTrue, whenFalse, operand]] of instructions.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, whenTrue);
    view.setUint8(i * 8 + 3, whenFalse);
    view.setUint32(i * 8 + 4, operand >>> 0, true);
  }
  return bytes;
}
