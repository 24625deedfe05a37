// A line of the configuration and its place in the file it came from. Pure.
import type { Place } from './diagnostics.ts';

/** One line after expansion. */
export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Column (from 0) in the file of each character of `text`, one more for its end; absent: the same. */
  readonly columns?: readonly number[];
}

/** The place of characters `start` up to `end` of a line, in its file. */
export function placeOf(line: SourceLine, start: number, end: number): Place {
  const from = line.columns?.[start] ?? start;
  const to = line.columns?.[end] ?? end;
  return { file: line.file, line: line.line, column: from + 1, length: Math.max(to - from, 1) };
}

/** Where a comment begins: `#` or `!` outside double quotes and not after a backslash; the length when there is none. */
export function commentStart(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === '#' || c === '!')) return i;
  }
  return text.length;
}

/** The line with everything before `start` blanked out: columns stay. */
export const from = (line: SourceLine, start: number): SourceLine => ({
  ...line,
  text: ' '.repeat(start) + line.text.slice(start),
});

/** The line up to `end`. */
export const upTo = (line: SourceLine, end: number): SourceLine =>
  end >= line.text.length ? line : { ...line, text: line.text.slice(0, end) };
