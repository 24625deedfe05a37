// From a line to words and braces, with their places. Comments, quotes and escapes end here.
// Pure; knows nothing of blocks and keywords.
import type { Place, Report } from './diagnostics.ts';
import { commentStart, placeOf, type SourceLine } from './source-line.ts';

export interface Word {
  readonly kind: 'word';
  /** Without its double quotes; `\#` and `\!` are the characters themselves. */
  readonly text: string;
  /** Where it stands in the line, quotes included. */
  readonly start: number;
  readonly end: number;
  readonly place: Place;
}

export interface Brace {
  readonly kind: '{' | '}';
  readonly place: Place;
}

export type Token = Word | Brace;

const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\v' || c === '\f';

/**
 * The words and braces of a line. A brace counts wherever it stands, glued to a word or not, except inside double
 * quotes, after a backslash and in `${NAME}`. A double quote begins a word of its own and ends it, even glued to
 * another: `a"b c"d` is three words (keepalived 2.2.7, observed; a command is read from the line instead).
 */
export function tokenize(line: SourceLine, report: Pick<Report, 'add'>): readonly Token[] {
  const text = line.text;
  const end = commentStart(text);
  const tokens: Token[] = [];
  let i = 0;
  while (i < end) {
    const c = text[i]!;
    if (isSpace(c)) i++;
    else if (c === '{' || c === '}') tokens.push({ kind: c, place: placeOf(line, i, ++i) });
    else {
      const start = i;
      const word = c === '"' ? scanQuoted(text, start, end) : scanBare(text, start, end);
      i = word.end;
      if (word.unclosed)
        report.add('W024', placeOf(line, start, end), 'this quote is not closed; it ends with the line');
      tokens.push({ kind: 'word', text: word.text, start, end: i, place: placeOf(line, start, i) });
    }
  }
  return tokens;
}

interface Scanned {
  readonly text: string;
  readonly end: number;
  /** A quote that the line does not close. */
  readonly unclosed?: true;
}

/** From a double quote to the next; `\"` does not end it. */
function scanQuoted(text: string, start: number, limit: number): Scanned {
  let out = '';
  let i = start + 1;
  while (i < limit && text[i] !== '"') {
    if (text[i] === '\\' && i + 1 < limit) {
      if (text[i + 1] !== '"') out += text[i];
      i++;
    }
    out += text[i++];
  }
  return i < limit ? { text: out, end: i + 1 } : { text: out.trimEnd(), end: limit, unclosed: true };
}

/** Up to white space, a brace or a quote. */
function scanBare(text: string, start: number, limit: number): Scanned {
  let out = '';
  let i = start;
  while (i < limit) {
    const c = text[i]!;
    if (c === '\\' && i + 1 < limit) {
      const next = text[i + 1]!;
      out += next === '#' || next === '!' || next === '{' || next === '}' ? next : c + next;
      i += 2;
    } else if (c === '$' && text[i + 1] === '{') {
      const close = text.indexOf('}', i);
      const to = close === -1 || close >= limit ? i + 2 : close + 1;
      out += text.slice(i, to);
      i = to;
    } else if (isSpace(c) || c === '{' || c === '}' || c === '"') break;
    else {
      out += c;
      i++;
    }
  }
  return { text: out, end: i };
}
