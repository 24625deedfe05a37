// Loads the native addon and says what it offers. Its functions are the system calls of the same names; what they
// mean is the business of the files around this folder.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

declare const kind: unique symbol;

/**
 * An open descriptor. A plain number that every thread of this process may use (so it can be posted to a worker);
 * it is not a file descriptor, and once closed it never means anything again.
 */
export type Handle = number & { readonly [kind]: 'descriptor' };

/** Words of one row of the table that `sendmmsg` reads; offsets are into the arena, a length of 0 means none. */
export const TX_OFFSET = 0;
export const TX_LENGTH = 1;
export const TX_NAME_OFFSET = 2;
export const TX_NAME_LENGTH = 3;
export const TX_CONTROL_OFFSET = 4;
export const TX_CONTROL_LENGTH = 5;
export const TX_WORDS = 6;
/** The most messages one `sendmmsg` takes. */
export const SEND_MAX = 256;

/** Words of one row of the table that `recvmmsg` writes. */
export const RX_LENGTH = 0;
/** MSG_TRUNC when the message was longer than the stride. */
export const RX_FLAGS = 1;
/** TTL or hop limit; -1 when the socket does not ask for it (IP_RECVTTL, IPV6_RECVHOPLIMIT). */
export const RX_TTL = 2;
/** The receiving interface; 0 when the socket does not ask for it (IP_PKTINFO, IPV6_RECVPKTINFO). */
export const RX_IFINDEX = 3;
/** Bytes of the source sockaddr, at most RX_SOURCE_SIZE. */
export const RX_SOURCE_LENGTH = 4;
/** 0, 4 or 16. */
export const RX_DESTINATION_LENGTH = 5;
export const RX_WORDS = 6;
/** The most messages one `recvmmsg` takes. */
export const RECEIVE_MAX = 64;
/** Bytes a message takes in the `addresses` of `recvmmsg`: the source sockaddr, then the destination address. */
export const RX_ADDRESS_SIZE = 48;
export const RX_SOURCE_SIZE = 32;

/** The most handles one `ppoll` takes. */
export const POLL_MAX = 256;

/** What a refused set-up call throws. */
export interface SystemError extends Error {
  /** 'EPERM' and so on. */
  readonly code: string;
  /** Positive. */
  readonly errno: number;
  readonly syscall: string;
}

/**
 * Every function checks its arguments: a wrong type throws TypeError; a number out of range, or a view that is too
 * short or detached, RangeError; a view of a resizable ArrayBuffer TypeError. Views of shared memory are fine.
 * A closed handle throws SystemError EBADF.
 * The set-up calls throw SystemError; those marked *hot* return a negative errno instead and allocate nothing.
 */
