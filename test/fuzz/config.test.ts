// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has such variables
// A bounded part of the fuzzing of config.ts, and nonsense of all kinds that is large: it ends in time and memory, and
// what is larger than any configuration is refused in so many words.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../../core/config/source.ts';
import { fileOf, fuzz } from './config.ts';

test('files made of the language, damaged files and bytes are read without a failure', (t) => {
  const { VIPKEEPER_FUZZ_SEED = '1' } = process.env;
  const seed = Number(VIPKEEPER_FUZZ_SEED);
  t.diagnostic(`seed ${seed}`);
  assert.equal(
    fuzz(seed, (runs) => runs >= 200),
    200,
  );
});

test('a seed makes the same file each time, and seeds make files of all kinds', () => {
  assert.deepEqual(fileOf(3), fileOf(3));
  const kinds = Array.from({ length: 50 }, (_, i) => fileOf(i).kind);
  assert.deepEqual([...new Set(kinds)].toSorted(), ['bytes', 'damaged', 'whole', 'words']);
});

/** Generous: a busy machine takes a tenth of it. */
const MAX_MS = 60_000;
const MAX_MEGABYTES = 768;

const NONSENSE: readonly (readonly [what: string, piece: string])[] = [
  ['one line', 'x'],
  ['opening braces', '{'],
  ['opening braces in lines', '{{{{{{{{{{{{{{{{\n'],
  ['closing braces in lines', '}}}}}}}}}}}}}}}}\n'],
  ['braces after words', 'a{}}b{a}{{{{{{{{{{{{{{{{\n'],
  ['quotes', '"'],
  ['quotes in lines', '"""""""""""""""""""""""\n'],
  ['dollars', '$'],
  ['dollars in lines', '$$$$$$$$$${${${${$A ${A}\n'],
  ['words', 'a b c d e f g h i j k l m n o p\n'],
  ['words in long lines', `${'a '.repeat(30_000)}\n`],
  ['unknown keywords', 'bogus 1\n'],
  ['a known keyword', 'vrrp_version 3 is too much\n'],
  ['the same instance', 'vrrp_instance V {\npriority 1\n}\n'],
  ['conditions behind braces', '{@h {@h {@h {@h\n'],
  ['NUL bytes', '\0\n'],
  ['sequences', '~SEQ(i,100) x\n'],
  ['sequences of sequences', '~SEQ(i,1000000) ~SEQ(j,1000000) x\n'],
  ['broken sequences', '~SEQ(i,x) x\n'],
  ['unclosed lists', `~LST(${'{a,'.repeat(20_000)}\n`],
  ['definitions of themselves', '$A=${A}${A}\nx ${A}\n'],
  ['includes of nothing', 'include nope\n'],
  ['lines that go on', '$A=\\\nx \\\n'],
  ['white space and backslashes', `${' '.repeat(60_000)}\\ x\n`],
];

interface Answer {
  readonly runs: boolean;
  readonly errors: readonly string[];
  readonly messages: number;
  readonly ms: number;
}

/** Reads a piece again and again as one file, with limited memory. */
async function read(piece: string, times: number): Promise<Answer> {
  const worker = new Worker(new URL('./config-nonsense.ts', import.meta.url), {
    workerData: { piece, times },
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEGABYTES },
  });
  const [answer] = (await once(worker, 'message')) as [Answer];
  await worker.terminate();
  assert.ok(answer.ms < MAX_MS, `${answer.ms} ms`);
  return answer;
}

for (const [what, piece] of NONSENSE)
  test(`10 MB of nonsense are refused with one error: ${what}`, async () => {
    const { runs, errors } = await read(piece, Math.ceil(10_000_000 / piece.length));
    assert.deepEqual([runs, errors], [false, ['E001']]);
  });

for (const [what, piece] of NONSENSE)
  test(`nonsense just short of the limit ends in time and memory: ${what}`, async () => {
    const { messages } = await read(piece, Math.floor(LIMITS.text / piece.length));
    // Every message is about a line of its own, or one of a few about the whole file.
    assert.ok(messages <= LIMITS.lines + 500, `${messages} messages`);
  });
