// Checks that are made of checks: how deep they may be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../core/config/load.ts';

test('checks may be made of checks for twenty levels, and not for one more', () => {
  const blocks = Array.from({ length: 22 }, (_, i) => `vrrp_check c${i} {\n ${i === 0 ? '' : `any c${i - 1}`}\n}`);
  const { configuration } = load({ file: 'f', text: `${blocks.join('\n')}\n` }, { hostName: 'h' });
  const probes = configuration!.checks!.map(({ name, probe }) => `${name} ${probe.type}`);
  assert.deepEqual(probes.slice(-3), ['c19 expression', 'c20 expression', 'c21 none']);
});
