// From a line to words and braces, with their places. Comments, quotes and escapes end here.
// Pure; knows nothing of blocks and keywords.
import type { Place, Report } from './diagnostics.ts';
import { commentStart, placeOf, type SourceLine } from './source.ts';

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
 * quotes, after a backslash, in `${NAME}` and in the list of `~LST(…)`.
 */
export function tokenize(line: SourceLine, report: Report): readonly Token[] {
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
      const word = scanWord(text, start, end);
      i = word.end;
      if (word.unclosed !== undefined)
        report.add('W024', placeOf(line, word.unclosed, end), 'this quote is not closed; it ends with the line');
      tokens.push({ kind: 'word', text: word.text, start, end: i, place: placeOf(line, start, i) });
    }
  }
  return tokens;
}

/** One word from `start`, at most to `limit`. `unclosed`: where a quote began that the line does not close. */
function scanWord(text: string, start: number, limit: number): { text: string; end: number; unclosed?: number } {
  let out = '';
  let i = start;
  const macro = text[i] === '~';
  let parentheses = 0;
  while (i < limit) {
    const c = text[i]!;
    if (c === '\\' && i + 1 < limit) {
      const next = text[i + 1]!;
      out += next === '#' || next === '!' || next === '{' || next === '}' ? next : c + next;
      i += 2;
    } else if (c === '"') {
      const quote = i++;
      while (i < limit && text[i] !== '"') {
        if (text[i] === '\\' && text[i + 1] === '"' && i + 1 < limit) i++;
        out += text[i++];
      }
      if (i >= limit) return { text: out.trimEnd(), end: limit, unclosed: quote };
      i++;
    } else if (c === '$' && text[i + 1] === '{') {
      const close = text.indexOf('}', i);
      const to = close === -1 || close >= limit ? i + 2 : close + 1;
      out += text.slice(i, to);
      i = to;
    } else if (isSpace(c) || ((c === '{' || c === '}') && parentheses === 0)) break;
    else {
      if (macro && c === '(') parentheses++;
      else if (macro && c === ')') parentheses--;
      out += c;
      i++;
    }
  }
  return { text: out, end: i };
}
