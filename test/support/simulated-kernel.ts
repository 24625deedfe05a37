// The kernel of a simulated machine: interfaces with carrier, addresses with lifetimes, and rtnetlink in its real bytes
// in front of them. Takes the time from whoever owns it; knows no VRRP and no network.
import { type IpAddress, type MacAddress, macBytes } from '../../core/net/address.ts';
import { buildMessage, NLM_F_EXCL, readNetlinkHeader, setHost16, setHost32, u32 } from '../../core/net/netlink.ts';
import {
  addAddressRequest,
  decodeAddress,
  deleteAddressRequest,
  IFA_F_PERMANENT,
  type Lifetime,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_LINK,
} from '../../core/net/rtnetlink.ts';
import type { NetlinkAck, RouteMonitor, RouteSocket } from '../../core/ports/engine-io.ts';

/** An interface; a change of `carrier` is told by `SimulatedKernel.setCarrier`. */
export interface KernelLink {
  readonly index: number;
  readonly name: string;
  readonly mac: MacAddress;
  carrier: boolean;
}

interface Bound {
  readonly index: number;
  readonly prefix: number;
  /** Microseconds of the owner's clock; Infinity: for ever. */
  until: number;
  /** As a dump shows it. */
  message: Uint8Array;
}

interface Monitor extends RouteMonitor {
  readonly groups: number;
  readonly notices: Uint8Array[];
  overrun: boolean;
}

const OK: NetlinkAck = { error: 0, name: 'OK' };
const EEXIST: NetlinkAck = { error: -17, name: 'EEXIST' };
const ENODEV: NetlinkAck = { error: -19, name: 'ENODEV' };
const EOPNOTSUPP: NetlinkAck = { error: -95, name: 'EOPNOTSUPP' };
const EADDRNOTAVAIL: NetlinkAck = { error: -99, name: 'EADDRNOTAVAIL' };
const ENOBUFS: NetlinkAck = { error: -105, name: 'ENOBUFS' };

const ADDRESSES = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const ARPHRD_ETHER = 1;
/** IFF_UP, IFF_BROADCAST, IFF_MULTICAST; with a carrier also IFF_RUNNING and IFF_LOWER_UP. */
const UP = 0x1 | 0x2 | 0x1000;
const RUNNING = 0x40 | 0x10000;
const SECOND = 1_000_000;

export interface KernelHost {
  /** Microseconds. */
  now(): number;
  /** How late an expired address is removed, 0 .. 250 ms (net/ipv4/devinet.c, check_lifetime). */
  expiryLag(): number;
  /** A monitor has become readable. */
  noticed(): void;
}

export class SimulatedKernel {
  readonly links: readonly KernelLink[];
  readonly #host: KernelHost;
  readonly #bound = new Map<IpAddress, Bound>();
  readonly #monitors = new Set<Monitor>();
  /** When the next lifetime ends; Infinity: none does. */
  nextExpiry = Number.POSITIVE_INFINITY;
  /** So many of the next requests fail for want of memory. */
  failures = 0;

  constructor(host: KernelHost, links: readonly KernelLink[]) {
    this.#host = host;
    this.links = links;
  }

  /** Gives the machine an address of its own. */
  own(address: IpAddress, prefix: number, index: number): void {
    const whole = { index, address, prefix, scope: 0, flags: IFA_F_PERMANENT, protocol: 0 };
    const lifetimes = { validLifetime: 'forever', preferredLifetime: 'forever' } as const;
    const message = addAddressRequest({ ...whole, ...lifetimes }, 'exclusive');
    this.#bound.set(address, { index, prefix, until: Number.POSITIVE_INFINITY, message });
  }

  has(address: IpAddress): boolean {
    return this.#bound.has(address);
  }

  /** When the address goes by itself; undefined: it is not there. */
  until(address: IpAddress): number | undefined {
    return this.#bound.get(address)?.until;
  }

  link(name: string): KernelLink | undefined {
    return this.links.find((link) => link.name === name);
  }

  setCarrier(name: string, carrier: boolean): void {
    const link = this.link(name);
    if (link === undefined || link.carrier === carrier) return;
    link.carrier = carrier;
    this.#notify(linkMessage(link), RTMGRP_LINK);
  }

