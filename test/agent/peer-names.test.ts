import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineConfig } from '../../core/agent/engine-config.ts';
import { PeerNames } from '../../core/agent/peer-names.ts';
import { Trackers } from '../../core/agent/trackers.ts';
import type { Configuration, InstanceConfig } from '../../core/config/model.ts';
import type { TrackVerdict } from '../../core/engine/messages.ts';
import { type IpAddress, ip } from '../../core/net/address.ts';
import type { NameAnswer, Names } from '../../core/ports/names.ts';
import { seconds } from '../../core/units.ts';
import { allReady, globals, instance } from './sample-config.ts';
import { settle, VirtualTime } from './virtual-time.ts';

/** A resolver that answers what a test says, and counts its questions. */
class FakeNames implements Names {
  readonly answers = new Map<string, readonly string[] | string>();
  readonly asked: string[] = [];
  ttl: number | undefined = 10;

  addresses(host: string): Promise<NameAnswer<IpAddress>> {
    return Promise.resolve(this.#answer(host) as NameAnswer<IpAddress>);
  }

  targets(service: string): Promise<NameAnswer<string>> {
    return Promise.resolve(this.#answer(service));
  }

  own(): ReadonlySet<IpAddress> {
    return new Set([ip('192.0.2.1')]);
  }

  #answer(name: string): NameAnswer<string> {
    this.asked.push(name);
    const values = this.answers.get(name) ?? 'ENOTFOUND';
    if (typeof values === 'string') return { ok: false, why: values };
    return { ok: true, values, ttl: this.ttl === undefined ? undefined : seconds(this.ttl) };
  }
}

class Lab {
  readonly time = new VirtualTime();
  readonly names = new FakeNames();
  readonly log: string[] = [];
  readonly verdicts: TrackVerdict[] = [];
  readonly peerNames = new PeerNames({
    names: this.names,
    timing: this.time,
    logger: { log: (level, event) => this.log.push(`${level} ${event}`) },
    random: () => 0,
  });
  readonly trackers = new Trackers({
    sources: [this.peerNames],
    onVerdict: (verdict) => this.verdicts.push(verdict),
  });
  inForce: Configuration | undefined;
  /** What the engine was told to change, in order: the peers of changed instances, and verdicts. */
  readonly story: string[] = [];

  constructor() {
    this.peerNames.onPeers((configuration) => {
      const { changed, added, removed } = engineConfig(this.inForce, configuration);
      assert.deepEqual([added, removed], [[], []]);
      this.inForce = configuration;
      for (const { config } of changed) this.story.push(`${config.name}: ${peersOf(config)}`);
    });
  }

  async configure(...instances: InstanceConfig[]): Promise<void> {
    const file: Configuration = { globals: globals(), scripts: [], groups: [], instances };
    this.inForce = this.peerNames.resolve(file, this.inForce);
    this.trackers.configure(this.inForce, allReady());
    await settle();
  }

  get peers(): string {
    return peersOf(this.inForce!.instances[0]!);
  }

  get faults(): readonly string[] {
    return this.trackers.verdicts()[0]!.faults;
  }
}

const peersOf = ({ transport }: InstanceConfig): string =>
  transport.mode === 'unicast' ? transport.peers.map(({ address }) => address).join(' ') : 'multicast';

const unicast = (names: readonly string[], peers: readonly string[] = []): InstanceConfig =>
  instance('VI_1', {
    transport: {
      mode: 'unicast',
      source: ip('192.0.2.1'),
      peers: peers.map((address) => ({ address: ip(address), minTtl: 0, maxTtl: 255 })),
      names: names.map((name) => ({ name, minTtl: 200, maxTtl: 255 })),
      ttl: 255,
    },
  });

test('an instance without a known peer waits, and starts as soon as one is known', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb2', ['192.0.2.2']);
  await lab.configure(unicast(['lb2']));
  assert.deepEqual(lab.faults, ['unicast_peer of VI_1 is waiting for its first result']);
  await lab.time.advance(seconds(0));
  assert.deepEqual(lab.story, ['VI_1: 192.0.2.2']);
  assert.deepEqual(lab.verdicts, [{ instance: 'VI_1', adjustment: 0, faults: [] }]);
});

test('without an answer it says for which name it waits, and asks again ever less often', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb2', 'ETIMEOUT');
  await lab.configure(unicast(['lb2']));
  await lab.time.advance(seconds(0));
  assert.match(lab.faults[0]!, /^unicast_peer of VI_1 failed: no peer is known yet \(lb2: ETIMEOUT\)/);
  await lab.time.advance(seconds(121));
  assert.equal(lab.names.asked.length, 1 + 5 + 3); // after 1, 3, 7, 15, 31 s, then each 30 s
  assert.deepEqual(lab.log, ['warning name']);
  lab.names.answers.set('lb2', ['192.0.2.2']);
  await lab.time.advance(seconds(30));
  assert.deepEqual([lab.peers, lab.faults], ['192.0.2.2', []]);
});

test('the last answer is kept when there is none, and an empty one is none', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb2', ['192.0.2.2']);
  await lab.configure(unicast(['lb2']));
  await lab.time.advance(seconds(1));
  lab.names.answers.delete('lb2');
  await lab.time.advance(seconds(3_600));
  assert.deepEqual([lab.peers, lab.faults, lab.story.length], ['192.0.2.2', [], 1]);
  const [status] = lab.peerNames.names();
  assert.deepEqual([status!.problem, status!.addresses], ['ENOTFOUND', ['192.0.2.2']]);
});

