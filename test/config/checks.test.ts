// Checks that are made of checks: how many of them have to succeed, and how deep they may be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../core/config/load.ts';

test('all asks for all of them, any for one, at_least for so many', () => {
  const words = ['all a b c', 'any a b c', 'at_least 2 a b c'];
  const parts = ['a', 'b', 'c'].map((name) => `vrrp_check ${name} {\n}`);
  const blocks = words.map((line, i) => `vrrp_check x${i} {\n ${line}\n}`);
  const { configuration } = load({ file: 'f', text: `${[...parts, ...blocks].join('\n')}\n` }, { hostName: 'h' });
  const counts = configuration!.checks!.slice(3).map(({ probe }) => probe.type === 'expression' && probe.count);
  assert.deepEqual(counts, [3, 1, 2]);
});

test('checks may be made of checks for twenty levels, and not for one more', () => {
  const blocks = Array.from({ length: 22 }, (_, i) => `vrrp_check c${i} {\n ${i === 0 ? '' : `any c${i - 1}`}\n}`);
  const { configuration } = load({ file: 'f', text: `${blocks.join('\n')}\n` }, { hostName: 'h' });
  const probes = configuration!.checks!.map(({ name, probe }) => `${name} ${probe.type}`);
  assert.deepEqual(probes.slice(-3), ['c19 expression', 'c20 expression', 'c21 none']);
});
