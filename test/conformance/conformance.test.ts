// The conformance table in virtual time: real packets through decode, admission and the state machine, and the exact
// moment of what comes of it. The cases are data: test/vectors/conformance.json.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { UnicastPeer } from '../../core/config/model.ts';
import { type Family, ip } from '../../core/net/address.ts';
import { type Instant, instant, priority, seconds, vrid } from '../../core/units.ts';
import { admit, type ReceiveRules } from '../../core/vrrp/admission.ts';
import { decode, passData, VRRP_GROUP } from '../../core/vrrp/packet.ts';
import { VrrpRouter } from '../../core/vrrp/router.ts';
import type { RouterEvent } from '../../core/vrrp/types.ts';
import { type GoodPacket, type Injected, type InjectedFields, inject } from './injected-packet.ts';

interface Case {
  readonly id: string;
  readonly rule: string;
  readonly given: {
    readonly state: 'BACKUP' | 'MASTER';
    readonly version: 2 | 3;
    readonly family: Family;
    readonly priority: number;
    readonly addresses: readonly string[];
    readonly interval: number;
    readonly preempt?: boolean;
    readonly password?: string;
    readonly peers?: readonly UnicastPeer[];
    readonly strictAddressList?: boolean;
    readonly fastHandover?: boolean;
    /** Another master than the neighbour was heard before. */
    readonly heldBy?: string;
  };
  readonly events: readonly { at: number; times: number; every: number; packet: InjectedFields }[];
  readonly expect: {
    readonly masterAt?: number;
    readonly backupAt?: number;
    readonly adverts?: readonly number[];
    readonly announces?: number;
    readonly drops?: Readonly<Record<string, number>>;
    readonly warnings?: readonly string[];
  };
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/conformance.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

const VRID = 51;
const OWN = { 4: ip('10.0.0.1'), 6: ip('fe80::ff:fe00:a') };
const NEIGHBOUR = { 4: '10.0.0.2', 6: 'fe80::ff:fe00:b' };
/** A master is watched for so long. */
const WATCHED_FOR = 2.5;

class Bench {
  readonly router: VrrpRouter;
  readonly #rules: ReceiveRules;
  readonly #family: Family;
  #zero = 0;
  readonly adverts: number[] = [];
  readonly transitions: { to: string; at: number }[] = [];
  readonly drops: Record<string, number> = {};
  readonly warnings = new Set<string>();
  announces = 0;

  constructor({ given }: Case) {
    const interval = seconds(given.interval);
    const addresses = given.addresses.map(ip);
    this.#family = given.family;
    this.#rules = {
      version: given.version,
      interval,
      authData: given.password === undefined ? undefined : passData(given.password),
      group: given.peers ? undefined : VRRP_GROUP[given.family],
      peers: new Map(given.peers?.map((peer) => [peer.address, peer])),
      onlyPeers: true,
      strictAddressList: given.strictAddressList ?? false,
      addresses,
    };
    this.router = new VrrpRouter({
      vrid: vrid(VRID),
      family: given.family,
      version: given.version,
      priority: priority(given.priority),
      interval,
      preempt: given.preempt ?? true,
      preemptDelay: seconds(0),
      downTimerAdverts: 3,
      addresses,
      source: OWN[given.family],
      maxMasterInterval: seconds(10 * given.interval),
      answerLowerPriority: true,
      advertiseBeforeYielding: false,
      makeBeforeBreak: true,
      fastHandover: given.fastHandover ?? true,
    });
  }

  /** Time 0 of the case; what happened before is forgotten. */
  begin(at: Instant): void {
    this.#zero = at;
    this.transitions.length = 0;
    this.adverts.length = 0;
    if (this.router.state === 'MASTER') this.adverts.push(0);
  }

  handle(event: RouterEvent, at: Instant): void {
    const when = (at - this.#zero) / seconds(1);
    for (const effect of this.router.handle(event, at)) {
      if (effect.type === 'send') this.adverts.push(when);
      if (effect.type === 'announce') this.announces++;
      if (effect.type === 'transition') this.transitions.push({ to: effect.to, at: when });
    }
  }

  receive({ source, destination, ttl, pdu }: Injected, at: Instant): void {
    const before = [this.router.state, this.router.deadline];
    const decoded = decode(pdu, { family: this.#family, source, destination });
    const verdict =
      typeof decoded === 'string'
        ? decoded
        : admit(decoded, { source, destination, ttl }, this.#rules, { source: OWN[this.#family] });
    if (typeof verdict === 'string') {
      this.drops[verdict] = (this.drops[verdict] ?? 0) + 1;
      assert.deepEqual([this.router.state, this.router.deadline], before);
      return;
    }
    for (const warning of verdict.warnings) this.warnings.add(warning);
    this.handle({ type: 'advertisement', from: source, ad: verdict.ad }, at);
  }

  /** Lets every deadline up to `end` come. */
  runUntil(end: number): void {
    for (let due = this.router.deadline; due !== undefined && due <= end; due = this.router.deadline)
      this.handle({ type: 'timer' }, due);
  }
}

function run(each: Case): Bench {
  const { given } = each;
  const good: GoodPacket = {
    family: given.family,
    version: given.version,
    vrid: VRID,
    adv: given.version === 2 ? given.interval : given.interval * 100,
    vips: given.addresses,
    source: NEIGHBOUR[given.family],
    password: given.password,
  };
  const bench = new Bench(each);
  bench.handle({ type: 'startup' }, instant(0));
  let zero = instant(seconds(2));
  if (given.state === 'MASTER') {
    while (bench.router.state !== 'MASTER') bench.handle({ type: 'timer' }, bench.router.deadline!);
    zero = instant(bench.router.deadline! - seconds(given.interval));
  } else
    bench.receive(
      inject(good, {
        prio: 250,
        ...(given.heldBy && { src: given.heldBy }),
        ...(given.peers && { dst: OWN[given.family] }),
      }),
      zero,
    );
  assert.equal(bench.router.state, given.state);
  bench.begin(zero);
  const packets = each.events.flatMap(({ at, times, every, packet }) =>
    Array.from({ length: times }, (_, i) => ({ at: at + i * every, packet: inject(good, packet) })),
  );
  for (const { at, packet } of packets.toSorted((a, b) => a.at - b.at)) {
    const due = instant(zero + Math.round(at * seconds(1)));
    bench.runUntil(due);
    bench.receive(packet, due);
  }
  const turn = () => bench.transitions.some(({ to }) => to === 'MASTER');
  if (each.expect.masterAt !== undefined && !turn()) bench.handle({ type: 'timer' }, bench.router.deadline!);
  else bench.runUntil(zero + WATCHED_FOR * seconds(1));
  return bench;
}

for (const each of cases)
  test(`${each.id}: ${each.rule}`, () => {
    const bench = run(each);
    const { expect } = each;
    const first = (state: string) => bench.transitions.find(({ to }) => to === state)?.at;
    assert.equal(first('BACKUP'), expect.backupAt, 'yields at');
    if (expect.masterAt === undefined) {
      assert.equal(bench.router.state, 'MASTER');
      assert.deepEqual(bench.transitions, []);
      assert.deepEqual(bench.adverts, expect.adverts);
      assert.equal(bench.announces, expect.announces);
    } else assert.equal(first('MASTER'), expect.masterAt, 'becomes MASTER at');
    assert.deepEqual(bench.drops, expect.drops ?? {});
    assert.deepEqual([...bench.warnings], expect.warnings ?? []);
  });
