// Routes, rules and addresses beside the real keepalived, with the same file: they come with mastership and go with it, the
// machine's own stay over reloads, and what somebody removes comes back without a transition.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { inside, toolEnvironment } from '../../core/cli/demo/network.ts';
import type { Daemon, Kind } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';

const VIP = '192.0.2.100';

const STATICS = `
static_ipaddress {
  198.51.100.1/24 dev eth0
}
static_routes {
  10.50.0.0/16 via 198.51.100.9 dev eth0
  blackhole 10.51.0.0/16
}
static_rules {
  from 10.50.0.0/16 table 50 priority 500
}
`;
const ROUTES = [
  '10.1.0.0/24 via 192.0.2.9 dev eth0',
  '10.1.1.0/24 dev eth0',
  `src ${VIP} to 10.1.2.0/24 via 192.0.2.9 dev eth0`,
  '10.1.3.0/24 via 192.0.2.8 or 192.0.2.9',
  'blackhole 10.1.4.0/24',
  '10.1.5.0/24 table 300 nexthop via 192.0.2.8 dev eth0 weight 1 nexthop via 192.0.2.9 dev eth0 onlink weight 2',
  '10.1.6.0/24 dev eth0 table 6909 tos 0x04 scope link priority 12 mtu 1000 hoplimit 100 advmss 101 rtt 102 rttvar 103 reordering 104 window 105 cwnd 106 ssthresh lock 107 initcwnd 109 initrwnd 110 features ecn add',
  'default via 192.0.2.9 table 301',
  'throw 10.1.8.0/24 table 303',
  '0.0.0.0/0 gw 192.0.2.9 table 100',
  '10.1.9.0/24 dev eth0 protocol bird no_track',
  '2001:db8:5::/64 dev eth0 metric 5 pref high',
  'unreachable 2001:db8:6::/64',
];
const RULES = [
  'from 10.1.0.0/24 table 300',
  'from 10.1.9.0/24 table 300',
  'from 10.1.1.0/24 to 10.2.0.0/16 table 300 iif eth0 tos 0x10 fwmark 5/7 preference 39 realms 3/4',
  'to 10.1.2.0/24 oif eth0 goto 32766 priority 40',
  'not from 10.9.0.0/16 table main suppress_prefixlength 0 priority 41',
  'from all l3mdev priority 42',
  'ipproto udp sport 10-20 uidrange 1-2 table 300 priority 43',
  'from 2001:db8::/32 table 300 priority 44',
  'from 10.4.0.0/16 blackhole priority 46',
  'from 10.5.0.0/16 prohibit priority 47',
];

interface FileText {
  readonly priority?: number;
  readonly routes?: readonly string[];
  readonly rules?: readonly string[];
  readonly statics?: string;
  readonly vips?: readonly string[];
  readonly excluded?: readonly string[];
  readonly more?: readonly string[];
}

function conf({ priority = 100, statics = '', ...rest }: FileText): string {
  const { routes = ROUTES, rules = RULES, vips = [`${VIP}/24`], excluded = [], more = [] } = rest;
  const block = (name: string, lines: readonly string[]) =>
    lines.length === 0 ? '' : ` ${name} {\n${lines.map((line) => `  ${line}\n`).join('')} }\n`;
  return `global_defs {
 router_id lab
}
${statics}
vrrp_instance V {
 interface eth0
 virtual_router_id 51
 priority ${priority}
 advert_int 0.2
 version 3
${more.map((line) => ` ${line}\n`).join('')}${block('virtual_ipaddress', vips)}${block('virtual_ipaddress_excluded', excluded)}${block('virtual_routes', routes)}${block('virtual_rules', rules)}}
`;
}

type Shown = readonly Record<string, unknown>[];

