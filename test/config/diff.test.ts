// What a reload changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffConfigurations } from '../../core/config/diff.ts';
import { load } from '../../core/config/load.ts';
import type { Configuration } from '../../core/config/model.ts';

const block = (name: string, id: number, more = '', device = 'eth0') =>
  `vrrp_instance ${name} {\n interface ${device}\n virtual_router_id ${id}\n priority 9\n virtual_ipaddress {\n 10.0.0.${id}\n }\n ${more}\n}\n`;

function configuration(text: string): Configuration {
  const { configuration: found } = load({ file: 'f', text }, { hostName: 'h' });
  assert.ok(found);
  return found;
}

function diff(before: string, after: string) {
  const { added, removed, changed, equal } = diffConfigurations(configuration(before), configuration(after));
  return {
    added: added.map(({ name }) => name),
    removed: removed.map(({ name }) => name),
    changed: changed.map((change) => `${change.before.name}>${change.after.name}`),
    equal: equal.map(({ name }) => name),
  };
}

const NONE = { added: [], removed: [], changed: [], equal: [] };

test('the same file changes nothing, even in another order', () => {
  assert.deepEqual(diff(block('a', 1) + block('b', 2), block('b', 2) + block('a', 1)), { ...NONE, equal: ['b', 'a'] });
});
test('instances come and go', () => {
  assert.deepEqual(diff(block('a', 1) + block('b', 2), block('b', 2) + block('c', 3)), {
    ...NONE,
    equal: ['b'],
    added: ['c'],
    removed: ['a'],
  });
});
test('another priority is a change, another name too, and the router stays the same', () => {
  assert.deepEqual(diff(block('a', 1), block('a', 1, 'priority 8')).changed, ['a>a']);
  assert.deepEqual(diff(block('a', 1), block('z', 1)), { ...NONE, changed: ['a>z'] });
});
test('another VRID, interface or mode is another router', () => {
  for (const after of [block('a', 2), block('a', 1, '', 'eth1'), block('a', 1, 'unicast_peer {\n 10.0.0.8\n }')])
    assert.deepEqual(diff(block('a', 1), after), { ...NONE, added: ['a'], removed: ['a'] });
});
test('for unicast another source address is another router, another peer is not', () => {
  const unicast = (source: string, peer: string) =>
    block('a', 1, `unicast_src_ip ${source}\n unicast_peer {\n ${peer}\n }`);
  assert.deepEqual(diff(unicast('10.1.0.1', '10.1.0.2'), unicast('10.1.0.1', '10.1.0.3')).changed, ['a>a']);
  assert.deepEqual(diff(unicast('10.1.0.1', '10.1.0.2'), unicast('10.1.0.9', '10.1.0.2')).added, ['a']);
});
test('routers that differ in their peers alone are matched by name', () => {
  const unicast = (name: string, peer: string) => block(name, 1, `unicast_peer {\n ${peer}\n }`);
  const [a, b] = [unicast('a', '10.1.0.2'), unicast('b', '10.1.0.3')];
  assert.deepEqual(diff(a + b, b + a), { ...NONE, equal: ['b', 'a'] });
  assert.deepEqual(diff(a + b, b), { ...NONE, equal: ['b'], removed: ['a'] });
});
