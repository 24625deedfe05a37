// Which interfaces hear nothing at all: behind a dead switch there may be another master, who may yield in silence when
// the switch is back. A master there asks for its address before each advert, and the answer betrays the other. Reads the
// counters of the kernel with adverts, never more often than ten times a second; knows no packets.
import { after, type Instant, millis } from '../units.ts';

/** Packets received by each interface so far, by name. */
export type ReceivedPackets = () => ReadonlyMap<string, number>;

const LOOK_EACH = millis(100);

export class LonelyLinks {
  readonly #received: ReceivedPackets | undefined;
  #before: ReadonlyMap<string, number> = new Map();
  #lonely: ReadonlySet<string> = new Set();
  #next: Instant | undefined;

  /** @param received undefined: nobody tells, and no interface is lonely */
  constructor(received: ReceivedPackets | undefined) {
    this.#received = received;
  }

  /** Whether nothing was received between the latest two looks. */
  has(name: string, now: Instant): boolean {
    if (this.#received === undefined) return false;
    if (this.#next === undefined || now >= this.#next) this.#look(this.#received, now);
    return this.#lonely.has(name);
  }

  #look(received: ReceivedPackets, now: Instant): void {
    const counts = received();
    this.#lonely = new Set(
      [...counts].filter(([name, count]) => this.#before.get(name) === count).map(([name]) => name),
    );
    this.#before = counts;
    this.#next = after(now, LOOK_EACH);
  }
}
