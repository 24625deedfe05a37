// no_accept (RFC 9568 §6.1, Accept_Mode): the master answers for its addresses and takes no packets to them; a reload
// changes that, an owner is exempt, and nothing is left in the packet filter at the end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conf } from '../support/conf.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

interface Case {
  readonly name: string;
  readonly vips: readonly string[];
  readonly reached: string;
  readonly extra: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'IPv4', vips: ['192.0.2.100/24'], reached: '192.0.2.100', extra: [] },
  { name: 'IPv4 on a macvlan', vips: ['192.0.2.100/24'], reached: '192.0.2.100', extra: ['use_vmac'] },
  { name: 'IPv6', vips: ['fe80::5e:33/64', 'fd00::100/64'], reached: 'fd00::100', extra: [] },
  { name: 'IPv6 link-local', vips: ['fe80::5e:33/64'], reached: 'fe80::5e:33%eth0', extra: [] },
];

const NEIGHBOUR = /lladdr ([0-9a-f:]{17})/;

async function story({ name, vips, reached, extra }: Case): Promise<void> {
  await using lab = await Lab.create({ name: `acc${CASES.findIndex((one) => one.name === name)}` });
  const address = reached.split('%')[0]!;
  if (address.includes(':')) await lab.useIpv6();
  const text = (mode: string, priority = 100): string =>
    conf({
      routerId: 'r1',
      globals: ['nftables vk_accept'],
      instances: [{ priority, version: 3, advertInt: 0.1, vips, extra: [mode, ...extra] }],
    });
  const ping = async (): Promise<boolean> => {
    await lab.network.exec('client', 'ip', 'neigh', 'flush', 'dev', 'eth0');
    const done = lab.network.exec('client', 'ping', '-c', '2', '-i', '0.2', '-W', '1', reached);
    return await done.then(
      () => true,
      () => false,
    );
  };
  const tables = (): Promise<string> => lab.network.exec('r1', 'nft', 'list', 'tables');
  const daemon = lab.daemon('vipkeeper', 'r1', text('no_accept'));
  try {
    await daemon.up();
    await lab.master('r1', address);
    assert.match(await tables(), /inet vk_accept/);
    assert.equal(await ping(), false, 'packets are dropped');
    assert.match(await lab.network.exec('client', 'ip', 'neigh', 'show', address), NEIGHBOUR, 'and it is answered for');
    const before = daemon.log.length;
    daemon.reload(text('accept'));
    await daemon.says(/reloaded/, 10_000, before);
    assert.equal(await ping(), true, 'accept takes them');
    assert.doesNotMatch(await tables(), /vk_accept/);
    const again = daemon.log.length;
    daemon.reload(text('no_accept'));
    await daemon.says(/reloaded/, 10_000, again);
    assert.equal(await ping(), false, 'no_accept drops them again');
    const owner = daemon.log.length;
    daemon.reload(text('no_accept', 255));
    await daemon.says(/reloaded/, 10_000, owner);
    await lab.master('r1', address);
    assert.equal(await ping(), true, 'an owner takes them');
    daemon.reload(text('no_accept'));
    await daemon.says(/reloaded[\s\S]*reloaded/, 10_000, owner);
    await daemon.stop();
    assert.doesNotMatch(await tables(), /vk_accept/, 'nothing is left');
  } catch (error) {
    throw lab.explain(error);
  }
}

describe('no_accept', { concurrency: 4, ...needs('root', 'ip', 'nft', 'ping') }, () => {
  for (const one of CASES) test(one.name, () => story(one));
});
