// The engine in virtual time: several machines on a simulated segment, everything from the loop inwards real.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { priority, seconds, vrid } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';
import { SimulatedLan, type SimulatedNode } from './simulated-lan.ts';

const VIP = '10.0.0.100';

function pair(changes: Parameters<typeof instance>[0] = {}) {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  a.configure([instance({ priority: priority(150), ...changes })]);
  b.configure([instance({ priority: priority(100), ...changes })]);
  return { lan, a, b };
}

/** A pair of which a is the master. */
function settled(changes: Parameters<typeof instance>[0] = {}) {
  const net = pair(changes);
  net.lan.run(seconds(8));
  assert.equal(net.a.state(), 'MASTER');
  assert.equal(net.b.state(), 'BACKUP');
  return net;
}

const adverts = (lan: SimulatedLan, node: SimulatedNode) => lan.sent.filter((sent) => sent.node === node);

test('the router with the higher priority becomes master after its down timer and holds the address alone', () => {
  const { lan, a, b } = pair();
  lan.run(seconds(3.4));
  assert.equal(a.state(), 'BACKUP');
  lan.run(seconds(0.1));
  assert.equal(a.state(), 'MASTER'); // 3 s + 106/256 s
  lan.run(seconds(10));
  assert.ok(a.holds(VIP));
  assert.ok(!b.holds(VIP));
  assert.equal(b.state(), 'BACKUP');
});

test('a master advertises on its schedule without drift and renews its addresses with its adverts', () => {
  const { lan, a } = settled();
  lan.run(seconds(100));
  const times = adverts(lan, a).map((sent) => sent.at);
  for (let i = 1; i < times.length; i++) assert.equal(times[i]! - times[i - 1]!, seconds(1));
  assert.equal(a.kernel.get(VIP)!.lifetime, 4); // 3 s + 106/256 s + 0.75 s, in whole seconds
  assert.ok(lan.now - a.kernel.get(VIP)!.boundAt <= seconds(1));
});

test('the address is announced at once and again after garp_master_delay', () => {
  const { lan, a } = settled();
  lan.run(seconds(10));
  const [first, second, ...more] = a.announced;
  assert.equal(first!.repeat, 5);
  assert.equal(second!.at - first!.at, seconds(5));
  assert.deepEqual(more, []);
});

test('a stopped master says goodbye at once and keeps answering until its successor is heard', () => {
  const { lan, a, b } = settled();
  const before = lan.now;
  a.send({ type: 'stop', immediate: false });
  lan.run(seconds(0.5));
  assert.equal(a.state(), 'LEAVING');
  assert.ok(a.holds(VIP));
  assert.ok(lan.runUntil(() => a.engine.done, seconds(1)));
  assert.ok(b.holds(VIP));
  assert.ok(!a.holds(VIP));
  const skew = seconds(156 / 256);
  assert.ok(lan.now - before - skew < 1_000, 'the successor waits for its skew and no longer');
  assert.ok(a.events.some((event) => event.type === 'stopped') || a.engine.done);
});

test('a stopped master without a successor ends after its down timer at the latest, and a second stop at once', () => {
  const { lan, a, b } = settled();
  b.stopped = true;
  a.send({ type: 'stop', immediate: false });
  lan.run(seconds(3));
  assert.ok(!a.engine.done);
  assert.ok(a.holds(VIP));
  lan.run(seconds(1));
  assert.ok(a.engine.done);
  assert.ok(!a.holds(VIP));

  const second = settled();
  second.b.stopped = true;
  second.a.send({ type: 'stop', immediate: false });
  second.lan.run(seconds(0.1));
  second.a.send({ type: 'stop', immediate: true });
  second.lan.run(seconds(0.1));
  assert.ok(second.a.engine.done);
  assert.ok(!second.a.holds(VIP));
});

test('a master that is stopped for longer than the down timer withdraws without a word when it wakes', () => {
  const { lan, a, b } = settled();
  a.stopped = true;
  lan.run(seconds(5));
  assert.equal(b.state(), 'MASTER');
  assert.ok(!a.holds(VIP), 'the kernel removed the address when its lifetime ended');
  const before = adverts(lan, a).length;
  a.stopped = false;
  lan.run(seconds(0.01));
  assert.equal(a.state(), 'BACKUP');
  assert.equal(adverts(lan, a).length, before);
  assert.ok(!a.holds(VIP));
  assert.ok(a.events.some((event) => event.type === 'stall'));
  lan.run(seconds(10));
  assert.equal(a.state(), 'MASTER', 'then it preempts as any router with the higher priority');
});

