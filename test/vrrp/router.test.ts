import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip } from '../../core/net/address.ts';
import { instant, millis, priority, seconds } from '../../core/units.ts';
import { VrrpRouter } from '../../core/vrrp/router.ts';
import type { RouterConfig } from '../../core/vrrp/types.ts';
import { Bench, backup, CONFIG, master, OTHER, PEER, setPriority, stop } from './bench.ts';

const DOWN = 3.609375;
const SKEW = 0.609375;
const DOWN_AT_200 = 3.21875;

const reconfigured = (config: Partial<RouterConfig>) =>
  ({ type: 'reconfigure', config: { ...CONFIG, ...config } }) as const;

// Startup

test('an owner is MASTER at once: advert, addresses, then the news', () => {
  const bench = new Bench({ priority: priority(255) });
  assert.deepEqual(bench.feed(0, { type: 'startup' }), ['send 255', 'own', 'INIT>MASTER owner']);
  assert.equal(bench.deadline, 1);
});

test('anybody else listens for a whole down timer first', () => {
  const bench = new Bench();
  assert.deepEqual(bench.feed(0, { type: 'startup' }), ['INIT>BACKUP startup']);
  assert.equal(bench.deadline, DOWN);
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER master-timeout']);
  assert.equal(bench.deadline, DOWN + 1);
});

test('a router that has a fault begins in FAULT, and from BACKUP when it is gone', () => {
  const bench = new Bench();
  assert.deepEqual(bench.feed(0, { type: 'fault', why: 'eth0 is down' }), ['INIT>FAULT fault']);
  assert.deepEqual(bench.feed(1, { type: 'startup' }), []);
  assert.deepEqual(bench.feed(2, { type: 'recovered' }), ['FAULT>BACKUP recovered']);
  assert.equal(bench.deadline, 2 + DOWN);
});

test('before it begins it hears nothing', () => {
  const bench = new Bench();
  assert.deepEqual(bench.hear(0, 200), ['drop not-listening']);
  assert.equal(bench.deadline, undefined);
});

// BACKUP

test('a timer that comes before its deadline does nothing', () => {
  const bench = backup();
  assert.deepEqual(bench.timer(DOWN - 0.000001), []);
  assert.equal(bench.deadline, DOWN);
});

test('a better advert starts the down timer anew and makes its master known', () => {
  const bench = backup();
  assert.deepEqual(bench.hear(1, 200), ['master 10.0.0.2 200']);
  assert.equal(bench.deadline, 1 + DOWN);
  assert.deepEqual(bench.hear(2, 200), []);
  assert.equal(bench.deadline, 2 + DOWN);
  assert.equal(bench.router.masterSource, PEER);
  assert.equal(bench.router.masterPriority, 200);
});

test('an equal advert keeps a BACKUP in its place whatever its address', () => {
  for (const from of ['9.9.9.9', '10.0.0.200']) {
    const bench = backup();
    bench.hear(1, 100, ip(from));
    assert.equal(bench.deadline, 1 + DOWN);
  }
});

test('a lower advert is discarded and the timer runs on', () => {
  const bench = backup();
  assert.deepEqual(bench.hear(1, 50), []);
  assert.equal(bench.deadline, DOWN);
  assert.equal(bench.router.masterSource, undefined);
});

test('without preemption a lower advert is heeded', () => {
  const bench = backup({ preempt: false });
  bench.hear(1, 50);
  assert.equal(bench.deadline, 1 + DOWN);
});

test("version 3 counts in the master's interval until it is MASTER itself", () => {
  const bench = backup();
  bench.hear(1, 200, PEER, { interval: seconds(2) });
  assert.equal(bench.router.masterInterval, seconds(2));
  assert.equal(bench.deadline, 1 + 2 * DOWN);
  bench.timer();
  assert.equal(bench.router.masterInterval, seconds(1));
  assert.equal(bench.deadline, 1 + 2 * DOWN + 1);
});

test("version 3 does not let a master's interval blind it", () => {
  const bench = backup();
  bench.hear(1, 200, PEER, { interval: millis(40_950) });
  assert.equal(bench.router.masterInterval, seconds(10));
  assert.equal(bench.deadline, 1 + 10 * DOWN);
});

