// The agent over the package raw-socket, on the main thread and without netlink: against the real keepalived and against
// an agent of ours on its own sockets, in both parts. They elect the right one, nothing flaps, and a stop, a return and a
// crash each end as the protocol says. One advert a second: the shortest interval would test how busy the machine is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, SHARED_MS } from '../support/bounds.ts';
import { conf, type InstanceText } from '../support/conf.ts';
import type { Daemon } from '../support/daemons.ts';
import { Lab } from '../support/netns.ts';
import { needsRawSocket } from '../support/raw-socket.ts';

const VIP = '192.0.2.100';
const ADDONLESS = new URL('../support/addonless-agent.ts', import.meta.url).pathname;

type Party = 'raw-socket' | 'native' | 'keepalived';

interface Mode {
  readonly name: string;
  readonly version: 2 | 3;
  readonly advertInt: number;
  readonly password?: string;
  readonly unicast: boolean;
  readonly steady: number;
}

const MULTICAST: Mode = { name: 'v3', version: 3, advertInt: 1, unicast: false, steady: 4 };
const UNICAST: Mode = { name: 'v3u', version: 3, advertInt: 1, unicast: true, steady: 4 };
const PASS: Mode = { name: 'v2pass', version: 2, advertInt: 1, password: 's3cret', unicast: false, steady: 3 };

function textFor(mode: Mode, party: Party, node: 1 | 2, priority: number, extra: Partial<InstanceText> = {}): string {
  const { version, advertInt, password, unicast } = mode;
  const instance: InstanceText = {
    priority,
    version,
    advertInt,
    vips: [`${VIP}/24`],
    ...(password ? { password } : {}),
    ...(unicast ? { unicast: { source: `192.0.2.${node}`, peers: [`192.0.2.${3 - node}`] } } : {}),
    ...extra,
  };
  const globals = party === 'raw-socket' ? ['vrrp_transport raw-socket'] : [];
  return conf({ routerId: `r${node}`, globals, instances: [instance] });
}

function start(lab: Lab, mode: Mode, party: Party, node: 1 | 2, priority: number, entry?: string): Daemon {
  const kind = party === 'keepalived' ? 'keepalived' : 'vipkeeper';
  return lab.daemon(kind, `r${node}`, textFor(mode, party, node, priority), entry);
}

/** Runs a story in a lab of its own; failures tell the daemons' logs. */
async function story(name: string, body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.create({ name });
  try {
    await body(lab);
  } catch (error) {
    throw lab.explain(error);
  }
}

async function pair(mode: Mode, parties: readonly [Party, Party]): Promise<void> {
  await story(`po${mode.name}-${parties[0][0]}${parties[1][0]}`, async (lab) => {
    const { recorder } = lab;
    const master = start(lab, mode, parties[0], 1, 150);
    const backup = start(lab, mode, parties[1], 2, 100);
    await Promise.all([backup.up(), master.up()]);
    await lab.master('r1', VIP);
    assert.ok(recorder.first('garp', 0, { host: 'r1', ip: VIP }), 'the address was announced');
    const steady = now();
    await lab.adverts('r1', mode.steady);
    assert.deepEqual(recorder.all('holding', steady, { ip: VIP }), [], 'the address stays');
    assert.deepEqual(recorder.all('advert', steady, { host: 'r2' }), [], 'the backup is silent');

    const stop = now();
    await master.stop();
    await lab.master('r2', VIP);
    const goodbyes = recorder.all('advert', stop, { host: 'r1', priority: 0 });
    assert.ok(goodbyes.length > 0, 'a stop says goodbye');
    await recorder.wait(
      'the successor announces the address',
      () => recorder.first('garp', stop, { host: 'r2', ip: VIP }) !== undefined,
      5_000,
    );

    await master.up();
    await lab.master('r1', VIP);

    const crash = now();
    await master.crash();
    await recorder.wait('the backup takes over', () => recorder.holds('r2', VIP), 10_000);
    if (parties[0] !== 'keepalived') {
      await lab.master('r2', VIP, 5_000);
      atMost(recorder.overlap('r1', 'r2', VIP, crash), SHARED_MS, 'both held the VIP');
    }
  });
}

describe('raw-socket', { concurrency: 5, ...needsRawSocket('root', 'ip', 'keepalived', 'arping') }, () => {
  test('v2 with a password: over raw-socket the master, keepalived the backup', () =>
    pair(PASS, ['raw-socket', 'keepalived']));
  test('v3: over raw-socket the master, keepalived the backup', () => pair(MULTICAST, ['raw-socket', 'keepalived']));
  test('v3 unicast: keepalived the master, over raw-socket the backup', () =>
    pair(UNICAST, ['keepalived', 'raw-socket']));
  test('v3: over raw-socket the master, on our own sockets the backup', () =>
    pair(MULTICAST, ['raw-socket', 'native']));
  test('v3: on our own sockets the master, over raw-socket the backup', () =>
    pair(MULTICAST, ['native', 'raw-socket']));

  test('it takes the place of an addon that does not load, and says so', () =>
    story('poaddon', async (lab) => {
      const text = textFor(MULTICAST, 'native', 1, 150);
      const agent = await lab.daemon('vipkeeper', 'r1', text, ADDONLESS).up();
      await lab.master('r1', VIP);
      assert.match(agent.log, /native addon .* does not load.*raw-socket is used instead/);
      const status = (await agent.status()) as { process: { transport: string } };
      assert.equal(status.process.transport, 'raw-socket');
      const { code } = await agent.stop();
      assert.equal(code, 0);
      assert.equal(lab.recorder.bound('r1', VIP), false);
    }));

  test('what somebody removes is put back, and a cable that is pulled is a fault', () =>
    story('porepair', async (lab) => {
      const { recorder, network } = lab;
      const agent = await start(lab, MULTICAST, 'raw-socket', 1, 150).up();
      await lab.master('r1', VIP);
      const removal = now();
      await network.exec('r1', 'ip', 'address', 'del', `${VIP}/24`, 'dev', 'eth0');
      await recorder.wait(
        'it is put back',
        () => recorder.first('address', removal, { host: 'r1', ip: VIP, bound: true }) !== undefined,
        10_000,
      );
      await network.cable('r1', 'out');
      await agent.says(/to=FAULT/, 10_000);
      await network.cable('r1', 'in');
      await lab.master('r1', VIP);
    }));

  test('what it cannot do is refused by name before anything is bound', () =>
    story('porefuse', async (lab) => {
      const wrong: readonly (readonly [string, RegExp])[] = [
        [textFor({ ...MULTICAST, advertInt: 0.05 }, 'raw-socket', 1, 150), /vrrp_instance VI_1: advert_int 0.05/],
        [textFor(MULTICAST, 'raw-socket', 1, 150, { vips: ['fe80::1:1'] }), /vrrp_instance VI_1: IPv6/],
        [textFor(MULTICAST, 'raw-socket', 1, 150, { extra: ['use_vmac'] }), /vrrp_instance VI_1: use_vmac/],
      ];
      for (const [text, complaint] of wrong) {
        const agent = lab.daemon('vipkeeper', 'r1', text).start();
        const { code } = await agent.ended;
        assert.equal(code, 2, agent.log);
        assert.match(agent.log, complaint);
      }
      assert.deepEqual(lab.recorder.all('address', 0, { ip: VIP }), []);
    }));
});
