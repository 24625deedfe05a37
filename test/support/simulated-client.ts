// A host that uses virtual addresses: its neighbour cache, as Linux keeps one, says where its traffic goes.
// Knows no VRRP; what it believes is what it was told on the wire.
import type { IpAddress, MacAddress } from '../../core/net/address.ts';
import type { Attached, Wire } from './simulated-switch.ts';

interface Neighbour {
  mac: MacAddress;
  /** Microseconds; when it was last known to be right. */
  confirmedAt: number;
}

/** Linux: base_reachable_time 30 s, then delay_first_probe_time 5 s and three probes of 1 s. */
const BELIEVED = 38_000_000;

/** How a client finds and reaches others. */
export interface ClientPaths {
  now(): number;
  /** Who answers a request for an address, first of all; undefined: nobody. */
  resolve(address: IpAddress): MacAddress | undefined;
  /** Whether a packet sent to a MAC address is accepted there as one for the address. */
  reaches(mac: MacAddress, address: IpAddress): boolean;
}

export class SimulatedClient implements Attached {
  readonly name: string;
  readonly #paths: ClientPaths;
  readonly #cache = new Map<IpAddress, Neighbour>();
  /** The latest announcement of each address that came here, by its order on the wire. */
  readonly #latest = new Map<IpAddress, number>();
  /** Addresses of which the latest announcement never came here, or before an older one. */
  readonly #missed = new Set<IpAddress>();

  constructor(name: string, paths: ClientPaths) {
    this.name = name;
    this.#paths = paths;
  }

  receive(message: Wire): void {
    if (message.kind !== 'frame' || message.announces === undefined) return;
    const latest = this.#latest.get(message.announces) ?? -1;
    if (message.order > latest) {
      this.#latest.set(message.announces, message.order);
      this.#missed.delete(message.announces);
    } else this.#missed.add(message.announces);
    // Linux changes an entry for such news, but makes none (arp_accept 0).
    const known = this.#cache.get(message.announces);
    if (known !== undefined) this.#cache.set(message.announces, { mac: message.mac, confirmedAt: this.#paths.now() });
  }

  missed(message: Wire): void {
    if (message.kind !== 'frame' || message.announces === undefined) return;
    this.#latest.set(message.announces, Math.max(message.order, this.#latest.get(message.announces) ?? -1));
    this.#missed.add(message.announces);
  }

  /** Whether the latest announcement of an address came through: then nothing excuses sending elsewhere. */
  isInformed(address: IpAddress): boolean {
    return !this.#missed.has(address);
  }

  /** Sends a packet to an address; returns the MAC address that took it, undefined: it was lost. */
  send(address: IpAddress): MacAddress | undefined {
    const now = this.#paths.now();
    const known = this.#cache.get(address);
    if (known !== undefined && this.#paths.reaches(known.mac, address)) {
      known.confirmedAt = now;
      return known.mac;
    }
    if (known !== undefined && now - known.confirmedAt < BELIEVED) return undefined;
    this.#cache.delete(address);
    const mac = this.#paths.resolve(address);
    if (mac === undefined) return undefined;
    this.#missed.delete(address);
    this.#cache.set(address, { mac, confirmedAt: now });
    return this.#paths.reaches(mac, address) ? mac : undefined;
  }
}
