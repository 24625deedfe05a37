// Every row of the language's tables: a value, one out of range, one of the wrong kind. The rows say which.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { Report } from '../../core/config/diagnostics.ts';
import { type Block, type Keyword, opensOf, readBlock } from '../../core/config/keywords/row.ts';
import { parse } from '../../core/config/parser.ts';
import { readLines } from '../../core/config/source.ts';
import { nearest } from '../../core/config/suggest.ts';
import { KEEPALIVED_KEYWORDS, OLDER_KEYWORDS } from './rows.keepalived.ts';

/** All blocks that hold keywords, each once. */
function blocksOf(block: Block, seen = new Set<Block>()): readonly Block[] {
  seen.add(block);
  for (const row of Object.values(block.rows)) {
    const inner = opensOf(row);
    if (inner && !inner.lines && !seen.has(inner)) blocksOf(inner, seen);
  }
  return [...seen];
}

const { root, grammar, blocksWith, keywords } = builtInLanguage;

function read(block: Block, text: string) {
  const report = new Report();
  const notActedOn: string[] = [];
  const withoutMeaning: string[] = [];
  const balancing: string[] = [];
  const lines = readLines({ file: 'f', text }, { configId: '', reader: undefined, environment: {} }, report);
  const statements = parse(lines, { ...grammar, root: block }, report);
  const values = readBlock(block, statements, {
    report,
    blocksWith,
    notActedOn: (s) => notActedOn.push(s.words[0]!.text),
    withoutMeaning: (s) => withoutMeaning.push(s.words[0]!.text),
    balancing: (s) => balancing.push(s.words[0]!.text),
  });
  return { values, codes: report.sorted().map(({ code }) => code), notActedOn, withoutMeaning, balancing };
}

const SAMPLES: Readonly<Record<string, string>> = {
  flag: 'off',
  mark: '',
  word: 'x',
  text: 'x',
  interface: 'eth0',
  command: '"/bin/true a"',
};
/** The keyword with arguments that it takes. */
function sample(name: string, row: Keyword): string {
  const { value, example } = row;
  const inner = opensOf(row);
  if (inner) {
    const head = value.synopsis.startsWith('{') ? '' : value.synopsis.startsWith('NAME') ? 'N ' : '192.0.2.1 80 ';
    return `${name} ${head}{\n${example ?? ''}\n}`;
  }
  if (example !== undefined) return `${name} ${example}`;
  if (value.kind === 'integer' || value.kind === 'seconds' || value.kind === 'milliseconds')
    return `${name} ${value.max}`;
  if (value.kind === 'choice') return `${name} ${value.choices![0]}`;
  if (value.kind === 'address')
    return `${name} ${name.includes('mcast_dst') || name.endsWith('group4') ? '224.0.0.9' : name.endsWith('6') ? 'ff02::9' : '10.0.0.9'}`;
  assert.ok(value.kind in SAMPLES, `${name} (${value.kind}) needs an example in its row`);
  return `${name} ${SAMPLES[value.kind]}`;
}

/** What is said about a keyword besides its value. */
const noise = (row: Keyword): readonly string[] =>
  row.moot === undefined && row.acted === false && row.instead !== undefined && !row.balancing ? ['W031'] : [];

