import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../support/needs.ts';
import { checkOf, read } from './block.ts';
import { enterTwoNetworks, leaveTwoNetworks, look, network, onPeer, run } from './two-networks.ts';

describe('check-interface', needs('root', 'ip', 'nft'), () => {
  before(enterTwoNetworks);
  after(() => {
    network.close();
    leaveTwoNetworks();
  });

  /** The kernel says a moment after the carrier came that an interface runs. */
  const runs = async (name: string): Promise<void> => {
    while (!(await look('interface', `name ${name}`)).ok) await new Promise(setImmediate);
  };

  test('an interface that is up is good, with what it has', async () => {
    await runs('lo');
    await runs('veth0');
    const lines = 'name veth0\nmtu 1500\naddress 192.0.2.1\naddress fd00::1';
    assert.deepEqual(await look('interface', lines), { ok: true });
  });

  for (const [lines, why] of [
    ['name nosuch', 'there is no such interface'],
    ['name veth0\nmtu 9000', 'its MTU is 1500'],
    ['name veth0\naddress 192.0.2.1\naddress 192.0.2.9', 'it lacks 192.0.2.9'],
    ['name veth0\nspeed 1000', 'its driver tells no speed'],
  ] as const)
    test(`${lines.replaceAll('\n', ', ')}: ${why}`, async () => {
      assert.deepEqual(await look('interface', lines), { ok: false, why });
    });

  test('a carrier that is lost fails, and so does a switch', async () => {
    onPeer('ip', 'link', 'set', 'eth0', 'down');
    assert.deepEqual(await look('interface', 'name veth0'), { ok: false, why: 'it has no carrier' });
    run('ip', 'link', 'set', 'veth0', 'down');
    assert.deepEqual(await look('interface', 'name veth0'), { ok: false, why: 'it is switched off' });
    run('ip', 'link', 'set', 'veth0', 'up');
    onPeer('ip', 'link', 'set', 'eth0', 'up');
    await runs('veth0');
  });

  test('an interface that waits for something is not running', async () => {
    run('ip', 'link', 'set', 'veth0', 'mode', 'dormant');
    run('ip', 'link', 'set', 'veth0', 'state', 'DORMANT');
    assert.deepEqual(await look('interface', 'name veth0'), { ok: false, why: 'it is not running' });
  });
});

test('without a network it cannot run and says so', () => {
  assert.throws(() => checkOf('interface', 'name eth0'), /offers no network/);
});

test('the block of interface is checked', () => {
  assert.deepEqual(read('interface', 'name eth0\nmtu 9000\nspeed 1000').options, {
    name: 'eth0',
    address: [],
    mtu: 9000,
    speed: 1000,
  });
  assert.deepEqual(read('interface', 'mtu 12').said, [
    'W059 interface in vrrp_check c needs name',
    'W011 mtu 12 is out of range 68..65536; mtu is ignored',
  ]);
});
