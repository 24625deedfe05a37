// A simulated Ethernet segment: a learning switch between ports, and on each way from port to port its own loss,
// bursts of loss, delay, jitter, duplicates and cuts. Takes time and chance from its owner; knows no VRRP.
import type { IpAddress, MacAddress } from '../../core/net/address.ts';
import type { Random } from './simulated-chance.ts';

/** An IP packet, with what a receiver would read from its header. */
export interface WirePacket {
  readonly kind: 'packet';
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IP protocol. */
  readonly protocol: number;
  readonly mac: MacAddress;
  /** Counts the messages of a segment in the order in which they were sent; set by the switch. */
  order: number;
}

/** Any other frame; all that matter here are broadcasts. */
export interface WireFrame {
  readonly kind: 'frame';
  readonly bytes: Uint8Array;
  readonly mac: MacAddress;
  /** Set for gratuitous ARP and unsolicited neighbour advertisements: the address that is said to be at `mac`. */
  readonly announces: IpAddress | undefined;
  order: number;
}

export type Wire = WirePacket | WireFrame;

/** Something with a plug. */
export interface Attached {
  readonly name: string;
  receive(message: Wire): void;
  /** A message for it was lost on the way. */
  missed?(message: Wire): void;
}

/** The way from one port to another. */
export interface Way {
  /** How many cuts lie across it; 0: open. */
  cuts: number;
  /** Probability that a message is lost. */
  loss: number;
  /** Gilbert and Elliott: in the bad state most is lost, in the good one nothing more than `loss`. */
  burst: { readonly toBad: number; readonly toGood: number; readonly loss: number; bad: boolean } | undefined;
  /** Added to the delay of the segment, at random from 0 up to it, in microseconds. */
  jitter: number;
  duplicate: number;
  /** Loses adverts, but never more than so many of a router in a row. */
  mild: number;
  readonly runs: Map<number, number>;
}

export interface SwitchHost {
  readonly random: Random;
  /** Runs something after so many microseconds. */
  later(delay: number, run: () => void): void;
}

const VRID_OFFSET = 1;

export class SimulatedSwitch {
  readonly name: string;
  readonly ports: Attached[] = [];
  /** Microseconds from any port to any other when nothing is wrong. */
  readonly delay: number;
  readonly #host: SwitchHost;
  readonly #ways = new Map<number, Way>();
  readonly #learned = new Map<MacAddress, number>();
  readonly #addresses = new Map<IpAddress, number>();
  #sent = 0;

  constructor(name: string, delay: number, host: SwitchHost) {
    this.name = name;
    this.delay = delay;
    this.#host = host;
  }

  /** Returns the number of its port. */
  attach(who: Attached, addresses: readonly IpAddress[]): number {
    const port = this.ports.push(who) - 1;
    for (const address of addresses) this.#addresses.set(address, port);
    return port;
  }

  way(from: number, to: number): Way {
    const key = from * 256 + to;
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = { cuts: 0, loss: 0, burst: undefined, jitter: 0, duplicate: 0, mild: 0, runs: new Map() };
      this.#ways.set(key, way);
    }
    return way;
  }

  /** Where frames for a MAC address go; undefined: it has not been learned. */
  portOf(mac: MacAddress): number | undefined {
    return this.#learned.get(mac);
  }

  transmit(from: number, message: Wire): void {
    this.#learned.set(message.mac, from);
    message.order = this.#sent++;
    if (message.kind === 'packet' && !isGroup(message.destination)) {
      const to = this.#addresses.get(message.destination);
      if (to !== undefined && to !== from) this.#carry(from, to, message);
      return;
    }
    for (let to = 0; to < this.ports.length; to++) if (to !== from) this.#carry(from, to, message);
  }

  #carry(from: number, to: number, message: Wire): void {
    const way = this.way(from, to);
    const receiver = this.ports[to]!;
    if (this.#loses(way, message)) {
      receiver.missed?.(message);
      return;
    }
    const { random } = this.#host;
    const deliver = () => receiver.receive(message);
    this.#host.later(this.delay + (way.jitter > 0 ? random.range(0, way.jitter) : 0), deliver);
    if (way.duplicate > 0 && random.chance(way.duplicate))
      this.#host.later(this.delay + random.range(0, way.jitter + this.delay), deliver);
  }

  #loses(way: Way, message: Wire): boolean {
    if (way.cuts > 0) return true;
    const { random } = this.#host;
    const { burst } = way;
    if (burst !== undefined) {
      burst.bad = burst.bad ? !random.chance(burst.toGood) : random.chance(burst.toBad);
      if (burst.bad && random.chance(burst.loss)) return true;
    }
    if (way.loss > 0 && random.chance(way.loss)) return true;
    return way.mild > 0 && message.kind === 'packet' && this.#losesMildly(way, message);
  }

  #losesMildly(way: Way, { bytes }: WirePacket): boolean {
    const header = bytes[0]! >> 4 === 4 ? (bytes[0]! & 15) * 4 : 40;
    const vrid = bytes[header + VRID_OFFSET]!;
    const run = way.runs.get(vrid) ?? 0;
    const lost = run < way.mild && this.#host.random.chance(0.5);
    way.runs.set(vrid, lost ? run + 1 : 0);
    return lost;
  }
}

/** Whether a canonical address is one of a group. */
export const isGroup = (address: IpAddress): boolean => address.startsWith('ff') || address.startsWith('224.');
