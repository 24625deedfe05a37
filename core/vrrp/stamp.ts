// The stamps that make signed adverts different from one another: 64 bits of seconds, 1/65536 seconds and a counter,
// compared as serial numbers (RFC 1982). Pure; the clock's reading is given.

/** One stamp: the upper and the lower 32 bits of the number. */
export interface Stamp {
  /** Seconds since 1970, modulo 2^32. */
  readonly seconds: number;
  /** 16 bits of 1/65536 seconds, then 16 bits that count adverts within one of them. */
  readonly fine: number;
}

/** The stamp of a time in milliseconds since 1970. */
export function stampOf(milliseconds: number): Stamp {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: seconds >>> 0, fine: Math.floor(((milliseconds - seconds * 1000) * 65_536) / 1000) * 65_536 };
}

/** Whether `a` comes after `b` (RFC 1982 §3.2 with 64 bits). */
export function isAfter(a: Stamp, b: Stamp): boolean {
  const ahead = (a.seconds - b.seconds) | 0;
  return ahead === 0 ? a.fine > b.fine : ahead > 0;
}

/** The next number. */
export function following({ seconds, fine }: Stamp): Stamp {
  return fine === 0xffffffff ? { seconds: (seconds + 1) >>> 0, fine: 0 } : { seconds, fine: fine + 1 };
}

/** Seconds from `b` to `a`, within 68 years. */
export const secondsBetween = (a: Stamp, b: Stamp): number => (a.seconds - b.seconds) | 0;

/**
 * The stamps that a sender uses up.
 * - `time`: the clock. Stepped back a little, the stamps creep on until it has caught up; stepped back by more than the
 *   window, they follow it, since nobody would accept what lies so far ahead.
 * - `monotonic`: a counter that begins at the clock's time, so that it goes on after a restart, and never looks at the
 *   clock again.
 */
export class OwnStamps {
  #last: Stamp | undefined;

  /** @param window seconds */
  next(mode: 'time' | 'monotonic', window: number, milliseconds: number): Stamp {
    const now = stampOf(milliseconds);
    const last = this.#last;
    if (last === undefined) this.#last = now;
    else if (mode === 'monotonic') this.#last = following(last);
    else if (isAfter(now, last) || secondsBetween(last, now) > window) this.#last = now;
    else this.#last = following(last);
    return this.#last;
  }
}

/** Peers remembered. More routers than this do not share a virtual router. */
const MOST_PEERS = 32;

/** The newest stamp of each peer. Only what was signed with a known key gets here, so no stranger can fill it. */
export class ReplayMarks {
  readonly #marks = new Map<string, Stamp>();

  /**
   * Whether a stamp is newer than everything from this peer.
   * @param clock our own clock, where stamps are times; a mark further ahead of it than `window` seconds was made
   *   before our clock was put back. Nothing could ever pass it, so it counts no more: a deaf backup would become a
   *   second master.
   */
  isNew(peer: string, stamp: Stamp, clock?: Stamp, window = 0): boolean {
    const mark = this.#marks.get(peer);
    if (mark === undefined || isAfter(stamp, mark)) return true;
    return clock !== undefined && secondsBetween(mark, clock) > window;
  }

  note(peer: string, stamp: Stamp): void {
    this.#marks.delete(peer);
    if (this.#marks.size >= MOST_PEERS) this.#marks.delete(this.#marks.keys().next().value!);
    this.#marks.set(peer, stamp);
  }
}
