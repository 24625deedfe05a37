// BFD between real machines: our agents with each other, with FRR's bfdd and with keepalived's own BFD; over one hop and
// over several, IPv4 and IPv6; and what a virtual router makes of a session that it tracks.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../../core/cli/demo/network.ts';
import type { StatusReport } from '../../core/control/status-report.ts';
import { Bfdd } from '../support/bfdd.ts';
import { conf, type InstanceText } from '../support/conf.ts';
import type { Daemon } from '../support/daemons.ts';
import { needs } from '../support/needs.ts';
import { Lab } from '../support/netns.ts';
import { steps } from '../support/steps.ts';

const VIP = '192.0.2.100';
/** A busy machine may keep a daemon from running for a while; what a test waits for must not depend on that. */
const CALM = 100;
const PATIENCE = 15_000;

interface SessionText {
  readonly name: string;
  readonly neighbor: string;
  readonly interval?: number;
  readonly extra?: readonly string[];
}

const bfd = ({ name, neighbor, interval = CALM, extra = [] }: SessionText): string =>
  [
    `bfd_instance ${name} {`,
    ...[`neighbor_ip ${neighbor}`, `min_rx ${interval}`, `min_tx ${interval}`, 'multiplier 5', ...extra],
    '}\n',
  ].join('\n');

const frr = (peer: string, interval = CALM): readonly string[] => [
  `peer ${peer}`,
  ...[` detect-multiplier 5`, ` receive-interval ${interval}`, ` transmit-interval ${interval}`, '!'],
];

/** A file with sessions, and an instance that tracks them unless told otherwise. */
function text(node: number, priority: number, sessions: readonly SessionText[], tracked = sessions): string {
  const track = tracked.map(({ name }) => `  ${name}`);
  const instance: InstanceText = {
    priority,
    vips: [`${VIP}/24`],
    extra: track.length > 0 ? ['track_bfd {', ...track, '}'] : [],
  };
  return `${sessions.map(bfd).join('')}${conf({ routerId: `r${node}`, instances: [instance] })}`;
}

/** The log says that a session went there, after its first `from` characters. */
async function says(daemon: Daemon, session: string, to: 'Up' | 'Down', from = 0): Promise<string> {
  const [line] = await daemon.says(new RegExp(`bfd session=${session} .* to=${to} why=(.*)`), PATIENCE, from);
  return line;
}

const sessionsOf = async (daemon: Daemon) => ((await daemon.status()) as StatusReport).bfds ?? [];

const nft = (namespace: string, ...rules: readonly string[]): Promise<string> =>
  run('ip', 'netns', 'exec', namespace, 'nft', rules.join('\n'));

