// Breaks the rules of the protocol one at a time (table.ts), each in a copy of the tree, and runs the fast tests and some
// seeds of the simulator against it. A rule that can be broken without anything turning red is a hole in the tests.
//
//   npm run mutation                     all of them; ends with 1 when fewer than 95 % are caught
//   npm run mutation -- watch timers     those whose file or rule contains one of the words
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTATIONS, type Mutation } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');
const COPIED = ['core', 'providers', 'plugins', 'test', 'package.json', 'tsconfig.json'];
const TESTS = [
  'test/{vrrp,scenarios,engine,conformance,vip,bfd}/*.test.ts',
  'test/checks/rounds.test.ts',
  'test/config/{checks,golden,instances}.test.ts',
];
/** What the simulator does without: only the tests can notice something there. */
const NOT_SIMULATED = /^core\/(bfd|checks|config)\//;
const SEEDS = '1..120';
/** At least this share has to be caught. */
const ENOUGH = 0.95;
/** Mutants at a time; each uses several threads itself. */
const AT_ONCE = 2;
/** A mutant that runs for so long hangs, which is noticed, too. */
const PATIENCE_MS = 180_000;

interface Verdict {
  readonly mutation: Mutation;
  readonly caughtBy: string | undefined;
}

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  for (const name of COPIED) {
    const [from] = globSync(name, { cwd: ROOT });
    if (from !== undefined) cpSync(join(ROOT, from), join(copy, from), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether a program ends well. */
function succeeds(cwd: string, argv: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, { cwd, stdio: 'ignore', timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

/** What notices that something is wrong with a file of a copy; undefined: nothing does. */
async function notices(copy: string, wrong: string): Promise<string | undefined> {
  if (
    !NOT_SIMULATED.test(wrong) &&
    !(await succeeds(copy, ['test/simulation/simulate.ts', '--seeds', SEEDS, '--first']))
  )
    return 'simulator';
  const isFast = (file: string): boolean => !/support\/needs|HISTORIES/.test(readFileSync(join(copy, file), 'utf8'));
  const files = globSync(TESTS, { cwd: copy }).filter(isFast);
  if (!(await succeeds(copy, ['--test', '--test-isolation=none', ...files]))) return 'tests';
  return undefined;
}

async function judge(copy: string, mutation: Mutation): Promise<Verdict> {
  const path = join(copy, mutation.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(mutation.text).length !== 2)
    throw new Error(`${mutation.file}: this does not occur exactly once: ${mutation.text}`);
  writeFileSync(
    path,
    source.replace(mutation.text, () => mutation.replacement),
  );
  try {
    return { mutation, caughtBy: await notices(copy, mutation.file) };
  } finally {
    writeFileSync(path, source);
  }
}

const words = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ({ file, rule }) => words.length === 0 || words.some((word) => file.includes(word) || rule.includes(word)),
);
const copies = Array.from({ length: Math.min(AT_ONCE, chosen.length) }, copyTree);
const verdicts: Verdict[] = [];
try {
  const before = await notices(copies[0]!, '');
  if (before !== undefined) throw new Error(`the tree as it is does not pass: ${before}`);
  const queue = [...chosen];
  const work = async (copy: string): Promise<void> => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const verdict = await judge(copy, mutation);
      verdicts.push(verdict);
      const outcome = verdict.caughtBy === undefined ? 'SURVIVED' : `killed by ${verdict.caughtBy}`;
      console.log(`${outcome.padEnd(20)} ${mutation.file.padEnd(38)} ${mutation.rule}`);
    }
  };
  await Promise.all(copies.map(work));
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}
const caught = verdicts.filter(({ caughtBy }) => caughtBy !== undefined).length;
console.log(
  `${caught} of ${verdicts.length} broken rules are noticed (${((100 * caught) / verdicts.length).toFixed(1)} %)`,
);
process.exitCode = caught >= ENOUGH * verdicts.length ? 0 : 1;
