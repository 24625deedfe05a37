// Lays text out in columns that fit a width, with colours that do not count. Pure.

export type Style = 'plain' | 'good' | 'bad' | 'warn' | 'strong' | 'faint';

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Canvas {
  /** Columns of the terminal; Infinity: no limit. */
  readonly width: number;
  readonly colour: boolean;
}

const GAP = 2;
/** The last column is never squeezed below this; a narrower terminal breaks the lines itself. */
const NARROWEST = 16;
const SGR: Readonly<Record<Style, string>> = {
  plain: '',
  good: '32',
  bad: '31',
  warn: '33',
  strong: '1',
  faint: '2',
};

/**
 * The lines of a table. All columns but the last are as wide as their widest cell; the last one is broken at spaces
 * into as many lines as it needs.
 */
export function layOut(rows: readonly (readonly Cell[])[], indent: number, canvas: Canvas): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    // The last cell of a short row may run on below the columns that follow in others.
    Math.max(0, ...rows.filter((row) => i < row.length - 1).map((row) => displayWidth(printable(row[i]!.text)))),
  );
  return rows.flatMap((row) => {
    let line = ' '.repeat(indent);
    let used = indent;
    for (const [i, cell] of row.slice(0, -1).entries()) {
      const text = printable(cell.text);
      line += paint(text, cell.style, canvas) + ' '.repeat(widths[i]! - displayWidth(text) + GAP);
      used += widths[i]! + GAP;
    }
    const last = row.at(-1);
    if (!last) return [line.trimEnd()];
    const [first = '', ...more] = wrap(printable(last.text), Math.max(NARROWEST, canvas.width - used));
    return [
      (line + paint(first, last.style, canvas)).trimEnd(),
      ...more.map((part) => ' '.repeat(used) + paint(part, last.style, canvas)),
    ];
  });
}

export function paint(text: string, style: Style | undefined, { colour }: { readonly colour: boolean }): string {
  const code = SGR[style ?? 'plain'];
  return colour && code !== '' && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Breaks at spaces, and inside words that are longer than a line. At least one line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = '';
    }
    while (displayWidth(word) > width) {
      const part = cut(word, width);
      lines.push(part);
      word = word.slice(part.length);
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Terminal columns: East Asian wide characters take two, combining ones none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const c of text) width += /\p{M}/u.test(c) ? 0 : WIDE.test(c) ? 2 : 1;
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** The longest beginning that fits, at least one character. */
function cut(text: string, width: number): string {
  let part = '';
  for (const c of text) {
    if (part !== '' && displayWidth(part + c) > width) break;
    part += c;
  }
  return part;
}

/** Without characters that could steer the terminal: texts come from files, peers and programs. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
