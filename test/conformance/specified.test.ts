// The rows of the conformance table that no injected packet can show (X01 to X29), in virtual time: the state machine where
// it is alone concerned, whole engines where sockets, links, groups or configurations are. The rows on authentication are
// tested with it; v2 and v3 at once (X35) nobody speaks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crew, type CrewDependencies } from '../../core/engine/crew.ts';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp } from '../../core/net/arp.ts';
import { decodeNeighbourAdvertisement, unsolicitedNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import { type Micros, micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import { skewTime } from '../../core/vrrp/timers.ts';
import { instance, virtualIp } from '../engine/instances.ts';
import { SimulatedLan, type SimulatedNode } from '../engine/simulated-lan.ts';
import { Bench, backup, master, setPriority, stop } from '../vrrp/bench.ts';

const VIP = '10.0.0.100';
const DOWN = 3.609375;
const SKEW = 0.609375;

function pair(changes: Parameters<typeof instance>[0] = {}) {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  a.configure([instance({ priority: priority(150), ...changes })]);
  b.configure([instance(changes)]);
  lan.run(seconds(8));
  assert.equal(a.state(), 'MASTER');
  return { lan, a, b };
}

const adverts = (lan: SimulatedLan, node: SimulatedNode, since = 0) =>
  lan.sent.filter((sent) => sent.node === node && sent.at >= since);

test('X01: an owner is MASTER at Startup: advert, addresses, Adver_Timer', () => {
  const bench = new Bench({ priority: priority(255) });
  assert.deepEqual(bench.feed(0, { type: 'startup' }), ['send 255', 'own', 'INIT>MASTER owner']);
  assert.equal(bench.deadline, 1);
});

test('X02: anybody else is BACKUP at Startup, with the down timer of its own interval', () => {
  assert.equal(backup().deadline, DOWN);
  assert.equal(backup().state, 'BACKUP');
});

test('X03: a BACKUP that is shut down sends nothing', () => {
  const bench = backup();
  assert.deepEqual(bench.feed(1, stop()), ['BACKUP>INIT shutdown']);
  assert.equal(bench.deadline, undefined);
});

test('X04: a MASTER that is shut down says goodbye once, and holds the address until its successor is heard', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, stop()), ['send 0', 'MASTER>LEAVING shutdown']);
  assert.deepEqual(bench.hear(1.2, 90), ['disown', 'LEAVING>INIT successor-heard']);
  const atOnce = master({ makeBeforeBreak: false });
  assert.deepEqual(atOnce.feed(0.5, stop()), ['send 0', 'disown', 'MASTER>INIT shutdown']);
});

test('X05: adverts follow a schedule: one that was late does not delay the next', () => {
  const bench = master();
  assert.deepEqual(bench.timer(1.3), ['send 100']);
  assert.equal(bench.deadline, 2);
});

test('X06: a BACKUP whose timer fires sends its advert first, then takes the address and announces it', () => {
  const bench = backup();
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER master-timeout']);
});

test('X07: an IPv6 address is announced with R, without S, with O, and with the link-layer address', () => {
  const mac = '00:00:5e:00:02:33' as MacAddress;
  const na = decodeNeighbourAdvertisement(unsolicitedNeighbourAdvertisement(mac, ip('fe80::100'), true));
  assert.ok(typeof na !== 'string');
  const { router, solicited, override, linkAddress } = na;
  assert.deepEqual([router, solicited, override, linkAddress], [true, false, true, mac]);
});

test('X08: a BACKUP whose interface goes down is in FAULT and sends nothing', () => {
  const { lan, b } = pair();
  b.setLink(false);
  lan.run(seconds(10));
  assert.equal(b.state(), 'FAULT');
  assert.deepEqual(adverts(lan, b), []);
});

test('X09, X10: a MASTER whose interface goes down lets go; when it is up again it is BACKUP for a whole down timer', () => {
  const { lan, a } = pair();
  a.setLink(false);
  lan.run(millis(1));
  assert.equal(a.state(), 'FAULT');
  assert.ok(!a.holds(VIP));
  a.setLink(true);
  lan.run(millis(1));
  a.frame(gratuitousArp('02:00:00:00:00:77' as MacAddress, ip('10.0.0.7')));
  lan.loses = () => true;
  lan.run(seconds(3.4));
  assert.equal(a.state(), 'BACKUP');
  lan.run(seconds(0.1));
  assert.equal(a.state(), 'MASTER');
});

