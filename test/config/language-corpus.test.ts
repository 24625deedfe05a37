// The script that measures agreement with keepalived on a folder of configurations, on a folder of our own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-corpus-'));
after(() => rmSync(folder, { recursive: true }));
const SCRIPT = join(import.meta.dirname, '../corpus-agreement.ts');
const RUNS =
  'vrrp_instance V {\n interface e\n virtual_router_id 7\n priority 9\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n';

function agreement(files: Readonly<Record<string, readonly [text: string, runs: 'yes' | 'no']>>) {
  const rows = Object.entries(files).map(([id, [text, runs]]) => {
    writeFileSync(join(folder, `${id}.conf`), text);
    return `${id}\t${runs}\ta | b`;
  });
  writeFileSync(join(folder, 'truth.tsv'), `id\tkeeps_running\tmessages\n${rows.join('\n')}\n`);
  const { status, stdout } = spawnSync(process.execPath, [SCRIPT, folder, join(folder, 'truth.tsv')], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.split('\n').map((line) => line.trim().replace(/ {2,}/, ': ')) };
}

test('files on which both decide alike agree, and so does a namespace that only the machine lacks', () => {
  const { status, lines } = agreement({
    good: [RUNS, 'yes'],
    bad: [RUNS.replace(' virtual_router_id 7\n', ''), 'no'],
    namespace: [`net_namespace red\n${RUNS}`, 'no'],
  });
  assert.equal(status, 0);
  assert.ok(lines.includes('same run verdict: 3 of 3'), lines.join('\n'));
  assert.ok(lines.some((line) => line.startsWith('namespace.conf: by the machine')));
});

test('a file on which they differ is named and fails the script', () => {
  const { status, lines } = agreement({ good: [RUNS, 'no'], bad: [RUNS, 'yes'], namespace: [RUNS, 'yes'] });
  assert.equal(status, 1);
  assert.ok(lines.includes('good.conf: keepalived ends, we run'), lines.join('\n'));
});
