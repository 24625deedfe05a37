// Sync groups at work: carries reports from the members' routers to the groups, and the groups' orders back.
// The rules are in core/vrrp/group.ts.
import type { Instant } from '../units.ts';
import { type GroupOrder, SyncGroup } from '../vrrp/group.ts';
import type { RouterState } from '../vrrp/types.ts';
import type { InstanceDriver } from './driver.ts';

export interface GroupDefinition {
  readonly name: string;
  readonly members: readonly string[];
}

interface Entry {
  readonly group: SyncGroup;
  readonly drivers: ReadonlyMap<string, InstanceDriver>;
  state: RouterState;
}

const report = ({ group }: Entry, { name, router }: InstanceDriver): readonly GroupOrder[] =>
  group.report(name, router.standing, router.masterSource !== undefined);

export type GroupChange = (group: string, from: RouterState, to: RouterState) => void;

export class Groups {
  readonly #entries = new Map<InstanceDriver, Entry>();
  readonly #touched: (driver: InstanceDriver) => void;
  readonly #changed: GroupChange;

  /** `touched`: a driver was given an event. `changed`: a group is in another state. */
  constructor(touched: (driver: InstanceDriver) => void, changed: GroupChange) {
    this.#touched = touched;
    this.#changed = changed;
  }

  /** Takes new definitions; members that are at work report what they are and what ails them. */
  configure(definitions: readonly GroupDefinition[], drivers: readonly InstanceDriver[], now: Instant): void {
    const before = new Map([...this.#entries.values()].map(({ group, state }) => [group.name, state]));
    this.#entries.clear();
    for (const { name, members } of definitions) {
      const present = new Map(drivers.filter((d) => members.includes(d.name)).map((d) => [d.name, d]));
      const group = new SyncGroup(name, [...present.keys()]);
      const entry: Entry = { group, drivers: present, state: before.get(name) ?? 'INIT' };
      for (const driver of present.values()) this.#entries.set(driver, entry);
      for (const driver of present.values()) this.follow(driver, now);
      for (const driver of present.values()) {
        if (driver.router.state !== 'INIT' && driver.faults.length > 0)
          this.fault(driver, driver.faults.join('; '), now);
      }
      this.#obey(entry, group.relieve(), now);
    }
  }

  has(driver: InstanceDriver): boolean {
    return this.#entries.has(driver);
  }

  /** A router and those that are master together with it. */
  companions(driver: InstanceDriver): Iterable<InstanceDriver> {
    return this.#entries.get(driver)?.drivers.values() ?? [driver];
  }

  /** A member did something: its group may have orders. */
  follow(driver: InstanceDriver, now: Instant): void {
    const entry = this.#entries.get(driver);
    if (entry === undefined) return;
    const { standing, masterSource } = driver.router;
    if (entry.group.isNews(driver.name, standing, masterSource !== undefined))
      this.#obey(entry, report(entry, driver), now);
  }

  fault(driver: InstanceDriver, why: string, now: Instant): void {
    const entry = this.#entries.get(driver);
    if (entry !== undefined) this.#obey(entry, entry.group.fault(driver.name, why), now);
  }

  recovered(driver: InstanceDriver, now: Instant): void {
    const entry = this.#entries.get(driver);
    if (entry !== undefined) this.#obey(entry, entry.group.recovered(driver.name), now);
  }

  #obey(entry: Entry, orders: readonly GroupOrder[], now: Instant): void {
    const todo = [...orders];
    for (let order = todo.shift(); order !== undefined; order = todo.shift()) {
      const driver = entry.drivers.get(order.member);
      if (driver === undefined) continue;
      driver.feed(order.event, now);
      this.#touched(driver);
      todo.push(...report(entry, driver));
    }
    const { state } = entry.group;
    if (state === entry.state) return;
    const from = entry.state;
    entry.state = state;
    this.#changed(entry.group.name, from, state);
  }
}