test('a backup that slept drains its socket before it believes that the master is gone', () => {
  const { lan, b } = settled();
  b.stopped = true;
  lan.run(seconds(20));
  b.stopped = false;
  lan.run(seconds(1));
  assert.deepEqual(
    b.transitions.map(({ to }) => to),
    ['BACKUP'],
  );
});

test('an engine whose agent gives no sign of life gives everything up, and starts again from backup', () => {
  const { lan, a, b } = settled();
  a.agentHangs = true;
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(5)));
  assert.equal(a.state(), 'FAULT');
  assert.ok(!a.holds(VIP));
  const fenced = a.events.find((event) => event.type === 'fenced');
  assert.equal(fenced?.epoch, 1);
  lan.run(seconds(10));
  assert.equal(a.state(), 'FAULT');
  a.agentHangs = false;
  a.send({ type: 'resume', epoch: 1 });
  lan.run(seconds(0.1));
  assert.equal(a.state(), 'BACKUP');
  lan.run(seconds(5));
  assert.equal(a.state(), 'MASTER');
});

test('at no time do two routers hold the address for longer than a second, whoever is stopped for however long', () => {
  for (const stop of [0.5, 2, 3, 3.5, 4, 6, 9]) {
    const { lan, a, b } = settled();
    a.stopped = true;
    const both = seconds(1);
    let since: number | undefined;
    const watch = (): boolean => {
      if (!(a.holds(VIP) && b.holds(VIP))) since = undefined;
      else since ??= lan.now;
      assert.ok(since === undefined || lan.now - since <= both, `both hold it, stopped for ${stop} s`);
      return false;
    };
    lan.runUntil(watch, seconds(stop));
    a.stopped = false;
    lan.runUntil(watch, seconds(10));
    assert.equal(a.state(), 'MASTER');
  }
});

test('an address that somebody removes is put back at once, without giving up mastership', () => {
  const { lan, a } = settled();
  a.steal(VIP);
  lan.run(seconds(0.001));
  assert.ok(a.holds(VIP));
  assert.equal(a.state(), 'MASTER');
  assert.equal(a.transitions.length, 2);
});

test('a link that goes down is a fault: the address goes, the other one takes over, and back', () => {
  const { lan, a, b } = settled();
  a.setLink(false);
  lan.run(seconds(0.001));
  assert.equal(a.state(), 'FAULT');
  assert.ok(!a.holds(VIP));
  lan.run(seconds(4));
  assert.equal(b.state(), 'MASTER');
  a.setLink(true);
  lan.run(seconds(5));
  assert.equal(a.state(), 'MASTER');
  assert.equal(b.state(), 'BACKUP');
});

test('a tracker that lowers the priority moves the address, and one that forbids mastership moves it faster', () => {
  const { lan, a, b } = settled();
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: -60, faults: [] } });
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(4)));
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 0, faults: [] } });
  lan.run(seconds(5));
  assert.equal(a.state(), 'MASTER');
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 0, faults: ['nginx is gone'] } });
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(0.7)));
  assert.equal(a.state(), 'FAULT');
});

test('a reload without a difference changes no packet, one with another address moves that one alone', () => {
  const { lan, a, b } = settled();
  const count = a.events.length;
  a.configure([instance({ priority: priority(150) })]);
  lan.run(seconds(10));
  assert.equal(a.events.length, count);
  const times = adverts(lan, a).map((sent) => sent.at);
  for (let i = 1; i < times.length; i++) assert.equal(times[i]! - times[i - 1]!, seconds(1));
  const announced = a.announced.length;
  a.configure([instance({ priority: priority(150), vips: [virtualIp(VIP), virtualIp('10.0.0.101')] })]);
  lan.run(seconds(2));
  assert.ok(a.holds(VIP) && a.holds('10.0.0.101'));
  assert.equal(a.transitions.length, 2);
  assert.deepEqual(
    a.announced.slice(announced).map(({ address }) => address),
    ['10.0.0.101'],
  );
  assert.equal(b.state(), 'BACKUP', 'another list of addresses is no reason to ignore a master');
  a.configure([instance({ priority: priority(150), vips: [virtualIp('10.0.0.101')] })]);
  lan.run(seconds(2));
  assert.ok(!a.holds(VIP) && a.holds('10.0.0.101'));
});

