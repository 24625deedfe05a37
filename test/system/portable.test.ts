// The package raw-socket as our own socket uses it: each of its defects is made to happen, and does no harm. And as an
// independent peer: what our encoder makes it carries to our socket, and the other way round.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { ip } from '../../core/net/address.ts';
import { encodeIpv4Header } from '../../core/net/ipv4.ts';
import type { Clock, Datagram, VrrpSocket } from '../../core/ports/engine-io.ts';
import { ChildProcesses, systemTiming } from '../../core/system/child-process.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';
import { stdioBeyond } from '../../core/system/portable/descriptors.ts';
import { PortableNetwork } from '../../core/system/portable/network.ts';
import { seconds } from '../../core/units.ts';
import { needsRawSocket } from '../support/raw-socket.ts';
import { indexOf, Pair, within } from './namespaces.ts';

const GROUP = ip('224.0.0.18');
const LEFT = ip('192.0.2.1');
const RIGHT = ip('192.0.2.2');
const clock: Clock = { now: systemTiming.now };
const suite = needsRawSocket('root', 'ip');

/** An IP packet of protocol 112 whose payload is this number. */
function packet(number: number, source = LEFT, destination = GROUP): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setUint32(4, number);
  const header = encodeIpv4Header({ tos: 0xc0, id: 0, ttl: 255, protocol: 112, source, destination }, payload.length);
  return Uint8Array.from([...header, ...payload]);
}

const numberIn = ({ payload }: Datagram): number => new DataView(payload.buffer, payload.byteOffset).getUint32(4);

/** One turn of the event loop, with its poll phase. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Turns the loop until it holds. @throws Error after five seconds */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = clock.now() + seconds(5);
  while (!holds()) {
    if (clock.now() > end) throw new Error(`${what}: not within five seconds`);
    await turn();
  }
}