test('X11: another primary address is the tie-break of the next advert on', () => {
  const bench = master();
  bench.feed(0.2, { type: 'source', address: ip('10.0.0.9') });
  assert.deepEqual(bench.hear(0.3, 100), ['send 100', 'announce']);
});

test('X12: an address that somebody removed from a MASTER is back at once and announced, without a transition', () => {
  const { lan, a } = pair();
  const before = a.transitions.length;
  a.announced.length = 0;
  a.steal(VIP);
  lan.run(millis(1));
  assert.ok(a.holds(VIP));
  assert.ok(a.announced.length > 0);
  assert.equal(a.transitions.length, before);
});

test('X13: an address that a crashed run left on a BACKUP is removed at the start', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  a.kernel.set(VIP, { vip: virtualIp(VIP), lifetime: 'forever', boundAt: lan.now });
  a.configure([instance()]);
  lan.run(millis(1));
  assert.equal(a.state(), 'BACKUP');
  assert.ok(!a.holds(VIP));
});

test('X14: a MASTER that was stopped for longer than its peers wait speaks only after it has listened', () => {
  const { lan, a, b } = pair();
  a.stopped = true;
  lan.run(seconds(5));
  assert.equal(b.state(), 'MASTER');
  const woke = lan.now;
  a.stopped = false;
  lan.run(seconds(2));
  assert.deepEqual(adverts(lan, a, woke), []);
  assert.equal(a.state(), 'BACKUP');
});

test('X15: a BACKUP that was stopped reads what waits before its timer counts', () => {
  const { lan, a, b } = pair();
  b.stopped = true;
  lan.run(seconds(20));
  b.stopped = false;
  lan.run(seconds(5));
  assert.equal(b.state(), 'BACKUP');
  assert.equal(a.transitions.length, 2);
});

test('X16: the wall clock may jump by an hour: nothing happens', () => {
  const { lan, a, b } = pair();
  for (const jump of [3_600_000, -3_600_000]) {
    a.wallStep = b.wallStep = jump;
    lan.run(seconds(10));
  }
  assert.equal(a.transitions.length, 2);
  assert.equal(b.transitions.length, 1);
  assert.equal(adverts(lan, a).length, 25);
});

test('X17: a MASTER whose priority falls says so at once; a peer of ours takes over after its skew', () => {
  const { lan, a, b } = pair();
  const fell = lan.now;
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: -60, faults: [] } });
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(SKEW + 0.001)));
  assert.equal(adverts(lan, a, fell)[0]!.priority, 90);
  lan.run(millis(1));
  assert.ok(b.holds(VIP) && !a.holds(VIP));
});

test('X18: a BACKUP whose priority rises above the master sends nothing, and takes over when its timer runs out', () => {
  const bench = backup();
  bench.hear(1, 150);
  assert.deepEqual(bench.feed(1.5, setPriority(200)), []);
  const due = bench.deadline!;
  for (const at of [2, 3, 4]) assert.deepEqual(bench.hear(at, 150), []);
  assert.equal(bench.deadline, due);
  assert.ok(due > 4);
});

test('X19: preempt_delay puts preemption off, then a down timer runs', () => {
  const bench = backup({ preemptDelay: seconds(5) });
  for (const at of [1, 2, 3, 4, 5]) bench.hear(at, 50);
  bench.hear(5.9, 50);
  const due = bench.deadline!;
  bench.hear(6.5, 50);
  assert.equal(bench.deadline, due);
});

test('X20: a fault of one member of a sync group takes the other along; both are back when it is gone', () => {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const other = instance({ name: 'VI_2', vrid: vrid(52), vips: [virtualIp('10.0.0.101')] });
  a.configure([instance(), other], { groups: [{ name: 'G', members: ['VI_1', 'VI_2'] }] });
  lan.run(seconds(5));
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 0, faults: ['check failed'] } });
  lan.run(millis(1));
  assert.deepEqual([a.state('VI_1'), a.state('VI_2')], ['FAULT', 'FAULT']);
  assert.deepEqual(
    lan.sent.slice(-2).map(({ priority: sent }) => sent),
    [0, 0],
  );
  a.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 0, faults: [] } });
  lan.run(seconds(5));
  assert.deepEqual([a.state('VI_1'), a.state('VI_2')], ['MASTER', 'MASTER']);
});

