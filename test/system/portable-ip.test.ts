// Links, addresses and announcements without netlink: by the programs ip and arping, in a network namespace. What they
// say is held against what the kernel itself says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FramePort } from '../../core/cli/demo/sockets.ts';
import { LinkTable } from '../../core/engine/links.ts';
import { type IpAddress, ip as parseIp } from '../../core/net/address.ts';
import { decodeArp } from '../../core/net/arp.ts';
import { addressDumpRequest, decodeAddress, decodeLink, linkDumpRequest } from '../../core/net/rtnetlink.ts';
import type { RouteMonitor, RouteSocket } from '../../core/ports/engine-io.ts';
import { systemTiming } from '../../core/system/child-process.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';
import { PortableNetwork } from '../../core/system/portable/network.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';
import { NetlinkProvider } from '../../providers/netlink/index.ts';
import { needsRawSocket } from '../support/raw-socket.ts';
import { indexOf, ip, Pair, within } from './namespaces.ts';

const ETH_P_ARP = 0x0806;
const suite = needsRawSocket('root', 'ip', 'arping');

const vip = (text: string, more: Partial<VirtualIp> = {}): VirtualIp => {
  const [address, prefix] = text.split('/');
  return { address: parseIp(address!), prefix: Number(prefix), device: 'va', scope: 0, ...more };
};

/** Links and addresses as a route socket tells them, without what ip(8) does not show. */
function told(route: RouteSocket) {
  const links: unknown[] = [];
  route.dump(linkDumpRequest(), (message) => links.push(decodeLink(message)));
  const addresses: unknown[] = [];
  route.dump(addressDumpRequest(), (message) => {
    const decoded = decodeAddress(message);
    assert.ok(typeof decoded !== 'string', String(decoded));
    const { protocol: _protocol, flags, ...rest } = decoded.address;
    const PERMANENT = 0x80;
    addresses.push({ ...rest, permanent: (flags & PERMANENT) !== 0 });
  });
  return { links, addresses };
}

