// One run of the whole conformance table against one live daemon: every case is a virtual router of its own, all of them
// go through their stories at once, and what each sent, announced, counted and said is kept for the judges.
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../../core/cli/demo/recorder.ts';
import { ip } from '../../core/net/address.ts';
import { conf } from '../support/conf.ts';
import { type AdvertHeard, type AnnouncementHeard, Injector, type WirePacket } from '../support/injector.ts';
import { Lab } from '../support/netns.ts';
import { type GoodPacket, type InjectedFields, inject } from './injected-packet.ts';
import { type HeaderFields, instanceOf, type LiveCase } from './live-cases.ts';

/** A is the daemon, B the neighbour that the packets come from. */
const A = { 4: '10.0.0.1', 6: 'fe80::ff:fe00:a' } as const;
const B = { 4: '10.0.0.2', 6: 'fe80::ff:fe00:b' } as const;
/** Adverts of the master that the backups follow until their stories begin. */
const HOLD_PRIORITY = 250;
const HOLD_EACH_MS = 500;
/** Later than this no case expects anything more; B31 would take its address after 36 s. */
export const WATCHED_MS = 12_500;
const READY_MS = 25_000;
/** What a master announces by itself some seconds after it became so would look like an answer. */
const NO_SECOND_BURST = ['vrrp_garp_master_delay 0'];

export interface Story {
  /** When the story began: the last advert of the old master, or the advert from which a master's times count. */
  readonly zero: number;
  /** By how much the injector was late at worst. */
  readonly late: number;
  /** Own adverts from zero on, in seconds since zero, with their priorities. */
  readonly adverts: readonly { readonly at: number; readonly priority: number }[];
  /** Announcements of its addresses, in seconds since zero. */
  readonly announcements: readonly number[];
  /** States it went to from zero on, in order. */
  readonly states: readonly string[];
  readonly drops: Readonly<Record<string, number>>;
  readonly downMs: number;
}

interface InstanceStatus {
  readonly name: string;
  readonly state: string;
  readonly master: { readonly priority: number } | null;
  readonly timers: { readonly downMs: number };
  readonly statistics: { readonly drops: Readonly<Record<string, number>> };
}

export async function runTable(cases: readonly LiveCase[]): Promise<ReadonlyMap<string, Story>> {
  await using lab = await Lab.create({ name: 'live', routers: [`${A[4]}/24`], client: `${B[4]}/24` });
  try {
    return await new Run(lab, cases).all();
  } catch (error) {
    throw lab.explain(error);
  }
}

class Run {
  readonly #lab: Lab;
  readonly #cases: readonly LiveCase[];
  readonly #zeros = new Map<LiveCase, number>();
  readonly #late = new Map<LiveCase, number>();
  /** How many characters of the log there were at zero. */
  readonly #said = new Map<LiveCase, number>();
  readonly #pending: Promise<void>[] = [];

  constructor(lab: Lab, cases: readonly LiveCase[]) {
    this.#lab = lab;
    this.#cases = cases;
  }

