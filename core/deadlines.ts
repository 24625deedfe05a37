// Who wants to be woken when: a binary heap that is lazy about postponements.
// A backup moves its down timer further away with every advert it hears; such a move touches nothing here.
// Only when an entry comes to the top is its owner asked again. Pure.
import type { Instant } from './units.ts';

/** Something with a deadline that changes by itself; call `DeadlineQueue.touch` whenever it may have moved nearer. */
export interface Timed {
  /** When it next wants to act; undefined: not at all. */
  readonly deadline: Instant | undefined;
}

interface Entry<T> {
  readonly owner: T;
  at: Instant;
  index: number;
}

export class DeadlineQueue<T extends Timed> {
  readonly #heap: Entry<T>[] = [];
  readonly #entries = new Map<T, Entry<T>>();

  /** Notes the owner's present deadline. Cheap when it moved away or stayed. */
  touch(owner: T): void {
    const at = owner.deadline;
    const entry = this.#entries.get(owner);
    if (at === undefined || (entry !== undefined && at >= entry.at)) return;
    if (entry === undefined) {
      const added = { owner, at, index: this.#heap.length };
      this.#entries.set(owner, added);
      this.#heap.push(added);
      this.#rise(added);
    } else {
      entry.at = at;
      this.#rise(entry);
    }
  }

  remove(owner: T): void {
    const entry = this.#entries.get(owner);
    if (entry === undefined) return;
    this.#entries.delete(owner);
    const last = this.#heap.pop()!;
    if (last === entry) return;
    this.#heap[entry.index] = last;
    last.index = entry.index;
    this.#rise(last);
    this.#sink(last);
  }

  /** The earliest deadline of all. */
  get next(): Instant | undefined {
    return this.#top()?.at;
  }

  /** The owner of the earliest deadline if that is not after `now`. It stays queued: let it act, then touch it. */
  due(now: Instant): T | undefined {
    const top = this.#top();
    return top !== undefined && top.at <= now ? top.owner : undefined;
  }

  /** The top entry, after bringing postponed ones up to date. */
  #top(): Entry<T> | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return undefined;
      const at = top.owner.deadline;
      if (at === top.at) return top;
      if (at === undefined) this.remove(top.owner);
      else {
        const nearer = at < top.at;
        top.at = at;
        if (nearer) return top;
        this.#sink(top);
      }
    }
  }

  #rise(entry: Entry<T>): void {
    const heap = this.#heap;
    while (entry.index > 0) {
      const parent = heap[(entry.index - 1) >> 1]!;
      if (parent.at <= entry.at) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    for (;;) {
      const left = heap[2 * entry.index + 1];
      const right = heap[2 * entry.index + 2];
      const least = right !== undefined && right.at < left!.at ? right : left;
      if (least === undefined || entry.at <= least.at) return;
      this.#swap(least, entry);
    }
  }

  /** Exchanges two entries. */
  #swap(a: Entry<T>, b: Entry<T>): void {
    const heap = this.#heap;
    const index = a.index;
    heap[b.index] = a;
    heap[index] = b;
    a.index = b.index;
    b.index = index;
  }
}
