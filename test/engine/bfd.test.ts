// BFD sessions in whole engines in virtual time: who gets a packet, what a reload leaves alone, what routers make of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, emptyPacket, encode, PACKET_LENGTH } from '../../core/bfd/packet.ts';
import type { ControlPacket } from '../../core/bfd/types.ts';
import type { BfdConfig, InstanceConfig, Track } from '../../core/config/model.ts';
import type { BfdSnapshot, EngineConfig, EngineEvent } from '../../core/engine/messages.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { millis, priority, seconds, vrid } from '../../core/units.ts';
import { instance } from './instances.ts';
import { SimulatedLan, type SimulatedNode } from './simulated-lan.ts';

const ONE = '10.0.0.1';
const TWO = '10.0.0.2';

const session = (neighbor: string, changes: Partial<BfdConfig> = {}): BfdConfig => ({
  name: 'gw',
  neighbor: ip(neighbor),
  source: undefined,
  minReceive: millis(10),
  minTransmit: millis(10),
  idleTransmit: seconds(1),
  multiplier: 3,
  passive: false,
  ttl: 255,
  maxHops: 0,
  multihop: false,
  weight: 0,
  reverse: false,
  ...changes,
});

const track = (weight = 0, reverse = false): readonly Track[] => [{ name: 'gw', weight, reverse }];

type BfdTransition = Extract<EngineEvent, { type: 'bfd-transition' }>;
const bfdEvents = (node: SimulatedNode): readonly BfdTransition[] =>
  node.events.filter((event) => event.type === 'bfd-transition');

function snapshotOf(lan: SimulatedLan, node: SimulatedNode) {
  node.send({ type: 'snapshot', id: 1 });
  lan.run(millis(1));
  const found = node.events.findLast((event) => event.type === 'snapshot');
  if (found === undefined) throw new Error('no snapshot');
  return found;
}

const sessionOf = (lan: SimulatedLan, node: SimulatedNode): BfdSnapshot => snapshotOf(lan, node).bfds![0]!;
const effective = (lan: SimulatedLan, node: SimulatedNode) => snapshotOf(lan, node).instances[0]!.effectivePriority;

/** A router with a session to a machine that only answers. */
function pair(changes: Partial<InstanceConfig> = {}, options: Partial<EngineConfig> = {}) {
  const lan = new SimulatedLan();
  const one = lan.add(ONE);
  const two = lan.add(TWO);
  one.configure([instance({ trackBfds: track(), ...changes })], { bfds: [session(TWO)], ...options });
  two.configure([], { bfds: [session(ONE)] });
  return { lan, one, two };
}

function cut(lan: SimulatedLan, node: SimulatedNode): void {
  lan.wire.loses = (from, to) => from === node.address || to === node.address;
}

