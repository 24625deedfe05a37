// Which interfaces hear nothing at all: behind a dead switch there may be another master, who may yield in silence when
// the switch is back. A master there asks for its address before each advert, and the answer betrays the other. Reads the
// counters of the kernel with adverts, never more often than ten times a second; knows no packets.
import { after, type Instant, millis } from '../units.ts';

/** Packets received by each interface so far, by name. */
export type ReceivedPackets = () => ReadonlyMap<string, number>;

const LOOK_EACH = millis(100);
/** Less than the shortest interval, so that the adverts of a lone router all have their question. */
const ASK_EACH = millis(9);

export class LonelyLinks {
  readonly #received: ReceivedPackets | undefined;
  #before: ReadonlyMap<string, number> = new Map();
  #lonely: ReadonlySet<string> = new Set();
  #next: Instant | undefined;
  /** Until when nobody asks, by interface. */
  readonly #rests = new Map<string, Instant>();

  /** @param received undefined: nobody tells, and no interface is lonely */
  constructor(received: ReceivedPackets | undefined) {
    this.#received = received;
  }

  /**
   * Whether to ask before an advert now: nothing was received between the latest two looks, and nobody asked on this
   * interface just before. With many routers on it a few ask for all: see the conflict watch.
   */
  shouldAsk(name: string, now: Instant): boolean {
    if (this.#received === undefined) return false;
    if (this.#next === undefined || now >= this.#next) this.#look(this.#received, now);
    if (!this.#lonely.has(name)) return false;
    const rests = this.#rests.get(name);
    if (rests !== undefined && now < rests) return false;
    this.#rests.set(name, after(now, ASK_EACH));
    return true;
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
