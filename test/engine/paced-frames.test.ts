// The pace of announcements: gaps between frames on an interface or in a group, one lane for each kind, nothing late
// for an address that was let go.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineConfig } from '../../core/engine/messages.ts';
import { type AnnouncementPace, PacedFrames } from '../../core/engine/paced-frames.ts';
import { ip, ipBytes, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp } from '../../core/net/arp.ts';
import { unsolicitedNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import { after, type Instant, instant, micros, millis } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';

const MAC = '02:00:00:00:00:01' as MacAddress;
const arp = (last: number): Uint8Array => gratuitousArp(MAC, ip(`10.0.0.${last}`));
const na = (last: number): Uint8Array => unsolicitedNeighbourAdvertisement(MAC, ip(`fd00::${last}`), true);
const INDEX = { eth0: 2, eth1: 3, 'vrrp.51': 4 } as const;

function bench(pace: Partial<AnnouncementPace>) {
  let now: Instant = instant(1_000_000);
  const out: { readonly at: number; readonly frame: Uint8Array; readonly ifindex: number }[] = [];
  const socket = {
    queue: (frame: Uint8Array, ifindex: number) => void out.push({ at: now - 1_000_000, frame, ifindex }),
    flush: () => [],
    close: () => {},
  };
  const links = { get: (name: string) => ({ index: INDEX[name as keyof typeof INDEX] }) as never };
  const frames = new PacedFrames(socket, { now: () => now }, links);
  const vips = [virtualIp('10.0.0.1'), { ...virtualIp('10.0.1.1'), device: 'eth1' }];
  const mac = '00:00:5e:00:01:33';
  const virtualInterface = {
    kind: 'macvlan',
    name: 'vrrp.51',
    mac,
    group: undefined,
    forAddresses: false,
    sendBelow: false,
  } as const;
  const config: EngineConfig = {
    added: [instance({ vips, virtualInterface })],
    changed: [],
    removed: [],
    groups: [],
    addressLifetime: true,
    leaseTime: millis(3_000),
    pace: { garpInterval: micros(0), gnaInterval: micros(0), groups: [], ...pace },
  };
  frames.configure(config);
  return {
    frames,
    out,
    send(frame: Uint8Array, name: keyof typeof INDEX) {
      frames.queue(frame, INDEX[name]);
      frames.flush();
    },
    /** Lets time pass from deadline to deadline. */
    run() {
      for (let due = frames.deadline; due !== undefined; due = frames.deadline) {
        if (due > now) now = due;
        frames.expire(now);
      }
    },
    wait: (duration: number) => {
      now = after(now, millis(duration));
    },
  };
}

describe('the pace of announcements', () => {
  test('without an interval every frame leaves at once', () => {
    const { send, out, frames } = bench({});
    for (let i = 1; i <= 5; i++) send(arp(i), 'eth0');
    assert.deepEqual([out.length, frames.deadline], [5, undefined]);
  });
  test('with one, the first leaves at once and the others one gap apart, in order', () => {
    const { send, run, out } = bench({ garpInterval: millis(10) });
    for (let i = 1; i <= 4; i++) send(arp(i), 'eth0');
    assert.equal(out.length, 1);
    run();
    assert.deepEqual(
      out.map(({ at }) => at),
      [0, 10_000, 20_000, 30_000],
    );
    assert.deepEqual(
      out.map(({ frame }) => frame[31]),
      [1, 2, 3, 4],
    );
  });
  test('each kind and each interface has its own pace; a macvlan shares that of the interface below', () => {
    const { send, run, out } = bench({ garpInterval: millis(10), gnaInterval: millis(5) });
    send(arp(1), 'eth0');
    send(na(1), 'eth0');
    send(arp(2), 'eth1');
    assert.equal(out.length, 3);
    send(na(2), 'eth0');
    send(arp(3), 'vrrp.51');
    run();
    assert.deepEqual(
      out.slice(3).map(({ at, ifindex }) => [at, ifindex]),
      [
        [5_000, 2],
        [10_000, 4],
      ],
    );
  });
  test('interfaces of a group share one pace', () => {
    const groups = [{ interfaces: ['eth0', 'eth1'], garpInterval: millis(20), gnaInterval: undefined }];
    const { send, run, out } = bench({ groups });
    send(arp(1), 'eth0');
    send(arp(2), 'eth1');
    run();
    assert.deepEqual(
      out.map(({ at, ifindex }) => [at, ifindex]),
      [
        [0, 2],
        [20_000, 3],
      ],
    );
  });
  test('what waits for an address that is let go is forgotten', () => {
    const { send, run, out, frames } = bench({ garpInterval: millis(10), gnaInterval: millis(10) });
    for (const frame of [arp(1), arp(2), arp(1), na(1), na(2)]) send(frame, 'eth0');
    frames.forget(ipBytes(ip('10.0.0.2')));
    frames.forget(ipBytes(ip('fd00::2')));
    run();
    assert.deepEqual(
      out.map(({ frame }) => frame[frame.length === 42 ? 31 : 77]),
      [1, 1, 1],
    );
  });
  test('a gap that has passed while nothing waited costs nothing', () => {
    const { send, wait, out } = bench({ garpInterval: millis(10) });
    send(arp(1), 'eth0');
    wait(11);
    send(arp(2), 'eth0');
    assert.equal(out.length, 2);
  });
});
