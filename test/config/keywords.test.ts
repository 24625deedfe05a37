// Every row of the language's tables: a value, one out of range, one of the wrong kind. The rows say which.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../../core/config/diagnostics.ts';
import { allKeywords, blocksWith, grammar, root } from '../../core/config/keywords/index.ts';
import { type Block, type Keyword, OPAQUE, opensOf, readBlock } from '../../core/config/keywords/row.ts';
import { parse } from '../../core/config/parser.ts';
import { readLines } from '../../core/config/source.ts';
import { nearest } from '../../core/config/suggest.ts';

/** All blocks that hold keywords, each once. */
function blocksOf(block: Block): readonly Block[] {
  const inner = Object.values(block.rows).map(opensOf);
  return [block, ...inner.flatMap((one) => (one && one !== OPAQUE && !one.lines ? blocksOf(one) : []))];
}

function read(block: Block, text: string) {
  const report = new Report();
  const notActedOn: string[] = [];
  const lines = readLines({ file: 'f', text }, { configId: '', reader: undefined, environment: {} }, report);
  const statements = parse(lines, { ...grammar, root: block }, report);
  const values = readBlock(block, statements, {
    report,
    blocksWith,
    notActedOn: (s) => notActedOn.push(s.words[0]!.text),
  });
  return { values, codes: report.sorted().map(({ code }) => code), notActedOn };
}

const SAMPLES: Readonly<Record<string, string>> = {
  flag: 'off',
  mark: '',
  word: 'x',
  text: 'x',
  interface: 'eth0',
  command: '"/bin/true a"',
};
const RECORDS: Readonly<Record<string, string>> = {
  script_user: 'root wheel',
  user: 'nobody :nogroup',
  weight: '-5 reverse',
};

function sample(name: string, { value }: Keyword): string {
  if (value.kind === 'integer' || value.kind === 'seconds') return `${name} ${value.max}`;
  if (value.kind === 'choice') return `${name} ${value.choices![0]}`;
  if (value.kind === 'address')
    return `${name} ${name.includes('mcast_dst') || name.endsWith('group4') ? '224.0.0.9' : name.endsWith('6') ? 'ff02::9' : '10.0.0.9'}`;
  if (value.kind === 'record') return `${name} ${RECORDS[name]}`;
  if (value.kind === 'list') return `${name} {\n}`;
  if (value.kind === 'block')
    return opensOf({ value, help: '' })?.name === name && name.startsWith('vrrp_') ? `${name} N {\n}` : `${name} {\n}`;
  return `${name} ${SAMPLES[value.kind]}`;
}

for (const block of blocksOf(root))
  describe(`keywords of ${block.name}`, () => {
    for (const [name, row] of Object.entries(block.rows).filter(([, row]) => row.acted !== false)) {
      const { kind, min, max } = row.value;
      test(`${name} is read`, () => {
        const { values, codes } = read(block, sample(name, row));
        assert.ok(values[name], `no value after ${sample(name, row)}`);
        assert.deepEqual(codes, []);
      });
      test(`${name} has one line of help`, () => assert.match(row.help, /^\S[^\n]{4,}$/));
      if (kind === 'integer' || kind === 'seconds') {
        test(`${name} is refused above ${max} and below ${min}, with the limit`, () => {
          for (const value of [`${max! + 1}`, ...(min! > 0 ? ['0'] : [])]) {
            const { values, codes } = read(block, `${name} ${value}`);
            assert.equal(values[name], undefined);
            assert.match(codes.join(), /^(W011|E013)$/);
          }
        });
        test(`${name} is refused when it is no number`, () => {
          for (const value of ['x', '1x', '-', '1e3', '""']) {
            const { values, codes } = read(block, `${name} ${value}`);
            assert.equal(values[name], undefined, value);
            assert.match(codes.join(), /^(W012|E013)$/);
          }
        });
      }
      if (['flag', 'choice', 'address'].includes(kind))
        test(`${name} is refused when it is something else`, () => {
          assert.deepEqual(read(block, `${name} 10.0.0.300`).codes, ['W012']);
        });
      if (['integer', 'seconds', 'choice', 'address', 'interface', 'text', 'command'].includes(kind))
        test(`${name} without a value is an error`, () => assert.deepEqual(read(block, name).codes, ['E010']));
      if (kind === 'interface')
        test(`${name} takes no name that the kernel would not`, () => {
          assert.deepEqual(read(block, `${name} sixteen-letters-`).codes, ['W011']);
          assert.deepEqual(read(block, `${name} a/b`).codes, ['W012']);
        });
      if (row.synonyms)
        test(`${name} is understood under its old name, with a warning`, () => {
          for (const synonym of row.synonyms!) assert.deepEqual(read(block, synonym).codes, ['W015']);
        });
    }
    for (const [name, row] of Object.entries({ ...block.rows, ...block.unused }).filter(
      ([, { acted }]) => acted === false,
    ))
      test(`${name} is known, and told to have no effect`, () => {
        const { values, codes, notActedOn } = read(block, `${name} x {\n y {\n }\n}`);
        assert.deepEqual(Object.keys(values), []);
        assert.deepEqual([codes, notActedOn], row.instead ? [['W031'], []] : [[], [name]]);
      });
  });

describe('the language as a whole', () => {
  test('no keyword is in a table twice', () => {
    for (const block of blocksOf(root))
      assert.deepEqual(
        Object.keys(block.rows).filter((name) => Object.hasOwn(block.unused ?? {}, name)),
        [],
        block.name,
      );
  });
  test('our own keywords are marked as such', () => {
    const ours = blocksOf(root).flatMap(({ name, rows }) =>
      Object.entries(rows)
        .filter(([, row]) => row.extension)
        .map(([keyword]) => `${name}.${keyword}`),
    );
    assert.deepEqual(ours, [
      'global_defs.vrrp_address_lifetime',
      'global_defs.vrrp_stop_order',
      'vrrp_instance.vrrp_stop_order',
    ]);
  });
  test('names of object members are no keywords', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      assert.deepEqual(blocksWith(name), []);
      assert.deepEqual(read(root, `${name} {\n}`).codes, ['W010']);
    }
  });
  test('slips of the keyboard find their keyword', () => {
    const known = allKeywords();
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
