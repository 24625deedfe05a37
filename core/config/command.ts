// A program and its arguments out of a line, by keepalived's quoting rules (2.2.7, observed): the first argument is
// one string; it is then split again into words. No shell is involved, ever. Pure.

export interface QuotedWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The text ended before the quote did. */
  readonly unclosed: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * Words in which `"` and `'` both quote, adjacent parts join, and `\` escapes: `\a \b \E \f \n \r \t \v`, `\101`
 * (octal), `\x41`, `\cA` (control), any other character itself. Inside `'…'` nothing is escaped.
 */
export function splitQuoted(text: string): readonly QuotedWord[] {
  const words: QuotedWord[] = [];
  let i = 0;
  while (i < text.length) {
    if (/\s/.test(text[i]!)) {
      i++;
      continue;
    }
    const start = i;
    let out = '';
    let quote: string | undefined;
    while (i < text.length) {
      const c = text[i]!;
      if (c === quote) quote = undefined;
      else if (quote === undefined && (c === '"' || c === "'")) quote = c;
      else if (quote === undefined && /\s/.test(c)) break;
      else if (c === '\\' && quote !== "'" && i + 1 < text.length) {
        const escaped = readEscape(text, i + 1);
        out += escaped.text;
        i = escaped.end;
        continue;
      } else out += c;
      i++;
    }
    words.push({ text: out, start, end: i, unclosed: quote !== undefined });
  }
  return words;
}

function readEscape(text: string, at: number): { text: string; end: number } {
  const rest = text.slice(at, at + 3);
  const octal = /^[0-7]{1,3}/.exec(rest)?.[0];
  if (octal !== undefined)
    return { text: String.fromCharCode(Number.parseInt(octal, 8) & 255), end: at + octal.length };
  const hex = /^x[0-9a-fA-F]{1,2}/.exec(rest)?.[0];
  if (hex !== undefined) return { text: String.fromCharCode(Number.parseInt(hex.slice(1), 16)), end: at + hex.length };
  const control = /^c[@-_a-z]/.exec(rest)?.[0];
  if (control !== undefined) return { text: String.fromCharCode(control.charCodeAt(1) & 31), end: at + 2 };
  return { text: ESCAPES[text[at]!] ?? text[at]!, end: at + 1 };
}

/** The words that only a shell would understand, and that a program gets as plain arguments here. */
export function shellWords(argv: readonly string[]): readonly string[] {
  if (/(^|\/)(ba|da|z|k|a)?sh$/.test(argv[0] ?? '')) return [];
  return argv.filter((word) => /^(\|\|?|&&?|;|\d?>>?(&\d)?|<)$|^\d?[<>]\S|;$|^`|^\$\(|\$\(/.test(word));
}
