// The shape of the language's tables: a keyword is one row, a block is a table of rows. The reader below turns a tree
// of statements into typed values by them; help, man page, schema and completion are generated from the same rows.
// Pure; knows no single keyword.
import type { Place, Report } from '../diagnostics.ts';
import { Arguments, type Field, type Reading } from '../fields.ts';
import type { Word } from '../lexer.ts';
import { keywordOf, placeOfStatement, type Statement } from '../parser.ts';
import { nearest } from '../suggest.ts';

export interface Keyword<T = unknown> {
  readonly value: Field<T>;
  /** One line for people. */
  readonly help: string;
  /** What holds without it, as text. */
  readonly default?: string;
  /** keepalived's first version with it, where it is newer than 2.0. */
  readonly since?: string;
  /** Deprecated or misspelt names that are still understood. */
  readonly synonyms?: readonly string[];
  /** Given twice, the `last` counts (default) or the `first`; `join`: lists are put together. */
  readonly repeat?: 'last' | 'first' | 'join';
  /** Ours; keepalived does not know it. */
  readonly extension?: true;
  /** Never shown: what a plugin says of an option. */
  readonly secret?: true;
  /** Read and checked, without effect so far; all such keywords of a file are one warning. */
  readonly acted?: false;
  /** For a keyword without effect that changes who is master or what is reachable: what happens instead. */
  readonly instead?: string;
  /** Has no meaning here, and why; all such keywords of a file are one remark. */
  readonly moot?: string;
  /** Part of load balancing; all such keywords of a file are one warning. */
  readonly balancing?: true;
  /** Without its value it is only ignored; keepalived refuses most other keywords without theirs. */
  readonly lenient?: true;
  /** Arguments to show people, where the synopsis does not say it all. For a block: its first lines. */
  readonly example?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds rows of every type; the types come back in Values
export type Rows = Readonly<Record<string, Keyword<any>>>;

/** A block of the language. */
export interface Block<R extends Rows = Rows> {
  readonly name: string;
  readonly help: string;
  readonly rows: R;
  /** A block of lines (addresses, peers) instead of keywords, each of this form. */
  readonly lines?: Field<unknown>;
  /** The keyword may stand without it. */
  readonly optional?: true;
  /** Skipped whole: nothing is known of its content. */
  readonly opaque?: true;
}

/** A value with its place: that of its first word, or of the keyword when it has none or is a block. */
export interface Found<T> {
  readonly value: T;
  readonly place: Place;
}

type ValueOf<K> = K extends Keyword<infer T> ? T : never;
export type Values<R extends Rows> = { readonly [K in keyof R]?: Found<ValueOf<R[K]>> };

/** A block that carries a name. */
export interface Named<T> {
  readonly name: string;
  readonly place: Place;
  readonly values: T;
}

/** A field that is a block or a list of lines; `opens` describes it. */
export interface BlockField<T> extends Field<T> {
  readonly opens: Block;
}

/** The block that a row opens, if it opens one. */
export const opensOf = (row: Keyword | undefined): Block | undefined =>
  row && 'opens' in row.value ? (row.value as BlockField<unknown>).opens : undefined;

/** A nested block without a name. */
export function nested<R extends Rows>(block: Block<R>): BlockField<Values<R>> {
  return {
    kind: 'block',
    synopsis: '{ … }',
    opens: block,
    read: (args) => (hasBlock(args) ? readBlock(block, args.statement.block ?? [], args.reading) : undefined),
  };
}

/** A block with a name after the keyword, such as `vrrp_instance NAME { … }`; an array of one, to be joined. */
export function named<R extends Rows>(
  block: Block<R>,
  unnamed: 'E011' | 'W017' = 'E011',
): BlockField<readonly Named<Values<R>>[]> {
  return {
    kind: 'block',
    synopsis: 'NAME { … }',
    opens: block,
    read(args) {
      const name = args.take();
      if (name === undefined) {
        const rest = unnamed === 'W017' ? '; it is ignored' : '';
        args.report.add(unnamed, args.place, `${args.keyword} needs a name before its {${rest}`);
        return undefined;
      }
      if (!hasBlock(args)) return undefined;
      const values = readBlock(block, args.statement.block ?? [], args.reading);
      return [{ name: name.text, place: name.place, values }];
    },
  };
}

/** A block of lines, each read alike; refused lines are left out. */
export function list<T>(line: Field<T>, otherwise = 'this line is ignored'): BlockField<readonly T[]> {
  return {
    kind: 'list',
    synopsis: `{ ${line.synopsis} }`,
    opens: { name: 'list', help: '', rows: {}, lines: line },
    read(args) {
      if (!hasBlock(args)) return undefined;
      const values: T[] = [];
      for (const statement of args.statement.block ?? []) {
        const inner = new Arguments(statement, args.reading, otherwise, 0);
        const value = line.read(inner);
        if (value === undefined) continue;
        values.push(value);
        reportRest(inner, statement.words[0]!.text);
      }
      return values;
    },
  };
}

/** A block without a name that may come several times; an array of one, to be joined. */
export function pieces<R extends Rows>(block: Block<R>): BlockField<readonly Values<R>[]> {
  return {
    kind: 'block',
    synopsis: '{ … }',
    opens: block,
    read: (args) => (hasBlock(args) ? [readBlock(block, args.statement.block ?? [], args.reading)] : undefined),
  };
}

/** A block with words between keyword and brace, such as `virtual_server ADDRESS PORT { … }`. */
export interface Headed<T> {
  readonly head: readonly Word[];
  readonly values: T;
}

/** Blocks with any words before the brace; an array of one, to be joined. */
export function headed<R extends Rows>(block: Block<R>, synopsis: string): BlockField<readonly Headed<Values<R>>[]> {
  return {
    kind: 'block',
    synopsis: `${synopsis} { … }`,
    opens: block,
    read(args) {
      const first = args.need(synopsis);
      if (first === undefined || !hasBlock(args)) return undefined;
      const head = [first, ...args.takeAll()];
      return [{ head, values: readBlock(block, args.statement.block ?? [], args.reading) }];
    },
  };
}

/** The same rows, all of them without effect so far. */
export const notActed = <R extends Rows>(rows: R): { readonly [K in keyof R]: R[K] & { readonly acted: false } } =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { ...row, acted: false }])) as {
    readonly [K in keyof R]: R[K] & { readonly acted: false };
  };

