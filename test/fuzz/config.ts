// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// Fuzzes the reading of configurations: files made from the tables of keywords, with the whole language around them,
// whole and damaged; and bytes. The suite runs some of it (config.test.ts), by hand it runs as long as it should:
//
//   node test/fuzz/config.ts --seconds 60              from a seed of the clock, which is printed
//   node test/fuzz/config.ts --seed 7 --runs 1         one run again; a failure prints this line and the file
import { pathToFileURL } from 'node:url';
import { root } from '../../core/config/keywords/index.ts';
import { type Block, opensOf } from '../../core/config/keywords/row.ts';
import { type Loaded, load } from '../../core/config/load.ts';
import type { SourceText } from '../../core/config/source.ts';
import { type Draw, randomFrom } from '../../core/config/source-random.ts';

/** More than any run may take, also on a busy machine; runs take milliseconds. */
const MAX_RUN_MS = 20_000;

const WORDS: readonly string[] = [
  ...['eth0', '10.0.0.1', '10.0.0.2/24', '2001:db8::1', '1', '0', '255', '-5', '300', '0.5', 'on', 'off', 'MASTER'],
  ...['"a b"', '"', "'", '\\', '\\#', '#', '!', '{', '}', '$A', '${A}', '${B}', '${NONE}', '$', '${', '${_PWD}'],
  ...['${_ENV X}', '${_RANDOM 1 5}', '${_HASH}', '${_RANDOM x}', '@host', '@^host', '~SEQ(i,3)', '~LST(j,a,b)', '${i}'],
  ...['include part', 'include {part,none}', 'includea none', 'weight', 'dev', 'label', '/bin/true', 'PASS', 'reverse'],
  ...[
    'constructor',
    '__proto__',
    '主机',
    '\u{1f600}',
    '\u00a0',
    '\v',
    '~SEQ(i,1,1,999)',
    '$A=',
    '$B=\\',
    'random_seed 4',
  ],
];
const STARTS: readonly string[] = [
  ...[
    '@host ',
    '@^host ',
    '@other ',
    '~SEQ(i,2) ',
    '~LST({i,j},{1,2},{3,4}) ',
    '~SEQx(i,8,12) ',
    '$A=',
    '$B=\\\n',
    '# ',
  ],
];
const JUNK: readonly string[] = [
  ...[
    '{',
    '}',
    '"',
    '\\',
    '\0',
    '\n',
    '\r',
    '${',
    '$A',
    '@',
    '~SEQ(',
    ')',
    ' ',
    '\u{1f600}',
    '\ud800',
    '#',
    '!',
    '=',
    ',',
  ],
];

/** A file of one kind or another, and the file that it may include. */
export function fileOf(seed: number): { readonly kind: string; readonly text: string; readonly part: string } {
  const draw = randomFrom(seed);
  const part = document(draw, 2);
  switch (draw(4)) {
    case 0:
      return { kind: 'whole', text: document(draw, 6), part };
    case 1:
      return { kind: 'damaged', text: damaged(document(draw, 6), draw), part };
    case 2:
      return { kind: 'words', text: words(draw), part };
    default:
      return { kind: 'bytes', text: bytes(draw), part };
  }
}

const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!;

/** Blocks of the language with keywords that belong there, mostly. */
function document(draw: Draw, blocks: number): string {
  let text = '$A=1\n$B=x${A}\n';
  for (let i = draw(blocks) + 1; i > 0; i--) {
    const [keyword, row] = pick(Object.entries(root.rows), draw);
    const opens = opensOf(row);
    text += opens ? block(keyword, opens, draw, 0) : `${keyword} ${values(draw)}\n`;
  }
  return text;
}

function block(keyword: string, inner: Block, draw: Draw, depth: number): string {
  const indent = '  '.repeat(depth);
  const style = pick([' {\n', '{\n', '\n{\n', ' { # x\n', '\n\n{ '], draw);
  let text = `${indent}${keyword}${draw(3) > 0 ? ` N${draw(3)}` : ''}${style}`;
  const rows = Object.entries(inner.rows);
  for (let i = draw(8); i > 0; i--) {
    const [name, row] = rows.length > 0 && draw(12) > 0 ? pick(rows, draw) : [pick(WORDS, draw), undefined];
    const opens = row && opensOf(row);
    if (opens && depth < 4) text += block(name, opens, draw, depth + 1);
    else text += `${indent}  ${draw(15) === 0 ? pick(STARTS, draw) : ''}${name} ${values(draw)}\n`;
  }
  return `${text}${indent}}\n`;
}

