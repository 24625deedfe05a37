import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineQueue, type Timed } from '../core/deadlines.ts';
import { type Instant, instant } from '../core/units.ts';

class Owner implements Timed {
  deadline: Instant | undefined;
}

test('the queue always knows the earliest deadline, however owners move, come and go', () => {
  const step = fc.record({
    owner: fc.nat(9),
    act: fc.constantFrom('set', 'clear', 'remove', 'fire'),
    at: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DeadlineQueue<Owner>();
      const owners = Array.from({ length: 10 }, () => new Owner());
      const known = new Set<Owner>();
      const earliest = (): number | undefined => {
        const times = [...known].flatMap(({ deadline }) => deadline ?? []);
        return times.length === 0 ? undefined : Math.min(...times);
      };
      for (const { owner: index, act, at } of steps) {
        const owner = owners[index]!;
        if (act === 'remove') {
          queue.remove(owner);
          known.delete(owner);
        } else if (act === 'fire') {
          const due = queue.due(instant(at));
          const first = earliest();
          assert.equal(due?.deadline, first !== undefined && first <= at ? first : undefined);
          if (due !== undefined) {
            due.deadline = instant(at + 1);
            queue.touch(due);
          }
        } else {
          owner.deadline = act === 'set' ? instant(at) : undefined;
          queue.touch(owner);
          known.add(owner);
        }
        assert.equal(queue.next, earliest());
      }
    }),
  );
});

test('an owner that moved its deadline away is asked again only when its turn comes', () => {
  const queue = new DeadlineQueue<Timed>();
  let asked = 0;
  let at = instant(10);
  const owner: Timed = {
    get deadline() {
      asked++;
      return at;
    },
  };
  queue.touch(owner);
  asked = 0;
  at = instant(50);
  assert.equal(queue.due(instant(20)), undefined);
  assert.equal(queue.next, 50);
  assert.ok(asked <= 3);
});
