// How much a configuration may cost to read, whatever its text, and how much is said about it. Pure.
import type { Report } from './diagnostics.ts';

/** Limits that no honest file reaches: they make every input end. */
export const LIMITS = {
  /** Characters of all files together, an included file counted each time. */
  text: 4_194_304,
  /** Characters of a line, in a file and after expansion. */
  line: 65_536,
  /** Lines after expansion that are not empty. */
  lines: 200_000,
  /** Characters looked at while expanding. */
  work: 33_554_432,
  /** Files within files, and lines of variables within lines of variables. */
  depth: 16,
  /** Variables within variables in one line. */
  rounds: 32,
  /** Included files. */
  files: 4096,
} as const;

type Counted = 'text' | 'lines' | 'work' | 'files';

const WHY: Readonly<Record<Counted, string>> = {
  text: `it is longer than ${LIMITS.text} characters`,
  lines: `it has more than ${LIMITS.lines} lines`,
  work: 'its variables and repetitions expand to too much text',
  files: `it includes more than ${LIMITS.files} files`,
};

/** What has been spent of the limits of a whole configuration. */
export class Budget {
  readonly #spent: Record<Counted, number> = { text: 0, lines: 0, work: 0, files: 0 };
  /** Why nothing more may be read; undefined: go on. */
  exhausted: string | undefined;

  get spent(): Readonly<Record<Counted, number>> {
    return this.#spent;
  }

  /** Counts; false when a limit is passed. */
  spend(what: Counted, amount: number): boolean {
    this.#spent[what] += amount;
    if (this.#spent[what] > LIMITS[what]) this.exhausted ??= WHY[what];
    return this.exhausted === undefined;
  }
}

/** Passes on a number of messages of each code, the last of them with a word about the rest. */
export function atMost(limit: number, report: Report): Pick<Report, 'add'> {
  const counts = new Map<string, number>();
  return {
    add(code, place, message, details) {
      const count = (counts.get(code) ?? 0) + 1;
      counts.set(code, count);
      if (count < limit) report.add(code, place, message, details);
      else if (count === limit) report.add(code, place, `${message}; further ones are not told`, details);
    },
  };
}
