// Writes to the system's log as syslog(3) does: RFC 3164 datagrams to /dev/log.
import * as linux from './linux.ts';
import type { Native } from './native/index.ts';
import { unixSockaddr } from './sockaddr.ts';

/** LOG_DAEMON. */
export const FACILITY_DAEMON = 3;
const FACILITY_USER = 1;
const FACILITY_LOCAL0 = 16;

export type SyslogSeverity = 'error' | 'warning' | 'info' | 'debug';
const SEVERITY: Readonly<Record<SyslogSeverity, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `0` to `7`, `local0` to `local7`, `user` or `daemon`; undefined: none of them. */
export function syslogFacility(name: string): number | undefined {
  if (name === 'user') return FACILITY_USER;
  if (name === 'daemon') return FACILITY_DAEMON;
  const local = /^(?:local)?([0-7])$/.exec(name);
  return local ? FACILITY_LOCAL0 + Number(local[1]) : undefined;
}

export class Syslog {
  readonly #native: Native;
  readonly #address: Uint8Array;
  readonly #facility: number;
  readonly #tag: string;

  constructor(native: Native, tag: string, facility = FACILITY_DAEMON, path = '/dev/log') {
    this.#native = native;
    this.#address = unixSockaddr(path)!;
    this.#facility = facility;
    this.#tag = tag;
  }

  /** Never throws and never waits. @returns whether somebody took the line */
  write(line: string, severity: SyslogSeverity): boolean {
    const now = new Date();
    const day = String(now.getDate()).padStart(2);
    const stamp = `${MONTHS[now.getMonth()]} ${day} ${now.toTimeString().slice(0, 8)}`;
    const text = `<${this.#facility * 8 + SEVERITY[severity]}>${stamp} ${this.#tag}[${process.pid}]: ${line}`;
    try {
      const socket = this.#native.socket(linux.AF_UNIX, linux.SOCK_DGRAM, 0);
      try {
        return this.#native.sendmsg(socket, new TextEncoder().encode(text), this.#address, undefined, 0) > 0;
      } finally {
        this.#native.close(socket);
      }
    } catch {
      return false;
    }
  }
}
