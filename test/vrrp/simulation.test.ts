// Thousands of random histories of two to four routers: loss, delay, partitions, deaths, faults, new priorities. While
// it lasts anything may happen; after it has healed there is one master, and it alone holds the addresses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import type { RouterConfig } from '../../core/vrrp/types.ts';
import { address, Segment } from '../scenarios/segment.ts';
import { CONFIG } from './bench.ts';

const HISTORIES = 3000;

/** A repeatable source of numbers in [0, 1) (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function history(seed: number): void {
  const random = generator(seed);
  const below = (n: number) => Math.floor(random() * n);
  const often = (probability: number) => random() < probability;
  let loss = random() * 0.5;
  const segment = new Segment({ delay: () => millis(random() * 5), isLost: () => random() < loss });
  const names = ['a', 'b', 'c', 'd'].slice(0, 2 + below(3));
  const interval = often(0.5) ? seconds(1) : millis(10 * (1 + below(100)));
  for (const [i, name] of names.entries()) {
    const config: RouterConfig = {
      ...CONFIG,
      source: address(i + 1),
      priority: priority(often(0.1) ? 255 : often(0.3) ? 100 : 1 + below(254)),
      interval,
      preempt: often(0.7),
      preemptDelay: often(0.2) ? seconds(below(20)) : seconds(0),
      maxMasterInterval: micros(10 * interval),
      advertiseBeforeYielding: often(0.7),
      answerLowerPriority: often(0.8),
      fastHandover: often(0.7),
    };
    segment.add(name, config);
    segment.feed(name, { type: 'startup' });
  }
  const faulty = new Set<string>();
  const dead = new Set<string>();
  for (let step = 0; step < 12; step++) {
    const name = names[below(names.length)]!;
    switch (below(8)) {
      case 0:
        segment.partition([names.filter(() => often(0.5)), names]);
        break;
      case 1:
        segment.partition([]);
        break;
      case 2:
        segment.kill(name);
        dead.add(name);
        break;
      case 3:
        if (dead.delete(name)) {
          faulty.delete(name);
          segment.revive(name);
        }
        break;
      case 4:
        segment.fault(name, 'check');
        if (!dead.has(name)) faulty.add(name);
        break;
      case 5:
        if (!dead.has(name) && faulty.delete(name)) segment.recover(name);
        break;
      case 6:
        segment.feed(name, {
          type: 'priority',
          value: priority(1 + below(254)),
          ...(often(0.3) && { resign: address(1 + below(4)) }),
        });
        break;
      case 7:
        segment.feed(name, { type: 'deaf', until: after(segment.now, seconds(below(40))) });
        break;
    }
    segment.runUntil(after(segment.now, micros(random() * 4 * interval)));
  }
  loss = 0;
  segment.partition([]);
  for (const name of dead) segment.revive(name);
  for (const name of faulty) if (!dead.has(name)) segment.recover(name);
  for (const name of names) segment.feed(name, { type: 'alive' });
  // The slowest to act is a priority 1 with a preemption delay: the delay, then a whole down timer.
  segment.runUntil(after(segment.now, seconds(20)));
  segment.runUntil(after(segment.now, micros(10 * interval)));
  assert.equal(segment.masters.length, 1, `masters: ${segment.masters.join(' ')}`);
  assert.deepEqual(segment.owners, segment.masters);
  const [master] = segment.masters;
  segment.runUntil(after(segment.now, seconds(30)));
  assert.deepEqual(segment.masters, [master], 'and it stays so');
}

test(`${HISTORIES} random histories end with one master that holds the addresses`, () => {
  for (let seed = 1; seed <= HISTORIES; seed++)
    try {
      history(seed);
    } catch (cause) {
      throw new Error(`the history of seed ${seed} fails`, { cause });
    }
});

/** Two machines or three, each with a router on two networks in a sync group, and the same order of priorities on both. */
function groupHistory(seed: number): void {
  const random = generator(seed);
  const below = (n: number) => Math.floor(random() * n);
  let loss = random() * 0.4;
  const segment = new Segment({ delay: () => millis(random() * 5), isLost: () => random() < loss });
  const hosts = ['a', 'b', 'c'].slice(0, 2 + below(2));
  const members = (host: string) => [`${host}1`, `${host}2`];
  for (const [i, host] of hosts.entries()) {
    for (const [n, member] of members(host).entries()) {
      const own = { vrid: vrid(51 + n), source: address(i + 1), priority: priority(100 + 50 * i), grouped: true };
      segment.add(member, { ...CONFIG, ...own, preempt: random() < 0.7 });
    }
    segment.join(host, members(host));
    for (const member of members(host)) segment.feed(member, { type: 'startup' });
  }
  const whole = () => {
    for (const host of hosts) {
      const owned = members(host).filter((member) => segment.owners.includes(member));
      assert.notEqual(owned.length, 1, `${host} holds half of its group`);
    }
  };
  const faulty = new Set<string>();
  const everybody = hosts.flatMap(members);
  for (let step = 0; step < 15; step++) {
    const member = everybody[below(everybody.length)]!;
    switch (below(4)) {
      case 0:
        segment.partition([everybody.filter(() => random() < 0.5), everybody]);
        break;
      case 1:
        segment.partition([]);
        break;
      case 2:
        segment.fault(member, 'check');
        faulty.add(member);
        break;
      case 3:
        if (faulty.delete(member)) segment.recover(member);
        break;
    }
    whole();
    segment.runUntil(after(segment.now, seconds(random() * 5)));
    whole();
  }
  loss = 0;
  segment.partition([]);
  for (const member of faulty) segment.recover(member);
  segment.runUntil(after(segment.now, seconds(30)));
  assert.equal(segment.masters.length, 2, `masters: ${segment.masters.join(' ')}`);
  assert.equal(new Set(segment.masters.map((member) => member[0])).size, 1);
  assert.deepEqual(segment.owners, segment.masters);
}

test(`in ${HISTORIES} random histories no sync group is ever half a master, and in the end one machine has both`, () => {
  for (let seed = 1; seed <= HISTORIES; seed++)
    try {
      groupHistory(seed);
    } catch (cause) {
      throw new Error(`the history of seed ${seed} fails`, { cause });
    }
});
