// Makes, adopts and removes the interfaces of virtual routers (macvlan, ipvlan), with the settings of the interfaces below
// them. What was there before is remembered in the alias of what is made, so that it survives a crash of the agent and
// dies with the interface. Knows no VRRP; every call is synchronous.
import { familyOf, type IpAddress, type MacAddress } from '../net/address.ts';
import {
  aliasRequest,
  createLinkRequest,
  deleteGroupRequest,
  IPV4_SETTINGS,
  type Ipv4Setting,
  type Ipv4Settings,
  ipv4SettingsRequest,
  type LinkDetails,
  noGeneratedAddressRequest,
  readLinkDetails,
  regroupRequest,
  switchOnRequest,
} from '../net/rtlink.ts';
import { ADDRESS_PROTOCOL_VRRP, addAddressRequest, linkDumpRequest } from '../net/rtnetlink.ts';
import type { RouteSocket } from '../ports/engine-io.ts';
import type { Sysctl } from '../ports/sysctl.ts';

/** An interface that a virtual router wants. */
export type VirtualLink = {
  readonly name: string;
  /** Name of the interface below. */
  readonly base: string;
  readonly group: number | undefined;
  /** Whether IPv6 addresses will be bound to it; IPv6 is off there otherwise. */
  readonly ipv6: boolean;
} & (
  | { readonly kind: 'macvlan'; readonly mac: MacAddress }
  | {
      readonly kind: 'ipvlan';
      readonly mode: 'bridge' | 'private' | 'vepa';
      /** Bound to it as soon as it is there: what its adverts come from. */
      readonly address: IpAddress | undefined;
    }
);

/** What could not be made or set. */
export interface LinkTrouble {
  readonly name: string;
  /** The interface is not there, or cannot be used: its router must not be master. */
  readonly fatal: boolean;
  readonly why: string;
}

/** First word of the alias of what we made. */
const MARK = 'vipkeeper';

/**
 * The interface below must not answer for addresses on the one above (it would, by its own MAC address), nor ask for
 * neighbours in the name of such an address, since the question teaches its MAC address to whoever hears it.
 * A weaker setting only is replaced: the kernel takes the higher one of `all` and the interface's own.
 */
const BELOW: Ipv4Settings = { arp_ignore: 1, arp_announce: 2 };
/**
 * On the virtual interface itself: the same, and no filter by route, because the way to its subnet is often through the
 * interface below. Loose mode (2) is the weakest that holds when `all` says strict (1): the kernel takes the higher one.
 */
const ABOVE: Ipv4Settings = { arp_ignore: 1, arp_announce: 2, arp_filter: 0, rp_filter: 2 };

export interface Ensured {
  /** Indexes of the interfaces that are there and set as they must be. */
  readonly settled: readonly number[];
  readonly troubles: readonly LinkTrouble[];
}

/** Makes what is not there, adopts what an earlier life left, sets what must be set. */
export function ensureLinks(wanted: readonly VirtualLink[], route: RouteSocket, sysctl: Sysctl): Ensured {
  const present = readLinks(route);
  const { keep, make: making, obsolete, troubles } = plan(wanted, present);
  removeAll(obsolete, route);
  const failed = make(making, present, route);
  for (const [name, error] of failed) troubles.push({ name, fatal: true, why: explain(error) });
  const usable = [...keep, ...making].filter(({ name }) => !failed.has(name));
  if (usable.length === 0) return { settled: [], troubles };
  troubles.push(...configure(usable, present, route, sysctl));
  const broken = new Set(troubles.filter(({ fatal }) => fatal).map(({ name }) => name));
  const whole = new Set(usable.map(({ name }) => name).filter((name) => !broken.has(name)));
  const settled = readLinks(route).filter(({ name, up }) => up && whole.has(name));
  bindOwn(wanted, settled, route);
  return { settled: settled.map(({ index }) => index), troubles };
}

interface Plan {
  readonly keep: readonly VirtualLink[];
  readonly make: readonly VirtualLink[];
  /** Ours, of an earlier life or configuration, and in the way. */
  readonly obsolete: readonly LinkDetails[];
  readonly troubles: LinkTrouble[];
}

