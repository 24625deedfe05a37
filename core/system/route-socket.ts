// The route socket port on Linux: requests to rtnetlink, packed and acknowledged, and whole dumps. It knows the
// netlink header and nothing of what the messages say.
import {
  align,
  forEachMessage,
  type NetlinkHeader,
  NLM_F_ACK,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  readErrorCode,
  readNetlinkHeader,
  setHost32,
  setSequence,
} from '../net/netlink.ts';
import type { NetlinkAck, RouteSocket } from '../ports/engine-io.ts';
import * as linux from './linux.ts';
import type { Handle, Native } from './native/index.ts';
import { netlinkSockaddr } from './sockaddr.ts';
import { setReceiveBuffer, setSendBuffer } from './socket-buffers.ts';

/** Messages and bytes of one datagram; the kernel works it off in one go, so it also bounds how long that takes. */
const CHUNK = 64;
const SEND_SIZE = 32 * 1024;
/** The kernel's dumps come in at most 32 KiB a datagram (netlink_dump). */
const RECEIVE_SIZE = 64 * 1024;
const SOCKET_BUFFER = 4 * 1024 * 1024;
/** Far above all links and addresses of a large router. */
const DUMP_LIMIT = 32 * 1024 * 1024;
const DUMP_ATTEMPTS = 10;
/** The kernel answers within the send; these only bound what must not happen. Microseconds, and waits in a row. */
const PATIENCE = 10_000;
const WAITS = 4;
/** nlmsg_pid of struct nlmsghdr; the kernel puts in ours where it is 0. */
const PORT = 12;
const DONE: NetlinkAck = Object.freeze({ error: 0, name: 'OK' });

export class LinuxRouteSocket implements RouteSocket {
  readonly handle: Handle;
  readonly #native: Native;
  readonly #out = new Uint8Array(SEND_SIZE);
  readonly #in = new Uint8Array(RECEIVE_SIZE);
  readonly #pollHandle = new Float64Array(1);
  readonly #pollEvents = new Int32Array(1);
  #sequence = 0;

  constructor(native: Native) {
    this.#native = native;
    this.handle = native.socket(linux.AF_NETLINK, linux.SOCK_RAW, linux.NETLINK_ROUTE);
    try {
      setReceiveBuffer(native, this.handle, SOCKET_BUFFER);
      setSendBuffer(native, this.handle, SOCKET_BUFFER);
      native.setsockopt(this.handle, linux.SOL_NETLINK, linux.NETLINK_CAP_ACK, 1);
      // connected to the kernel, it takes unicasts from nobody else
      native.connect(this.handle, netlinkSockaddr(0));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
    this.#pollHandle[0] = this.handle;
  }

  /**
   * The sequence numbers and port ids of the messages are overwritten in a copy. An answer that was lost is reported
   * as -ENOBUFS: the outcome of that request is unknown.
   * @throws TypeError for a message that is malformed or lacks NLM_F_ACK
   */
  request(messages: readonly Uint8Array[]): readonly NetlinkAck[] {
    for (const message of messages) assertRequest(message);
    const acks: NetlinkAck[] = [];
    for (let first = 0; first < messages.length; ) {
      let end = first;
      let size = 0;
      while (end < messages.length && end - first < CHUNK) {
        const message = messages[end]!;
        if (size + align(message.length) > SEND_SIZE) break;
        this.#put(message, size, this.#sequence + 1 + end - first);
        size += align(message.length);
        end++;
      }
      this.#exchange(size, end - first, acks);
      first = end;
    }
    return acks;
  }

  #put(message: Uint8Array, at: number, sequence: number): void {
    const place = this.#out.subarray(at, at + align(message.length)).fill(0);
    place.set(message);
    setSequence(place, sequence >>> 0);
    setHost32(place, PORT, 0);
  }