test('version 2 counts in its own interval', () => {
  const bench = backup({ version: 2, interval: seconds(3) });
  bench.hear(1, 200, PEER, { version: 2, interval: seconds(5) });
  assert.equal(bench.deadline, 1 + 9 + SKEW);
});

test('a resigning master is replaced after the skew alone', () => {
  const bench = backup();
  bench.hear(1, 200);
  assert.deepEqual(bench.hear(1.5, 0), []);
  assert.equal(bench.deadline, 1.5 + SKEW);
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER priority-zero']);
});

test('a resigning master is replaced even without preemption', () => {
  const bench = backup({ preempt: false });
  bench.hear(1, 200);
  bench.hear(1.5, 0);
  assert.equal(bench.deadline, 1.5 + SKEW);
});

test('a goodbye said again and again does not put the takeover off', () => {
  const bench = backup();
  bench.hear(1, 200);
  bench.hear(1.5, 0);
  bench.hear(1.8, 0);
  bench.hear(2.1, 0);
  assert.equal(bench.deadline, 1.5 + SKEW);
});

test('a goodbye never lengthens the wait', () => {
  const bench = backup();
  bench.hear(0, 200);
  bench.hear(DOWN - 0.1, 0);
  assert.equal(bench.deadline, DOWN);
});

test('a goodbye from a router that is not the master does not hurry anybody', () => {
  const bench = backup();
  bench.hear(1, 200);
  assert.deepEqual(bench.hear(1.5, 0, OTHER), ['drop not-master']);
  assert.equal(bench.deadline, 1 + DOWN);
});

test('while no master is known a goodbye from anybody counts', () => {
  const bench = backup();
  bench.hear(1, 0, OTHER);
  assert.equal(bench.deadline, 1 + SKEW);
});

test('an advert after a goodbye restores the down timer', () => {
  const bench = backup();
  bench.hear(1, 200);
  bench.hear(1.5, 0);
  bench.hear(1.7, 200);
  assert.equal(bench.deadline, 1.7 + DOWN);
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER master-timeout']);
});

test('a BACKUP stops without a word', () => {
  const bench = backup();
  assert.deepEqual(bench.feed(1, stop()), ['BACKUP>INIT shutdown']);
  assert.equal(bench.deadline, undefined);
});

// Preemption delay

test('the preemption delay begins with the first lower advert, and while it lasts lower adverts are heeded', () => {
  const bench = backup({ preemptDelay: seconds(5) });
  for (const at of [1, 2, 3, 4, 5]) {
    bench.hear(at, 50);
    assert.equal(bench.deadline, at + DOWN);
  }
  bench.hear(6, 50);
  assert.equal(bench.deadline, 5 + DOWN, 'over: from now on they are discarded');
});

test('a better master cancels the preemption delay', () => {
  const bench = backup({ preemptDelay: seconds(5) });
  bench.hear(1, 50);
  bench.hear(4, 200);
  bench.hear(7, 50);
  assert.equal(bench.deadline, 7 + DOWN, 'a new delay has begun');
});

test('the preemption delay does not put off the takeover from a silent or resigning master', () => {
  const silent = backup({ preemptDelay: seconds(60) });
  assert.equal(silent.deadline, DOWN);
  silent.hear(1, 50);
  assert.equal(silent.deadline, 1 + DOWN);
  silent.hear(1.2, 0);
  assert.equal(silent.deadline, 1.2 + SKEW);
});

// Priority

test('in BACKUP a new priority shifts the running timer by the difference of the skews', () => {
  const bench = backup();
  assert.deepEqual(bench.feed(1, setPriority(200)), []);
  assert.equal(bench.deadline, DOWN_AT_200);
  bench.feed(2, setPriority(100));
  assert.equal(bench.deadline, DOWN);
});

test('a priority raised above the master takes over when the down timer has run out', () => {
  const bench = backup();
  bench.hear(1, 150);
  bench.feed(1.5, setPriority(200));
  bench.hear(2, 150);
  assert.equal(bench.deadline, 1 + DOWN_AT_200);
});

test('a MASTER tells a new priority at once, keeps its schedule and stays', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.3, setPriority(50)), ['send 50']);
  assert.equal(bench.deadline, 1);
  assert.equal(bench.state, 'MASTER');
  assert.deepEqual(bench.feed(0.4, setPriority(50)), []);
});

