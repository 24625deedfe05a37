// Plugins that go wrong, each as a module outside the tree in a real thread of its own: reported by name, harmless.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CheckThreadPool } from '../../core/app/check-threads.ts';
import type { CheckPlan } from '../../core/checks/messages.ts';
import { languageWith } from '../../core/config/language.ts';
import { load } from '../../core/config/load.ts';
import { systemTiming } from '../../core/system/child-process.ts';
import { millis } from '../../core/units.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'vk-plugins-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** A module whose check does this. */
function moduleOf(name: string, probe: string, more = ''): string {
  const file = `./${name}.mjs`;
  const head = `api: 1, kind: 'check', name: '${name}', help: 'a check of a test', options: {}`;
  writeFileSync(
    join(directory, file),
    `${more}\nexport default { ${head}, create: () => ({ probe: async () => { ${probe} } }) };\n`,
  );
  return file;
}

const planOf = (plugin: string): CheckPlan => ({
  name: `of_${plugin}`,
  plugin,
  options: {},
  settings: {},
  interval: millis(100),
  timeout: millis(100),
  jitter: millis(0),
  rise: 1,
  fall: 1,
  initFail: false,
});

/** A pool with an ear. Its threads end with it. */
function listen() {
  const pool = new CheckThreadPool(systemTiming, directory);
  const said: string[] = [];
  let wake: () => void = () => {};
  const say = (text: string): void => {
    said.push(text);
    wake();
  };
  pool.listen((specifier) => ({
    changed: (name, up, detail) => say(`${name} ${up} ${detail}`),
    unable: (name, why) => say(`unable ${name} ${why}`),
    log: (level, text) => say(`${level} ${text}`),
    lost: (why) => say(`lost ${specifier} ${why}`),
  }));
  const hears = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = said.find((text) => pattern.test(text));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { pool, said, hears, [Symbol.dispose]: () => pool.keep(new Set()) };
}

describe('a module that cannot be used', () => {
  for (const [what, text, why] of [
    ['throws', `throw new Error('not here');`, /^not here$/],
    ['exports nothing', 'export const x = 1;', /no default export/],
    ['has another interface', `export default { api: 2, kind: 'check' };`, /api is 2, and this agent has api: 1/],
    ['is no check', `export default { api: 1, kind: 'cake' };`, /kind is "cake"/],
    ['takes a keyword', `export default { api: 1, kind: 'check', name: 'interval' };`, /cannot be a keyword/],
    [
      'has an option of an unknown kind',
      `export default { api: 1, kind: 'check', name: 'odd', help: 'h', options: { a: { kind: 'colour', help: 'h' } } };`,
      /option a in options of odd has the unknown kind "colour"/,
    ],
    [
      'has a default out of range',
      `export default { api: 1, kind: 'check', name: 'odd', help: 'h', options: { a: { kind: 'integer', min: 1, max: 2, default: 3, help: 'h' } } };`,
      /the default of option a in options of odd is out of range 1\.\.2/,
    ],
    [
      'has no create',
      `export default { api: 1, kind: 'check', name: 'odd', help: 'h', options: {} };`,
      /no function create/,
    ],
    ['is not JavaScript', 'export default {', /Unexpected end of input/],
  ] as const)
    test(`because it ${what} is refused with the reason`, async () => {
      using stage = listen();
      writeFileSync(join(directory, 'bad.mjs'), text);
      const [source] = await stage.pool.describe(['./bad.mjs']);
      assert.deepEqual(source?.plugins, []);
      assert.match(source?.refused ?? '', why);
    });
  test('because it is not there is refused with the reason', async () => {
    using stage = listen();
    const [path, name] = await stage.pool.describe(['./absent.mjs', 'no-such-package']);
    assert.match(path?.refused ?? '', /^there is no file .*\/absent\.mjs$/);
    assert.match(name?.refused ?? '', /^there is no package no-such-package in node_modules of \/.*, \/etc\/vipkeeper/);
  });
  test('because another has its name already is refused', async () => {
    using stage = listen();
    const [first, second] = await stage.pool.describe([
      moduleOf('twin', 'return { ok: true };'),
      moduleOf('tcp', 'return { ok: true };'),
    ]);
    assert.deepEqual(
      first?.plugins.map(({ name }) => name),
      ['twin'],
    );
    assert.equal(second?.refused, 'there is another check plugin called tcp');
  });
  test('because it spins when it is loaded is ended after its time', async () => {
    using stage = listen();
    const [source] = await stage.pool.describe([moduleOf('spins_early', 'return { ok: true };', 'for (;;);')]);
    assert.equal(source?.refused, 'it did not get ready within five seconds');
  });
});