describe('what a router makes of a session it tracks', () => {
  test('it waits in FAULT until the session has come up, and takes part from then on', () => {
    const { lan, one, two } = pair();
    cut(lan, two);
    lan.run(millis(1));
    assert.equal(one.state(), 'FAULT', 'from the beginning');
    lan.run(seconds(5));
    assert.equal(one.transitions.at(-1)!.detail, 'BFD session gw failed: 10.0.0.2: no answer yet');
    lan.wire.loses = () => false;
    lan.run(seconds(8));
    assert.equal(one.state(), 'MASTER');
    assert.ok(one.holds('10.0.0.100'));
  });

  test('it lets go within the detection time when the neighbour falls silent, and says why', () => {
    const { lan, one, two } = pair();
    lan.run(seconds(8));
    assert.equal(one.state(), 'MASTER');
    two.stopped = true;
    assert.ok(lan.runUntil(() => one.state() === 'FAULT', millis(30.2)));
    assert.equal(one.transitions.at(-1)!.detail, 'BFD session gw failed: 10.0.0.2: control detection time expired');
    assert.ok(!one.holds('10.0.0.100'));
    const { session: name, neighbor, from, to, why } = bfdEvents(one).at(-1)!;
    assert.deepEqual([name, neighbor, from, to, why], ['gw', TWO, 'Up', 'Down', 'control detection time expired']);
  });

  test('a neighbour that ends its session on purpose changes nothing (RFC 5882 §4.2)', () => {
    const { lan, one, two } = pair();
    lan.run(seconds(8));
    two.configure([], { bfds: [] });
    lan.run(seconds(10));
    assert.equal(bfdEvents(one).at(-1)!.why, 'neighbor is administratively down');
    assert.equal(one.state(), 'MASTER');
    two.configure([], { bfds: [session(ONE)] });
    lan.run(seconds(5));
    two.stopped = true;
    lan.run(seconds(1));
    assert.equal(one.state(), 'FAULT', 'a real failure afterwards counts');
  });

  const weights: readonly (readonly [weight: number, reverse: boolean, up: number, down: number])[] = [
    [20, false, 120, 100],
    [-20, false, 100, 80],
    [20, true, 80, 100],
    [-20, true, 100, 120],
  ];
  for (const [weight, reverse, up, down] of weights)
    test(`weight ${weight}${reverse ? ' reverse' : ''}: priority ${up} while up, ${down} while down`, () => {
      const { lan, one, two } = pair({ trackBfds: track(weight, reverse) });
      lan.run(seconds(5));
      assert.equal(effective(lan, one), up);
      cut(lan, two);
      lan.run(seconds(1));
      assert.equal(effective(lan, one), down);
    });

  test('weight 0 reverse: a session that is up is the fault', () => {
    const { lan, one, two } = pair({ trackBfds: track(0, true) });
    lan.run(seconds(5));
    assert.equal(one.state(), 'FAULT');
    cut(lan, two);
    lan.run(seconds(5));
    assert.equal(one.state(), 'MASTER');
  });

  test('what a sync group tracks concerns all its members, also when only a reload says so', () => {
    const other = { name: 'VI_2', vrid: vrid(52), trackBfds: [] };
    const { lan, one, two } = pair();
    const instances = [instance({ trackBfds: [] }), instance(other)];
    const group = { name: 'G', members: ['VI_1', 'VI_2'] };
    one.configure(instances, { bfds: [session(TWO)], groups: [group] });
    lan.run(seconds(8));
    cut(lan, two);
    lan.run(seconds(1));
    assert.deepEqual([one.state('VI_1'), one.state('VI_2')], ['MASTER', 'MASTER']);
    one.configure(instances, { bfds: [session(TWO)], groups: [{ ...group, trackBfds: track() }] });
    lan.run(seconds(1));
    assert.deepEqual([one.state('VI_1'), one.state('VI_2')], ['FAULT', 'FAULT']);
    lan.wire.loses = () => false;
    lan.run(seconds(3));
    assert.ok(
      [one.state('VI_1'), one.state('VI_2')].every((state) => state !== 'FAULT'),
      'it is up again',
    );
  });
});

