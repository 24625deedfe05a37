// `vipkeeper help [KEYWORD …]`: what a keyword of the file means, from the rows of the language.
import { builtInLanguage } from '../app/built-in.ts';
import { allBlocks, allEntries, type Entry, entriesOf, exampleOf, factsOf, synopsisOf, TOP } from '../config/help.ts';
import { capital } from '../config/man.ts';
import { configurationSchema } from '../config/schema.ts';
import { nearest } from '../config/suggest.ts';
import { wrap } from '../control/text-table.ts';
import { EXIT_OK, EXIT_USAGE, type Terminal } from './status.ts';
import { type CommandSpec, parseCommand } from './usage.ts';

export const EXIT_NO_SUCH_KEYWORD = 1;

export const HELP_COMMAND: CommandSpec = {
  name: 'help',
  summary: 'explain a keyword of the configuration file',
  operands: [{ name: 'KEYWORD', help: 'a keyword or block; without one: the blocks', many: true }],
  options: [
    { name: 'block', value: 'BLOCK', help: 'only as it is meant in this block; alone: list its keywords' },
    { name: 'all', help: 'list every keyword with its first line' },
    { name: 'json-schema', help: 'print the JSON Schema of the configuration' },
  ],
  exitCodes: [
    [EXIT_OK, 'explained'],
    [EXIT_NO_SUCH_KEYWORD, 'there is no such keyword'],
    [EXIT_USAGE, 'the command line is wrong'],
  ],
};

/** What the verb needs of a terminal. */
type HelpTerminal = Pick<Terminal, 'out' | 'err' | 'columns'>;

/** Runs the verb; returns the exit code. */
export function help(argv: readonly string[], terminal: HelpTerminal): number {
  const columns = Math.min(terminal.columns ?? 80, 100);
  const parsed = parseCommand(HELP_COMMAND, argv, columns);
  if (parsed.type === 'help') {
    terminal.out(parsed.text);
    return EXIT_OK;
  }
  if (parsed.type === 'error') {
    terminal.err(`${parsed.message}\n`);
    return EXIT_USAGE;
  }
  const { args } = parsed;
  if (args.has('json-schema')) {
    terminal.out(`${JSON.stringify(configurationSchema(builtInLanguage), undefined, 2)}\n`);
    return EXIT_OK;
  }
  const block = args.text('block');
  if (block !== undefined && !allBlocks(builtInLanguage).some((one) => one.block.name === block)) {
    terminal.err(
      unknown(
        'block',
        block,
        allBlocks(builtInLanguage).map((one) => one.block.name),
      ),
    );
    return EXIT_NO_SUCH_KEYWORD;
  }
  if (args.operands.length === 0) {
    terminal.out(args.has('all') || block !== undefined ? listing(block, columns) : overview(columns));
    return EXIT_OK;
  }
  const texts: string[] = [];
  for (const keyword of args.operands) {
    const entries = entriesOf(keyword, builtInLanguage).filter(
      (entry) => block === undefined || entry.blocks.includes(where(block)),
    );
    if (entries.length === 0) {
      terminal.err(
        unknown(
          'keyword',
          keyword,
          allEntries(builtInLanguage).map((entry) => entry.keyword),
        ),
      );
      return EXIT_NO_SUCH_KEYWORD;
    }
    texts.push(...entries.map((entry) => explanation(entry, keyword, columns)));
  }
  terminal.out(texts.join('\n'));
  return EXIT_OK;
}

const where = (block: string): string => (block === 'root' ? TOP : block);

function explanation(entry: Entry, asked: string, columns: number): string {
  const indented = (text: string, by = 2): string[] => wrap(text, columns - by).map((line) => ' '.repeat(by) + line);
  const title = Math.max(...factsOf(entry).map(([name]) => name.length), 2) + 2;
  const fact = ([name, text]: readonly [string, string]): string[] =>
    wrap(text, columns - title - 2).map((line, i) => `  ${(i === 0 ? name : '').padEnd(title)}${line}`);
  const lines = [
    synopsisOf(entry),
    ...indented(`${capital(entry.row.help)}.`),
    '',
    ...fact(['in', entry.blocks.join(', ')]),
    ...factsOf(entry).flatMap(fact),
    ...(asked === entry.keyword ? [] : ['', ...indented(`${asked} is an old name of it.`)]),
  ];
  const example = exampleOf(entry);
  if (example) lines.push('', '  example:', ...example.map((line) => `    ${line}`));
  const inner = allBlocks(builtInLanguage).find((one) => one.block.name === entry.keyword);
  if (inner && inner.block.name !== 'root')
    lines.push('', ...indented(`Keywords inside: ${Object.keys(inner.block.rows).join(' ')}`));
  return `${lines.join('\n')}\n`;
}

/** Every block with one line. */
function overview(columns: number): string {
  const blocks = allBlocks(builtInLanguage).filter(({ block }) => block.name !== 'root');
  const rows = blocks.map(({ block }) => [block.name, block.help] as const);
  return `The blocks of the configuration file:\n\n${pairs(rows, columns)}\n\nvipkeeper help KEYWORD explains a keyword, vipkeeper help --block BLOCK lists those of a block.\n`;
}

/** Every keyword with one line, of one block or of all. */
function listing(block: string | undefined, columns: number): string {
  const rows = allEntries(builtInLanguage)
    .filter((entry) => block === undefined || entry.blocks.includes(where(block)))
    .toSorted((a, b) => (block === undefined && a.keyword !== b.keyword ? (a.keyword < b.keyword ? -1 : 1) : 0))
    .map(({ keyword, row, blocks }) => {
      const home = blocks.length > 2 ? `${blocks.slice(0, 2).join(', ')} …` : blocks.join(', ');
      return [keyword, `${row.help}${block === undefined ? ` (${home})` : ''}`] as const;
    });
  return `${pairs(rows, columns)}\n`;
}

function pairs(rows: readonly (readonly [string, string])[], columns: number): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows
    .flatMap(([name, text]) =>
      wrap(text, Math.max(20, columns - left)).map((line, i) => `${`  ${i === 0 ? name : ''}`.padEnd(left)}${line}`),
    )
    .join('\n');
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `vipkeeper help: there is no ${what} ${name}${near === undefined ? '' : `, did you mean ${near}?`}\nTry \`vipkeeper help\`.\n`;
}
