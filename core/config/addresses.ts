// Which addresses an instance advertises and which it only holds: family, duplicates and what fits into an advert.
// Pure.
import type { Family } from '../net/address.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { Report } from './diagnostics.ts';
import type { AddressLine } from './keywords/virtual-address.ts';

/** The count field of an advert is one byte (RFC 9568 §5.2.5). */
const MAX_COUNT = 255;
const MTU = 1500;
/** VRRP header, and the authentication data that VRRPv2 always carries. */
const VRRP_BYTES = 8;
const AUTH_BYTES = 8;
/** RT_SCOPE_LINK */
const LINK_SCOPE = 253;

/** How many addresses one advert can list on Ethernet. */
export function advertCapacity(family: Family, version: 2 | 3): number {
  const space = MTU - (family === 4 ? 20 : 40) - VRRP_BYTES - (version === 2 ? AUTH_BYTES : 0);
  return Math.min(MAX_COUNT, Math.floor(space / (family === 4 ? 4 : 16)));
}

export interface Addresses {
  readonly vips: readonly VirtualIp[];
  readonly excludedVips: readonly VirtualIp[];
}

/** Completes the lines of both lists; strangers are left out and what does not fit moves to the excluded list. */
export function buildAddresses(
  lines: readonly AddressLine[],
  excluded: readonly AddressLine[],
  instance: { readonly interface: string; readonly family: Family; readonly version: 2 | 3 },
  report: Report,
): Addresses {
  const seen = new Set<string>();
  const fresh = (line: AddressLine): boolean => {
    const key = `${line.address} ${line.device ?? instance.interface}`;
    if (seen.has(key))
      report.add('W044', line.place, `${line.address} is listed twice; once is enough`, { value: line.address });
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  };
  const own: AddressLine[] = [];
  for (const line of lines) {
    if (line.family !== instance.family)
      report.add('W044', line.place, `${line.address} is left out: this instance is IPv${instance.family}`, {
        value: line.address,
        suggestion: 'put it into virtual_ipaddress_excluded, or into an instance of its own',
      });
    else if (fresh(line)) own.push(line);
  }
  if (instance.family === 6) linkLocalFirst(own, report);
  const capacity = advertCapacity(instance.family, instance.version);
  if (own.length > capacity)
    report.add(
      'W044',
      own[capacity]!.place,
      `an advert holds ${capacity} addresses; this one and the ${own.length - capacity - 1} after it are not advertised`,
      {
        limit: `${capacity}`,
        suggestion: 'put them into virtual_ipaddress_excluded',
      },
    );
  return {
    vips: own.slice(0, capacity).map((line) => completeAddress(line, instance.interface)),
    excludedVips: [...own.slice(capacity), ...excluded.filter(fresh)].map((line) =>
      completeAddress(line, instance.interface),
    ),
  };
}

const isLinkLocal = ({ family, address }: AddressLine): boolean => family === 6 && /^fe[89ab]/.test(address);

/** RFC 9568 §5.2.9: the first address is the virtual router's link-local one. No peer minds the order. */
function linkLocalFirst(lines: AddressLine[], report: Report): void {
  const at = lines.findIndex(isLinkLocal);
  const [found] = at > 0 ? lines.splice(at, 1) : [];
  if (found !== undefined) {
    lines.unshift(found);
    report.add('W044', found.place, `${found.address} is advertised first, as the link-local address must be`, {
      value: found.address,
      suggestion: 'write it before the others, here and on every peer',
    });
  } else if (at < 0 && lines[0] !== undefined)
    report.add('I066', lines[0].place, 'none of the addresses is link-local; RFC 9568 wants the first one to be', {
      suggestion: 'add one such as fe80::5e:1, the same on all machines',
    });
}

/** A line with the interface and scope that it does not name. */
export function completeAddress(whole: AddressLine, device: string): VirtualIp {
  const { place: _, group: __, virtualMac: ___, family: ____, ...line } = whole;
  return { ...line, device: line.device ?? device, scope: line.scope ?? (isLinkLocal(whole) ? LINK_SCOPE : 0) };
}
