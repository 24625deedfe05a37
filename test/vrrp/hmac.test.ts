// Signatures of adverts: what is refused and in which order, what a replay is, how stamps go on when clocks do not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HmacConfig } from '../../core/config/model.ts';
import { macOf } from '../../core/engine/digests.ts';
import { ip } from '../../core/net/address.ts';
import { priority, seconds, vrid } from '../../core/units.ts';
import { readTrailer, sign, TRAILER_LENGTH, type Trailer } from '../../core/vrrp/hmac-trailer.ts';
import type { Mac } from '../../core/vrrp/mac.ts';
import { encode, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import { signatureCheck } from '../../core/vrrp/signature-check.ts';
import { following, isAfter, OwnStamps, ReplayMarks, type Stamp, stampOf } from '../../core/vrrp/stamp.ts';

const PEER = ip('10.0.0.2');
const OTHER = ip('10.0.0.3');
const KEY = macOf('sha256', new Uint8Array(32).fill(1));
const NEW_KEY = macOf('sha256', new Uint8Array(32).fill(2));
const NOON = 1_800_000_000_000;
const CONFIG: HmacConfig = { keys: [], activeKey: 1, antiReplay: 'time', timeWindow: 5, mode: 'enforce' };

function advert(stamp: Stamp, key = 1, mac = KEY, source = PEER): Uint8Array {
  const ad = { version: 3, vrid: vrid(51), priority: priority(150), interval: seconds(1), addresses: [] } as const;
  const pdu = encode(ad, { family: 4, source, destination: VRRP_GROUP[4] });
  const signed = new Uint8Array(pdu.length + TRAILER_LENGTH);
  signed.set(pdu);
  sign(signed, source, { key, stamp }, mac);
  return signed;
}

/** A receiver that knows the keys 1 and 2, with a clock to be set and a count of digests made. */
function receiver(config: Partial<HmacConfig> = {}) {
  const state = { time: NOON, digests: 0 };
  const counted =
    (mac: Mac): Mac =>
    (message) => {
      state.digests++;
      return mac(message);
    };
  const keys = new Map([
    [1, counted(KEY)],
    [2, counted(NEW_KEY)],
  ]);
  const check = signatureCheck({ ...CONFIG, ...config }, keys, new ReplayMarks(), () => state.time);
  return { state, check };
}

const at = (milliseconds: number): Stamp => stampOf(NOON + milliseconds);

test('what is signed with a known key is taken, once', () => {
  const { check } = receiver();
  assert.equal(check(advert(at(0)), PEER), undefined);
  assert.equal(check(advert(at(0)), PEER), 'hmac-replay', 'the same packet again');
  assert.equal(check(advert(at(-1_000)), PEER), 'hmac-replay', 'an older one');
  assert.equal(check(advert(at(1)), PEER), undefined);
});

test('each peer has its own mark, also where both keys are in use', () => {
  const { check } = receiver();
  assert.equal(check(advert(at(100)), PEER), undefined);
  assert.equal(check(advert(at(0), 2, NEW_KEY, OTHER), OTHER), undefined);
  assert.equal(check(advert(at(50), 2, NEW_KEY), PEER), 'hmac-replay', 'the mark is of the peer, not of the key');
});

test('a packet that another router signed does not pass for its sender', () => {
  const { check } = receiver();
  assert.equal(check(advert(at(0)), OTHER), 'hmac-bad');
});

test('unsigned adverts are refused in mode enforce only', () => {
  assert.equal(receiver().check(undefined, PEER), 'hmac-missing');
  assert.equal(receiver({ mode: 'permissive' }).check(undefined, PEER), undefined);
  assert.equal(receiver({ mode: 'receive-only' }).check(undefined, PEER), undefined);
});

test('a bad signature is refused in every mode', () => {
  for (const mode of ['enforce', 'permissive', 'receive-only'] as const) {
    const { check } = receiver({ mode });
    const bad = advert(at(0));
    bad[bad.length - 1]! ^= 1;
    assert.equal(check(bad, PEER), 'hmac-bad', mode);
    assert.equal(check(advert(at(0)), PEER), undefined, 'and leaves no mark');
  }
});

test('type, reserved bytes and key number are looked at before anything is computed', () => {
  const { check, state } = receiver();
  const changed = (offset: number, value: number) => {
    const bytes = advert(at(0));
    bytes[bytes.length - TRAILER_LENGTH + offset] = value;
    return bytes;
  };
  assert.equal(check(changed(0, 2), PEER), 'hmac-malformed');
  assert.equal(check(changed(2, 1), PEER), 'hmac-malformed');
  assert.equal(check(changed(3, 1), PEER), 'hmac-malformed');
  assert.equal(check(changed(1, 9), PEER), 'hmac-unknown-key');
  assert.equal(state.digests, 0);
});

test('what is older or newer than the window costs no digest', () => {
  const { check, state } = receiver();
  assert.equal(check(advert(at(-6_000)), PEER), 'hmac-stale');
  assert.equal(check(advert(at(6_000)), PEER), 'hmac-stale');
  assert.equal(state.digests, 0);
  assert.equal(check(advert(at(-5_000)), PEER), undefined);
  assert.equal(check(advert(at(5_000)), PEER), undefined);
});

test('with a counter the clock does not matter, the order does', () => {
  const { check, state } = receiver({ antiReplay: 'monotonic' });
  state.time = 0;
  assert.equal(check(advert(at(0)), PEER), undefined);
  assert.equal(check(advert(following(at(0))), PEER), undefined);
  assert.equal(check(advert(at(0)), PEER), 'hmac-replay');
});

test('when our clock is put back by more than the window, marks that nothing could pass count no more', () => {
  const { check, state } = receiver();
  assert.equal(check(advert(at(0)), PEER), undefined);
  state.time = NOON - 3_000;
  assert.equal(check(advert(at(-2_900)), PEER), 'hmac-replay', 'within the window the mark holds');
  state.time = NOON - 3_600_000;
  assert.equal(check(advert(at(-3_600_000)), PEER), undefined);
  assert.equal(check(advert(at(-3_600_000)), PEER), 'hmac-replay', 'the new mark holds');
});

test('the table of marks is bounded, and what is heard stays in it', () => {
  const full = new ReplayMarks();
  for (let round = 0; round < 3; round++)
    for (let i = 0; i < 32; i++) full.note(`peer ${round === 1 ? 31 - i : i}`, at(round));
  full.note('peer 31', at(2));
  for (let i = 0; i < 32; i++) assert.equal(full.isNew(`peer ${i}`, at(2)), false, 'room for 32');
  const marks = new ReplayMarks();
  marks.note('10.0.0.2', at(0));
  for (let i = 0; i < 1_000; i++) {
    marks.note(`peer ${i}`, at(0));
    marks.note('10.0.0.2', at(0));
  }
  assert.equal(marks.isNew('10.0.0.2', at(0)), false);
  assert.equal(marks.isNew('peer 0', at(0)), true, 'forgotten');
});

test('the stamps of a sender grow, however often it sends and whatever its clock does within the window', () => {
  const clock = fc.array(fc.integer({ min: -4_000, max: 4_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(clock, fc.constantFrom('time' as const, 'monotonic' as const), (times, mode) => {
      const stamps = new OwnStamps();
      let last: Stamp | undefined;
      for (const time of times) {
        const next = stamps.next(mode, 10, NOON + time);
        if (last) assert.ok(isAfter(next, last));
        last = next;
      }
    }),
  );
});

test('a clock that is put back further takes the stamps along; a counter stays', () => {
  const timed = new OwnStamps();
  timed.next('time', 5, NOON);
  assert.deepEqual(timed.next('time', 5, NOON - 60_000), at(-60_000));
  const counted = new OwnStamps();
  counted.next('monotonic', 5, NOON);
  assert.deepEqual(counted.next('monotonic', 5, NOON - 60_000), following(at(0)));
});

test('serial numbers of 64 bits compare around their end (RFC 1982)', () => {
  const last = { seconds: 0xffffffff, fine: 0xffffffff };
  assert.deepEqual(following(last), { seconds: 0, fine: 0 });
  assert.equal(isAfter(following(last), last), true);
  assert.equal(isAfter(last, following(last)), false);
  assert.equal(isAfter(last, last), false);
  assert.equal(isAfter({ seconds: 5, fine: 0 }, { seconds: 4, fine: 0xffffffff }), true);
});

test('a stamp is the time to a 65,536th of a second', () => {
  assert.deepEqual(stampOf(1_795_249_777_500), { seconds: 1_795_249_777, fine: 0x80000000 });
  assert.deepEqual(stampOf(999), { seconds: 0, fine: 65_470 * 65_536 });
});

test('whatever a trailer says is read back', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), word, word, (key, sec, fine) => {
      const trailer: Trailer = { key, stamp: { seconds: sec, fine } };
      const signed = new Uint8Array(8 + TRAILER_LENGTH);
      sign(signed, PEER, trailer, KEY);
      assert.deepEqual(readTrailer(signed.subarray(8)), trailer);
    }),
  );
});
