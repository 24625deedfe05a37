// What the rows say about a keyword, put together for people: where it may stand, what it takes, what it means.
// The command `help`, the man page and the completion are made of this. Pure.

import { type Block, type Keyword, opensOf } from './keywords/row.ts';
import { BARE, type Language } from './language.ts';

/** A keyword in one block, or in several that have the same row. */
export interface Entry {
  readonly keyword: string;
  readonly row: Keyword;
  /** Names of the blocks it may stand in; `the top level` is one of them. */
  readonly blocks: readonly string[];
  /** Why it changes nothing; undefined: it does what it says. */
  readonly effect: string | undefined;
}

/** A block with the entries of its keywords, in the order of its table. */
export interface BlockEntry {
  readonly block: Block;
  /** How it begins: `vrrp_instance NAME`. Empty for the top level. */
  readonly opener: string;
  /** The blocks that it may stand in. */
  readonly blocks: readonly string[];
  /** Why nothing in it changes anything; undefined: it does what it says. */
  readonly effect: string | undefined;
}

export const TOP = 'the top level';

const nameOf = (block: Block): string => (block.name === 'root' ? TOP : block.name);

/** Every block that holds keywords, outer ones first, each once. */
export function allBlocks({ root }: Language = BARE): readonly BlockEntry[] {
  const found = new Map<Block, { opener: string; blocks: string[]; effect: string | undefined }>([
    [root, { opener: '', blocks: [], effect: undefined }],
  ]);
  for (const [outer, { effect }] of found)
    for (const [keyword, row] of Object.entries(outer.rows)) {
      const inner = opensOf(row);
      if (inner === undefined || inner.lines) continue;
      const known = found.get(inner);
      if (known) known.blocks.push(nameOf(outer));
      else
        found.set(inner, {
          opener: `${keyword} ${row.value.synopsis}`.replace(/ ?\{.*$/, ''),
          blocks: [nameOf(outer)],
          effect: effect ?? effectOf(row),
        });
    }
  return [...found].map(([block, about]) => ({ block, ...about }));
}

/** Every keyword; rows that say the same in several blocks are one entry. */
export function allEntries(language: Language = BARE): readonly Entry[] {
  const entries: (Entry & { readonly blocks: string[] })[] = [];
  const byKeyword = new Map<string, typeof entries>();
  for (const { block, effect: whole } of allBlocks(language))
    for (const [keyword, row] of Object.entries(block.rows)) {
      const effect = whole ?? effectOf(row);
      const same = byKeyword.get(keyword) ?? [];
      byKeyword.set(keyword, same);
      const twin = same.find((one) => one.effect === effect && isAlike(one.row, row));
      if (twin) twin.blocks.push(nameOf(block));
      else {
        const entry = { keyword, row, blocks: [nameOf(block)], effect };
        same.push(entry);
        entries.push(entry);
      }
    }
  return entries;
}

function isAlike(a: Keyword, b: Keyword): boolean {
  return (
    a.help === b.help &&
    a.value.synopsis === b.value.synopsis &&
    a.default === b.default &&
    opensOf(a)?.rows === opensOf(b)?.rows
  );
}

/** The entries of a keyword, under its own name or an old one. */
export const entriesOf = (keyword: string, language: Language = BARE): readonly Entry[] =>
  allEntries(language).filter((entry) => entry.keyword === keyword || entry.row.synonyms?.includes(keyword));

/** `priority 1..255`, `vrrp_instance NAME { … }` */
export const synopsisOf = ({ keyword, row }: Pick<Entry, 'keyword' | 'row'>): string =>
  `${keyword} ${row.value.synopsis}`.trim();

/** What is to be known besides the meaning, as pairs of a short title and a text. */
export function factsOf({ row, effect }: Entry): readonly (readonly [title: string, text: string])[] {
  const { value } = row;
  const facts: [string, string][] = [];
  if (value.kind === 'flag') facts.push(['values', 'on, true, yes, or off, false, no; alone it means on']);
  else if (value.choices) facts.push(['values', value.choices.join(', ')]);
  else if (value.min !== undefined)
    facts.push([
      'range',
      `${value.min} to ${value.max}${value.kind === 'seconds' ? ' seconds, with decimals' : value.kind === 'milliseconds' ? ' milliseconds' : ''}`,
    ]);
  if (row.default !== undefined) facts.push(['default', row.default]);
  if (row.repeat === 'join') facts.push(['repeated', 'all of them count']);
  else if (row.repeat === 'first') facts.push(['repeated', 'the first one counts']);
  if (row.since !== undefined) facts.push(['since', `keepalived ${row.since}`]);
  if (row.synonyms) facts.push(['old names', row.synonyms.join(', ')]);
  if (row.extension) facts.push(['only here', 'keepalived does not know it, and ignores it']);
  if (effect !== undefined) facts.push(['effect', effect]);
  return facts;
}

/** Why a keyword changes nothing; undefined: it does what it says. */
export function effectOf(row: Keyword): string | undefined {
  if (row.moot !== undefined) return `none, and none is needed: ${row.moot}`;
  if (row.acted !== false) return undefined;
  if (row.balancing) return 'none: load balancing is not done here';
  return row.instead === undefined ? 'none yet: read and checked only' : `none yet: ${row.instead}`;
}

/** Lines of a file that use the keyword, where the synopsis leaves doubt. */
export function exampleOf({ keyword, row }: Entry): readonly string[] | undefined {
  const { example } = row;
  if (example === undefined) return undefined;
  if (opensOf(row) === undefined) return [`${keyword} ${example}`];
  const head = row.value.synopsis.startsWith('NAME') ? ' name' : '';
  return [`${keyword}${head} {`, ...example.split('\n').map((line) => `    ${line}`), '}'];
}
