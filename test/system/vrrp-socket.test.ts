// VRRP sockets on both ends of a cable: real packets, both families.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ip as address, type Family, type IpAddress, ipBytes } from '../../core/net/address.ts';
import type { Datagram, VrrpSocketSpec } from '../../core/ports/engine-io.ts';
import * as linux from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';
import { LinuxPoller } from '../../core/system/poller.ts';
import { LinuxVrrpSocket } from '../../core/system/vrrp-socket.ts';
import { type Instant, instant } from '../../core/units.ts';
import { needs } from '../support/needs.ts';
import { indexOf, ip, Pair, within } from './namespaces.ts';

const native = loadNative();
const GROUP: Readonly<Record<Family, IpAddress>> = { 4: address('224.0.0.18'), 6: address('ff02::12') };
const LEFT: Readonly<Record<Family, IpAddress>> = { 4: address('192.0.2.1'), 6: address('fe80::1') };
const RIGHT: Readonly<Record<Family, IpAddress>> = { 4: address('192.0.2.2'), 6: address('fe80::2') };

const unexpected = (): void => assert.fail('nothing was expected');

interface PacketPlan {
  readonly payload: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl?: number;
  /** 32-bit words of no-operation options, IPv4 only. */
  readonly options?: number;
}

/** An IP packet of protocol 112; the kernel fills in the IPv4 checksum. */
function packet({ payload, source, destination, ttl = 255, options = 0 }: PacketPlan): Uint8Array {
  const v4 = !source.includes(':');
  const header = v4 ? 20 + 4 * options : 40;
  const out = new Uint8Array(header + payload.length);
  if (v4) {
    out.set([0x45 + options, 0xc0, out.length >> 8, out.length & 255, 0, 0, 0, 0, ttl, 112]);
    out.set(ipBytes(source), 12);
    out.set(ipBytes(destination), 16);
    out.fill(1, 20, header);
  } else {
    out.set([0x6c, 0, 0, 0, payload.length >> 8, payload.length & 255, 112, ttl]);
    out.set(ipBytes(source), 8);
    out.set(ipBytes(destination), 24);
  }
  out.set(payload, header);
  return out;
}

interface Seen extends Omit<Datagram, 'payload'> {
  readonly payload: readonly number[];
}

/** Receives until `count` datagrams are there. @throws Error when they do not come */
function collect(socket: LinuxVrrpSocket, count: number): Seen[] {
  const poller = new LinuxPoller(native);
  poller.add(socket);
  const seen: Seen[] = [];
  const giveUp = instant(native.monotonic() + 10_000_000);
  while (seen.length < count) {
    poller.wait(giveUp);
    if (native.monotonic() > giveUp) throw new Error(`${seen.length} of ${count} packets came`);
    socket.receive((d) => seen.push({ ...d, payload: [...d.payload] }), 1000);
  }
  return seen;
}