function plan(wanted: readonly VirtualLink[], present: readonly LinkDetails[]): Plan {
  const keep: VirtualLink[] = [];
  const making: VirtualLink[] = [];
  const obsolete: LinkDetails[] = [];
  const troubles: LinkTrouble[] = [];
  for (const link of wanted) {
    const base = present.find(({ name }) => name === link.base);
    if (base === undefined) continue; // it will be made when the interface below is
    const found = present.find(({ name }) => name === link.name);
    if (found !== undefined && fits(found, link, base)) {
      keep.push(link);
      continue;
    }
    const twin = present.find(
      (other) => link.kind === 'macvlan' && other.parent === base.index && other.mac === link.mac,
    );
    const rivals = new Set([found, twin].filter((one) => one !== undefined));
    const foreign = [...rivals].find((rival) => !isOurs(rival));
    if (foreign !== undefined) {
      const clash =
        foreign === found ? 'there is another interface of that name' : `${foreign.name} has its MAC address`;
      troubles.push({ name: link.name, fatal: true, why: `${clash}; remove that: ip link del ${foreign.name}` });
      continue;
    }
    obsolete.push(...rivals);
    making.push(link);
  }
  return { keep, make: making, obsolete, troubles };
}

/**
 * Removes interfaces of ours, in one go (about 20 ms, however many), and gives the interfaces below back the settings
 * that they had. Others are left alone, whatever their names. Returns the names of what was removed.
 */
export function removeLinks(names: ReadonlySet<string>, route: RouteSocket): readonly string[] {
  const present = readLinks(route);
  const going = present.filter((link) => isOurs(link) && names.has(link.name));
  for (const base of present) {
    const above = present.filter((link) => link.parent === base.index && isOurs(link));
    const leaving = above.filter((link) => going.includes(link));
    if (leaving.length === 0 || leaving.length < above.length) continue;
    const before = remembered(leaving);
    // what somebody else has changed since is theirs
    const ours = settingsOf(before).filter(([name]) => base.ipv4[name] === BELOW[name]);
    if (ours.length > 0) route.request([ipv4SettingsRequest(base.name, Object.fromEntries(ours))]);
  }
  return removeAll(going, route);
}

function readLinks(route: RouteSocket): LinkDetails[] {
  const links: LinkDetails[] = [];
  route.dump(linkDumpRequest(), (message) => {
    const link = readLinkDetails(message);
    if (link !== undefined) links.push(link);
  });
  return links;
}

function fits(found: LinkDetails, wanted: VirtualLink, base: LinkDetails): boolean {
  if (found.kind !== wanted.kind || found.parent !== base.index) return false;
  return wanted.kind !== 'macvlan' || found.mac === wanted.mac;
}

const isOurs = ({ alias }: LinkDetails): boolean => alias === MARK || alias.startsWith(`${MARK} `);

/** Returns the errno names of what was refused. */
function make(
  wanted: readonly VirtualLink[],
  present: readonly LinkDetails[],
  route: RouteSocket,
): ReadonlyMap<string, string> {
  const failed = new Map<string, string>();
  const requests = wanted.flatMap((link) => {
    const base = present.find(({ name }) => name === link.base)!;
    const above = present.filter((other) => other.parent === base.index && isOurs(other));
    const common = { name: link.name, parent: base.index, ...groupOf(link) };
    return [
      createLinkRequest(
        link.kind === 'macvlan'
          ? { ...common, kind: link.kind, mac: link.mac }
          : { ...common, kind: link.kind, mode: link.mode },
      ),
      aliasRequest(link.name, aliasOf(base, above)),
    ];
  });
  if (requests.length === 0) return failed;
  const acks = route.request(requests);
  for (const [i, { name }] of wanted.entries()) {
    const made = acks[2 * i];
    if (made?.error !== 0) failed.set(name, made?.name ?? 'EIO');
  }
  return failed;
}

const groupOf = ({ group }: VirtualLink): { group?: number } => (group === undefined ? {} : { group });

/** The settings that we are about to change on the interface below, as they were before any of ours was made. */
function aliasOf(base: LinkDetails, above: readonly LinkDetails[]): string {
  const earlier = remembered(above);
  const words = settingsOf(BELOW).flatMap(([name, value]) => {
    const before = above.length > 0 ? earlier[name] : base.ipv4[name];
    return before !== undefined && before < value ? [`${name}=${before}`] : [];
  });
  return [MARK, ...words].join(' ');
}

/** What the aliases of our interfaces say about the one below. */
function remembered(above: readonly LinkDetails[]): Ipv4Settings {
  const settings: Partial<Record<Ipv4Setting, number>> = {};
  for (const { alias } of above)
    for (const word of alias.split(' ')) {
      const [name, value] = word.split('=');
      if (name !== undefined && value !== undefined && name in IPV4_SETTINGS && /^\d+$/.test(value))
        settings[name as Ipv4Setting] = Number(value);
    }
  return settings;
}

const settingsOf = (settings: Ipv4Settings) => Object.entries(settings) as [Ipv4Setting, number][];

interface Step {
  readonly name: string;
  readonly what: string;
  readonly fatal: boolean;
  readonly request: Uint8Array;
}

