// The BFD session against the sentences of RFC 5880: states, polls, timers, jitter, silence.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { emptyPacket } from '../../core/bfd/packet.ts';
import type { BfdState, ControlPacket, SessionParameters } from '../../core/bfd/types.ts';
import { between, micros, millis, seconds } from '../../core/units.ts';
import { chance, End, Wire } from './wire.ts';

/** One session and a neighbour that says what it is told to. */
function alone(parameters: Partial<SessionParameters> = {}, random: () => number = () => 0.5) {
  const end = new End(7, parameters, random);
  const wire = new Wire(end, new End(9));
  wire.b.stopped = true;
  wire.feed(end, { type: 'start' });
  const hear = (state: BfdState, fields: Partial<ControlPacket> = {}): void => {
    const packet: ControlPacket = {
      ...emptyPacket(),
      state,
      detectMultiplier: 3,
      myDiscriminator: 9,
      yourDiscriminator: 7,
      desiredMinTransmit: millis(10),
      requiredMinReceive: millis(10),
      ...fields,
    };
    wire.feed(end, { type: 'packet', packet });
  };
  const reach = (state: BfdState): void => {
    if (state === 'Init' || state === 'Up') hear('Down', { yourDiscriminator: 0 });
    if (state === 'Up') hear('Up');
    if (state === 'AdminDown') wire.feed(end, { type: 'shutdown' });
    assert.equal(end.state, state);
  };
  return { end, wire, hear, reach, last: () => end.sent.at(-1)!.packet };
}

describe('§6.2 and §6.8.6: the state machine', () => {
  const table: readonly (readonly [from: BfdState, heard: BfdState, to: BfdState, diagnostic?: number])[] = [
    ['Down', 'AdminDown', 'Down'],
    ['Down', 'Down', 'Init', 0],
    ['Down', 'Init', 'Up', 0],
    ['Down', 'Up', 'Down'],
    ['Init', 'AdminDown', 'Down', 3],
    ['Init', 'Down', 'Init'],
    ['Init', 'Init', 'Up', 0],
    ['Init', 'Up', 'Up', 0],
    ['Up', 'AdminDown', 'Down', 3],
    ['Up', 'Down', 'Down', 3],
    ['Up', 'Init', 'Up'],
    ['Up', 'Up', 'Up'],
    ['AdminDown', 'Down', 'AdminDown'],
    ['AdminDown', 'Init', 'AdminDown'],
    ['AdminDown', 'Up', 'AdminDown'],
  ];
  for (const [from, heard, to, diagnostic] of table)
    test(`${from} that hears ${heard} is ${to}`, () => {
      const { end, hear, reach } = alone();
      reach(from);
      const before = end.changes.length;
      hear(heard);
      assert.equal(end.state, to);
      if (diagnostic === undefined) assert.equal(end.changes.length, before);
      else assert.equal(end.changes.at(-1)!.diagnostic, diagnostic);
    });

  test('a session that is administratively down discards what it hears', () => {
    const { end, hear, reach } = alone();
    reach('AdminDown');
    hear('Down');
    assert.deepEqual(end.drops, ['admin-down']);
  });

  test('§6.8.7: a change of state is told at once', () => {
    const { end, hear, last } = alone();
    const before = end.sent.length;
    hear('Down', { yourDiscriminator: 0 });
    assert.equal(end.sent.length, before + 1);
    assert.equal(last().state, 'Init');
    assert.equal(last().yourDiscriminator, 9);
  });

  test('§6.8.16: going administratively down is said, with its diagnostic', () => {
    const { reach, wire, end, last } = alone();
    reach('Up');
    wire.feed(end, { type: 'shutdown' });
    assert.equal(last().state, 'AdminDown');
    assert.equal(last().diagnostic, 7);
  });

  test('a neighbour that begins anew with another discriminator is not taken for the old one', () => {
    const { end, hear, reach, last } = alone();
    reach('Up');
    hear('Down', { myDiscriminator: 77, yourDiscriminator: 0 });
    assert.equal(end.state, 'Down');
    hear('Down', { myDiscriminator: 77, yourDiscriminator: 7 });
    assert.equal(end.state, 'Init');
    assert.equal(last().yourDiscriminator, 77);
  });
});

