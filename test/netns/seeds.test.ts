// The pairs that administrators start from, as their tutorials print them, in two real namespaces: what the documents
// promise happens, and where keepalived does worse than it could, the better outcome. Real timers, real kernel.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { now } from '../../core/cli/demo/recorder.ts';
import { atMost, downTime, SHARED_MS, within } from '../support/bounds.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';
import { steps } from '../support/steps.ts';

const VIP = '192.168.10.121';
/** The script's own interval. */
const SCRIPT_MS = 2_000;

/** A tutorial's unicast pair: 101, 10 less when its script fails, and 90, 10 more while it succeeds. */
function tutorialPair(node: 1 | 2, script: string): string {
  const [state, priority, weight, own, peer, id] =
    node === 1 ? ['MASTER', 101, -10, 111, 112, 231] : ['BACKUP', 90, 10, 112, 111, 232];
  return `! Configuration File for keepalived

global_defs {
    router_id keep_${id}
    script_user root
}

vrrp_script check_sample_alive {
    script "${script}"
    interval 2
    weight ${weight}
}

vrrp_instance VI_1 {
    state ${state}
    interface eth0
    virtual_router_id 51
    priority ${priority}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }

    track_script {
        check_sample_alive
    }

    # 单播模式
    unicast_src_ip 192.168.10.${own}
    unicast_peer {
        192.168.10.${peer}
    }
    virtual_ipaddress {
        192.168.10.121
    }
}
`;
}

/** One instance of the multicast pairs, written as their document writes it. */
const instance = (name: string, vrid: number, state: string, priority: number, vip: string): string => `
vrrp_instance ${name} {
state ${state}
interface eth0
virtual_router_id ${vrid}
priority ${priority}
advert_int 1
authentication {
    auth_type PASS
    auth_pass 1111
}
virtual_ipaddress {
    ${vip}/24 dev eth0 label eth0:1
   }
}
`;

const multicastNode = (id: string, state: string, priority: number): string =>
  `global_defs {\n    router_id ${id}\n}\n${instance('gorup01', 51, state, priority, '10.0.0.3')}`;

const dualMaster = (node: 1 | 2): string =>
  node === 1
    ? instance('gorup01', 51, 'MASTER', 150, '10.0.0.3') + instance('gorup02', 52, 'BACKUP', 100, '10.0.0.4')
    : instance('gorup01', 51, 'BACKUP', 100, '10.0.0.3') + instance('gorup02', 52, 'MASTER', 150, '10.0.0.4');

