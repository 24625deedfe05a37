// Who holds which routes and rules: batches, shared entries, changes that do not collide, and what is told of those that
// cannot be kept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RouteOwner, Routing } from '../../core/engine/routing.ts';
import { noticeKeyOf } from '../../core/engine/routing-keys.ts';
import { after, type Instant, instant, seconds } from '../../core/units.ts';
import { routingEntries } from '../config/routing-entries.ts';
import { FakeRoutes } from './fake-routes.ts';

const START: Instant = instant(1_000_000_000);
const routes = (...lines: readonly string[]) => routingEntries('virtual_routes', lines.join('\n')).entries;
const rules = (...lines: readonly string[]) => routingEntries('virtual_rules', lines.join('\n')).entries;
const A = '10.1.0.0/16 dev e0';
const B = '10.2.0.0/16 dev e0';
const C = '10.3.0.0/16 dev e0';

function lab() {
  const kernel = new FakeRoutes();
  const complaints: string[] = [];
  const lost: string[] = [];
  const routing = new Routing(
    kernel,
    (level, text) => complaints.push(`${level} ${text}`),
    ({ name }, _, why) => lost.push(`${name}: ${why}`),
  );
  const owner = (name: string): RouteOwner & { holds: boolean } => ({ name, holds: true });
  return { kernel, complaints, lost, routing, owner };
}

describe('batches', () => {
  test('all owners of a turn share one batch to set and one to remove', () => {
    const { kernel, routing, owner } = lab();
    const [x, y] = [owner('x'), owner('y')];
    routing.install([
      { owner: x, entries: [...routes(A), ...rules('from 10.1.0.0/16 table 5 priority 9')] },
      { owner: y, entries: routes(B) },
    ]);
    routing.withdraw([x, y]);
    const texts = [`route ${A}`, 'rule from 10.1.0.0/16 table 5 priority 9', `route ${B}`];
    assert.deepEqual(kernel.batches, [texts.map((text) => `+ ${text}`), texts.map((text) => `- ${text}`)]);
  });

  test('owners without any ask nothing of the kernel', () => {
    const { kernel, routing, owner } = lab();
    const x = owner('x');
    routing.install([{ owner: x, entries: [] }]);
    routing.adjust(x, []);
    routing.withdraw([x]);
    routing.clear([]);
    routing.reassert(START);
    routing.abandon();
    assert.deepEqual(kernel.batches, []);
    assert.equal(routing.watching, false);
  });
});

describe('what two owners hold', () => {
  test('stays until the last one lets go', () => {
    const { kernel, routing, owner } = lab();
    const [x, y] = [owner('x'), owner('y')];
    routing.install([{ owner: x, entries: routes(A, B) }]);
    routing.install([{ owner: y, entries: routes(B, C) }]);
    routing.withdraw([x]);
    assert.deepEqual(kernel.words, [B, C]);
    routing.withdraw([y]);
    assert.deepEqual(kernel.words, []);
  });

  test('is no leftover of a crash', () => {
    const { kernel, routing, owner, complaints } = lab();
    kernel.set(routes(A, B));
    routing.install([{ owner: owner('x'), entries: routes(A) }]);
    routing.clear(routes(A, B, C));
    assert.deepEqual(kernel.words, [A]);
    assert.deepEqual(complaints, [`warning removed 1 routes and rules that were there before: route ${B}`]);
  });
});

describe('a changed list', () => {
  test('sets what is new before the old goes, and leaves alone what stays', () => {
    const { kernel, routing, owner } = lab();
    const x = owner('x');
    routing.install([{ owner: x, entries: routes(A, B) }]);
    kernel.batches.length = 0;
    routing.adjust(x, routes(B, C));
    assert.deepEqual(kernel.batches.slice(0, 2), [[`+ route ${C}`], [`- route ${A}`]]);
    assert.deepEqual(kernel.words, [B, C]);
  });

  test('removes first what the new one would be mistaken for', () => {
    const { kernel, routing, owner } = lab();
    const x = owner('x');
    routing.install([{ owner: x, entries: routes('10.1.0.0/16 via 192.0.2.1') }]);
    kernel.batches.length = 0;
    routing.adjust(x, routes('10.1.0.0/16 via 192.0.2.2'));
    assert.deepEqual(kernel.batches.slice(0, 2), [
      ['- route 10.1.0.0/16 via 192.0.2.1'],
      ['+ route 10.1.0.0/16 via 192.0.2.2'],
    ]);
  });

  test('that became empty holds nothing', () => {
    const { kernel, routing, owner } = lab();
    const x = owner('x');
    routing.install([{ owner: x, entries: routes(A) }]);
    routing.adjust(x, []);
    assert.deepEqual([kernel.words, routing.heldBy(x)], [[], []]);
  });
});

