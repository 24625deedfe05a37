// UDP ports for BFD on Linux: listeners that tell TTL, interface and time of arrival, in batches, and senders that are
// never read from. They know UDP and nothing of BFD.
import { type Family, familyOf, type IpAddress } from '../net/address.ts';
import type { DatagramNetwork, UdpDatagram, UdpListener, UdpSender, UdpSenderSpec } from '../ports/datagram-io.ts';
import { instant } from '../units.ts';
import { AddressTexts } from './address-texts.ts';
import { ArrivalClock } from './arrival.ts';
import * as linux from './linux.ts';
import {
  type Handle,
  type Native,
  RX_ADDRESS_SIZE,
  RX_DESTINATION_LENGTH,
  RX_IFINDEX,
  RX_LENGTH,
  RX_SOURCE_LENGTH,
  RX_SOURCE_SIZE,
  RX_TTL,
  RX_WORDS,
} from './native/index.ts';
import { ipSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const BATCH = 32;
/** Longer than any packet that will be accepted; what is cut off is refused by its length. */
const STRIDE = 128;
const RECEIVE_BUFFER = 2 * 1024 * 1024;
/** Network control, as routers send such packets (RFC 4594 §3.1). */
const CLASS_SELECTOR_6 = 0xc0;
const ERRORS = 8;

/** Opens the sockets. */
export class LinuxDatagrams implements DatagramNetwork {
  readonly #native: Native;

  constructor(native: Native) {
    this.#native = native;
  }

  udpListener(family: Family, port: number): UdpListener {
    return new LinuxUdpListener(this.#native, family, port);
  }

  udpSender(spec: UdpSenderSpec): UdpSender {
    return new LinuxUdpSender(this.#native, spec);
  }
}

class LinuxUdpListener implements UdpListener {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #family: Family;
  readonly #arena = new Uint8Array(BATCH * STRIDE);
  readonly #table = new Int32Array(BATCH * RX_WORDS);
  readonly #addresses = new Uint8Array(BATCH * RX_ADDRESS_SIZE);
  readonly #times = new Float64Array(BATCH);
  readonly #texts = new AddressTexts();
  readonly #views: Uint8Array[][] = Array.from({ length: BATCH }, () => []);
  readonly #arrivals: ArrivalClock;
  readonly #datagram: UdpDatagram;

  constructor(native: Native, family: Family, port: number) {
    this.#native = native;
    this.#family = family;
    this.#arrivals = new ArrivalClock(native);
    const none = '' as IpAddress;
    this.#datagram = {
      payload: this.#arena,
      source: none,
      destination: none,
      ifindex: 0,
      ttl: 0,
      arrival: instant(0),
    };
    this.handle = native.socket(family === 4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_DGRAM, 0);
    try {
      const set = (level: number, option: number) => native.setsockopt(this.handle, level, option, 1);
      set(linux.SOL_SOCKET, linux.SO_TIMESTAMPNS);
      setReceiveBuffer(native, this.handle, RECEIVE_BUFFER);
      if (family === 4) {
        set(linux.SOL_IP, linux.IP_PKTINFO);
        set(linux.SOL_IP, linux.IP_RECVTTL);
      } else {
        set(linux.SOL_IPV6, linux.IPV6_V6ONLY);
        set(linux.SOL_IPV6, linux.IPV6_RECVPKTINFO);
        set(linux.SOL_IPV6, linux.IPV6_RECVHOPLIMIT);
      }
      native.bind(this.handle, withPort(family === 4 ? ANY4 : ANY6, 0, port));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  receive(sink: (datagram: UdpDatagram) => void, limit: number): number {
    let total = 0;
    let errors = 0;
    while (total < limit) {
      const wanted = Math.min(BATCH, limit - total);
      const before = this.#native.monotonic();
      const count = this.#native.recvmmsg(
        this.handle,
        this.#arena,
        STRIDE,
        wanted,
        this.#table,
        this.#addresses,
        this.#times,
      );
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

  #deliver(count: number, sink: (datagram: UdpDatagram) => void): void {
    const v4 = this.#family === 4;
    const length = v4 ? 4 : 16;
    const datagram = this.#datagram;
    this.#arrivals.update();
    for (let i = 0; i < count; i++) {
      const row = i * RX_WORDS;
      const at = i * RX_ADDRESS_SIZE;
      if (this.#table[row + RX_SOURCE_LENGTH]! < (v4 ? 16 : 28) || this.#table[row + RX_DESTINATION_LENGTH] !== length)
        continue;
      datagram.payload = this.#view(i, this.#table[row + RX_LENGTH]!);
      datagram.source = this.#texts.text(this.#addresses, at + (v4 ? 4 : 8), length);
      datagram.destination = this.#texts.text(this.#addresses, at + RX_SOURCE_SIZE, length);
      datagram.ifindex = this.#table[row + RX_IFINDEX]!;
      datagram.ttl = this.#table[row + RX_TTL]!;
      datagram.arrival = this.#arrivals.of(this.#times[i]!);
      sink(datagram);
    }
  }

  /** A view of the arena, made once for each place and length that occurs. */
  #view(i: number, length: number): Uint8Array {
    const views = this.#views[i]!;
    views[length] ??= this.#arena.subarray(i * STRIDE, i * STRIDE + length);
    return views[length];
  }

  close(): void {
    this.#native.close(this.handle);
  }
}

class LinuxUdpSender implements UdpSender {
  readonly #native: Native;
  readonly #handle: Handle;
  readonly #destination: Uint8Array;

  constructor(native: Native, { destination, port, ifindex, source, sourcePort, ttl }: UdpSenderSpec) {
    const v4 = familyOf(destination) === 4;
    this.#native = native;
    this.#destination = withPort(destination, ifindex, port);
    this.#handle = native.socket(v4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_DGRAM, 0);
    try {
      const set = (level: number, option: number, value: number) =>
        native.setsockopt(this.#handle, level, option, value);
      // Whatever is sent to this port: nobody reads it, so the kernel need not keep it.
      native.attachFilter(this.#handle, DROP_ALL);
      if (v4) {
        set(linux.SOL_IP, linux.IP_TTL, ttl);
        set(linux.SOL_IP, linux.IP_TOS, CLASS_SELECTOR_6);
      } else {
        set(linux.SOL_IPV6, linux.IPV6_V6ONLY, 1);
        set(linux.SOL_IPV6, linux.IPV6_UNICAST_HOPS, ttl);
        set(linux.SOL_IPV6, linux.IPV6_TCLASS, CLASS_SELECTOR_6);
      }
      native.bind(this.#handle, withPort(source ?? (v4 ? ANY4 : ANY6), ifindex, sourcePort));
    } catch (error) {
      native.close(this.#handle);
      throw error;
    }
  }

  send(payload: Uint8Array): string | undefined {
    const sent = this.#native.sendmsg(this.#handle, payload, this.#destination, undefined, 0);
    return sent < 0 ? this.#native.errnoName(sent) : undefined;
  }

  close(): void {
    this.#native.close(this.#handle);
  }
}

const ANY4 = '0.0.0.0' as IpAddress;
const ANY6 = '::' as IpAddress;

/** Classic BPF, one instruction: return 0, keep no byte of it. */
const DROP_ALL = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0, 0);

/** The port follows the family in both kinds of sockaddr, in network order. */
function withPort(address: IpAddress, scope: number, port: number): Uint8Array {
  const sockaddr = ipSockaddr(address, scope);
  sockaddr[2] = port >> 8;
  sockaddr[3] = port & 255;
  return sockaddr;
}
