// Which other routers were heard for a VRID, for people to look at. Bounded: the network cannot make it grow.
import { compareIp, type IpAddress } from '../net/address.ts';
import { between, type Instant, type Micros, type Priority } from '../units.ts';

const MOST_PEERS = 32;

interface Heard {
  priority: Priority;
  interval: Micros;
  at: Instant;
}

export class PeerTable {
  readonly #peers = new Map<IpAddress, Heard>();

  heard(source: IpAddress, priority: Priority, interval: Micros, at: Instant): void {
    const known = this.#peers.get(source);
    if (known !== undefined) {
      known.priority = priority;
      known.interval = interval;
      known.at = at;
    } else if (this.#peers.size < MOST_PEERS) this.#peers.set(source, { priority, interval, at });
  }

  list(now: Instant): { source: IpAddress; priority: number; age: Micros }[] {
    return [...this.#peers].map(([source, { priority, at }]) => ({ source, priority, age: between(at, now) }));
  }

  /**
   * Who would win an election against this priority and address, as far as its adverts of the last `memory` tell. Backups
   * do not speak, so this knows a router only from the time when it was master, or believed to be.
   */
  outranking(own: Priority, address: IpAddress, memory: Micros, now: Instant): IpAddress | undefined {
    for (const [source, { priority, at }] of this.#peers) {
      const wins = priority > own || (priority === own && compareIp(source, address) > 0);
      if (wins && between(at, now) <= memory) return source;
    }
    return undefined;
  }

  get(source: IpAddress): Readonly<Heard> | undefined {
    return this.#peers.get(source);
  }
}
