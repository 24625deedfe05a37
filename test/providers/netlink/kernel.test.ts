// The netlink provider on the real kernel, in a network namespace of its own. Needs root and ip(8).
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ip as address, type MacAddress } from '../../../core/net/address.ts';
import {
  ADDRESS_PROTOCOL_VRRP,
  type AddressRecord,
  addressDumpRequest,
  decodeAddress,
  decodeLink,
  IFA_F_DEPRECATED,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  type LinkRecord,
  linkDumpRequest,
} from '../../../core/net/rtnetlink.ts';
import type { FrameSocket, RouteSocket } from '../../../core/ports/engine-io.ts';
import type { LinuxNetwork } from '../../../core/system/network.ts';
import type { BindOutcome } from '../../../core/vip/local-provider.ts';
import type { VirtualIp } from '../../../core/vip/virtual-ip.ts';
import { NetlinkProvider } from '../../../providers/netlink/index.ts';
import { needs } from '../../support/needs.ts';

/** Named so that test/support/netns.ts clears it away should this process crash. */
const NAMESPACE = `vk-${process.pid}-nl`;
const MAC = '02:00:00:00:00:0a' as MacAddress;
const OWN = '10.0.0.1';

function vip(text: string, more: Partial<VirtualIp> = {}): VirtualIp {
  const [ip, prefix] = text.split('/');
  return { address: address(ip!), prefix: Number(prefix), device: 'e0', scope: 0, ...more };
}

const words = (outcomes: readonly BindOutcome[]) => [...new Set(outcomes.map(({ outcome }) => outcome))];

/** What `ip -j address` says of one address. */
interface ShownAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly label?: string;
  readonly scope: string;
  readonly dynamic?: boolean;
  readonly valid_life_time: number;
  readonly preferred_life_time: number;
}