/** Settings first, then the switch: nothing may be answered by an interface that is not set yet. */
function configure(
  links: readonly VirtualLink[],
  present: readonly LinkDetails[],
  route: RouteSocket,
  sysctl: Sysctl,
): readonly LinkTrouble[] {
  const settings: Step[] = [];
  for (const base of new Set(links.map((link) => link.base))) {
    const { ipv4 } = present.find(({ name }) => name === base)!;
    const weaker = settingsOf(BELOW).filter(([name, value]) => (ipv4[name] ?? 0) < value);
    if (weaker.length === 0) continue;
    const request = ipv4SettingsRequest(base, Object.fromEntries(weaker));
    settings.push({ name: base, what: 'its ARP settings', fatal: true, request });
  }
  for (const { name } of links)
    settings.push(
      { name, what: 'its IPv4 settings', fatal: true, request: ipv4SettingsRequest(name, ABOVE) },
      { name, what: 'no address of its own', fatal: false, request: noGeneratedAddressRequest(name) },
    );
  return [
    ...run(settings, route),
    ...links.flatMap((link) => configureIpv6(link, sysctl)),
    ...run(
      links.map(({ name }) => ({ name, what: 'switching it on', fatal: true, request: switchOnRequest(name) })),
      route,
    ),
  ];
}

function run(steps: readonly Step[], route: RouteSocket): readonly LinkTrouble[] {
  const acks = route.request(steps.map(({ request }) => request));
  return steps.flatMap(({ name, what, fatal }, i) => {
    const ack = acks[i];
    // EAFNOSUPPORT: the kernel has no IPv6, or it is off on this interface
    if (ack?.error === 0 || ack?.name === 'EAFNOSUPPORT') return [];
    return [{ name, fatal, why: `${what}: ${explain(ack?.name ?? 'EIO')}` }];
  });
}

/** The address that an ipvlan's adverts come from is its own all the time, with no end. */
function bindOwn(links: readonly VirtualLink[], present: readonly LinkDetails[], route: RouteSocket): void {
  const requests = links.flatMap((link) => {
    const found = present.find(({ name }) => name === link.name);
    if (found === undefined || link.kind !== 'ipvlan' || link.address === undefined) return [];
    const { address } = link;
    const prefix = familyOf(address) === 4 ? 32 : 128;
    const request = { index: found.index, address, prefix, scope: 0, flags: 0, protocol: ADDRESS_PROTOCOL_VRRP };
    return [addAddressRequest({ ...request, validLifetime: 'forever', preferredLifetime: 'forever' }, 'replace')];
  });
  if (requests.length > 0) route.request(requests);
}

/** A virtual router's interface is silent but for its router: it learns no addresses and asks for none. */
function configureIpv6({ name, ipv6 }: VirtualLink, sysctl: Sysctl): readonly LinkTrouble[] {
  const settings = ipv6 ? { disable_ipv6: 0, accept_ra: 0, autoconf: 0 } : { disable_ipv6: 1 };
  for (const [setting, value] of Object.entries(settings)) {
    const path = `net/ipv6/conf/${name}/${setting}`;
    const now = sysctl.read(path);
    if (now === undefined || now === value) continue;
    const refused = sysctl.write(path, value);
    const fatal = ipv6 && setting === 'disable_ipv6';
    if (refused !== undefined)
      return [{ name, fatal, why: `${path.replaceAll('/', '.')} cannot be set to ${value} (${refused})` }];
  }
  return [];
}

/** A group of their own first: the kernel removes a group as fast as a single interface. */
function removeAll(links: readonly LinkDetails[], route: RouteSocket): readonly string[] {
  if (links.length === 0) return [];
  // unlikely to be anybody's: the number of the first interface among two thousand million
  const group = 0x7600_0000 + (links[0]!.index & 0xff_ffff);
  const acks = route.request(links.map(({ index }) => regroupRequest(index, group)));
  const moved = links.filter((_, i) => acks[i]?.error === 0);
  if (moved.length > 0) route.request([deleteGroupRequest(group)]);
  return moved.map(({ name }) => name);
}

function explain(errno: string): string {
  switch (errno) {
    case 'EPERM':
      return 'not permitted, the process needs CAP_NET_ADMIN (EPERM)';
    case 'EOPNOTSUPP':
    case 'EAFNOSUPPORT':
      return `the kernel lacks this kind of interface; see modprobe macvlan, modprobe ipvlan (${errno})`;
    case 'EBUSY':
      return 'its MAC address, or the interface below, is used by somebody else (EBUSY)';
    case 'EEXIST':
      return 'there is an interface of that name already (EEXIST)';
    default:
      return `the kernel refuses (${errno})`;
  }
}
