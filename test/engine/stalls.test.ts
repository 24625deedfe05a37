// An engine that did not run for a while, or missed what the kernel told: what it hears late counts from when it came, and
// what it did not hear of is made up for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, micros, millis, priority, seconds } from '../../core/units.ts';
import { instance } from './instances.ts';
import { SimulatedLan } from './simulated-lan.ts';

const VIP = '10.0.0.100';

/** A pair of which a is the master, at the moment when its advert leaves. */
function settled(options = {}) {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  a.configure([instance({ priority: priority(150) })], options);
  b.configure([instance()], options);
  lan.run(seconds(8));
  assert.deepEqual([a.state(), b.state()], ['MASTER', 'BACKUP']);
  const before = lan.sent.length;
  assert.ok(lan.runUntil(() => lan.sent.length > before, seconds(2)));
  return { lan, a, b };
}

/** A packet for a virtual router that nobody here is. */
function stranger(): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0x45, 0, 0, 28, 0, 0, 0, 0, 255, 112, 0, 0, 10, 0, 0, 9, 224, 0, 0, 18, 0x31, 99]);
  return packet;
}

test('the down timer runs from when an advert came, not from when a stalled backup read it', () => {
  const { lan, a, b } = settled();
  a.stopped = b.stopped = true;
  lan.run(seconds(2));
  b.stopped = false;
  const down = seconds(3 + 156 / 256);
  assert.ok(!lan.runUntil(() => b.state() === 'MASTER', micros(down - seconds(2) - 1_000)));
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', millis(2)));
});

test('after a stall the last of many waiting packets keeps a backup from taking over', () => {
  const { lan, b } = settled();
  b.stopped = true;
  for (let i = 0; i < 600; i++) b.deliver(stranger(), lan.now);
  lan.run(seconds(5));
  b.stopped = false;
  lan.run(seconds(1));
  assert.deepEqual(
    b.transitions.map(({ to }) => to),
    ['BACKUP'],
  );
});

test('an address whose removal the kernel could not tell is put back by the master, and by nobody else', () => {
  for (const addressLifetime of [true, false]) {
    const { lan, a, b } = settled({ addressLifetime });
    a.steal(VIP, { told: false });
    b.overrun();
    lan.run(millis(1));
    assert.deepEqual([a.holds(VIP), b.holds(VIP)], [true, false], `vrrp_address_lifetime ${addressLifetime}`);
  }
});

test('a whole machine that stood still does not blame its agent, whose sign of life may come a turn later', () => {
  const { lan, a } = settled();
  a.stopped = a.agentHangs = true;
  lan.run(seconds(10));
  a.stopped = false;
  lan.run(millis(1));
  assert.ok(a.events.some(({ type }) => type === 'stall'));
  a.agentHangs = false;
  lan.run(seconds(5));
  assert.ok(!a.events.some(({ type }) => type === 'fenced'));
});

test('a master with a long interval makes its backups wait for ten of their own intervals at most', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  a.configure([instance({ priority: priority(150), interval: seconds(20) })]);
  lan.run(seconds(70));
  assert.equal(a.state(), 'MASTER');
  b.configure([instance()]);
  lan.run(seconds(25));
  assert.equal(b.state(), 'BACKUP');
  const before = lan.sent.length;
  assert.ok(lan.runUntil(() => lan.sent.length > before, seconds(21)));
  const heard = after(lan.now, lan.delay);
  lan.run(millis(1));
  a.stopped = true;
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(100)));
  assert.equal(lan.now - heard, seconds(10 * (3 + 156 / 256)));
});
