// How engines begin: what an interface that may be deaf means, the delays of the configuration, and a machine that slept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ip, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp } from '../../core/net/arp.ts';
import { type Micros, micros, priority, seconds } from '../../core/units.ts';
import { instance } from './instances.ts';
import { SimulatedLan, type SimulatedNode } from './simulated-lan.ts';

const VIP = '10.0.0.100';
const NEIGHBOUR = '02:00:00:00:00:77' as MacAddress;
const somebody = () => gratuitousArp(NEIGHBOUR, ip('10.0.0.7'));

/** A machine that has run for so long when its agent starts. */
function machine(upFor: Micros, changes: Parameters<typeof instance>[0] = {}, options = {}) {
  const lan = new SimulatedLan();
  const a = lan.add('10.0.0.1');
  a.upBefore = upFor - lan.now;
  a.configure([instance(changes)], options);
  return { lan, a };
}

const mastered = (node: SimulatedNode) => node.state() === 'MASTER';

describe('a machine that has just booted', () => {
  test('is master of a silent network after forty seconds, and not before', () => {
    const { lan, a } = machine(seconds(15));
    assert.ok(!lan.runUntil(() => mastered(a), seconds(39.9)));
    assert.ok(lan.runUntil(() => mastered(a), seconds(0.2)));
    assert.equal(a.taps.size, 1, 'the watch for rivals goes on');
  });

  test('waits for a down timer from the first frame that somebody sends', () => {
    const { lan, a } = machine(seconds(15));
    lan.run(seconds(20));
    a.frame(somebody());
    assert.ok(!lan.runUntil(() => mastered(a), seconds(3.6)));
    assert.ok(lan.runUntil(() => mastered(a), seconds(0.1)));
  });

  test('takes no frame of its own for a proof', () => {
    const { lan, a } = machine(seconds(15));
    lan.run(seconds(5));
    a.frame(gratuitousArp(a.link.mac!, ip('10.0.0.1')));
    assert.ok(!lan.runUntil(() => mastered(a), seconds(30)));
  });

  test('does not take the place of a master that its deaf port kept from it, though it is better: nopreempt', () => {
    const lan = new SimulatedLan();
    const a = lan.add('10.0.0.1');
    const b = lan.add('10.0.0.2');
    b.configure([instance({ preempt: false })]);
    lan.run(seconds(5));
    assert.ok(mastered(b));
    a.upBefore = seconds(10) - lan.now;
    lan.loses = () => true;
    a.configure([instance({ priority: priority(150), preempt: false })]);
    lan.run(seconds(30));
    lan.loses = () => false;
    a.frame(somebody());
    lan.run(seconds(20));
    assert.equal(a.state(), 'BACKUP');
    assert.ok(mastered(b));
    assert.equal(b.transitions.length, 2, 'it never yielded');
  });

  test('begins at once when vrrp_startup_hold is 0', () => {
    const start = { startupDelay: seconds(0), delayAfterBoot: seconds(0), hold: seconds(0) };
    const { lan, a } = machine(seconds(15), {}, { start });
    assert.ok(lan.runUntil(() => mastered(a), seconds(3.7)));
  });

  test('an owner of the addresses waits for nothing', () => {
    const { lan, a } = machine(seconds(15), { priority: priority(255) });
    assert.ok(lan.runUntil(() => mastered(a), seconds(0.1)));
  });
});

test('an agent that starts on a machine that has run for long waits a down timer and no more', () => {
  const { lan, a } = machine(seconds(3600));
  assert.ok(lan.runUntil(() => mastered(a), seconds(3.7)));
});

test('an interface that comes back may be deaf, and hears again with the first frame', () => {
  const { lan, a } = machine(seconds(3600));
  lan.run(seconds(5));
  a.setLink(false);
  lan.run(seconds(1));
  assert.equal(a.state(), 'FAULT');
  a.setLink(true);
  lan.run(seconds(10));
  assert.equal(a.state(), 'BACKUP');
  a.frame(somebody());
  assert.ok(lan.runUntil(() => mastered(a), seconds(3.7)));
});

