// Fuzzes what reads the kernel's netlink answers: whole messages, damaged ones, lies about lengths, and bytes; alone and
// through the sockets, fed by a kernel that answers anything at all. The suite runs some of it (netlink.test.ts), by hand it
// runs as long as it should:
//
//   node test/fuzz/netlink.ts --seconds 60              from a seed of the clock, which is printed
//   node test/fuzz/netlink.ts --seed 7 --runs 1         one run again; a failure prints this line and the bytes
import { pathToFileURL } from 'node:url';
import { type Draw, randomFrom } from '../../core/config/source-random.ts';
import type { IpAddress } from '../../core/net/address.ts';
import * as netlink from '../../core/net/netlink.ts';
import * as rtnetlink from '../../core/net/rtnetlink.ts';
import { addRouteRequest, decodeRoute, RTM_DELROUTE, RTM_NEWROUTE } from '../../core/net/rtroute.ts';
import { addRuleRequest, decodeRule, RTM_DELRULE, RTM_NEWRULE } from '../../core/net/rtrule.ts';
import * as linux from '../../core/system/linux.ts';
import type { Handle, Native } from '../../core/system/native/index.ts';
import { LinuxRouteMonitor } from '../../core/system/route-monitor.ts';
import { LinuxRouteSocket } from '../../core/system/route-socket.ts';

/** More than any run may take, also on a busy machine; runs take microseconds. */
const MAX_RUN_MS = 10_000;

const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!;
const bytes = (draw: Draw, length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256));

const LINK = { index: 2, address: '192.0.2.9' as IpAddress, prefix: 24, scope: 0, flags: 0, protocol: 18 } as const;
const ROUTE = {
  family: 4,
  type: 'unicast',
  destination: '10.0.0.0' as IpAddress,
  prefix: 8,
  table: 1000,
  protocol: 18,
  scope: 0,
  tos: 0,
  hops: [{ gateway: '192.0.2.1' as IpAddress, device: 'e', weight: 1, onlink: false }],
  metrics: [{ metric: 'mtu', value: 1400, lock: true }],
  mode: 'prepend',
} as const;
const RULE = {
  family: 6,
  not: false,
  from: { address: '2001:db8::' as IpAddress, prefix: 32 },
  tos: 0,
  preference: 9,
  protocol: 18,
  action: { type: 'table', table: 1000 },
} as const;

/** Messages as the kernel sends them, near enough. */
const WHOLE: readonly Uint8Array[] = [
  rtnetlink.addAddressRequest({ ...LINK, validLifetime: 5, preferredLifetime: 'forever' }, 'replace'),
  rtnetlink.addAddressRequest(
    { ...LINK, address: '2001:db8::1' as IpAddress, prefix: 64, validLifetime: 5, preferredLifetime: 5 },
    'exclusive',
  ),
  addRouteRequest(ROUTE, () => 2) as Uint8Array,
  addRuleRequest(RULE),
  netlink.buildMessage(rtnetlink.RTM_NEWLINK, 0, new Uint8Array(16), [
    { type: 3, value: new TextEncoder().encode('eth0\0') },
    { type: 1, value: Uint8Array.of(2, 0, 0, 0, 0, 1) },
    { type: 4, value: netlink.u32(1500) },
  ]),
  netlink.buildMessage(netlink.NLMSG_ERROR, 0, new Uint8Array(20), []),
  netlink.buildMessage(netlink.NLMSG_DONE, 2, netlink.u32(0xffffffea), []),
  netlink.buildMessage(netlink.NLMSG_DONE, 2, new Uint8Array(0), []),
  netlink.buildMessage(netlink.NLMSG_NOOP, 0, new Uint8Array(0), []),
  netlink.buildMessage(netlink.NLMSG_OVERRUN, 0, new Uint8Array(0), []),
];

const TYPES: readonly number[] = [
  ...[0, netlink.NLMSG_NOOP, netlink.NLMSG_ERROR, netlink.NLMSG_DONE, netlink.NLMSG_OVERRUN, 15, 0xffff],
  ...[rtnetlink.RTM_NEWLINK, rtnetlink.RTM_DELLINK, rtnetlink.RTM_NEWADDR, rtnetlink.RTM_DELADDR],
  ...[RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE],
];
const LENGTHS: readonly number[] = [0, 1, 3, 4, 5, 8, 15, 16, 17, 19, 20, 28, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];

/** A datagram of one kind or another. */
export function datagramOf(seed: number): { readonly kind: string; readonly data: Uint8Array } {
  const draw = randomFrom(seed);
  switch (draw(4)) {
    case 0:
      return { kind: 'whole', data: joined(draw) };
    case 1:
      return { kind: 'damaged', data: damaged(joined(draw), draw) };
    case 2:
      return { kind: 'attributes', data: attributes(draw) };
    default:
      return { kind: 'bytes', data: bytes(draw, draw(200)) };
  }
}

