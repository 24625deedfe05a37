// The sockets of one simulated process: what EngineNetwork asks for, over a simulated kernel and simulated switches.
// Carries real bytes and reads no more of them than a kernel would; knows no VRRP.
import { formatIp, type IpAddress, type MacAddress, macBytes } from '../../core/net/address.ts';
import { decodeArp, isGratuitous } from '../../core/net/arp.ts';
import { EtherType } from '../../core/net/ethernet.ts';
import { decodeNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import type {
  Datagram,
  EngineNetwork,
  FrameSocket,
  FrameTap,
  FrameTapSpec,
  Pollable,
  RouteMonitor,
  RouteSocket,
  VrrpSocket,
  VrrpSocketSpec,
} from '../../core/ports/engine-io.ts';
import type { Instant } from '../../core/units.ts';
import { passes } from './simulated-filter.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';
import { isGroup, type Wire, type WireFrame, type WirePacket } from './simulated-switch.ts';

/** Where an interface's frames leave. */
export interface Outlet {
  readonly ifindex: number;
  readonly mac: MacAddress;
  carrier(): boolean;
  transmit(message: Wire): void;
  /** So many of the next flushes fail with ENOBUFS. */
  errors: number;
}

interface Waiting {
  readonly message: WirePacket;
  readonly at: Instant;
}

/** What fits into a receive buffer; the rest is dropped, as by the kernel. */
const BUFFER = 2_000;
const IPV6_HEADER = 40;

class OpenVrrpSocket implements VrrpSocket {
  ready = false;
  readonly spec: VrrpSocketSpec;
  readonly #groups = new Set<IpAddress>();
  readonly #outlet: Outlet | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #queue: { readonly packet: Uint8Array; readonly destination: IpAddress }[] = [];
  readonly #closed: () => void;

  constructor(spec: VrrpSocketSpec, outlet: Outlet | undefined, closed: () => void) {
    this.spec = spec;
    this.#outlet = outlet;
    this.#closed = closed;
  }

  join(group: IpAddress): void {
    this.#groups.add(group);
  }

  leave(group: IpAddress): void {
    this.#groups.delete(group);
  }

  /** Whether the kernel gives it to this socket. */
  accepts(ifindex: number, { protocol, destination, source }: WirePacket): boolean {
    const family = source.includes(':') ? 6 : 4;
    if (ifindex !== this.spec.ifindex || protocol !== this.spec.protocol || family !== this.spec.family) return false;
    return !isGroup(destination) || this.#groups.has(destination);
  }

  put(message: WirePacket, at: Instant): void {
    if (this.#waiting.length < BUFFER) this.#waiting.push({ message, at });
    this.ready = true;
  }

  receive(sink: (datagram: Datagram) => void, limit: number): number {
    const batch = this.#waiting.splice(0, limit);
    this.ready = this.#waiting.length > 0;
    for (const { message, at } of batch) sink(datagramOf(message, at));
    return batch.length;
  }

  queue(packet: Uint8Array, destination: IpAddress): void {
    this.#queue.push({ packet, destination });
  }

  flush(): readonly string[] {
    const queued = this.#queue.splice(0);
    const outlet = this.#outlet;
    if (queued.length === 0) return [];
    if (outlet === undefined || !outlet.carrier()) return ['ENETDOWN'];
    if (outlet.errors > 0) {
      outlet.errors--;
      return ['ENOBUFS'];
    }
    for (const { packet, destination } of queued) {
      const bytes = packet.slice();
      const v4 = this.spec.family === 4;
      const source = v4 ? formatIp(bytes, 12, 4) : formatIp(bytes, 8, 16);
      const protocol = v4 ? bytes[9]! : bytes[6]!;
      outlet.transmit({ kind: 'packet', bytes, source, destination, protocol, mac: outlet.mac, order: 0 });
    }
    return [];
  }

  close(): void {
    this.#waiting.length = 0;
    this.#closed();
  }
}

interface OpenTap extends FrameTap {
  readonly spec: FrameTapSpec;
  readonly waiting: Uint8Array[];
}

const ETHERNET_HEADER = 14;
const ETHER_TYPE = 12;
const SOURCE_MAC = 6;

export class SimulatedNetwork implements EngineNetwork {
  readonly #kernel: SimulatedKernel;
  readonly #outlets: readonly Outlet[];
  readonly #now: () => Instant;
  readonly #sockets = new Set<OpenVrrpSocket>();
  readonly #taps = new Set<OpenTap>();
  readonly #frames = new WeakMap<Uint8Array, Omit<WireFrame, 'order'>>();
  readonly #watched = new Set<Pollable>();

  constructor(kernel: SimulatedKernel, outlets: readonly Outlet[], now: () => Instant) {
    this.#kernel = kernel;
    this.#outlets = outlets;
    this.#now = now;
  }

  vrrpSocket(spec: VrrpSocketSpec): VrrpSocket {
    const outlet = this.#outlets.find(({ ifindex }) => ifindex === spec.ifindex);
    const socket = new OpenVrrpSocket(spec, outlet, () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    return socket;
  }

  frameSocket(): FrameSocket {
    const queue: { readonly frame: Uint8Array; readonly ifindex: number }[] = [];
    return {
      queue: (frame, ifindex) => void queue.push({ frame, ifindex }),
      flush: () => {
        const errors: string[] = [];
        for (const { frame, ifindex } of queue.splice(0)) {
          const outlet = this.#outlets.find((each) => each.ifindex === ifindex);
          if (outlet?.carrier()) outlet.transmit(this.#wireFrame(frame, outlet.mac));
          else errors.push('ENETDOWN');
        }
        return errors;
      },
      close: () => {},
    };
  }

  frameTap(spec: FrameTapSpec): FrameTap {
    const tap: OpenTap = {
      ready: false,
      spec,
      waiting: [],
      receive: (sink, limit) => {
        const batch = tap.waiting.splice(0, limit);
        tap.ready = tap.waiting.length > 0;
        for (const frame of batch) sink(frame);
        return batch.length;
      },
      close: () => void this.#taps.delete(tap),
    };
    this.#taps.add(tap);
    return tap;
  }

  routeSocket(): RouteSocket {
    return this.#kernel.routeSocket();
  }

  routeMonitor(groups?: number): RouteMonitor {
    return this.#kernel.routeMonitor(groups);
  }

  watch(source: Pollable): void {
    this.#watched.add(source);
  }

  unwatch(source: Pollable): void {
    this.#watched.delete(source);
  }

  /** Whether a wait would end at once. */
  get readable(): boolean {
    for (const { ready } of this.#watched) if (ready) return true;
    return false;
  }

  /** A message has arrived at an interface; true when some socket takes it. */
  deliver(ifindex: number, message: Wire): boolean {
    let taken = this.#taps.size > 0 && this.#tapped(ifindex, message);
    if (message.kind !== 'packet') return taken;
    for (const socket of this.#sockets) {
      if (!socket.accepts(ifindex, message)) continue;
      socket.put(message, this.#now());
      taken = true;
    }
    return taken;
  }

  /** A frame as the switch carries it. Announcements are repeated: what was read of the same bytes is kept. */
  #wireFrame(frame: Uint8Array, sender: MacAddress): WireFrame {
    let read = this.#frames.get(frame);
    if (read === undefined || !isSame(read.bytes, frame)) {
      read = readFrame(frame.slice(), sender);
      this.#frames.set(frame, read);
    }
    return { ...read, order: 0 };
  }

  #tapped(ifindex: number, message: Wire): boolean {
    let frame: Uint8Array | undefined;
    let woken = false;
    for (const tap of this.#taps) {
      const { etherType, filter } = tap.spec;
      if (tap.spec.ifindex !== ifindex || (message.kind === 'packet' && etherType !== 'all')) continue;
      frame ??= message.kind === 'frame' ? message.bytes : frameOf(message);
      if (etherType !== 'all' && etherType !== typeOf(frame)) continue;
      if (tap.waiting.length >= BUFFER || !passes(filter, frame)) continue;
      tap.waiting.push(frame);
      tap.ready = true;
      woken ||= this.#watched.has(tap);
    }
    return woken;
  }
}

const typeOf = (frame: Uint8Array): number => (frame[ETHER_TYPE]! << 8) | frame[ETHER_TYPE + 1]!;

/** An IP packet in a frame; its destination does not matter to anybody here. */
function frameOf({ bytes, mac }: WirePacket): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + bytes.length);
  const type = bytes[0]! >> 4 === 4 ? EtherType.IPV4 : EtherType.IPV6;
  frame.set(macBytes(mac), SOURCE_MAC);
  frame[ETHER_TYPE] = type >> 8;
  frame[ETHER_TYPE + 1] = type & 255;
  frame.set(bytes, ETHERNET_HEADER);
  return frame;
}

function datagramOf({ bytes, source, destination }: WirePacket, arrival: Instant): Datagram {
  const v4 = bytes[0]! >> 4 === 4;
  const header = v4 ? (bytes[0]! & 15) * 4 : IPV6_HEADER;
  return {
    payload: bytes.subarray(header),
    header: v4 ? bytes.subarray(0, header) : bytes.subarray(0, 0),
    source,
    destination,
    ttl: v4 ? bytes[8]! : bytes[7]!,
    arrival,
  };
}

/** What a frame says. @param sender the interface it leaves, for frames that say no MAC address we read */
function readFrame(bytes: Uint8Array, sender: MacAddress): Omit<WireFrame, 'order'> {
  const arp = decodeArp(bytes);
  if (typeof arp !== 'string') {
    const announces = isGratuitous(arp.arp) ? arp.arp.senderIp : undefined;
    return { kind: 'frame', bytes, mac: arp.source, announces };
  }
  const na = decodeNeighbourAdvertisement(bytes);
  if (typeof na === 'string') return { kind: 'frame', bytes, mac: sender, announces: undefined };
  return { kind: 'frame', bytes, mac: na.ethernetSource, announces: na.override ? na.target : undefined };
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