test('in FAULT a new priority waits', () => {
  const bench = master();
  bench.feed(0.1, { type: 'fault', why: 'check' });
  assert.deepEqual(bench.feed(0.2, setPriority(50)), []);
  assert.equal(bench.router.effectivePriority, 50);
});

test('trackers do not touch an owner', () => {
  const bench = master({ priority: priority(255) });
  assert.deepEqual(bench.feed(0.3, setPriority(50)), []);
  assert.equal(bench.router.effectivePriority, 255);
});

// MASTER

test('adverts keep their schedule when the timer is late', () => {
  const bench = master();
  assert.deepEqual(bench.timer(1.25), ['send 100']);
  assert.equal(bench.deadline, 2);
});

test('a timer that is late by intervals sends one advert and keeps the phase', () => {
  const bench = master();
  assert.deepEqual(bench.timer(4.5), ['send 100']);
  assert.equal(bench.deadline, 5);
  assert.deepEqual(bench.timer(4.6), []);
});

test('the schedule does not drift over a million adverts', () => {
  const router = new VrrpRouter({ ...CONFIG, priority: priority(255), interval: millis(10) });
  router.handle({ type: 'startup' }, instant(0));
  for (let i = 0; i < 1_000_000; i++) router.handle({ type: 'timer' }, instant(router.deadline! + (i % 3)));
  assert.equal(router.deadline, 1_000_001 * 10_000);
});

test('equal adverts are the same object', () => {
  const router = new VrrpRouter({ ...CONFIG, priority: priority(255) });
  const ads = [0, 1, 2].flatMap((at) =>
    router
      .handle({ type: at === 0 ? 'startup' : 'timer' }, instant(seconds(at)))
      .flatMap((effect) => (effect.type === 'send' ? [effect.ad] : [])),
  );
  assert.equal(ads.length, 3);
  assert.equal(new Set(ads).size, 1);
});

test('a MASTER yields to a higher priority: last word, addresses, news, and a full down timer', () => {
  const bench = master();
  assert.deepEqual(bench.hear(0.5, 200), [
    'send 100',
    'disown',
    'MASTER>BACKUP higher-priority',
    'master 10.0.0.2 200',
  ]);
  assert.equal(bench.deadline, 0.5 + DOWN);
});

test("a yielding MASTER adopts the winner's interval", () => {
  const bench = master();
  bench.hear(0.5, 200, PEER, { interval: seconds(2) });
  assert.equal(bench.deadline, 0.5 + 2 * DOWN);
});

test('without a last word a MASTER yields in silence', () => {
  const bench = master({ advertiseBeforeYielding: false });
  assert.deepEqual(bench.hear(0.5, 200), ['disown', 'MASTER>BACKUP higher-priority', 'master 10.0.0.2 200']);
});

test('two masters yield by priority even where preemption is off', () => {
  const bench = master({ preempt: false });
  bench.hear(0.5, 200);
  assert.equal(bench.state, 'BACKUP');
});

test('equal masters compare their addresses as unsigned numbers', () => {
  assert.equal(stateAfter('10.0.0.1', '200.0.0.1'), 'BACKUP');
  assert.equal(stateAfter('200.0.0.1', '10.0.0.1'), 'MASTER');
  assert.equal(stateAfter('10.0.0.10', '10.0.0.9'), 'MASTER');
  assert.equal(stateAfter('fe80::7fff:0:0:1', 'fe80::8000:0:0:1'), 'BACKUP');
  assert.equal(stateAfter('10.0.0.1', '10.0.0.1'), 'MASTER');

  function stateAfter(own: string, peer: string) {
    const bench = master({ source: ip(own) });
    bench.hear(0.5, 100, ip(peer));
    return bench.state;
  }
});

test('the address that counts is the present one', () => {
  const bench = master();
  bench.feed(0.1, { type: 'source', address: ip('10.0.0.9') });
  bench.hear(0.5, 100);
  assert.equal(bench.state, 'MASTER');
});

test('two owners elect by address', () => {
  const bench = master({ priority: priority(255) });
  bench.hear(0.1, 255, ip('9.9.9.9'));
  assert.equal(bench.state, 'MASTER');
  bench.hear(0.2, 255);
  assert.equal(bench.state, 'BACKUP');
});

