// The addon in several threads at once: handles are numbers of the whole process.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxPoller } from '../../core/system/poller.ts';
import { Wakeup } from '../../core/system/wakeup.ts';
import { instant } from '../../core/units.ts';

const native = loadNative();
const SYSTEM = new URL('../../core/system/', import.meta.url).href;

/** A worker that runs `body` with `native`, `poller`, `Wakeup`, `data` and `say`. */
function worker(body: string, data: unknown): Worker {
  const source = `
    import { parentPort, workerData as data } from 'node:worker_threads';
    const { loadNative } = await import('${SYSTEM}native/index.ts');
    const { LinuxPoller } = await import('${SYSTEM}poller.ts');
    const { Wakeup } = await import('${SYSTEM}wakeup.ts');
    const native = loadNative();
    const poller = new LinuxPoller(native);
    const say = (what) => parentPort.postMessage(what);
    ${body}
  `;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: data });
}

async function answer(thread: Worker): Promise<unknown> {
  const [message] = await once(thread, 'message');
  return message;
}

test('a dozen workers load it, work with it and end', async () => {
  for (let round = 0; round < 3; round++) {
    const threads = Array.from({ length: 4 }, () =>
      worker(
        'const e = native.eventfd(); native.signal(e); say([native.gettid(), native.drain(e)]); native.close(e);',
        0,
      ),
    );
    const answers = (await Promise.all(threads.map(answer))) as [number, number][];
    assert.equal(new Set(answers.map(([thread]) => thread)).size, 4);
    assert.deepEqual(
      answers.map(([, count]) => count),
      [1, 1, 1, 1],
    );
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
});

test('a wakeup made here ends the wait of another thread', async () => {
  const here = new Wakeup(native);
  const thread = worker(
    `const wakeup = new Wakeup(native, data);
     poller.add(wakeup);
     say('waiting');
     poller.wait(undefined);
     say([wakeup.ready, wakeup.drain(), wakeup.ready]);`,
    here.handle,
  );
  assert.equal(await answer(thread), 'waiting');
  const answered = answer(thread);
  here.trigger();
  assert.deepEqual(await answered, [true, 1, false]);
  await thread.terminate();
  assert.equal(here.drain(), 0);
  here.close();
});

test('a wakeup made in a worker ends the wait here', async () => {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const thread = worker(
    `const wakeup = new Wakeup(native);
     say(wakeup.handle);
     Atomics.wait(data, 0, 0);
     wakeup.trigger();
     Atomics.wait(data, 0, 1);`,
    shared,
  );
  const wakeup = new Wakeup(native, (await answer(thread)) as number);
  const poller = new LinuxPoller(native);
  poller.add(wakeup);
  Atomics.store(shared, 0, 1);
  Atomics.notify(shared, 0);
  poller.wait(undefined);
  assert.equal(wakeup.ready, true);
  assert.equal(wakeup.drain(), 1);
  await thread.terminate();
});

test('what a worker opened is closed when it ends, and what it borrowed is not', async () => {
  const borrowed = native.eventfd();
  const thread = worker('native.signal(data); say(native.eventfd());', borrowed);
  const theirs = (await answer(thread)) as number;
  await thread.terminate();
  assert.throws(() => native.signal(theirs), { code: 'EBADF' });
  assert.equal(native.drain(borrowed), 1);
  native.close(borrowed);
});

/** Closes a handle for which another thread waits; says what that thread's ppoll returned, or its error when it had not begun to wait. */
async function closeUnderWait(): Promise<unknown> {
  const waited = native.eventfd();
  const other = native.eventfd();
  const thread = worker(
    `say('waiting');
     const ready = new Int32Array(2);
     try {
       const found = native.ppoll(Float64Array.of(...data), ready, 2, Infinity);
       say([found, ...ready]);
     } catch (error) {
       say(error.code);
     }`,
    [waited, other],
  );
  assert.equal(await answer(thread), 'waiting');
  const answered = answer(thread);
  native.close(waited);
  assert.throws(() => native.signal(waited), { code: 'EBADF' });
  assert.throws(() => native.close(waited), { code: 'EBADF' });
  native.signal(other);
  const outcome = await answered;
  await thread.terminate();
  native.close(other);
  return outcome;
}

test('a handle that is closed while another thread waits for it is refused at once and freed afterwards', async () => {
  let outcome: unknown = 'EBADF';
  for (let round = 0; round < 50 && outcome === 'EBADF'; round++) outcome = await closeUnderWait();
  assert.deepEqual(outcome, [1, 0, 1]);
});

test('threads that open and close at the same time never get one another’s descriptors', async () => {
  const body = `
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) {
      const handle = native.eventfd();
      for (let n = 0; n <= i % 3; n++) native.signal(handle);
      if (native.drain(handle) !== 1 + (i % 3)) wrong++;
      native.close(handle);
    }
    say(wrong);`;
  const threads = Array.from({ length: 4 }, () => worker(body, 0));
  assert.deepEqual(await Promise.all(threads.map(answer)), [0, 0, 0, 0]);
  await Promise.all(threads.map((thread) => thread.terminate()));
});

test('a poller takes only what has a handle, waits for what it has, and forgets what was removed', () => {
  const poller = new LinuxPoller(native);
  assert.throws(() => poller.add({ ready: false }), TypeError);
  const one = new Wakeup(native);
  const two = new Wakeup(native);
  poller.add(one);
  poller.add(one);
  poller.add(two);
  two.trigger();
  poller.wait(undefined);
  assert.deepEqual([one.ready, two.ready], [false, true]);
  two.ready = false;
  poller.remove(two);
  poller.remove(two);
  poller.wait(instant(0));
  assert.deepEqual([one.ready, two.ready], [false, false]);
  one.trigger();
  poller.wait(undefined);
  assert.equal(one.ready, true);
  one.close();
  assert.throws(() => poller.wait(undefined), { code: 'EBADF' });
  two.close();
});
