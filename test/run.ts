// Runs every test/**/*.test.ts with node:test: first the pure ones side by side, then those that need the machine
// (root, namespaces, daemons), few at a time so that they do not disturb each other's clocks.
//   npm test              everything
//   npm test -- vrrp      the files whose path contains the word; several words: any of them
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
/** Files of the second phase at a time. Each makes its own namespaces; they mostly wait for protocol timers. */
const NAMESPACES_AT_ONCE = 3;
const FILE_TIMEOUT_MS = 180_000;
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** Whoever asks `support/needs.ts` needs more than a processor. */
const needsMachine = (file: string): boolean => /support\/needs\.ts/.test(readFileSync(join(ROOT, file), 'utf8'));

const words = process.argv.slice(2);
const files: string[] = [];
for await (const file of glob('test/**/*.test.ts', { cwd: ROOT }))
  if (words.length === 0 || words.some((word) => file.includes(word))) files.push(file);
files.sort();
if (files.length === 0) {
  console.error(`no test file's path contains ${words.join(' or ')}`);
  process.exit(1);
}

const totals = new Map<string, number>();
const began = performance.now();

/** The events of one phase, without its closing counts, which are added up instead. */
async function* phase(paths: readonly string[], concurrency: number) {
  if (paths.length === 0) return;
  const stream = run({
    files: paths.map((path) => join(ROOT, path)),
    cwd: ROOT,
    concurrency,
    timeout: FILE_TIMEOUT_MS,
  });
  for await (const event of stream) {
    const count =
      event.type === 'test:diagnostic' && event.data.nesting === 0 ? SUMMARY.exec(event.data.message) : null;
    if (count) totals.set(count[1]!, (totals.get(count[1]!) ?? 0) + Number(count[2]));
    else if (event.type !== 'test:summary') yield event;
  }
}

async function* everything() {
  yield* phase(
    files.filter((file) => !needsMachine(file)),
    availableParallelism(),
  );
  yield* phase(files.filter(needsMachine), NAMESPACES_AT_ONCE);
}

const report = Readable.from(everything()).pipe(new spec());
for await (const text of report) process.stdout.write(text);
for (const [name, count] of totals) if (name !== 'duration_ms') console.log(`# ${name} ${count}`);
console.log(`# duration_ms ${Math.round(performance.now() - began)}`);
if ((totals.get('tests') ?? 0) === 0)
  console.error(`no test ran in ${files.map((f) => relative('test', f)).join(', ')}`);
const failed = (totals.get('fail') ?? 0) + (totals.get('cancelled') ?? 0) > 0 || (totals.get('tests') ?? 0) === 0;
process.exit(failed ? 1 : 0);