test('a losing advert is answered at once, and the addresses are announced again', () => {
  const bench = master();
  assert.deepEqual(bench.hear(0.5, 50), ['send 100', 'announce']);
  assert.equal(bench.deadline, 1, 'the schedule stays');
});

test('no number of losing adverts silences a MASTER or makes it shout', () => {
  const bench = master();
  let answers = 0;
  let scheduled = 0;
  for (let i = 1; i <= 100_000; i++) {
    const at = i / 10_000; // ten seconds
    scheduled += bench.timer(at).length;
    answers += bench.hear(at, 50).filter((effect) => effect === 'send 100').length;
  }
  assert.equal(scheduled, 10);
  assert.equal(answers, 100, 'ten an interval');
});

test('lower_prio_no_advert: a losing advert draws announcements only', () => {
  const bench = master({ answerLowerPriority: false });
  assert.deepEqual(bench.hear(0.5, 50), ['announce']);
});

test('a MASTER answers a goodbye and starts its schedule anew', () => {
  const bench = master();
  assert.deepEqual(bench.hear(0.4, 0), ['send 100']);
  assert.equal(bench.deadline, 1.4);
});

test('a flood of goodbyes puts no advert off', () => {
  const bench = master();
  const sent: number[] = [0];
  for (let i = 1; i <= 5_000; i++) {
    const at = i / 1_000;
    if ([...bench.timer(at), ...bench.hear(at, 0)].includes('send 100')) sent.push(at);
  }
  const gaps = sent.slice(1).map((at, i) => at - sent[i]!);
  assert.ok(Math.max(...gaps) <= 1);
  assert.ok(sent.length <= 52);
});

// Leaving

test('a stopping MASTER says goodbye and keeps answering until its successor is heard', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, stop()), ['send 0', 'MASTER>LEAVING shutdown']);
  assert.equal(bench.deadline, 0.5 + DOWN);
  assert.deepEqual(bench.hear(1, 50), ['disown', 'LEAVING>INIT successor-heard']);
  assert.equal(bench.deadline, undefined);
});

test('a stopping MASTER without a successor ends after a down timer', () => {
  const bench = master();
  bench.feed(0.5, stop());
  assert.deepEqual(bench.timer(1), [], 'it advertises no more');
  assert.deepEqual(bench.timer(), ['disown', 'LEAVING>INIT no-successor']);
});

test("another router's goodbye is no successor", () => {
  const bench = master();
  bench.feed(0.5, stop());
  assert.deepEqual(bench.hear(0.6, 0), []);
  assert.equal(bench.state, 'LEAVING');
});

test('who is told to leave at once leaves at once', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, stop(true)), ['send 0', 'disown', 'MASTER>INIT shutdown']);
});

test('break before make is there for those who want it', () => {
  const bench = master({ makeBeforeBreak: false });
  assert.deepEqual(bench.feed(0.5, stop()), ['send 0', 'disown', 'MASTER>INIT shutdown']);
});

test('while leaving, a second stop, a fault or a fence ends it without another word', () => {
  const ends = [
    [stop(true), 'LEAVING>INIT shutdown'],
    [{ type: 'fault', why: 'eth0 is down' }, 'LEAVING>INIT fault'],
    [{ type: 'withdraw', reason: 'fenced', announceLeave: true }, 'LEAVING>INIT fenced'],
    [{ type: 'withdraw', reason: 'stalled', announceLeave: false }, 'LEAVING>INIT stalled'],
  ] as const;
  for (const [event, news] of ends) {
    const bench = master();
    bench.feed(0.5, stop());
    assert.deepEqual(bench.feed(0.5, stop()), []);
    assert.deepEqual(bench.feed(0.6, event), ['disown', news]);
  }
});

test('what has ended stays ended until it is started again', () => {
  const bench = backup();
  bench.feed(1, stop());
  assert.deepEqual(bench.feed(2, { type: 'fault', why: 'check' }), []);
  assert.deepEqual(bench.feed(2, { type: 'recovered' }), []);
  assert.deepEqual(bench.feed(3, { type: 'startup' }), ['INIT>BACKUP startup']);
});