describe('delays of the configuration', () => {
  const delays = (startupDelay: number, delayAfterBoot: number) => ({
    start: { startupDelay: seconds(startupDelay), delayAfterBoot: seconds(delayAfterBoot), hold: seconds(0) },
  });

  test('vrrp_startup_delay: nothing is sent, nothing heard counts, and then a down timer begins', () => {
    const { lan, a } = machine(seconds(3600), {}, delays(10, 0));
    const b = lan.add('10.0.0.2');
    b.configure([instance({ priority: priority(200) })]);
    lan.run(seconds(9.9));
    assert.ok(mastered(b));
    assert.equal(a.state(), 'INIT');
    assert.ok(lan.runUntil(() => a.state() === 'BACKUP', seconds(0.2)));
    lan.run(seconds(20));
    assert.equal(a.state(), 'BACKUP');
  });

  test('vrrp_delay_after_boot counts from the start of the machine, and the later end holds', () => {
    const { lan, a } = machine(seconds(40), {}, delays(5, 60));
    lan.run(seconds(19.9));
    assert.equal(a.state(), 'INIT');
    assert.ok(lan.runUntil(() => a.state() === 'BACKUP', seconds(0.2)));
    const late = machine(seconds(100), {}, delays(5, 60));
    assert.ok(late.lan.runUntil(() => late.a.state() === 'BACKUP', seconds(5.1)));
  });

  test('a reload delays nobody', () => {
    const { lan, a } = machine(seconds(3600), {}, delays(2, 0));
    lan.run(seconds(10));
    const other = instance({ name: 'VI_2', vrid: 52 as never, vips: [] });
    a.configure([instance(), other], delays(10, 0));
    assert.ok(lan.runUntil(() => a.state('VI_2') === 'MASTER', seconds(3.7)));
    assert.ok(mastered(a));
  });

  test('whoever is stopped before it begins ends at once', () => {
    const { lan, a } = machine(seconds(3600), {}, delays(10, 0));
    lan.run(seconds(1));
    a.send({ type: 'stop', immediate: false });
    assert.ok(lan.runUntil(() => a.engine.done, seconds(0.1)));
  });
});

describe('a machine that was suspended', () => {
  function pair() {
    const lan = new SimulatedLan();
    const a = lan.add('10.0.0.1');
    const b = lan.add('10.0.0.2');
    a.configure([instance({ priority: priority(150) })]);
    b.configure([instance()]);
    lan.run(seconds(8));
    assert.ok(mastered(a));
    return { lan, a, b };
  }

  test('as master withdraws without a word, though its own clock stood still', () => {
    const { lan, a } = pair();
    const sent = lan.sent.filter(({ node }) => node === a).length;
    a.slept = micros(60_000_000);
    assert.ok(lan.runUntil(() => a.state() === 'BACKUP', seconds(1.1)));
    assert.equal(lan.sent.filter(({ node }) => node === a).length, sent);
    assert.ok(!a.holds(VIP));
    assert.equal(a.transitions.at(-1)!.why, 'stalled');
  });

  test('as master goes on after a sleep shorter than its peers wait', () => {
    const { lan, a } = pair();
    a.slept = micros(1_500_000);
    lan.run(seconds(5));
    assert.ok(mastered(a));
  });

  test('as backup takes over later like any other: a sleep is counted once', () => {
    const { lan, a, b } = pair();
    b.slept = micros(3_000_000);
    lan.run(seconds(5));
    a.stopped = true;
    assert.ok(lan.runUntil(() => mastered(b), seconds(4)));
  });

  test('as backup listens anew: what came while it slept is lost', () => {
    const { lan, a, b } = pair();
    lan.loses = () => true;
    lan.run(seconds(2));
    b.slept = micros(3_000_000);
    lan.run(seconds(2.5));
    lan.loses = () => false;
    lan.run(seconds(10));
    assert.ok(mastered(a));
    assert.equal(b.transitions.length, 1);
  });
});
