// The man page vipkeeper.conf(5) as roff, made of the rows of the language and nothing else. Pure and without a date, so
// that the same rows make the same page.
import { allBlocks, type BlockEntry, type Entry, effectOf, exampleOf, factsOf, synopsisOf, TOP } from './help.ts';
import { BARE, type Language } from './language.ts';

const ABOUT = [
  'The file is the one of keepalived, and is read as it is. A line holds a keyword and its arguments; a keyword that opens a block is followed by lines in braces. What stands behind # or ! is a comment. Text with spaces goes into double quotes.',
  'A value that cannot be understood is reported with its place, and what holds instead is said there. Only what keepalived would not start with is an error. check-config tells all of it without starting anything.',
  'Times are seconds with decimals unless said otherwise. Names in capitals stand for values.',
];

/** The page, ending with a line end. */
export function manPage(language: Language = BARE): string {
  const lines = [
    '.\\" Made by deploy/man/generate.ts from core/config/keywords; changes here are lost.',
    '.TH VIPKEEPER.CONF 5 "" vipkeeper "File formats"',
    '.SH NAME',
    'vipkeeper.conf \\- the configuration of vipkeeper(8), which is keepalived.conf',
    '.SH DESCRIPTION',
    ...ABOUT.flatMap((text, i) => [...(i === 0 ? [] : ['.PP']), roff(text)]),
    '.SH KEYWORDS',
    ...allBlocks(language).flatMap(blockLines),
    '.SH SEE ALSO',
    '.BR vipkeeper (8)',
  ];
  return `${lines.join('\n')}\n`;
}

function blockLines(entry: BlockEntry): readonly string[] {
  const { block, opener, blocks, effect } = entry;
  const where = blocks.filter((one) => one !== TOP);
  const inside = where.length > 0 ? ` Inside ${where.join(', ')}.` : '';
  return [
    `.SS ${quote(opener === '' ? 'Top level' : opener)}`,
    roff(`${capital(block.help)}.${inside}`),
    ...(effect === undefined ? [] : [`.I ${roff(`Effect: ${effect}.`)}`]),
    ...Object.entries(block.rows).flatMap(([keyword, row]) =>
      keywordLines({ keyword, row, blocks, effect: effectOf(row) }),
    ),
  ];
}

function keywordLines(entry: Entry): readonly string[] {
  const { row, effect } = entry;
  const facts = factsOf(entry).filter(([title]) => title !== 'effect' && title !== 'values');
  const example = exampleOf(entry);
  return [
    '.TP',
    `.B ${roff(synopsisOf(entry))}`,
    roff(`${capital(row.help)}.`),
    ...facts.map(([title, text]) => roff(`${capital(title)}: ${text}.`)),
    ...(effect === undefined ? [] : [`.I ${roff(`Effect: ${effect}.`)}`]),
    ...(example === undefined ? [] : ['.RS', '.nf', ...example.map(roff), '.fi', '.RE']),
  ];
}

/** Text that no line of is taken for a request, in ASCII. */
function roff(text: string): string {
  const safe = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/[^\u0020-\u007e]/gu, (c) => `\\[u${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`);
  return safe.replace(/^[.']/, '\\&$&');
}

const quote = (text: string): string => `"${roff(text).replaceAll('"', '\\(dq')}"`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
