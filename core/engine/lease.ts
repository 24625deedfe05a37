// The dead man's switch between the two threads: instants in shared memory, each written by one side.
// The agent proves that it lives; the engine looks before it sends, and fences itself when the proof is too old.
import { after, type Instant, instant, type Micros } from '../units.ts';
import { LEASE_AGENT_BEAT, LEASE_ENGINE_BEAT, LEASE_LENGTH } from './messages.ts';

export const leaseMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer(LEASE_LENGTH * Float64Array.BYTES_PER_ELEMENT);

/** The agent's side. */
export class LeaseHolder {
  readonly #beats: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#beats = new Float64Array(memory);
  }

  renew(now: Instant): void {
    this.#beats[LEASE_AGENT_BEAT] = now;
  }

  /** When the engine last began a turn; 0 before its first. */
  get engineBeat(): Instant {
    return instant(this.#beats[LEASE_ENGINE_BEAT]!);
  }
}

/** The engine's side. */
export class LeaseWatch {
  readonly #beats: Float64Array;
  #duration: Micros;
  /** While the engine itself did not run it cannot blame the agent: the lease counts from here at the earliest. */
  #excusedUntil: Instant;

  constructor(memory: SharedArrayBuffer, duration: Micros, now: Instant) {
    this.#beats = new Float64Array(memory);
    this.#duration = duration;
    this.#excusedUntil = now;
  }

  set duration(duration: Micros) {
    this.#duration = duration;
  }

  beat(now: Instant): void {
    this.#beats[LEASE_ENGINE_BEAT] = now;
  }

  excuse(now: Instant): void {
    this.#excusedUntil = now;
  }

  /** When the agent's last sign of life ceases to count. */
  get end(): Instant {
    return after(instant(Math.max(this.#beats[LEASE_AGENT_BEAT]!, this.#excusedUntil)), this.#duration);
  }
}