describe('the portable VRRP socket', suite, () => {
  let pair: Pair;
  let ours: VrrpSocket;
  let theirs: VrrpSocket;
  let wakes = 0;
  const native = suite.skip === false ? loadNative() : undefined;

  before(() => {
    pair = new Pair('portable');
    const portable = new PortableNetwork(clock, () => wakes++);
    const linux = new LinuxNetwork(native!);
    ours = within(pair.left, () =>
      portable.vrrpSocket({ interface: 'va', ifindex: indexOf(pair.left, 'va'), family: 4, protocol: 112 }),
    );
    theirs = within(pair.right, () =>
      linux.vrrpSocket({ interface: 'vb', ifindex: indexOf(pair.right, 'vb'), family: 4, protocol: 112 }),
    );
    ours.join(GROUP);
    theirs.join(GROUP);
  });
  after(() => {
    ours?.close();
    theirs?.close();
    pair?.[Symbol.dispose]();
  });

  /** Reads what there is. */
  function drain(socket: VrrpSocket): { number: number; source: string; destination: string; ttl: number }[] {
    const got: { number: number; source: string; destination: string; ttl: number }[] = [];
    const sink = (datagram: Datagram) => {
      const { source, destination, ttl } = datagram;
      got.push({ number: numberIn(datagram), source, destination, ttl });
    };
    while (socket.receive(sink, 64) > 0);
    return got;
  }

  test('carries our packets to our own socket, and those of our own socket to us', async () => {
    ours.queue(packet(1), GROUP);
    ours.queue(packet(2, LEFT, RIGHT), RIGHT);
    assert.deepEqual(ours.flush(), []);
    assert.deepEqual(drain(theirs), [
      { number: 1, source: LEFT, destination: GROUP, ttl: 255 },
      { number: 2, source: LEFT, destination: RIGHT, ttl: 255 },
    ]);
    const before = wakes;
    theirs.queue(packet(3, RIGHT), GROUP);
    theirs.queue(packet(4, RIGHT, LEFT), LEFT);
    assert.deepEqual(theirs.flush(), []);
    await until('it is woken', () => wakes > before && ours.ready);
    assert.deepEqual(drain(ours), [
      { number: 3, source: RIGHT, destination: GROUP, ttl: 255 },
      { number: 4, source: RIGHT, destination: LEFT, ttl: 255 },
    ]);
    assert.equal(ours.ready, false);
  });

  test('hears nothing of a group that it left', () => {
    ours.leave(GROUP);
    theirs.queue(packet(5, RIGHT), GROUP);
    theirs.flush();
    assert.deepEqual(drain(ours), []);
    ours.join(GROUP);
    theirs.queue(packet(6, RIGHT), GROUP);
    theirs.flush();
    assert.deepEqual(
      drain(ours).map(({ number }) => number),
      [6],
    );
  });

  test('goes on hearing after garbage collections', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const before = wakes;
    const forgotten = new WeakRef(
      within(pair.left, () =>
        new PortableNetwork(clock, () => {}).vrrpSocket({ interface: 'lo', ifindex: 1, family: 4, protocol: 112 }),
      ),
    );
    for (let number = 0; number < 20; number++) {
      collect();
      await turn();
      theirs.queue(packet(number, RIGHT), GROUP);
      theirs.flush();
      await until('it is woken', () => ours.ready);
      assert.deepEqual(
        drain(ours).map((one) => one.number),
        [number],
      );
    }
    assert.ok(wakes > before);
    const kept = forgotten.deref();
    assert.ok(kept !== undefined, 'a socket that nobody refers to is open still');
    kept.close();
  });

  test('sends at once whatever waits to be read', () => {
    const flood = 2_000;
    for (let number = 0; number < flood; number++) theirs.queue(packet(number, RIGHT), GROUP);
    theirs.flush();
    // No turn of the loop in between: the flood is still there to be read, and the advert is on the wire.
    ours.queue(packet(77), GROUP);
    assert.deepEqual(ours.flush(), []);
    assert.deepEqual(
      drain(theirs).map(({ number }) => number),
      [77],
    );
    assert.equal(drain(ours).length, flood);
  });

  test('reads no more in one go than it is asked to, and is woken again for the rest', async () => {
    for (let number = 0; number < 10; number++) theirs.queue(packet(number, RIGHT), GROUP);
    theirs.flush();
    const got: number[] = [];
    const sink = (datagram: Datagram) => got.push(numberIn(datagram));
    assert.equal(ours.receive(sink, 4), 4);
    const before = wakes;
    await until('it is woken for the rest', () => wakes > before);
    assert.equal(ours.receive(sink, 64), 6);
    assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('an exception of whoever reads reaches him, and the next packet comes', () => {
    theirs.queue(packet(8, RIGHT), GROUP);
    theirs.queue(packet(9, RIGHT), GROUP);
    theirs.flush();
    const fail = () => {
      throw new Error('a bug');
    };
    assert.throws(() => ours.receive(fail, 1), /a bug/);
    assert.deepEqual(
      drain(ours).map(({ number }) => number),
      [9],
    );
  });

  test('an exception of whoever is woken is an uncaught one, not lost in the package', async () => {
    const program = `
      import { RawSocket } from '${new URL('../../core/system/portable/raw-socket.ts', import.meta.url)}';
      const socket = new RawSocket(112, () => { throw new Error('nobody may swallow this'); });
      socket.send(Buffer.from('${Buffer.from(packet(1, ip('127.0.0.1'), ip('127.0.0.1'))).toString('hex')}', 'hex'), '127.0.0.1');
      setTimeout(() => {}, 5_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 1);
    assert.match(said, /nobody may swallow this/);
  });

  test('names what sending met', () => {
    ours.queue(new Uint8Array(10), GROUP);
    ours.queue(packet(1), GROUP);
    assert.deepEqual(ours.flush(), ['EINVAL']);
    assert.equal(drain(theirs).length, 1);
  });

  test('no child inherits its descriptors', async () => {
    assert.ok(stdioBeyond().some((entry) => typeof entry === 'number'));
    // Below 3 are the pipes that Node makes, which are sockets, too.
    const list = 'cd /proc/self/fd; for fd in *; do test $fd -lt 3 || readlink $fd; done; true';
    const children = new ChildProcesses();
    const argv = ['/bin/sh', '-c', list] as const;
    const request = { argv, identity: undefined, environment: { PATH: '/usr/bin:/bin' }, timeout: seconds(10) };
    const { output } = await children.start(request, new AbortController().signal).result;
    assert.doesNotMatch(output, /socket:/);
    // Without that there is one, which is why.
    const bare = spawn('/bin/sh', ['-c', list], { stdio: ['ignore', 'pipe', 'inherit'] });
    let inherited = '';
    bare.stdout.setEncoding('utf8').on('data', (text: string) => {
      inherited += text;
    });
    await once(bare, 'close');
    assert.match(inherited, /socket:/);
  });

  test('is refused for IPv6, for an interface that is not there, and in a worker, with the reason', async () => {
    const portable = new PortableNetwork(clock, () => {});
    const ask = (spec: { interface: string; family: 4 | 6 }) => () =>
      portable.vrrpSocket({ ...spec, ifindex: 1, protocol: 112 });
    assert.throws(ask({ interface: 'lo', family: 6 }), /EAFNOSUPPORT/);
    assert.throws(ask({ interface: 'nowhere0', family: 4 }), /ENODEV: there is no such interface/);
    const file = new URL('../../core/system/portable/raw-socket.ts', import.meta.url);
    const program = `import('${file}').then(({ loadRawSocket }) => loadRawSocket())`;
    const worker = new Worker(program, { eval: true });
    const [error] = (await once(worker, 'error')) as [Error];
    assert.match(error.message, /hears nothing outside the main thread/);
  });

  test('closing it closes its descriptor, and what is done afterwards does no harm', () => {
    const portable = new PortableNetwork(clock, () => {});
    const spec = { interface: 'lo', ifindex: 1, family: 4, protocol: 112 } as const;
    const before = stdioBeyond().filter((entry) => typeof entry === 'number').length;
    const socket = portable.vrrpSocket(spec);
    socket.close();
    assert.equal(stdioBeyond().filter((entry) => typeof entry === 'number').length, before);
    socket.queue(packet(1), GROUP);
    assert.deepEqual(socket.flush(), ['EBADF']);
    assert.equal(
      socket.receive(() => {}, 1),
      0,
    );
    socket.close();
  });
});

/** The package does not hold its own sockets: without this a collection may close one while we wait for it. */
const held = new Set<unknown>();

interface Message {
  readonly bytes: Buffer;
  readonly source: string;
}

describe('raw-socket itself, an independent peer', suite, () => {
  test('sends what our encoder makes to our socket, and hears what our socket sends', async () => {
    using pair = new Pair('peer');
    const linux = new LinuxNetwork(loadNative());
    const mine = within(pair.right, () =>
      linux.vrrpSocket({ interface: 'vb', ifindex: indexOf(pair.right, 'vb'), family: 4, protocol: 112 }),
    );
    mine.join(GROUP);
    const raw = createRequire(import.meta.url)('raw-socket');
    const peer = within(pair.left, () => raw.createSocket({ protocol: 112 }));
    held.add(peer);
    const membership = Buffer.from([...[224, 0, 0, 18], ...[192, 0, 2, 1], ...[0, 0, 0, 0]]);
    const SOL_IP = 0;
    const [HDRINCL, MULTICAST_IF, ADD_MEMBERSHIP] = [3, 32, 35];
    peer.setOption(SOL_IP, HDRINCL, 1);
    peer.setOption(SOL_IP, MULTICAST_IF, membership, membership.length);
    peer.setOption(SOL_IP, ADD_MEMBERSHIP, membership, membership.length);
    try {
      const message = new Promise<Message>((resolve) => {
        // It hears its own packets, too.
        peer.on('message', (bytes: Buffer, source: string) => {
          if (source === RIGHT) resolve({ bytes: Buffer.from(bytes), source });
        });
      });
      const sent = new Promise<Error | null>((resolve) => {
        const bytes = Buffer.from(packet(21));
        peer.send(bytes, 0, bytes.length, GROUP, (error: Error | null) => resolve(error));
      });
      assert.equal(await sent, null);
      const got: number[] = [];
      await until('it arrives', () => {
        mine.receive((datagram) => got.push(numberIn(datagram)), 8);
        return got.length > 0;
      });
      assert.deepEqual(got, [21]);

      mine.queue(packet(22, RIGHT), GROUP);
      assert.deepEqual(mine.flush(), []);
      const { bytes, source } = await message;
      assert.equal(source, RIGHT);
      assert.equal(bytes.readUInt8(8), 255, 'TTL');
      assert.equal(bytes.readUInt32BE(20 + 4), 22);
    } finally {
      held.delete(peer);
      peer.close();
      mine.close();
    }
  });
});