describe('a reload', () => {
  test('leaves sessions alone that stay what they are', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    const before = sessionOf(lan, one);
    one.configure([instance({ trackBfds: track(), priority: priority(150) })], { bfds: [session(TWO)] });
    lan.run(seconds(5));
    const now = sessionOf(lan, one);
    assert.equal(now.discriminator, before.discriminator);
    assert.equal(now.wentDown, 0);
    assert.equal(one.state(), 'MASTER');
  });

  test('agrees on other intervals without a break', () => {
    const { lan, one, two } = pair();
    lan.run(seconds(8));
    one.configure([instance({ trackBfds: track() })], {
      bfds: [session(TWO, { minTransmit: millis(50), minReceive: millis(40), multiplier: 5 })],
    });
    lan.run(seconds(3));
    assert.deepEqual([sessionOf(lan, one).transmitInterval, sessionOf(lan, one).detectionTime], [50_000, 120_000]);
    assert.equal(sessionOf(lan, two).detectionTime, 250_000);
    assert.deepEqual([bfdEvents(one).length, bfdEvents(two).length], [1, 1]);
  });

  test('says goodbye for a session that is removed', () => {
    const { lan, one, two } = pair();
    lan.run(seconds(8));
    one.configure([instance()], { bfds: [] });
    lan.run(millis(1));
    const { payload } = one.datagrams.sent.at(-1)!;
    const packet = emptyPacket();
    decode(payload, packet);
    assert.deepEqual([packet.state, packet.diagnostic], ['AdminDown', 7]);
    assert.equal(bfdEvents(two).at(-1)!.to, 'Down');
    assert.deepEqual([one.datagrams.senders, one.datagrams.listeners.size], [0, 0], 'nothing stays open');
  });

  test('gives a session that it brings three idle intervals before a running router suffers from it', () => {
    const lan = new SimulatedLan();
    const one = lan.add(ONE);
    one.configure([instance()]);
    lan.run(seconds(8));
    one.configure([instance({ trackBfds: track() })], { bfds: [session(TWO)] });
    lan.run(seconds(2.9));
    assert.equal(one.state(), 'MASTER');
    lan.run(seconds(0.2));
    assert.equal(one.state(), 'FAULT');
  });

  test('and none once the session has been up', () => {
    const lan = new SimulatedLan();
    const one = lan.add(ONE);
    const two = lan.add(TWO);
    two.configure([], { bfds: [session(ONE)] });
    one.configure([instance()]);
    lan.run(seconds(8));
    one.configure([instance({ trackBfds: track() })], { bfds: [session(TWO)] });
    assert.ok(lan.runUntil(() => bfdEvents(one).length > 0, seconds(1.5)));
    lan.run(millis(100));
    cut(lan, two);
    lan.run(seconds(1));
    assert.equal(one.state(), 'FAULT');
  });

  test('a neighbour that changes its address begins a new session', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    const before = sessionOf(lan, one).discriminator;
    one.configure([instance({ trackBfds: track() })], { bfds: [session('10.0.0.3')] });
    lan.run(seconds(1));
    assert.notEqual(sessionOf(lan, one).discriminator, before);
    assert.equal(sessionOf(lan, one).state, 'Down');
    assert.equal(one.state(), 'MASTER', 'for three idle intervals');
    lan.run(seconds(3));
    assert.equal(one.state(), 'FAULT');
  });
});