describe('a module that others than root can change', { skip: process.getuid?.() !== 0 }, () => {
  test('is loaded with a warning, and not at all with script security', async () => {
    using stage = listen();
    const open = moduleOf('open', 'return { ok: true };');
    assert.equal((await stage.pool.describe([open], true))[0]?.refused, undefined);
    chmodSync(join(directory, open), 0o666);
    const [tolerated] = await stage.pool.describe([open]);
    assert.match(tolerated?.risk ?? '', /\/open\.mjs is writable by others \(mode 0666\)$/);
    assert.equal(tolerated?.plugins.length, 1);
    const [refused] = await stage.pool.describe([open], true);
    assert.match(refused?.refused ?? '', /^unsafe permissions: .*\/open\.mjs is writable by others/);
    const language = languageWith({ builtIn: [], loaded: [tolerated!] });
    const { diagnostics } = load({ file: 'f', text: `load_plugin ${open}\n` }, { hostName: 'h', language });
    assert.match(
      diagnostics.find(({ code }) => code === 'W071')?.message ?? '',
      /^plugin \.\/open\.mjs would run as root but /,
    );
  });
});

describe('a plugin that works', () => {
  test('is found by path and by the name of its package, and its checks report', async () => {
    using stage = listen();
    mkdirSync(join(directory, 'node_modules', 'pack'), { recursive: true });
    writeFileSync(
      join(directory, 'node_modules', 'pack', 'package.json'),
      JSON.stringify({ name: 'pack', type: 'module', exports: './index.js' }),
    );
    const text = `export default { api: 1, kind: 'check', name: 'pack', help: 'h', options: {}, create: () => ({ probe: async () => ({ ok: true, detail: 'fine' }) }) };`;
    writeFileSync(join(directory, 'node_modules', 'pack', 'index.js'), text);
    const sources = await stage.pool.describe(['pack', moduleOf('plain', `return { ok: false, why: 'no' };`)]);
    assert.deepEqual(
      sources.map(({ refused }) => refused),
      [undefined, undefined],
    );
    stage.pool.get('pack').configure([planOf('pack')]);
    stage.pool.get('./plain.mjs').configure([planOf('plain')]);
    assert.equal(await stage.hears(/^of_pack/), 'of_pack true fine');
    assert.equal(await stage.hears(/^of_plain/), 'of_plain false no');
  });
});

describe('a plugin that goes wrong at work', () => {
  test('spinning is ended and started again, and its checks fail until it works', async () => {
    using stage = listen();
    const well = moduleOf('well', 'return { ok: true };');
    const spins = moduleOf('spins', 'for (;;);');
    await stage.pool.describe([well, spins]);
    stage.pool.get(well).configure([planOf('well')]);
    stage.pool.get(spins).configure([planOf('spins')]);
    await stage.hears(
      /^error plugin \.\/spins\.mjs was ended: it did not answer for 3 seconds; it spins or is blocked; started again in 1 s/,
    );
    await stage.hears(/^lost \.\/spins\.mjs it did not answer/);
    assert.equal(stage.said.filter((text) => text.startsWith('of_well')).length, 1, 'the other goes on undisturbed');
    const [check] = await stage.pool.get(well).snapshot();
    assert.equal(check?.up, true);
    assert.ok(check.runs > 20, `${check.runs} probes meanwhile`);
  });
  test('allocating without end, it is ended for its memory', async () => {
    using stage = listen();
    const eats = moduleOf('eats', 'for (;;) kept.push(new Array(100_000).fill(Math.random()));', 'const kept = [];');
    await stage.pool.describe([eats]);
    stage.pool.get(eats).configure([planOf('eats')]);
    await stage.hears(/^error plugin \.\/eats\.mjs was ended: it used more than 128 MiB/);
  });
  test('an error outside of its probes ends its thread alone', async () => {
    using stage = listen();
    const stray = moduleOf('stray', `setTimeout(() => { throw new Error('astray'); }, 1); return { ok: true };`);
    await stage.pool.describe([stray]);
    stage.pool.get(stray).configure([planOf('stray')]);
    await stage.hears(/^error plugin \.\/stray\.mjs was ended: astray; started again in 1 s/);
  });
  test('throwing what is no error ends its thread alone, too', async () => {
    using stage = listen();
    const nothing = moduleOf('nothing', `setTimeout(() => { throw null; }, 1); return { ok: true };`);
    await stage.pool.describe([nothing]);
    stage.pool.get(nothing).configure([planOf('nothing')]);
    await stage.hears(/^error plugin \.\/nothing\.mjs was ended: null; started again in 1 s/);
  });
  test('ending the process ends its thread alone', async () => {
    using stage = listen();
    const exits = moduleOf('exits', 'process.exit(3);');
    await stage.pool.describe([exits]);
    stage.pool.get(exits).configure([planOf('exits')]);
    await stage.hears(/^error plugin \.\/exits\.mjs was ended: it ended by itself/);
  });
});
