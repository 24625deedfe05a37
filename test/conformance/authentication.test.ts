// The rows of the conformance table about authentication, over whole engines on a simulated LAN in virtual time: what a
// stranger sends, or repeats, moves no router. Names begin with the ids of the table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HmacConfig, InstanceConfig } from '../../core/config/model.ts';
import { macOf } from '../../core/engine/digests.ts';
import { ip } from '../../core/net/address.ts';
import { encodeIpv4Header } from '../../core/net/ipv4.ts';
import { after, micros, millis, priority, seconds } from '../../core/units.ts';
import { AH_LENGTH, LAST_SEQUENCE, PROTOCOL_AH, seal } from '../../core/vrrp/authentication-header.ts';
import { sign, TRAILER_LENGTH } from '../../core/vrrp/hmac-trailer.ts';
import { encode, PROTOCOL_VRRP, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import { type Stamp, stampOf } from '../../core/vrrp/stamp.ts';
import { instance } from '../engine/instances.ts';
import { SimulatedLan, type SimulatedNode } from '../engine/simulated-lan.ts';

const STRANGER = ip('10.0.0.66');
const SECRET = '07'.repeat(32);
const HMAC: HmacConfig = {
  keys: [{ id: 1, secret: `hex:${SECRET}` }],
  activeKey: 1,
  antiReplay: 'time',
  timeWindow: 5,
  mode: 'enforce',
};
const AH = { version: 2, authentication: { type: 'AH', password: 's3cret' } } as const;

interface Scene {
  readonly lan: SimulatedLan;
  readonly master: SimulatedNode;
  readonly backup: SimulatedNode;
  readonly config: InstanceConfig;
}

/** A master of priority 100 and a backup of 90 that have found their parts. */
function scene(changes: Partial<InstanceConfig>): Scene {
  const lan = new SimulatedLan();
  const [master, backup] = [lan.add('10.0.0.1'), lan.add('10.0.0.2')];
  const config = instance(changes);
  master.configure([config]);
  backup.configure([{ ...config, priority: priority(90) }]);
  lan.run(seconds(8));
  assert.deepEqual([master.state(), backup.state()], ['MASTER', 'BACKUP']);
  return { lan, master, backup, config };
}

function advert({ version, vrid, interval, vips, authentication }: InstanceConfig, value: number): Uint8Array {
  const addresses = vips.map(({ address }) => address);
  return encode(
    { version, vrid, priority: priority(value), interval, addresses },
    { family: 4, source: STRANGER, destination: VRRP_GROUP[4] },
    { authenticationHeader: authentication.type === 'AH' },
  );
}

function packet(payload: Uint8Array, protocol = PROTOCOL_VRRP): Uint8Array {
  const fields = { tos: 0xc0, id: 1, ttl: 255, protocol, source: STRANGER, destination: VRRP_GROUP[4] };
  return Uint8Array.from([...encodeIpv4Header(fields, payload.length), ...payload]);
}

function signed({ config, lan }: Scene, value: number, stamp: Stamp = now(lan), key = 1): Uint8Array {
  const bytes = Uint8Array.from([...advert(config, value), ...new Uint8Array(TRAILER_LENGTH)]);
  sign(bytes, STRANGER, { key, stamp }, macOf('sha256', Buffer.from(SECRET, 'hex')));
  return packet(bytes);
}

function wrapped({ config }: Scene, value: number, sequence: number): Uint8Array {
  const bytes = packet(Uint8Array.from([...new Uint8Array(AH_LENGTH), ...advert(config, value)]), PROTOCOL_AH);
  seal(bytes, sequence, macOf('md5', Buffer.from('s3cret\0\0')));
  return bytes;
}

/** The simulated wall clock. */
const now = (lan: SimulatedLan): Stamp => stampOf(lan.now / 1_000);

function inject({ lan, master, backup }: Scene, bytes: Uint8Array): void {
  for (const node of [master, backup]) node.deliver(bytes, after(lan.now, micros(10)));
  lan.run(millis(100));
}

const drops = (node: SimulatedNode): readonly string[] =>
  node.events.flatMap((event) => (event.type === 'drop' ? [event.why] : []));

function unmoved({ lan, master, backup }: Scene): void {
  const transitions = master.transitions.length + backup.transitions.length;
  lan.run(seconds(5));
  assert.deepEqual([master.state(), backup.state()], ['MASTER', 'BACKUP']);
  assert.equal(master.transitions.length + backup.transitions.length, transitions);
}

test('X30: a sequence number that was seen, or an older one, is dropped; the numbers are one row for all', () => {
  const one = scene(AH);
  inject(one, wrapped(one, 200, 1));
  assert.deepEqual([drops(one.master), drops(one.backup)], [['auth-replay'], ['auth-replay']]);
  unmoved(one);
  inject(one, wrapped(one, 200, 1_000));
  assert.equal(one.master.state(), 'BACKUP', 'a fresh one from a better router counts');
  one.lan.run(seconds(8));
  assert.equal(one.master.state(), 'MASTER');
  assert.equal(one.backup.state(), 'BACKUP', 'it hears the numbers go on after 1000');
  assert.deepEqual(drops(one.backup), ['auth-replay']);
});

test('X31: when the sequence numbers are used up nobody sends any more, nor becomes MASTER', () => {
  const one = scene(AH);
  inject(one, wrapped(one, 50, LAST_SEQUENCE));
  one.lan.run(seconds(2));
  assert.equal(one.master.state(), 'BACKUP');
  const sent = one.lan.sent.length;
  one.lan.run(seconds(20));
  assert.deepEqual([one.master.state(), one.backup.state()], ['BACKUP', 'BACKUP']);
  assert.equal(one.lan.sent.length, sent);
});

test('X32: a signed packet counts once', () => {
  const one = scene({ hmac: HMAC });
  const lower = signed(one, 50);
  inject(one, lower);
  assert.deepEqual(drops(one.backup), []);
  inject(one, lower);
  assert.deepEqual([drops(one.master), drops(one.backup)], [['hmac-replay'], ['hmac-replay']]);
  unmoved(one);
});

test('X33: a signed packet from outside the window is dropped', () => {
  const one = scene({ hmac: HMAC });
  for (const shift of [-6, 6]) {
    const { seconds: at, fine } = now(one.lan);
    inject(one, signed(one, 200, { seconds: at + shift, fine }));
  }
  assert.deepEqual(new Set(drops(one.master)), new Set(['hmac-stale']));
  unmoved(one);
});

test('X34: an unknown key, another type, reserved bits', () => {
  const one = scene({ hmac: HMAC });
  inject(one, signed(one, 200, undefined, 9));
  for (const offset of [0, 2, 3]) {
    const bytes = signed(one, 200);
    bytes[bytes.length - TRAILER_LENGTH + offset]! ^= 0x80;
    inject(one, bytes);
  }
  assert.deepEqual(new Set(drops(one.master)), new Set(['hmac-unknown-key', 'hmac-malformed']));
  unmoved(one);
});

test('U12: in mode enforce a plain advert changes nothing, whatever it says', () => {
  const one = scene({ hmac: HMAC });
  for (const value of [255, 200, 0]) inject(one, packet(advert(one.config, value)));
  assert.deepEqual(new Set(drops(one.master)), new Set(['hmac-missing']));
  unmoved(one);
});

test('U13: in mode permissive a plain advert counts', () => {
  const one = scene({ hmac: { ...HMAC, mode: 'permissive' } });
  inject(one, packet(advert(one.config, 200)));
  assert.equal(one.master.state(), 'BACKUP');
});

test('I11: no unauthenticated packet moves a router of mode enforce, its timers or its memory', () => {
  const one = scene({ hmac: HMAC });
  const undisturbed = scene({ hmac: HMAC });
  const good = signed(one, 200);
  for (let bit = 28 * 8; bit < good.length * 8; bit += 7) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    for (const node of [one.master, one.backup]) node.deliver(bytes, after(one.lan.now, micros(bit)));
  }
  unmoved(one);
  unmoved(undisturbed);
  const adverts = ({ lan }: Scene) => lan.sent.map(({ at, priority: value }) => [at, value]);
  assert.deepEqual(adverts(one), adverts(undisturbed));
});

test('a router that restarts under an authentication header goes on where the others are', () => {
  const { lan, config } = scene(AH);
  const late = lan.add('10.0.0.3');
  late.configure([{ ...config, priority: priority(200) }]);
  lan.run(seconds(12));
  assert.equal(late.state(), 'MASTER');
  assert.deepEqual(
    lan.nodes.map((node) => node.state()),
    ['BACKUP', 'BACKUP', 'MASTER'],
  );
  assert.deepEqual(
    lan.nodes.flatMap((node) => drops(node)),
    [],
  );
});