  async all(): Promise<ReadonlyMap<string, Story>> {
    const { daemon, injector } = await this.#set();
    using neighbour = injector;
    const backups = this.#cases.filter(({ given }) => given.state === 'BACKUP');
    const masters = this.#cases.filter(({ given }) => given.state === 'MASTER');

    const hold = () => {
      for (const each of backups) neighbour.send(holdPacket(each));
    };
    hold();
    const holding = setInterval(hold, HOLD_EACH_MS);
    await daemon.up();
    await this.#allFollow(daemon, backups);
    clearInterval(holding);
    for (const each of backups) {
      this.#begin(each, neighbour.send(holdPacket(each)), daemon.log.length);
      this.#pending.push(this.#inject(each, neighbour));
    }

    // Three adverts of an ordinary master are past its first announcements; then the next one is zero.
    await Promise.all(
      masters.map(async (each) => {
        const at = await this.#nthAdvert(neighbour, each, 3);
        this.#begin(each, at, daemon.log.length);
        await this.#inject(each, neighbour);
      }),
    );
    await Promise.all(this.#pending);
    const last = Math.max(...this.#zeros.values());
    await sleep(Math.max(0, last + WATCHED_MS - now()));

    const { instances } = (await daemon.status()) as { instances: readonly InstanceStatus[] };
    const log = daemon.log;
    return new Map(this.#cases.map((each) => [each.id, this.#story(each, neighbour, instances, log)]));
  }

  async #set() {
    const { network } = this.#lab;
    const client = this.#lab.host('client').namespace;
    for (const [host, address] of [
      ['r1', A[6]],
      ['client', B[6]],
    ] as const)
      await network.exec(host, 'ip', 'address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
    // So that packets from any source, our own too, reach the daemon: its judgement is asked for, not the kernel's.
    const settings = ['1 >eth0/accept_local', '0 >all/rp_filter', '0 >eth0/rp_filter'];
    const commands = settings.map((setting) => `echo ${setting}`).join('; ');
    await network.exec('r1', 'sh', '-c', `cd /proc/sys/net/ipv4/conf; ${commands}`);
    const injector = new Injector(client, 'eth0', await macOf(this.#lab, 'client'), await macOf(this.#lab, 'r1'));
    const instances = this.#cases.map((each) => instanceOf(each, A[4], B[4]));
    return {
      injector,
      daemon: this.#lab.daemon('vipkeeper', 'r1', conf({ routerId: 'live', globals: NO_SECOND_BURST, instances })),
    };
  }

  async #allFollow(daemon: { status(): Promise<unknown> }, backups: readonly LiveCase[]): Promise<void> {
    const deadline = now() + READY_MS;
    for (;;) {
      const { instances } = (await daemon.status()) as { instances: readonly InstanceStatus[] };
      const deaf = backups.filter(
        ({ id }) => instances.find(({ name }) => name === id)?.master?.priority !== HOLD_PRIORITY,
      );
      if (deaf.length === 0) return;
      if (now() > deadline) throw new Error(`these follow no master: ${deaf.map(({ id }) => id).join(', ')}`);
    }
  }

  async #nthAdvert(injector: Injector, { vrid, id, given }: LiveCase, n: number): Promise<number> {
    const mine = (advert: AdvertHeard) => advert.vrid === vrid && advert.family === given.family;
    const heard = injector.adverts.filter(mine).length;
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${id} did not become master`)), READY_MS);
      // Those of a story that begins late are counted from now on.
      let left = Math.max(1, n - heard);
      const stop = injector.onAdvert((advert) => {
        if (!mine(advert) || --left > 0) return;
        clearTimeout(timer);
        stop();
        resolve(advert.t);
      });
    });
  }

  #begin(each: LiveCase, zero: number, said: number): void {
    this.#zeros.set(each, zero);
    this.#said.set(each, said);
  }

  async #inject(each: LiveCase, injector: Injector): Promise<void> {
    const zero = this.#zeros.get(each)!;
    let late = 0;
    const packets = each.events
      .flatMap(({ at, times, every, packet }) =>
        Array.from({ length: times }, (_, i) => ({ due: zero + (at + i * every) * 1_000, packet })),
      )
      .toSorted((a, b) => a.due - b.due);
    for (const { due, packet } of packets) {
      await sleep(Math.max(0, due - now()));
      late = Math.max(late, injector.send(forged(each, packet)) - due);
    }
    this.#late.set(each, late);
  }

  #story(each: LiveCase, injector: Injector, instances: readonly InstanceStatus[], log: string): Story {
    const zero = this.#zeros.get(each)!;
    const since = (t: number) => (t - zero) / 1_000;
    const status = instances.find(({ name }) => name === each.id)!;
    const { vrid, given } = each;
    const addresses = new Set<string>(given.addresses.map((address) => ip(address)));
    const said = log.slice(this.#said.get(each)!);
    const states = said.matchAll(new RegExp(`transition instance=${each.id} from=\\w+ to=(\\w+)`, 'g'));
    return {
      zero,
      late: this.#late.get(each)! / 1_000,
      adverts: injector.adverts
        .filter((advert) => advert.vrid === vrid && advert.family === given.family && advert.t >= zero)
        .map(({ t, priority }) => ({ at: since(t), priority })),
      announcements: injector.announcements
        .filter(({ t, address }: AnnouncementHeard) => addresses.has(address) && t >= zero)
        .map(({ t }) => since(t)),
      states: [...states].map(([, state]) => state!),
      drops: status.statistics.drops,
      downMs: status.timers.downMs,
    };
  }
}

const goodPacket = ({ vrid, given }: LiveCase, source: string): GoodPacket => ({
  family: given.family,
  version: given.version,
  vrid,
  adv: given.version === 2 ? given.interval : given.interval * 100,
  vips: given.addresses,
  source,
  password: given.password,
});

function holdPacket(each: LiveCase): WirePacket {
  const { heldBy, family, peers } = each.given;
  return inject(goodPacket(each, heldBy ?? B[family]), {
    prio: HOLD_PRIORITY,
    ...(peers !== undefined && { dst: A[family] }),
  });
}

function forged(each: LiveCase, fields: InjectedFields & HeaderFields): WirePacket {
  const { ipopt, frag } = fields;
  return {
    ...inject(goodPacket(each, B[each.given.family]), fields),
    ...(ipopt !== undefined && { options: Uint8Array.from(Buffer.from(ipopt, 'hex')) }),
    ...(frag !== undefined && { fragment: frag }),
  };
}

async function macOf(lab: Lab, host: string): Promise<string> {
  const links = JSON.parse(await lab.network.exec(host, 'ip', '-j', 'link', 'show', 'dev', 'eth0')) as {
    address: string;
  }[];
  return links[0]!.address;
}
