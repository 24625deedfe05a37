// The interfaces of virtual routers in a real kernel: made as they must be, adopted after a crash, made anew with the
// interface below, told of when unused, removed with every setting as it was; never at the cost of somebody else's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { InstanceConfig, VirtualInterface } from '../../core/config/model.ts';
import { LinkTable } from '../../core/engine/links.ts';
import type { EngineConfig, EngineEvent } from '../../core/engine/messages.ts';
import { VirtualInterfaces } from '../../core/engine/virtual-interfaces.ts';
import { removeLinks } from '../../core/engine/virtual-links.ts';
import type { RouteSocket } from '../../core/ports/engine-io.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';
import { ProcSysctl } from '../../core/system/sysctl.ts';
import { type Instant, millis, seconds } from '../../core/units.ts';
import { needs } from '../support/needs.ts';
import { ip, Pair, within } from '../system/namespaces.ts';
import { instance, virtualIp } from './instances.ts';

const NOW = 0 as Instant;
const MAC = '00:00:5e:00:01:33';

function vmac(changes: Partial<VirtualInterface & { kind: 'macvlan' }> = {}): InstanceConfig {
  const own = {
    kind: 'macvlan',
    name: 'vrrp.51',
    mac: MAC,
    group: undefined,
    forAddresses: false,
    sendBelow: false,
  } as const;
  const virtualInterface = { ...own, ...changes };
  return instance({
    interface: 'va',
    virtualInterface,
    vips: [{ ...virtualIp('192.0.2.100'), device: virtualInterface.name }],
  });
}

function configured(added: readonly InstanceConfig[], rest: Partial<EngineConfig> = {}): EngineConfig {
  return { added, changed: [], removed: [], groups: [], addressLifetime: true, leaseTime: millis(3_000), ...rest };
}

