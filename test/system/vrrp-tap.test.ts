// The VRRP socket below macvlans, on a real cable: it hears what a macvlan would swallow, nothing of its own, and only whole
// packets of its protocol; it sends from the interface or as the macvlan.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ip as address, type IpAddress, type MacAddress, macBytes } from '../../core/net/address.ts';
import { ETHERNET_HEADER_LENGTH, EtherType, multicastMac, newEthernetFrame } from '../../core/net/ethernet.ts';
import { encodeIpv4Header } from '../../core/net/ipv4.ts';
import { encodeIpv6Header } from '../../core/net/ipv6.ts';
import type { Datagram, LinkInfo, VrrpSocket } from '../../core/ports/engine-io.ts';
import { LinuxFrameSocket } from '../../core/system/frame-socket.ts';
import { loadNative } from '../../core/system/native/index.ts';
import { LinuxNetwork } from '../../core/system/network.ts';
import type { Descriptor } from '../../core/system/poller.ts';
import { LinuxPoller } from '../../core/system/poller.ts';
import { instant } from '../../core/units.ts';
import { needs } from '../support/needs.ts';
import { indexOf, ip, Pair, within } from './namespaces.ts';

const native = loadNative();
const GROUP = address('224.0.0.18');
const GROUP6 = address('ff02::12');
const PEER = address('192.0.2.2');
const VIRTUAL = '00:00:5e:00:01:33' as MacAddress;
const LAST = 0xee;

/** A frame with a VRRP-like payload of these bytes, changed as asked. */
function frame(
  payload: readonly number[],
  change: (packet: Uint8Array) => void = () => {},
  source = VIRTUAL,
): Uint8Array {
  const fields = { tos: 0xc0, id: 7, ttl: 255, protocol: 112, source: PEER, destination: GROUP };
  const packet = Uint8Array.of(...encodeIpv4Header(fields, payload.length), ...payload);
  change(packet);
  return wrapped(packet, GROUP, EtherType.IPV4, source);
}

function wrapped(packet: Uint8Array, group: IpAddress, type: number, source: MacAddress): Uint8Array {
  const out = newEthernetFrame({ destination: multicastMac(group), source, type }, packet.length);
  out.set(packet, ETHERNET_HEADER_LENGTH);
  return out;
}

