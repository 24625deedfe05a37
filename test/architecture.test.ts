// The doors between the rooms (ARCHITECTURE.md): which folder may import which, read from the sources themselves.
// Type-only imports obey the same rules: a type is knowledge, too.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const MAX_LINES = 400;

interface Import {
  readonly file: string;
  readonly line: number;
  /** A path from the root ('core/net/address.ts') for relative imports, else the bare name ('node:fs', 'inversify'). */
  readonly target: string;
}

const sources = ['core', 'providers', 'plugins'].flatMap((folder) =>
  globSync(`${folder}/**/*.{ts,mjs}`, { cwd: ROOT }),
);
const textOf = new Map(sources.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

/** Comments blanked, line breaks kept, so that an import in an example is none. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));

const imports: readonly Import[] = sources.flatMap((file) => {
  const text = withoutComments(textOf.get(file)!);
  const statements = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  );
  return [...statements].map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, line: text.slice(0, match.index + match[0].length).split('\n').length, target };
  });
});

/** A room: the files it consists of, and what else they may import. Its own files are always allowed. */
interface Room {
  readonly name: string;
  readonly files: RegExp;
  readonly may: readonly RegExp[];
}

const UNITS = /^core\/(units|deadlines)\.ts$/;
const NET = /^core\/net\//;
const PORTS = /^core\/ports\//;
const PURE = /^core\/(vrrp|bfd|health|vip|config|plugin)\//;
const NODE = /^node:/;
/** What knows nothing of files, processes, sockets or threads. */
const HARMLESS_NODE = /^node:(util|assert|buffer|events|path|url)$/;
/** Threads, clocks, hashes: the machinery of the agent, but no file, socket or child. */
const THREAD_NODE =
  /^node:(worker_threads|perf_hooks|process|timers|timers\/promises|os|crypto|async_hooks|diagnostics_channel)$/;
/** What the local socket, the status page and the exporter are made of. */
const SERVER_NODE = /^node:(net|http|http2|https|fs|fs\/promises|stream|stream\/promises|zlib|readline)$/;
const PLUGIN_CONTRACT = [
  UNITS,
  NET,
  PORTS,
  /^core\/config\/(fields|diagnostics|model|plugin)\.ts$/,
  /^core\/vip\//,
  /^core\/health\//,
  /^core\/plugin\//,
];

const rooms: readonly Room[] = [
  { name: 'units', files: UNITS, may: [] },
  { name: 'net', files: NET, may: [UNITS] },
  { name: 'the pure protocol, health, vip and config', files: PURE, may: [UNITS, NET, PURE] },
  // Ports speak of what they carry: addresses, times and the pure data types.
  { name: 'ports', files: PORTS, may: [UNITS, NET, PURE] },
  {
    name: 'engine',
    files: /^core\/engine\//,
    may: [UNITS, NET, PORTS, PURE, HARMLESS_NODE, THREAD_NODE],
  },
  { name: 'checks', files: /^core\/checks\//, may: [UNITS, PORTS, PURE, HARMLESS_NODE] },
  {
    name: 'agent',
    files: /^core\/agent\//,
    may: [UNITS, NET, PORTS, PURE, /^core\/(engine|metrics|control|checks)\//, HARMLESS_NODE, THREAD_NODE],
  },
  {
    name: 'metrics and control',
    files: /^core\/(metrics|control)\//,
    may: [UNITS, NET, PORTS, PURE, /^core\/(engine|agent)\//, HARMLESS_NODE, THREAD_NODE, SERVER_NODE],
  },
  { name: 'system', files: /^core\/system\//, may: [UNITS, NET, PORTS, /^core\/vip\//, NODE, /^nodemailer$/] },
  {
    name: 'app',
    files: /^core\/app\//,
    may: [/^core\//, /^providers\//, /^plugins\//, NODE, /^inversify$/],
  },
  { name: 'cli', files: /^core\/cli\//, may: [/^core\//, /^providers\//, /^plugins\//, NODE, /^package\.json$/] },
];

/** Everything a folder of providers/ or plugins/ imports must be itself, its contract or somebody's package. */
const roomOf = (file: string): Room | undefined => {
  const own = /^(providers|plugins)\/([^/]+)\//.exec(file);
  if (own) {
    const itself = new RegExp(`^${own[1]}/${own[2]}/`);
    return {
      name: `${own[1]}/${own[2]}`,
      files: itself,
      may: [...PLUGIN_CONTRACT, NODE, /^(?!inversify$|core\/|providers\/|plugins\/)/],
    };
  }
  const list = /^(providers|plugins)\/[^/]+$/.exec(file);
  if (list) return { name: list[1]!, files: new RegExp(`^${list[1]}/`), may: PLUGIN_CONTRACT };
  return rooms.find((room) => room.files.test(file));
};

const describeImport = ({ file, line, target }: Import): string => `${file}:${line} imports ${target}`;

test('every source belongs to a room', () => {
  assert.deepEqual(
    sources.filter((file) => !roomOf(file)),
    [],
  );
});

for (const room of rooms)
  test(`${room.name}: imports nothing beyond its doors`, () => {
    const strays = imports.filter(
      ({ file, target }) =>
        room.files.test(file) && !room.files.test(target) && !room.may.some((allowed) => allowed.test(target)),
    );
    assert.deepEqual(strays.map(describeImport), []);
  });

test('providers and plugins import their contract, their own folder and packages, never each other', () => {
  const strays = imports.filter(({ file, target }) => {
    if (!/^(providers|plugins)\//.test(file)) return false;
    const room = roomOf(file)!;
    return !room.files.test(target) && !room.may.some((allowed) => allowed.test(target));
  });
  assert.deepEqual(strays.map(describeImport), []);
});

test('only core/app imports inversify', () => {
  const strays = imports.filter(({ file, target }) => target === 'inversify' && !file.startsWith('core/app/'));
  assert.deepEqual(strays.map(describeImport), []);
});

test('nothing imports core/app but core/app and core/cli', () => {
  const strays = imports.filter(
    ({ file, target }) => target.startsWith('core/app/') && !/^core\/(app|cli)\//.test(file),
  );
  assert.deepEqual(strays.map(describeImport), []);
});

test('nothing that is published imports a test', () => {
  assert.deepEqual(imports.filter(({ target }) => target.startsWith('test/')).map(describeImport), []);
});

test('relative imports name a file that exists, with its extension', () => {
  const strays = imports.filter(
    ({ target }) => /^(core|providers|plugins)\//.test(target) && !textOf.has(target) && !target.endsWith('.json'),
  );
  assert.deepEqual(strays.map(describeImport), []);
});

test('ports hold interfaces only', () => {
  for (const file of sources.filter((file) => PORTS.test(file)))
    assert.doesNotMatch(
      withoutComments(textOf.get(file)!),
      /^\s*export\s+(default|class|abstract|function|async|let|var|const)\b/m,
      `${file} has code`,
    );
});

test(`no source is longer than ${MAX_LINES} lines`, () => {
  const long = [...textOf].map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }));
  assert.deepEqual(
    long.filter(({ lines }) => lines > MAX_LINES).map(({ file, lines }) => `${file}: ${lines}`),
    [],
  );
});

test('every source opens with a comment that says what it is', () => {
  const silent = [...textOf].filter(([, text]) => !/^(#!.*\n)?(\/\/|\/\*)/.test(text)).map(([file]) => file);
  assert.deepEqual(silent, []);
});
