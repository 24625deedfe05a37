// Adverts that prove where they come from, on a real network. Authentication headers with keepalived as either half of a
// pair; signatures, which Debian's keepalived does not know, ours with ours: rolled out and keys turned by reloads without
// a flap, and strangers with a packet generator who get nowhere.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { macOf } from '../../core/engine/digests.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import { priority, seconds, vrid } from '../../core/units.ts';
import { sign, TRAILER_LENGTH } from '../../core/vrrp/hmac-trailer.ts';
import { encode, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import { stampOf } from '../../core/vrrp/stamp.ts';
import { conf, type InstanceText } from '../support/conf.ts';
import type { Daemon, Kind } from '../support/daemons.ts';
import { Injector } from '../support/injector.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';
const COMPLAINT = /^.*(invalid|mismatch|incorrect|bogus|discard|drop|not match|unexpected|already).*$/im;
const HARMLESS = /received lower prio/i;

function text(node: 1 | 2, extra: readonly string[], more: Partial<InstanceText> = {}): string {
  const instance: InstanceText = { priority: node === 1 ? 150 : 100, vips: [`${VIP}/24`], extra, ...more };
  return conf({ routerId: `r${node}`, instances: [instance] });
}

async function headerPair(unicast: boolean, kinds: readonly [Kind, Kind]): Promise<void> {
  await using lab = await Lab.create({ name: `ah${unicast ? 'u' : 'm'}-${kinds[0][0]}` });
  const { recorder } = lab;
  const make = (node: 1 | 2): Daemon =>
    lab.daemon(
      kinds[node - 1]!,
      `r${node}`,
      text(node, ['authentication {', 'auth_type AH', 'auth_pass s3cret', '}'], {
        version: 2,
        ...(unicast && { unicast: { source: `192.0.2.${node}`, peers: [`192.0.2.${3 - node}`] } }),
      }),
    );
  const [master, backup] = [make(1), make(2)];
  try {
    await Promise.all([backup.up(), master.up()]);
    await lab.master('r1', VIP);
    const steady = now();
    await lab.adverts('r1', 6);
    assert.deepEqual(recorder.all('holding', steady, { ip: VIP }), [], 'the address stays');
    assert.deepEqual(recorder.all('advert', steady, { host: 'r2' }), [], 'the backup is silent');
    await master.stop();
    await lab.master('r2', VIP);
    await master.up();
    await lab.master('r1', VIP);
    await lab.adverts('r1', 2);
    assert.deepEqual(recorder.holders(VIP), ['r1']);
    for (const daemon of [master, backup].filter(({ kind }) => kind === 'keepalived')) {
      const complaints = daemon.log.split('\n').filter((line) => COMPLAINT.test(line) && !HARMLESS.test(line));
      assert.deepEqual(complaints, [], 'keepalived has nothing to complain of');
    }
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('auth_type AH with keepalived', { concurrency: 4, ...needs('root', 'ip', 'keepalived') }, () => {
  for (const unicast of [false, true]) {
    const mode = unicast ? 'unicast' : 'multicast';
    test(`${mode}: ours the master`, () => headerPair(unicast, ['vipkeeper', 'keepalived']));
    test(`${mode}: keepalived the master`, () => headerPair(unicast, ['keepalived', 'vipkeeper']));
  }
});

const KEY = { 1: '01'.repeat(32), 2: '02'.repeat(32) } as const;

interface Signing {
  readonly keys: readonly (1 | 2)[];
  readonly active: 1 | 2;
  readonly mode: 'receive-only' | 'permissive' | 'enforce';
}

const hmac = ({ keys, active, mode }: Signing): readonly string[] => [
  'auth_hmac {',
  ...keys.map((id) => `key ${id} hex:${KEY[id]}`),
  `active_key ${active}`,
  `mode ${mode}`,
  '}',
];

/** As a person would roll it out, one machine after the other. */
const STEPS: readonly (readonly [string, Signing | undefined])[] = [
  ['hear signatures', { keys: [1], active: 1, mode: 'receive-only' }],
  ['sign', { keys: [1], active: 1, mode: 'permissive' }],
  ['demand signatures', { keys: [1], active: 1, mode: 'enforce' }],
  ['know the new key', { keys: [1, 2], active: 1, mode: 'enforce' }],
  ['sign with it', { keys: [1, 2], active: 2, mode: 'enforce' }],
  ['forget the old one', { keys: [2], active: 2, mode: 'enforce' }],
];

const FAST = { version: 3, advertInt: 0.1 } as const;

async function dropsOf(daemon: Daemon): Promise<Readonly<Record<string, number>>> {
  const report = (await daemon.status()) as { instances: { statistics: { drops: Record<string, number> } }[] };
  return report.instances[0]!.statistics.drops;
}

describe('auth_hmac, ours with ours', { concurrency: 2, ...needs('root', 'ip') }, () => {
  test('it is rolled out and its keys are turned, machine by machine, without a flap', async () => {
    await using lab = await Lab.create({ name: 'hmac-roll' });
    const daemons = [1, 2].map((node) => lab.daemon('vipkeeper', `r${node}`, text(node as 1 | 2, [], FAST)));
    try {
      await Promise.all(daemons.map((daemon) => daemon.up()));
      await lab.master('r1', VIP);
      const steady = now();
      for (const [what, signing] of STEPS)
        for (const [i, daemon] of daemons.entries()) {
          const from = daemon.log.length;
          daemon.reload(text((i + 1) as 1 | 2, signing ? hmac(signing) : [], FAST));
          await daemon.says(/ reloaded /, 10_000, from);
          await lab.adverts('r1', 10);
          assert.deepEqual(lab.recorder.all('holding', steady, { ip: VIP }), [], `${what}, r${i + 1}`);
          assert.deepEqual(lab.recorder.all('advert', steady, { host: 'r2' }), [], `${what}, r${i + 1}`);
        }
      for (const daemon of daemons) assert.deepEqual(await dropsOf(daemon), {}, 'nothing was refused on the way');
      await daemons[0]!.stop();
      await lab.master('r2', VIP);
    } catch (error) {
      throw lab.explain(error);
    }
  });

  test('forged, stale and replayed adverts are refused by name and change nothing', async () => {
    await using lab = await Lab.create({ name: 'hmac-forge' });
    const signing = hmac({ keys: [1], active: 1, mode: 'enforce' });
    const daemons = [1, 2].map((node) => lab.daemon('vipkeeper', `r${node}`, text(node as 1 | 2, signing, FAST)));
    try {
      await Promise.all(daemons.map((daemon) => daemon.up()));
      await lab.master('r1', VIP);
      const steady = now();
      using stranger = new Injector(lab.host('client').namespace, 'eth0', '02:00:00:00:00:66', '01:00:5e:00:00:12');
      const source = ip('192.0.2.77');
      const say = (pdu: Uint8Array, from: IpAddress = source) =>
        stranger.send({ source: from, destination: VRRP_GROUP[4], ttl: 255, pdu });
      const plain = (value: number, from = source) =>
        encode(
          { version: 3, vrid: vrid(51), priority: priority(value), interval: seconds(0.1), addresses: [ip(VIP)] },
          { family: 4, source: from, destination: VRRP_GROUP[4] },
        );
      const signed = (value: number, key: 1 | 2, id: number, ago = 0) => {
        const pdu = plain(value);
        const bytes = new Uint8Array(pdu.length + TRAILER_LENGTH);
        bytes.set(pdu);
        const mac = macOf('sha256', Buffer.from(KEY[key], 'hex'));
        sign(bytes, source, { key: id, stamp: stampOf(Date.now() - ago) }, mac);
        return bytes;
      };
      // What claims to come from a machine itself never gets past its kernel.
      for (const from of [ip('192.0.2.1'), ip('192.0.2.2'), source])
        for (const value of [255, 0]) say(plain(value, from), from);
      say(signed(255, 2, 1));
      say(signed(255, 2, 2));
      say(signed(255, 1, 1, 60_000));
      const lower = signed(50, 1, 1);
      say(lower);
      say(lower);
      await lab.adverts('r1', 10);
      assert.deepEqual(lab.recorder.all('holding', steady, { ip: VIP }), []);
      assert.deepEqual(lab.recorder.all('advert', steady, { host: 'r2' }), []);
      for (const daemon of daemons) {
        const drops = await dropsOf(daemon);
        for (const [why, count] of [
          ['hmac-bad', 1],
          ['hmac-unknown-key', 1],
          ['hmac-stale', 1],
          ['hmac-replay', 1],
        ] as const)
          assert.equal(drops[why], count, `${why} of ${JSON.stringify(drops)}`);
        assert.equal(drops['hmac-missing'], 4, JSON.stringify(drops));
        assert.ok(!daemon.log.includes(KEY[1]) && !JSON.stringify(await daemon.status()).includes(KEY[1]));
      }
    } catch (error) {
      throw lab.explain(error);
    }
  });
});
