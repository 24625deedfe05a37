// The VRRP socket port over raw-socket: IPv4 adverts on one interface, read and sent at once. It knows IP headers and
// nothing of VRRP. When the kernel received a packet it cannot tell, so a packet counts from when it is read.
import { type IpAddress, ipBytes } from '../../net/address.ts';
import { parseIpv4Header } from '../../net/ipv4.ts';
import type { Clock, Datagram, VrrpSocket, VrrpSocketSpec } from '../../ports/engine-io.ts';
import { instant } from '../../units.ts';
import * as linux from '../linux.ts';
import { RawSocket } from './raw-socket.ts';

/** Above the longest VRRP packet over IPv4: 255 addresses, authentication and two headers. */
const LONGEST = 4608;
const RECEIVE_BUFFER = 8 * 1024 * 1024;
/** A socket error is reported once by a receive, so a few in a row are possible; more mean that the socket is broken. */
const ERRORS = 8;
const NOTHING = new Uint8Array(0);

export class PortableVrrpSocket implements VrrpSocket {
  ready = false;
  readonly #clock: Clock;
  readonly #ifindex: number;
  readonly #socket: RawSocket;
  readonly #joined = new Set<IpAddress>();
  readonly #memory = Buffer.alloc(LONGEST);
  readonly #queue: { readonly packet: Uint8Array; readonly destination: IpAddress }[] = [];
  readonly #datagram: Datagram;

  /**
   * @param wake called when there is something to read
   * @throws Error with `code`: EPERM without CAP_NET_RAW, ENODEV without the interface, EAFNOSUPPORT for IPv6
   */
  constructor(spec: VrrpSocketSpec, clock: Clock, wake: () => void) {
    if (spec.family !== 4)
      throw Object.assign(new Error('raw-socket cannot tell an IPv6 hop limit'), { code: 'EAFNOSUPPORT' });
    this.#clock = clock;
    this.#ifindex = spec.ifindex;
    const none = '' as IpAddress;
    this.#datagram = {
      payload: NOTHING,
      header: NOTHING,
      source: none,
      destination: none,
      ttl: 0,
      arrival: instant(0),
    };
    this.#socket = new RawSocket(spec.protocol, () => {
      this.ready = true;
      wake();
    });
    try {
      this.#configure(spec.interface);
      // Until it was bound, it heard all interfaces.
      for (let left = 1024; left > 0 && typeof this.#socket.receive(this.#memory) === 'number'; ) left--;
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  #configure(interfaceName: string): void {
    const set = (level: number, option: number, value: number | Uint8Array) =>
      this.#socket.setOption(level, option, value);
    set(linux.SOL_SOCKET, linux.SO_BINDTODEVICE, new TextEncoder().encode(`${interfaceName}\0`));
    set(linux.SOL_SOCKET, linux.SO_RCVBUFFORCE, RECEIVE_BUFFER);
    set(linux.SOL_IP, linux.IP_HDRINCL, 1);
    set(linux.SOL_IP, linux.IP_MULTICAST_LOOP, 0);
    set(linux.SOL_IP, linux.IP_MULTICAST_ALL, 0);
    set(linux.SOL_IP, linux.IP_MULTICAST_IF, this.#membership(undefined));
  }

  join(group: IpAddress): void {
    if (this.#joined.has(group)) return;
    this.#socket.setOption(linux.SOL_IP, linux.IP_ADD_MEMBERSHIP, this.#membership(group));
    this.#joined.add(group);
  }

  leave(group: IpAddress): void {
    if (!this.#joined.delete(group)) return;
    this.#socket.setOption(linux.SOL_IP, linux.IP_DROP_MEMBERSHIP, this.#membership(group));
  }

  /** struct ip_mreqn: group, local address, ifindex. */
  #membership(group: IpAddress | undefined): Uint8Array {
    const request = new Uint8Array(12);
    if (group !== undefined) request.set(ipBytes(group));
    new DataView(request.buffer).setInt32(8, this.#ifindex, true);
    return request;
  }

  receive(sink: (datagram: Datagram) => void, limit: number): number {
    let errors = 0;
    for (let total = 0; total < limit; ) {
      const length = this.#socket.receive(this.#memory);
      if (typeof length === 'number') {
        total++;
        if (this.#read(length)) sink(this.#datagram);
      } else if (length === 'EAGAIN' || length === 'EBADF' || ++errors > ERRORS) {
        this.ready = false;
        return total;
      }
    }
    return limit;
  }

  #read(length: number): boolean {
    const packet = this.#memory.subarray(0, length);
    const header = parseIpv4Header(packet);
    if (typeof header === 'string') return false;
    this.#datagram.payload = packet.subarray(header.headerLength, header.totalLength);
    this.#datagram.header = packet.subarray(0, header.headerLength);
    this.#datagram.source = header.source;
    this.#datagram.destination = header.destination;
    this.#datagram.ttl = header.ttl;
    this.#datagram.arrival = this.#clock.now();
    return true;
  }

  queue(packet: Uint8Array, destination: IpAddress): void {
    this.#queue.push({ packet, destination });
  }

  flush(): readonly string[] {
    const errors = new Set<string>();
    for (const { packet, destination } of this.#queue) {
      const error = this.#socket.send(packet, destination);
      if (error !== undefined) errors.add(error);
    }
    this.#queue.length = 0;
    return [...errors];
  }

  close(): void {
    this.#socket.close();
  }
}