/** The same rows, all of them part of load balancing. */
export const balancing = <R extends Rows>(
  rows: R,
): { readonly [K in keyof R]: R[K] & { readonly acted: false; readonly balancing: true } } =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { ...row, acted: false, balancing: true }])) as {
    readonly [K in keyof R]: R[K] & { readonly acted: false; readonly balancing: true };
  };

/** The row of a keyword in a block, under its own name or a synonym. */
export function rowOf(block: Block, keyword: string): { readonly name: string; readonly row: Keyword } | undefined {
  const { rows } = block;
  if (Object.hasOwn(rows, keyword)) return { name: keyword, row: rows[keyword]! };
  for (const [name, row] of Object.entries(rows)) if (row.synonyms?.includes(keyword)) return { name, row };
  return undefined;
}

/** Keywords whose value was refused and reported, by the values of their block. */
const refused = new WeakMap<object, Set<string>>();

/** Whether a keyword stood in the block with a value that was refused: then its absence needs no second message. */
export const wasRefused = <R extends Rows>(values: Values<R>, keyword: keyof R & string): boolean =>
  refused.get(values)?.has(keyword) ?? false;

/** The values of a block. Unknown keywords, refused values and leftovers are reported; nothing throws. */
export function readBlock<R extends Rows>(
  block: Block<R>,
  statements: readonly Statement[],
  reading: Reading,
): Values<R> {
  const values: Record<string, Found<unknown>> = {};
  const bad = new Set<string>();
  refused.set(values, bad);
  let stray: Statement | undefined;
  for (const statement of statements) {
    const keyword = keywordOf(statement);
    const found = rowOf(block, keyword);
    if (found === undefined) {
      // One lost brace makes a run of strangers: they belong together and are told once.
      const homes = reading.blocksWith(keyword);
      if (stray && homes.length > 0 && reading.blocksWith(keywordOf(stray)).some((home) => homes.includes(home)))
        continue;
      stray = homes.length > 0 ? statement : undefined;
      reportUnknown(block, statement, homes, reading);
      continue;
    }
    const { name, row } = found;
    if (name !== keyword && !reading.quiet)
      reading.report.add('W015', placeOfStatement(statement), `${keyword} is now called ${name}`, {
        suggestion: `write ${name}`,
      });
    const within = noteEffect(row, statement, reading);
    const otherwise = row.default === undefined ? `${keyword} is ignored` : `the default ${row.default} is used`;
    const args = new Arguments(statement, within, otherwise, 1, row.lenient);
    const value = row.value.read(args);
    if (value === undefined) {
      bad.add(name);
      continue;
    }
    reportRest(args, keyword);
    if (statement.block && opensOf(row) === undefined)
      reading.report.add('W016', placeOfStatement(statement), `${keyword} takes no block; what is inside is ignored`);
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    if (before && row.repeat === 'join') {
      for (const element of value as unknown[]) (before.value as unknown[]).push(element);
    } else {
      if (before)
        reading.report.add(
          'W014',
          placeOfStatement(statement),
          `${keyword} is given again (first in line ${before.place.line}); the ${row.repeat === 'first' ? 'first' : 'last'} one counts`,
        );
      if (!before || row.repeat !== 'first')
        values[name] = {
          value,
          place: statement.block ? placeOfStatement(statement) : (statement.words[1] ?? statement.words[0]!).place,
        };
    }
  }
  return values as Values<R>;
}

