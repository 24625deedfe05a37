// What deploy/ promises: every example is complete and clean, the unit starts what exists.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from '../../core/config/load.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const EXAMPLES = join(DEPLOY, 'examples');
const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.conf'));

for (const name of files)
  test(`${name} runs without a warning and is in the list of examples`, () => {
    const text = readFileSync(join(EXAMPLES, name), 'utf8');
    const { configuration, diagnostics } = load({ file: name, text }, { hostName: 'lb' });
    const trouble = diagnostics.filter(({ severity }) => severity !== 'info').map(({ message }) => message);
    assert.deepEqual(trouble, []);
    assert.ok(configuration!.instances.length > 0);
    assert.match(readFileSync(join(EXAMPLES, 'README.md'), 'utf8'), new RegExp(`\`${name}\``));
  });

test('the halves of each example pair agree on what the protocol compares', () => {
  const halves = new Map<string, string[]>();
  for (const name of files) {
    const pair = /^(.*)-lb\d+\.conf$/.exec(name)?.[1];
    if (pair !== undefined) halves.set(pair, [...(halves.get(pair) ?? []), name]);
  }
  assert.ok(halves.size >= 3);
  for (const [pair, names] of halves) {
    const facts = names.map((name) => {
      const text = readFileSync(join(EXAMPLES, name), 'utf8');
      const { configuration } = load({ file: name, text }, { hostName: 'lb' });
      return configuration!.instances.map(({ vrid, version, interval, authentication, vips }) => ({
        vrid,
        version,
        interval,
        authentication,
        vips: vips.map(({ address, prefix }) => `${address}/${prefix}`),
      }));
    });
    assert.equal(names.length, 2, pair);
    assert.deepEqual(facts[0], facts[1], pair);
  }
});
