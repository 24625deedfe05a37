import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  align,
  buildMessage,
  forEachAttribute,
  forEachMessage,
  host16,
  host32,
  type NetlinkAttribute,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  readErrorCode,
  readNetlinkHeader,
  setFlags,
  setHost16,
  setHost32,
  setSequence,
  u32,
} from '../../core/net/netlink.ts';
import { spoiled, u16 } from './arbitrary.ts';

const attribute = fc.record(
  { type: fc.integer({ min: 0, max: 0x3fff }), value: fc.uint8Array({ maxLength: 20 }) },
  { noNullPrototype: true },
);
const message = fc.record({
  type: u16,
  flags: u16,
  fixed: fc.uint8Array({ maxLength: 16 }),
  attributes: fc.array(attribute, { maxLength: 6 }),
});

const bytesOf = (m: { type: number; flags: number; fixed: Uint8Array; attributes: readonly NetlinkAttribute[] }) =>
  buildMessage(m.type, m.flags, m.fixed, m.attributes);

function readAttributes(bytes: Uint8Array, start: number): NetlinkAttribute[] | string {
  const found: NetlinkAttribute[] = [];
  const walked = forEachAttribute(bytes, start, (type, value) => found.push({ type, value: value.slice() }));
  return walked === 'ok' ? found : walked;
}

/** A control message with a code, as the kernel sends it. */
function control(type: number, code: number, extra = 0): Uint8Array {
  return buildMessage(type, 0, Uint8Array.of(...u32(code >>> 0), ...new Uint8Array(extra)), []);
}

test('a message goes to bytes and back', () => {
  fc.assert(
    fc.property(message, (m) => {
      const bytes = bytesOf(m);
      assert.deepEqual(readNetlinkHeader(bytes), {
        length: bytes.length,
        type: m.type,
        flags: m.flags,
        sequence: 0,
        port: 0,
      });
      assert.deepEqual(bytes.slice(16, 16 + m.fixed.length), m.fixed);
      assert.deepEqual(readAttributes(bytes, 16 + align(m.fixed.length)), m.attributes);
    }),
  );
});

test('messages packed together come apart in order', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (all) => {
      const messages = all.map(bytesOf);
      const found: Uint8Array[] = [];
      assert.equal(
        forEachMessage(Uint8Array.from(messages.flatMap((bytes) => [...bytes])), (one) => found.push(one.slice())),
        'ok',
      );
      assert.deepEqual(found, messages);
    }),
  );
});

test('the last message of a datagram may lack its padding', () => {
  const odd = new Uint8Array(18);
  setHost32(odd, 0, 17);
  const lengths: number[] = [];
  assert.equal(
    forEachMessage(odd.subarray(0, 17), (one) => lengths.push(one.length)),
    'ok',
  );
  assert.deepEqual(lengths, [17]);
});

test('sequence number and flags can be changed in place', () => {
  const bytes = buildMessage(20, NLM_F_REQUEST, new Uint8Array(8), []);
  setSequence(bytes, 0xfedcba98);
  setFlags(bytes, NLM_F_REQUEST | NLM_F_ACK);
  const header = readNetlinkHeader(bytes);
  assert.ok(typeof header !== 'string');
  assert.deepEqual([header.sequence, header.flags, header.type], [0xfedcba98, 5, 20]);
});

test('a length of zero ends the walk with a refusal instead of a loop', () => {
  const datagram = new Uint8Array(64);
  assert.equal(
    forEachMessage(datagram, () => assert.fail('there is no message')),
    'length',
  );
});

test('a message longer than its datagram is truncated, and those before it count', () => {
  const good = buildMessage(20, 0, new Uint8Array(8), []);
  const bad = good.slice();
  setHost32(bad, 0, 25);
  let messages = 0;
  assert.equal(
    forEachMessage(Uint8Array.of(...good, ...bad), () => messages++),
    'truncated',
  );
  assert.equal(messages, 1);
  assert.equal(
    forEachMessage(good.subarray(0, 15), () => messages++),
    'truncated',
  );
  assert.equal(messages, 1);
});

test('an attribute shorter than its header or longer than its message is refused', () => {
  const bytes = buildMessage(20, 0, new Uint8Array(8), [{ type: 1, value: new Uint8Array(4) }]);
  for (const length of [0, 3, 9, 0xffff]) {
    setHost16(bytes, 24, length);
    assert.equal(readAttributes(bytes, 24), 'attribute', `${length}`);
  }
});

test('the flags in an attribute type are not part of it', () => {
  const bytes = buildMessage(16, 0, new Uint8Array(0), [{ type: 0x8000 | 12, value: u32(1) }]);
  assert.deepEqual(readAttributes(bytes, 16), [{ type: 12, value: u32(1) }]);
});

test('an acknowledgement is error 0, a refusal a negative errno', () => {
  assert.equal(readErrorCode(control(NLMSG_ERROR, 0, 16)), 0);
  assert.equal(readErrorCode(control(NLMSG_ERROR, -17, 16)), -17);
  assert.equal(readErrorCode(control(NLMSG_DONE, -4)), -4);
  assert.equal(readErrorCode(buildMessage(NLMSG_DONE, 0, new Uint8Array(0), [])), 0);
  assert.equal(readErrorCode(buildMessage(NLMSG_ERROR, 0, new Uint8Array(0), [])), 'truncated');
  assert.equal(readErrorCode(control(NLMSG_OVERRUN, 0)), 'not-an-error');
  assert.equal(readErrorCode(new Uint8Array(15)), 'truncated');
});

test('a code that is no errno, being positive, counts as 0', () => {
  assert.equal(readErrorCode(control(NLMSG_DONE, 5)), 0);
});

test('numbers are in the byte order of the machine, at any offset', () => {
  const bytes = new Uint8Array(11).subarray(1);
  setHost16(bytes, 1, 0xabcd);
  setHost32(bytes, 5, 0x89abcdef);
  assert.equal(host16(bytes, 1), 0xabcd);
  assert.equal(host32(bytes, 5), 0x89abcdef);
  assert.deepEqual([...bytes.slice(1, 3)], [...new Uint8Array(Uint16Array.of(0xabcd).buffer)]);
});

test('spoiled datagrams never throw, loop, or yield a message beyond their end', () => {
  const good = Uint8Array.of(
    ...buildMessage(20, 0, new Uint8Array(8), [{ type: 1, value: new Uint8Array(4) }]),
    ...control(NLMSG_ERROR, -17, 16),
    ...control(NLMSG_DONE, 0),
  );
  fc.assert(
    fc.property(spoiled(good), (bytes) => {
      let total = 0;
      forEachMessage(bytes, (one, header) => {
        assert.equal(one.length, header.length);
        total += one.length;
        readAttributes(one, 16);
        readErrorCode(one);
      });
      assert.ok(total <= bytes.length);
    }),
    { numRuns: 2_000 },
  );
});