/** What VRRP has set in a host: routes, rules and addresses, as `ip` shows them. */
async function shown(lab: Lab, host = 'r1'): Promise<{ routes: Shown; rules: Shown; addresses: readonly string[] }> {
  const json = async (...words: readonly string[]): Promise<Shown> => {
    const text = await lab.network.exec(host, 'ip', '-d', '-j', ...words);
    return text.trim() === '' ? [] : (JSON.parse(text) as Shown);
  };
  const set = ({ protocol }: Record<string, unknown>) => protocol === 'keepalived' || protocol === 'bird';
  const routes = [
    ...(await json('-4', 'route', 'show', 'table', 'all')),
    ...(await json('-6', 'route', 'show', 'table', 'all')),
  ];
  const rules = [...(await json('-4', 'rule')), ...(await json('-6', 'rule'))];
  const text = await lab.network.exec(host, 'ip', '-o', '-4', 'addr', 'show', 'dev', 'eth0');
  const addresses = [...text.matchAll(/inet ([\d./]+)/g)].map((match) => match[1]!).toSorted();
  const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { routes: routes.filter(set).toSorted(byText), rules: rules.filter(set).toSorted(byText), addresses };
}

const destinations = (routes: Shown): readonly unknown[] => routes.map(({ dst }) => dst).toSorted();

