// Notifiers of somebody else that go wrong, each as a module outside the tree in a real thread: every attempt has an end,
// what is said names the cause, and the next thread takes what is told again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CheckThreadPool } from '../../core/app/check-threads.ts';
import type { NotifierPlan } from '../../core/checks/messages.ts';
import type { NotifyResult } from '../../core/plugin/notifier.ts';
import { systemTiming } from '../../core/system/child-process.ts';
import { millis, seconds } from '../../core/units.ts';
import { transition } from '../plugins/notify-block.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'vk-notifiers-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** A thread with a notifier that does this; `tell` makes one attempt. */
function notifierOf(name: string, notify: string, timeout = seconds(2)) {
  const specifier = `./${name}.mjs`;
  const head = `api: 1, kind: 'notifier', name: '${name}', help: 'a notifier of a test', options: {}`;
  writeFileSync(
    join(directory, specifier),
    `let calls = 0;\nexport default { ${head}, create: (_, host) => ({ notify: async (events, signal) => { calls++; ${notify} } }) };\n`,
  );
  const pool = new CheckThreadPool(systemTiming, directory);
  const said: string[] = [];
  pool.listen(() => ({
    changed: () => {},
    unable: () => {},
    log: (level, text) => void said.push(`${level} ${text}`),
    lost: () => {},
  }));
  const thread = pool.get(specifier);
  const programs = { user: undefined, group: undefined, strict: false };
  const plan: NotifierPlan = { name: 'n', plugin: name, options: {}, settings: {}, timeout, programs };
  thread.configureNotifiers([plan]);
  return {
    pool,
    said,
    specifier,
    thread,
    tell: (): Promise<NotifyResult> => thread.deliver({ notifier: 'n', events: [transition] }, timeout),
    [Symbol.dispose]: () => pool.keep(new Set()),
  };
}

const why = async (telling: Promise<NotifyResult>): Promise<string> => {
  const result = await telling;
  return result.ok ? 'ok' : result.why;
};

describe('a notifier from outside', () => {
  test('gets its events, though they came before its thread was ready', async () => {
    using one = notifierOf('good', `return events[0].type === 'transition' ? { ok: true } : { ok: false, why: 'no' };`);
    assert.deepEqual(await one.tell(), { ok: true });
    const described = await one.thread.described;
    assert.deepEqual(typeof described === 'string' ? described : described.map(({ kind, name }) => [kind, name]), [
      ['notifier', 'good'],
    ]);
  });

  test('that throws or returns nonsense has failed, with words', async () => {
    using one = notifierOf(
      'thrower',
      `if (calls === 1) throw new Error('no such house'); return calls === 2 ? 7 : { ok: false };`,
    );
    assert.equal(await why(one.tell()), 'no such house');
    assert.match(await why(one.tell()), /the plugin returned no result/);
    assert.equal(await why(one.tell()), 'it failed and does not say why');
  });

  test('that never ends has failed when its time is up, and gets no second event meanwhile', async () => {
    using one = notifierOf('hanger', 'await new Promise(() => {});', millis(200));
    assert.equal(await why(one.tell()), 'no end within 200 ms');
    assert.equal(await why(one.tell()), 'the attempt before does not end although its time is up');
  });

  test('that minds its signal can be told again', async () => {
    using one = notifierOf(
      'minder',
      `if (calls > 1) return { ok: true }; return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ ok: true })));`,
      millis(200),
    );
    assert.equal(await why(one.tell()), 'no end within 200 ms');
    assert.equal(await why(one.tell()), 'ok');
  });

  test('that spins or ends its thread has failed within a bounded time', async () => {
    using spinner = notifierOf('spinner', 'for (;;);', millis(200));
    assert.match(await why(spinner.tell()), /its plugin (does not answer|was ended)/);
    using leaver = notifierOf('leaver', 'process.exit(1);');
    assert.match(await why(leaver.tell()), /its plugin was ended: it ended by itself/);
  });

  test('keeps its thread beside those of the checks, until it is released', async () => {
    using one = notifierOf('keeper', 'return { ok: true };');
    one.pool.keepBeside(new Set([one.specifier]));
    one.pool.keep(new Set());
    assert.deepEqual(await one.tell(), { ok: true });
    one.pool.release();
    assert.equal(await why(one.tell()), 'its plugin was ended');
  });
});
