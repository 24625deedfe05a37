// From files to lines: include, $NAME definitions and uses, @id conditions, ~SEQ and ~LST. Every line keeps where it
// came from; work and output are bounded whatever the text. Reading files is given from outside. Pure; knows nothing of
// words, blocks and keywords but the two that act while a file is read: include_check and random_seed.
import { continues, type Definition, definitionLine, expandOnce, withoutContinuation } from './definitions.ts';
import type { Code, Report } from './diagnostics.ts';
import { conditionOf, freshStart } from './line-starts.ts';
import { repetitionOf, type SequenceHeader, sequenceHeader } from './sequences.ts';
import {
  changeChecks,
  expandBraces,
  type IncludeCheck,
  type IncludeLine,
  includeLine,
  isWildcard,
} from './source-includes.ts';
import { atMost, Budget, LIMITS } from './source-limits.ts';
import { commentStart, from, placeOf, type SourceLine, upTo } from './source-line.ts';
import { type Draw, randomFrom, randomNumber, seedOf } from './source-random.ts';

export { LIMITS } from './source-limits.ts';
export { commentStart, placeOf, type SourceLine } from './source-line.ts';

export interface SourceText {
  /** The name to show in messages; relative includes are looked up beside it. */
  readonly file: string;
  readonly text: string;
  /** Why it could not be read; its text is empty then. */
  readonly unreadable?: string;
  /** For `${_PWD}`: the absolute path of its folder; absent: the folder as `file` has it. */
  readonly directory?: string;
}

/** Finds the files that an include names. */
export interface IncludeReader {
  /** All files that match a shell pattern (`*`, `?`, `[…]`; braces are expanded before), sorted by name. */
  include(pattern: string): readonly SourceText[];
}

export interface SourceOptions {
  /** What `@id` lines are compared with; keepalived's default is the host name up to the first dot. */
  readonly configId: string;
  readonly reader: IncludeReader | undefined;
  /** For `${_ENV NAME}`; unset variables are empty. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * For `${_RANDOM}` without random_seed. Absent: a sequence that the config id determines, so that machines differ
   * and a reload changes nothing (keepalived draws anew at each).
   */
  readonly random?: Draw;
}

/** All lines of a file and of what it includes, expanded, in order, without empty ones; none when a limit is passed. */
export function readLines(root: SourceText, options: SourceOptions, report: Report): readonly SourceLine[] {
  return new LineReader(options, report).read(root);
}

const RANDOM_SEED = /(?:^|[\s{])random_seed\s+(\d{1,15})/;
const INCLUDE_CHECK = /^(?:|.*[\s{])include_check(\s[^}]*)?(?:$|})/;
/** More messages of one kind about variables, repetitions and includes help nobody. */
const MAX_ALIKE = 100;
/** What a line costs even if it is empty. */
const LINE_WORK = 32;

class LineReader {
  readonly #options: SourceOptions;
  readonly #report: Pick<Report, 'add'>;
  readonly #definitions = new Map<string, Definition>();
  readonly #lines: SourceLine[] = [];
  /** The files being read, outermost first. */
  readonly #files: string[] = [];
  readonly #said = new Set<string>();
  readonly #budget = new Budget();
  #directory = '';
  #checks: ReadonlySet<IncludeCheck> = new Set();
  #draw: Draw;
  /** The line of the file at hand expands without end: nothing more comes of it. */
  #abandoned = false;

  constructor(options: SourceOptions, report: Report) {
    this.#options = options;
    this.#report = atMost(MAX_ALIKE, report);
    this.#draw = options.random ?? randomFrom(seedOf(options.configId));
  }

  read(root: SourceText): readonly SourceLine[] {
    this.#file(root);
    return this.#budget.exhausted === undefined ? this.#lines : [];
  }

