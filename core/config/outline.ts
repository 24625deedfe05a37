// Where things stand in a file: its statements once more, asked by block and keyword. For those who judge or explain a
// configuration after it was read and need a place to point at. Pure.
import { type Place, Report } from './diagnostics.ts';
import { type Block, type Keyword, rowOf } from './keywords/row.ts';
import { BARE, type Language } from './language.ts';
import type { LoadOptions } from './load.ts';
import { keywordOf, parse, placeOfStatement, type Statement } from './parser.ts';
import { readLines, type SourceText } from './source.ts';

export interface Outline {
  readonly file: string;
  readonly statements: readonly Statement[];
  /** The language it was read in. */
  readonly language: Language;
}

/** Reads the statements of a file again; what is wrong with them was reported by `load`. */
export function outlineOf(source: SourceText, options: LoadOptions): Outline {
  const silent = new Report();
  const configId = options.configId ?? options.hostName.split('.')[0]!;
  const { reader, environment = {} } = options;
  const lines = readLines(source, { configId, reader, environment }, silent);
  const { language = BARE } = options;
  return { file: source.file, statements: parse(lines, language.grammar, silent), language };
}

/** Blocks by keyword, and by keyword and name: files of thousands of instances are asked thousands of times. */
const indexes = new WeakMap<Outline, ReadonlyMap<string, readonly Statement[]>>();

function indexOf(outline: Outline): ReadonlyMap<string, readonly Statement[]> {
  const known = indexes.get(outline);
  if (known) return known;
  const index = new Map<string, Statement[]>();
  const add = (key: string, statement: Statement) => {
    const list = index.get(key);
    if (list) list.push(statement);
    else index.set(key, [statement]);
  };
  for (const statement of outline.statements) {
    if (statement.block === undefined) continue;
    add(keywordOf(statement), statement);
    add(`${keywordOf(statement)} ${statement.words[1]?.text}`, statement);
  }
  indexes.set(outline, index);
  return index;
}

/** Every block `KEYWORD` (with `NAME`) at the top of the file, in order. */
export const blocksOf = (outline: Outline, keyword: string, name?: string): readonly Statement[] =>
  indexOf(outline).get(name === undefined ? keyword : `${keyword} ${name}`) ?? [];

/** The statements of a keyword, under any of its names, inside a block. */
export function statementsOf(
  inside: readonly Statement[] | undefined,
  block: Block,
  keyword: string,
): readonly Statement[] {
  return (inside ?? []).filter((statement) => {
    const found = rowOf(block, keywordOf(statement));
    return found?.name === keyword;
  });
}

/** Of a keyword that was given more than once, the statement that counts. */
export const decisive = (given: readonly Statement[], row: Keyword): Statement | undefined =>
  row.repeat === 'first' ? given[0] : given.at(-1);

/** All statements of a keyword in several blocks, whatever the tables say. */
export const linesOf = (blocks: readonly (Statement | undefined)[], keyword: string): readonly Statement[] =>
  blocks.flatMap((block) => (block?.block ?? []).filter((statement) => keywordOf(statement) === keyword));

/** The place of the first of these keywords that a block has, at its value; without any that of the block's name. */
export function placeIn(block: Statement | undefined, keywords: readonly string[], fallback: Place): Place {
  const found = keywords.map((keyword) => linesOf([block], keyword).at(-1)).find((line) => line !== undefined);
  if (found !== undefined) return found.block ? placeOfStatement(found) : (found.words[1] ?? found.words[0]!).place;
  return block === undefined ? fallback : (block.words[1] ?? block.words[0]!).place;
}

/** The first word of the line of a list, such as one address of virtual_ipaddress. */
export function placeOfLine(
  block: Statement | undefined,
  keywords: readonly string[],
  is: (word: string) => boolean,
  fallback: Place,
): Place {
  for (const keyword of keywords)
    for (const lines of linesOf([block], keyword))
      for (const line of lines.block ?? []) for (const word of line.words) if (is(word.text)) return word.place;
  return placeIn(block, keywords, fallback);
}

/** Where a file begins: for what is missing from it. */
export const startOf = (file: string): Place => ({ file, line: 1, column: 1, length: 1 });
