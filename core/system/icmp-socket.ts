// A raw socket for ICMP or ICMPv6: requests out, by an address and an interface where they are named, and what answers
// them in. A filter in the kernel keeps everybody else's messages away. It knows no request.
import { type Family, formatIp, type IpAddress, ipBytes } from '../net/address.ts';
import { answerFilter, decodeIcmpAnswer, type IcmpAnswer } from '../net/icmp.ts';
import { parseIpv4Header } from '../net/ipv4.ts';
import * as linux from './linux.ts';
import {
  type Handle,
  type Native,
  RX_ADDRESS_SIZE,
  RX_FLAGS,
  RX_IFINDEX,
  RX_LENGTH,
  RX_SOURCE_LENGTH,
  RX_TTL,
  RX_WORDS,
} from './native/index.ts';
import { ipSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const BATCH = 16;
/** Above the largest echo reply that is taken, with its headers. */
const STRIDE = 9216;
/** What waits beyond this is dropped by the kernel: a flood costs no more memory than that. */
const RECEIVE_BUFFER = 1024 * 1024;
const ERRORS = 8;
const ALIGNMENT = 8;
const CONTROL_HEADER = 16;

/** How a message leaves. */
export interface Way {
  readonly source?: IpAddress;
  /** 0: as the routing table says. */
  readonly ifindex: number;
  /** Absent: the system's. */
  readonly ttl?: number;
}

/**
 * What came, valid during the call: from whom, over which interface (0 in IPv4), when by CLOCK_REALTIME in microseconds
 * (0: the kernel did not say).
 */
export type IcmpSink = (answer: IcmpAnswer, source: IpAddress, ifindex: number, arrival: number) => void;

export class IcmpSocket {
  readonly handle: Handle;
  readonly #native: Native;
  readonly #family: Family;
  readonly #arena = new Uint8Array(BATCH * STRIDE);
  readonly #table = new Int32Array(BATCH * RX_WORDS);
  readonly #addresses = new Uint8Array(BATCH * RX_ADDRESS_SIZE);
  readonly #times = new Float64Array(BATCH);

  /**
   * @param identifier of the echo requests whose answers it hears
   * @throws Error EPERM without CAP_NET_RAW, EAFNOSUPPORT without IPv6
   */
  constructor(native: Native, family: Family, identifier: number) {
    this.#native = native;
    this.#family = family;
    const [domain, protocol] =
      family === 4 ? [linux.AF_INET, linux.IPPROTO_ICMP] : [linux.AF_INET6, linux.IPPROTO_ICMPV6];
    this.handle = native.socket(domain, linux.SOCK_RAW, protocol);
    try {
      native.attachFilter(this.handle, answerFilter(family, identifier));
      setReceiveBuffer(native, this.handle, RECEIVE_BUFFER);
      native.setsockopt(this.handle, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
      if (family === 6) {
        native.setsockopt(this.handle, linux.SOL_IPV6, linux.IPV6_RECVPKTINFO, 1);
        native.setsockopt(this.handle, linux.SOL_IPV6, linux.IPV6_RECVHOPLIMIT, 1);
      }
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  /** Sends at once. @returns the name of the error, if any */
  send(message: Uint8Array, target: IpAddress, way: Way): string | undefined {
    const sent = this.#native.sendmsg(this.handle, message, ipSockaddr(target, way.ifindex), this.#control(way), 0);
    return sent < 0 ? this.#native.errnoName(sent) : undefined;
  }

  /** Hands on what waits; it never waits itself. */
  receive(sink: IcmpSink): void {
    for (let errors = 0; errors < ERRORS; ) {
      const { handle } = this;
      const count = this.#native.recvmmsg(
        handle,
        this.#arena,
        STRIDE,
        BATCH,
        this.#table,
        this.#addresses,
        this.#times,
      );
      if (count === -linux.EAGAIN) return;
      // An error that is not ours to mend (ENETDOWN) is reported once.
      if (count < 0) errors++;
      for (let i = 0; i < count; i++) this.#read(i, sink);
      if (count >= 0 && count < BATCH) return;
    }
  }

  close(): void {
    this.#native.close(this.handle);
  }

  #read(i: number, sink: IcmpSink): void {
    const row = i * RX_WORDS;
    // Cut off: longer than anything that was asked for.
    if (this.#table[row + RX_FLAGS] !== 0) return;
    const packet = this.#arena.subarray(i * STRIDE, i * STRIDE + this.#table[row + RX_LENGTH]!);
    const arrival = this.#times[i]!;
    if (this.#family === 4) {
      const header = parseIpv4Header(packet);
      if (typeof header === 'string') return;
      const answer = decodeIcmpAnswer(4, packet.subarray(header.headerLength, header.totalLength));
      if (answer !== undefined) sink(answer, header.source, 0, arrival);
      return;
    }
    if (this.#table[row + RX_SOURCE_LENGTH]! < 28) return;
    const answer = decodeIcmpAnswer(6, packet);
    // What was forwarded comes from elsewhere (RFC 4861 §7.1.2).
    if (answer === undefined || (answer.type === 'advertisement' && this.#table[row + RX_TTL] !== 255)) return;
    sink(answer, formatIp(this.#addresses, i * RX_ADDRESS_SIZE + 8, 16), this.#table[row + RX_IFINDEX]!, arrival);
  }

  /** Control messages of ip(7) and ipv6(7): struct in_pktinfo or in6_pktinfo, and the TTL. */
  #control({ source, ifindex, ttl }: Way): Uint8Array | undefined {
    const v4 = this.#family === 4;
    const parts: Uint8Array[] = [];
    if (source !== undefined || ifindex !== 0) {
      const info = new Uint8Array(v4 ? 12 : 20);
      new DataView(info.buffer).setInt32(v4 ? 0 : 16, ifindex, true);
      if (source !== undefined) info.set(ipBytes(source), v4 ? 4 : 0);
      parts.push(v4 ? part(linux.SOL_IP, linux.IP_PKTINFO, info) : part(linux.SOL_IPV6, linux.IPV6_PKTINFO, info));
    }
    if (ttl !== undefined) {
      const value = Uint8Array.of(ttl, 0, 0, 0);
      parts.push(v4 ? part(linux.SOL_IP, linux.IP_TTL, value) : part(linux.SOL_IPV6, linux.IPV6_HOPLIMIT, value));
    }
    return parts.length === 0 ? undefined : Buffer.concat(parts);
  }
}

/** struct cmsghdr and its data, padded (cmsg(3)). */
function part(level: number, type: number, data: Uint8Array): Uint8Array {
  const length = CONTROL_HEADER + data.length;
  const bytes = new Uint8Array(Math.ceil(length / ALIGNMENT) * ALIGNMENT);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setInt32(8, level, true);
  view.setInt32(12, type, true);
  bytes.set(data, CONTROL_HEADER);
  return bytes;
}