test('an instance that is no longer configured hands over at once', () => {
  const { lan, a, b } = settled();
  a.configure([]);
  lan.run(seconds(0.7));
  assert.ok(!a.holds(VIP));
  assert.equal(b.state(), 'MASTER');
  assert.equal(adverts(lan, a).at(-1)!.priority, 0);
});

test('addresses that a crashed run left behind are removed at start', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  a.kernel.set(VIP, { vip: virtualIp(VIP), lifetime: 'forever', boundAt: lan.now });
  a.configure([instance()]);
  lan.run(seconds(0.001));
  assert.ok(!a.holds(VIP));
});

test('members of a sync group become master together and leave together', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  const two = (p: number) => [
    instance({ name: 'IN', vrid: vrid(51), priority: priority(p) }),
    instance({ name: 'OUT', vrid: vrid(52), priority: priority(p), vips: [virtualIp('10.0.0.200')] }),
  ];
  const groups = [{ name: 'G', members: ['IN', 'OUT'] }];
  a.configure(two(150), { groups });
  b.configure(two(100), { groups });
  lan.run(seconds(10));
  assert.deepEqual(
    [a.state('IN'), a.state('OUT'), b.state('IN'), b.state('OUT')],
    ['MASTER', 'MASTER', 'BACKUP', 'BACKUP'],
  );
  a.send({ type: 'track', verdict: { instance: 'OUT', adjustment: 0, faults: ['uplink'] } });
  lan.run(seconds(8));
  assert.deepEqual(
    [a.state('IN'), a.state('OUT'), b.state('IN'), b.state('OUT')],
    ['FAULT', 'FAULT', 'MASTER', 'MASTER'],
  );
  assert.ok(!a.holds(VIP) && !a.holds('10.0.0.200') && b.holds(VIP) && b.holds('10.0.0.200'));
  const changes = a.events.filter((event) => event.type === 'group-transition').map(({ to }) => to);
  assert.deepEqual(changes, ['BACKUP', 'MASTER', 'FAULT']);
});

test('after a split brain has healed the loser is silent and the winner has announced the address last', () => {
  const { lan, a, b } = settled();
  lan.loses = () => true;
  lan.run(seconds(10));
  assert.ok(a.holds(VIP) && b.holds(VIP));
  lan.loses = () => false;
  lan.run(seconds(3));
  assert.ok(a.holds(VIP) && !b.holds(VIP));
  assert.ok(a.announced.at(-1)!.at > b.announced.at(-1)!.at);
});

test('a rival of one member makes the whole group announce again, since its addresses moved as well', () => {
  const lan = new SimulatedLan();
  const groups = [{ name: 'G', members: ['IN', 'OUT'] }];
  const [a] = [150, 100].map((p, i) => {
    const node = lan.add(`10.0.0.${i + 1}`);
    const out = instance({ name: 'OUT', vrid: vrid(52), priority: priority(p), vips: [virtualIp('10.0.0.200')] });
    node.configure([instance({ name: 'IN', priority: priority(p) }), out], { groups });
    return node;
  });
  lan.loses = () => true;
  lan.run(seconds(20));
  a!.announced.length = 0;
  lan.loses = (_from, _to, id) => id === 52;
  lan.run(seconds(1.5));
  assert.deepEqual(new Set(a!.announced.map(({ address }) => address)), new Set([VIP, '10.0.0.200']));
});

test('255 virtual routers become masters in one turn each of their deadlines and stay there', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const many = Array.from({ length: 255 }, (_, i) =>
    instance({ name: `VI_${i + 1}`, vrid: vrid(i + 1), interval: seconds(0.1), vips: [virtualIp(`10.1.0.${i}`)] }),
  );
  a.configure(many);
  lan.run(seconds(2));
  assert.equal(a.kernel.size, 255);
  assert.equal(a.transitions.length, 510);
});

