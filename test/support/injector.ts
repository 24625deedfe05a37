// A hostile or broken neighbour on a wire: puts any VRRP packet, under any IP header and from any source, onto an
// interface of a namespace as whole frames, and notes every advert and announcement that comes in there, with the
// kernel's time stamps. Independent of the product's encoder.
import { FramePort } from '../../core/cli/demo/sockets.ts';
import { formatIp, type IpAddress, ipBytes } from '../../core/net/address.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { indexOf, within } from '../system/namespaces.ts';

/** A packet to be sent: what its IP header says, and what follows it. */
export interface WirePacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  /** After the IP header. */
  readonly pdu: Uint8Array;
  /** IP protocol. Default 112. */
  readonly protocol?: number;
  /** IPv4 options, a multiple of four bytes. */
  readonly options?: Uint8Array;
  /** The IPv4 flags and fragment offset, as the 16 bits they are. */
  readonly fragment?: number;
}

/** Times are milliseconds on CLOCK_MONOTONIC. */
export interface AdvertHeard {
  readonly t: number;
  readonly source: IpAddress;
  readonly vrid: number;
  readonly priority: number;
  readonly family: 4 | 6;
}

/** A gratuitous ARP or an unsolicited neighbour advertisement. */
export interface AnnouncementHeard {
  readonly t: number;
  readonly address: IpAddress;
}

const ETH_P_ALL = 3;
const VRRP = 112;
const ICMPV6 = 58;
const NEIGHBOUR_ADVERTISEMENT = 136;
const LOOK_MS = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;

export class Injector implements Disposable {
  readonly adverts: AdvertHeard[] = [];
  readonly announcements: AnnouncementHeard[] = [];
  readonly #port: FramePort;
  readonly #ownMac: Uint8Array;
  readonly #targetMac: Uint8Array;
  readonly #look: NodeJS.Timeout;
  readonly #listeners = new Set<(advert: AdvertHeard) => void>();
  #id = 0;

  /** Sits on `device` of a namespace and speaks to the machine with `targetMac`, as from `ownMac`. */
  constructor(namespace: string, device: string, ownMac: string, targetMac: string) {
    const native = loadNative();
    const ifindex = indexOf(namespace, device);
    this.#port = within(namespace, () => {
      // Somebody must want protocol 112 here, or this machine would answer adverts with ICMP errors.
      native.socket(AF_INET, SOCK_RAW, VRRP);
      native.socket(AF_INET6, SOCK_RAW, VRRP);
      return new FramePort(ifindex, ETH_P_ALL);
    });
    this.#ownMac = macBytes(ownMac);
    this.#targetMac = macBytes(targetMac);
    this.#look = setInterval(() => this.#drain(), LOOK_MS);
  }

  /** @returns when it was sent */
  send(packet: WirePacket): number {
    this.#port.send(this.#frame(packet));
    return Number(process.hrtime.bigint()) / 1e6;
  }

  /** Calls back for each advert that comes in; returns what ends that. */
  onAdvert(listener: (advert: AdvertHeard) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#look);
  }

  #frame(packet: WirePacket): Uint8Array {
    const destination = ipBytes(packet.destination);
    const v4 = destination.length === 4;
    const header = v4 ? this.#ipv4(packet) : ipv6(packet);
    const mac = v4
      ? destination[0]! >> 4 === 14
        ? [1, 0, 0x5e, destination[1]! & 0x7f, destination[2]!, destination[3]!]
        : this.#targetMac
      : destination[0] === 255
        ? [0x33, 0x33, ...destination.subarray(12)]
        : this.#targetMac;
    return Uint8Array.from([...mac, ...this.#ownMac, ...(v4 ? [8, 0] : [0x86, 0xdd]), ...header, ...packet.pdu]);
  }

  #ipv4({
    source,
    destination,
    ttl,
    pdu,
    protocol = VRRP,
    options = new Uint8Array(0),
    fragment = 0,
  }: WirePacket): Uint8Array {
    const header = new Uint8Array(20 + options.length);
    const view = new DataView(header.buffer);
    header[0] = 0x40 | (header.length / 4);
    header[1] = 0xc0;
    view.setUint16(2, header.length + pdu.length);
    this.#id = (this.#id % 0xffff) + 1;
    view.setUint16(4, this.#id);
    view.setUint16(6, fragment);
    header[8] = ttl;
    header[9] = protocol;
    header.set(ipBytes(source), 12);
    header.set(ipBytes(destination), 16);
    header.set(options, 20);
    let sum = 0;
    for (let i = 0; i < header.length; i += 2) sum += view.getUint16(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    view.setUint16(10, ~sum & 0xffff);
    return header;
  }

  #drain(): void {
    this.#port.drain((frame, t) => {
      const type = (frame[12]! << 8) | frame[13]!;
      const ip = frame.subarray(14);
      if (type === 0x0806) this.#arp(ip, t);
      else if (type === 0x0800 && ip[9] === VRRP) this.#advert(ip.subarray((ip[0]! & 15) * 4), ip, t);
      else if (type === 0x86dd && ip[6] === VRRP) this.#advert(ip.subarray(40), ip, t);
      else if (type === 0x86dd && ip[6] === ICMPV6 && ip[40] === NEIGHBOUR_ADVERTISEMENT)
        this.announcements.push({ t, address: formatIp(ip, 48, 16) });
    });
  }

  #arp(arp: Uint8Array, t: number): void {
    const sender = formatIp(arp, 14, 4);
    if (sender === formatIp(arp, 24, 4)) this.announcements.push({ t, address: sender });
  }

  #advert(pdu: Uint8Array, ip: Uint8Array, t: number): void {
    const family = ip[0]! >> 4 === 4 ? 4 : 6;
    const source = family === 4 ? formatIp(ip, 12, 4) : formatIp(ip, 8, 16);
    const advert = { t, source, family, vrid: pdu[1]!, priority: pdu[2]! } as const;
    this.adverts.push(advert);
    for (const listener of [...this.#listeners]) listener(advert);
  }
}

function ipv6({ source, destination, ttl, pdu, protocol = VRRP }: WirePacket): Uint8Array {
  const header = new Uint8Array(40);
  header.set([0x6c, 0, 0, 0, pdu.length >> 8, pdu.length & 255, protocol, ttl]);
  header.set(ipBytes(source), 8);
  header.set(ipBytes(destination), 24);
  return header;
}

const macBytes = (mac: string): Uint8Array => Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
