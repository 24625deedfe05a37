import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceConfig } from '../../core/config/model.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { millis, priority, seconds, vrid } from '../../core/units.ts';
import { admit, type PacketOrigin, receiveRules } from '../../core/vrrp/admission.ts';
import { AUTH_AH, AUTH_NONE, AUTH_PASS, type DecodedPacket, passData, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import type { Advertisement } from '../../core/vrrp/types.ts';
import { instance, virtualIp } from '../engine/instances.ts';

const OWN = ip('10.0.0.1');
const PEER = ip('10.0.0.2');

const INSTANCE: InstanceConfig = instance({ vips: [virtualIp('10.0.0.100', 32), virtualIp('10.0.0.101', 32)] });

const UNICAST: Partial<InstanceConfig> = {
  transport: { mode: 'unicast', source: OWN, ttl: 255, peers: [{ address: PEER, minTtl: 250, maxTtl: 254 }] },
};
const AD: Advertisement = {
  version: 3,
  vrid: vrid(51),
  priority: priority(150),
  interval: seconds(1),
  addresses: [ip('10.0.0.100'), ip('10.0.0.101')],
};

/** The verdict in a word, or the warnings. */
function verdict(
  config: Partial<InstanceConfig>,
  ad: Partial<Advertisement> = {},
  origin: Partial<PacketOrigin> = {},
  auth: Partial<DecodedPacket> = {},
): string | readonly string[] {
  const packet = {
    ad: { ...AD, ...ad },
    checksumForm: 'pseudo',
    authType: AUTH_NONE,
    authData: undefined,
    ...auth,
  } as const;
  const from = { source: PEER, destination: VRRP_GROUP[4], ttl: 255, ...origin };
  const result = admit(packet, from, receiveRules({ ...INSTANCE, ...config }), { source: OWN });
  return typeof result === 'string' ? result : result.warnings;
}

test('a good advert is admitted without a warning', () => {
  assert.deepEqual(verdict({}), []);
});

test('the other version is not ours', () => {
  assert.equal(verdict({}, { version: 2 }), 'version');
  assert.equal(verdict({ version: 2 }), 'version');
});

test('on multicast the destination is the group and the TTL untouched', () => {
  assert.equal(verdict({}, {}, { destination: OWN }), 'destination');
  assert.equal(verdict({}, {}, { destination: ip('224.0.0.19') }), 'destination');
  assert.equal(verdict({}, {}, { ttl: 254 }), 'ttl');
  const transport = { mode: 'multicast', group: ip('224.0.0.20'), source: undefined } as const;
  assert.deepEqual(verdict({ transport }, {}, { destination: ip('224.0.0.20') }), []);
});

test('no packet comes from nobody, from a group, from loopback, from broadcast or from ourselves', () => {
  for (const source of ['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.18', '255.255.255.255', '240.0.0.1'])
    assert.equal(verdict({}, {}, { source: ip(source) }), 'source-illegal', source);
  assert.equal(verdict({}, {}, { source: OWN }), 'source-own');
  const transport = { mode: 'multicast', group: VRRP_GROUP[6], source: undefined } as const;
  for (const source of ['::', '::1', 'ff02::12']) {
    const origin = { source: ip(source), destination: VRRP_GROUP[6] };
    assert.equal(verdict({ family: 6, transport }, {}, origin), 'source-illegal', source);
  }
});

test('on unicast only a peer is heard, within the range of TTLs that was set for it', () => {
  const to = (source: IpAddress, ttl: number) => verdict(UNICAST, {}, { source, ttl, destination: OWN });
  assert.deepEqual(to(PEER, 250), []);
  assert.deepEqual(to(PEER, 254), []);
  assert.equal(to(PEER, 249), 'ttl');
  assert.equal(to(PEER, 255), 'ttl');
  assert.equal(to(ip('10.0.0.66'), 250), 'source-unknown');
  assert.equal(verdict(UNICAST, {}, { ttl: 250 }), 'destination', 'a multicast packet');
});

test('who turns the source check off hears everybody', () => {
  const config = { ...UNICAST, checkUnicastSource: false };
  assert.deepEqual(verdict(config, {}, { source: ip('10.0.0.66'), ttl: 1, destination: OWN }), []);
  assert.equal(verdict(config, {}, { ttl: 1, destination: OWN }), 'ttl', 'a peer keeps its range');
});

test('version 2 demands the same type of authentication and the right password', () => {
  const open = { version: 2 } as const;
  const closed = { version: 2, authentication: { type: 'PASS', password: 'secret' } } as const;
  const withPass = (text: string) => ({ authType: AUTH_PASS, authData: passData(text) });
  const noPass = { authType: AUTH_NONE, authData: new Uint8Array(8) };
  assert.deepEqual(verdict(open, open, {}, noPass), []);
  assert.equal(verdict(open, open, {}, withPass('secret')), 'auth-mismatch');
  assert.equal(verdict(closed, open, {}, noPass), 'auth-mismatch');
  assert.deepEqual(verdict(closed, open, {}, withPass('secret')), []);
  for (const wrong of ['', 'Secret', 'secreT', 'secret1', 'xecret'])
    assert.equal(verdict(closed, open, {}, withPass(wrong)), 'auth-failure', wrong);
  const wrapped = { authType: AUTH_AH, authData: new Uint8Array(8) };
  assert.equal(verdict(open, open, {}, wrapped), 'auth-mismatch');
  assert.equal(verdict(closed, open, {}, wrapped), 'auth-mismatch');
  const behind = { version: 2, authentication: { type: 'AH', password: 'secret' } } as const;
  assert.deepEqual(verdict(behind, open, {}, wrapped), []);
  assert.equal(verdict(behind, open, {}, noPass), 'auth-mismatch');
  assert.equal(verdict(behind, open, {}, withPass('secret')), 'auth-mismatch');
  assert.equal(verdict(closed, open, {}, { authType: 7, authData: new Uint8Array(8) }), 'auth-type');
});

test('a password in the configuration of version 3 means nothing', () => {
  assert.deepEqual(verdict({ authentication: { type: 'PASS', password: 'secret' } }), []);
});

test('version 2 demands the same interval, version 3 warns of another one', () => {
  const noPass = { authType: AUTH_NONE, authData: new Uint8Array(8) };
  assert.equal(verdict({ version: 2 }, { version: 2, interval: seconds(2) }, {}, noPass), 'interval-mismatch');
  assert.deepEqual(verdict({}, { interval: millis(100) }), ['interval-differs']);
});

test('another list of addresses is worth a warning, or a refusal for those who want it; its order is not', () => {
  const [a, b] = [ip('10.0.0.100'), ip('10.0.0.101')];
  for (const addresses of [[a], [a, b, ip('10.0.0.102')], [a, ip('10.0.0.102')], [a, a]]) {
    assert.deepEqual(verdict({}, { addresses }), ['address-list']);
    assert.equal(verdict({ strictAddressList: true }, { addresses }), 'address-list');
  }
  assert.deepEqual(verdict({ strictAddressList: true }, { addresses: [b, a] }), []);
});

test('version 2 forgives an owner its list', () => {
  const noPass = { authType: AUTH_NONE, authData: new Uint8Array(8) };
  const ad = { version: 2, priority: priority(255), addresses: [ip('10.0.0.9')] } as const;
  assert.deepEqual(verdict({ version: 2, strictAddressList: true }, ad, {}, noPass), ['address-list']);
});

test('over IPv6 a global source and a list that does not begin link-local are worth a warning', () => {
  const transport = { mode: 'multicast', group: VRRP_GROUP[6], source: undefined } as const;
  const vips = ['fe80::5:1', 'fd00::1:1'].map((text) => ({ address: ip(text), prefix: 128, device: 'eth0', scope: 0 }));
  const config = { family: 6, transport, vips } as const;
  const [local, global] = [ip('fe80::5:1'), ip('fd00::1:1')];
  const to = (source: string, addresses: IpAddress[]) =>
    verdict(config, { addresses }, { source: ip(source), destination: VRRP_GROUP[6] });
  assert.deepEqual(to('fe80::b', [local, global]), []);
  assert.deepEqual(to('fd00::2', [local, global]), ['source-not-link-local']);
  assert.deepEqual(to('fe80::b', [global, local]), ['first-not-link-local']);
});

test('an advert without addresses is heard only by a router that has none either', () => {
  assert.equal(verdict({}, { addresses: [] }), 'count-zero');
  assert.deepEqual(verdict({ vips: [] }, { addresses: [] }), []);
});
