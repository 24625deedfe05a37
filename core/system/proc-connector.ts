// The socket over which the kernel tells of processes: subscribed, filtered, drained. It knows nothing of what is done
// with the events. Only the initial namespaces of network and processes have it.
import { CN_IDX_PROC, decodeProcEvent, type ProcEvent, processFilter, subscription } from '../net/proc-event.ts';
import { type Instant, instant, millis } from '../units.ts';
import * as linux from './linux.ts';
import type { Handle, Native } from './native/index.ts';
import { type Descriptor, LinuxPoller } from './poller.ts';
import { netlinkSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const NETLINK_CONNECTOR = 11;
const SOCKET_BUFFER = 1024 * 1024;
const MESSAGE_SIZE = 256;
/** Events of one call: the counts must be told in between. */
const LIMIT = 4096;
const ANSWER_TIME = millis(1_000);

export class ProcConnector implements Descriptor {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #buffer = new Uint8Array(MESSAGE_SIZE);

  /** @throws Error whose message says why there are no events */
  constructor(native: Native) {
    this.#native = native;
    this.handle = native.socket(linux.AF_NETLINK, linux.SOCK_DGRAM, NETLINK_CONNECTOR);
    try {
      native.attachFilter(this.handle, processFilter());
      setReceiveBuffer(native, this.handle, SOCKET_BUFFER);
      native.bind(this.handle, netlinkSockaddr(CN_IDX_PROC));
      // Connected to the kernel, it takes unicasts from nobody else.
      native.connect(this.handle, netlinkSockaddr(0));
      const sent = native.sendmsg(this.handle, subscription(true), undefined, undefined, 0);
      if (sent < 0) throw new Error(native.errnoName(sent));
      this.#awaitAnswer();
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  /** Hands on at most 4096 events; what is left keeps it `ready`. 'overrun': some were lost. */
  receive(sink: (event: ProcEvent) => void): 'ok' | 'overrun' {
    for (let i = 0; i < LIMIT; i++) {
      const size = this.#native.recv(this.handle, this.#buffer);
      if (size === -linux.EINTR) continue;
      if (size === -linux.EAGAIN) {
        this.ready = false;
        return 'ok';
      }
      if (size < 0) return 'overrun'; // ENOBUFS, netlink(7)
      const event = decodeProcEvent(this.#buffer.subarray(0, Math.min(size, MESSAGE_SIZE)));
      if (event !== undefined) sink(event);
    }
    return 'ok';
  }

  /** Older kernels go on making events for a subscriber that did not say goodbye. */
  close(): void {
    this.#native.sendmsg(this.handle, subscription(false), undefined, undefined, 0);
    this.#native.close(this.handle);
  }

  /** In another namespace of processes the kernel takes the request and says nothing. */
  #awaitAnswer(): void {
    const poller = new LinuxPoller(this.#native);
    poller.add(this);
    const end: Instant = instant(this.#native.monotonic() + ANSWER_TIME);
    let answer: number | undefined;
    while (answer === undefined && this.#native.monotonic() < end) {
      poller.wait(end);
      this.receive((event) => {
        if (event.type === 'acknowledged') answer = event.error;
      });
    }
    if (answer === undefined) throw new Error('the kernel does not answer, as in a container');
    if (answer !== 0) throw new Error(this.#native.errnoName(answer));
  }
}

/**
 * @param origin where the process was started, if it is in another network namespace now: only the initial one has a
 *   connector. The calling thread moves there for good, so it must have no other sockets
 * @throws Error whose message says why there are no events
 */
export function openConnector(native: Native, origin: number | undefined): ProcConnector {
  if (origin !== undefined) native.setns(origin, linux.CLONE_NEWNET);
  return new ProcConnector(native);
}
