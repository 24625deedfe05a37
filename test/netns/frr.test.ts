// Our agent and FRR's vrrpd as a pair, each in both parts: versions 2 and 3, IPv6, with and without a macvlan of ours.
// They elect the right one, nobody else speaks, clients reach the winner, and a stop, a crash and a return end well.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { conf } from '../support/conf.ts';
import { Frr } from '../support/frr.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

interface Mode {
  readonly name: string;
  readonly version: 2 | 3;
  readonly ipv6?: true;
  readonly extra: readonly string[];
}

const MODES: readonly Mode[] = [
  { name: 'v2', version: 2, extra: [] },
  { name: 'v3', version: 3, extra: [] },
  { name: 'v3 vmac', version: 3, extra: ['use_vmac'] },
  { name: 'v3 vmac base', version: 3, extra: ['use_vmac', 'vmac_xmit_base'] },
  { name: 'v3 IPv6', version: 3, ipv6: true, extra: [] },
  { name: 'v3 IPv6 vmac', version: 3, ipv6: true, extra: ['use_vmac'] },
];

const VRID = 51;

async function pair(mode: Mode, master: 'ours' | 'frr'): Promise<void> {
  await using lab = await Lab.create({ name: `frr${MODES.indexOf(mode)}${master[0]}` });
  const { recorder } = lab;
  const vip = mode.ipv6 ? 'fd00::100' : '192.0.2.100';
  const vips = mode.ipv6 ? ['fe80::5e:33', vip] : [vip];
  if (mode.ipv6) await lab.useIpv6();
  const advertInt = mode.version === 2 ? 1 : 0.1;
  const [first, second] = master === 'ours' ? [150, 100] : [100, 150];
  const text = conf({
    routerId: 'ours',
    instances: [
      {
        priority: first,
        version: mode.version,
        advertInt,
        vips: vips.map((address) => `${address}/${mode.ipv6 ? 64 : 24}`),
        extra: mode.extra,
      },
    ],
  });
  const ours = lab.daemon('vipkeeper', 'r1', text);
  const plan = { vrid: VRID, version: mode.version, priority: second, interval: advertInt * 1_000, vips };
  await using frr = new Frr(lab.host('r2'), lab.directory, plan);
  const [winner, loser] = master === 'ours' ? ['r1', 'r2'] : ['r2', 'r1'];
  const ping = (): Promise<string> =>
    lab.network.exec('client', 'ping', '-c', '3', '-i', '0.2', '-W', '2', vip).catch((error: unknown) => {
      throw new Error(`the client does not reach ${vip}`, { cause: error });
    });
  const settled = async (router: string): Promise<void> => {
    const from = now();
    const spoke = () => recorder.first('advert', from, { host: router }) !== undefined;
    await recorder.wait(`${router} advertises`, spoke, 20_000);
    await lab.master(router, vip, 15_000);
    const other = router === 'r1' ? 'r2' : 'r1';
    await lab.adverts(router, 3, VRID);
    const since = now();
    await lab.adverts(router, mode.version === 2 ? 3 : 20, VRID);
    assert.deepEqual(recorder.all('advert', since, { host: other }), [], `${other} is silent`);
    await ping();
  };
  try {
    await Promise.all([ours.up(), frr.up()]);
    await settled(winner);
    // a stop and a return
    await (master === 'ours' ? ours.stop() : frr.end('SIGTERM'));
    await settled(loser);
    await (master === 'ours' ? ours.up() : frr.up());
    await settled(winner);
    // a crash
    await (master === 'ours' ? ours.crash() : frr.end('SIGKILL'));
    await settled(loser);
  } catch (error) {
    throw new Error(`${lab.explain(error).message}\n--- frr\n${frr.log.split('\n').slice(-20).join('\n')}`, {
      cause: error,
    });
  }
}

describe('with FRR', { concurrency: 4, ...needs('root', 'ip', 'vrrpd', 'ping') }, () => {
  for (const mode of MODES) {
    test(`${mode.name}: ours the master, FRR the backup`, () => pair(mode, 'ours'));
    test(`${mode.name}: FRR the master, ours the backup`, () => pair(mode, 'frr'));
  }
});
