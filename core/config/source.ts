// From files to lines: include, $NAME definitions and uses, @id conditions. Every line keeps where it came from.
// Reading files is given from outside. Pure; knows nothing of words, blocks and keywords.
import type { Place, Report } from './diagnostics.ts';

export interface SourceText {
  /** The name to show in messages; relative includes are looked up beside it. */
  readonly file: string;
  readonly text: string;
}

/** Finds the files that an include names. */
export interface IncludeReader {
  /** All readable files that match a shell pattern (`*`, `?`, `[…]`, `{a,b}`), sorted by name; none: an empty list. */
  include(pattern: string): readonly SourceText[];
}

export interface SourceOptions {
  /** What `@id` lines are compared with; keepalived's default is the host name up to the first dot. */
  readonly configId: string;
  readonly reader: IncludeReader | undefined;
  /** For `${_ENV NAME}`; unset variables are empty. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One line after expansion. */
export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Column (from 0) in the file of each character of `text`, one more for its end; absent: the same. */
  readonly columns?: readonly number[];
}

/** Limits that no honest file reaches: they make every input end. */
const MAX_DEPTH = 16;
const MAX_LINE = 65_536;
const MAX_LINES = 200_000;

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

/** All lines of a file and of what it includes, expanded, in order. */
export function readLines(root: SourceText, options: SourceOptions, report: Report): readonly SourceLine[] {
  return new LineReader(options, report).read(root);
}

const INCLUDE = /^\s*include[rmwba]?\s+(?:"([^"]*)"|(\S+))/;
const DEFINE = /^\s*\$([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
const CONDITION = /^(\s*)@(\^?)(\S+)/;
const USE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(\s+[^{}]*)?\}|\$([A-Za-z_][A-Za-z0-9_]*)(?=\s|$)/g;

class LineReader {
  readonly #options: SourceOptions;
  readonly #report: Report;
  readonly #variables = new Map<string, string>();
  readonly #lines: SourceLine[] = [];

  constructor(options: SourceOptions, report: Report) {
    this.#options = options;
    this.#report = report;
  }

  read(root: SourceText): readonly SourceLine[] {
    this.#file(root, 0);
    return this.#lines;
  }

  #file(source: SourceText, depth: number): void {
    const texts = source.text.replace(/^\ufeff/, '').split('\n');
    for (let i = 0; i < texts.length; i++) {
      const line: SourceLine = { file: source.file, line: i + 1, text: texts[i]!.replace(/\r+$/, '') };
      if (line.text.includes('\0')) {
        this.#report.add('W025', placeOf(line, 0, line.text.length), 'this line contains a NUL byte and is ignored');
        continue;
      }
      const included = INCLUDE.exec(line.text);
      if (included) {
        this.#include(line, included[1] ?? included[2]!, depth);
        continue;
      }
      const definition = DEFINE.exec(line.text);
      if (definition && definition[2]!.trim() === '\\') {
        const body: string[] = [];
        let more = true;
        while (more && ++i < texts.length) {
          const part = texts[i]!.trimEnd();
          more = part.endsWith('\\');
          body.push(more ? part.slice(0, -1) : part);
        }
        this.#variables.set(definition[1]!, body.join('\n'));
        continue;
      }
      this.#line(line, 0);
    }
  }

  #line(line: SourceLine, depth: number): void {
    if (this.#lines.length >= MAX_LINES) return;
    const text = line.text.slice(0, commentStart(line.text));
    const definition = DEFINE.exec(text);
    if (definition) {
      this.#variables.set(definition[1]!, definition[2]!.trim());
      return;
    }
    const condition = CONDITION.exec(text);
    if (condition) {
      const blank = condition[0].length;
      const keep = (condition[3] === this.#options.configId) !== (condition[2] === '^');
      if (keep && depth < MAX_DEPTH)
        this.#line({ ...line, text: ' '.repeat(blank) + line.text.slice(blank) }, depth + 1);
      return;
    }
    const expanded = text.includes('$') ? this.#expand({ ...line, text }) : line;
    if (expanded === undefined) return;
    if (expanded !== line && depth < MAX_DEPTH && (CONDITION.test(expanded.text) || DEFINE.test(expanded.text)))
      this.#line(expanded, depth + 1);
    else this.#emit(expanded);
  }

  /** A multi-line variable makes several lines, all of them where it was used. */
  #emit(line: SourceLine): void {
    let start = 0;
    for (const text of line.text.split('\n')) {
      const columns = line.columns?.slice(start, start + text.length + 1);
      this.#lines.push({ file: line.file, line: line.line, text, ...(columns && { columns }) });
      start += text.length + 1;
    }
  }

  #expand(line: SourceLine): SourceLine | undefined {
    let current = line;
    for (let round = 0; round < MAX_DEPTH; round++) {
      const next = this.#expandOnce(current, round === 0);
      if (next === current) return current;
      if (next.text.length > MAX_LINE) break;
      current = next;
    }
    this.#report.add('W028', placeOf(line, 0, line.text.length), 'the variables of this line expand without end');
    return undefined;
  }

  #expandOnce(line: SourceLine, first: boolean): SourceLine {
    let text = '';
    const columns: number[] = [];
    let done = 0;
    let changed = false;
    const column = (i: number) => line.columns?.[i] ?? i;
    const keep = (to: number) => {
      for (let i = done; i < to; i++) columns.push(column(i));
      text += line.text.slice(done, to);
      done = to;
    };
    for (const match of line.text.matchAll(USE)) {
      const name = match[1] ?? match[3]!;
      const value = this.#valueOf(name, match[2]?.trim() ?? '', line);
      if (value === undefined) {
        if (first && match[1] !== undefined)
          this.#report.add(
            'W027',
            placeOf(line, match.index, match.index + match[0].length),
            `${name} is not defined; the text stays as it is`,
            {
              value: name,
              suggestion: `define it above with $${name}=VALUE, or write \${_ENV ${name}} for an environment variable`,
            },
          );
        continue;
      }
      keep(match.index);
      for (let i = 0; i < value.length; i++) columns.push(column(match.index));
      text += value;
      done = match.index + match[0].length;
      changed = true;
    }
    if (!changed) return line;
    keep(line.text.length);
    columns.push(column(line.text.length));
    return { ...line, text, columns };
  }

  #valueOf(name: string, parameter: string, line: SourceLine): string | undefined {
    switch (name) {
      case '_PWD':
        return directoryOf(line.file).replace(/\/$/, '') || '.';
      case '_INSTANCE':
        return this.#options.configId;
      case '_ENV':
        return this.#options.environment[parameter] ?? '';
      case '_HASH':
        return '\\#';
      case '_BANG':
        return '\\!';
    }
    return this.#variables.get(name);
  }

  #include(line: SourceLine, pattern: string, depth: number): void {
    const place = placeOf(line, line.text.indexOf(pattern), line.text.indexOf(pattern) + pattern.length);
    if (depth >= MAX_DEPTH) {
      this.#report.add('W028', place, `includes are nested more than ${MAX_DEPTH} deep; this one is ignored`);
      return;
    }
    const path = pattern.startsWith('/') ? pattern : directoryOf(line.file) + pattern;
    const found = this.#lines.length < MAX_LINES ? (this.#options.reader?.include(path) ?? []) : [];
    if (found.length === 0) this.#report.add('W026', place, `no readable file matches ${pattern}`, { value: pattern });
    for (const source of found) this.#file(source, depth + 1);
  }
}

/** Everything up to the last slash, with it. */
const directoryOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1);
