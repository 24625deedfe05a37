// The poller port on Linux: one ppoll(2) over a fixed table, exact to the nanosecond, nothing allocated per wait.
import type { Pollable, Poller } from '../ports/engine-io.ts';
import type { Instant } from '../units.ts';
import { EINTR } from './linux.ts';
import { type Handle, type Native, POLL_MAX } from './native/index.ts';

/** What a LinuxPoller can wait for: everything this folder makes. */
export interface Descriptor extends Pollable {
  readonly handle: Handle;
}

/** At most 256 sources. A source must be removed before it is closed. */
export class LinuxPoller implements Poller {
  readonly #native: Native;
  readonly #sources: Descriptor[] = [];
  readonly #handles = new Float64Array(POLL_MAX);
  readonly #events = new Int32Array(POLL_MAX);

  constructor(native: Native) {
    this.#native = native;
  }

  /** @throws TypeError for a source of another implementation, RangeError when full */
  add(source: Pollable): void {
    if (!isDescriptor(source)) throw new TypeError('the source has no handle to poll');
    if (this.#sources.includes(source)) return;
    if (this.#sources.length >= POLL_MAX) throw new RangeError(`more than ${POLL_MAX} sources to poll`);
    this.#sources.push(source);
    this.#fill();
  }

  remove(source: Pollable): void {
    const at = this.#sources.indexOf(source as Descriptor);
    if (at < 0) return;
    this.#sources.splice(at, 1);
    this.#fill();
  }

  /** `undefined` waits without end. A deadline in the past looks once and returns. @throws Error EBADF for a closed source */
  wait(until: Instant | undefined): void {
    const count = this.#sources.length;
    const deadline = until ?? Number.POSITIVE_INFINITY;
    let found: number;
    do found = this.#native.ppoll(this.#handles, this.#events, count, deadline);
    while (found === -EINTR);
    if (found < 0) throw new Error(`ppoll: ${this.#native.errnoName(found)}`);
    // any event counts, errors too: whoever reads from the source finds out which
    for (let i = 0; found > 0 && i < count; i++) if (this.#events[i] !== 0) this.#sources[i]!.ready = true;
  }

  #fill(): void {
    for (const [i, source] of this.#sources.entries()) this.#handles[i] = source.handle;
  }
}

function isDescriptor(source: Pollable): source is Descriptor {
  return typeof (source as Partial<Descriptor>).handle === 'number';
}
