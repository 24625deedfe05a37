// The virtual routers in force, and what a new configuration does to them: equal ones are not touched.
// A virtual router is known by interface, family, VRID and mode; its name may change. Pure bookkeeping.
import type { InstanceConfig } from '../config/model.ts';
import type { InstanceDriver } from './driver.ts';

export interface RosterChange {
  readonly added: readonly InstanceConfig[];
  readonly removed: readonly InstanceDriver[];
  readonly changed: readonly { readonly driver: InstanceDriver; readonly config: InstanceConfig }[];
}

export class Roster {
  readonly #drivers = new Map<string, InstanceDriver>();

  get size(): number {
    return this.#drivers.size;
  }

  [Symbol.iterator](): Iterator<InstanceDriver> {
    return this.#drivers.values();
  }

  byName(name: string): InstanceDriver | undefined {
    for (const driver of this.#drivers.values()) if (driver.name === name) return driver;
    return undefined;
  }

  add(driver: InstanceDriver): void {
    this.#drivers.set(identityOf(driver.config), driver);
  }

  remove(driver: InstanceDriver): void {
    this.#drivers.delete(identityOf(driver.config));
  }

  /** @param keeps whether a driver's circumstances are as before */
  compare(instances: readonly InstanceConfig[], keeps: (driver: InstanceDriver) => boolean): RosterChange {
    const wanted = new Map(instances.map((config) => [identityOf(config), config]));
    const added: InstanceConfig[] = [];
    const changed: { driver: InstanceDriver; config: InstanceConfig }[] = [];
    for (const [identity, config] of wanted) {
      const driver = this.#drivers.get(identity);
      if (driver === undefined) added.push(config);
      else if (!equal(driver.config, config) || !keeps(driver)) changed.push({ driver, config });
    }
    const removed = [...this.#drivers].filter(([identity]) => !wanted.has(identity)).map(([, driver]) => driver);
    return { added, removed, changed };
  }
}

/** What makes two configurations speak of the same virtual router. */
export function identityOf({ interface: name, family, vrid, transport }: InstanceConfig): string {
  const mode = transport.mode === 'unicast' ? `unicast ${transport.source ?? ''}` : transport.group;
  return `${name} ${family} ${vrid} ${mode}`;
}

/** Configurations are plain data that one builder made, so equal ones have equal text. */
const equal = (a: InstanceConfig, b: InstanceConfig): boolean => JSON.stringify(a) === JSON.stringify(b);