for (const block of blocksOf(root))
  describe(`keywords of ${block.name}`, () => {
    for (const [name, row] of Object.entries(block.rows)) {
      const { kind, min, max } = row.value;
      const isOptional = row.value.optional === true;
      test(`${name} is read, and what it costs is said once`, () => {
        const text = sample(name, row);
        const { values, codes, notActedOn, withoutMeaning, balancing } = read(block, text);
        assert.ok(values[name], `no value after ${text}`);
        assert.deepEqual(codes, noise(row), text);
        const said = row.acted === false && row.instead === undefined ? [name] : [];
        assert.deepEqual(withoutMeaning, row.moot === undefined ? [] : [name]);
        assert.deepEqual(balancing, row.balancing && row.moot === undefined ? [name] : []);
        assert.deepEqual(notActedOn, row.balancing || row.moot !== undefined ? [] : said);
      });
      test(`${name} has one line of help`, () => assert.match(row.help, /^\S[^\n]{4,}$/));
      if (kind === 'integer' || kind === 'seconds' || kind === 'milliseconds') {
        test(`${name} is refused above ${max} and below ${min}, with the limit`, () => {
          for (const value of [`${max! + 1}`, ...(min! > 0 ? ['0'] : kind === 'integer' ? [`${min! - 1}`] : [])]) {
            const { values, codes } = read(block, `${name} ${value}`);
            assert.equal(values[name], undefined);
            assert.match(codes.filter((code) => code !== 'W031').join(), /^(W011|E013)$/);
          }
        });
        test(`${name} is refused when it is no number`, () => {
          for (const value of ['x', '1x', '-', '1e3', '""']) {
            const { values, codes } = read(block, `${name} ${value}`);
            assert.equal(values[name], undefined, value);
            assert.match(codes.filter((code) => code !== 'W031').join(), /^(W012|E013)$/);
          }
        });
      }
      if (['flag', 'choice', 'address'].includes(kind))
        test(`${name} is refused when it is something else`, () => {
          assert.deepEqual(read(block, `${name} 10.0.0.300`).codes, [...noise(row), 'W012']);
        });
      const needs = ['integer', 'seconds', 'milliseconds', 'choice', 'address', 'interface', 'text', 'command'];
      if (needs.includes(kind) && !isOptional)
        test(`${name} without a value is ${row.lenient ? 'ignored with a warning' : 'an error'}`, () =>
          assert.deepEqual(read(block, name).codes, [...noise(row), row.lenient ? 'W012' : 'E010']));
      if (isOptional)
        test(`${name} may stand alone`, () => {
          const { values, codes } = read(block, name);
          assert.ok(values[name]);
          assert.deepEqual(codes, noise(row));
        });
      if (kind === 'interface')
        test(`${name} takes no name that the kernel would not`, () => {
          assert.deepEqual(read(block, `${name} sixteen-letters-`).codes, [...noise(row), 'W011']);
          assert.deepEqual(read(block, `${name} a/b`).codes, [...noise(row), 'W012']);
        });
      if (row.synonyms)
        test(`${name} is understood under its old name, with a warning`, () => {
          for (const synonym of row.synonyms!)
            assert.deepEqual(read(block, sample(synonym, row)).codes, ['W015', ...noise(row)]);
        });
    }
  });

describe('the language as a whole', () => {
  test('each name of keepalived has a row', () => {
    const known = new Set(keywords);
    assert.deepEqual(
      KEEPALIVED_KEYWORDS.filter((name) => !known.has(name)),
      [],
    );
  });
  test('each row is a name of keepalived, or says that it is not', () => {
    const theirs = new Set([...KEEPALIVED_KEYWORDS, ...OLDER_KEYWORDS]);
    const strangers = blocksOf(root).flatMap(({ name: block, rows }) =>
      Object.entries(rows).flatMap(([name, row]) =>
        [name, ...(row.synonyms ?? [])]
          .filter((one) => !row.extension && !theirs.has(one))
          .map((one) => `${block}.${one}`),
      ),
    );
    assert.deepEqual(strangers, []);
  });
  test('our own keywords are marked as such', () => {
    const isOfNotifiers = (block: string) => block === 'notifier' || block.startsWith('notify_');
    const pluginBlocks = new Set(
      [...builtInLanguage.checks.values()].flatMap(({ name, options }) => [
        name,
        ...Object.entries(options).flatMap(([option, { kind }]) => (kind === 'block' ? [option] : [])),
      ]),
    );
    const ours = blocksOf(root).flatMap(({ name, rows }) =>
      Object.entries(rows)
        .filter(([, row]) => row.extension && name !== 'vrrp_check' && !isOfNotifiers(name) && !pluginBlocks.has(name))
        .map(([keyword]) => `${name}.${keyword}`),
    );
    assert.deepEqual(ours, [
      'root.vrrp_check',
      'root.notifier',
      'root.load_plugin',
      'global_defs.vrrp_address_lifetime',
      'global_defs.vrrp_transport',
      'global_defs.vrrp_stop_order',
      'global_defs.vrrp_fast_handover',
      'global_defs.vrrp_resign_when_outranked',
      'global_defs.vrrp_startup_hold',
      'global_defs.vrrp_conflict_watch',
      'vrrp_instance.vrrp_stop_order',
      'vrrp_instance.track_check',
      'vrrp_instance.fast_handover',
      'vrrp_instance.resign_when_outranked',
      'vrrp_sync_group.track_check',
    ]);
  });
  test('names of object members are no keywords', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      assert.deepEqual(blocksWith(name), []);
      assert.deepEqual(read(root, `${name} {\n}`).codes, ['W010']);
    }
  });
  test('slips of the keyboard find their keyword', () => {
    const known = keywords;
    for (const [typed, meant] of [
      ['vvrp_script', 'vrrp_script'],
      ['advert_in', 'advert_int'],
      ['vrrp_grap_interval', 'vrrp_garp_interval'],
      ['connetc_port', 'connect_port'],
      ['lvs_sync_daemon_inteface', 'lvs_sync_daemon_interface'],
      ['prioritiy', 'priority'],
    ] as const)
      assert.equal(nearest(typed, known), meant);
    assert.equal(nearest('completely_else', known), undefined);
  });
});