describe('VRRP sockets', needs('root', 'ip'), () => {
  let pair: Pair;
  let leftIndex: number;
  let rightIndex: number;
  before(() => {
    pair = new Pair('vrrp');
    leftIndex = indexOf(pair.left, 'va');
    rightIndex = indexOf(pair.right, 'vb');
  });
  after(() => pair?.[Symbol.dispose]());

  function sockets(family: Family) {
    const left = within(pair.left, () => new LinuxVrrpSocket(native, socketOn('va', leftIndex, family)));
    const right = within(pair.right, () => new LinuxVrrpSocket(native, socketOn('vb', rightIndex, family)));
    for (const socket of [left, right]) socket.join(GROUP[family]);
    return {
      left,
      right,
      [Symbol.dispose]: () => {
        left.close();
        right.close();
      },
    };
  }

  for (const family of [4, 6] as const) {
    const say = (text: string, extra: Partial<PacketPlan> = {}) =>
      packet({ payload: new TextEncoder().encode(text), source: LEFT[family], destination: GROUP[family], ...extra });

    test(`IPv${family}: a multicast packet arrives with its addresses, TTL and time, and does not come back`, () => {
      using both = sockets(family);
      const earliest = native.monotonic();
      both.left.queue(say('one'), GROUP[family]);
      both.left.queue(say('two', { ttl: 7 }), GROUP[family]);
      assert.deepEqual(both.left.flush(), []);
      const latest = native.monotonic() + 10_000_000;
      const [one, two] = collect(both.right, 2);
      assert.deepEqual(String.fromCharCode(...one!.payload, ...two!.payload), 'onetwo');
      assert.deepEqual([one!.source, one!.destination, one!.ttl], [LEFT[family], GROUP[family], 255]);
      assert.equal(two!.ttl, 7);
      assert.ok(one!.arrival >= earliest - 100 && two!.arrival >= one!.arrival - 100 && two!.arrival < latest);
      assert.equal(both.left.receive(unexpected, 10), 0);
      assert.equal(both.right.ready, false);
    });

    test(`IPv${family}: a unicast packet arrives, too`, () => {
      using both = sockets(family);
      both.left.queue(say('hello', { destination: RIGHT[family] }), RIGHT[family]);
      assert.deepEqual(both.left.flush(), []);
      const [hello] = collect(both.right, 1);
      assert.deepEqual([hello!.source, hello!.destination], [LEFT[family], RIGHT[family]]);
    });

    test(`IPv${family}: nothing comes before joining the group, nor after leaving it`, () => {
      using both = sockets(family);
      both.right.leave(GROUP[family]);
      both.right.leave(GROUP[family]);
      both.left.queue(say('unheard'), GROUP[family]);
      both.left.flush();
      both.right.join(GROUP[family]);
      both.right.join(GROUP[family]);
      both.left.queue(say('heard'), GROUP[family]);
      both.left.flush();
      assert.deepEqual(
        collect(both.right, 1).map((d) => String.fromCharCode(...d.payload)),
        ['heard'],
      );
    });

    test(`IPv${family}: more than a batch comes in order and within the limit asked for`, () => {
      using both = sockets(family);
      for (let i = 0; i < 600; i++) both.left.queue(say(String(i)), GROUP[family]);
      assert.deepEqual(both.left.flush(), []);
      const texts: string[] = [];
      const sink = (d: Datagram) => texts.push(String.fromCharCode(...d.payload));
      const poller = new LinuxPoller(native);
      poller.add(both.right);
      while (texts.length < 600) {
        poller.wait(instant(native.monotonic() + 10_000_000));
        assert.ok(both.right.ready, `only ${texts.length} came`);
        assert.ok(both.right.receive(sink, 50) <= 50);
      }
      assert.deepEqual(
        texts,
        Array.from({ length: 600 }, (_, i) => String(i)),
      );
    });

    test(`IPv${family}: a packet to a family or a group that is none is refused`, () => {
      using both = sockets(family);
      assert.throws(() => both.left.join(GROUP[family === 4 ? 6 : 4]), TypeError);
      assert.throws(() => both.left.join(LEFT[family]), { code: 'EINVAL' });
    });

    test(`IPv${family}: one packet that cannot be sent takes no other along`, () => {
      using both = sockets(family);
      const nowhere = address(family === 4 ? '198.51.100.9' : '2001:db8::9');
      both.left.queue(say('a'), GROUP[family]);
      both.left.queue(say('lost', { destination: nowhere }), nowhere);
      both.left.queue(say('b'), GROUP[family]);
      both.left.queue(new Uint8Array(600_000), GROUP[family]);
      both.left.queue(say('x'.repeat(4000)), GROUP[family]);
      both.left.queue(say('c'), GROUP[family]);
      const failed = both.left.flush();
      // an IPv4 socket bound to an interface takes what it has no route for to be on the link
      const unreachable = family === 4 ? [] : ['ENETUNREACH'];
      assert.deepEqual([...failed].sort(), ['EMSGSIZE', 'EMSGSIZE', ...unreachable]);
      assert.deepEqual(both.left.flush(), []);
      const texts = collect(both.right, 3).map((d) => String.fromCharCode(...d.payload));
      assert.deepEqual(texts, ['a', 'b', 'c']);
    });
  }

  test('IPv4 options are not mistaken for payload', () => {
    using both = sockets(4);
    const payload = Uint8Array.of(1, 2, 3);
    both.left.queue(packet({ payload, source: LEFT[4], destination: GROUP[4], options: 3 }), GROUP[4]);
    both.left.flush();
    assert.deepEqual(collect(both.right, 1)[0]!.payload, [1, 2, 3]);
  });

  test('sources beyond what is remembered are still told apart', () => {
    using both = sockets(4);
    const payload = Uint8Array.of(1);
    const sources = Array.from({ length: 1500 }, (_, i) => address(`192.0.${2 + (i >> 8)}.${i & 255}`));
    // martians and foreign networks are the kernel's business: ask it to let them through
    ip('netns', 'exec', pair.right, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0');
    ip('netns', 'exec', pair.right, 'sysctl', '-qw', 'net.ipv4.conf.vb.rp_filter=0');
    ip('-n', pair.right, 'route', 'add', 'default', 'dev', 'vb');
    for (const source of sources) both.left.queue(packet({ payload, source, destination: GROUP[4] }), GROUP[4]);
    assert.deepEqual(both.left.flush(), []);
    const expected = sources.filter((source) => source !== RIGHT[4]);
    const seen = collect(both.right, expected.length).map((d) => d.source);
    assert.deepEqual(seen, expected);
  });

  test('a link that is down fails every packet by name and recovers', () => {
    using both = sockets(4);
    const hello = packet({ payload: Uint8Array.of(9), source: LEFT[4], destination: GROUP[4] });
    ip('-n', pair.left, 'link', 'set', 'va', 'down');
    both.left.queue(hello, GROUP[4]);
    both.left.queue(hello, GROUP[4]);
    const failed = both.left.flush();
    assert.equal(failed.length, 2);
    for (const name of failed) assert.match(name, /^(ENETDOWN|ENETUNREACH|ENODEV)$/);
    ip('-n', pair.left, 'link', 'set', 'va', 'up');
    both.left.queue(hello, GROUP[4]);
    assert.deepEqual(both.left.flush(), []);
    assert.deepEqual(collect(both.right, 1)[0]!.payload, [9]);
  });

  test('arrival never lies after now nor before the socket was last empty, whatever the wall clock says', () => {
    using both = sockets(4);
    let skew = 0;
    const lying = { ...native, realtime: () => native.realtime() + skew };
    const socket = within(pair.right, () => new LinuxVrrpSocket(lying, socketOn('vb', rightIndex, 4)));
    socket.join(GROUP[4]);
    const poller = new LinuxPoller(native);
    poller.add(socket);
    for (const jump of [0, 3_600e6, -3_600e6]) {
      assert.equal(socket.receive(unexpected, 1), 0);
      const empty = native.monotonic();
      both.left.queue(packet({ payload: Uint8Array.of(1), source: LEFT[4], destination: GROUP[4] }), GROUP[4]);
      both.left.flush();
      poller.wait(undefined);
      skew = jump;
      let arrival: Instant | undefined;
      socket.receive((d) => {
        arrival = d.arrival;
      }, 1);
      assert.ok(arrival !== undefined && arrival <= native.monotonic() && arrival >= empty - 1_000_000);
      socket.receive(unexpected, 1);
    }
    socket.close();
  });

  test('other interfaces are not heard', () => {
    ip('-n', pair.right, 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'far', 'netns', pair.left);
    for (const [namespace, device] of [
      [pair.right, 'other'],
      [pair.left, 'far'],
    ] as const) {
      ip('-n', namespace, 'link', 'set', device, 'addrgenmode', 'none');
      ip('-n', namespace, 'link', 'set', device, 'up');
      ip('-n', namespace, 'address', 'add', 'fe80::99/64', 'dev', device, 'nodad');
    }
    const farIndex = indexOf(pair.left, 'far');
    const otherIndex = indexOf(pair.right, 'other');
    const far = within(pair.left, () => new LinuxVrrpSocket(native, socketOn('far', farIndex, 6)));
    const near = within(pair.right, () => new LinuxVrrpSocket(native, socketOn('other', otherIndex, 6)));
    const six = within(pair.right, () => new LinuxVrrpSocket(native, socketOn('vb', rightIndex, 6)));
    near.join(GROUP[6]);
    six.join(GROUP[6]);
    far.queue(packet({ payload: Uint8Array.of(1), source: LEFT[6], destination: GROUP[6] }), GROUP[6]);
    assert.deepEqual(far.flush(), []);
    assert.equal(collect(near, 1).length, 1);
    assert.equal(six.receive(unexpected, 10), 0);
    for (const socket of [far, near, six]) socket.close();
  });

  test('an interface that does not exist is named with the fix', () => {
    const network = new LinuxNetwork(native);
    assert.throws(() => network.vrrpSocket({ interface: 'nosuch0', ifindex: 9999, family: 4, protocol: 112 }), {
      name: 'NetworkError',
      code: 'ENODEV',
      message: /IPv4 VRRP socket on nosuch0: ENODEV: there is no such interface/,
    });
  });

  test('a closed socket refuses everything', () => {
    const socket = within(pair.left, () => new LinuxVrrpSocket(native, socketOn('va', leftIndex, 4)));
    socket.close();
    socket.queue(new Uint8Array(28), GROUP[4]);
    for (const use of [() => socket.flush(), () => socket.join(GROUP[4]), () => socket.receive(unexpected, 1)])
      assert.throws(use, { code: 'EBADF' });
    assert.deepEqual(socket.flush(), []);
    assert.equal(linux.EAGAIN, 11);
  });
});

function socketOn(name: string, ifindex: number, family: Family): VrrpSocketSpec {
  return { interface: name, ifindex, family, protocol: 112 };
}
