// The agent's end of the boundary: sends commands, hears events, proves four times a second that the agent lives,
// and notices when the engine does not. The thread itself is behind a port.
import { LeaseHolder } from '../engine/lease.ts';
import type { EngineCommand, EngineEvent } from '../engine/messages.ts';
import type { Timing } from '../ports/process.ts';
import { after, between, millis, seconds } from '../units.ts';

/** The engine's thread, seen from outside. */
export interface EngineThread {
  send(command: EngineCommand): void;
  /** Memory of the lease, shared with the engine. */
  readonly lease: SharedArrayBuffer;
  /** Whom to tell of events; and, when the thread is gone, once of its end. */
  listen(onEvent: (event: EngineEvent) => void, onExit: () => void): void;
}

/** Everything that the engine knows, at one moment. */
export type EngineSnapshot = Extract<EngineEvent, { readonly type: 'snapshot' }>;

const BEAT = millis(250);
/** An engine that has not begun a turn for so long is dead. */
const ENGINE_SILENCE = seconds(5);
const SNAPSHOT_TIMEOUT = seconds(2);

export class EngineClient {
  readonly #thread: EngineThread;
  readonly #timing: Timing;
  readonly #holder: LeaseHolder;
  readonly #snapshots = new Map<number, (snapshot: EngineSnapshot) => void>();
  #nextSnapshot = 1;
  #cancelBeat: (() => void) | undefined;
  #suspicions = 0;
  #onDead: (() => void) | undefined;

  constructor(thread: EngineThread, timing: Timing) {
    this.#thread = thread;
    this.#timing = timing;
    this.#holder = new LeaseHolder(thread.lease);
  }

  /** `onDead` is called once if the engine falls silent or its thread ends without a word. */
  start(onEvent: (event: EngineEvent) => void, onDead: () => void): void {
    this.#onDead = onDead;
    this.#thread.listen(
      (event) => {
        if (event.type === 'snapshot') this.#answer(event);
        else onEvent(event);
      },
      () => this.#dead(),
    );
    this.#beat();
  }

  send(command: EngineCommand): void {
    this.#thread.send(command);
  }

  /** @throws Error when the engine does not answer within two seconds */
  snapshot(): Promise<EngineSnapshot> {
    const id = this.#nextSnapshot++;
    return new Promise((resolve, reject) => {
      const cancel = this.#timing.setTimer(after(this.#timing.now(), SNAPSHOT_TIMEOUT), () => {
        this.#snapshots.delete(id);
        reject(new Error('the engine does not answer'));
      });
      this.#snapshots.set(id, (snapshot) => {
        cancel();
        resolve(snapshot);
      });
      this.#thread.send({ type: 'snapshot', id });
    });
  }

  stop(): void {
    this.#cancelBeat?.();
    this.#onDead = undefined;
  }

  #answer(snapshot: EngineSnapshot): void {
    this.#snapshots.get(snapshot.id)?.(snapshot);
    this.#snapshots.delete(snapshot.id);
  }

  #beat(): void {
    const now = this.#timing.now();
    this.#holder.renew(now);
    const beat = this.#holder.engineBeat;
    // After a stop of the whole process our timer may run before the engine's first turn: suspect twice, then believe.
    this.#suspicions = beat !== 0 && between(beat, now) > ENGINE_SILENCE ? this.#suspicions + 1 : 0;
    if (this.#suspicions > 2) this.#dead();
    else this.#cancelBeat = this.#timing.setTimer(after(now, BEAT), () => this.#beat());
  }

  #dead(): void {
    this.#cancelBeat?.();
    const tell = this.#onDead;
    this.#onDead = undefined;
    tell?.();
  }
}
