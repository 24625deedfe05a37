// A configuration for every construct and keyword, each with the model it makes and the words it gets, compared exactly.
// UPDATE_GOLDEN=1 rewrites both; the difference is then reviewed like any other change.
// A first line `# golden: ARGUMENTS` gives the arguments of check-config. The machine is the one below.
import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { type CheckIo, checkConfig } from '../../core/cli/check-config.ts';
import { CODES } from '../../core/config/diagnostics.ts';
import { allKeywords, grammar, root } from '../../core/config/keywords/index.ts';
import { type Block, opensOf, rowOf } from '../../core/config/keywords/row.ts';
import { type LoadOptions, load } from '../../core/config/load.ts';
import { outlineOf } from '../../core/config/outline.ts';
import { keywordOf, type Statement } from '../../core/config/parser.ts';
import { ip } from '../../core/net/address.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const { UPDATE_GOLDEN } = process.env;
const UPDATE = UPDATE_GOLDEN === '1';
const HOST = 'golden.example';
const ENVIRONMENT = { SITE: 'north', VIP: '192.0.2.77' };

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.conf'))
  .map((file) => file.slice(0, -'.conf'.length))
  .toSorted();

const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const argumentsOf = (text: string): readonly string[] =>
  (/^# golden:(.*)/.exec(text)?.[1] ?? '').split(/\s+/).filter(Boolean);

const includes: CheckIo['includes'] = {
  include: (pattern) =>
    pattern.startsWith('/')
      ? []
      : globSync(pattern, { cwd: FOLDER })
          .toSorted()
          .map((file) => ({ file, text: textOf(file) })),
};
const probe: NonNullable<CheckIo['probe']> = {
  program: (name) => (name.includes('missing') ? 'missing' : name.includes('notexec') ? 'not-executable' : 'ok'),
};

/** The machine that the files are checked on: everything exists but what is called otherwise. */
const host: NonNullable<CheckIo['host']> = {
  interfaces: () => [
    { name: 'bond0', addresses: [{ address: ip('203.0.113.11'), prefix: 24 }] },
    {
      name: 'eth0',
      addresses: [
        { address: ip('192.0.2.11'), prefix: 24 },
        { address: ip('2001:db8::11'), prefix: 64 },
      ],
    },
    { name: 'eth1', addresses: [{ address: ip('198.51.100.11'), prefix: 24 }] },
    { name: 'eth2', addresses: [] },
    { name: 'lo', addresses: [{ address: ip('127.0.0.1'), prefix: 8 }] },
  ],
  files: {
    look: async (path) => ({
      kind: ['/', '/bin', '/usr', '/usr/bin', '/opt', '/opt/unsafe'].includes(path) ? 'directory' : 'file',
      mode: path.endsWith('/unsafe') ? 0o777 : 0o755,
      uid: 0,
      gid: 0,
    }),
    readLink: async () => ({ error: 'EINVAL' }),
    self: () => ({ uid: 0, gid: 0 }),
    user: async (name) =>
      name === 'root'
        ? { uid: 0, gid: 0 }
        : name.startsWith('no-such') || name === 'keepalived_script'
          ? undefined
          : { uid: 65_534, gid: 65_534 },
    group: async () => 65_534,
  },
  readSecret: (path) =>
    path.includes('missing')
      ? { error: 'ENOENT' }
      : {
          bytes: new TextEncoder().encode(`${path} keeps a key of many bytes\n`),
          mode: path.includes('open') ? 0o644 : 0o600,
        },
};

async function check(name: string): Promise<string> {
  const file = `${name}.conf`;
  let out = '';
  const status = await checkConfig([...argumentsOf(textOf(file)), file], {
    hostName: HOST,
    environment: ENVIRONMENT,
    readFile(path) {
      if (!existsSync(join(FOLDER, path))) throw new Error('no such file');
      return textOf(path);
    },
    includes,
    probe,
    host,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      out += text;
    },
  });
  return `${out}exit status ${status}\n`;
}

/** As check-config reads it. */
function optionsOf(text: string): LoadOptions {
  const argv = argumentsOf(text).join(' ');
  const id = /(?:--config-id=|-i )(\S+)/.exec(argv)?.[1];
  return {
    hostName: HOST,
    environment: ENVIRONMENT,
    reader: includes,
    ...(id !== undefined && { configId: id }),
    ...(!argv.includes('--offline') && { probe, readSecret: host.readSecret! }),
  };
}

/** JSON with the members of each object in the order of the alphabet. */
function canonical(value: unknown): string {
  const sorted = (of: unknown): unknown =>
    Array.isArray(of)
      ? of.map(sorted)
      : typeof of === 'object' && of !== null
        ? Object.fromEntries(
            Object.entries(of)
              .toSorted(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, inner]) => [key, sorted(inner)]),
          )
        : of;
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

function compare(file: string, actual: string): void {
  const path = join(FOLDER, file);
  if (UPDATE) writeFileSync(path, actual);
  assert.equal(actual, existsSync(path) ? readFileSync(path, 'utf8') : '', `${file}: UPDATE_GOLDEN=1 rewrites it`);
}

describe('golden configurations', () => {
  for (const name of names) {
    test(`${name}: findings`, async () => compare(`${name}.txt`, await check(name)));
    test(`${name}: model`, () => {
      const text = textOf(`${name}.conf`);
      const options = { ...optionsOf(text), language: builtInLanguage };
      const { configuration } = load({ file: `${name}.conf`, text }, options);
      compare(`${name}.model`, canonical(configuration ?? null));
    });
  }
  test('there are at least 60', () => assert.ok(names.length >= 60, `${names.length}`));
  test('nothing lies about that belongs to no configuration', () => {
    const strays = readdirSync(FOLDER).filter(
      (file) => /\.(txt|model)$/.test(file) && !names.includes(file.replace(/\.\w+$/, '')),
    );
    assert.deepEqual(strays, []);
  });
});

describe('golden coverage', () => {
  /** Keywords as written, and `block.keyword` for those in tables. */
  const written = new Set<string>();
  const visit = (statements: readonly Statement[], block: Block | undefined): void => {
    for (const statement of statements) {
      const keyword = keywordOf(statement);
      written.add(keyword);
      const found = block && !block.lines ? rowOf(block, keyword) : undefined;
      if (block && found) written.add(`${block.name}.${found.name}`);
      visit(statement.block ?? [], block && grammar.opens(block, keyword));
    }
  };
  for (const name of names) {
    const text = textOf(`${name}.conf`);
    visit(outlineOf({ file: `${name}.conf`, text }, optionsOf(text)).statements, root);
  }

  test('every keyword is used', () => {
    assert.deepEqual(
      allKeywords().filter((keyword) => !written.has(keyword)),
      [],
    );
  });
  test('every row is used in its own block', () => {
    const rows = (block: Block, seen: ReadonlySet<Block>): readonly string[] =>
      Object.entries(block.rows).flatMap(([name, row]) => {
        const inner = opensOf(row);
        const more = inner && !inner.lines && !seen.has(inner) ? rows(inner, new Set([...seen, inner])) : [];
        return [`${block.name}.${name}`, ...more];
      });
    assert.deepEqual(
      [...new Set(rows(root, new Set([root])))].filter((row) => !written.has(row)),
      [],
    );
  });
  test('every code is produced', async () => {
    let all = '';
    for (const name of names) all += await check(name);
    assert.deepEqual(
      Object.keys(CODES).filter((code) => !all.includes(`[${code}]`)),
      [],
    );
  });
});
