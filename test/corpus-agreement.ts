// How far we agree with keepalived about other people's configurations.
//
//   node test/corpus-agreement.ts FOLDER TRUTH.tsv [--verbose]
//
// FOLDER holds NAME.conf files; TRUTH.tsv is tab-separated with a header and at least the columns
//   id            NAME of the file
//   keeps_running yes: keepalived's daemon keeps running with it; no: it ends while it starts
//   messages      what `keepalived -t` says, joined by ` | ` (optional: only counted)
// Nothing is copied: the files are read, and figures are printed.
//
// What agreement means: keepalived keeps running, and we find no error in the file; or it ends, and we find one. The
// machine is left out of it on both sides (no interface and no script is looked up here). There is one exception: a
// file that names a net_namespace. keepalived ends when the namespace does not exist, which is a matter of the machine
// and not of the file (059 of our corpus on the reference machine); such a file agrees when we find no error, and is
// listed as such.
//
// Root causes: each warning and error should stand for one of its own. Two messages about the same line, and the same
// code for lines that read alike in one block, count as one cause told twice and are listed. What is said of the file as
// a whole (W049: there is nothing to do) is about no line.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../core/config/diagnostics.ts';
import { load } from '../core/config/load.ts';

interface Truth {
  readonly runs: boolean;
  readonly messages: number;
}

const [folder, table, ...flags] = process.argv.slice(2);
if (folder === undefined || table === undefined) {
  console.error('usage: node test/corpus-agreement.ts FOLDER TRUTH.tsv [--verbose]');
  process.exit(2);
}
const verbose = flags.includes('--verbose');
const truth = readTruth(readFileSync(table, 'utf8'));

let files = 0;
let agreed = 0;
let crashes = 0;
let messages = 0;
let theirMessages = 0;
const byMachine: string[] = [];
const disagreements: string[] = [];
const repeated: string[] = [];
const perFile: number[] = [];
for (const name of readdirSync(folder)
  .filter((file) => file.endsWith('.conf'))
  .toSorted()) {
  const expected = truth.get(name.replace(/\.conf$/, ''));
  if (expected === undefined) {
    console.error(`${name}: not in ${table}`);
    continue;
  }
  files++;
  const text = readFileSync(join(folder, name), 'utf8');
  let loaded: ReturnType<typeof load>;
  try {
    loaded = load({ file: name, text }, { hostName: 'corpus' });
  } catch (error) {
    crashes++;
    console.log(`${name}: crash: ${(error as Error).stack}`);
    continue;
  }
  const told = loaded.diagnostics.filter(({ severity }) => severity !== 'info');
  const runs = loaded.configuration !== undefined;
  const namespace = runs && !expected.runs && /^\s*net_namespace\s+\S/m.test(text);
  if (namespace) byMachine.push(name);
  if (runs === expected.runs || namespace) agreed++;
  else disagreements.push(`${name}: keepalived ${expected.runs ? 'runs' : 'ends'}, we ${runs ? 'run' : 'refuse'}`);
  messages += told.length;
  theirMessages += expected.messages;
  perFile.push(told.length);
  for (const cause of toldTwice(told, text)) repeated.push(`${name}: ${cause}`);
  if (verbose) {
    console.log(`${name}: ${runs ? 'runs' : 'refused'}; ${told.length} messages, keepalived ${expected.messages}`);
    for (const { code, place, message } of told) console.log(`    ${code} ${place.line}:${place.column} ${message}`);
  }
}

perFile.sort((a, b) => a - b);
console.log(`files                        ${files}`);
console.log(`crashes                      ${crashes}`);
console.log(`same run verdict             ${agreed} of ${files}`);
for (const name of byMachine)
  console.log(`    ${name}: by the machine, not by the file: its net_namespace does not exist`);
for (const line of disagreements) console.log(`    ${line}`);
console.log(`messages (warnings, errors)  ${messages}, keepalived ${theirMessages}`);
console.log(`messages a file              median ${perFile[Math.floor(files / 2)] ?? 0}, most ${perFile.at(-1) ?? 0}`);
console.log(`root causes told twice       ${repeated.length}`);
for (const line of repeated) console.log(`    ${line}`);
process.exit(crashes === 0 && agreed === files && repeated.length === 0 ? 0 : 1);

function readTruth(text: string): ReadonlyMap<string, Truth> {
  const [header, ...rows] = text.split(/\r?\n/).map((line) => line.split('\t'));
  const column = (row: readonly string[], name: string) => row[header!.indexOf(name)] ?? '';
  return new Map(
    rows
      .filter((row) => row.length > 1)
      .map((row) => [
        column(row, 'id'),
        {
          runs: column(row, 'keeps_running') === 'yes',
          messages: column(row, 'messages').split(' | ').filter(Boolean).length,
        },
      ]),
  );
}

/** Messages that look as if their cause had been told before. */
function toldTwice(told: readonly Diagnostic[], text: string): readonly string[] {
  const lines = text.split('\n');
  const seen = new Map<string, Diagnostic>();
  const twice: string[] = [];
  for (const diagnostic of told) {
    const { code, place, message } = diagnostic;
    // What opens a line in column 1 starts a block of its own: the same slip in two instances is two slips.
    const block = lines.slice(0, place.line).findLastIndex((line) => /^[a-z]\w*\s/i.test(line));
    const about = lines[place.line - 1]?.trim() ?? '';
    for (const key of code === 'W049'
      ? []
      : [`line ${place.line}`, `${code} in the block of line ${block + 1}: ${about}`]) {
      const before = seen.get(key);
      if (before) twice.push(`${key}: ${before.code} ${before.message} / ${code} ${message}`);
      seen.set(key, diagnostic);
    }
  }
  return twice;
}
