import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, parseMac } from '../../../core/net/address.ts';
import { decodeArp, gratuitousArpReply, isGratuitous } from '../../../core/net/arp.ts';
import { decodeNeighbourAdvertisement } from '../../../core/net/ndisc.ts';
import {
  ADDRESS_PROTOCOL_VRRP,
  IFA_F_DEPRECATED,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
} from '../../../core/net/rtnetlink.ts';
import type { BindOutcome } from '../../../core/vip/local-provider.ts';
import type { VirtualIp } from '../../../core/vip/virtual-ip.ts';
import { NetlinkProvider } from '../../../providers/netlink/index.ts';
import { FakeKernel } from './fake-kernel.ts';

const MAC = parseMac('02:00:00:00:00:0a')!;
const OTHER_MAC = parseMac('00:00:5e:00:01:33')!;

function vip(text: string, more: Partial<VirtualIp> = {}): VirtualIp {
  const [address, prefix] = text.split('/');
  const six = text.includes(':');
  return { address: ip(address!), prefix: Number(prefix ?? (six ? 128 : 32)), device: 'eth0', scope: 0, ...more };
}

function setUp(): { kernel: FakeKernel; provider: NetlinkProvider } {
  const kernel = new FakeKernel();
  kernel.addLink('lo', 1, undefined);
  kernel.addLink('eth0', 2, MAC);
  kernel.addLink('eth1', 3, MAC);
  return {
    kernel,
    provider: new NetlinkProvider({ route: kernel.route, frames: kernel.frames, links: kernel.lookup }),
  };
}

const words = (outcomes: readonly BindOutcome[]) => outcomes.map(({ outcome }) => outcome);
const reasons = (outcomes: readonly BindOutcome[]) => outcomes.map((o) => (o.outcome === 'failed' ? o.why : o.outcome));
const many = (count: number) => Array.from({ length: count }, (_, i) => vip(`10.1.${i >> 8}.${i & 255}`));

test('all addresses are bound in one request, marked and with their lifetime', () => {
  const { kernel, provider } = setUp();
  const vips = many(255);
  const outcomes = provider.bind(vips, 4);
  assert.deepEqual(new Set(words(outcomes)), new Set(['bound']));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.vip),
    vips,
  );
  assert.deepEqual(kernel.requests, [255]);
  assert.equal(kernel.addresses.length, 255);
  for (const record of kernel.addresses) {
    assert.equal(record.protocol, ADDRESS_PROTOCOL_VRRP);
    assert.deepEqual([record.validLifetime, record.preferredLifetime, record.index], [4, 4, 2]);
  }
});

test('an IPv6 address that was there with another prefix length is removed with that length', () => {
  const { kernel, provider } = setUp();
  const one = vip('fd00::1');
  kernel.put({ index: 2, address: one.address, prefix: 64, protocol: ADDRESS_PROTOCOL_VRRP });
  assert.deepEqual(words(provider.bind([one], 4)), ['present']);
  assert.deepEqual(provider.renew([one], 4), []);
  assert.deepEqual(provider.unbind([one]), [{ vip: one, outcome: 'removed' }]);
  assert.deepEqual(kernel.addresses, []);
});

test('label, scope, broadcast, peer and flags reach the kernel', () => {
  const { kernel, provider } = setUp();
  const labelled = vip('192.0.2.10/24', {
    label: 'eth0:vip',
    scope: 253,
    broadcast: ip('192.0.2.255'),
    noPrefixRoute: true,
  });
  const pointToPoint = vip('192.0.2.20/32', { peer: ip('192.0.2.21'), device: 'eth1' });
  provider.bind([labelled, pointToPoint], 'forever');
  assert.deepEqual(kernel.held('192.0.2.10'), {
    index: 2,
    family: 4,
    address: '192.0.2.10',
    prefix: 24,
    scope: 253,
    flags: IFA_F_NOPREFIXROUTE | IFA_F_PERMANENT,
    label: 'eth0:vip',
    broadcast: '192.0.2.255',
    protocol: 18,
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  });
  assert.equal(kernel.held('192.0.2.20')?.peer, '192.0.2.21');
  assert.equal(kernel.held('192.0.2.20')?.index, 3);
});