// FAULT

test('a faulty MASTER says goodbye, drops its addresses and listens to nobody', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, { type: 'fault', why: 'eth0 is down' }), ['send 0', 'disown', 'MASTER>FAULT fault']);
  assert.equal(bench.deadline, undefined);
  assert.deepEqual(bench.hear(1, 200), ['drop not-listening']);
  assert.equal(bench.router.lastDetail, 'eth0 is down');
});

test('a faulty BACKUP sends nothing', () => {
  assert.deepEqual(backup().feed(0.5, { type: 'fault', why: 'eth0 is down' }), ['BACKUP>FAULT fault']);
});

test('a recovered router listens for a full down timer, an owner does not', () => {
  const bench = backup();
  bench.hear(0, 200, PEER, { interval: seconds(2) });
  bench.feed(1, { type: 'fault', why: 'check' });
  assert.deepEqual(bench.feed(5, { type: 'recovered' }), ['FAULT>BACKUP recovered']);
  assert.equal(bench.deadline, 5 + DOWN, 'in its own interval');
  const owner = master({ priority: priority(255) });
  owner.feed(1, { type: 'fault', why: 'check' });
  assert.deepEqual(owner.feed(5, { type: 'recovered' }), ['send 255', 'own', 'FAULT>MASTER owner']);
});

// Withdrawal

test('a MASTER that overslept goes to BACKUP without a word', () => {
  const bench = master();
  const event = { type: 'withdraw', reason: 'stalled', announceLeave: false } as const;
  assert.deepEqual(bench.feed(9, event), ['disown', 'MASTER>BACKUP stalled']);
  assert.equal(bench.deadline, 9 + DOWN);
});

test('a fenced MASTER says goodbye and holds until the agent is back', () => {
  const bench = master();
  const event = { type: 'withdraw', reason: 'fenced', announceLeave: true } as const;
  assert.deepEqual(bench.feed(0.5, event), ['send 0', 'disown', 'MASTER>FAULT fenced']);
  assert.deepEqual(bench.timer(100), []);
  assert.deepEqual(bench.feed(101, { type: 'recovered' }), ['FAULT>BACKUP recovered']);
});

test('a BACKUP that overslept listens anew, a fenced one holds', () => {
  const stalled = backup();
  assert.deepEqual(stalled.feed(9, { type: 'withdraw', reason: 'stalled', announceLeave: false }), []);
  assert.equal(stalled.deadline, 9 + DOWN);
  assert.deepEqual(backup().feed(1, { type: 'withdraw', reason: 'fenced', announceLeave: true }), [
    'BACKUP>FAULT fenced',
  ]);
});

// Another configuration

test('the same configuration again changes nothing', () => {
  for (const bench of [backup(), master()]) {
    const before = [bench.state, bench.deadline];
    assert.deepEqual(bench.feed(0.5, reconfigured({})), []);
    assert.deepEqual([bench.state, bench.deadline], before);
  }
});

test('another address list goes out with the next advert', () => {
  const bench = master();
  const addresses = [ip('10.0.0.100'), ip('10.0.0.101')];
  assert.deepEqual(bench.feed(0.5, reconfigured({ addresses })), []);
  const [effect] = bench.router.handle({ type: 'timer' }, instant(seconds(1)));
  assert.deepEqual(effect?.type === 'send' && effect.ad.addresses, addresses);
});

test('a MASTER with a lower priority in its new configuration says so and stays', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, reconfigured({ priority: priority(50) })), ['send 50']);
  assert.equal(bench.state, 'MASTER');
});

test('what trackers took from the priority stays taken', () => {
  const bench = master();
  bench.feed(0.1, setPriority(70));
  assert.deepEqual(bench.feed(0.5, reconfigured({ priority: priority(150) })), ['send 120']);
});

test('a MASTER with a shorter interval has its next advert sooner', () => {
  const bench = master({ interval: seconds(10) });
  bench.feed(2.5, reconfigured({ interval: seconds(1) }));
  assert.deepEqual(bench.timer(2.5), ['send 100']);
  assert.equal(bench.deadline, 3);
});

test('a BACKUP with another interval and no master listens anew', () => {
  const bench = backup();
  bench.feed(1, reconfigured({ interval: millis(100) }));
  assert.equal(bench.deadline, 1 + DOWN / 10);
});

