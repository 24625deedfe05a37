// The shared memory in which a prober notes what it sent, and the watcher what was answered, by whom and when. Each
// column has one writer, so nothing needs a lock but the numbering of the probes.

const CAPACITY = 400_000;
/** An answer later than this is none: it waited in somebody's queue for a neighbour to appear. */
const LATE_MS = 20;
const HEADER = 64;
const NEXT = 0;
const CLOSED = 1;

/** A time in which nobody answered. */
export interface Gap {
  /** When the first lost probe was sent. */
  readonly from: number;
  /** When the first probe after it was answered, or the end of the window. */
  readonly to: number;
  readonly lost: number;
}

export class ProbeTable {
  readonly memory: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #sent: Float64Array;
  readonly #answered: Float64Array;
  readonly #prober: Uint8Array;
  /** Index of the host that answered, plus one. */
  readonly #host: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, 2);
    this.#sent = new Float64Array(memory, HEADER, CAPACITY);
    this.#answered = new Float64Array(memory, HEADER + 8 * CAPACITY, CAPACITY);
    this.#prober = new Uint8Array(memory, HEADER + 16 * CAPACITY, CAPACITY);
    this.#host = new Uint8Array(memory, HEADER + 17 * CAPACITY, CAPACITY);
  }

  static create(): ProbeTable {
    return new ProbeTable(new SharedArrayBuffer(HEADER + 18 * CAPACITY));
  }

  /** Ends the threads that share this table. */
  close(): void {
    Atomics.store(this.#header, CLOSED, 1);
  }

  get closed(): boolean {
    return Atomics.load(this.#header, CLOSED) === 1;
  }

  /** Notes a probe that is about to be sent; returns its number, or undefined when the table is full. */
  send(prober: number, t: number): number | undefined {
    const sequence = Atomics.add(this.#header, NEXT, 1);
    if (sequence >= CAPACITY) return undefined;
    this.#prober[sequence] = prober;
    this.#sent[sequence] = t;
    return sequence;
  }

  /** Notes the first answer to a probe. */
  answer(sequence: number, host: number, t: number): void {
    if (sequence >= CAPACITY || this.#host[sequence] !== 0) return;
    this.#answered[sequence] = t;
    this.#host[sequence] = host + 1;
  }

  /** The times of a window in which a prober's probes were lost. Ask no sooner than 20 ms after the window. */
  gaps(prober: number, from: number, to: number): readonly Gap[] {
    const gaps: Gap[] = [];
    let open: { from: number; lost: number } | undefined;
    for (const sequence of this.#window(prober, from, to)) {
      const sent = this.#sent[sequence]!;
      const answered = this.#answered[sequence]!;
      const lost = this.#host[sequence] === 0 || answered - sent > LATE_MS;
      if (lost) open = { from: open?.from ?? sent, lost: (open?.lost ?? 0) + 1 };
      else if (open) {
        gaps.push({ ...open, to: answered });
        open = undefined;
      }
    }
    if (open) gaps.push({ ...open, to });
    return gaps;
  }

  /** How often each host answered within a window, by its index. */
  answers(prober: number, from: number, to: number): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const sequence of this.#window(prober, from, to)) {
      const host = this.#host[sequence]! - 1;
      if (host >= 0) counts.set(host, (counts.get(host) ?? 0) + 1);
    }
    return counts;
  }

  *#window(prober: number, from: number, to: number): Iterable<number> {
    const end = Math.min(Atomics.load(this.#header, NEXT), CAPACITY);
    for (let sequence = 0; sequence < end; sequence++) {
      const sent = this.#sent[sequence]!;
      if (this.#prober[sequence] === prober && sent >= from && sent < to) yield sequence;
    }
  }
}
