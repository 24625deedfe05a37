// The effective configuration with the source of each value: a line of the file, a line of global_defs, or a default.
// Walks the tables of the language, so a new keyword explains itself; what the builders settle is in explain-rules.ts. Pure.
import { parseIp } from '../net/address.ts';
import { type Place, redact } from './diagnostics.ts';
import { INSTANCE, keptOf, SCRIPT, type Settled } from './explain-rules.ts';
import { type Block, type Keyword, opensOf } from './keywords/row.ts';
import { type Language, topRow } from './language.ts';
import type { Configuration, GlobalDefs } from './model.ts';
import { blocksOf, decisive, type Outline, statementsOf } from './outline.ts';
import { placeOfStatement, type Statement } from './parser.ts';
import { withoutSecretWords } from './secret-words.ts';

export interface ExplainedValue {
  /** As in the file; inner blocks as `virtual_ipaddress`, one value a line. */
  readonly keyword: string;
  readonly value: string;
  readonly origin: 'file' | 'global_defs' | 'default' | 'changed';
  /** Where the value was given, or the one that it replaces. */
  readonly place?: Place;
  /** Why it is not what the file says, or where a default comes from. */
  readonly note?: string;
}

export interface ExplainedBlock {
  readonly keyword: string;
  readonly name?: string;
  readonly place?: Place;
  readonly values: readonly ExplainedValue[];
}

/** What is behind the settings of an instance. */
interface Globals {
  readonly defs: GlobalDefs;
  readonly blocks: readonly Statement[];
}

/** Everything that holds, block by block: global_defs first, then in the order of the file. */
export function explain(configuration: Configuration, read: Outline): readonly ExplainedBlock[] {
  const outline = { ...read, statements: withoutSecretWords(read.statements, read.language.root) };
  const globals = blocksOf(outline, 'global_defs');
  const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
    new Map(list.map((one) => [one.name, one]));
  const instances = byName(configuration.instances);
  const scripts = byName(configuration.scripts);
  const groups = byName(configuration.groups);
  const values = (
    opener: string,
    block: Statement | undefined,
    settled: Record<string, Settled<never>>,
    built: unknown,
  ) =>
    explainBlock(
      blockOf(outline.language, opener),
      block ? [block] : [],
      settled as Record<string, Settled<unknown>>,
      built,
      {
        defs: configuration.globals,
        blocks: globals,
      },
    );
  return [
    {
      keyword: 'global_defs',
      ...(globals[0] && { place: placeOfStatement(globals[0]) }),
      values: explainBlock(
        blockOf(outline.language, 'global_defs'),
        globals,
        { router_id: { effective: () => configuration.globals.routerId } },
        configuration.globals,
        { defs: configuration.globals, blocks: [] },
      ),
    },
    ...outline.statements.flatMap((statement): ExplainedBlock[] => {
      const [word, named] = statement.words;
      const keyword = word!.text;
      if (keyword === 'global_defs' || !statement.block) return [];
      const name = named?.text;
      const base = { keyword, place: placeOfStatement(statement), ...(name !== undefined && { name }) };
      const first = name === undefined || blocksOf(outline, keyword, name)[0] === statement;
      if (!first) return [];
      if (keyword === 'vrrp_instance') {
        const built = instances.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, INSTANCE, built) }] : [];
      }
      if (keyword === 'vrrp_script') {
        const built = scripts.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, SCRIPT, built) }] : [];
      }
      if (keyword === 'vrrp_sync_group') {
        const built = groups.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, {}, built) }] : [];
      }
      const block = blockOf(outline.language, keyword);
      if (topRow(outline.language, keyword)?.balancing) return [];
      return block.opaque ? [] : [{ ...base, values: values(keyword, statement, {}, undefined) }];
    }),
  ];
}

const blockOf = (language: Language, keyword: string): Block =>
  opensOf(topRow(language, keyword)) ?? {
    name: keyword,
    help: '',
    rows: {},
    opaque: true,
  };

function explainBlock(
  block: Block,
  statements: readonly Statement[],
  settled: Readonly<Record<string, Settled<unknown>>>,
  built: unknown,
  globals: Globals,
): readonly ExplainedValue[] {
  const inside = statements.flatMap((statement) => statement.block ?? []);
  if (block.lines) return lineValues(statements);
  return Object.entries(block.rows).flatMap(([keyword, row]) => {
    const given = statementsOf(inside, block, keyword);
    const last = decisive(given, row);
    const rule = settled[keyword];
    if (rule) return settledValue(keyword, rule, last, built, globals);
    if (last === undefined)
      return row.default === undefined || withoutEffect(row) !== undefined
        ? []
        : [{ keyword, value: row.default, origin: 'default' as const }];
    const counted = row.repeat === 'join' ? given : [last];
    const without = withoutEffect(row);
    const note = without === undefined ? {} : { note: without };
    if (counted.some((statement) => statement.block !== undefined))
      return lineValues(counted).map((value) => markLost({ ...value, ...note }, built));
    return counted.map((statement) => ({ ...fromFile(keyword, statement), ...note }));
  });
}