test('a BACKUP goes on counting in the interval of its master', () => {
  const bench = backup();
  bench.hear(1, 200);
  bench.feed(1.5, reconfigured({ interval: millis(500) }));
  assert.equal(bench.deadline, 1 + DOWN);
});

// Sync group

test('a member of a sync group is ready but not MASTER when its down timer runs out', () => {
  const bench = backup({ grouped: true });
  assert.deepEqual(bench.timer(), []);
  assert.equal(bench.router.standing, 'READY');
  assert.equal(bench.state, 'BACKUP');
  assert.equal(bench.deadline, 2 * DOWN);
  assert.deepEqual(bench.feed(4, { type: 'group', state: 'MASTER' }), ['send 100', 'own', 'BACKUP>MASTER sync-group']);
  assert.equal(bench.router.standing, 'MASTER');
});

test('a member that hears a master is not ready any more, a lower one does not count', () => {
  const bench = backup({ grouped: true });
  bench.timer();
  bench.hear(4, 50);
  assert.equal(bench.router.standing, 'READY');
  bench.hear(4.1, 200);
  assert.equal(bench.router.standing, 'BACKUP');
});

test('a member that its group takes along leaves without a word', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, { type: 'group', state: 'BACKUP' }), ['disown', 'MASTER>BACKUP sync-group']);
});

test('an owner in a group is ready at once', () => {
  const bench = backup({ grouped: true, priority: priority(255) });
  assert.equal(bench.state, 'BACKUP');
  assert.equal(bench.router.standing, 'READY');
});

test('the reason and the detail of the last change stay readable', () => {
  const bench = master();
  bench.hear(0.5, 200);
  assert.equal(bench.router.lastReason, 'higher-priority');
  assert.equal(bench.router.lastDetail, '10.0.0.2 has priority 200');
});

test('the last word of one who yields does not hide the master that goes on', () => {
  const bench = backup({ priority: priority(50) });
  bench.hear(1, 200);
  assert.deepEqual(bench.hear(1.1, 100, OTHER), []);
  assert.equal(bench.router.masterSource, PEER);
  assert.equal(bench.deadline, 1.1 + 3 + 206 / 256, 'yet it is an advert that a BACKUP heeds');
});

test('a lower master takes the place of one that is silent or has resigned', () => {
  const bench = backup({ priority: priority(50) });
  bench.hear(1, 200);
  assert.deepEqual(bench.hear(2, 100, OTHER), ['master 10.0.0.3 100']);
  bench.hear(2.5, 200);
  bench.hear(2.6, 0);
  assert.deepEqual(bench.hear(2.7, 100, OTHER), ['master 10.0.0.3 100']);
});

test('a new MASTER answers at once, however lately it answered in its last term', () => {
  const bench = master({ interval: seconds(10), maxMasterInterval: seconds(100) });
  bench.hear(0.5, 50);
  bench.hear(0.6, 200);
  bench.feed(0.7, { type: 'group', state: 'MASTER' });
  assert.deepEqual(bench.hear(0.8, 50), ['send 100', 'announce']);
});

test('a member that leaves its group takes over by itself when its timer runs out again', () => {
  const bench = backup({ grouped: true });
  bench.timer();
  bench.feed(4, reconfigured({ grouped: false }));
  assert.equal(bench.router.standing, 'BACKUP');
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER master-timeout']);
});

// A master whose priority falls

test('a master that falls below us is followed after the skew, and later adverts of it change nothing', () => {
  const bench = backup();
  bench.hear(1, 150);
  assert.deepEqual(bench.hear(2, 90), []);
  assert.equal(bench.deadline, 2 + SKEW);
  bench.hear(2.4, 80);
  assert.equal(bench.deadline, 2 + SKEW);
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER lower-priority']);
});

test('a master that recovers before our skew is over stays', () => {
  const bench = backup();
  bench.hear(1, 150);
  bench.hear(2, 90);
  bench.hear(2.5, 150);
  assert.equal(bench.deadline, 2.5 + DOWN);
  bench.hear(3.5, 150);
  assert.equal(bench.router.state, 'BACKUP');
});