/** Resolves when it holds; looks whenever the loop has done something. @throws Error after ten seconds */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ten seconds`);
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
}

describe('the machine by ip and arping', suite, () => {
  let pair: Pair;
  let network: PortableNetwork;
  let route: RouteSocket;
  let provider: NetlinkProvider;
  let monitor: RouteMonitor;
  let links: LinkTable;
  let wakes = 0;

  const shown = () =>
    (
      JSON.parse(ip('-n', pair.left, '-j', 'address', 'show', 'dev', 'va')) as {
        addr_info: { local: string; valid_life_time: number; label?: string; scope: string; dynamic?: boolean }[];
      }[]
    )[0]!.addr_info.filter(({ local }) => local.startsWith('192.0.2.1') && local !== '192.0.2.1');
  const outcomes = (act: () => readonly { readonly outcome: string }[]) =>
    within(pair.left, act).map(({ outcome }) => outcome);

  before(() => {
    pair = new Pair('portip');
    network = new PortableNetwork({ now: systemTiming.now }, () => wakes++);
    route = network.routeSocket();
    monitor = within(pair.left, () => network.routeMonitor());
    links = within(pair.left, () => new LinkTable(monitor, route));
    provider = new NetlinkProvider({ route, frames: network.frameSocket(), links: (name) => links.get(name) });
  });
  after(() => {
    monitor?.close();
    pair?.[Symbol.dispose]();
  });

  test('says of links and addresses what the kernel says', () => {
    ip('-n', pair.left, 'address', 'add', '192.0.2.77/24', 'broadcast', '192.0.2.255', 'label', 'va:x', 'dev', 'va');
    ip('-n', pair.left, 'address', 'add', '198.51.100.1', 'peer', '198.51.100.2/32', 'scope', 'link', 'dev', 'va');
    const kernel = within(pair.left, () => new LinuxNetwork(loadNative()).routeSocket());
    const sort = ({ links: all, addresses }: ReturnType<typeof told>) =>
      [...all, ...addresses].map((one) => JSON.stringify(one)).sort();
    assert.deepEqual(sort(within(pair.left, () => told(route))), sort(told(kernel)));
    ip('-n', pair.left, 'address', 'del', '192.0.2.77/24', 'dev', 'va');
    ip('-n', pair.left, 'address', 'del', '198.51.100.1', 'peer', '198.51.100.2/32', 'dev', 'va');
  });

  test('binds with a lifetime, knows what is there, renews, and removes', () => {
    const vips = [vip('192.0.2.100/24', { label: 'va:vip' }), vip('192.0.2.101/32', { scope: 253 })];
    assert.deepEqual(
      outcomes(() => provider.bind(vips, 20)),
      ['bound', 'bound'],
    );
    const bound = shown();
    assert.deepEqual(
      new Map(bound.map(({ local, label, scope, dynamic }) => [local, { label, scope, dynamic }])),
      new Map([
        ['192.0.2.100', { label: 'va:vip', scope: 'global', dynamic: true }],
        ['192.0.2.101', { label: 'va', scope: 'link', dynamic: true }],
      ]),
    );
    assert.equal(bound.length, 2);
    for (const { valid_life_time } of bound) assert.ok(valid_life_time > 10 && valid_life_time <= 20);
    assert.deepEqual(
      outcomes(() => provider.bind(vips, 30)),
      ['present', 'present'],
    );
    assert.deepEqual(
      outcomes(() => provider.renew(vips, 3_000)),
      [],
    );
    for (const { valid_life_time } of shown()) assert.ok(valid_life_time > 2_900);
    assert.deepEqual(
      within(pair.left, () => provider.observe([...vips, vip('192.0.2.102/24')])),
      vips,
    );
    assert.deepEqual(
      outcomes(() => provider.unbind(vips)),
      ['removed', 'removed'],
    );
    assert.deepEqual(shown(), []);
    assert.deepEqual(
      outcomes(() => provider.unbind(vips)),
      ['absent', 'absent'],
    );
  });

  test('one address that cannot be bound does not keep the others', () => {
    const vips = [vip('192.0.2.110/24'), vip('192.0.2.111/24', { device: 'nowhere0' }), vip('192.0.2.112/24')];
    assert.deepEqual(
      outcomes(() => provider.bind(vips, 'forever')),
      ['bound', 'failed', 'bound'],
    );
    assert.deepEqual(
      outcomes(() => provider.unbind(vips)),
      ['removed', 'absent', 'removed'],
    );
  });

  test('answers every other request as not supported', () => {
    const [ack] = route.request([linkDumpRequest()]);
    assert.equal(ack?.name, 'EOPNOTSUPP');
  });

  test('hears what others do: addresses and links that come and go', async () => {
    const changes = () => within(pair.left, () => links.update());
    changes();
    const before = wakes;
    ip('-n', pair.left, 'address', 'add', '192.0.2.120/24', 'dev', 'va');
    await until('the address is told', () => wakes > before && changes().interfaces.has('va'));
    const second = wakes;
    let removed: readonly { readonly address: IpAddress }[] = [];
    ip('-n', pair.left, 'address', 'del', '192.0.2.120/24', 'dev', 'va');
    await until('its removal is told', () => {
      if (wakes > second) removed = changes().removed;
      return removed.length > 0;
    });
    assert.deepEqual(
      removed.map(({ address }) => address),
      ['192.0.2.120'],
    );
    assert.equal(links.get('va')?.running, true);
    ip('-n', pair.right, 'link', 'set', 'vb', 'down');
    await until('the loss of the carrier is told', () => {
      changes();
      return links.get('va')?.running === false;
    });
    ip('-n', pair.right, 'link', 'set', 'vb', 'up');
    await until('its return is told', () => {
      changes();
      return links.get('va')?.running === true;
    });
    ip('-n', pair.left, 'link', 'add', 'later0', 'type', 'veth', 'peer', 'name', 'later1');
    await until('a new link is told', () => {
      changes();
      return links.get('later0') !== undefined;
    });
    ip('-n', pair.left, 'link', 'del', 'later0');
    await until('its end is told', () => {
      changes();
      return links.get('later0') === undefined;
    });
  });

  test('announces what it holds by gratuitous ARP requests, and nothing that it has let go', async () => {
    const port = within(pair.right, () => new FramePort(indexOf(pair.right, 'vb'), ETH_P_ARP));
    const heard: { readonly ip: string; readonly mac: string }[] = [];
    const listen = () =>
      port.drain((frame) => {
        const decoded = decodeArp(frame);
        if (typeof decoded !== 'string' && decoded.arp.senderIp === decoded.arp.targetIp)
          heard.push({ ip: decoded.arp.senderIp, mac: decoded.arp.senderMac });
      });
    const held = vip('192.0.2.130/24');
    const gone = vip('192.0.2.131/24');
    within(pair.left, () => {
      provider.bind([held, gone], 'forever');
      provider.announce([held, gone], 3);
      provider.unbind([gone]);
    });
    // What was heard of it so far was said while it was bound.
    listen();
    const early = heard.splice(0).filter((one) => one.ip === held.address).length;
    await until('it is announced as often as was asked', () => {
      listen();
      return early + heard.filter((one) => one.ip === held.address).length >= 3;
    });
    assert.ok(
      heard.every((one) => one.ip === held.address && one.mac === links.get('va')?.mac),
      JSON.stringify(heard),
    );
    within(pair.left, () => provider.unbind([held]));
  });
});