  /** Somebody else removes an address. False when it was not there. */
  remove(address: IpAddress): boolean {
    const entry = this.#bound.get(address);
    if (entry === undefined) return false;
    this.#bound.delete(address);
    this.#findExpiry();
    this.#notify(deleteAddressRequest({ index: entry.index, address, prefix: entry.prefix }));
    return true;
  }

  /** Removes what has expired. */
  expire(): void {
    const now = this.#host.now();
    for (const [address, { until }] of this.#bound) if (until <= now) this.remove(address);
    this.#findExpiry();
  }

  /** The notices that wait are lost. */
  overrun(): void {
    for (const monitor of this.#monitors) {
      monitor.notices.length = 0;
      monitor.overrun = monitor.ready = true;
    }
    if (this.#monitors.size > 0) this.#host.noticed();
  }

  routeSocket(): RouteSocket {
    return {
      request: (messages) => messages.map((message) => this.#carryOut(message)),
      dump: (request, sink) => {
        const header = readNetlinkHeader(request);
        if (typeof header === 'string') throw new Error(`a dump was asked for by a message that is ${header}`);
        if (header.type === RTM_GETLINK) for (const link of this.links) sink(linkMessage(link));
        if (header.type === RTM_GETADDR) for (const { message } of this.#bound.values()) sink(message);
      },
      close: () => {},
    };
  }

  /** @param groups bits of RTMGRP_ */
  routeMonitor(groups = RTMGRP_LINK | ADDRESSES): RouteMonitor {
    const monitor: Monitor = {
      groups,
      ready: false,
      overrun: false,
      notices: [],
      receive: (sink) => {
        monitor.ready = false;
        for (const notice of monitor.notices.splice(0)) sink(notice);
        const lost = monitor.overrun;
        monitor.overrun = false;
        return lost ? 'overrun' : 'ok';
      },
      close: () => void this.#monitors.delete(monitor),
    };
    this.#monitors.add(monitor);
    return monitor;
  }

  /** The process is gone and with it whatever it listened on. */
  forgetMonitors(): void {
    this.#monitors.clear();
  }

  #carryOut(message: Uint8Array): NetlinkAck {
    const header = readNetlinkHeader(message);
    if (typeof header === 'string' || (header.type !== RTM_NEWADDR && header.type !== RTM_DELADDR)) return EOPNOTSUPP;
    if (this.failures > 0) {
      this.failures--;
      return ENOBUFS;
    }
    const decoded = decodeAddress(message);
    if (typeof decoded === 'string') return EOPNOTSUPP;
    const { index, address, prefix, validLifetime } = decoded.address;
    const before = this.#bound.get(address);
    if (header.type === RTM_DELADDR) {
      if (before === undefined || before.index !== index || before.prefix !== prefix) return EADDRNOTAVAIL;
      this.remove(address);
      return OK;
    }
    if (!this.links.some((link) => link.index === index)) return ENODEV;
    if (before !== undefined && (header.flags & NLM_F_EXCL) !== 0) return EEXIST;
    const notice = message.slice();
    this.#bound.set(address, { index, prefix, until: this.#end(validLifetime), message: notice });
    this.#findExpiry();
    this.#notify(notice);
    return OK;
  }

  #end(lifetime: Lifetime): number {
    if (lifetime === 'forever') return Number.POSITIVE_INFINITY;
    return this.#host.now() + lifetime * SECOND + this.#host.expiryLag();
  }

  #findExpiry(): void {
    this.nextExpiry = Number.POSITIVE_INFINITY;
    for (const { until } of this.#bound.values()) if (until < this.nextExpiry) this.nextExpiry = until;
  }

  #notify(message: Uint8Array, group = ADDRESSES): void {
    for (const monitor of this.#monitors) {
      if ((monitor.groups & group) === 0) continue;
      monitor.notices.push(message);
      monitor.ready = true;
    }
    if (this.#monitors.size > 0) this.#host.noticed();
  }
}

function linkMessage({ index, name, mac, carrier }: KernelLink): Uint8Array {
  const fixed = new Uint8Array(16);
  setHost16(fixed, 2, ARPHRD_ETHER);
  setHost32(fixed, 4, index);
  setHost32(fixed, 8, carrier ? UP | RUNNING : UP);
  return buildMessage(RTM_NEWLINK, 0, fixed, [
    { type: IFLA_IFNAME, value: new TextEncoder().encode(`${name}\0`) },
    { type: IFLA_ADDRESS, value: macBytes(mac) },
    { type: IFLA_MTU, value: u32(1500) },
  ]);
}
