// Announcements at the pace that the file asks for (vrrp_garp_interval, vrrp_gna_interval, garp_group): a frame socket that
// lets frames out one by one with a gap between them. Where no gap is asked for it is not in the way. What an address that
// was let go still has waiting is forgotten: nobody announces what he does not hold.
import type { GarpGroup, InstanceConfig } from '../config/model.ts';
import type { Clock, FrameSocket } from '../ports/engine-io.ts';
import { after, type Instant, type Micros } from '../units.ts';
import type { Links } from './links.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';

/** How fast announcements follow one another on an interface, 0: as fast as they can. */
export interface AnnouncementPace {
  readonly garpInterval: Micros;
  readonly gnaInterval: Micros;
  /** Interfaces with a pace in common, instead of the one above. */
  readonly groups: readonly GarpGroup[];
}

/** Frames that wait: more are forgotten, oldest first. 255 addresses five times over, on three interfaces. */
const MOST_WAITING = 4_096;
const ETHERTYPE = 12;
const ARP_LOW = 0x06;
/** Where the announced address stands: sender of the ARP packet, target of the neighbour advertisement. */
const ARP_SENDER = 28;
const NA_TARGET = 62;
const NO_ERRORS: readonly string[] = [];

interface Lane {
  readonly gap: Micros;
  next: Instant;
  readonly waiting: { readonly frame: Uint8Array; readonly ifindex: number }[];
}

export class PacedFrames implements FrameSocket, Resident {
  readonly ready = false;
  readonly #socket: FrameSocket;
  readonly #clock: Clock;
  readonly #links: Pick<Links, 'get'>;
  #pace: AnnouncementPace | undefined;
  /** Names of interfaces that stand on others, with those. */
  readonly #bases = new Map<string, ReadonlyMap<string, string>>();
  /** By 'interface or group, kind'. */
  readonly #lanes = new Map<string, Lane>();
  #names = new Map<number, string>();

  constructor(socket: FrameSocket, clock: Clock, links: Pick<Links, 'get'>) {
    this.#socket = socket;
    this.#clock = clock;
    this.#links = links;
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { waiting, next } of this.#lanes.values())
      if (waiting.length > 0 && (earliest === undefined || next < earliest)) earliest = next;
    return earliest;
  }

  queue(frame: Uint8Array, ifindex: number): void {
    const lane = this.#pace === undefined ? undefined : this.#laneOf(frame, ifindex);
    if (lane === undefined) {
      this.#socket.queue(frame, ifindex);
      return;
    }
    if (lane.waiting.length >= MOST_WAITING) lane.waiting.shift();
    lane.waiting.push({ frame: frame.slice(), ifindex });
  }

  flush(): readonly string[] {
    return this.#release(this.#clock.now());
  }

  /** Forgets what waits for an address. @param address its bytes, 4 or 16 */
  forget(address: Uint8Array): void {
    for (const { waiting } of this.#lanes.values())
      for (let i = waiting.length - 1; i >= 0; i--) if (announces(waiting[i]!.frame, address)) waiting.splice(i, 1);
  }

  configure({ added, changed, removed, pace }: EngineConfig): void {
    const isPaced = pace !== undefined && (pace.garpInterval > 0 || pace.gnaInterval > 0 || pace.groups.length > 0);
    for (const name of removed) this.#bases.delete(name);
    for (const { name } of changed) this.#bases.delete(name);
    for (const config of [...changed.map((change) => change.config), ...added])
      this.#bases.set(config.name, basesOf(config));
    this.#pace = isPaced ? pace : undefined;
    const waiting = [...this.#lanes.values()].flatMap((lane) => lane.waiting);
    this.#lanes.clear();
    this.followLinks();
    for (const { frame, ifindex } of waiting) this.queue(frame, ifindex);
  }

  followLinks(): void {
    this.#names = new Map();
    for (const bases of this.#bases.values())
      for (const [name, base] of bases) {
        const link = this.#links.get(name);
        if (link !== undefined) this.#names.set(link.index, base);
      }
  }

  listen(): void {}

  expire(now: Instant): void {
    this.#release(now);
  }

  settle(): void {}

  close(): void {
    this.#lanes.clear();
    this.#socket.close();
  }

  #release(now: Instant): readonly string[] {
    for (const lane of this.#lanes.values()) {
      const first = lane.next <= now ? lane.waiting.shift() : undefined;
      if (first === undefined) continue;
      this.#socket.queue(first.frame, first.ifindex);
      lane.next = after(now, lane.gap);
    }
    const failed = this.#socket.flush();
    return failed.length === 0 ? NO_ERRORS : failed;
  }

  /** undefined: at once. */
  #laneOf(frame: Uint8Array, ifindex: number): Lane | undefined {
    const kind = frame[ETHERTYPE + 1] === ARP_LOW ? 'garpInterval' : 'gnaInterval';
    const name = this.#names.get(ifindex) ?? `${ifindex}`;
    const group = this.#pace!.groups.findIndex((one) => one.interfaces.includes(name));
    const gap = this.#pace!.groups[group]?.[kind] ?? this.#pace![kind];
    if (gap <= 0) return undefined;
    const key = `${group >= 0 ? group : name} ${kind}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { gap, next: this.#clock.now(), waiting: [] };
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

/** Every interface that an instance announces on, and the one below it (its own name when there is none). */
export function basesOf(config: InstanceConfig): ReadonlyMap<string, string> {
  const bases = new Map([...config.vips, ...config.excludedVips].map(({ device }) => [device, device]));
  if (config.virtualInterface !== undefined) bases.set(config.virtualInterface.name, config.interface);
  for (const { name, base } of config.addressInterfaces ?? []) bases.set(name, base);
  return bases;
}

function announces(frame: Uint8Array, address: Uint8Array): boolean {
  const at = address.length === 4 ? ARP_SENDER : NA_TARGET;
  const isArp = frame[ETHERTYPE + 1] === ARP_LOW;
  return isArp === (address.length === 4) && address.every((byte, i) => frame[at + i] === byte);
}
