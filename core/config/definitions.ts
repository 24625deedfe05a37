// $NAME definitions: what a definition line says, and the replacing of uses in a line. Where each character stands in
// its file is kept. Pure.
import { commentStart, type SourceLine } from './source-line.ts';

/** The value of a variable; more than one line: it replaces whole lines. */
export interface Definition {
  readonly lines: readonly SourceLine[];
}

/** What a variable is replaced with: a text, or lines; undefined: it is not defined and stays. */
export type Lookup = (name: string, parameters: string) => string | Definition | undefined;

export interface DefinitionLine {
  readonly name: string;
  /** Where the value begins in the line. */
  readonly value: number;
}

const DEFINE = /^\s*\$([A-Za-z_][A-Za-z0-9_]*)=/;
/** `${NAME}`, `${NAME PARAMETERS}`, and `$NAME` before white space, a comma, a `)` or the end (2.2.7, observed). */
const USE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(\s[^{}]*)?\}|\$([A-Za-z_][A-Za-z0-9_]*)(?=[\s,)]|$)/g;

/** `$NAME=` at the start of a line. */
export function definitionLine(text: string): DefinitionLine | undefined {
  const match = DEFINE.exec(text);
  return match === null ? undefined : { name: match[1]!, value: match[0].length };
}

/** Whether a line of a definition goes on in the next; a backslash before a comment, or at its end, counts as well. */
export function continues(text: string): boolean {
  return /\\\s*$/.test(text) || /\\\s*$/.test(text.slice(0, commentStart(text)));
}

/** A line of a definition without the backslash that joins it to the next. */
export function withoutContinuation(text: string): string {
  const bare = text.slice(0, commentStart(text));
  return (/\\\s*$/.test(bare) ? bare : text).replace(/\\?\s*$/, '');
}

/** One round of replacing. */
export interface Expansion {
  readonly line: SourceLine;
  readonly changed: boolean;
  /** Braced uses of what is not defined. */
  readonly undefined: readonly Use[];
  /** Uses of variables of several lines with something behind them, which stay as they are. */
  readonly crowded: readonly Use[];
  /** A variable of several lines at the end of the line: its other lines follow. */
  readonly following: readonly SourceLine[];
}

export interface Use {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The line with its variables replaced once; what the values contain is left for the next round. */
export function expandOnce(line: SourceLine, lookup: Lookup): Expansion {
  const { text } = line;
  const pieces: string[] = [];
  const columns: number[] = [];
  const missing: Use[] = [];
  const crowded: Use[] = [];
  let following: readonly SourceLine[] = [];
  let done = 0;
  const column = (i: number) => line.columns?.[i] ?? i;
  const keep = (to: number) => {
    for (let i = done; i < to; i++) columns.push(column(i));
    pieces.push(text.slice(done, to));
    done = to;
  };
  const quoted = quoteTracker(text);
  for (const match of text.matchAll(USE)) {
    const name = match[1] ?? match[3]!;
    const use = { name, start: match.index, end: match.index + match[0].length };
    let value = lookup(name, match[2]?.trim() ?? '');
    if (value === undefined) {
      if (match[1] !== undefined) missing.push(use);
      continue;
    }
    if (typeof value !== 'string') {
      if (text.slice(use.end).trim() !== '') {
        crowded.push(use);
        continue;
      }
      const [first, ...rest] = value.lines;
      if (text.slice(0, use.start).trim() === '')
        return { line: first!, changed: true, undefined: missing, crowded, following: rest };
      following = rest;
      value = first!.text.trim();
    }
    // A comment character needs its backslash outside quotes, and would keep it inside.
    if (quoted(use.start)) value = value.replace(/\\([#!])/g, '$1');
    else if (name === '_HASH' || name === '_BANG') value = `\\${value}`;
    keep(use.start);
    for (let i = 0; i < value.length; i++) columns.push(column(use.start));
    pieces.push(value);
    done = use.end;
  }
  if (done === 0) return { line, changed: false, undefined: missing, crowded, following };
  keep(text.length);
  columns.push(column(text.length));
  return { line: { ...line, text: pieces.join(''), columns }, changed: true, undefined: missing, crowded, following };
}

/** Whether a place is inside double quotes; places are asked for in order. */
function quoteTracker(text: string): (at: number) => boolean {
  let i = 0;
  let quoted = false;
  return (at) => {
    for (; i < at; i++)
      if (text[i] === '\\') i++;
      else if (text[i] === '"') quoted = !quoted;
    return quoted;
  };
}