test('X21: a reload without a difference changes nothing on the wire', () => {
  const quiet = pair();
  const reloaded = pair();
  reloaded.a.configure([instance({ priority: priority(150) })]);
  for (const { lan } of [quiet, reloaded]) lan.run(seconds(10));
  const told = ({ lan, a }: typeof quiet) => [adverts(lan, a).map(({ at }) => at), a.announced.map(({ at }) => at)];
  assert.deepEqual(told(reloaded), told(quiet));
});

test('X22: an address that a reload adds is bound and announced alone', () => {
  const { lan, a } = pair();
  lan.run(seconds(10));
  a.announced.length = 0;
  a.configure([instance({ priority: priority(150), vips: [virtualIp(VIP), virtualIp('10.0.0.101')] })]);
  lan.run(millis(1));
  assert.ok(a.holds('10.0.0.101'));
  assert.deepEqual([...new Set(a.announced.map(({ address }) => address))], ['10.0.0.101']);
});

test('X23: a MASTER that a reload makes lower stays until a better advert comes', () => {
  const { lan, a } = pair();
  lan.loses = () => true;
  a.configure([instance({ priority: priority(50) })]);
  lan.run(seconds(3));
  assert.equal(a.state(), 'MASTER');
  lan.loses = () => false;
  lan.run(seconds(5));
  assert.equal(a.state(), 'BACKUP');
});

test('X24, X25: the same VRID of the other family, or on another interface, is another virtual router', () => {
  const crew = new Crew({} as CrewDependencies);
  const v4 = crew.segmentOf(instance());
  const v6 = crew.segmentOf(instance({ family: 6 }));
  const elsewhere = crew.segmentOf(instance({ interface: 'eth1' }));
  assert.equal(crew.segmentOf(instance({ name: 'VI_2' })), v4);
  assert.equal(new Set([v4, v6, elsewhere]).size, 3);
});

test('X26, X27: skew to the microsecond', () => {
  const skews = (version: 2 | 3, interval: Micros) =>
    [1, 100, 254].map((value) => skewTime({ version, priority: priority(value), interval }) / 1000);
  assert.deepEqual(skews(2, seconds(1)), [996.09375, 609.375, 7.8125]);
  assert.deepEqual(skews(3, millis(10)), [9.9609375, 6.09375, 0.078125]);
});

test('X28: after a split brain the loser lets go with the first advert, and the winner announces last', () => {
  const { lan, a, b } = pair();
  lan.loses = () => true;
  lan.run(seconds(10));
  assert.ok(a.holds(VIP) && b.holds(VIP));
  const healed = lan.now;
  lan.loses = () => false;
  assert.ok(lan.runUntil(() => !b.holds(VIP), micros(1_000_100)));
  lan.run(seconds(10));
  const last = (node: SimulatedNode) => node.announced.at(-1)!.at;
  assert.ok(last(a) > last(b) && last(a) > healed);
  assert.equal(a.transitions.length, 2);
});

test('X29: a gratuitous ARP for our address from another MAC is counted and answered at a bounded rate', () => {
  const { lan, a } = pair();
  lan.run(seconds(10));
  a.announced.length = 0;
  for (let i = 0; i < 100; i++) {
    a.frame(gratuitousArp('02:00:00:00:00:66' as MacAddress, ip(VIP)));
    lan.run(millis(10));
  }
  assert.equal(a.announced.length, 0, 'whoever claims it now may be the next master');
  lan.run(millis(100));
  assert.equal(a.announced.length, 1, 'it claims no more, and did not answer');
  a.send({ type: 'snapshot', id: 1 });
  lan.run(millis(1));
  const snapshot = a.events.findLast((event) => event.type === 'snapshot');
  assert.equal(snapshot?.type === 'snapshot' && snapshot.instances[0]!.statistics.addressConflicts, 100);
  assert.equal(a.state(), 'MASTER');
});