describe('virtual interfaces', needs('root', 'ip'), () => {
  let pair: Pair;
  let route: RouteSocket;
  before(() => {
    pair = new Pair('vif');
    ip('netns', 'exec', pair.left, 'sysctl', '-qw', 'net.ipv4.conf.va.arp_announce=1');
  });
  after(() => pair[Symbol.dispose]());

  /** A life of the engine's part, inside the namespace. */
  function life<T>(act: (part: { interfaces: VirtualInterfaces; told: EngineEvent[]; said: string[] }) => T): T {
    return within(pair.left, () => {
      const network = new LinuxNetwork(loadNative());
      route = network.routeSocket();
      const monitor = network.routeMonitor();
      const table = new LinkTable(monitor, route);
      // what the engine does before it tells its residents
      const links = {
        get(name: string) {
          table.update();
          return table.get(name);
        },
      };
      const told: EngineEvent[] = [];
      const said: string[] = [];
      const interfaces = new VirtualInterfaces({
        links,
        sysctl: new ProcSysctl(),
        routeSocket: () => route,
        tell: (event) => told.push(event),
        complain: (level, text) => said.push(`${level}: ${text}`),
      });
      try {
        return act({ interfaces, told, said });
      } finally {
        monitor.close();
        interfaces.close();
      }
    });
  }

  const detail = (name: string): string => ip('-n', pair.left, '-d', 'link', 'show', 'dev', name);
  const links = (): string => ip('-n', pair.left, '-br', 'link');
  const setting = (path: string): number =>
    within(pair.left, () => Number(readFileSync(`/proc/sys/net/${path}`, 'utf8')));
  const remove = (...names: readonly string[]): readonly string[] =>
    life(({ interfaces }) => {
      interfaces.configure(configured([]), NOW);
      const socket = new LinuxNetwork(loadNative()).routeSocket();
      try {
        return removeLinks(new Set(names), socket);
      } finally {
        socket.close();
      }
    });

  test('a macvlan is made: private, silent, switched on, and the interface below does not answer for it', () => {
    const { said } = life((part) => {
      part.interfaces.configure(configured([vmac()]), NOW);
      return part;
    });
    assert.deepEqual(said, []);
    assert.match(
      detail('vrrp.51'),
      new RegExp(`UP,LOWER_UP[\\s\\S]*${MAC}[\\s\\S]*macvlan mode private[\\s\\S]*addrgenmode none`),
    );
    assert.deepEqual(
      ['arp_ignore', 'arp_announce', 'arp_filter', 'rp_filter'].map((name) => setting(`ipv4/conf/vrrp.51/${name}`)),
      [1, 2, 0, 2],
    );
    assert.equal(setting('ipv6/conf/vrrp.51/disable_ipv6'), 1);
    assert.deepEqual([setting('ipv4/conf/va/arp_ignore'), setting('ipv4/conf/va/arp_announce')], [1, 2]);
  });

  test('after a crash it is adopted, and the settings from before the crash come back at the end', () => {
    const before = detail('vrrp.51').split('\n')[0];
    life(({ interfaces }) => interfaces.configure(configured([vmac()]), NOW));
    assert.equal(detail('vrrp.51').split('\n')[0], before, 'the same interface, with its index');
    assert.deepEqual(remove('vrrp.51'), ['vrrp.51']);
    assert.doesNotMatch(links(), /vrrp/);
    assert.deepEqual([setting('ipv4/conf/va/arp_ignore'), setting('ipv4/conf/va/arp_announce')], [0, 1]);
  });

  test('an IPv6 router’s macvlan learns no addresses and no routes', () => {
    const config = vmac({ name: 'vrrp6.51', mac: '00:00:5e:00:02:33' });
    const vips = [{ ...virtualIp('fd00::100', 64), device: 'vrrp6.51' }];
    life(({ interfaces }) => interfaces.configure(configured([{ ...config, family: 6, vips }]), NOW));
    assert.deepEqual(
      ['disable_ipv6', 'accept_ra', 'autoconf'].map((name) => setting(`ipv6/conf/vrrp6.51/${name}`)),
      [0, 0, 0],
    );
    assert.equal(ip('-n', pair.left, 'addr', 'show', 'dev', 'vrrp6.51').includes('inet6'), false);
    remove('vrrp6.51');
  });

  test('what is no longer wanted is named, once, and settings stay while another one stands on the interface', () => {
    life(({ interfaces, told }) => {
      const second = { ...vmac({ name: 'vrrp.52', mac: '00:00:5e:00:01:34' }), name: 'VI_2' };
      interfaces.configure(configured([vmac()]), NOW);
      interfaces.configure(configured([second]), NOW);
      interfaces.configure(configured([], { removed: ['VI_1'] }), NOW);
      assert.deepEqual(told, [{ type: 'links-unused', names: ['vrrp.51'] }]);
      interfaces.configure(configured([]), NOW);
      assert.equal(told.length, 1);
    });
    remove('vrrp.51');
    assert.deepEqual([setting('ipv4/conf/va/arp_ignore'), /vrrp\.52/.test(links())], [1, true]);
    remove('vrrp.52');
    assert.equal(setting('ipv4/conf/va/arp_ignore'), 0);
  });

  test('it comes back with the interface below', () => {
    life(({ interfaces }) => {
      interfaces.configure(configured([vmac()]), NOW);
      ip('-n', pair.left, 'link', 'del', 'va');
      interfaces.followLinks(NOW);
      assert.doesNotMatch(links(), /vrrp/);
      ip('-n', pair.left, 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns', pair.right);
      ip('-n', pair.left, 'link', 'set', 'va', 'up');
      interfaces.followLinks(NOW);
      assert.match(detail('vrrp.51'), new RegExp(MAC));
      assert.equal(setting('ipv4/conf/va/arp_ignore'), 1);
    });
    remove('vrrp.51');
  });

  test('somebody else’s interface of that name or MAC address is left alone, and named with the way out', () => {
    for (const [other, mac] of [
      ['vrrp.51', '02:00:00:00:00:07'],
      ['theirs', MAC],
    ] as const) {
      ip('-n', pair.left, 'link', 'add', other, 'link', 'va', 'address', mac, 'type', 'macvlan');
      const said = life((part) => {
        part.interfaces.configure(configured([vmac()]), NOW);
        part.interfaces.followLinks(NOW);
        return part.said;
      });
      assert.equal(said.length, 1, 'it is said once');
      assert.match(said[0]!, new RegExp(`^error: interface vrrp.51: .*remove that: ip link del ${other}`));
      assert.deepEqual(remove('vrrp.51', other), []);
      assert.match(links(), new RegExp(other));
      ip('-n', pair.left, 'link', 'del', other);
    }
  });

  test('what cannot be made costs nothing with every notice of the kernel, and is tried again later', () => {
    ip('-n', pair.left, 'link', 'add', 'vrrp.51', 'link', 'va', 'address', '02:00:00:00:00:07', 'type', 'macvlan');
    const second = { ...vmac({ name: 'vrrp.52', mac: '00:00:5e:00:01:34' }), name: 'VI_2' };
    life(({ interfaces }) => {
      interfaces.configure(configured([vmac(), second]), NOW);
      let requests = 0;
      const { request, dump } = route;
      route.request = (messages) => {
        requests++;
        return request.call(route, messages);
      };
      route.dump = (message, sink) => {
        requests++;
        dump.call(route, message, sink);
      };
      for (let i = 0; i < 5; i++) interfaces.followLinks(NOW);
      assert.equal(requests, 0);
      ip('-n', pair.left, 'link', 'del', 'vrrp.51');
      assert.ok(interfaces.deadline! <= seconds(10));
      interfaces.expire(interfaces.deadline!);
      assert.match(detail('vrrp.51'), new RegExp(MAC));
      assert.equal(interfaces.deadline, undefined);
    });
    remove('vrrp.51', 'vrrp.52');
  });

  test('two hundred are removed at once', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({
      ...vmac({ name: `vrrp.${i + 1}`, mac: `00:00:5e:00:01:${(i + 1).toString(16).padStart(2, '0')}` }),
      name: `VI_${i + 1}`,
    }));
    life(({ interfaces, said }) => {
      interfaces.configure(configured(many), NOW);
      assert.deepEqual(said, []);
    });
    assert.equal(remove(...many.map(({ virtualInterface }) => virtualInterface!.name)).length, 200);
    assert.doesNotMatch(links(), /vrrp/);
  });
});
