// interface_up_down_delays: the view of the kernel's interfaces in which a change of a link counts only when it has
// lasted. An interface that is deleted is gone at once. Knows no virtual router.
import type { InterfaceDelay } from '../config/model.ts';
import type { Family, IpAddress } from '../net/address.ts';
import type { LinkRecord } from '../net/rtnetlink.ts';
import type { Clock } from '../ports/engine-io.ts';
import { after, type Instant } from '../units.ts';
import type { LinkChanges, Links } from './links.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';

interface Delayed {
  readonly delay: InterfaceDelay;
  /** What counts. */
  running: boolean;
  /** When the other thing will count; undefined: the kernel says what counts. */
  changeAt: Instant | undefined;
}

export class LinkDelays implements Links, Resident {
  readonly ready = false;
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #changed: (now: Instant) => void;
  #delayed: ReadonlyMap<string, Delayed> = new Map();

  /** @param changed a link that had been waiting counts now */
  constructor(links: Links, clock: Clock, changed: (now: Instant) => void) {
    this.#links = links;
    this.#clock = clock;
    this.#changed = changed;
  }

  // Links.

  get(name: string): LinkRecord | undefined {
    const link = this.#links.get(name);
    const delayed = this.#delayed.get(name);
    return link === undefined || delayed === undefined || delayed.running === link.running
      ? link
      : { ...link, running: delayed.running };
  }

  primaryAddress(
    name: string,
    family: Family,
    linkLocal: boolean,
    isVirtual: (address: IpAddress) => boolean,
  ): IpAddress | undefined {
    return this.#links.primaryAddress(name, family, linkLocal, isVirtual);
  }

  isOnLink(name: string, address: IpAddress): boolean {
    return this.#links.isOnLink?.(name, address) ?? true;
  }

  hasAddress(address: IpAddress): boolean {
    return this.#links.hasAddress?.(address) ?? true;
  }

  update(): LinkChanges {
    const changes = this.#links.update();
    if (this.#delayed.size > 0) {
      const now = this.#clock.now();
      for (const name of changes.interfaces) this.#follow(name, now);
    }
    return changes;
  }

  // Resident.

  get deadline(): Instant | undefined {
    let first: Instant | undefined;
    for (const { changeAt } of this.#delayed.values())
      if (changeAt !== undefined && (first === undefined || changeAt < first)) first = changeAt;
    return first;
  }

  /** What is new to have a delay counts as it is now; what keeps one goes on waiting. */
  configure({ interfaceDelays = [] }: EngineConfig, now: Instant): void {
    const before = this.#delayed;
    this.#delayed = new Map(
      interfaceDelays.map((delay) => {
        const name = delay.interface;
        const known = before.get(name);
        const same = known !== undefined && known.delay.up === delay.up && known.delay.down === delay.down;
        if (same) return [name, known];
        const running = known?.running ?? this.#links.get(name)?.running ?? false;
        return [name, { delay, running, changeAt: undefined }];
      }),
    );
    let changed = false;
    for (const [name, delayed] of this.#delayed) if (before.get(name) !== delayed) this.#follow(name, now);
    for (const [name, { changeAt }] of before) if (changeAt !== undefined && !this.#delayed.has(name)) changed = true;
    if (changed) this.#changed(now);
  }

  expire(now: Instant): void {
    let changed = false;
    for (const delayed of this.#delayed.values()) {
      if (delayed.changeAt === undefined || delayed.changeAt > now) continue;
      delayed.changeAt = undefined;
      delayed.running = !delayed.running;
      changed = true;
    }
    if (changed) this.#changed(now);
  }

  followLinks(): void {}
  listen(): void {}
  settle(): void {}
  close(): void {}

  #follow(name: string, now: Instant): void {
    const delayed = this.#delayed.get(name);
    if (delayed === undefined) return;
    const link = this.#links.get(name);
    if (link === undefined || link.running === delayed.running) {
      if (link === undefined) delayed.running = false;
      delayed.changeAt = undefined;
    } else delayed.changeAt ??= after(now, link.running ? delayed.delay.up : delayed.delay.down);
  }
}
