// The few sockets of an onlooker: frames of one interface with the kernel's time stamps, and the route monitor. Thin
// over the addon; for the threads of the demo and the tests only.
import { closeSync, openSync } from 'node:fs';
import { type Handle, loadNative, RX_ADDRESS_SIZE, RX_LENGTH, RX_WORDS } from '../../system/native/index.ts';

const native = loadNative();

const AF_INET = 2;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const CLONE_NEWNET = 0x4000_0000;
const PR_SET_TIMERSLACK = 29;
const SCHED_FIFO = 1;
const SCHED_RESET_ON_FORK = 0x4000_0000;
const EAGAIN = -11;

const SNAP = 256;
const BATCH = 64;

/** Moves the calling thread into a network namespace; what it opens from now on belongs there. */
export function enter(namespaceFile: string): void {
  const fd = openSync(namespaceFile, 'r');
  try {
    native.setns(fd, CLONE_NEWNET);
  } finally {
    closeSync(fd);
  }
}

/** Puts the calling thread before ordinary ones and makes its timers sharp, where that is allowed. */
export function bePrompt(): void {
  native.prctl(PR_SET_TIMERSLACK, 1);
  try {
    native.setScheduler(SCHED_FIFO | SCHED_RESET_ON_FORK, 1);
  } catch {
    // As in a user namespace: then its clock readings are as good as the machine's load allows.
  }
}

/** Milliseconds on CLOCK_MONOTONIC. */
export const clock = (): number => native.monotonic() / 1000;

function receiveBuffer(handle: Handle, bytes: number): void {
  try {
    native.setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, bytes);
  } catch {
    native.setsockopt(handle, SOL_SOCKET, SO_RCVBUF, bytes);
  }
}

/** All frames that enter one interface, and a way to send some. */
export class FramePort {
  readonly handle: Handle;
  readonly #arena = new Uint8Array(SNAP * BATCH);
  readonly #table = new Int32Array(RX_WORDS * BATCH);
  readonly #addresses = new Uint8Array(RX_ADDRESS_SIZE * BATCH);
  readonly #times = new Float64Array(BATCH);

  /** `protocol` is an Ethertype, 3 for all, 0 for none (a port that only sends). */
  constructor(ifindex: number, protocol: number) {
    this.handle = native.socket(AF_PACKET, SOCK_RAW, 0);
    native.setsockopt(this.handle, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    native.setsockopt(this.handle, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    receiveBuffer(this.handle, 1 << 24);
    const address = new DataView(new ArrayBuffer(20)); // sockaddr_ll
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, protocol, false);
    address.setInt32(4, ifindex, true);
    native.bind(this.handle, new Uint8Array(address.buffer));
  }

  /** Calls `sink` for each waiting frame with the time, in ms, at which the kernel received it. */
  drain(sink: (frame: Uint8Array, t: number) => void): void {
    for (;;) {
      const count = native.recvmmsg(this.handle, this.#arena, SNAP, BATCH, this.#table, this.#addresses, this.#times);
      // The stamps are of the real-time clock, which may be set; all that is kept is how long ago it was.
      const shift = native.monotonic() - native.realtime();
      for (let i = 0; i < count; i++)
        sink(
          this.#arena.subarray(i * SNAP, i * SNAP + this.#table[i * RX_WORDS + RX_LENGTH]!),
          (this.#times[i]! + shift) / 1000,
        );
      if (count < BATCH) return;
    }
  }

  send(frame: Uint8Array): void {
    native.sendmsg(this.handle, frame, undefined, undefined, 0);
  }
}

/** Link and address changes of the calling thread's namespace. */
export class RoutePort {
  readonly handle: Handle;
  readonly #buffer = new Uint8Array(1 << 16);

  constructor(groups: number) {
    this.handle = native.socket(AF_NETLINK, SOCK_RAW, 0);
    receiveBuffer(this.handle, 1 << 22);
    const address = new DataView(new ArrayBuffer(12)); // sockaddr_nl
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, groups, true);
    native.bind(this.handle, new Uint8Array(address.buffer));
  }

  /** Calls `sink` for each waiting datagram. @throws Error when the kernel had to drop some */
  drain(sink: (data: DataView) => void): void {
    for (;;) {
      const length = native.recv(this.handle, this.#buffer);
      if (length === EAGAIN) return;
      if (length < 0) throw new Error(`route monitor: ${native.errnoName(length)}`);
      sink(new DataView(this.#buffer.buffer, 0, Math.min(length, this.#buffer.length)));
    }
  }

  send(message: Uint8Array): void {
    native.sendmsg(this.handle, message, undefined, undefined, 0);
  }
}

/** ICMP towards one address; what comes back is nobody's business here. */
export class EchoPort {
  readonly #handle: Handle;
  readonly #address = new Uint8Array(16);

  constructor(ip: string) {
    this.#handle = native.socket(AF_INET, SOCK_RAW, 1);
    native.setsockopt(this.#handle, SOL_SOCKET, SO_RCVBUF, 1);
    this.#address[0] = AF_INET;
    this.#address.set(ip.split('.').map(Number), 4);
  }

  /** No route and no neighbour are lost probes like any other. */
  send(packet: Uint8Array): void {
    native.sendmsg(this.#handle, packet, this.#address, undefined, 0);
  }
}

/** Waits until one of the handles is readable or the time, in ms, has come. */
export class Waiter {
  readonly #handles: Float64Array;
  readonly #ready: Int32Array;

  constructor(handles: readonly Handle[]) {
    this.#handles = Float64Array.from(handles);
    this.#ready = new Int32Array(handles.length);
  }

  /** Calls `sink` with the index of each readable handle. */
  wait(until: number, sink: (index: number) => void): void {
    if (native.ppoll(this.#handles, this.#ready, this.#handles.length, until * 1000) <= 0) return;
    for (let i = 0; i < this.#ready.length; i++) if (this.#ready[i] !== 0) sink(i);
  }
}