describe('the VRRP socket below macvlans', needs('root', 'ip'), () => {
  let pair: Pair;
  let socket: VrrpSocket & Descriptor;
  let peer: LinuxFrameSocket;
  let sendFrame: (bytes: Uint8Array) => void;
  let macvlan: LinkInfo;
  before(() => {
    pair = new Pair('tap');
    // a macvlan with the MAC address that the peer sends from: it swallows such frames
    ip(
      '-n',
      pair.left,
      'link',
      'add',
      'vrrp.51',
      'link',
      'va',
      'address',
      VIRTUAL,
      'type',
      'macvlan',
      'mode',
      'private',
    );
    ip('-n', pair.left, 'link', 'set', 'vrrp.51', 'up');
    const index = indexOf(pair.left, 'vrrp.51');
    macvlan = { index, name: 'vrrp.51', mac: VIRTUAL, mtu: 1500, running: true, loopback: false };
    socket = open(4);
    peer = within(pair.right, () => new LinuxFrameSocket(native));
    const out = indexOf(pair.right, 'vb');
    sendFrame = (bytes) => {
      peer.queue(bytes, out);
      assert.deepEqual(peer.flush(), []);
    };
  });
  after(() => {
    socket.close();
    peer.close();
    pair[Symbol.dispose]();
  });

  function open(family: 4 | 6, reportsGroups = true): VrrpSocket & Descriptor {
    const spec = {
      interface: 'va',
      ifindex: indexOf(pair.left, 'va'),
      family,
      protocol: 112,
      below: true,
      reportsGroups,
    } as const;
    const opened = within(pair.left, () => new LinuxNetwork(native).vrrpSocket(spec)) as VrrpSocket & Descriptor;
    opened.join(family === 4 ? GROUP : GROUP6);
    return opened;
  }

  /** Everything that is heard until a datagram comes that begins with LAST. */
  function heard(from: VrrpSocket & Descriptor): Datagram[] {
    const poller = new LinuxPoller(native);
    poller.add(from);
    const seen: Datagram[] = [];
    const giveUp = instant(native.monotonic() + 10_000_000);
    for (let done = false; !done; ) {
      assert.ok(native.monotonic() < giveUp, 'nothing came');
      poller.wait(giveUp);
      from.receive((datagram) => {
        if (datagram.payload[0] === LAST) done = true;
        else seen.push({ ...datagram, payload: datagram.payload.slice(), header: datagram.header.slice() });
      }, 64);
    }
    return seen;
  }

  test('hears what comes from the macvlan’s own MAC address, with header, addresses, TTL and time', () => {
    const began = native.monotonic();
    sendFrame(frame([1, 2, 3, 4]));
    sendFrame(frame([LAST]));
    const [datagram, ...more] = heard(socket);
    assert.equal(more.length, 0);
    assert.deepEqual([...datagram!.payload], [1, 2, 3, 4]);
    assert.deepEqual([datagram!.source, datagram!.destination, datagram!.ttl], [PEER, GROUP, 255]);
    assert.equal(datagram!.header.length, 20);
    assert.ok(datagram!.arrival >= began - 1_000 && datagram!.arrival <= native.monotonic());
  });

  test('takes only whole packets of its protocol', () => {
    const set = (at: number, value: number) => (packet: Uint8Array) => {
      packet[at] = value;
      packet[10] = packet[11] = 0;
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
      const folded = (sum & 0xffff) + (sum >> 16);
      const check = ~((folded & 0xffff) + (folded >> 16)) & 0xffff;
      packet[10] = check >> 8;
      packet[11] = check & 255;
    };
    const refused: Readonly<Record<string, (packet: Uint8Array) => void>> = {
      'another protocol': set(9, 17),
      'the first of several fragments': set(6, 0x20),
      'the rest of a fragmented packet': set(7, 1),
      'a total length beyond the frame': set(2, 3),
      'a header length below its minimum': set(0, 0x44),
      'a header length beyond the packet': set(0, 0x4f),
      'another version': set(0, 0x65),
      'a wrong header checksum': (packet) => {
        packet[10]! ^= 1;
      },
    };
    for (const change of Object.values(refused)) sendFrame(frame([1, 2, 3, 4], change));
    sendFrame(frame([9]).subarray(0, ETHERNET_HEADER_LENGTH + 12));
    const tagged = Uint8Array.of(
      ...macBytes(multicastMac(GROUP)),
      ...macBytes(VIRTUAL),
      0x81,
      0,
      0,
      5,
      ...frame([1]).subarray(12),
    );
    sendFrame(tagged);
    const elsewhere = frame([1]);
    elsewhere.set(macBytes('02:99:99:99:99:99' as MacAddress));
    sendFrame(elsewhere);
    sendFrame(frame([LAST]));
    assert.deepEqual(
      heard(socket).map(({ payload }) => [...payload]),
      [],
    );
  });

  test('leaves the padding of a short frame out', () => {
    const padded = new Uint8Array(60);
    padded.set(frame([5, 6]));
    sendFrame(padded);
    sendFrame(frame([LAST]));
    assert.deepEqual(
      heard(socket).map(({ payload }) => [...payload]),
      [[5, 6]],
    );
  });

  test('sends from the interface or as the macvlan, and hears nothing of either', () => {
    const other = within(pair.right, () => {
      const spec = {
        interface: 'vb',
        ifindex: indexOf(pair.right, 'vb'),
        family: 4,
        protocol: 112,
        below: true,
      } as const;
      return new LinuxNetwork(native).vrrpSocket(spec);
    }) as VrrpSocket & Descriptor;
    other.join(GROUP);
    const packet = (payload: number): Uint8Array => {
      const fields = { tos: 0xc0, id: 0, ttl: 255, protocol: 112, source: address('192.0.2.1'), destination: GROUP };
      return Uint8Array.of(...encodeIpv4Header(fields, 1), payload);
    };
    socket.queue(packet(1), GROUP);
    socket.queue(packet(2), GROUP, macvlan);
    assert.deepEqual(socket.flush(), []);
    socket.queue(packet(LAST), GROUP, macvlan);
    socket.flush();
    assert.deepEqual(new Set(heard(other).map(({ payload }) => payload[0])), new Set([1, 2]));
    sendFrame(frame([LAST]));
    assert.deepEqual(heard(socket), []);
    other.close();
  });

  test('hears IPv6 alike', () => {
    const six = open(6);
    const send = (payload: readonly number[], next = 112, hops = 255) => {
      const fields = {
        trafficClass: 0xc0,
        flowLabel: 0,
        nextHeader: next,
        hopLimit: hops,
        source: address('fe80::2'),
        destination: GROUP6,
      };
      const packet = Uint8Array.of(...encodeIpv6Header(fields, payload.length), ...payload);
      sendFrame(wrapped(packet, GROUP6, EtherType.IPV6, '00:00:5e:00:02:33' as MacAddress));
    };
    send([1, 2], 112, 7);
    send([3], 0);
    send([LAST]);
    const seen = heard(six);
    assert.deepEqual(
      seen.map(({ payload, ttl, source }) => [[...payload], ttl, source]),
      [[[1, 2], 7, 'fe80::2']],
    );
    six.close();
  });

  test('a group is reported to switches, unless that is not wanted; heard it is either way', () => {
    const groups = (): string => ip('-n', pair.left, 'maddr', 'show', 'dev', 'va');
    assert.match(groups(), /inet +224\.0\.0\.18/);
    socket.close();
    assert.doesNotMatch(groups(), /224\.0\.0\.18|01:00:5e:00:00:12/);
    socket = open(4, false);
    assert.doesNotMatch(groups(), /224\.0\.0\.18/);
    assert.match(groups(), /link +01:00:5e:00:00:12/);
    sendFrame(frame([8]));
    sendFrame(frame([LAST]));
    assert.deepEqual(
      heard(socket).map(({ payload }) => [...payload]),
      [[8]],
    );
  });
});