function joined(draw: Draw): Uint8Array {
  const parts = Array.from({ length: draw(6) }, () => {
    const part = pick(WHOLE, draw).slice();
    if (draw(2) === 0) netlink.setHost16(part, 4, pick(TYPES, draw));
    netlink.setSequence(part, draw(4));
    if (draw(6) === 0) netlink.setFlags(part, draw(0x10000));
    return part;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Bytes changed, lengths that lie, an end that comes early. */
function damaged(data: Uint8Array, draw: Draw): Uint8Array {
  if (data.length < 4) return data;
  for (let i = draw(5) + 1; i > 0; i--) {
    const at = draw(data.length - 3);
    if (draw(3) === 0) data[at] = draw(256);
    else if (draw(2) === 0) netlink.setHost32(data, at & ~3, pick(LENGTHS, draw));
    else netlink.setHost16(data, at & ~3, pick(LENGTHS, draw) & 0xffff);
  }
  return draw(3) === 0 ? data.slice(0, draw(data.length)) : data;
}

/** A well-formed header over attributes of any type, length and content. */
function attributes(draw: Draw): Uint8Array {
  const fixed = bytes(draw, pick([0, 8, 12, 16, 20], draw));
  if (fixed.length > 0) fixed[0] = pick([0, 2, 10, 7, draw(256)], draw);
  if (fixed.length > 1) fixed[1] = pick([0, 24, 32, 64, 128, 129, 255], draw);
  const list = Array.from({ length: draw(8) }, () => ({
    type: pick([draw(32), draw(0x10000)], draw),
    value: bytes(draw, pick([0, 1, 2, 3, 4, 6, 8, 16, 20, draw(40)], draw)),
  }));
  const message = netlink.buildMessage(pick(TYPES, draw), draw(4), fixed, list);
  return draw(2) === 0 ? message : damaged(message, draw);
}

/** Everything that is read from a datagram, as text. */
function read(data: Uint8Array): string {
  const found: unknown[] = [];
  let messages = 0;
  const end = netlink.forEachMessage(data, (message, header) => {
    if (++messages > data.length / netlink.NETLINK_HEADER_LENGTH) throw new Error('more messages than bytes allow');
    if (message.length !== header.length) throw new Error('a message is not as long as it says');
    let count = 0;
    const walked = netlink.forEachAttribute(message, netlink.NETLINK_HEADER_LENGTH, (type, value) => {
      if (++count > message.length) throw new Error('more attributes than bytes allow');
      found.push([type, ...value]);
    });
    found.push(walked, header, netlink.readErrorCode(message));
    found.push(rtnetlink.decodeLink(message), rtnetlink.decodeAddress(message));
    found.push(decodeRoute(message), decodeRule(message));
  });
  const text = JSON.stringify([end, found]);
  if (/undefined|NaN/.test(text)) throw new Error('an address of bytes that were not there');
  return text;
}

/** A kernel that hands out these datagrams, then nothing. */
function kernelOf(datagrams: readonly Uint8Array[]): Native {
  let next = 0;
  const native: Partial<Native> = {
    socket: () => 1 as Handle,
    setsockopt: () => 0,
    bind: () => 0,
    connect: () => 0,
    close: () => 0,
    monotonic: () => 0,
    ppoll: () => 0,
    errnoName: (error) => `E${error}`,
    sendmsg: () => 0,
    recv(_, buffer) {
      const data = datagrams[next++];
      if (data === undefined) return -linux.EAGAIN;
      buffer.set(data.subarray(0, buffer.length));
      return data.length;
    },
  };
  return native as Native;
}

/** What a datagram must never do: throws when it does. */
export function examine(data: Uint8Array): void {
  const began = performance.now();
  // The same bytes with two different neighbourhoods: whoever reads beyond the end says different things.
  const [a, b] = [0x00, 0xff].map((around) => {
    const room = new Uint8Array(data.length + 64).fill(around);
    room.set(data, 32);
    return read(room.subarray(32, 32 + data.length));
  });
  if (a !== b) throw new Error('read beyond the end');
  for (const native of [kernelOf([data]), kernelOf([data, data, data])]) {
    const socket = new LinuxRouteSocket(native);
    const acks = socket.request([WHOLE[0]!, WHOLE[3]!]);
    if (acks.length !== 2) throw new Error('answers do not match requests');
    try {
      socket.dump(rtnetlink.addressDumpRequest(), () => {});
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== 'string') throw error;
    }
  }
  new LinuxRouteMonitor(kernelOf([data, data])).receive((message) => void read(message));
  const took = performance.now() - began;
  if (took > MAX_RUN_MS) throw new Error(`reading took ${took} ms`);
}

/** Runs from a seed on; returns how many. Throws at the first failure, with what is needed to see it again. */
export function fuzz(seed: number, until: (runs: number) => boolean): number {
  let runs = 0;
  for (; !until(runs); runs++) {
    const { kind, data } = datagramOf(seed + runs);
    try {
      examine(data);
    } catch (cause) {
      const again = `node test/fuzz/netlink.ts --seed ${seed + runs} --runs 1`;
      throw new Error(`${again}\n${kind}: ${Buffer.from(data).toString('hex')}`, { cause });
    }
  }
  return runs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name: string): number | undefined => {
    const at = process.argv.indexOf(`--${name}`);
    return at === -1 ? undefined : Number(process.argv[at + 1]);
  };
  const seed = option('seed') ?? Date.now() % 1_000_000_000;
  const runs = option('runs') ?? Number.POSITIVE_INFINITY;
  const end = performance.now() + (option('seconds') ?? (Number.isFinite(runs) ? 1e9 : 60)) * 1000;
  console.log(`seed ${seed}`);
  const done = fuzz(seed, (count) => count >= runs || performance.now() > end);
  console.log(`${done} datagrams without a failure`);
}