  /** Sends the chunk in `#out`, whose sequence numbers follow `#sequence`, and appends `count` acks. */
  #exchange(size: number, count: number, acks: NetlinkAck[]): void {
    const base = this.#sequence + 1;
    this.#sequence = (this.#sequence + count) >>> 0;
    const sent = this.#send(size);
    if (sent < 0) {
      const refused = this.#ack(sent);
      for (let i = 0; i < count; i++) acks.push(refused);
      return;
    }
    const answers = new Array<NetlinkAck | undefined>(count).fill(undefined);
    let missing = count;
    this.#answers((message, header) => {
      const which = (header.sequence - base) >>> 0;
      if (which >= count || header.type !== NLMSG_ERROR) return true;
      const error = readErrorCode(message);
      if (typeof error !== 'number') return true;
      if (answers[which] === undefined) missing--;
      answers[which] = this.#ack(error);
      return missing > 0;
    });
    const lost = this.#ack(-linux.ENOBUFS);
    for (const answer of answers) acks.push(answer ?? lost);
  }

  #ack(error: number): NetlinkAck {
    return error === 0 ? DONE : { error, name: this.#native.errnoName(error) };
  }

  #send(size: number): number {
    const data = this.#out.subarray(0, size);
    let sent: number;
    let attempts = 0;
    do sent = this.#native.sendmsg(this.handle, data, undefined, undefined, 0);
    while ((sent === -linux.EINTR || sent === -linux.EAGAIN) && ++attempts < 16);
    return sent;
  }

  /**
   * Hands the messages that come to `take` until it returns false or the queue is empty after a loss.
   * Returns 0, or a negative errno: -ENOBUFS when some were lost, -ETIMEDOUT when none came any more.
   */
  #answers(take: (message: Uint8Array, header: NetlinkHeader) => boolean): number {
    let lost = false;
    for (let waits = 0; ; ) {
      const size = this.#native.recv(this.handle, this.#in);
      if (size === -linux.EINTR) continue;
      if (size === -linux.EAGAIN) {
        if (lost) return -linux.ENOBUFS;
        if (++waits > WAITS) return -linux.ETIMEDOUT;
        this.#native.ppoll(this.#pollHandle, this.#pollEvents, 1, this.#native.monotonic() + PATIENCE);
        continue;
      }
      if (size === -linux.ENOBUFS) {
        lost = true; // what is still queued is good
        continue;
      }
      if (size < 0) return size;
      if (size > RECEIVE_SIZE) return -linux.EMSGSIZE;
      let more = true;
      const whole = forEachMessage(this.#in.subarray(0, size), (message, header) => {
        more &&= take(message, header);
      });
      if (whole !== 'ok') lost = true;
      if (!more) return lost ? -linux.ENOBUFS : 0;
    }
  }

  /**
   * The sink is called only when the dump is whole and no change fell into it (NLM_F_DUMP_INTR), each message once.
   * @throws Error with `code` when the kernel refuses, when ten attempts were interrupted, or beyond 32 MiB
   */
  dump(request: Uint8Array, sink: (message: Uint8Array) => void): void {
    assertWhole(request);
    let error = 0;
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages: Uint8Array[] = [];
      error = this.#attemptDump(request, messages);
      if (error === 0) {
        for (const message of messages) sink(message);
        return;
      }
      if (error !== -linux.EINTR && error !== -linux.ENOBUFS && error !== -linux.EBUSY) break;
    }
    throw Object.assign(new Error(`netlink dump failed: ${this.#native.errnoName(error)}`), {
      code: this.#native.errnoName(error),
      errno: -error,
    });
  }

  /** 0, or a negative errno; -EINTR when something changed meanwhile. */
  #attemptDump(request: Uint8Array, messages: Uint8Array[]): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const sequence = this.#sequence;
    this.#put(request, 0, sequence);
    const sent = this.#send(align(request.length));
    if (sent < 0) return sent;
    let size = 0;
    let outcome = 0;
    const ended = this.#answers((message, header) => {
      if (header.sequence !== sequence) return true;
      if (header.flags & NLM_F_DUMP_INTR) outcome ||= -linux.EINTR;
      if (header.type === NLMSG_DONE || header.type === NLMSG_ERROR) {
        const error = readErrorCode(message);
        if (typeof error === 'number' && error !== 0) outcome = error;
        return false;
      }
      if (header.type === NLMSG_NOOP) return true;
      size += header.length;
      if (size > DUMP_LIMIT) outcome = -linux.EMSGSIZE;
      else if (outcome === 0) messages.push(message.slice());
      return true;
    });
    return outcome || ended;
  }

  close(): void {
    this.#native.close(this.handle);
  }
}

function assertWhole(message: Uint8Array): NetlinkHeader {
  const header = readNetlinkHeader(message);
  if (typeof header === 'string' || header.length !== message.length || header.length > SEND_SIZE)
    throw new TypeError('not a netlink message');
  return header;
}

function assertRequest(message: Uint8Array): void {
  if (!(assertWhole(message).flags & NLM_F_ACK)) throw new TypeError('a netlink request needs NLM_F_ACK');
}