test('an IPv6 address skips duplicate detection unless it is asked for, and a single one is deprecated', () => {
  const { kernel, provider } = setUp();
  provider.bind([vip('fd00::1'), vip('fd00::2/64', { noDad: false }), vip('fd00::3/64', { label: 'x' })], 4);
  assert.equal(kernel.held('fd00::1')?.flags, IFA_F_NODAD | IFA_F_DEPRECATED);
  assert.deepEqual([kernel.held('fd00::1')?.validLifetime, kernel.held('fd00::1')?.preferredLifetime], [4, 0]);
  assert.equal(kernel.held('fd00::2')?.flags, 0);
  assert.equal(kernel.held('fd00::2')?.preferredLifetime, 4);
  assert.equal(kernel.held('fd00::3')?.label, undefined);
});

test('binding again says present and changes the lifetime of what is ours', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('fd00::1/64')];
  provider.bind(vips, 4);
  assert.deepEqual(words(provider.bind(vips, 9)), ['present', 'present']);
  assert.deepEqual(
    kernel.addresses.map((record) => record.validLifetime),
    [9, 9],
  );
});

test('what an earlier life left is taken over with the new lifetime', () => {
  const { kernel, provider } = setUp();
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 32, protocol: ADDRESS_PROTOCOL_VRRP });
  kernel.put({ index: 2, address: ip('10.0.0.2'), prefix: 32, validLifetime: 2, preferredLifetime: 2 });
  assert.deepEqual(words(provider.bind([vip('10.0.0.1'), vip('10.0.0.2')], 4)), ['present', 'present']);
  assert.deepEqual([kernel.held('10.0.0.1')?.validLifetime, kernel.held('10.0.0.2')?.validLifetime], [4, 4]);
});

test("a machine's own address is left without a lifetime, also when it is renewed", () => {
  const { kernel, provider } = setUp();
  const own = vip('10.0.0.1/24');
  kernel.put({ index: 2, address: own.address, prefix: 24 });
  assert.deepEqual(words(provider.bind([own], 4)), ['present']);
  assert.deepEqual(provider.renew([own], 4), []);
  assert.equal(kernel.held('10.0.0.1')?.validLifetime, 'forever');
  assert.deepEqual(words(provider.bind([own], 4)), ['present']);
  assert.equal(kernel.held('10.0.0.1')?.validLifetime, 'forever');
});

test("a machine's own address that went away comes back as ours", () => {
  const { kernel, provider } = setUp();
  const own = vip('10.0.0.1/24');
  kernel.put({ index: 2, address: own.address, prefix: 24 });
  provider.bind([own], 4);
  kernel.addresses = [];
  assert.deepEqual(provider.renew([own], 4), []);
  assert.equal(kernel.held('10.0.0.1')?.protocol, ADDRESS_PROTOCOL_VRRP);
  provider.renew([own], 7);
  assert.equal(kernel.held('10.0.0.1')?.validLifetime, 7);
});

test('when the kernel does not tell whose an address is, it gets no lifetime', () => {
  const { kernel, provider } = setUp();
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 32, protocol: ADDRESS_PROTOCOL_VRRP });
  kernel.dumpFails = true;
  assert.deepEqual(words(provider.bind([vip('10.0.0.1')], 4)), ['present']);
  assert.equal(kernel.held('10.0.0.1')?.validLifetime, 'forever');
});