describe('routes and rules on a LAN', needs('root', 'ip', 'keepalived'), () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create({ name: 'routes' });
    for (const name of ['r1', 'r2'])
      await lab.network.exec(name, 'ip', '-6', 'addr', 'add', `2001:db8::${name[1]}/64`, 'dev', 'eth0', 'nodad');
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  /** Resolves when a question has the answer; asks again and again. @throws Error with every log in time */
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 40_000;
    while (!(await holds())) {
      if (performance.now() > end) throw lab.explain(new Error(`in vain: ${what}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const started: Daemon[] = [];
  const start = async (kind: Kind, text: string, router = 'r1'): Promise<Daemon> => {
    const daemon = lab.daemon(kind, router, text);
    started.push(daemon);
    return await daemon.up();
  };
  // A test that failed leaves nothing to the next.
  afterEach(async () => {
    for (const daemon of started.splice(0)) await daemon.stop();
  });
  const master = async (daemon: Daemon, from = 0): Promise<void> => {
    await daemon.says(daemon.kind === 'vipkeeper' ? /to=MASTER/ : /Entering MASTER STATE/, 40_000, from);
  };
  const ended = async (host = 'r1'): Promise<void> => {
    const { routes, rules, addresses } = await shown(lab, host);
    assert.deepEqual([routes, rules, addresses], [[], [], [`192.0.2.${host[1]}/24`]]);
  };

  test('the same file makes the same routes, rules and addresses as with keepalived', async () => {
    const seen: Awaited<ReturnType<typeof shown>>[] = [];
    for (const kind of ['keepalived', 'vipkeeper'] as const) {
      const daemon = await start(kind, conf({ statics: STATICS }));
      try {
        await master(daemon);
        const all = (found: Awaited<ReturnType<typeof shown>>) =>
          found.routes.length === ROUTES.length + 2 && found.rules.length === RULES.length + 1;
        await until('everything set', async () => all(await shown(lab)));
        seen.push(await shown(lab));
      } catch (error) {
        throw lab.explain(error);
      } finally {
        await daemon.stop();
      }
      await ended();
    }
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[1]?.addresses, ['192.0.2.1/24', '192.0.2.100/24', '198.51.100.1/24']);
  });

  test('they follow the master from keepalived to us and back', async () => {
    const other = await start('keepalived', conf({ priority: 150 }), 'r2');
    await master(other);
    const ours = await start('vipkeeper', conf({ priority: 100, statics: STATICS }));
    await ours.says(/to=BACKUP/, 20_000);
    const before = await shown(lab);
    assert.deepEqual([destinations(before.routes), before.rules.length], [['10.50.0.0/16', '10.51.0.0/16'], 1]);
    await other.stop();
    await ended('r2');
    await until('ours set', async () => (await shown(lab)).routes.length === ROUTES.length + 2);
    const back = other.log.length;
    await other.up();
    await master(other, back);
    await ours.says(/from=MASTER to=BACKUP/, 20_000);
    await until('ours gone', async () => (await shown(lab)).routes.length === 2);
    assert.deepEqual((await shown(lab)).addresses, ['192.0.2.1/24', '198.51.100.1/24']);
    await ours.stop();
    await other.stop();
    await ended();
  });

  test('what somebody removes is put back at once, without a transition, but for no_track', async () => {
    const daemon = await start('vipkeeper', conf({ statics: STATICS }));
    await master(daemon);
    await until('everything set', async () => (await shown(lab)).rules.length === RULES.length + 1);
    const whole = await shown(lab);
    const from = daemon.log.length;
    const ip = (line: string) => lab.network.exec('r1', 'ip', ...line.split(' '));
    await ip('route del 10.1.0.0/24');
    await ip('route flush table 300');
    await ip('-6 route del 2001:db8:5::/64');
    await ip('rule del pref 39');
    await ip('-6 rule del pref 44');
    await ip('route del 10.50.0.0/16');
    await ip('rule del pref 500');
    await ip('addr del 198.51.100.1/24 dev eth0');
    await ip(`addr del ${VIP}/24 dev eth0`);
    try {
      await until('everything back', async () => JSON.stringify(await shown(lab)) === JSON.stringify(whole));
    } catch (error) {
      assert.deepEqual(await shown(lab), whole);
      throw error;
    }
    await daemon.says(/put back route 10\.1\.0\.0/, 5_000, from);
    assert.doesNotMatch(daemon.log.slice(from), /transition/);
    await ip('route del 10.1.9.0/24');
    await ip('route del 10.1.1.0/24');
    await until('the watched one back', async () => destinations((await shown(lab)).routes).includes('10.1.1.0/24'));
    assert.ok(!destinations((await shown(lab)).routes).includes('10.1.9.0/24'));
    await daemon.stop();
    await ended();
  });

  test('a reload adds, removes and leaves alone', async () => {
    const daemon = await start('vipkeeper', conf({ statics: STATICS }));
    await master(daemon);
    await until('everything set', async () => (await shown(lab)).rules.length === RULES.length + 1);
    // What is not touched is not told of by the kernel either.
    const monitor = spawn('ip', inside(lab.host('r1').namespace, 'ip', 'monitor', 'route', 'rule'), {
      env: toolEnvironment(),
    });
    let told = '';
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const from = daemon.log.length;
    const routes = ['10.1.0.0/24 via 192.0.2.8 dev eth0', '10.1.1.0/24 dev eth0', '10.7.0.0/24 dev eth0'];
    const statics = STATICS.replace('10.50.0.0/16 via 198.51.100.9', '10.50.0.0/16 via 198.51.100.8').replace(
      '198.51.100.1/24 dev eth0',
      '198.51.100.1/24 dev eth0\n198.51.100.2/24 dev eth0',
    );
    daemon.reload(conf({ routes, rules: RULES.slice(0, 3), statics }));
    await daemon.says(/reloaded/, 20_000, from);
    await until('the new list', async () => (await shown(lab)).routes.length === 5);
    const now = await shown(lab);
    assert.deepEqual(destinations(now.routes), [
      '10.1.0.0/24',
      '10.1.1.0/24',
      '10.50.0.0/16',
      '10.51.0.0/16',
      '10.7.0.0/24',
    ]);
    const gateways = now.routes.map(({ gateway }) => gateway).filter((gateway) => gateway !== undefined);
    assert.deepEqual(gateways.toSorted(), ['192.0.2.8', '198.51.100.8']);
    assert.equal(now.rules.length, 4);
    assert.deepEqual(now.addresses, ['192.0.2.1/24', '192.0.2.100/24', '198.51.100.1/24', '198.51.100.2/24']);
    assert.doesNotMatch(daemon.log.slice(from), /transition|put back/);
    await until('the news of the new route', async () => told.includes('10.7.0.0/24'));
    monitor.kill();
    assert.doesNotMatch(told, /10\.1\.1\.0|10\.51\.0\.0|\b39:/);
    await daemon.stop();
    await ended();
  });

  test('what a crashed run left is cleared by the next start', async () => {
    const daemon = await start('vipkeeper', conf({}));
    await master(daemon);
    await until('everything set', async () => (await shown(lab)).routes.length === ROUTES.length);
    await daemon.crash();
    assert.equal((await shown(lab)).rules.length, RULES.length);
    const other = await start('keepalived', conf({ priority: 200, routes: [], rules: [] }), 'r2');
    await master(other);
    const from = daemon.log.length;
    await daemon.up();
    await daemon.says(/removed \d+ routes and rules that were there before/, 20_000, from);
    await ended();
    await daemon.stop();
    await other.stop();
  });

  test('a watched route whose interface is down is a fault, and the way back is a way back', async () => {
    await lab.network.exec('r1', 'ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
    for (const device of ['d0', 'd1']) await lab.network.exec('r1', 'ip', 'link', 'set', device, 'up');
    const daemon = await start('vipkeeper', conf({ routes: ['10.60.0.0/16 dev d0'], rules: [] }));
    await master(daemon);
    await until('set', async () => (await shown(lab)).routes.length === 1);
    await lab.network.exec('r1', 'ip', 'link', 'set', 'd1', 'down');
    await daemon.says(/to=FAULT.*interface d0 is down/, 20_000);
    await until('gone', async () => (await shown(lab)).addresses.length === 1);
    const from = daemon.log.length;
    await lab.network.exec('r1', 'ip', 'link', 'set', 'd1', 'up');
    await master(daemon, from);
    await until('set again', async () => (await shown(lab)).routes.length === 1);
    await daemon.stop();
    await lab.network.exec('r1', 'ip', 'link', 'del', 'd0');
    await ended();
  });

  test('a static route that cannot be kept puts the instances of its track_group into FAULT', async () => {
    await lab.network.exec('r1', 'ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
    for (const device of ['d0', 'd1']) await lab.network.exec('r1', 'ip', 'link', 'set', device, 'up');
    const statics = `track_group g {\n group {\n  V\n }\n}
static_ipaddress {\n 198.51.100.1/24 dev d0 track_group g\n}
static_routes {\n 10.60.0.0/16 via 198.51.100.9 dev d0 track_group g\n}\n`;
    const daemon = await start('vipkeeper', conf({ routes: [], rules: [], statics }));
    await master(daemon);
    assert.equal((await shown(lab)).routes.length, 1);
    await lab.network.exec('r1', 'ip', 'link', 'set', 'd1', 'down');
    await lab.network.exec('r1', 'ip', 'link', 'set', 'd0', 'down');
    await daemon.says(/to=FAULT.*10\.60\.0\.0/, 20_000);
    const from = daemon.log.length;
    for (const device of ['d0', 'd1']) await lab.network.exec('r1', 'ip', 'link', 'set', device, 'up');
    await master(daemon, from);
    await until('set again', async () => (await shown(lab)).routes.length === 1);
    await daemon.stop();
    await lab.network.exec('r1', 'ip', 'link', 'del', 'd0');
    await ended();
  });

  test('sixty excluded addresses of three subnets come and go with the routes, and an instance without addresses is silent', async () => {
    const excluded = [10, 20, 30].flatMap((net) => Array.from({ length: 20 }, (_, i) => `10.${net}.0.${i + 1}/24`));
    const daemon = await start('vipkeeper', conf({ excluded, routes: ROUTES.slice(0, 2), rules: [] }));
    await master(daemon);
    await until('all', async () => (await shown(lab)).addresses.length === 62);
    await daemon.stop();
    await ended();
    const bare = await start(
      'vipkeeper',
      conf({ vips: [], more: ['no_virtual_ipaddress'], routes: ['10.1.1.0/24 dev eth0'], rules: [] }),
    );
    await master(bare);
    await until('its route', async () => (await shown(lab)).routes.length === 1);
    assert.doesNotMatch(bare.log, /warning|error/);
    await bare.stop();
    await ended();
  });
});