  #file(source: SourceText): void {
    const { file } = source;
    if (!this.#spend('text', source.text.length, { file, line: 1, text: '' })) return;
    const [directory, checks] = [this.#directory, this.#checks];
    this.#directory = source.directory ?? (directoryOf(file).replace(/(.)\/$/, '$1') || '.');
    this.#files.push(file);
    const texts = source.text.replace(/^\ufeff/, '').split('\n');
    for (let i = 0; i < texts.length && this.#budget.exhausted === undefined; i++) {
      this.#abandoned = false;
      const line = this.#fileLine(file, texts, i);
      if (line === undefined) continue;
      const condition = conditionOf(line.text, this.#options.configId);
      const bare = condition ? from(line, condition.end) : line;
      const definition = definitionLine(bare.text);
      if (definition && continues(bare.text)) {
        const text = withoutContinuation(bare.text).slice(definition.value);
        const lines = text.trim() === '' ? [] : [{ ...line, text: ' '.repeat(definition.value) + text }];
        for (let more = true; more && ++i < texts.length; more = continues(texts[i]!)) {
          const part = this.#fileLine(file, texts, i);
          if (part) lines.push({ ...part, text: withoutContinuation(part.text) });
        }
        if (condition?.holds !== false) this.#definitions.set(definition.name, { lines });
      } else this.#line(line, 0);
    }
    this.#files.pop();
    this.#directory = directory;
    this.#checks = checks;
  }

  /** Line `i` of a file, unless it cannot be used. */
  #fileLine(file: string, texts: readonly string[], i: number): SourceLine | undefined {
    const line = { file, line: i + 1, text: texts[i]!.replace(/\r+$/, '') };
    if (line.text.length > LIMITS.line) {
      const message = `this line has ${line.text.length} characters and is ignored, as all beyond ${LIMITS.line}`;
      this.#once(`long ${file}`, 'W025', line, 0, 1, message);
    } else if (line.text.includes('\0')) {
      const message = 'this line contains a NUL byte and is ignored, as all such lines';
      this.#once(`NUL ${file}`, 'W025', line, line.text.indexOf('\0'), line.text.indexOf('\0') + 1, message);
    } else return line;
    return undefined;
  }

  /** One line, from a file, a variable or a repetition. @param decided its condition was looked at */
  #line(line: SourceLine, depth: number, decided = false): void {
    if (this.#stopped || !this.#spend('work', line.text.length + LINE_WORK, line)) return;
    if (depth > LIMITS.depth) {
      this.#endless(line);
      return;
    }
    const end = commentStart(line.text);
    const text = line.text.slice(0, end);
    const condition = decided ? undefined : conditionOf(text, this.#options.configId);
    if (condition) {
      if (condition.holds) this.#line(from(line, condition.end), depth, true);
      return;
    }
    const definition = definitionLine(text);
    if (definition) {
      this.#definitions.set(definition.name, { lines: [{ ...line, text: text.slice(definition.value).trim() }] });
      return;
    }
    const sequence = sequenceHeader(text);
    if (sequence) {
      this.#repeat(upTo(line, end), sequence, depth);
      return;
    }
    const include = includeLine(text);
    if (include) {
      this.#include(line, include);
      return;
    }
    const fresh = freshStart(text);
    if (fresh !== undefined) {
      this.#line(upTo(line, fresh), depth, true);
      this.#line(from(line, fresh), depth);
      return;
    }
    if (text.includes('$')) this.#expand(upTo(line, end), depth);
    else this.#emit(line, text);
  }

  #emit(line: SourceLine, text: string): void {
    if (text.trim() === '' || !this.#spend('lines', 1, line)) return;
    const seed = text.includes('random_seed') ? RANDOM_SEED.exec(text) : null;
    if (seed) this.#draw = randomFrom(Number(seed[1]));
    const check = text.includes('include_check') ? INCLUDE_CHECK.exec(text) : null;
    if (check)
      this.#checks = changeChecks(
        this.#checks,
        (check[1] ?? '').split(/\s+/).filter((word) => word !== ''),
      );
    this.#lines.push(line);
  }

  #expand(line: SourceLine, depth: number): void {
    let current = line;
    for (let round = 0; round < LIMITS.rounds; round++) {
      const { line: next, changed, undefined: missing, crowded, following } = expandOnce(current, this.#lookup);
      for (const { name, start, end } of missing) {
        const message = `${name} is not defined; the text stays as it is`;
        this.#once(`undefined ${name}`, 'W027', current, start, end, message, {
          value: name,
          suggestion: `define it above with $${name}=VALUE, or write \${_ENV ${name}} for an environment variable`,
        });
      }
      for (const { name, start, end } of crowded) {
        const message = `${name} has several lines, so nothing may follow it; the text stays as it is`;
        this.#once(`crowded ${name}`, 'W027', current, start, end, message, { value: name });
      }
      if (!changed) {
        if (round === 0) this.#emit(line, line.text);
        else this.#line(current, depth);
        return;
      }
      if (next.text.length > LIMITS.line) break;
      if (!this.#spend('work', next.text.length, line)) return;
      if (following.length > 0) {
        this.#line(next, depth + 1);
        for (const other of following) this.#line(other, depth + 1);
        return;
      }
      current = next;
    }
    this.#endless(line);
  }

