// A client that pings an address every millisecond, on a thread in the client's namespace. It reads no answers: the
// watcher sees them on the bridge, and there it is certain who gave them.
import { Worker } from 'node:worker_threads';
import { entryFile } from '../../system/entry-file.ts';
import { type Host, namespaceFile } from './network.ts';
import type { ProbePlan } from './probe-thread.ts';
import { now, type Recorder } from './recorder.ts';

export interface Outage {
  /** The longest time without an answer, in ms; 0 when no probe was lost. */
  readonly longest: number;
  /** All times without an answer together, in ms. */
  readonly total: number;
  readonly lost: number;
}

/** Answers to the last probes of a window are waited for this long. */
const SETTLE_MS = 30;
let probers = 0;

export class Prober {
  readonly #recorder: Recorder;
  readonly #number: number;
  readonly #worker: Worker;
  readonly #stop: Int32Array;

  private constructor(recorder: Recorder, number: number, worker: Worker, stop: Int32Array) {
    this.#recorder = recorder;
    this.#number = number;
    this.#worker = worker;
    this.#stop = stop;
  }

  static async start(client: Host, ip: string, recorder: Recorder, intervalMs = 1): Promise<Prober> {
    const number = (probers++ % 254) + 1;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const plan: ProbePlan = {
      namespace: namespaceFile(client.namespace),
      ip,
      number,
      intervalMs,
      probes: recorder.probes.memory,
      stop: stop.buffer as SharedArrayBuffer,
    };
    const worker = new Worker(entryFile(import.meta.url, './probe-thread'), { workerData: plan });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    return new Prober(recorder, number, worker, stop);
  }

  /** What the client missed in a window that ends now or earlier. */
  async outage(from: number, to = now()): Promise<Outage> {
    const wait = to + SETTLE_MS - now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const gaps = this.#recorder.probes.gaps(this.#number, from, to);
    const lengths = gaps.map((gap) => gap.to - gap.from);
    return {
      longest: Math.max(0, ...lengths),
      total: lengths.reduce((a, b) => a + b, 0),
      lost: gaps.reduce((sum, gap) => sum + gap.lost, 0),
    };
  }

  /** Who answered in a window, and how often. */
  answers(from: number, to = now()): ReadonlyMap<string, number> {
    const counts = this.#recorder.probes.answers(this.#number, from, to);
    return new Map([...counts].map(([index, count]) => [this.#recorder.hosts[index]!.name, count]));
  }

  async stop(): Promise<void> {
    Atomics.store(this.#stop, 0, 1);
    if (this.#worker.threadId === -1) return;
    await new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
  }
}
