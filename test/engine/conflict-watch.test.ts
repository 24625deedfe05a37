// Others who claim our addresses: told, counted, answered at a bounded rate, and never believed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { encodeArp, gratuitousArp } from '../../core/net/arp.ts';
import { unsolicitedNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import { micros, millis, priority, seconds } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';
import { SimulatedLan, type SimulatedNode } from './simulated-lan.ts';

const VIP = ip('10.0.0.100');
const RIVAL = '02:00:00:00:00:66' as MacAddress;
const claim = () => gratuitousArp(RIVAL, VIP);

function settled(options = {}, changes: Parameters<typeof instance>[0] = {}) {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  const b = lan.add('10.0.0.2');
  a.configure([instance({ priority: priority(150), ...changes })], options);
  b.configure([instance(changes)], options);
  lan.run(seconds(20));
  assert.equal(a.state(), 'MASTER');
  a.announced.length = 0;
  return { lan, a, b };
}

const warnings = (node: SimulatedNode) =>
  node.events.filter((event) => event.type === 'log' && event.text.includes('claims')).length;

function snapshot(lan: SimulatedLan, node: SimulatedNode) {
  node.send({ type: 'snapshot', id: 7 });
  lan.run(millis(1));
  const found = node.events.findLast((event) => event.type === 'snapshot');
  assert.ok(found?.type === 'snapshot');
  return found.instances[0]!;
}

test('a master that hears a foreign claim asks, and announces again when nobody answers; nothing else changes', () => {
  const { lan, a } = settled();
  const before = a.transitions.length;
  a.frame(claim());
  lan.run(millis(15));
  assert.deepEqual([a.asked.length, a.announced], [2, []]);
  lan.run(millis(10));
  assert.deepEqual(
    a.announced.map(({ address, repeat }) => [address, repeat]),
    [[VIP, 2]],
  );
  assert.equal(a.transitions.length, before);
  assert.equal(warnings(a), 1);
  const { conflict, statistics } = snapshot(lan, a);
  assert.equal(conflict?.mac, RIVAL);
  assert.equal(conflict?.address, VIP);
  assert.equal(statistics.addressConflicts, 1);
});

test('a flood of claims is answered at a bounded rate, logged once a minute, and delays no advert', () => {
  const { lan, a } = settled();
  const from = lan.sent.length;
  for (let ms = 0; ms < 10_000; ms++) {
    for (let i = 0; i < 10; i++) a.frame(claim());
    lan.run(millis(1));
  }
  assert.ok(a.announced.length <= 4, `${a.announced.length} announcements in ten seconds`);
  assert.equal(warnings(a), 1);
  const adverts = lan.sent.slice(from).filter(({ node }) => node === a);
  for (let i = 1; i < adverts.length; i++) assert.equal(adverts[i]!.at - adverts[i - 1]!.at, seconds(1));
});

test('a backup does not care who claims the address', () => {
  const { lan, b } = settled();
  b.frame(claim());
  lan.run(millis(5));
  assert.deepEqual(b.announced, []);
  assert.equal(warnings(b), 0);
});

test('a frame of this machine is no claim', () => {
  const { lan, a } = settled();
  a.frame(gratuitousArp(a.link.mac!, VIP));
  lan.run(millis(5));
  assert.deepEqual(a.announced, []);
});

test('a new master whose announcement is read before its advert is believed by its advert, and not answered', () => {
  const { lan, a, b } = settled();
  lan.delay = micros(0);
  b.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 100, faults: [] } });
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(5)));
  a.frame(claim());
  lan.run(millis(5));
  assert.equal(a.state(), 'BACKUP');
  assert.deepEqual(a.announced, []);
});

test('who is no longer master neither asks nor answers', () => {
  const { lan, a, b } = settled();
  b.send({ type: 'track', verdict: { instance: 'VI_1', adjustment: 100, faults: [] } });
  assert.ok(lan.runUntil(() => b.state() === 'MASTER', seconds(5)));
  a.frame(claim());
  a.frame(claim());
  a.turn();
  assert.equal(a.state(), 'MASTER', 'the advert is on its way');
  lan.run(seconds(5));
  assert.equal(a.state(), 'BACKUP');
  assert.deepEqual([a.announced, a.asked.length <= 1], [[], true]);
});

test('who is told to announce nothing out of turn tells of a claim and leaves it unanswered', () => {
  const { announce } = instance();
  const { lan, a } = settled({}, { announce: { ...announce, lowerPrioRepeat: 0 } });
  a.frame(claim());
  lan.run(seconds(1));
  assert.deepEqual([a.announced, warnings(a)], [[], 1]);
});

test('a neighbour advertisement for an IPv6 address is a claim, too', () => {
  const vip = { ...virtualIp('10.0.0.100'), address: ip('2001:db8::100'), prefix: 64 };
  const { lan, a } = settled({}, { excludedVips: [vip] });
  a.frame(unsolicitedNeighbourAdvertisement(RIVAL, ip('2001:db8::100'), true));
  lan.run(millis(5));
  assert.equal(warnings(a), 1);
  a.frame(unsolicitedNeighbourAdvertisement(RIVAL, ip('2001:db9::100'), true)); // the same last four bytes
  lan.run(millis(100));
  assert.equal(snapshot(lan, a).statistics.addressConflicts, 1);
});

test('vrrp_conflict_watch off opens no socket; a reload turns it on and off', () => {
  const { lan, a } = settled({ conflictWatch: false });
  assert.equal(a.taps.size, 0);
  const configs = [instance({ priority: priority(150) })];
  a.configure(configs, { conflictWatch: true });
  lan.run(millis(1));
  assert.equal(a.taps.size, 1);
  a.configure(configs, { conflictWatch: false });
  lan.run(millis(1));
  assert.equal(a.taps.size, 0);
});

test('an address that a reload adds is watched, one that it removes no longer', () => {
  const { lan, a } = settled();
  a.configure([instance({ priority: priority(150), vips: [virtualIp('10.0.0.101')] })]);
  lan.run(millis(1));
  assert.equal(a.taps.size, 1);
  a.announced.length = 0;
  a.frame(claim());
  lan.run(millis(5));
  assert.equal(warnings(a), 0);
  a.frame(gratuitousArp(RIVAL, ip('10.0.0.101')));
  lan.run(millis(25));
  assert.equal(warnings(a), 1);
});

test('a rival is asked whether it is still there, and when it answers no more the addresses are announced within 40 ms', () => {
  const { lan, a } = settled();
  const MINE = '02:00:00:00:00:01' as MacAddress;
  const answer = () =>
    a.frame(
      encodeArp({
        destination: MINE,
        source: RIVAL,
        arp: { operation: 'reply', senderMac: RIVAL, senderIp: VIP, targetMac: MINE, targetIp: ip('0.0.0.0') },
      }),
    );
  a.frame(claim());
  let answered = 0;
  for (let ms = 0; ms < 500; ms++) {
    lan.run(millis(1));
    if (a.asked.length > answered) {
      answered = a.asked.length;
      answer();
    }
  }
  assert.ok(answered >= 20, `${answered} questions in half a second`);
  assert.equal(snapshot(lan, a).statistics.addressConflicts, 1, 'its answers are the same claim');
  a.announced.length = 0;
  lan.run(millis(40)); // it yielded in silence
  assert.deepEqual(
    a.announced.map(({ address, repeat }) => [address, repeat]),
    [[VIP, 2]],
  );
  const { length } = a.asked;
  lan.run(seconds(5));
  assert.equal(a.asked.length, length, 'and nobody is asked about any more');
});