/** Says what a keyword without effect costs. @returns the reading for what is inside it, where nothing is said again */
function noteEffect(row: Keyword, statement: Statement, reading: Reading): Reading {
  if (row.moot !== undefined) reading.withoutMeaning(statement);
  else if (row.acted !== false) return reading;
  else if (row.balancing) reading.balancing(statement);
  else if (row.instead === undefined) reading.notActedOn(statement);
  else
    reading.report.add(
      'W031',
      placeOfStatement(statement),
      `${keywordOf(statement)} is not acted on yet: ${row.instead}`,
    );
  const silent = (): void => {};
  return {
    ...reading,
    notActedOn: silent,
    withoutMeaning: silent,
    balancing: silent,
    ...(row.balancing && { quiet: true }),
  };
}

function hasBlock(args: Arguments): boolean {
  if (args.statement.block === undefined)
    args.report.add('W016', args.place, `${args.keyword} has no block and is ignored`, {
      suggestion: `write ${args.keyword} { … }`,
    });
  return args.statement.block !== undefined;
}

function reportRest(args: Arguments, keyword: string): void {
  const rest: readonly Word[] = args.rest();
  const [first] = rest;
  if (first === undefined) return;
  const value = rest.map((word) => word.text).join(' ');
  args.report.add('W013', first.place, `'${value}' after ${keyword} is ignored`, { value });
}

/** How often a slip of the keyboard is looked for: a file full of strangers is no file of slips. */
const MAX_GUESSES = 500;
const guesses = new WeakMap<Report, number>();

/** The keyword of the block that was probably meant. */
function guess(keyword: string, block: Block, report: Report): string | undefined {
  const spent = (guesses.get(report) ?? 0) + 1;
  guesses.set(report, spent);
  return spent > MAX_GUESSES ? undefined : nearest(keyword, Object.keys(block.rows));
}

function reportUnknown(block: Block, statement: Statement, homes: readonly string[], reading: Reading): void {
  const keyword = keywordOf(statement);
  const near = guess(keyword, block, reading.report);
  const [name, value] = keyword.split('=', 2);
  const suggestion =
    value !== undefined && rowOf(block, name!)
      ? `write ${name} ${value}, without =`
      : near !== undefined
        ? `did you mean ${near}?`
        : homes.length > 0
          ? `${keyword} belongs into ${homes.length > 3 ? `${homes.slice(0, 3).join(', ')} and others` : homes.join(' or ')}`
          : undefined;
  const where = block.name === 'root' ? 'here' : `in ${block.name}`;
  const extent = statement.block ? '; its block is skipped' : '';
  reading.report.add('W010', placeOfStatement(statement), `unknown keyword ${keyword} ${where}${extent}`, {
    value: keyword,
    suggestion,
  });
}
