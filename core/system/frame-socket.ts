// The frame socket port on Linux: Ethernet frames out of any interface. It receives nothing.
import type { FrameSocket } from '../ports/engine-io.ts';
import { AF_PACKET, SOCK_RAW } from './linux.ts';
import type { Handle, Native } from './native/index.ts';
import { SendBatch } from './send-batch.ts';
import { linkSockaddr } from './sockaddr.ts';
import { setSendBuffer } from './socket-buffers.ts';

const SEND_BUFFER = 2 * 1024 * 1024;
const KNOWN_INTERFACES = 1024;

/** packet(7), SOCK_RAW with protocol 0, which is given no packets. */
export class LinuxFrameSocket implements FrameSocket {
  readonly handle: Handle;
  readonly #native: Native;
  readonly #batch: SendBatch;
  readonly #sockaddrs = new Map<number, Uint8Array>();

  /** @throws Error EPERM without CAP_NET_RAW */
  constructor(native: Native) {
    this.#native = native;
    this.handle = native.socket(AF_PACKET, SOCK_RAW, 0);
    setSendBuffer(native, this.handle, SEND_BUFFER);
    this.#batch = new SendBatch(native, this.handle);
  }

  /** A whole frame from the destination MAC on, without the checksum at its end; copied. */
  queue(frame: Uint8Array, ifindex: number): void {
    let sockaddr = this.#sockaddrs.get(ifindex);
    if (sockaddr === undefined) {
      if (this.#sockaddrs.size >= KNOWN_INTERFACES) this.#sockaddrs.clear();
      sockaddr = linkSockaddr(ifindex);
      this.#sockaddrs.set(ifindex, sockaddr);
    }
    // sll_protocol is what tc and VLAN devices see as the EtherType
    sockaddr[2] = frame[12] ?? 0;
    sockaddr[3] = frame[13] ?? 0;
    this.#batch.add(frame, sockaddr, 0);
  }

  flush(): readonly string[] {
    return this.#batch.flush();
  }

  close(): void {
    this.#native.close(this.handle);
  }
}