describe('BFD', { concurrency: 2, ...needs('root', 'ip', 'nft') }, () => {
  test('ours with ours at 10 ms: up, down when the other stops, up again when it goes on', async (context) => {
    await using lab = await Lab.create({ name: 'bfd-own' });
    const step = steps(context, lab);
    const fast = (neighbor: string) => [{ name: 'peer', neighbor, interval: 10 }];
    // Neither tracks it: two routers that each need the other would both give up.
    const one = lab.daemon('vipkeeper', 'r1', text(1, 150, fast('192.0.2.2'), []));
    const two = lab.daemon('vipkeeper', 'r2', text(2, 100, fast('192.0.2.1'), []));
    await step('both come up and agree on 10 ms', async () => {
      await Promise.all([one.up(), two.up()]);
      await Promise.all([says(one, 'peer', 'Up'), says(two, 'peer', 'Up')]);
      // The slow start is over when the poll is answered, a round trip later.
      let agreed: number | undefined;
      for (let i = 0; i < 50 && agreed !== 50; i++) agreed = (await sessionsOf(one))[0]?.detectionMs;
      assert.equal(agreed, 50);
    });
    await step('the other one stops: silence says so', async () => {
      const from = one.log.length;
      two.killAll('SIGSTOP');
      assert.match(await says(one, 'peer', 'Down', from), /detection time expired/);
    });
    await step('it goes on: both are up again', async () => {
      const from = [one.log.length, two.log.length] as const;
      two.killAll('SIGCONT');
      await Promise.all([says(one, 'peer', 'Up', from[0]), says(two, 'peer', 'Up', from[1])]);
    });
    await step('the cable is pulled and put back', async () => {
      const from = one.log.length;
      await lab.network.cable('r2', 'out');
      await says(one, 'peer', 'Down', from);
      const down = one.log.length;
      await lab.network.cable('r2', 'in');
      await says(one, 'peer', 'Up', down);
    });
    await step('one that is stopped says goodbye', async () => {
      const from = one.log.length;
      await two.stop();
      assert.match(await says(one, 'peer', 'Down', from), /administratively down/);
      const [session] = await sessionsOf(one);
      assert.equal(session?.neighborWhy, 'administratively down');
    });
  });

  test('with FRR over one hop: IPv4, IPv6 and link-local', needs('bfdd'), async (context) => {
    await using lab = await Lab.create({ name: 'bfd-frr' });
    const step = steps(context, lab);
    for (const n of [1, 2]) {
      const add = ['addr', 'add', `2001:db8::${n}/64`, 'dev', 'eth0', 'nodad'];
      await lab.network.exec(`r${n}`, 'ip', ...add);
      await lab.network.exec(`r${n}`, 'ip', 'addr', 'add', `fe80::${n}/64`, 'dev', 'eth0', 'nodad');
    }
    const sessions = [
      { name: 'four', neighbor: '192.0.2.2', extra: ['source_ip 192.0.2.1'] },
      { name: 'six', neighbor: '2001:db8::2', extra: ['source_ip 2001:db8::1'] },
      { name: 'near', neighbor: 'fe80::2%eth0', extra: ['source_ip fe80::1'] },
    ];
    await using bfdd = await Bfdd.start(lab.host('r2'), [
      ...frr('192.0.2.1 local-address 192.0.2.2 interface eth0'),
      ...frr('2001:db8::1 local-address 2001:db8::2 interface eth0'),
      ...frr('fe80::1 local-address fe80::2 interface eth0'),
    ]);
    const ours = lab.daemon('vipkeeper', 'r1', text(1, 150, sessions));
    await step('all sessions come up on both sides', async () => {
      await ours.up();
      for (const { name } of sessions) await says(ours, name, 'Up');
      await bfdd.all('up');
      await lab.master('r1', VIP);
    });
    await step('FRR stops: all go down, and the router is in FAULT', async () => {
      const from = ours.log.length;
      bfdd.signal('SIGSTOP');
      for (const { name } of sessions) assert.match(await says(ours, name, 'Down', from), /detection time expired/);
      await ours.says(/instance=VI_1 .* to=FAULT .*BFD session \w+ failed/, PATIENCE, from);
    });
    await step('FRR goes on: all come up, and so does the router', async () => {
      const from = ours.log.length;
      bfdd.signal('SIGCONT');
      for (const { name } of sessions) await says(ours, name, 'Up', from);
      await bfdd.all('up');
      await lab.master('r1', VIP);
    });
    await step('other intervals are agreed without a break', async () => {
      const from = ours.log.length;
      ours.reload(
        text(
          1,
          150,
          sessions.map((session) => ({ ...session, interval: 150 })),
        ),
      );
      await ours.says(/ reloaded /, PATIENCE, from);
      let agreed: readonly number[] = [];
      for (let i = 0; i < 100 && agreed.join() !== '750,750,750'; i++)
        agreed = (await sessionsOf(ours)).map(({ detectionMs }) => detectionMs);
      assert.deepEqual(agreed, [750, 750, 750]);
      assert.doesNotMatch(ours.log.slice(from), /to=Down/);
    });
    await step('ours stops and says so', async () => {
      await ours.stop();
      await bfdd.all('down');
    });
  });

  test('with FRR over a router: multihop, IPv4 and IPv6', needs('bfdd'), async (context) => {
    await using lab = await Lab.create({ name: 'bfd-hops', routers: ['192.0.2.1/24', '198.51.100.2/24'] });
    const step = steps(context, lab);
    const exec = (host: string, line: string) => lab.network.exec(host, ...line.split(' '));
    // The client is the router between the two, on one leg.
    await exec('client', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
    await exec('client', 'sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0');
    for (const address of ['198.51.100.250/24', '2001:db8:1::fa/64', '2001:db8:2::fa/64'])
      await exec('client', `ip addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`);
    await exec('r1', 'ip addr add 2001:db8:1::1/64 dev eth0 nodad');
    await exec('r2', 'ip addr add 2001:db8:2::2/64 dev eth0 nodad');
    for (const host of ['r1', 'r2']) await exec(host, 'sysctl -qw net.ipv6.conf.eth0.accept_redirects=0');
    await exec('r1', 'ip route add default via 192.0.2.250');
    await exec('r1', 'ip -6 route add default via 2001:db8:1::fa');
    await exec('r2', 'ip route add default via 198.51.100.250');
    await exec('r2', 'ip -6 route add default via 2001:db8:2::fa');
    await using bfdd = await Bfdd.start(lab.host('r2'), [
      ...frr('192.0.2.1 multihop local-address 198.51.100.2'),
      ...frr('2001:db8:1::1 multihop local-address 2001:db8:2::2'),
    ]);
    const sessions = (maxHops: number) => [
      { name: 'four', neighbor: '198.51.100.2', extra: ['multihop', 'source_ip 192.0.2.1', `max_hops ${maxHops}`] },
      { name: 'six', neighbor: '2001:db8:2::2', extra: ['multihop', 'source_ip 2001:db8:1::1', `max_hops ${maxHops}`] },
    ];
    const ours = lab.daemon('vipkeeper', 'r1', text(1, 150, sessions(1)));
    await step('both sessions come up', async () => {
      await ours.up();
      for (const { name } of sessions(1)) await says(ours, name, 'Up');
      await bfdd.all('up');
    });
    await step('a packet that came over more hops than allowed does not count', async () => {
      const from = ours.log.length;
      ours.reload(text(1, 150, sessions(0)));
      for (const { name } of sessions(0)) await says(ours, name, 'Down', from);
      await ours.says(/BFD packets dropped: ttl \(TTL 254\)/, PATIENCE, from);
      const [four] = await sessionsOf(ours);
      assert.ok((four?.statistics.drops.ttl ?? 0) > 0);
    });
    await step('and with the hops allowed it does', async () => {
      const from = ours.log.length;
      ours.reload(text(1, 150, sessions(1)));
      for (const { name } of sessions(1)) await says(ours, name, 'Up', from);
    });
    await step('the router between them fails', async () => {
      const from = ours.log.length;
      await lab.network.cable('client', 'out');
      for (const { name } of sessions(1)) assert.match(await says(ours, name, 'Down', from), /expired/);
    });
  });

  test('with keepalived’s BFD', needs('keepalived'), async (context) => {
    await using lab = await Lab.create({ name: 'bfd-ka' });
    const step = steps(context, lab);
    for (const n of [1, 2])
      await lab.network.exec(`r${n}`, 'ip', ...`addr add 2001:db8::${n}/64 dev eth0 nodad`.split(' '));
    const sessions = (node: 1 | 2, extra: readonly string[]) => [
      { name: 'four', neighbor: `192.0.2.${3 - node}`, extra: [`source_ip 192.0.2.${node}`] },
      { name: 'six', neighbor: `2001:db8::${3 - node}`, extra: [`source_ip 2001:db8::${node}`, ...extra] },
    ];
    // keepalived sends IPv6 with hop limit 64 unless told otherwise, which RFC 5881 §5 forbids.
    const theirs = lab.daemon('keepalived', 'r2', text(2, 100, sessions(2, ['hoplimit 255'])));
    const ours = lab.daemon('vipkeeper', 'r1', text(1, 150, sessions(1, []), []));
    await step('both sessions come up, and keepalived is a backup because of it', async () => {
      await ours.up();
      theirs.start();
      for (const name of ['four', 'six']) await says(ours, name, 'Up');
      await theirs.says(/Entering BACKUP STATE/, PATIENCE);
    });
    await step('keepalived stops: both go down', async () => {
      const from = ours.log.length;
      theirs.killAll('SIGSTOP');
      for (const name of ['four', 'six']) assert.match(await says(ours, name, 'Down', from), /expired/);
    });
    await step('it goes on: both come up', async () => {
      const from = ours.log.length;
      theirs.killAll('SIGCONT');
      for (const name of ['four', 'six']) await says(ours, name, 'Up', from);
    });
    await step('ours stops and says so', async () => {
      const from = theirs.log.length;
      await ours.stop();
      await theirs.says(/Entering Down state \(.*Remote diagnostic - Administratively Down/, PATIENCE, from);
    });
  });

  test('a router hands over when the session it tracks goes down', needs('bfdd'), async (context) => {
    await using lab = await Lab.create({ name: 'bfd-track' });
    const step = steps(context, lab);
    await using bfdd = await Bfdd.start(lab.host('client'), [...frr('192.0.2.1'), ...frr('192.0.2.2')]);
    const gateway = [{ name: 'gateway', neighbor: '192.0.2.250' }];
    const one = lab.daemon('vipkeeper', 'r1', text(1, 150, gateway));
    const two = lab.daemon('vipkeeper', 'r2', text(2, 100, gateway));
    const { bridge } = lab.network;
    await step('the better one is master', async () => {
      await Promise.all([one.up(), two.up()]);
      await bfdd.all('up');
      await lab.master('r1', VIP);
    });
    await step('it no longer reaches the gateway: the other one takes over', async () => {
      const from = one.log.length;
      await nft(
        bridge,
        'add table bridge bfd',
        'add chain bridge bfd cut { type filter hook forward priority 0; }',
        'add rule bridge bfd cut ip saddr 192.0.2.250 ip daddr 192.0.2.1 udp dport 3784 drop',
      );
      await one.says(/instance=VI_1 from=MASTER to=FAULT .*BFD session gateway failed/, PATIENCE, from);
      await lab.master('r2', VIP);
    });
    await step('it reaches it again: it takes over again', async () => {
      await nft(bridge, 'delete table bridge bfd');
      await lab.master('r1', VIP);
    });
  });
});