test('renewing restores what somebody removed and reports only failures', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('10.0.0.2', { device: 'eth1' })];
  provider.bind(vips, 4);
  kernel.addresses = [];
  assert.deepEqual(provider.renew(vips, 5), []);
  assert.equal(kernel.held('10.0.0.1')?.validLifetime, 5);
  kernel.links.delete('eth1');
  assert.deepEqual(reasons(provider.renew(vips, 5)), ['there is no interface eth1 for 10.0.0.2']);
});

test('unbinding is idempotent', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('fd00::1')];
  provider.bind(vips, 4);
  assert.deepEqual(words(provider.unbind(vips)), ['removed', 'removed']);
  assert.deepEqual(words(provider.unbind(vips)), ['absent', 'absent']);
  assert.deepEqual(kernel.addresses, []);
  kernel.links.delete('eth0');
  assert.deepEqual(words(provider.unbind(vips)), ['absent', 'absent']);
});

test('an address in the subnet of the interface is a secondary and takes nothing with it', () => {
  const { kernel, provider } = setUp();
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 24 });
  provider.bind([vip('10.0.0.100/24')], 4);
  assert.equal(kernel.held('10.0.0.100')?.flags, IFA_F_SECONDARY);
  provider.unbind([vip('10.0.0.100/24')]);
  assert.ok(kernel.held('10.0.0.1'));
});

test('removing the primary of a subnet leaves our other addresses in place', () => {
  const { kernel, provider } = setUp();
  const [primary, second, third, elsewhere] = [
    vip('10.0.0.100/24'),
    vip('10.0.0.101/24'),
    vip('10.0.0.102/24'),
    vip('10.0.1.100/24'),
  ];
  provider.bind([primary, second, elsewhere], 4);
  provider.bind([third], 9);
  assert.deepEqual(words(provider.unbind([primary])), ['removed']);
  assert.deepEqual(kernel.addresses.map(({ address, validLifetime }) => [address, validLifetime]).sort(), [
    ['10.0.0.101', 4],
    ['10.0.0.102', 9],
    ['10.0.1.100', 4],
  ]);
});

test('removing all addresses of a subnet removes all', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.100/24'), vip('10.0.0.101/24')];
  provider.bind(vips, 4);
  assert.deepEqual(words(provider.unbind(vips)), ['removed', 'absent'], 'the kernel took the second with the first');
  assert.deepEqual(kernel.addresses, []);
});

test('with promoted secondaries nothing needs restoring', () => {
  const { kernel, provider } = setUp();
  kernel.promoteSecondaries = true;
  provider.bind([vip('10.0.0.100/24'), vip('10.0.0.101/24')], 4);
  provider.unbind([vip('10.0.0.100/24')]);
  assert.deepEqual(
    kernel.addresses.map(({ address }) => address),
    ['10.0.0.101'],
  );
});

test('failures are sentences', () => {
  const { kernel, provider } = setUp();
  const bind = (one: VirtualIp) => reasons(provider.bind([one], 4))[0];
  assert.equal(bind(vip('10.0.0.1', { device: 'eth7' })), 'there is no interface eth7 for 10.0.0.1');
  assert.match(bind(vip('10.0.0.1', { label: 'a label that is too long' }))!, /^cannot use 10\.0\.0\.1 on eth0: label/);
  kernel.refuse = 'EPERM';
  assert.equal(
    bind(vip('10.0.0.1')),
    'cannot bind 10.0.0.1/32 on eth0: not permitted, the process needs CAP_NET_ADMIN (EPERM)',
  );
  kernel.refuse = 'ENODEV';
  assert.equal(bind(vip('10.0.0.1')), 'cannot bind 10.0.0.1/32 on eth0: the interface is gone (ENODEV)');
  kernel.refuse = 'EINVAL';
  assert.match(reasons(provider.renew([vip('10.0.0.1')], 4))[0]!, /^cannot renew .* must have the same scope/);
  assert.match(reasons(provider.unbind([vip('10.0.0.1')]))[0]!, /^cannot remove .*\(EINVAL\)$/);
});

