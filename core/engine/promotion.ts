// promote_secondaries: while an instance asks for it, its interface lets a secondary IPv4 address take the place of a primary
// one that goes, instead of dropping all of that subnet. What was set before comes back at the end.
import type { InstanceConfig } from '../config/model.ts';
import type { Sysctl } from '../ports/sysctl.ts';
import type { Complain } from './holdings.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';

export class Promotion implements Resident {
  readonly deadline = undefined;
  readonly ready = false;
  readonly #sysctl: Sysctl;
  readonly #complain: Complain;
  readonly #indexOf: (device: string) => number | undefined;
  /** The interfaces on which each instance wants it, by its name. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** What interfaces had before, with their indexes then; `refused`: the kernel does not let us. */
  readonly #before = new Map<string, { readonly value: number | 'refused'; readonly index: number }>();

  /** @param indexOf the index of an interface by its name; undefined: it is not there */
  constructor(sysctl: Sysctl, complain: Complain, indexOf: (device: string) => number | undefined) {
    this.#sysctl = sysctl;
    this.#complain = complain;
    this.#indexOf = indexOf;
  }

  configure({ added, changed, removed }: EngineConfig): void {
    for (const name of [...removed, ...changed.map(({ name: old }) => old)]) this.#wanted.delete(name);
    for (const config of [...changed.map((change) => change.config), ...added]) {
      if (config.promoteSecondaries) this.#wanted.set(config.name, interfacesOf(config));
    }
    this.#apply();
  }

  /** An interface that came only now has the settings of a new one. No file is read for one that stayed: notices are many. */
  followLinks(): void {
    for (const [device, { index }] of this.#before) if (this.#indexOf(device) !== index) this.#before.delete(device);
    this.#apply();
  }

  listen(): void {}

  expire(): void {}

  settle(): void {}

  close(): void {
    this.#wanted.clear();
    this.#apply();
  }

  #apply(): void {
    const devices = new Set([...this.#wanted.values()].flat());
    for (const device of devices) {
      const index = this.#indexOf(device);
      if (this.#before.has(device) || index === undefined) continue;
      const now = this.#sysctl.read(pathOf(device));
      if (now === undefined) continue;
      const refused = now === 1 ? undefined : this.#sysctl.write(pathOf(device), 1);
      this.#before.set(device, { value: refused === undefined ? now : 'refused', index });
      if (refused !== undefined)
        this.#complain('warning', `promote_secondaries of ${device} cannot be set: ${refused}; see net.ipv4.conf`);
    }
    for (const [device, { value: before }] of this.#before) {
      if (devices.has(device)) continue;
      this.#before.delete(device);
      if (before !== 'refused' && before !== 1) this.#sysctl.write(pathOf(device), before);
    }
  }
}

/** The interface of the instance and those that its IPv4 addresses are on. */
function interfacesOf({ interface: own, vips, excludedVips }: InstanceConfig): readonly string[] {
  const devices = [...vips, ...excludedVips]
    .filter(({ address }) => !address.includes(':'))
    .map(({ device }) => device);
  return [...new Set([own, ...devices])];
}

const pathOf = (device: string): string => `net/ipv4/conf/${device}/promote_secondaries`;
