// rtnetlink for real: packed requests, dumps, events, overruns; and frames, since they need the same cable.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ip as address } from '../../core/net/address.ts';
import {
  addAddressRequest,
  addressDumpRequest,
  decodeAddress,
  deleteAddressRequest,
  linkDumpRequest,
} from '../../core/net/rtnetlink.ts';
import { LinuxFrameSocket } from '../../core/system/frame-socket.ts';
import * as linux from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxRouteMonitor } from '../../core/system/route-monitor.ts';
import { LinuxRouteSocket } from '../../core/system/route-socket.ts';
import { needs } from '../support/needs.ts';
import { indexOf, Pair, within } from './namespaces.ts';

const native = loadNative();
const unexpected = (): void => assert.fail('nothing was expected');

describe('netlink and frames', needs('root', 'ip'), () => {
  let pair: Pair;
  let index: number;
  let route: LinuxRouteSocket;
  before(() => {
    pair = new Pair('route');
    index = indexOf(pair.left, 'va');
    route = within(pair.left, () => new LinuxRouteSocket(native));
  });
  after(() => {
    route?.close();
    pair?.[Symbol.dispose]();
  });

  const vip = (n: number) => ({ index, address: address(`198.18.${n >> 8}.${n & 255}`), prefix: 32 });
  const add = (n: number) =>
    addAddressRequest(
      { ...vip(n), scope: 0, flags: 0, protocol: 18, validLifetime: 'forever', preferredLifetime: 'forever' },
      'exclusive',
    );
  const remove = (n: number) => deleteAddressRequest(vip(n));
  const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

  function addresses(): Set<string> {
    const found = new Set<string>();
    route.dump(addressDumpRequest(4), (message) => {
      const decoded = decodeAddress(message);
      if (typeof decoded !== 'string' && decoded.address.index === index) found.add(decoded.address.address);
    });
    return found;
  }

  test('500 addresses are added, listed and deleted, each with its own answer', () => {
    const all = numbers(500);
    const fine = all.map(() => ({ error: 0, name: 'OK' }));
    assert.deepEqual(route.request(all.map(add)), fine);
    const listed = addresses();
    for (const n of all) assert.ok(listed.has(vip(n).address));
    assert.deepEqual(route.request(all.map(remove)), fine);
    assert.deepEqual([...addresses()], ['192.0.2.1']);
  });

  test('answers come in the order of the requests, failures among them', () => {
    const names = route.request([add(1), add(1), add(2), remove(77), remove(1), remove(2)]).map(({ name }) => name);
    assert.deepEqual(names, ['OK', 'EEXIST', 'OK', 'EADDRNOTAVAIL', 'OK', 'OK']);
    assert.deepEqual(route.request([]), []);
  });

  test('a request without acknowledgement and one that is no message are refused before anything is sent', () => {
    const silent = remove(3);
    silent[6] = 1;
    const short = add(3).subarray(0, 20);
    const long = new Uint8Array(40);
    long.set([16, 0, 0, 0]);
    for (const bad of [silent, short, long, new Uint8Array(0), new Uint8Array(8)])
      assert.throws(() => route.request([add(3), bad]), TypeError);
    assert.ok(!addresses().has(vip(3).address));
  });

  test('the caller’s messages are not changed', () => {
    const message = add(4);
    const copy = message.slice();
    route.request([message, remove(4)]);
    assert.deepEqual(message, copy);
  });

  test('a dump that the kernel refuses throws by name, and the socket stays usable', () => {
    const request = linkDumpRequest();
    request[4] = 254; // a message type that does not exist
    assert.throws(() => route.dump(request, unexpected), { code: 'EOPNOTSUPP' });
    assert.ok(addresses().has('192.0.2.1'));
  });

  test('a sink that throws does not disturb the next dump', () => {
    const stop = () => {
      throw new Error('enough');
    };
    assert.throws(() => route.dump(linkDumpRequest(), stop), /enough/);
    let links = 0;
    route.dump(linkDumpRequest(), () => links++);
    assert.equal(links, 2);
  });

  test('answers that got lost are reported as unknown, the others as they are', () => {
    const tight = within(pair.left, () => new LinuxRouteSocket(native));
    native.setsockopt(tight.handle, linux.SOL_SOCKET, linux.SO_RCVBUF, 1);
    const acks = tight.request(numbers(64).map(add));
    const lost = acks.filter(({ name }) => name === 'ENOBUFS').length;
    assert.equal(acks.length, 64);
    assert.ok(lost > 0 && lost < 64, `${lost} lost`);
    assert.ok(acks.every(({ name }) => name === 'ENOBUFS' || name === 'OK'));
    assert.deepEqual(
      route.request(numbers(64).map(remove)).map(({ error }) => error),
      numbers(64).map(() => 0),
    );
    native.setsockopt(tight.handle, linux.SOL_SOCKET, linux.SO_RCVBUF, 65536);
    assert.deepEqual(tight.request([remove(0)]), [{ error: -99, name: 'EADDRNOTAVAIL' }]);
    tight.close();
  });

  test('the monitor tells of addresses that come and go', () => {
    const monitor = within(pair.left, () => new LinuxRouteMonitor(native));
    route.request([add(5), remove(5)]);
    const seen: string[] = [];
    const outcome = monitor.receive((message) => {
      const decoded = decodeAddress(message);
      if (typeof decoded !== 'string') seen.push(`${decoded.type} ${decoded.address.address}`);
    });
    assert.equal(outcome, 'ok');
    assert.deepEqual(seen, ['address 198.18.0.5', 'address-gone 198.18.0.5']);
    assert.equal(monitor.ready, false);
    monitor.close();
  });

  test('a monitor that missed events says so once, and hears the next ones', () => {
    const monitor = within(pair.left, () => new LinuxRouteMonitor(native, undefined, 4096));
    route.request(numbers(300).map(add));
    route.request(numbers(300).map(remove));
    assert.equal(
      monitor.receive(() => {}),
      'overrun',
    );
    assert.equal(monitor.receive(unexpected), 'ok');
    route.request([add(6), remove(6)]);
    let events = 0;
    assert.equal(
      monitor.receive(() => events++),
      'ok',
    );
    assert.equal(events, 2);
    monitor.close();
  });

  test('a monitor of the usual size takes a storm of thousands in bounded bites', () => {
    const monitor = within(pair.left, () => new LinuxRouteMonitor(native));
    for (let round = 0; round < 3; round++) {
      route.request(numbers(500).map(add));
      route.request(numbers(500).map(remove));
    }
    let events = 0;
    let bites = 0;
    for (monitor.ready = true; monitor.ready; bites++)
      assert.equal(
        monitor.receive(() => events++),
        'ok',
      );
    assert.equal(events, 3000);
    assert.ok(bites > 10);
    monitor.close();
  });

  test('frames leave by the interface named, and one bad interface takes none of the others along', () => {
    const frames = within(pair.left, () => new LinuxFrameSocket(native));
    const capture = within(pair.right, () => {
      const handle = native.socket(linux.AF_PACKET, linux.SOCK_RAW, 0);
      const name = new Uint8Array(20);
      // ETH_P_ARP, bound to vb
      name.set([linux.AF_PACKET, 0, 0x08, 0x06]);
      new DataView(name.buffer).setInt32(4, indexOf(pair.right, 'vb'), true);
      native.bind(handle, name);
      return handle;
    });
    const frame = new Uint8Array(42).fill(0xff, 0, 6);
    frame.set([2, 0, 0, 0, 0, 1, 0x08, 0x06], 6);
    for (const n of [1, 2, 3]) {
      frame[20] = n;
      frames.queue(frame, index);
      if (n === 2) frames.queue(frame, 99_999);
    }
    frames.queue(new Uint8Array(3), index);
    assert.deepEqual([...frames.flush()].sort(), ['EINVAL', 'ENXIO']);
    assert.deepEqual(frames.flush(), []);
    const buffer = new Uint8Array(2048);
    const got: number[] = [];
    const handles = Float64Array.of(capture);
    while (got.length < 3) {
      assert.equal(native.ppoll(handles, new Int32Array(1), 1, native.monotonic() + 10_000_000), 1);
      const size = native.recv(capture, buffer);
      if (size === 42 && buffer[11] === 1) got.push(buffer[20]!);
    }
    assert.deepEqual(got, [1, 2, 3]);
    assert.equal(native.recv(frames.handle, buffer), -linux.EAGAIN);
    native.close(capture);
    frames.close();
  });
});