const values = (draw: Draw): string => Array.from({ length: draw(4) }, () => pick(WORDS, draw)).join(' ');

function damaged(text: string, draw: Draw): string {
  let out = text;
  for (let i = draw(6) + 1; i > 0; i--) {
    const at = draw(out.length + 1);
    const piece = out.slice(at, at + draw(60));
    const instead = pick(['', piece + piece, pick(JUNK, draw), pick(JUNK, draw).repeat(draw(50))], draw);
    out = out.slice(0, at) + instead + out.slice(at + (draw(2) === 0 ? piece.length : 0));
  }
  return out;
}

const words = (draw: Draw): string =>
  Array.from({ length: draw(120) }, () => pick(pick([WORDS, STARTS, JUNK, ['\n'], ['\n']], draw), draw)).join(
    pick(['', ' '], draw),
  );

const bytes = (draw: Draw): string =>
  new TextDecoder(pick(['latin1', 'utf-8'], draw)).decode(Uint8Array.from({ length: draw(2000) }, () => draw(256)));

const read = (text: string, part: string): Loaded =>
  load(
    { file: '/f/root', text },
    {
      hostName: 'host.example',
      environment: { X: 'x' },
      reader: { include: (path): readonly SourceText[] => (path === '/f/part' ? [{ file: path, text: part }] : []) },
    },
  );

/** What a file must never do: throws when it does. */
export function examine(text: string, part: string): void {
  const began = performance.now();
  const loaded = read(text, part);
  const took = performance.now() - began;
  if (took > MAX_RUN_MS) throw new Error(`reading took ${took} ms`);
  const files = new Map([
    ['/f/root', text.split('\n')],
    ['/f/part', part.split('\n')],
  ]);
  for (const { code, place, message } of loaded.diagnostics) {
    const line = files.get(place.file)?.[place.line - 1];
    if (line === undefined) throw new Error(`${code} ${message}: no line ${place.file}:${place.line}`);
    // The end of a line may be pointed at, nothing behind it.
    if (place.column < 1 || place.length < 1 || place.column > line.length + 1)
      throw new Error(`${code} ${message}: no column ${place.column} in line ${place.line} (${line.length})`);
  }
  const again = read(text, part);
  if (JSON.stringify(summary(again)) !== JSON.stringify(summary(loaded))) throw new Error('read twice, meant twice');
  if (text.includes('\r') || part.includes('\r')) return;
  const windows = read(text.replaceAll('\n', '\r\n'), part.replaceAll('\n', '\r\n'));
  if (JSON.stringify(summary(windows)) !== JSON.stringify(summary(loaded)))
    throw new Error('with CRLF it means something else');
}

const summary = ({ configuration, diagnostics }: Loaded) => [
  configuration,
  diagnostics.map(({ code, place }) => [code, place.line, place.column]),
];

/** Runs from a seed on; returns how many. Throws at the first failure, with what is needed to see it again. */
export function fuzz(seed: number, until: (runs: number) => boolean): number {
  let runs = 0;
  for (; !until(runs); runs++) {
    const { kind, text, part } = fileOf(seed + runs);
    try {
      examine(text, part);
    } catch (cause) {
      const again = `node test/fuzz/config.ts --seed ${seed + runs} --runs 1`;
      throw new Error(`${again}\n${kind}: ${JSON.stringify(text)}\npart: ${JSON.stringify(part)}`, { cause });
    }
  }
  return runs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name: string): number | undefined => {
    const at = process.argv.indexOf(`--${name}`);
    return at === -1 ? undefined : Number(process.argv[at + 1]);
  };
  const seed = option('seed') ?? Date.now() % 1_000_000_000;
  const runs = option('runs') ?? Number.POSITIVE_INFINITY;
  const end = performance.now() + (option('seconds') ?? (Number.isFinite(runs) ? 1e9 : 60)) * 1000;
  console.log(`seed ${seed}`);
  const done = fuzz(seed, (count) => count >= runs || performance.now() > end);
  console.log(`${done} files without a failure`);
}