describe('seed configurations', { concurrency: 3, ...needs('root', 'ip') }, () => {
  test('a unicast pair with a checked application', async (t) => {
    await using lab = await Lab.create({
      name: 'tutorial',
      routers: ['192.168.10.111/24', '192.168.10.112/24'],
      client: '192.168.10.20/24',
    });
    const { recorder } = lab;
    const step = steps(t, lab);
    const application = { r1: join(lab.directory, 'app-r1'), r2: join(lab.directory, 'app-r2') };
    for (const file of Object.values(application)) writeFileSync(file, '');
    const check = (router: 'r1' | 'r2') =>
      lab.script(`check-${router}.sh`, `#!/bin/sh\ntest -e ${application[router]}\n`);
    const lb1 = lab.daemon('vipkeeper', 'r1', tutorialPair(1, check('r1')));
    const lb2 = lab.daemon('vipkeeper', 'r2', tutorialPair(2, check('r2')));
    const prober = await lab.probe(VIP);
    const takeover = downTime(100);
    // a master that fell is followed after the skew alone, once its check has noticed
    const fallen = { from: 500, to: 700 + SCRIPT_MS };

    await step('A1: the one with the higher effective priority is elected after the down time', async () => {
      await lb1.up();
      const began = now();
      await lb2.up();
      await lab.master('r1', VIP);
      within(lab.tookAfter(began, 'r1', VIP), { from: 3_000, to: 3_700 }, 'the election');
      assert.equal(recorder.all('holding', began, { host: 'r2', ip: VIP }).length, 0, 'LB2 never had it');
      assert.deepEqual([...new Set(recorder.all('advert', began).map(({ priority }) => priority))], [101]);
    });

    await step('A2: its application dies: its priority falls at once, the other takes over', async () => {
      const began = now();
      rmSync(application.r1);
      await lab.master('r2', VIP, 15_000);
      const lowered = recorder.first('advert', began, { host: 'r1', priority: 91 });
      assert.ok(lowered, 'LB1 advertised 91');
      within(lab.tookAfter(began, 'r2', VIP), fallen, 'the takeover');
      atMost(recorder.overlap('r1', 'r2', VIP, began), SHARED_MS, 'both held the VIP');
      assert.equal(recorder.bound('r1', VIP), false);
    });

    await step('A3: the application is dead on both: back to the first, 91 against 90', async () => {
      const began = now();
      rmSync(application.r2);
      await lab.master('r1', VIP, 15_000);
      within(lab.tookAfter(began, 'r1', VIP), fallen, 'the takeover');
      assert.equal(recorder.all('advert', began, { host: 'r1' }).at(-1)?.priority, 91);
    });

    await step('A4: both applications are back: the first stays master with its full priority', async () => {
      const began = now();
      for (const file of Object.values(application)) writeFileSync(file, '');
      const restored = () => recorder.all('advert', began, { host: 'r1', priority: 101 }).length >= 2;
      await recorder.wait('LB1 advertises 101 again', restored, 10_000);
      await lab.master('r1', VIP);
      assert.equal(recorder.first('holding', began, { host: 'r1', ip: VIP, held: false }), undefined);
    });

    await step('A5: the master is stopped: priority 0, the other within its skew time, the client served', async () => {
      const began = now();
      const ended = await lb1.stop();
      assert.deepEqual(ended, { code: 0, signal: null });
      assert.equal(recorder.bound('r1', VIP), false, 'a stopped agent leaves no address');
      await lab.master('r2', VIP);
      assert.ok(recorder.first('advert', began, { host: 'r1', priority: 0 }), 'priority 0 was sent');
      within(lab.tookAfter(began, 'r2', VIP), { from: 500, to: 700 }, 'the takeover', 1_500);
    });

    await step('A6: it is started again: it takes the VIP back after the down time', async () => {
      await lb1.up();
      const began = now();
      await lab.master('r1', VIP);
      within(lab.tookAfter(began, 'r1', VIP), { from: 3_000, to: 3_700 }, 'the return');
      const outage = await prober.outage(began);
      atMost(outage.longest, 200, 'the client was without an answer');
    });

    await step('A7: the master crashes: the other takes over, and the dead one keeps no address', async () => {
      const began = now();
      await lb1.crash();
      await recorder.wait('LB2 takes the VIP', () => recorder.holds('r2', VIP), 10_000);
      within(lab.tookAfter(began, 'r2', VIP), takeover, 'the takeover');
      await lab.master('r2', VIP, 5_000);
      atMost(recorder.overlap('r1', 'r2', VIP, began), SHARED_MS, 'both held the VIP');
      assert.deepEqual(await lb2.stop(), { code: 0, signal: null });
      await recorder.wait('nobody has the VIP', () => recorder.holders(VIP).length === 0, 2_000);
    });
  });

  test('a multicast pair with a labelled address', async (t) => {
    await using lab = await Lab.create({
      name: 'label',
      routers: ['10.0.0.5/24', '10.0.0.6/24'],
      client: '10.0.0.9/24',
    });
    const { recorder } = lab;
    const step = steps(t, lab);
    const vip = '10.0.0.3';
    const lb01 = lab.daemon('vipkeeper', 'r1', multicastNode('lb01', 'MASTER', 150));
    const lb02 = lab.daemon('vipkeeper', 'r2', multicastNode('lb02', 'BACKUP', 100));
    const prober = await lab.probe(vip);

    await step('A9: one node has the address, under its label and with its prefix', async () => {
      await Promise.all([lb01.up(), lb02.up()]);
      await lab.master('r1', vip);
      const shown = await lab.network.exec('r1', 'ip', '-4', 'addr', 'show', 'dev', 'eth0');
      assert.match(shown, /inet 10\.0\.0\.3\/24 .*eth0:1\b/);
      assert.equal(shown.match(/10\.0\.0\.3\//g)?.length, 1);
    });

    await step('A25: a reload without a change changes nothing', async () => {
      const began = now();
      const said = lb01.log.length;
      lb01.reload(multicastNode('lb01', 'MASTER', 150));
      await lb01.says(/reloaded/, 5_000, said);
      await lab.adverts('r1', 3);
      assert.deepEqual(recorder.all('holding', began, { ip: vip }), []);
      assert.deepEqual(recorder.all('advert', began, { host: 'r2' }), []);
      atMost((await prober.outage(began)).longest, 50, 'the client was without an answer');
    });

    await step('A25: a lower priority by reload moves the address, the old one brings it back', async () => {
      let began = now();
      lb01.reload(multicastNode('lb01', 'MASTER', 50));
      await lab.master('r2', vip);
      within(lab.tookAfter(began, 'r2', vip), { from: 500, to: 700 }, 'the takeover');
      began = now();
      lb01.reload(multicastNode('lb01', 'MASTER', 150));
      await lab.master('r1', vip);
      within(lab.tookAfter(began, 'r1', vip), downTime(150), 'the return');
    });

    await step('A26: a broken file at reload is refused, and the old configuration stays in force', async () => {
      const began = now();
      const good = multicastNode('lb01', 'MASTER', 150);
      const broken: readonly (readonly [what: string, text: string | undefined, told: RegExp])[] = [
        ['a bad VRID', good.replace('virtual_router_id 51', 'virtual_router_id 300'), /300/],
        ['an empty file', '', /no vrrp_instance/],
        ['no file', undefined, /cannot read/],
      ];
      for (const [what, text, told] of broken) {
        const said = lb01.log.length;
        if (text === undefined) rmSync(lb01.file);
        else lb01.configure(text);
        lb01.signal('SIGHUP');
        await lb01.says(/reload-refused/, 5_000, said);
        assert.match(lb01.log.slice(said), told, `the log names ${what}`);
        assert.match(JSON.stringify(await lb01.status()), new RegExp(`"reloadError":"[^"]*${told.source}`), what);
      }
      await lab.adverts('r1', 3);
      assert.deepEqual(recorder.all('holding', began, { ip: vip }), []);
      assert.ok(lb01.running);
      const said = lb01.log.length;
      lb01.reload(good);
      await lb01.says(/ reloaded /, 5_000, said);
      assert.match(JSON.stringify(await lb01.status()), /"reloadError":null/);
    });

    await step('A14: the cable of the master is pulled: FAULT, its address goes, the other takes over', async () => {
      const began = now();
      const said = lb01.log.length;
      await lab.network.cable('r1', 'out');
      await lb01.says(/to=FAULT/, 3_000, said);
      await lab.master('r2', vip);
      within(lab.tookAfter(began, 'r2', vip), downTime(100), 'the takeover');
      await recorder.wait('the address is gone from lb01', () => !recorder.bound('r1', vip), 3_000);
      assert.match(JSON.stringify(await lb01.status()), /"FAULT"/);
    });

    await step('A14: the cable is back: the better one returns', async () => {
      const began = now();
      await lab.network.cable('r1', 'in');
      await lab.master('r1', vip);
      within(lab.tookAfter(began, 'r1', vip), { from: 3_000, to: 3_500 }, 'the return');
    });

    await step("A14: the backup's interface goes down: FAULT there, nothing changes for the master", async () => {
      const began = now();
      const said = lb02.log.length;
      await lab.network.link('r2', 'down');
      await lb02.says(/to=FAULT/, 3_000, said);
      await lab.adverts('r1', 3);
      assert.deepEqual(recorder.all('holding', began, { host: 'r1', ip: vip }), []);
      await lab.network.link('r2', 'up');
      await lb02.says(/from=FAULT to=BACKUP/, 3_000, said);
    });

    await step('A11: a partition makes two masters; when it heals there is one, and it announces itself', async () => {
      await lab.partition();
      await recorder.wait('lb02 is master, too', () => recorder.holds('r2', vip), 10_000);
      const began = now();
      await lab.heal();
      await lab.master('r1', vip);
      await recorder.wait(
        'lb01 announces',
        () => recorder.first('garp', began, { host: 'r1', ip: vip }) !== undefined,
        5_000,
      );
      const last = recorder.all('garp', 0, { ip: vip }).at(-1)!;
      assert.equal(last.host, 'r1', 'the last announcement is the master’s');
    });
  });

  test('two masters for two addresses, each the backup of the other', async (t) => {
    await using lab = await Lab.create({
      name: 'dual',
      routers: ['10.0.0.5/24', '10.0.0.6/24'],
      client: '10.0.0.9/24',
    });
    const { recorder } = lab;
    const step = steps(t, lab);
    const lb01 = lab.daemon('vipkeeper', 'r1', dualMaster(1));
    const lb02 = lab.daemon('vipkeeper', 'r2', dualMaster(2));
    const split = () => recorder.alone('r1', '10.0.0.3') && recorder.alone('r2', '10.0.0.4');

    await step('A10: each node has one address', async () => {
      await Promise.all([lb01.up(), lb02.up()]);
      await recorder.wait('one address each', split, 10_000);
    });

    await step('A10: one is stopped: the other has both', async () => {
      const began = now();
      await lb01.stop();
      await recorder.wait(
        'lb02 has both',
        () => recorder.alone('r2', '10.0.0.3') && recorder.alone('r2', '10.0.0.4'),
        5_000,
      );
      within(lab.tookAfter(began, 'r2', '10.0.0.3'), { from: 500, to: 700 }, 'the takeover', 1_500);
    });

    await step('A10: it is back: one address each again', async () => {
      await lb01.up();
      const began = now();
      await recorder.wait('one address each', split, 10_000);
      within(lab.tookAfter(began, 'r1', '10.0.0.3'), { from: 3_000, to: 3_500 }, 'the return');
    });
  });
});