test('one address that fails does not keep the others from being bound', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('10.0.0.2', { device: 'eth7' }), vip('10.0.0.3')];
  assert.deepEqual(words(provider.bind(vips, 4)), ['bound', 'failed', 'bound']);
  assert.equal(kernel.addresses.length, 2);
});

test('an acknowledgement that is missing is a failure', () => {
  const { kernel } = setUp();
  const route = { ...kernel.route, request: () => [] };
  const provider = new NetlinkProvider({ route, frames: kernel.frames, links: kernel.lookup });
  assert.match(reasons(provider.bind([vip('10.0.0.1')], 4))[0]!, /the kernel did not answer \(EIO\)$/);
});

test('an interface that was made anew gets the addresses under its new index', () => {
  const { kernel, provider } = setUp();
  const one = vip('10.0.0.1');
  provider.bind([one], 4);
  kernel.addresses = [];
  kernel.addLink('eth0', 9, OTHER_MAC);
  assert.deepEqual(provider.renew([one], 4), []);
  assert.equal(kernel.held('10.0.0.1')?.index, 9);
  provider.announce([one], 1);
  assert.equal(kernel.wire[0]?.ifindex, 9);
  // the MAC address of a virtual router: a request would be answered by the old master, from that same address
  assert.deepEqual(kernel.wire[0]?.frame, gratuitousArpReply(OTHER_MAC, one.address));
});

test('announcements go round over the addresses, all of them once before any of them twice', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('fd00::1'), vip('10.0.0.2', { device: 'eth1' })];
  assert.equal(provider.announce(vips, 3), 9);
  assert.equal(kernel.flushes, 3);
  const said = kernel.wire.map(({ ifindex, frame }) => {
    const arp = decodeArp(frame);
    if (typeof arp !== 'string') {
      assert.ok(isGratuitous(arp.arp) && arp.arp.senderMac === MAC);
      return `${ifindex} ${arp.arp.senderIp}`;
    }
    const na = decodeNeighbourAdvertisement(frame);
    assert.ok(typeof na !== 'string' && na.router && na.override && !na.solicited && na.linkAddress === MAC);
    return `${ifindex} ${na.target}`;
  });
  const round = ['2 10.0.0.1', '2 fd00::1', '3 10.0.0.2'];
  assert.deepEqual(said, [...round, ...round, ...round]);
});

test('the router flag can be left off', () => {
  const { kernel } = setUp();
  const options = { route: kernel.route, frames: kernel.frames, links: kernel.lookup, routerFlag: false };
  new NetlinkProvider(options).announce([vip('fd00::1')], 1);
  const na = decodeNeighbourAdvertisement(kernel.wire[0]!.frame);
  assert.ok(typeof na !== 'string' && !na.router);
});

test('where nobody could hear it nothing is announced', () => {
  const { kernel, provider } = setUp();
  kernel.addLink('tun0', 4, undefined);
  const vips = [
    vip('10.0.0.1', { device: 'lo' }),
    vip('10.0.0.2', { device: 'tun0' }),
    vip('10.0.0.3', { device: 'eth7' }),
  ];
  assert.equal(provider.announce(vips, 5), 0);
  assert.equal(provider.announce([], 5), 0);
  assert.equal(provider.announce([vip('10.0.0.4')], 0), 0);
  assert.deepEqual(kernel.wire, []);
});

test('frames that did not leave are not counted', () => {
  const { kernel } = setUp();
  const gone = { index: 77, name: 'gone', mac: MAC, mtu: 1500, running: true, loopback: false };
  const links = (name: string) => (name === 'gone' ? gone : kernel.lookup(name));
  const provider = new NetlinkProvider({ route: kernel.route, frames: kernel.frames, links });
  assert.equal(provider.announce([vip('10.0.0.1'), vip('10.0.0.2', { device: 'gone' })], 2), 2);
});