describe('sockets', () => {
  test('RFC 5881 §4: ports 49152 and up to 3784, one source port a session; a hundred sessions share one listener', () => {
    const lan = new SimulatedLan();
    const one = lan.add(ONE);
    const bfds = Array.from({ length: 100 }, (_, i) => session(`10.0.1.${i + 1}`, { name: `s${i}` }));
    one.configure([instance()], { bfds });
    lan.run(seconds(3));
    assert.deepEqual([...one.datagrams.listeners.keys()], ['4 3784']);
    const ports = new Set(one.datagrams.sent.map(({ spec }) => spec.sourcePort));
    assert.equal(ports.size, 100);
    assert.ok([...ports].every((port) => port >= 49_152 && port <= 65_535));
    assert.ok(one.datagrams.sent.every(({ spec }) => spec.port === 3784 && spec.ttl === 255));
  });

  test('RFC 5883 §5: multihop goes to port 4784, and counts hops from the TTL', () => {
    const { lan, one, two } = pair({}, { bfds: [session(TWO, { multihop: true, maxHops: 2 })] });
    two.configure([], { bfds: [session(ONE, { multihop: true, maxHops: 2 })] });
    lan.wire.hops = 2;
    lan.run(seconds(5));
    assert.deepEqual([...one.datagrams.listeners.keys()], ['4 4784']);
    assert.equal(sessionOf(lan, one).state, 'Up');
    lan.wire.hops = 3;
    lan.run(seconds(1));
    assert.equal(sessionOf(lan, one).state, 'Down');
    assert.ok(sessionOf(lan, one).drops.ttl! > 0);
  });

  test('multihop without a limit takes packets from any distance', () => {
    const far = { multihop: true, maxHops: -1 };
    const { lan, one, two } = pair({}, { bfds: [session(TWO, far)] });
    two.configure([], { bfds: [session(ONE, far)] });
    lan.wire.hops = 200;
    lan.run(seconds(5));
    assert.equal(sessionOf(lan, one).state, 'Up');
  });

  test('one neighbour may have a session of each kind', () => {
    const kinds = (neighbor: string) => [
      session(neighbor),
      session(neighbor, { name: 'far', multihop: true, maxHops: -1 }),
    ];
    const { lan, one, two } = pair({}, { bfds: kinds(TWO) });
    two.configure([], { bfds: kinds(ONE).toReversed() });
    lan.run(seconds(5));
    assert.deepEqual(
      snapshotOf(lan, one).bfds!.map(({ state, drops }) => [state, drops]),
      [
        ['Up', {}],
        ['Up', {}],
      ],
    );
  });

  test('a port that somebody else has is told once, and taken when it is free', () => {
    const { lan, one } = pair();
    one.datagrams.refuses.set(3784, 'EADDRINUSE');
    lan.run(seconds(5));
    const told = one.events.filter((event) => event.type === 'log' && event.text.includes('EADDRINUSE'));
    assert.equal(told.length, 1);
    assert.match((told[0] as { text: string }).text, /3784.*another BFD daemon runs here/);
    one.datagrams.refuses.clear();
    lan.run(seconds(8));
    assert.equal(one.state(), 'MASTER');
  });

  test('a source address that is not there yet is waited for', () => {
    const { lan, one } = pair();
    one.datagrams.refuses.set('sender', 'EADDRNOTAVAIL');
    lan.run(seconds(5));
    assert.equal(sessionOf(lan, one).trouble, 'EADDRNOTAVAIL');
    one.datagrams.refuses.clear();
    lan.run(seconds(3));
    assert.deepEqual([sessionOf(lan, one).state, sessionOf(lan, one).trouble], ['Up', '']);
  });
});