test('an engine that meets a bug removes its addresses, says goodbye and tells the agent', () => {
  const { lan, a } = settled();
  const received = a.events.length;
  a.failNext();
  a.send({ type: 'clear-statistics' });
  a.engine.run();
  assert.ok(!a.holds(VIP));
  assert.equal(adverts(lan, a).at(-1)!.priority, 0);
  assert.ok(a.events.slice(received).some((event) => event.type === 'failed'));
});

test('a crashed master keeps its address until a backup has taken over, and not for a second longer', () => {
  for (const [interval, high, low] of [
    [1, 150, 100],
    [1, 101, 100],
    [0.5, 200, 1],
    [0.1, 150, 100],
    [4, 250, 100],
  ] as const) {
    for (const phase of [0.01, 0.35, 0.99]) {
      const lan = new SimulatedLan();
      const a = lan.add('10.0.0.1');
      const b = lan.add('10.0.0.2');
      a.configure([instance({ priority: priority(high), interval: seconds(interval) })]);
      b.configure([instance({ priority: priority(low), interval: seconds(interval) })]);
      lan.run(seconds(interval * 10 + phase * interval));
      a.stopped = true;
      const takenOver = lan.runUntil(() => b.holds(VIP), seconds(4 * interval));
      // At long intervals the whole seconds of the kernel do not allow for both; then nobody holds it for a moment.
      assert.ok(
        takenOver && (a.holds(VIP) || interval > 1),
        `interval ${interval}, priorities ${high} and ${low}: nobody held it`,
      );
      lan.run(seconds(0.75));
      assert.ok(!a.holds(VIP), `interval ${interval}, priorities ${high} and ${low}: both hold it`);
    }
  }
});

test('an instance that a reload adds to a sync group of masters listens first and joins them; nobody steps down', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const one = instance();
  const two = instance({ name: 'VI_2', vrid: vrid(52), vips: [virtualIp('10.0.0.101')] });
  a.configure([one], { groups: [{ name: 'G', members: ['VI_1'] }] });
  lan.run(seconds(5));
  assert.equal(a.state('VI_1'), 'MASTER');
  a.configure([one, two], { groups: [{ name: 'G', members: ['VI_1', 'VI_2'] }] });
  assert.ok(!lan.runUntil(() => a.state('VI_2') === 'MASTER', seconds(3.6)));
  assert.ok(lan.runUntil(() => a.state('VI_2') === 'MASTER', seconds(0.1)));
  assert.equal(a.transitions.filter(({ instance: name }) => name === 'VI_1').length, 2);
  assert.deepEqual(
    a.events.flatMap((event) => (event.type === 'group-transition' ? [event.to] : [])),
    ['BACKUP', 'MASTER'],
  );
});

test('a master whose priority falls resigns to a router that it heard before, if it is told to', () => {
  const resignMemory = seconds(60);
  const { lan, a, b } = pair({ fastHandover: false, resignMemory });
  a.setLink(false);
  lan.run(seconds(8));
  assert.equal(b.state(), 'MASTER');
  a.setLink(true);
  lan.run(seconds(8));
  assert.equal(a.state(), 'MASTER');
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: -60, faults: [] } });
  assert.ok(
    lan.runUntil(() => b.state() === 'MASTER', seconds(0.7)),
    'after the skew of b',
  );
  assert.ok(a.holds(VIP), 'held until b is heard');
  lan.run(seconds(1));
  assert.ok(!a.holds(VIP));
  assert.equal(a.transitions.at(-1)!.why, 'resign');
});

test('what was heard too long ago is forgotten: nobody resigns by it', () => {
  const { lan, a, b } = pair({ fastHandover: false, resignMemory: seconds(5) });
  a.setLink(false);
  lan.run(seconds(8));
  assert.equal(b.state(), 'MASTER');
  a.setLink(true);
  lan.run(seconds(20));
  assert.equal(a.state(), 'MASTER');
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: -60, faults: [] } });
  assert.ok(!lan.runUntil(() => b.state() === 'MASTER', seconds(0.7)));
});
