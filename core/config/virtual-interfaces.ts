// Which interfaces are made for an instance (use_vmac, use_ipvlan), how they are called, and which addresses go on them.
// Pure.
import type { Family } from '../net/address.ts';
import type { Vrid } from '../units.ts';
import type { Report } from './diagnostics.ts';
import type { GlobalValues } from './globals.ts';
import type { InstanceBlock } from './instances.ts';
import type { AddressLine } from './keywords/virtual-address.ts';
import type { AddressInterface, VirtualInterface } from './model.ts';

/** IFNAMSIZ less its end. */
const NAME_BYTES = 15;

/** Names of interfaces that the instances of a file make: each once. */
export class InterfaceNames {
  readonly #taken = new Set<string>();

  /** The first of these names that is free and short enough, then with a number before the rest. */
  take(...candidates: readonly string[]): string {
    const fits = (name: string): boolean =>
      !this.#taken.has(name) && new TextEncoder().encode(name).length <= NAME_BYTES;
    let name = candidates.find(fits);
    for (let number = 1; name === undefined; number++) name = [`vrrp-${number}`].find(fits);
    this.#taken.add(name);
    return name;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }
}

export interface InstanceInterfaces {
  /** Where addresses go that name no interface. */
  readonly device: string;
  readonly virtualInterface?: VirtualInterface;
  readonly addressInterfaces?: readonly AddressInterface[];
  /** The lines of both lists, with macvlans instead of the interfaces that they name where that is asked for. */
  readonly lines: readonly AddressLine[];
  readonly excluded: readonly AddressLine[];
}

interface Base {
  readonly interface: string;
  readonly family: Family;
  readonly vrid: Vrid;
  readonly unicast: boolean;
}

export function buildInterfaces(
  block: InstanceBlock,
  base: Base,
  globals: GlobalValues,
  names: InterfaceNames,
  report: Report,
): InstanceInterfaces {
  const { values } = block;
  const own = ownInterface(block, base, globals, names, report);
  const made = new Map<string, AddressInterface>();
  const prefix = globals.vmac_addr_prefix?.value ?? globals.vmac_prefix?.value ?? 'vrrp';
  const place = (line: AddressLine): AddressLine => {
    const elsewhere = line.device !== undefined && line.device !== base.interface;
    const otherFamily = own?.kind === 'macvlan' && line.family !== base.family;
    const asked = line.virtualMac === true || values.use_vmac_addr !== undefined;
    if (!asked || !(elsewhere || otherFamily || (line.virtualMac && own === undefined))) return line;
    const below = line.device ?? base.interface;
    const key = `${below} ${line.family}`;
    let above = made.get(key);
    if (above === undefined) {
      const stem = `${dotted(prefix)}${base.vrid}`;
      const name = names.take(`${stem}.${below}`, `${dotted(`${prefix}${line.family}`)}${base.vrid}.${below}`);
      above = { name, base: below, mac: virtualMac(line.family, base.vrid) };
      made.set(key, above);
    }
    return { ...line, device: above.name };
  };
  const lines = (values.virtual_ipaddress?.value ?? []).map(place);
  const excluded = (values.virtual_ipaddress_excluded?.value ?? []).map(place);
  return {
    device: own?.name ?? base.interface,
    ...(own && { virtualInterface: own }),
    ...(made.size > 0 && { addressInterfaces: [...made.values()] }),
    lines,
    excluded,
  };
}

function ownInterface(
  { name: instance, values }: InstanceBlock,
  { family, vrid, unicast }: Base,
  globals: GlobalValues,
  names: InterfaceNames,
  report: Report,
): VirtualInterface | undefined {
  const { use_vmac: vmac, use_ipvlan: ipvlan } = values;
  const found = vmac ?? ipvlan;
  if (found === undefined) return undefined;
  const wanted = found.value.name;
  if (wanted !== undefined && names.has(wanted))
    report.add(
      'W058',
      found.place,
      `${instance} asks for the interface ${wanted}, which another instance has; it gets another name`,
      {
        value: wanted,
        suggestion: 'give each instance an interface name of its own, or none',
      },
    );
  const prefix = globals.vmac_prefix?.value ?? 'vrrp';
  const stem = (text: string): string => `${dotted(text)}${vrid}`;
  const name = names.take(
    ...(wanted === undefined ? [] : [wanted]),
    stem(prefix),
    stem(`${prefix}${family}`),
    ...numbered(prefix, stem),
  );
  if (vmac !== undefined)
    return {
      kind: 'macvlan',
      name,
      mac: vmac.value.mac ?? virtualMac(family, vrid),
      group: vmac.value.group,
      forAddresses: values.use_vmac_addr !== undefined,
      sendBelow: unicast || values.vmac_xmit_base !== undefined,
    };
  const { address, mode, group } = ipvlan!.value;
  return { kind: 'ipvlan', name, address, mode: mode ?? 'bridge', group };
}

/** `vrrp1.51`, `vrrp2.51` …: the same virtual router on other interfaces. */
const numbered = (prefix: string, stem: (text: string) => string): readonly string[] =>
  Array.from({ length: 64 }, (_, i) => stem(`${prefix}${i + 10}`));

const dotted = (prefix: string): string => (prefix.endsWith('.') ? prefix : `${prefix}.`);

/** RFC 9568 §7.3. */
function virtualMac(family: Family, vrid: Vrid): string {
  return `00:00:5e:00:${family === 4 ? '01' : '02'}:${vrid.toString(16).padStart(2, '0')}`;
}