describe('RFC 5880 §6.8.6 and RFC 5881 §5: packets that must change nothing', () => {
  /** One that would bring the session down if it counted. */
  function forged(fields: Partial<ControlPacket> = {}): Uint8Array {
    const bytes = new Uint8Array(PACKET_LENGTH);
    encode({ ...emptyPacket(), state: 'Down', myDiscriminator: 666, ...fields }, bytes);
    return bytes;
  }
  const drops = (node: SimulatedNode) =>
    node.events.flatMap((event) =>
      event.type === 'log' ? [/BFD packets dropped: (\S+?),? /.exec(event.text)?.[1]] : [],
    );

  const strangers: readonly (readonly [what: string, why: string, port: number, from: string, fields: object])[] = [
    ['a source that nobody here has a session with', 'unknown-session', 3784, '10.0.0.9', {}],
    ['a TTL below 255', 'ttl', 3784, TWO, { ttl: 254 }],
    ['another address of ours than the session’s', 'unknown-session', 3784, TWO, { destination: '10.0.0.77' }],
    ['the port of multihop sessions', 'unknown-session', 4784, TWO, {}],
    ['bytes that are no packet', 'too-short', 3784, TWO, { payload: new Uint8Array(5) }],
  ];
  for (const [what, why, port, from, fields] of strangers)
    test(what, () => {
      const two = [session(TWO, { source: ip(ONE) }), session('10.0.0.50', { name: 'far', multihop: true })];
      const { lan, one } = pair({}, { bfds: two });
      lan.run(seconds(8));
      for (let i = 0; i < 3; i++) {
        one.datagrams.inject(port, { payload: forged(), source: ip(from), ...(fields as { destination?: IpAddress }) });
        lan.run(millis(20));
      }
      assert.equal(one.state(), 'MASTER');
      assert.equal(sessionOf(lan, one).wentDown, 0);
      assert.deepEqual(drops(one), [why], 'told once');
    });

  test('a discriminator that is not ours', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    one.datagrams.inject(3784, { payload: forged({ yourDiscriminator: 12_345 }), source: ip(TWO) });
    lan.run(millis(20));
    assert.deepEqual([one.state(), drops(one)], ['MASTER', ['unknown-session']]);
  });

  test('a discriminator of a session of the other kind: its rules about distance are not a way round these', () => {
    const bfds = [session(TWO), session('10.0.0.50', { name: 'far', multihop: true })];
    const { lan, one } = pair({}, { bfds });
    lan.run(seconds(8));
    const yourDiscriminator = sessionOf(lan, one).discriminator;
    one.datagrams.inject(4784, { payload: forged({ yourDiscriminator }), source: ip(TWO) });
    lan.run(millis(20));
    assert.deepEqual([one.state(), drops(one)], ['MASTER', ['unknown-session']]);
  });

  test('the same packet without a flaw does count: the cases above are about their flaws', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    one.datagrams.inject(3784, { payload: forged(), source: ip(TWO) });
    lan.run(millis(1));
    assert.equal(bfdEvents(one).filter(({ to }) => to === 'Down').length, 1);
  });

  test('RFC 5880 §6.3: a packet with our discriminator may come from another address', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    const { discriminator } = sessionOf(lan, one);
    one.datagrams.inject(3784, {
      payload: forged({ state: 'AdminDown', yourDiscriminator: discriminator }),
      source: ip('10.0.0.9'),
    });
    lan.run(millis(1));
    assert.equal(bfdEvents(one).filter(({ to }) => to === 'Down').length, 1);
  });

  test('a flood makes no turn endless, and no deadline late', () => {
    const { lan, one } = pair();
    lan.run(seconds(8));
    for (let i = 0; i < 20_000; i++) one.datagrams.inject(3784, { payload: forged(), source: ip('10.0.0.9') });
    const before = one.datagrams.sent.length;
    let turns = 0;
    while (one.datagrams.next <= lan.now && turns < 100) {
      one.turn();
      turns++;
    }
    assert.ok(turns >= 19, `${turns} turns for 20,000 datagrams`);
    lan.run(millis(100));
    assert.ok(one.datagrams.sent.length - before >= 9);
    assert.deepEqual([one.state(), drops(one)], ['MASTER', ['unknown-session']]);
  });
});

test('late is not lost: packets that waited while we did not run keep the session up', () => {
  // The neighbour waits for 200 ms of our silence, we for 30 ms of its.
  const { lan, one } = pair({}, { bfds: [session(TWO, { multiplier: 20 })] });
  lan.run(seconds(8));
  one.stopped = true;
  lan.run(millis(100));
  one.stopped = false;
  lan.run(seconds(1));
  assert.deepEqual(
    bfdEvents(one).map(({ to }) => to),
    ['Up'],
  );
  one.stopped = true;
  lan.run(millis(300));
  one.stopped = false;
  lan.run(seconds(3));
  assert.equal(bfdEvents(one)[1]?.why, 'neighbor signaled session down', 'it heard that it had been given up');
  assert.equal(sessionOf(lan, one).state, 'Up');
});

test('silence is counted from when a packet arrived, not from when it was read', () => {
  const { lan, one, two } = pair({}, { bfds: [session(TWO, { multiplier: 50 })] });
  lan.run(seconds(8));
  one.stopped = true;
  lan.run(millis(15));
  two.stopped = true;
  lan.run(millis(40));
  one.stopped = false;
  lan.run(millis(1));
  assert.equal(bfdEvents(one).at(-1)!.why, 'control detection time expired');
});

test('an engine that ends says goodbye', () => {
  const { lan, one, two } = pair();
  lan.run(seconds(8));
  one.send({ type: 'stop', immediate: true });
  lan.run(seconds(1));
  assert.ok(one.engine.done);
  assert.equal(bfdEvents(two).at(-1)!.why, 'neighbor is administratively down');
});