function settledValue(
  keyword: string,
  rule: Settled<unknown>,
  statement: Statement | undefined,
  built: unknown,
  globals: Globals,
): readonly ExplainedValue[] {
  const value = rule.effective(built, globals.defs);
  if (statement) {
    const place = (statement.words[1] ?? statement.words[0]!).place;
    const said = wordsOf(statement);
    if (value === undefined) return [{ keyword, value: said, origin: 'changed', place, note: 'without effect' }];
    const same = statement.block !== undefined || sameValue(said, value);
    return [
      same
        ? { keyword, value, origin: 'file', place }
        : { keyword, value, origin: 'changed', place, note: `the file says ${said}` },
    ];
  }
  if (value === undefined || (keyword === 'authentication' && value === 'none')) return [];
  const candidates = globals.blocks
    .flatMap((one) => one.block ?? [])
    .filter(({ words }) => rule.global?.includes(words[0]!.text));
  const global = candidates.findLast((one) => sameValue(wordsOf(one), value)) ?? candidates.at(-1);
  if (global)
    return [{ keyword, value, origin: 'global_defs', place: placeOfStatement(global), note: global.words[0]!.text }];
  return [{ keyword, value, origin: 'default', ...(rule.follows !== undefined && { note: `as ${rule.follows}` }) }];
}

/** Whether a text of the file says what holds: the same word, the same number, or a flag by another name. */
const sameValue = (said: string, value: string): boolean =>
  said === value ||
  (said !== '' && Number(said) === Number(value)) ||
  (value === 'on' && ['', 'true', 'yes'].includes(said)) ||
  (value === 'off' && ['false', 'no'].includes(said));

/** Why a keyword that was read does nothing. */
function withoutEffect({ acted, moot, balancing }: Keyword): string | undefined {
  if (balancing) return 'load balancing is not done';
  if (moot !== undefined) return 'without meaning here';
  return acted === false ? 'not acted on yet' : undefined;
}

/** A value that no builder kept is told as such; a line of several names only when none of them was. */
function markLost(value: ExplainedValue, built: unknown): ExplainedValue {
  const kept = built === undefined ? undefined : keptOf(value.keyword, built);
  if (kept === undefined) return value;
  const isKept = value.value.split(' ').some((word) => kept.has(parseIp(word.split('/')[0]!) ?? word));
  return isKept ? value : { ...value, origin: 'changed', note: 'left out' };
}

const wordsOf = ({ words }: Statement): string =>
  words
    .slice(1)
    .map(({ text }) => (/\s/.test(text) ? `"${text}"` : text))
    .join(' ');

const fromFile = (keyword: string, statement: Statement): ExplainedValue => ({
  keyword,
  value: shown(statement).replace(/^\S+\s*/, ''),
  origin: 'file',
  place: (statement.words[1] ?? statement.words[0]!).place,
});

/** The words of a statement as one line, secrets hidden. */
const shown = (statement: Statement): string => redact(`${statement.words[0]!.text} ${wordsOf(statement)}`).trimEnd();

/** The lines of a block, each a value of the keyword that opens it; blocks in blocks with a path of keywords. */
function lineValues(statements: readonly Statement[], path = ''): readonly ExplainedValue[] {
  return statements.flatMap((statement) => {
    const keyword = path + statement.words[0]!.text;
    return (statement.block ?? []).flatMap((line): readonly ExplainedValue[] =>
      line.block === undefined
        ? [{ keyword, value: shown(line), origin: 'file', place: line.words[0]!.place }]
        : lineValues([line], `${keyword} › `),
    );
  });
}

/** As people read it: like the file, with the source of each value in a comment. */
export function renderExplanation(
  blocks: readonly ExplainedBlock[],
  file: string,
  faint: (text: string) => string = (text) => text,
): string {
  const out: string[] = [];
  for (const { keyword, name, place, values } of blocks) {
    const head = [keyword, name, '{'].filter((word) => word !== undefined).join(' ');
    out.push(place ? `${head}  ${faint(`# ${where(place, file)}`)}` : `${head}  ${faint('# defaults alone')}`);
    const rows = values.map((value) => ({ text: `    ${value.keyword} ${value.value}`.trimEnd(), value }));
    const width = Math.min(56, Math.max(0, ...rows.map(({ text }) => text.length)));
    for (const { text, value } of rows) out.push(`${text.padEnd(width)}  ${faint(`# ${originOf(value, file)}`)}`);
    out.push('}', '');
  }
  return out.join('\n');
}

function originOf({ origin, place, note }: ExplainedValue, file: string): string {
  const line = place ? where(place, file) : '';
  switch (origin) {
    case 'default':
      return note === undefined ? 'default' : `default: ${note}`;
    case 'global_defs':
      return `${note} in ${line}`;
    case 'file':
      return note === undefined ? line : `${line}: ${note}`;
    case 'changed':
      return `${line}: ${note}`;
  }
}

const where = (place: Place, file: string): string =>
  place.file === file ? `line ${place.line}` : `${place.file}:${place.line}`;