export interface Native {
  /** socket(2), always SOCK_NONBLOCK and SOCK_CLOEXEC. Domain AF_UNIX, AF_INET, AF_INET6, AF_NETLINK or AF_PACKET; type SOCK_DGRAM or SOCK_RAW. */
  socket(domain: number, type: number, protocol: number): Handle;
  /** Takes effect when the last call on it, in whatever thread, has returned. A worker that ends closes what it opened. */
  close(handle: number): void;
  bind(handle: number, address: Uint8Array): void;
  connect(handle: number, address: Uint8Array): void;
  /** Returns the length of the address, which may be more than fitted. */
  getsockname(handle: number, out: Uint8Array): number;
  /** A number is passed as a C int. Options whose value holds a pointer are refused. */
  setsockopt(handle: number, level: number, option: number, value: number | Uint8Array): void;
  /** Returns the length of the value. */
  getsockopt(handle: number, level: number, option: number, out: Uint8Array): number;
  /** SO_ATTACH_FILTER: classic BPF, eight bytes an instruction (struct sock_filter), 1 to 4096 of them. */
  attachFilter(handle: number, program: Uint8Array): void;
  /** *Hot.* Bytes sent. Never blocks, never raises SIGPIPE; flags DONTROUTE and CONFIRM. */
  sendmsg(
    handle: number,
    data: Uint8Array,
    address: Uint8Array | undefined,
    control: Uint8Array | undefined,
    flags: number,
  ): number;
  /** *Hot.* How many of `count` (1 to SEND_MAX) messages went out, from row `first` of the table on; an error is that of the first. */
  sendmmsg(handle: number, arena: Uint8Array, table: Int32Array, first: number, count: number, flags: number): number;
  /**
   * *Hot.* How many messages there were, at most `count` (1 to RECEIVE_MAX). Message i is at `i * stride` of the arena,
   * its row at `i * RX_WORDS`, its addresses at `i * RX_ADDRESS_SIZE`, and `times[i]` is its SO_TIMESTAMPNS
   * in microseconds since 1970, or 0.
   */
  recvmmsg(
    handle: number,
    arena: Uint8Array,
    stride: number,
    count: number,
    table: Int32Array,
    addresses: Uint8Array,
    times: Float64Array,
  ): number;
  /** *Hot.* The length of the message: more than the buffer holds when it was cut off (MSG_TRUNC). */
  recv(handle: number, buffer: Uint8Array): number;
  /**
   * *Hot.* Waits until one of the first `count` handles is readable or CLOCK_MONOTONIC has reached `deadline`
   * (microseconds with fractions, exact to the nanosecond; Infinity: for ever). Writes the poll events of each to
   * `ready`; returns how many have any.
   */
  ppoll(handles: Float64Array, ready: Int32Array, count: number, deadline: number): number;
  eventfd(): Handle;
  /** *Hot.* Makes an eventfd readable. From any thread. */
  signal(handle: number): number;
  /** *Hot.* How often it was signalled since; 0 or -EAGAIN when it was not. */
  drain(handle: number): number;
  /** Of the calling thread: SCHED_OTHER, SCHED_FIFO or SCHED_RR, with SCHED_RESET_ON_FORK or without; priority 0 to 99. */
  setScheduler(policy: number, priority: number): void;
  getScheduler(): number;
  /** Moves the calling thread into a namespace. `fd` is a file descriptor of node:fs; `type` CLONE_NEWNET and the like, or 0. */
  setns(fd: number, type: number): void;
  /** Only options with plain numbers: PDEATHSIG, DUMPABLE, KEEPCAPS, TIMERSLACK (nanoseconds), NO_NEW_PRIVS. */
  prctl(option: number, value: number): number;
  /** Signals 1 to 64 but 32 to 34, which belong to the C library. For the whole process. */
  ignoreSignal(signal: number): void;
  /**
   * A real-time signal (35 to 64) is counted from now on and sends this process SIGIO, which Node can listen to;
   * install that listener first. For the whole process and its life.
   */
  catchSignal(signal: number): void;
  /** How often a caught signal came since the last call. */
  takeSignal(signal: number): number;
  gettid(): number;
  /** *Hot.* CLOCK_MONOTONIC in microseconds. */
  monotonic(): number;
  /** *Hot.* CLOCK_BOOTTIME in microseconds: as `monotonic`, and the time that the machine was suspended. */
  boottime(): number;
  /** *Hot.* CLOCK_REALTIME in microseconds since 1970. */
  realtime(): number;
  /** 'EPERM' for 1 or -1; 'OK' for 0; 'EUNKNOWN' for what Linux does not define. */
  errnoName(errno: number): string;
}

/** The addon is missing or does not load; the message names the fix. */
export class NativeAddonError extends Error {
  readonly code = 'ERR_NATIVE_ADDON';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NativeAddonError';
  }
}

let loaded: Native | undefined;

/** The addon, loaded once a thread. @throws NativeAddonError */
export function loadNative(): Native {
  loaded ??= load();
  return loaded;
}

/** Where the addon may be: beside this file, or in the sources when this runs from `dist` of a checkout. */
export function nativePaths(): readonly string[] {
  const name = `vipkeeper-linux-${process.arch}.node`;
  return [`./${name}`, `../core/system/native/${name}`].map((path) => fileURLToPath(new URL(path, import.meta.url)));
}

function load(): Native {
  if (process.platform !== 'linux') throw new NativeAddonError(`vipkeeper needs Linux, this is ${process.platform}`);
  const path = nativePaths().find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new NativeAddonError(
      `the native addon for linux-${process.arch} is missing (looked for ${nativePaths().join(', ')}); ` +
        'fix: node core/system/native/build.mjs',
    );
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    throw new NativeAddonError(`the native addon ${path} does not load; fix: node core/system/native/build.mjs`, {
      cause,
    });
  }
}
