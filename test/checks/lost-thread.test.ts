// A thread that goes down and comes back, in virtual time: what it says counts while it works, and is not lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckCommand, CheckEvent, CheckSnapshot } from '../../core/checks/messages.ts';
import { type CheckThread, SupervisedThread } from '../../core/checks/supervised-thread.ts';
import { millis, seconds } from '../../core/units.ts';
import { VirtualTime } from '../agent/virtual-time.ts';

const snapshotOf = (up: boolean): CheckSnapshot => ({
  name: 'web',
  up,
  detail: 'as seen',
  since: 0,
  last: undefined,
  runs: 1,
  failures: 0,
  timeouts: 0,
  skipped: 0,
});

/** A supervised thread whose threads the test plays. */
function stage() {
  const time = new VirtualTime();
  const said: string[] = [];
  const threads: { post: (event: CheckEvent) => void; end: (why: string) => void; answers: boolean }[] = [];
  const start = (): CheckThread => {
    let post: (event: CheckEvent) => void = () => {};
    let end: (why: string) => void = () => {};
    const one = { post: (event: CheckEvent) => post(event), end: (why: string) => end(why), answers: true };
    threads.push(one);
    return {
      send: (command: CheckCommand) => {
        if (!one.answers) return;
        if (command.type === 'ping') post({ type: 'pong', id: command.id });
        if (command.type === 'snapshot') post({ type: 'snapshot', id: command.id, checks: [snapshotOf(true)] });
      },
      listen: (onEvent, onEnd) => {
        post = onEvent;
        end = onEnd;
      },
      terminate: () => {},
    };
  };
  const thread = new SupervisedThread('it', start, time, {
    changed: (name, up) => said.push(`${name} ${up}`),
    unable: (name, why) => said.push(`${name} unable: ${why}`),
    log: () => {},
    lost: (why) => said.push(`lost: ${why}`),
  });
  const latest = () => threads.at(-1)!;
  const ready = () => latest().post({ type: 'ready', plugins: [] });
  const tell = (up: boolean) => latest().post({ type: 'changed', name: 'web', up, detail: '' });
  return { time, said, thread, threads, latest, ready, tell };
}

test('what its checks found while nobody believed it counts once it answers', async () => {
  const { time, said, thread, latest, ready, tell } = stage();
  ready();
  tell(true);
  latest().end('crash');
  await time.advance(seconds(1));
  latest().end('crash');
  await time.advance(seconds(2));
  latest().end('crash');
  await time.advance(seconds(2)); // five seconds without an answer
  assert.deepEqual(said, ['web true', 'lost: crash']);
  assert.equal(thread.lostBecause, 'crash');
  await time.advance(seconds(2));
  ready();
  tell(true);
  assert.deepEqual(said, ['web true', 'lost: crash'], 'getting ready alone proves nothing');
  await time.advance(seconds(1));
  assert.deepEqual(said, ['web true', 'lost: crash', 'web true']);
  assert.equal(thread.lostBecause, undefined);
});

test('one that works for an instant and crashes, again and again, is not believed each time', async () => {
  const { time, said, latest, ready, tell } = stage();
  for (let i = 0; i < 8; i++) {
    ready();
    tell(true);
    await time.advance(millis(300));
    latest().end('crash');
    await time.advance(seconds(60));
  }
  const from = said.findIndex((text) => text.startsWith('lost'));
  assert.notEqual(from, -1);
  assert.deepEqual(said.slice(from), ['lost: crash']);
});

test('whoever waits for a snapshot when it is stopped gets what is known', async () => {
  const { thread, latest, ready } = stage();
  ready();
  latest().answers = false;
  const snapshot = thread.snapshot();
  thread.stop();
  assert.deepEqual(await snapshot, []);
});
