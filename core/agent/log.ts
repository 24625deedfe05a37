// The log: one readable line an event, `TIME LEVEL EVENT key=value …`, and a limit for what may repeat endlessly.
// Writes to a given sink and takes a given clock; knows nothing of files, syslog or journald.

export type LogLevel = 'error' | 'warning' | 'info' | 'debug';

/** undefined values are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What the parts of the agent need of the log. */
export interface Logger {
  /** @param event one or more words with hyphens: `transition`, `script-failed` */
  log(level: LogLevel, event: string, fields?: LogFields): void;
  /** As log, but at most once a minute for the same cause; what was left out is counted as `suppressed`. */
  limited(cause: string, level: LogLevel, event: string, fields?: LogFields): void;
}

/** The lines that an event makes; `time` (milliseconds since 1970) is undefined where somebody else adds it. */
export type LogFormatter = (
  level: LogLevel,
  event: string,
  fields: LogFields,
  time: number | undefined,
) => readonly string[];

export interface LogOptions {
  /** Gets each line without its line feed. */
  readonly sink: (line: string, level: LogLevel) => void;
  /** Default: `TIME LEVEL EVENT key=value …`. */
  readonly format?: LogFormatter;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The least important level that is written. Default info. */
  readonly level?: LogLevel;
  /** Write the time; false where journald or syslog adds it. Default true. */
  readonly timestamps?: boolean;
}

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warning: 1, info: 2, debug: 3 };
const LIMIT_MS = 60_000;
/** Causes remembered at once; more of them means that the cause is not one. The oldest is then forgotten. */
const MAX_CAUSES = 1_000;

interface Limited {
  since: number;
  count: number;
  readonly level: LogLevel;
  readonly event: string;
  fields: LogFields;
}

export class Log implements Logger {
  readonly #options: LogOptions;
  readonly #causes = new Map<string, Limited>();

  constructor(options: LogOptions) {
    this.#options = options;
  }

  log(level: LogLevel, event: string, fields: LogFields = {}): void {
    const { sink, now, timestamps = true, format = textLines } = this.#options;
    if (!this.enabled(level)) return;
    for (const line of format(level, event, fields, timestamps ? now() : undefined)) sink(line, level);
  }

  /** Whether a level is written at all. */
  enabled(level: LogLevel): boolean {
    return RANK[level] <= RANK[this.#options.level ?? 'info'];
  }

  limited(cause: string, level: LogLevel, event: string, fields: LogFields = {}): void {
    const now = this.#options.now();
    const known = this.#causes.get(cause);
    // A wall clock that was set back must not silence a cause for longer than the limit.
    if (known && now >= known.since && now - known.since < LIMIT_MS) {
      known.count++;
      known.fields = fields;
      return;
    }
    this.#causes.delete(cause);
    if (this.#causes.size >= MAX_CAUSES) this.#forget(this.#causes.keys().next().value!);
    this.#causes.set(cause, { since: now, count: 0, level, event, fields });
    this.log(level, event, known && known.count > 0 ? { ...fields, suppressed: known.count } : fields);
  }

  /** Writes out what was suppressed and is over: to be called now and then (each minute), and with `all` at the end. */
  flush(all = false): void {
    const now = this.#options.now();
    for (const [cause, { since }] of [...this.#causes])
      if (all || now - since >= LIMIT_MS || now < since) this.#forget(cause);
  }

  #forget(cause: string): void {
    const { count, level, event, fields } = this.#causes.get(cause)!;
    this.#causes.delete(cause);
    if (count > 0) this.log(level, event, { ...fields, suppressed: count });
  }
}

export const textLines: LogFormatter = (level, event, fields, time) => {
  const line = formatLine(level, event, fields);
  return [time === undefined ? line : `${new Date(time).toISOString()} ${line}`];
};

/** A line without its time. Values are quoted when they would not survive splitting at spaces. */
export function formatLine(level: LogLevel, event: string, fields: LogFields): string {
  const parts = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${formatValue(value)}`],
  );
  return [level, /^[\w.-]+$/.test(event) ? event : quote(event), ...parts].join(' ');
}

function formatValue(value: string | number | boolean): string {
  const text = String(value);
  return /^[^\s"=\\\p{C}]+$/u.test(text) ? text : quote(text);
}

/** As a JSON string, with everything escaped that could end the line or steer a terminal. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