test('a new address changes the peers and nothing else; a turned order changes nothing', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb', ['192.0.2.2', '192.0.2.3']);
  await lab.configure(unicast(['lb']));
  await lab.time.advance(seconds(1));
  lab.names.answers.set('lb', ['192.0.2.3', '192.0.2.2']);
  await lab.time.advance(seconds(10));
  assert.equal(lab.story.length, 1);
  lab.names.answers.set('lb', ['192.0.2.4']);
  await lab.time.advance(seconds(10));
  assert.deepEqual(lab.story, ['VI_1: 192.0.2.2 192.0.2.3', 'VI_1: 192.0.2.4']);
  assert.equal(lab.verdicts.length, 1);
});

const paces: readonly [ttl: number | undefined, questionsInAMinute: number][] = [
  [0, 61],
  [1, 61],
  [20, 4],
  [undefined, 3],
  [86_400, 1],
];
for (const [ttl, questions] of paces)
  test(`a name is asked for again ${ttl === undefined ? 'where nobody says how long it holds' : `with a TTL of ${ttl} s`}: ${questions} times in a minute`, async () => {
    const lab = new Lab();
    lab.names.ttl = ttl;
    lab.names.answers.set('lb2', ['192.0.2.2']);
    await lab.configure(unicast(['lb2']));
    await lab.time.advance(seconds(60));
    assert.equal(lab.names.asked.length, questions);
  });

test('own addresses are dropped, so that all machines can share one name', async () => {
  const lab = new Lab();
  lab.names.answers.set('all', ['192.0.2.1', '192.0.2.2']);
  await lab.configure(unicast(['all']));
  await lab.time.advance(seconds(1));
  assert.equal(lab.peers, '192.0.2.2');
  lab.names.answers.set('all', ['192.0.2.1']);
  await lab.time.advance(seconds(10));
  assert.match(lab.faults[0]!, /all: only this machine/);
});

test('addresses in the file come first and make it start at once', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb', ['192.0.2.9', '192.0.2.3']);
  await lab.configure(unicast(['lb'], ['192.0.2.9']));
  assert.deepEqual([lab.peers, lab.faults], ['192.0.2.9', []]);
  await lab.time.advance(seconds(1));
  assert.equal(lab.peers, '192.0.2.9 192.0.2.3');
  const { transport } = lab.inForce!.instances[0]!;
  assert.deepEqual(transport.mode === 'unicast' && transport.peers.map(({ minTtl }) => minTtl), [0, 200]);
});

test('a service stands for its hosts, and a changed one keeps the old until one of the new is known', async () => {
  const lab = new Lab();
  lab.names.ttl = 5;
  lab.names.answers.set('_vrrp._udp.lan', ['a.lan', 'b.lan']);
  lab.names.answers.set('a.lan', ['192.0.2.2']);
  lab.names.answers.set('b.lan', ['192.0.2.3']);
  await lab.configure(unicast(['_vrrp._udp.lan']));
  await lab.time.advance(seconds(1));
  assert.equal(lab.peers, '192.0.2.2 192.0.2.3');
  lab.names.answers.set('_vrrp._udp.lan', ['c.lan']);
  await lab.time.advance(seconds(20));
  assert.equal(lab.peers, '192.0.2.2 192.0.2.3');
  lab.names.answers.set('c.lan', ['192.0.2.4']);
  await lab.time.advance(seconds(40));
  assert.equal(lab.peers, '192.0.2.4');
  assert.deepEqual(lab.faults, []);
  assert.ok(!lab.names.asked.slice(-5).includes('a.lan'), 'nobody asks for what nobody needs');
});

test('an answer of thousands is bounded', async () => {
  const lab = new Lab();
  const many = Array.from({ length: 5_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  lab.names.answers.set('a', many.slice(0, 2_500));
  lab.names.answers.set('b', many.slice(2_500));
  await lab.configure(unicast(['a', 'b']));
  await lab.time.advance(seconds(1));
  assert.equal(lab.peers.split(' ').length, 64);
});

test('a reload keeps what is known, and the old peers until new names are answered', async () => {
  const lab = new Lab();
  lab.names.answers.set('lb2', ['192.0.2.2']);
  await lab.configure(unicast(['lb2']));
  await lab.time.advance(seconds(1));
  await lab.configure(unicast(['lb2', 'lb3']));
  assert.deepEqual([lab.peers, lab.faults], ['192.0.2.2', []]);
  await lab.configure(unicast(['lb4']));
  await lab.time.advance(seconds(5));
  assert.deepEqual([lab.peers, lab.faults], ['192.0.2.2', []]);
  lab.names.answers.set('lb4', ['192.0.2.4']);
  await lab.time.advance(seconds(10));
  assert.deepEqual([lab.peers, lab.faults], ['192.0.2.4', []]);
});

test('after the end nobody is asked', async () => {
  const lab = new Lab();
  await lab.configure(unicast(['lb2']));
  await lab.trackers.stop();
  await lab.time.advance(seconds(60));
  assert.deepEqual([lab.names.asked, lab.time.timers], [[], 0]);
});
