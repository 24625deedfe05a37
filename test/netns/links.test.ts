// What the kernel says of links and addresses, and what counts of it: a cable that is out for a moment, a source address
// that goes. On real interfaces.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conf } from '../support/conf.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';
import { steps } from '../support/steps.ts';

const VIP = '192.0.2.100';
const PATIENCE = 15_000;

describe('links and addresses', { concurrency: 2, ...needs('root', 'ip') }, () => {
  test('interface_up_down_delays: a short failure is none, a long one is', async (context) => {
    await using lab = await Lab.create({ name: 'delays', routers: ['192.0.2.1/24'] });
    const step = steps(context, lab);
    const text = conf({ routerId: 'r1', instances: [{ priority: 100, vips: [`${VIP}/24`] }] });
    const daemon = lab.daemon('vipkeeper', 'r1', `${text}interface_up_down_delays {\n eth0 2 0.1\n}\n`);
    await step('the router is master', async () => {
      await daemon.up();
      await lab.master('r1', VIP);
    });
    await step('the cable is out for a moment: nothing happens', async () => {
      const from = daemon.log.length;
      await lab.network.cable('r1', 'out');
      await lab.network.cable('r1', 'in');
      await lab.adverts('r1', 4);
      assert.doesNotMatch(daemon.log.slice(from), /transition/);
    });
    await step('the cable stays out: the router is in FAULT, and comes back with it', async () => {
      const from = daemon.log.length;
      await lab.network.cable('r1', 'out');
      await daemon.says(/from=MASTER to=FAULT .*interface eth0 is down/, PATIENCE, from);
      await lab.network.cable('r1', 'in');
      await daemon.says(/from=FAULT to=BACKUP /, PATIENCE, from);
    });
  });

  test('track_src_ip: without the address that its adverts come from a router is in FAULT', async (context) => {
    await using lab = await Lab.create({ name: 'source' });
    const step = steps(context, lab);
    const unicast = { source: '192.0.2.11', peers: ['192.0.2.2'] };
    const daemon = lab.daemon(
      'vipkeeper',
      'r1',
      conf({ routerId: 'r1', instances: [{ priority: 100, vips: [`${VIP}/24`], unicast, extra: ['track_src_ip'] }] }),
    );
    await step('the address is not there yet', async () => {
      await daemon.up();
      await daemon.says(/to=FAULT .*the source address 192\.0\.2\.11 is not on this machine/, PATIENCE);
    });
    await step('it comes, on another interface even', async () => {
      await lab.network.exec('r1', ...'ip addr add 192.0.2.11/32 dev lo'.split(' '));
      await lab.master('r1', VIP);
    });
    await step('it goes', async () => {
      const from = daemon.log.length;
      await lab.network.exec('r1', ...'ip addr del 192.0.2.11/32 dev lo'.split(' '));
      await daemon.says(/from=MASTER to=FAULT /, PATIENCE, from);
    });
  });
});