describe('§6.8.4: silence', () => {
  test('the detection time is the neighbour’s multiplier times the slower of what it sends and what we can receive', () => {
    const { end, hear, reach } = alone({ minReceive: millis(50) });
    reach('Up');
    hear('Up', { detectMultiplier: 4, desiredMinTransmit: millis(20) });
    assert.equal(end.session.detectionTime, millis(200));
    hear('Up', { detectMultiplier: 4, desiredMinTransmit: millis(80) });
    assert.equal(end.session.detectionTime, millis(320));
  });

  test('a session goes down when the detection time has passed, and not before', () => {
    const { end, wire, reach } = alone();
    reach('Up');
    const heard = wire.now;
    wire.run(micros(29_999));
    assert.equal(end.state, 'Up');
    wire.run(micros(2));
    assert.equal(end.state, 'Down');
    assert.equal(end.changes.at(-1)!.diagnostic, 1);
    assert.equal(between(heard, end.changes.at(-1)!.at), millis(30));
  });

  test('§6.8.1: after a detection time the discriminator of the neighbour is forgotten', () => {
    const { wire, reach, last } = alone();
    reach('Up');
    wire.run(millis(31));
    assert.equal(last().yourDiscriminator, 0);
    assert.equal(last().state, 'Down');
  });

  test('Init ends by silence, too', () => {
    const { end, wire, reach } = alone();
    reach('Init');
    wire.run(seconds(2));
    assert.equal(end.state, 'Down');
    assert.equal(end.changes.at(-1)!.diagnostic, 1);
  });
});

describe('§6.8.7: when packets are sent', () => {
  const gaps = (end: End, from: number): readonly number[] =>
    end.sent.slice(from).map(({ at }, i, all) => (i === 0 ? Number.NaN : between(all[i - 1]!.at, at)));

  test('a session that is not up sends a packet a second at most, whatever was configured', () => {
    const { end, wire } = alone({ idleTransmit: millis(1) }, chance(3));
    wire.run(seconds(60));
    const between = gaps(end, 1).slice(1);
    assert.ok(between.length > 50);
    assert.ok(between.every((gap) => gap >= 750_000 && gap <= 1_000_000));
    assert.ok(end.sent.every(({ packet }) => packet.desiredMinTransmit === seconds(1)));
  });

  for (const [multiplier, least, most] of [
    [3, 7_500, 10_000],
    [1, 7_500, 9_000],
  ] as const)
    test(`intervals are jittered: ${least} to ${most} µs of 10,000 with multiplier ${multiplier}`, () => {
      const random = chance(11);
      const wire = new Wire(new End(1, { multiplier }, random), new End(2)).up();
      const from = wire.a.sent.length;
      wire.run(seconds(10));
      const all = gaps(wire.a, from).slice(1);
      assert.ok(all.length > 900);
      // A deadline is kept as planned, so a gap may miss its bounds by what floats lose.
      assert.ok(
        all.every((gap) => gap > least - 1 && gap < most + 1),
        `${Math.min(...all)} to ${Math.max(...all)}`,
      );
      const mean = all.reduce((sum, gap) => sum + gap, 0) / all.length;
      assert.ok(Math.abs(mean - (least + most) / 2) < 200, `the mean is ${mean}`);
    });

  test('the interval is the slower of what we want and what the neighbour can receive', () => {
    const { end, hear, reach } = alone();
    reach('Up');
    hear('Up', { requiredMinReceive: millis(40) });
    assert.equal(end.session.transmitInterval, millis(40));
    hear('Up', { requiredMinReceive: millis(5) });
    assert.equal(end.session.transmitInterval, millis(10));
  });

  test('§6.8.3: a neighbour that can receive faster is served faster at once', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    hear('Up', { requiredMinReceive: seconds(2), detectMultiplier: 255 });
    wire.run(millis(500));
    hear('Up', { requiredMinReceive: millis(10), detectMultiplier: 255 });
    const before = end.sent.length;
    wire.run(micros(1));
    assert.equal(end.sent.length, before + 1);
  });

  test('a neighbour that wants no packets gets none', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    hear('Up', { requiredMinReceive: micros(0), detectMultiplier: 255, desiredMinTransmit: seconds(1), final: true });
    const before = end.sent.length;
    wire.run(seconds(10));
    assert.equal(end.sent.length, before);
  });

  test('§6.6: a neighbour in demand mode gets none once both are up and nothing is to be agreed', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    hear('Up', { demand: true, detectMultiplier: 255, desiredMinTransmit: seconds(1), final: true });
    const before = end.sent.length;
    wire.run(seconds(10));
    assert.equal(end.sent.length, before);
    assert.equal(end.state, 'Up');
  });

  test('§6.6: a poll goes on even for a neighbour in demand mode', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    hear('Up', { demand: true, detectMultiplier: 255, desiredMinTransmit: seconds(1) });
    const before = end.sent.length;
    wire.run(millis(100));
    assert.ok(end.sent.length - before >= 9);
    assert.ok(end.sent.slice(before).every(({ packet }) => packet.poll));
  });

  test('a neighbour that wanted no packets and fell silent is spoken to again', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    hear('Up', { requiredMinReceive: micros(0) });
    wire.run(seconds(5));
    assert.ok(end.sent.filter(({ packet }) => packet.state === 'Down').length >= 4);
  });

  test('§6.1: a passive end is silent until it has been spoken to', () => {
    const wire = new Wire(new End(1, { passive: true }), new End(2));
    wire.b.stopped = true;
    wire.feed(wire.a, { type: 'start' });
    wire.run(seconds(10));
    assert.deepEqual(wire.a.sent, []);
    wire.b.stopped = false;
    wire.feed(wire.b, { type: 'start' });
    assert.ok(wire.until(() => wire.a.state === 'Up' && wire.b.state === 'Up', seconds(3)));
  });

  test('two passive ends never come up', () => {
    const wire = new Wire(new End(1, { passive: true }), new End(2, { passive: true })).start();
    wire.run(seconds(30));
    assert.deepEqual([wire.a.sent.length, wire.b.sent.length], [0, 0]);
  });

  test('packets come as planned although every timer is late: nothing adds up', () => {
    const { end, wire, hear, reach } = alone();
    reach('Up');
    const begin = wire.now;
    const before = end.sent.length;
    for (let i = 0; i < 1_000; i++) {
      hear('Up');
      wire.now = (end.session.deadline! + 300) as typeof wire.now;
      wire.feed(end, { type: 'timer' });
    }
    const mean = between(begin, wire.now) / (end.sent.length - before);
    assert.ok(Math.abs(mean - 8_750) < 5, `a packet each ${mean} µs`);
  });
});

