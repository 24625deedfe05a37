// The route monitor port on Linux: what the kernel multicasts about links, addresses and routes. It knows the netlink header
// and nothing of what the messages say.
import { forEachMessage, NLMSG_OVERRUN } from '../net/netlink.ts';
import { RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR, RTMGRP_LINK } from '../net/rtnetlink.ts';
import type { RouteMonitor } from '../ports/engine-io.ts';
import * as linux from './linux.ts';
import type { Handle, Native } from './native/index.ts';
import { netlinkSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const RECEIVE_SIZE = 64 * 1024;
const SOCKET_BUFFER = 4 * 1024 * 1024;
/** Datagrams of one call: a storm must not hold up the adverts. */
const LIMIT = 256;
/** NLMSG_MIN_TYPE: below are the messages of netlink itself. */
const FIRST_ROUTE_TYPE = 16;
const GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

export class LinuxRouteMonitor implements RouteMonitor {
  ready = false;
  readonly handle: Handle;
  readonly #native: Native;
  readonly #buffer = new Uint8Array(RECEIVE_SIZE);

  /**
   * @param groups bits of RTMGRP_
   * @param bufferSize bytes of events the kernel keeps for us
   */
  constructor(native: Native, groups = GROUPS, bufferSize = SOCKET_BUFFER) {
    this.#native = native;
    this.handle = native.socket(linux.AF_NETLINK, linux.SOCK_RAW, linux.NETLINK_ROUTE);
    try {
      setReceiveBuffer(native, this.handle, bufferSize);
      native.bind(this.handle, netlinkSockaddr(groups));
      // connected to the kernel, it takes unicasts from nobody else
      native.connect(this.handle, netlinkSockaddr(0));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  /**
   * Takes at most 256 datagrams; what is left keeps it `ready`. After an overrun what waited is thrown away, since it is
   * older than what will be read anew. The messages passed on are views that are valid during the call only.
   */
  receive(sink: (message: Uint8Array) => void): 'ok' | 'overrun' {
    for (let i = 0; i < LIMIT; i++) {
      const size = this.#native.recv(this.handle, this.#buffer);
      if (size === -linux.EINTR) continue;
      if (size === -linux.EAGAIN) {
        this.ready = false;
        return 'ok';
      }
      // ENOBUFS: the kernel dropped some; netlink(7)
      if (size < 0 || size > RECEIVE_SIZE || !this.#messages(size, sink)) {
        this.#discard();
        return 'overrun';
      }
    }
    return 'ok';
  }

  /** False when the datagram is damaged or reports a loss. */
  #messages(size: number, sink: (message: Uint8Array) => void): boolean {
    let lost = false;
    const whole = forEachMessage(this.#buffer.subarray(0, size), (message, { type }) => {
      if (type === NLMSG_OVERRUN) lost = true;
      else if (type >= FIRST_ROUTE_TYPE) sink(message);
    });
    return whole === 'ok' && !lost;
  }

  #discard(): void {
    for (let i = 0; i < 16 * LIMIT; i++) {
      if (this.#native.recv(this.handle, this.#buffer) !== -linux.EAGAIN) continue;
      this.ready = false;
      return;
    }
  }

  close(): void {
    this.#native.close(this.handle);
  }
}