describe('the netlink provider on the real kernel', needs('root', 'ip'), () => {
  let run: (...args: readonly string[]) => string;
  let network: LinuxNetwork;
  let within: <T>(act: () => T) => T;
  let route: RouteSocket;
  let frames: FrameSocket;
  let links: ReadonlyMap<string, LinkRecord>;
  let provider: NetlinkProvider;

  before(async () => {
    const namespaces = await import('../../system/namespaces.ts');
    const { loadNative } = await import('../../../core/system/native/index.ts');
    const { LinuxNetwork } = await import('../../../core/system/network.ts');
    run = (...args) => namespaces.ip('-n', NAMESPACE, ...args);
    within = (act) => namespaces.within(NAMESPACE, act);
    namespaces.ip('netns', 'add', NAMESPACE);
    run('link', 'set', 'lo', 'up');
    run('link', 'add', 'e0', 'address', MAC, 'type', 'veth', 'peer', 'name', 'e1');
    run('link', 'set', 'e0', 'up');
    run('link', 'set', 'e1', 'up');
    network = new LinuxNetwork(loadNative());
    route = within(() => network.routeSocket());
    frames = within(() => network.frameSocket());
  });

  after(async () => {
    route?.close();
    frames?.close();
    const { ip } = await import('../../system/namespaces.ts');
    ip('netns', 'delete', NAMESPACE);
  });

  beforeEach(() => {
    run('address', 'flush', 'dev', 'e0');
    run('address', 'add', `${OWN}/24`, 'dev', 'e0');
    links = readLinks();
    provider = new NetlinkProvider({ route, frames, links: (name) => links.get(name) });
  });

  function readLinks(): ReadonlyMap<string, LinkRecord> {
    const found = new Map<string, LinkRecord>();
    route.dump(linkDumpRequest(), (message) => {
      const decoded = decodeLink(message);
      assert.ok(typeof decoded !== 'string' && decoded.type === 'link', JSON.stringify(decoded));
      found.set(decoded.link.name, decoded.link);
    });
    return found;
  }

  /** The kernel's table, link-local addresses and loopback left out. */
  function table(): Map<string, AddressRecord> {
    const found = new Map<string, AddressRecord>();
    route.dump(addressDumpRequest(), (message) => {
      const decoded = decodeAddress(message);
      assert.ok(typeof decoded !== 'string', String(decoded));
      const record = decoded.address;
      if (record.index === links.get('e0')?.index && !record.address.startsWith('fe80'))
        found.set(record.address, record);
    });
    return found;
  }

  function shown(ip: string): ShownAddress | undefined {
    const [link] = JSON.parse(run('-j', 'address', 'show', 'dev', 'e0')) as { addr_info: ShownAddress[] }[];
    return link!.addr_info.find(({ local }) => local === ip);
  }

  test('the kernel describes its links as ip shows them', () => {
    const described = [...links.values()].map(({ index, name, mac, mtu, running }) => ({
      ifindex: index,
      ifname: name,
      address: mac ?? '00:00:00:00:00:00',
      mtu,
      running,
    }));
    const listed = JSON.parse(run('-j', 'link', 'show')) as Record<string, unknown>[];
    for (const link of described) {
      const expected = listed.find(({ ifindex }) => ifindex === link.ifindex)!;
      for (const key of ['ifname', 'address', 'mtu'] as const) assert.equal(link[key], expected[key]);
      assert.equal(link.running, true);
    }
    assert.equal(described.length, listed.length);
    assert.equal(links.get('e0')?.mac, MAC);
    assert.equal(links.get('lo')?.loopback, true);
  });

  test('255 addresses are bound, renewed and removed', (t) => {
    const vips = Array.from({ length: 255 }, (_, i) => vip(`10.1.0.${i}/32`));
    provider.prepare(vips);
    const timed = <T>(what: string, act: () => T): T => {
      const began = performance.now();
      const result = act();
      t.diagnostic(`${what} 255 addresses: ${(performance.now() - began).toFixed(2)} ms`);
      return result;
    };
    assert.deepEqual(words(timed('bind', () => provider.bind(vips, 60))), ['bound']);
    assert.equal(table().size, 256);
    assert.deepEqual(provider.observe(vips), vips);
    assert.deepEqual(
      timed('renew', () => provider.renew(vips, 600)),
      [],
    );
    assert.ok([...table().values()].every(({ validLifetime: left }) => left === 'forever' || left > 60));
    assert.equal(
      timed('announce', () => provider.announce(vips, 5)),
      255 * 5,
    );
    assert.deepEqual(words(timed('unbind', () => provider.unbind(vips))), ['removed']);
    assert.deepEqual([...table().keys()], [OWN]);
    assert.deepEqual(words(provider.unbind(vips)), ['absent']);
  });

  test('255 IPv6 addresses are bound and removed', (t) => {
    const vips = Array.from({ length: 255 }, (_, i) => vip(`fd00::${(i + 1).toString(16)}/128`));
    provider.prepare(vips);
    const began = performance.now();
    assert.deepEqual(words(provider.bind(vips, 60)), ['bound']);
    t.diagnostic(`bind 255 IPv6 addresses: ${(performance.now() - began).toFixed(2)} ms`);
    assert.equal(provider.observe(vips).length, 255);
    assert.deepEqual(words(provider.unbind(vips)), ['removed']);
    assert.deepEqual(provider.observe(vips), []);
  });

  test('what was asked for is what ip shows', () => {
    const labelledVip = vip('10.0.0.100/24', { label: 'e0:vip' });
    provider.bind([labelledVip, vip('10.0.0.101/32', { scope: 253 })], 50);
    const labelled = shown('10.0.0.100')!;
    assert.deepEqual(
      [labelled.prefixlen, labelled.label, labelled.scope, labelled.dynamic],
      [24, 'e0:vip', 'global', true],
    );
    assert.ok(labelled.valid_life_time > 0 && labelled.valid_life_time <= 50, `${labelled.valid_life_time}`);
    const plain = shown('10.0.0.101')!;
    assert.deepEqual([plain.prefixlen, plain.label, plain.scope], [32, 'e0', 'link']);
    provider.renew([labelledVip], 'forever');
    assert.equal(shown('10.0.0.100')?.valid_life_time, 0xffffffff);
    assert.equal(shown('10.0.0.100')?.dynamic, undefined);
  });

  test('what was asked for is what the kernel tells', () => {
    const asked = [
      vip('10.9.0.1/24', { broadcast: address('10.9.0.255'), noPrefixRoute: true }),
      vip('10.9.1.1/32', { peer: address('10.9.1.2') }),
      vip('fd00::100/128'),
      vip('fd00::101/64'),
    ];
    assert.deepEqual(words(provider.bind(asked, 'forever')), ['bound']);
    const found = table();
    const [wide, pointToPoint, single, six] = asked.map((one) => found.get(one.address)!);
    assert.deepEqual([wide!.broadcast, wide!.protocol], ['10.9.0.255', ADDRESS_PROTOCOL_VRRP]);
    assert.equal(wide!.flags, IFA_F_NOPREFIXROUTE | IFA_F_PERMANENT);
    assert.deepEqual([pointToPoint!.peer, pointToPoint!.prefix], ['10.9.1.2', 32]);
    assert.equal(single!.flags & (IFA_F_NODAD | IFA_F_DEPRECATED), IFA_F_NODAD | IFA_F_DEPRECATED);
    assert.deepEqual([single!.preferredLifetime, single!.validLifetime, single!.prefix], [0, 'forever', 128]);
    assert.equal(six!.flags & (IFA_F_NODAD | IFA_F_DEPRECATED), IFA_F_NODAD);
    assert.deepEqual(words(provider.unbind(asked)), ['removed']);
    assert.deepEqual([...table().keys()], [OWN]);
  });

  test('binding again is present and sets the lifetime; renewing restores what was removed', () => {
    const vips = [vip('10.0.0.100/24'), vip('fd00::100/64')];
    provider.bind(vips, 30);
    assert.deepEqual(words(new NetlinkProvider({ route, frames, links: (name) => links.get(name) }).bind(vips, 900)), [
      'present',
    ]);
    for (const one of vips) assert.ok(Number(table().get(one.address)?.validLifetime) > 30);
    run('address', 'del', '10.0.0.100/24', 'dev', 'e0');
    run('address', 'del', 'fd00::100/64', 'dev', 'e0');
    assert.deepEqual(provider.observe(vips), []);
    assert.deepEqual(provider.renew(vips, 30), []);
    assert.deepEqual(provider.observe(vips), vips);
  });

  test("a machine's own address keeps having no lifetime", () => {
    const own = vip(`${OWN}/24`);
    assert.deepEqual(words(provider.bind([own], 30)), ['present']);
    assert.deepEqual(provider.renew([own], 30), []);
    assert.equal(table().get(OWN)?.validLifetime, 'forever');
  });

  test('an IPv6 address that was there with another prefix length is present, and is removed', () => {
    run('address', 'add', 'fd00::100/64', 'dev', 'e0', 'nodad');
    const one = vip('fd00::100/128');
    assert.deepEqual(words(provider.bind([one], 30)), ['present']);
    assert.deepEqual(words(provider.unbind([one])), ['removed']);
    assert.deepEqual(provider.observe([one]), []);
  });

  test('an address in the subnet of the interface is a secondary, and removing it removes nothing else', () => {
    const one = vip('10.0.0.100/24');
    provider.bind([one], 'forever');
    assert.equal(table().get(one.address)!.flags & IFA_F_SECONDARY, IFA_F_SECONDARY);
    provider.unbind([one]);
    assert.deepEqual([...table().keys()], [OWN]);
  });

  test('removing the primary of a subnet leaves our other addresses in place', () => {
    const vips = [vip('10.7.0.100/24'), vip('10.7.0.101/24'), vip('10.7.0.102/24')];
    provider.bind(vips, 60);
    assert.deepEqual(words(provider.unbind(vips.slice(0, 1))), ['removed']);
    assert.deepEqual(provider.observe(vips), vips.slice(1));
    provider.unbind(vips);
    assert.deepEqual([...table().keys()], [OWN]);
  });

  test('leftovers are found with the prefix length they have, and can be removed', () => {
    const vips = [vip('10.7.0.100/32'), vip('10.7.0.101/32'), vip(`${OWN}/32`)];
    provider.bind([vip('10.7.0.100/24')], 60);
    const left = provider.leftovers(vips);
    assert.deepEqual(
      left.map(({ address: ip, prefix }) => `${ip}/${prefix}`),
      ['10.7.0.100/24'],
    );
    assert.deepEqual(words(provider.unbind(left)), ['removed']);
    assert.deepEqual([...table().keys()], [OWN]);
  });

  test('the refusals of the kernel become sentences', () => {
    const why = (one: VirtualIp) => {
      const [outcome] = provider.bind([one], 30);
      return outcome?.outcome === 'failed' ? outcome.why : outcome?.outcome;
    };
    assert.equal(why(vip('10.0.0.9/32', { device: 'none' })), 'there is no interface none for 10.0.0.9');
    assert.match(why(vip('10.0.0.9/24', { scope: 253 }))!, /same scope.*\(EINVAL\)$/);
    assert.match(why(vip('ff02::9/128'))!, /^cannot bind ff02::9\/128 on e0: .*\(E[A-Z]+\)$/);
    links = new Map([['e0', { ...links.get('e0')!, index: 4711 }]]);
    assert.match(why(vip('10.0.0.9/32'))!, /the interface is gone \(ENODEV\)$/);
    assert.deepEqual(words(provider.unbind([vip('10.0.0.9/32')])), ['absent']);
  });
});