describe('§6.5 and §6.8.3: polls', () => {
  test('a poll is answered at once, by a packet that polls nothing', () => {
    const { end, hear, reach } = alone();
    reach('Up');
    const before = end.sent.length;
    hear('Up', { poll: true });
    assert.equal(end.sent.length, before + 1);
    const { packet } = end.sent.at(-1)!;
    assert.ok(packet.final && !packet.poll);
  });

  test('coming up changes the interval, so it polls until it is answered', () => {
    const { end, wire, hear, reach, last } = alone();
    reach('Up');
    assert.ok(last().poll);
    assert.equal(last().desiredMinTransmit, millis(10));
    hear('Up', { final: true });
    wire.run(millis(11));
    assert.ok(!last().poll);
    assert.equal(end.state, 'Up');
  });

  test('up, a slower pace holds only when the neighbour has agreed', () => {
    const { end, wire, hear, reach, last } = alone();
    reach('Up');
    hear('Up', { final: true });
    wire.feed(end, { type: 'reconfigure', parameters: { ...end.session.parameters, minTransmit: millis(100) } });
    assert.ok(last().poll);
    assert.equal(last().desiredMinTransmit, millis(100));
    hear('Up');
    assert.equal(end.session.transmitInterval, millis(10));
    hear('Up', { final: true });
    assert.equal(end.session.transmitInterval, millis(100));
  });

  test('up, less patience holds only when the neighbour has agreed', () => {
    const { end, wire, hear, reach, last } = alone({ minReceive: millis(100) });
    reach('Up');
    hear('Up', { final: true });
    assert.equal(end.session.detectionTime, millis(300));
    wire.feed(end, { type: 'reconfigure', parameters: { ...end.session.parameters, minReceive: millis(10) } });
    assert.equal(last().requiredMinReceive, millis(10));
    assert.equal(end.session.detectionTime, millis(300));
    hear('Up', { final: true });
    assert.equal(end.session.detectionTime, millis(30));
  });

  test('a second change during a poll makes a second poll', () => {
    const { end, wire, hear, reach, last } = alone();
    reach('Up');
    wire.feed(end, { type: 'reconfigure', parameters: { ...end.session.parameters, minTransmit: millis(100) } });
    hear('Up', { final: true });
    wire.run(millis(11));
    assert.ok(last().poll, 'the answer was to the first');
    hear('Up', { final: true });
    assert.equal(end.session.transmitInterval, millis(100));
  });

  test('new intervals are agreed without a break', () => {
    const wire = new Wire(new End(1, {}, chance(1)), new End(2, {}, chance(2))).up();
    const changes = wire.a.changes.length + wire.b.changes.length;
    const slow = { ...wire.a.session.parameters, minTransmit: millis(200), minReceive: millis(300) };
    wire.feed(wire.a, { type: 'reconfigure', parameters: slow });
    wire.run(seconds(5));
    assert.equal(wire.a.session.transmitInterval, millis(200));
    assert.equal(wire.b.session.transmitInterval, millis(300));
    assert.equal(wire.b.session.detectionTime, millis(600));
    wire.feed(wire.a, {
      type: 'reconfigure',
      parameters: { ...slow, minTransmit: millis(10), minReceive: millis(10) },
    });
    wire.run(seconds(5));
    assert.equal(wire.a.session.detectionTime, millis(30));
    assert.equal(wire.b.session.detectionTime, millis(30));
    assert.equal(wire.a.changes.length + wire.b.changes.length, changes, 'nobody went down');
  });
});

