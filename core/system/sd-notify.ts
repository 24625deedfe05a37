// Tells systemd how the service is doing: sd_notify(3), the protocol itself, over a datagram to NOTIFY_SOCKET.
// Without that variable every call does nothing.
import { type Micros, micros } from '../units.ts';
import * as linux from './linux.ts';
import type { Native } from './native/index.ts';
import { unixSockaddr } from './sockaddr.ts';

/** The variables that systemd.exec(5) sets for a service. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

const STATUS_LIMIT = 512;

/** Never throws: each call returns whether systemd was told, which is false without systemd too. */
export class ServiceNotifier {
  readonly #native: Native;
  readonly #address: Uint8Array | undefined;
  /** Within this time `watchdog` must be called again, better in half of it; undefined when systemd does not watch. */
  readonly watchdogInterval: Micros | undefined;

  constructor(native: Native, environment: NotifyEnvironment, pid: number) {
    this.#native = native;
    const path = environment.NOTIFY_SOCKET;
    this.#address = path === undefined ? undefined : unixSockaddr(path);
    this.watchdogInterval = this.#address && watchdogInterval(environment, pid);
  }

  /** There is a NOTIFY_SOCKET, and its address is one that we can reach. */
  get enabled(): boolean {
    return this.#address !== undefined;
  }

  /** The service runs; also the end of a reload. */
  ready(status?: string): boolean {
    return this.#tell(`READY=1\n${statusLine(status)}`);
  }

  /** One line for people, cut at 512 characters. */
  status(text: string): boolean {
    return this.#tell(statusLine(text));
  }

  stopping(status?: string): boolean {
    return this.#tell(`STOPPING=1\n${statusLine(status)}`);
  }

  /** A reload begins (Type=notify-reload); `ready` ends it. */
  reloading(): boolean {
    return this.#tell(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(this.#native.monotonic())}\n`);
  }

  watchdog(): boolean {
    return this.#tell('WATCHDOG=1\n');
  }

  #tell(text: string): boolean {
    if (this.#address === undefined) return false;
    try {
      const socket = this.#native.socket(linux.AF_UNIX, linux.SOCK_DGRAM, 0);
      try {
        return this.#native.sendmsg(socket, new TextEncoder().encode(text), this.#address, undefined, 0) > 0;
      } finally {
        this.#native.close(socket);
      }
    } catch {
      return false; // out of descriptors: being silent is what the watchdog is for
    }
  }
}

function statusLine(text: string | undefined): string {
  return text === undefined ? '' : `STATUS=${text.replaceAll(/[\r\n\0]+/g, ' ').slice(0, STATUS_LIMIT)}\n`;
}

/** sd_watchdog_enabled(3): WATCHDOG_PID, if set, must be ours. */
function watchdogInterval(environment: NotifyEnvironment, pid: number): Micros | undefined {
  if (environment.WATCHDOG_PID !== undefined && environment.WATCHDOG_PID !== String(pid)) return undefined;
  const usec = Number(environment.WATCHDOG_USEC);
  return Number.isSafeInteger(usec) && usec > 0 ? micros(usec) : undefined;
}
