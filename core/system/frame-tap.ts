// The frame tap port on Linux: what arrives on one interface and passes a filter in the kernel. Knows no protocol.
import type { FrameTap, FrameTapSpec } from '../ports/engine-io.ts';
import { AF_PACKET, EAGAIN, ETH_P_ALL, SOCK_RAW } from './linux.ts';
import type { Handle, Native } from './native/index.ts';
import { tapSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

/** Longer frames are cut off; a filter lets no more of them through. */
const FRAME = 256;
/** What waits beyond this is dropped by the kernel: a flood costs no more memory than that. */
const RECEIVE_BUFFER = 256 * 1024;

export class LinuxFrameTap implements FrameTap {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #buffer = new Uint8Array(FRAME);

  /** @throws Error EPERM without CAP_NET_RAW, ENXIO without the interface, ENOMEM for too long a filter */
  constructor(native: Native, { ifindex, etherType, filter }: FrameTapSpec) {
    this.#native = native;
    // protocol 0 hears nothing: no frame comes before the filter is there
    this.handle = native.socket(AF_PACKET, SOCK_RAW, 0);
    try {
      setReceiveBuffer(native, this.handle, RECEIVE_BUFFER);
      native.attachFilter(this.handle, filter);
      native.bind(this.handle, tapSockaddr(ifindex, etherType === 'all' ? ETH_P_ALL : etherType));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  receive(sink: (frame: Uint8Array) => void, limit: number): number {
    for (let count = 0; count < limit; count++) {
      const length = this.#native.recv(this.handle, this.#buffer);
      if (length < 0) {
        // an error other than "nothing there" is the interface's (ENETDOWN): reported once, and the next call goes on
        if (length === -EAGAIN) this.ready = false;
        return count;
      }
      sink(this.#buffer.subarray(0, Math.min(length, FRAME)));
    }
    return limit;
  }

  close(): void {
    this.#native.close(this.handle);
  }
}