describe('two sessions on a wire', () => {
  test('come up within a second round, and agree on the interval', () => {
    const wire = new Wire(new End(1), new End(2)).start();
    assert.ok(wire.until(() => wire.a.state === 'Up' && wire.b.state === 'Up', millis(2)));
    wire.run(seconds(2));
    assert.equal(wire.a.session.detectionTime, millis(30));
    assert.equal(wire.b.session.detectionTime, millis(30));
    assert.ok(![...wire.a.sent.slice(-5), ...wire.b.sent.slice(-5)].some(({ packet }) => packet.poll));
  });

  test('one that stops is noticed within the detection time, and comes back by itself', () => {
    const wire = new Wire(new End(1, {}, chance(5)), new End(2, {}, chance(6))).up();
    wire.b.stopped = true;
    const stopped = wire.now;
    assert.ok(
      wire.until(() => wire.a.state === 'Down', millis(31)),
      `still up after ${between(stopped, wire.now)}`,
    );
    wire.run(seconds(3));
    wire.b.stopped = false;
    assert.ok(
      wire.until(() => wire.b.state === 'Down', micros(1)),
      'it finds its own silence first',
    );
    assert.ok(wire.until(() => wire.a.state === 'Up' && wire.b.state === 'Up', seconds(3)));
  });

  test('a wire cut one way brings both down: the deaf end by silence, the other by being told', () => {
    const wire = new Wire(new End(1, {}, chance(5)), new End(2, {}, chance(6))).up();
    wire.a.loses = () => true;
    wire.run(millis(100));
    assert.deepEqual([wire.b.changes.at(-1)!.to, wire.b.changes.at(-1)!.diagnostic], ['Down', 1]);
    assert.deepEqual([wire.a.changes.at(-1)!.diagnostic, wire.a.state], [3, 'Down']);
  });

  test('fewer losses in a row than the multiplier change nothing', () => {
    const lossy = new End(1, {}, chance(8));
    const wire = new Wire(lossy, new End(2, {}, chance(9))).up();
    const changes = wire.b.changes.length;
    let i = 0;
    lossy.loses = () => i++ % 3 !== 0; // two of three
    wire.run(seconds(20));
    assert.equal(wire.b.changes.length, changes);
  });

  test('whatever is lost and however long, they are up again soon after the wire is whole', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (seed, lossA, lossB, multiplier, passive) => {
          const random = chance(seed);
          const wire = new Wire(new End(1, { multiplier, passive }, random), new End(2, {}, random)).start();
          wire.a.loses = () => random() < lossA;
          wire.b.loses = () => random() < lossB;
          wire.run(seconds(20));
          wire.a.loses = wire.b.loses = () => false;
          // A detection time that was agreed at a packet a second may have to pass first.
          assert.ok(wire.until(() => wire.a.state === 'Up' && wire.b.state === 'Up', seconds(260)));
          wire.run(seconds(3));
          const changes = wire.a.changes.length + wire.b.changes.length;
          wire.run(seconds(5));
          assert.equal(wire.a.changes.length + wire.b.changes.length, changes, 'and stay so');
        },
      ),
      { numRuns: 60 },
    );
  });
});