test('a master that recovered and then falls silent has timed out, whatever it was before', () => {
  const bench = backup();
  for (const [at, value] of [
    [1, 150],
    [2, 90],
    [2.5, 150],
  ] as const)
    bench.hear(at, value);
  assert.deepEqual(bench.timer(), ['send 100', 'own', 'BACKUP>MASTER master-timeout']);
});

test('another router that always was lower does not hurry us', () => {
  const bench = backup();
  bench.hear(1, 150);
  bench.hear(2, 90, OTHER);
  assert.equal(bench.deadline, 1 + DOWN);
});

test('a takeover that is nearer than the skew is not put off by a fall', () => {
  const bench = backup();
  bench.hear(0, 150);
  bench.hear(3.5, 90);
  assert.equal(bench.deadline, DOWN);
});

test('we rose above a master that once fell and was heeded since: the timer runs on', () => {
  const bench = backup();
  for (const [at, value] of [
    [1, 200],
    [2, 150],
  ] as const)
    bench.hear(at, value);
  bench.feed(2.5, setPriority(180));
  const due = bench.deadline;
  bench.hear(3, 150);
  assert.equal(bench.deadline, due);
});

// Resigning

const outranked = { type: 'priority', value: priority(90), resign: PEER } as const;

test('a master that resigns says its new priority and goodbye, and is silent for a down timer at most', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, outranked), ['send 90', 'send 0']);
  assert.ok(bench.router.isResigning);
  assert.equal(bench.router.state, 'MASTER');
  assert.equal(bench.deadline, 0.5 + 3 + 166 / 256);
  assert.deepEqual(bench.timer(), ['send 90']);
  assert.ok(!bench.router.isResigning);
});

test('it yields to the better one without a last word: that one has announced after ours', () => {
  const bench = master();
  bench.feed(0.5, outranked);
  assert.deepEqual(bench.hear(1, 100), ['disown', 'MASTER>BACKUP resign', 'master 10.0.0.2 100']);
});

test('it answers a lesser one and goes on as before', () => {
  const bench = master();
  bench.feed(0.5, outranked);
  assert.deepEqual(bench.hear(1, 50, OTHER), ['send 90', 'announce']);
  assert.equal(bench.deadline, 2);
  assert.ok(!bench.router.isResigning);
});

test('a priority that rises resigns to nobody', () => {
  const bench = master();
  assert.deepEqual(bench.feed(0.5, { ...outranked, value: priority(120) }), ['send 120']);
});

// Deafness

test('a deaf BACKUP does not believe in silence, but in a goodbye', () => {
  const bench = backup();
  bench.feed(0, { type: 'deaf', until: instant(seconds(40)) });
  assert.equal(bench.deadline, 40);
  bench.hear(10, 0);
  assert.equal(bench.deadline, 10 + SKEW);
});

test('a priority that changes meanwhile ends no deafness', () => {
  const bench = backup();
  bench.feed(0, { type: 'deaf', until: instant(seconds(40)) });
  bench.feed(1, setPriority(250));
  assert.equal(bench.deadline, 40);
});

test('a lower advert ends deafness: from it a down timer runs', () => {
  const bench = backup();
  bench.feed(0, { type: 'deaf', until: instant(seconds(40)) });
  bench.hear(10, 50);
  assert.equal(bench.deadline, 10 + DOWN);
  bench.hear(11, 50);
  assert.equal(bench.deadline, 10 + DOWN);
});

test('deafness that ends before the down timer changes nothing', () => {
  const bench = backup();
  bench.feed(0, { type: 'deaf', until: instant(seconds(2)) });
  assert.equal(bench.deadline, DOWN);
  bench.feed(3, { type: 'alive' });
  assert.equal(bench.deadline, DOWN);
});

test('an owner that ignores adverts yields to nobody, and as one that leaves waits for its successor', () => {
  const bench = master({ priority: priority(255), ownerIgnoresAdverts: true });
  assert.deepEqual(bench.hear(0.2, 255, ip('10.0.0.200')), ['drop not-listening']);
  assert.deepEqual(bench.hear(0.3, 0), ['drop not-listening']);
  bench.feed(0.5, stop());
  assert.deepEqual(bench.hear(1, 100), ['disown', 'LEAVING>INIT successor-heard']);
});
