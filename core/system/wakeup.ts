// An eventfd: how another thread ends the real-time thread's wait. Its handle is a plain number that can be posted.
import type { Handle, Native } from './native/index.ts';
import type { Descriptor } from './poller.ts';

/**
 * The thread that waits adds it to its Poller and drains it; any thread triggers it by the number `handle`.
 * Triggers before a drain add up to one wake-up. eventfd(2)
 */
export class Wakeup implements Descriptor {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;

  /** @param handle that of a Wakeup made in another thread; without it a new one is made */
  constructor(native: Native, handle?: number) {
    this.#native = native;
    this.handle = handle === undefined ? native.eventfd() : (handle as Handle);
  }

  /** Ends the wait, now or the next one. @throws Error EBADF after close */
  trigger(): void {
    this.#native.signal(this.handle);
  }

  /** How often it was triggered since the last drain. */
  drain(): number {
    this.ready = false;
    return Math.max(this.#native.drain(this.handle), 0);
  }

  /** By the thread that made it, when nobody waits for it any more. */
  close(): void {
    this.#native.close(this.handle);
  }
}