test('what was prepared is used, and nothing is built for the announcement', () => {
  const { kernel } = setUp();
  const queued: Uint8Array[] = [];
  const frames = { queue: (frame: Uint8Array) => void queued.push(frame), flush: () => [], close: () => {} };
  const provider = new NetlinkProvider({ route: kernel.route, frames, links: kernel.lookup });
  const one = vip('10.0.0.1');
  provider.prepare([one, vip('10.0.0.2', { device: 'eth7' }), vip('10.0.0.3', { label: 'a label that is too long' })]);
  provider.announce([one], 2);
  provider.announce([one], 1);
  assert.equal(queued.length, 3);
  assert.ok(queued[0] === queued[1] && queued[1] === queued[2], 'the same bytes each time');
});

test('observing tells which addresses are held on their device, whatever the prefix length', () => {
  const { kernel, provider } = setUp();
  const vips = [
    vip('10.0.0.1'),
    vip('10.0.0.2'),
    vip('10.0.0.3'),
    vip('fd00::1/64'),
    vip('10.0.0.5', { device: 'eth7' }),
  ];
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 24 });
  kernel.put({ index: 3, address: ip('10.0.0.2'), prefix: 32 });
  kernel.put({ index: 2, address: ip('fd00::1'), prefix: 64 });
  assert.deepEqual(provider.observe(vips), [vips[0], vips[3]]);
  kernel.dumpFails = true;
  assert.deepEqual(provider.observe(vips), []);
});

test('leftovers can be removed as they are', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('10.0.0.2'), vip('fd00::1'), vip('10.0.0.4')];
  const ours = { index: 2, protocol: ADDRESS_PROTOCOL_VRRP };
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 32 });
  kernel.put({ ...ours, address: ip('10.0.0.1'), prefix: 24 });
  kernel.put({ ...ours, address: ip('fd00::1'), prefix: 64 });
  kernel.put({ index: 2, address: ip('10.0.0.4'), prefix: 24, validLifetime: 3, preferredLifetime: 3 });
  const left = provider.leftovers(vips);
  assert.deepEqual(
    left.map(({ address, prefix }) => `${address}/${prefix}`),
    ['10.0.0.1/32', '10.0.0.1/24', 'fd00::1/64', '10.0.0.4/24'],
  );
  assert.deepEqual(new Set(words(provider.unbind(left))), new Set(['removed', 'absent']));
  assert.deepEqual(kernel.addresses, []);
  assert.deepEqual(provider.leftovers(vips), []);
});

test('of leftovers with a mark, a finite lifetime alone is none: it may be DHCP’s', () => {
  const { kernel, provider } = setUp();
  const vips = [vip('10.0.0.1'), vip('10.0.0.2'), vip('10.0.0.3')];
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 32, protocol: ADDRESS_PROTOCOL_VRRP });
  kernel.put({ index: 2, address: ip('10.0.0.2'), prefix: 32, validLifetime: 3, preferredLifetime: 3 });
  kernel.put({ index: 2, address: ip('10.0.0.3'), prefix: 32 });
  assert.deepEqual(provider.leftovers(vips, true), [vips[0]]);
  kernel.dumpFails = true;
  assert.deepEqual(provider.leftovers(vips, true), []);
});

test("a machine's own address in another prefix length is no leftover", () => {
  const { kernel, provider } = setUp();
  kernel.put({ index: 2, address: ip('10.0.0.1'), prefix: 24 });
  assert.deepEqual(provider.leftovers([vip('10.0.0.1/32')]), []);
  assert.deepEqual(provider.leftovers([vip('10.0.0.1/24')]).length, 1);
});

test('when the kernel does not tell, every address may be a leftover', () => {
  const { kernel, provider } = setUp();
  kernel.dumpFails = true;
  const vips = [vip('10.0.0.1')];
  assert.deepEqual(provider.leftovers(vips), vips);
  assert.deepEqual(words(provider.unbind(vips)), ['absent']);
});