  #lookup = (name: string, parameters: string): string | Definition | undefined => {
    if (name === '_RANDOM') return randomNumber(parameters, this.#draw);
    if (name === '_ENV') return parameters === '' ? undefined : (this.#options.environment[parameters] ?? '');
    if (parameters !== '') return undefined;
    switch (name) {
      case '_PWD':
        return this.#directory;
      case '_INSTANCE':
        return this.#options.configId;
      case '_HASH':
        return '#';
      case '_BANG':
        return '!';
    }
    const definition = this.#definitions.get(name);
    return definition && definition.lines.length < 2 ? (definition.lines[0]?.text.trim() ?? '') : definition;
  };

  /** A text that is no line of its own, with its variables replaced. */
  #expanded(line: SourceLine, text: string): string {
    let current: SourceLine = { ...line, text };
    for (let round = 0; round < LIMITS.rounds && current.text.includes('$'); round++) {
      const { line: next, changed, following } = expandOnce(current, this.#lookup);
      if (!changed || following.length > 0 || next.text.length > LIMITS.line) break;
      if (!this.#spend('work', next.text.length, line)) break;
      current = next;
    }
    return current.text;
  }

  #repeat(line: SourceLine, header: SequenceHeader, depth: number): void {
    const repetition = header.closed
      ? repetitionOf(header.kind, this.#expanded(line, header.parameters))
      : 'its ) is missing';
    if (typeof repetition === 'string') {
      const message = `~${header.kind} is not understood: ${repetition}; the line is ignored`;
      this.#once(`${line.file}:${line.line} ${message}`, 'W025', line, header.start, header.end, message, {
        value: line.text.slice(header.start, header.end),
        suggestion:
          header.kind === 'LST'
            ? 'write ~LST(NAME, VALUE, …) or ~LST({A, B}, {A1, B1}, …) before what is to be repeated'
            : `write ~${header.kind}(NAME, START, STEP, END) before what is to be repeated`,
      });
      return;
    }
    const rest = from(line, header.end);
    if (rest.text.trim() === '') return;
    for (const values of repetition.values) {
      if (this.#stopped) return;
      // They stay defined afterwards, with their last values (keepalived 2.2.7, observed).
      for (const [name, value] of values) this.#definitions.set(name, { lines: [{ ...line, text: value }] });
      this.#line(rest, depth + 1);
    }
  }

  #include(line: SourceLine, include: IncludeLine): void {
    const pattern = this.#expanded(line, include.pattern);
    const { start, end } = include;
    const checks = new Set([...this.#checks, ...include.checks]);
    if (this.#files.length > LIMITS.depth) {
      const message = `includes are nested more than ${LIMITS.depth} deep; this one is ignored`;
      this.#once('nested', 'W028', line, start, end, message);
      return;
    }
    // The same line may come again and again, by a repetition or a file that is included twice.
    const at = `${line.file}:${line.line}`;
    const fail = (check: IncludeCheck, message: string) => {
      const strict = checks.has(check) || (check === 'readable' && checks.size > 0);
      this.#once(`${at} ${message}`, strict ? 'E001' : 'W026', line, start, end, message, { value: pattern });
    };
    const base = directoryOf(this.#files.at(-1)!);
    const alternatives = expandBraces(pattern);
    const found: SourceText[] = [];
    const empty: string[] = [];
    for (const alternative of alternatives) {
      const path = alternative.startsWith('/') ? alternative : base + alternative;
      const matching = this.#options.reader?.include(path) ?? [];
      if (matching.length === 0) empty.push(path);
      found.push(...matching);
    }
    if (empty.length === alternatives.length) {
      const wild = isWildcard(pattern);
      // A pattern in a folder that is there may match nothing: that is how optional files are done.
      const quiet = wild && !checks.has('wildcard_match') && empty.every((path) => this.#hasFolder(path));
      if (!quiet) fail(wild || checks.has('wildcard_match') ? 'wildcard_match' : 'match', `no file matches ${pattern}`);
    } else if (empty.length > 0) fail('brace_match', `no file matches ${empty.join(', ')}`);
    for (const source of found) {
      if (!this.#spend('files', 1, line)) return;
      if (source.unreadable !== undefined) fail('readable', `${source.file} cannot be read: ${source.unreadable}`);
      else if (this.#files.includes(source.file))
        this.#once('loop', 'W028', line, start, end, `${source.file} includes itself; this include is ignored`);
      else this.#file(source);
    }
  }

  /** Whether the folder that a pattern looks into exists. */
  #hasFolder(path: string): boolean {
    const folder = directoryOf(path).slice(0, -1);
    if (folder === '' || isWildcard(folder)) return true;
    return (this.#options.reader?.include(folder).length ?? 0) > 0;
  }

  /** Nothing more comes of the line at hand. */
  get #stopped(): boolean {
    return this.#abandoned || this.#budget.exhausted !== undefined;
  }

  /** Counts; false when a limit of the whole configuration is passed, which is told once. */
  #spend(what: 'text' | 'lines' | 'work' | 'files', amount: number, line: SourceLine): boolean {
    if (this.#budget.spend(what, amount)) return true;
    const message = `this configuration is not read: ${this.#budget.exhausted}`;
    this.#once('exhausted', 'E001', line, 0, line.text.length, message);
    return false;
  }

  #endless(line: SourceLine): void {
    this.#abandoned = true;
    const name = /\$\{?(\w+)/.exec(line.text)?.[1] ?? '';
    const message = 'the variables of this line expand without end, or too long; it is ignored';
    this.#once(`endless ${name}`, 'W028', line, 0, line.text.length, message);
  }

  /** One root cause, one message: the first place is told. */
  #once(
    cause: string,
    code: Code,
    line: SourceLine,
    start: number,
    end: number,
    message: string,
    details: { readonly value?: string; readonly suggestion?: string } = {},
  ): void {
    if (this.#said.has(cause)) return;
    this.#said.add(cause);
    this.#report.add(code, placeOf(line, start, end), message, details);
  }
}

/** Everything up to the last slash, with it. */
const directoryOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1);
