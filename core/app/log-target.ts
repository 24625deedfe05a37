// Where the log goes: stderr, a file, the system's log, as the command line says.
import { appendFileSync } from 'node:fs';
import type { LogLevel } from '../agent/log.ts';
import { loadNative } from '../system/native/index.ts';
import { Syslog } from '../system/syslog.ts';

export interface LogTarget {
  /** Default true. */
  readonly console?: boolean;
  /** Facility number of syslog(3); absent: nothing goes there. */
  readonly syslog?: number;
  /** Lines are added to this file too. */
  readonly file?: string;
}

/** The name that rules for keepalived's log look for: the process that does VRRP. */
const SYSLOG_TAG = 'Keepalived_vrrp';

export function logSink(target: LogTarget = {}): (line: string, level: LogLevel) => void {
  const { file, console: onConsole = true } = target;
  const syslog = target.syslog === undefined ? undefined : systemLog(target.syslog);
  return (line, level) => {
    // What the system's log does not take must not be lost.
    const taken = syslog?.write(syslogText(line), level) ?? false;
    if (onConsole || (target.syslog !== undefined && !taken)) process.stderr.write(`${line}\n`);
    if (file === undefined) return;
    try {
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not stop the agent; the line is in the other places.
    }
  };
}

/** undefined: the addon is missing, which is said where it is needed most. */
function systemLog(facility: number): Syslog | undefined {
  try {
    return new Syslog(loadNative(), SYSLOG_TAG, facility);
  } catch {
    return undefined;
  }
}

/** Without the time, which the system's log adds. */
const syslogText = (line: string): string =>
  line.replace(/^(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}: |\d{4}-\S+Z )/, '');
