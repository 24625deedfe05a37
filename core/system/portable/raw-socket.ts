// The npm package `raw-socket`, loaded when it is wanted: one IPv4 raw socket of it, with what it does badly kept from
// everybody else. Knows neither VRRP nor interfaces. Only for the main thread: in a worker the package hears nothing.
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { socketDescriptors, withhold } from './descriptors.ts';

/** What lies below the package's own Socket: the system calls themselves, at once and in full. */
interface Wrap extends EventEmitter {
  send(buffer: Buffer, offset: number, length: number, address: string, sent: (bytes: number) => void): void;
  recv(buffer: Buffer, received: (buffer: Buffer, bytes: number) => void): void;
}

interface PackageSocket extends EventEmitter {
  readonly wrap: Wrap;
  setOption(level: number, option: number, value: Buffer, length: number): void;
  setOption(level: number, option: number, value: number): void;
  close(): void;
}

interface RawSocketPackage {
  createSocket(options: { readonly protocol: number; readonly bufferSize: number }): PackageSocket;
}

/** The package is missing, was not built for this Node, or is not the one we know; the message names the fix. */
export class PortableTransportError extends Error {
  readonly code = 'ERR_PORTABLE_TRANSPORT';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PortableTransportError';
  }
}

let loaded: RawSocketPackage | undefined;

/** Finds out whether the package can be used. @throws PortableTransportError */
export function loadRawSocket(): void {
  loaded ??= load();
}

function load(): RawSocketPackage {
  if (!isMainThread) throw new PortableTransportError('raw-socket hears nothing outside the main thread');
  try {
    return createRequire(import.meta.url)('raw-socket') as RawSocketPackage;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new PortableTransportError(
      `the package raw-socket does not load (${why}); fix: npm install raw-socket, with a C++ compiler`,
      { cause },
    );
  }
}

/** glibc's and musl's words for what a raw socket meets: the package hands on the text and loses the number. */
const ERRNO: Readonly<Record<string, string>> = {
  'Resource temporarily unavailable': 'EAGAIN',
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'No such device': 'ENODEV',
  'No such device or address': 'ENXIO',
  'Network is down': 'ENETDOWN',
  'Network is unreachable': 'ENETUNREACH',
  'Network unreachable': 'ENETUNREACH',
  'No route to host': 'EHOSTUNREACH',
  'Host is unreachable': 'EHOSTUNREACH',
  'Message too long': 'EMSGSIZE',
  'No buffer space available': 'ENOBUFS',
  'Cannot allocate memory': 'ENOMEM',
  'Out of memory': 'ENOMEM',
  'Too many open files': 'EMFILE',
  'No file descriptors available': 'EMFILE',
  'Invalid argument': 'EINVAL',
};

/** The errno name of an error that the package threw; its text when we do not know it. */
export const errnoOf = (error: unknown): string => {
  const { message } = error as Error;
  return ERRNO[message] ?? message;
};

/** A collected Socket closes its descriptor and says nothing, so what is open is held here. */
const open = new Set<PackageSocket>();

export class RawSocket {
  readonly #socket: PackageSocket;
  readonly #release: () => void;
  #received = 0;
  #closed = false;
  readonly #onReceived = (_buffer: Buffer, bytes: number): void => {
    this.#received = bytes;
  };

  /**
   * @param protocol IP protocol number
   * @param onReadable called on the event loop while there is something to read; what it throws is not the package's to swallow
   * @throws Error with `code` (an errno name), PortableTransportError
   */
  constructor(protocol: number, onReadable: () => void) {
    loadRawSocket();
    const before = socketDescriptors();
    try {
      this.#socket = loaded!.createSocket({ protocol, bufferSize: 1 });
    } catch (error) {
      throw coded(error);
    }
    const fresh = [...socketDescriptors()].filter((fd) => !before.has(fd));
    this.#release = withhold(fresh);
    open.add(this.#socket);
    const { wrap } = this.#socket;
    if (typeof wrap?.recv !== 'function' || typeof wrap.send !== 'function') {
      this.close();
      throw new PortableTransportError(
        'this raw-socket is not the 1.8 that is known here; fix: npm install raw-socket@1.8.1',
      );
    }
    // The package's own reader copies nothing, takes one packet a turn of the loop and turns exceptions into events.
    wrap.removeAllListeners('recvReady');
    wrap.on('recvReady', () => {
      try {
        onReadable();
      } catch (error) {
        // Thrown through the package it would be lost: out of its reach it is an uncaught exception, as it should be.
        queueMicrotask(() => {
          throw error;
        });
      }
    });
    this.#socket.on('error', () => {});
  }

  /** @throws Error with `code` */
  setOption(level: number, option: number, value: number | Uint8Array): void {
    try {
      if (typeof value === 'number') this.#socket.setOption(level, option, value);
      else this.#socket.setOption(level, option, Buffer.from(value), value.length);
    } catch (error) {
      throw coded(error);
    }
  }

  /** Reads one packet, IP header included, into the caller's own memory. @returns its length, or the name of the error */
  receive(into: Buffer): number | string {
    if (this.#closed) return 'EBADF';
    try {
      this.#socket.wrap.recv(into, this.#onReceived);
      return this.#received;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /**
   * Sends at once. The package's own `send` waits for its turn of the loop, one packet a turn and only when nothing waits
   * to be read, so that anybody could hold our adverts up with a flood; and after a close it forgets what waits.
   * @returns the name of the error, if any
   */
  send(packet: Uint8Array, address: string): string | undefined {
    if (this.#closed) return 'EBADF';
    try {
      const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
      this.#socket.wrap.send(bytes, 0, bytes.length, address, () => {});
      return undefined;
    } catch (error) {
      return errnoOf(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    open.delete(this.#socket);
    this.#release();
    this.#socket.close();
  }
}

function coded(error: unknown): unknown {
  const code = errnoOf(error);
  return /^E[A-Z]+$/.test(code) ? Object.assign(new Error(code, { cause: error }), { code }) : error;
}
