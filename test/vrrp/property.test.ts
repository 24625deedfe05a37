// What must hold whatever comes: random bytes, damaged packets, events in any order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { after, type Instant, instant, millis, priority, seconds } from '../../core/units.ts';
import { admit, type ReceiveRules } from '../../core/vrrp/admission.ts';
import { decode, type Envelope, encode, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import { VrrpRouter } from '../../core/vrrp/router.ts';
import type { RouterConfig, RouterEvent, RouterState } from '../../core/vrrp/types.ts';
import { CONFIG, OTHER, PEER } from './bench.ts';

const RULES: ReceiveRules = {
  version: 3,
  interval: CONFIG.interval,
  authData: undefined,
  group: VRRP_GROUP[4],
  peers: new Map(),
  onlyPeers: true,
  strictAddressList: false,
  addresses: CONFIG.addresses,
};

const source = fc.constantFrom<IpAddress>(PEER, OTHER, CONFIG.source, ip('9.9.9.9'), ip('10.0.0.200'));
const anyPriority = fc.integer({ min: 0, max: 255 }).map(priority);

const config: fc.Arbitrary<RouterConfig> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    priority: fc.oneof(fc.constantFrom(1, 100, 254, 255), fc.integer({ min: 1, max: 255 })).map(priority),
    interval: fc.constantFrom(seconds(1), seconds(2), seconds(10)),
    preempt: fc.boolean(),
    preemptDelay: fc.constantFrom(seconds(0), seconds(3)),
    downTimerAdverts: fc.constantFrom(1, 3, 100),
    answerLowerPriority: fc.boolean(),
    advertiseBeforeYielding: fc.boolean(),
    makeBeforeBreak: fc.boolean(),
    grouped: fc.boolean(),
    fastHandover: fc.boolean(),
    ownerIgnoresAdverts: fc.boolean(),
  })
  .map((some) => ({ ...CONFIG, ...some }));

const advertisement = fc
  .record({
    from: source,
    priority: anyPriority,
    interval: fc.constantFrom(millis(10), seconds(1), seconds(2), millis(40_950)),
    version: fc.constantFrom(2 as const, 3 as const),
  })
  .map(({ from, ...ad }): RouterEvent => ({ type: 'advertisement', from, ad: { ...CONFIG, ...ad } }));

const event: fc.Arbitrary<RouterEvent> = fc.oneof(
  { weight: 6, arbitrary: advertisement },
  { weight: 6, arbitrary: fc.constant<RouterEvent>({ type: 'timer' }) },
  fc.constant<RouterEvent>({ type: 'startup' }),
  fc.boolean().map((immediate): RouterEvent => ({ type: 'shutdown', immediate })),
  fc.integer({ min: 1, max: 254 }).map((value): RouterEvent => ({ type: 'priority', value: priority(value) })),
  fc
    .record({ value: fc.integer({ min: 1, max: 254 }).map(priority), resign: source })
    .map((outranked): RouterEvent => ({ type: 'priority', ...outranked })),
  fc.nat(120_000_000).map((until): RouterEvent => ({ type: 'deaf', until: instant(until) })),
  fc.constant<RouterEvent>({ type: 'alive' }),
  source.map((address): RouterEvent => ({ type: 'source', address })),
  fc.constant<RouterEvent>({ type: 'fault', why: 'check' }),
  fc.constant<RouterEvent>({ type: 'recovered' }),
  fc
    .record({ reason: fc.constantFrom('stalled' as const, 'fenced' as const), announceLeave: fc.boolean() })
    .map((withdraw): RouterEvent => ({ type: 'withdraw', ...withdraw })),
  fc.constantFrom('MASTER' as const, 'BACKUP' as const).map((state): RouterEvent => ({ type: 'group', state })),
  config.map((changed): RouterEvent => ({ type: 'reconfigure', config: changed })),
);

/** A step waits some microseconds, or until the deadline, before its event. */
const step = fc.record({ event, wait: fc.oneof(fc.constant('deadline' as const), fc.nat(5_000_000)) });

test('events in any order at any time keep the invariants of the state machine', () => {
  fc.assert(
    fc.property(config, fc.array(step, { maxLength: 80 }), (first, steps) => {
      const router = new VrrpRouter(first);
      let now = instant(0);
      let owns = false;
      let told: RouterState = 'INIT';
      for (const { event, wait } of steps) {
        const at: number = wait === 'deadline' ? Math.max(router.deadline ?? now, now) : now + wait;
        now = at as Instant;
        const before = { state: router.state, deadline: router.deadline };
        const effects = router.handle(event, now);
        for (const effect of effects) {
          if (effect.type === 'own' || effect.type === 'disown') {
            assert.equal(owns, effect.type === 'disown', 'own and disown alternate');
            owns = effect.type === 'own';
          }
          if (effect.type === 'transition') {
            assert.equal(effect.from, told, 'transitions join up');
            assert.notEqual(effect.to, effect.from);
            told = effect.to;
          }
          if (effect.type === 'send') assert.ok(effect.ad.priority > 0 || before.state === 'MASTER');
          if (effect.type === 'announce') assert.equal(router.state, 'MASTER');
        }
        const { state, deadline } = router;
        assert.equal(told, state);
        assert.equal(owns, state === 'MASTER' || state === 'LEAVING');
        assert.equal(deadline === undefined, state === 'INIT' || state === 'FAULT');
        if (deadline !== undefined) assert.ok(Number.isFinite(deadline));
        const mute = (each: RouterState) => each === 'INIT' || each === 'FAULT';
        if (mute(before.state) && mute(state)) assert.ok(effects.every(({ type }) => type !== 'send'));
        if (event.type === 'timer') {
          const due = before.deadline !== undefined && before.deadline <= now;
          if (due) assert.ok(deadline === undefined || deadline > now, 'a timer never spins');
          else assert.deepEqual([effects, state, deadline], [[], before.state, before.deadline]);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('damaged packets never throw, and what is refused changes neither state nor deadline', () => {
  const packet = fc.record({
    source,
    destination: fc.constantFrom(VRRP_GROUP[4], ip('10.0.0.1')),
    ttl: fc.constantFrom(255, 255, 254),
    priority: anyPriority,
    damage: fc.array(fc.record({ at: fc.nat(40), value: fc.nat(255) }), { maxLength: 2 }),
    cut: fc.option(fc.nat(20), { freq: 5 }),
  });
  let admitted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 20 }), fc.boolean(), (packets, asMaster) => {
      const router = new VrrpRouter(CONFIG);
      router.handle({ type: 'startup' }, instant(0));
      if (asMaster) router.handle({ type: 'timer' }, router.deadline!);
      let now = instant(asMaster ? seconds(4) : seconds(1));
      for (const { source, destination, ttl, priority, damage, cut } of packets) {
        now = after(now, millis(10));
        const envelope: Envelope = { family: 4, source, destination };
        const bytes = encode({ ...CONFIG, priority }, envelope);
        for (const { at, value } of damage) if (at < bytes.length) bytes[at] = value;
        const decoded = decode(bytes.subarray(0, cut ?? bytes.length), envelope);
        const verdict =
          typeof decoded === 'string'
            ? decoded
            : admit(decoded, { ...envelope, ttl }, RULES, { source: CONFIG.source });
        const before = [router.state, router.deadline];
        if (typeof verdict === 'string') {
          refused++;
          assert.deepEqual([router.state, router.deadline], before);
        } else {
          admitted++;
          router.handle({ type: 'advertisement', from: source, ad: verdict.ad }, now);
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(admitted > 100 && refused > 100, `admitted ${admitted}, refused ${refused}`);
});