describe('what vanishes', () => {
  test('is put back and told; no_track is not', () => {
    const { kernel, routing, owner, complaints } = lab();
    routing.install([{ owner: owner('x'), entries: routes(A, `${B} no_track`) }]);
    kernel.steal(A);
    kernel.steal(B);
    routing.reassert(START);
    assert.deepEqual(kernel.words, [A]);
    assert.deepEqual(complaints, [`warning put back route ${A}: it was gone while it should be there`]);
  });

  test('while its router has let go already, stays away', () => {
    const { kernel, routing, owner, lost } = lab();
    const x = owner('x');
    routing.install([{ owner: x, entries: routes(A) }]);
    kernel.steal(A);
    kernel.refuses = () => 'the interface is down';
    x.holds = false;
    routing.reassert(START);
    assert.deepEqual([kernel.words, lost], [[], []]);
  });

  test('notices are compared by what they say, with the metric that the kernel gives', () => {
    const { routing, owner } = lab();
    routing.install([{ owner: owner('x'), entries: routes('2001:db8::/32 dev e0', `${B} no_track`) }]);
    assert.ok(routing.watches('6 254 2001:db8::/32 0 1024'));
    assert.ok(!routing.watches('6 254 2001:db8::/32 0 5'));
    assert.ok(!routing.watches(noticeKeyOf(routes(B)[0]!)));
  });
});

describe('what the kernel refuses', () => {
  test('at the first attempt is told, is no loss, and is tried again after 1, 2, 4 … 30 s', () => {
    const { kernel, routing, owner, complaints, lost } = lab();
    kernel.refuses = ({ words }) => (words[0] === '10.1.0.0/16' ? 'it is so' : undefined);
    const x = owner('x');
    routing.install([{ owner: x, entries: routes(A, B) }]);
    assert.deepEqual(
      routing.heldBy(x).map(({ words }) => words.join(' ')),
      [B],
    );
    assert.deepEqual(complaints, ['error x: it is so']);
    let now = START;
    const pauses: number[] = [];
    routing.schedule(now);
    for (let i = 0; i < 7; i++) {
      const due = routing.deadline!;
      pauses.push((due - now) / 1_000_000);
      now = due;
      routing.reassert(now);
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30, 30]);
    assert.deepEqual([complaints.length, lost], [1, []]);
    kernel.refuses = () => undefined;
    routing.reassert(now);
    assert.equal(routing.deadline, undefined);
    assert.deepEqual(kernel.words, [A, B]);
  });

  test('although it was there before, is lost', () => {
    const { kernel, routing, owner, lost } = lab();
    routing.install([{ owner: owner('x'), entries: routes(A) }]);
    kernel.steal(A);
    kernel.refuses = () => 'it is so';
    routing.reassert(START);
    routing.reassert(after(START, seconds(1)));
    assert.deepEqual(lost, ['x: it is so']);
  });

  test('is not removed, since it is not there', () => {
    const { kernel, routing, owner } = lab();
    kernel.refuses = () => 'it is so';
    const x = owner('x');
    routing.install([{ owner: x, entries: routes(A) }]);
    routing.withdraw([x]);
    assert.equal(kernel.batches.length, 1);
  });

  test('a question whether something is possible leaves nothing behind', () => {
    const { kernel, routing } = lab();
    assert.ok(routing.isPossible(routes(A)[0]!));
    kernel.refuses = () => 'it is so';
    assert.ok(!routing.isPossible(routes(A)[0]!));
    assert.deepEqual(kernel.words, []);
  });
});

test('the end removes what routers hold; what is the machine’s own is removed by its keeper', () => {
  const { kernel, routing, owner } = lab();
  routing.install([{ owner: owner('x'), entries: routes(A) }]);
  routing.adjust({ name: 'static' }, routes(B));
  routing.abandon();
  assert.deepEqual(kernel.words, [B]);
});
