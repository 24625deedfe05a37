// What the engine knows of this machine's interfaces and addresses: read once, then kept by the kernel's notices.
// Decides nothing; tells the engine which interfaces changed and which addresses vanished.
import { type Family, familyOf, type IpAddress, isInPrefix, type MacAddress } from '../net/address.ts';
import {
  type AddressRecord,
  addressDumpRequest,
  decodeAddress,
  decodeLink,
  type LinkRecord,
  linkDumpRequest,
} from '../net/rtnetlink.ts';
import type { RouteMonitor, RouteSocket } from '../ports/engine-io.ts';

/** What one reading of the kernel's notices brought. */
export interface LinkChanges {
  /** Names of interfaces whose link or addresses changed, appeared or vanished. */
  readonly interfaces: ReadonlySet<string>;
  /** Addresses that were removed, with the interface they were on. */
  readonly removed: readonly AddressRecord[];
  /** Notices were lost: everything was read anew, and removals may have gone unseen. */
  readonly overrun: boolean;
}

/** What the engine asks of its view of the kernel. */
export type Links = Pick<LinkTable, 'get' | 'primaryAddress' | 'update'> &
  Partial<Pick<LinkTable, 'isOnLink' | 'hasAddress' | 'hasMac'>>;

export class LinkTable {
  readonly #monitor: RouteMonitor;
  readonly #route: RouteSocket;
  readonly #links = new Map<number, LinkRecord>();
  readonly #byName = new Map<string, LinkRecord>();
  /** By interface index, in the kernel's order: the first is the primary one. */
  readonly #addresses = new Map<number, AddressRecord[]>();

  constructor(monitor: RouteMonitor, route: RouteSocket) {
    this.#monitor = monitor;
    this.#route = route;
    this.#readAll();
  }

  get(name: string): LinkRecord | undefined {
    return this.#byName.get(name);
  }

  /** The first address of an interface and family that `isVirtual` does not claim; of IPv6 only link-local or only other ones. */
  primaryAddress(
    name: string,
    family: Family,
    linkLocal: boolean,
    isVirtual: (address: IpAddress) => boolean,
  ): IpAddress | undefined {
    const link = this.#byName.get(name);
    const candidates = link === undefined ? undefined : this.#addresses.get(link.index);
    return candidates?.find(
      ({ address }) =>
        familyOf(address) === family &&
        !isVirtual(address) &&
        (family === 4 || address.startsWith('fe80:') === linkLocal),
    )?.address;
  }

  /** Whether an address is in a network of the interface: shares the prefix of one of its addresses. */
  isOnLink(name: string, address: IpAddress): boolean {
    const link = this.#byName.get(name);
    const own = link === undefined ? undefined : this.#addresses.get(link.index);
    return own?.some((one) => isInPrefix(address, one.address, one.prefix)) ?? false;
  }

  /** Whether some interface of this machine has the address. */
  hasAddress(wanted: IpAddress): boolean {
    for (const list of this.#addresses.values()) if (list.some(({ address }) => address === wanted)) return true;
    return false;
  }

  /** Whether some interface of this machine has the MAC address. */
  hasMac(wanted: MacAddress): boolean {
    for (const { mac } of this.#links.values()) if (mac === wanted) return true;
    return false;
  }

  /** Reads the kernel's notices; never throws for their content. */
  update(): LinkChanges {
    const interfaces = new Set<string>();
    const removed: AddressRecord[] = [];
    const outcome = this.#monitor.receive((message) => this.#apply(message, interfaces, removed));
    if (outcome === 'overrun') {
      for (const name of this.#byName.keys()) interfaces.add(name);
      this.#readAll();
      for (const name of this.#byName.keys()) interfaces.add(name);
    }
    return { interfaces, removed, overrun: outcome === 'overrun' };
  }

  #readAll(): void {
    this.#links.clear();
    this.#byName.clear();
    this.#addresses.clear();
    const ignore = new Set<string>();
    this.#route.dump(linkDumpRequest(), (message) => this.#apply(message, ignore, []));
    this.#route.dump(addressDumpRequest(), (message) => this.#apply(message, ignore, []));
  }

  #apply(message: Uint8Array, interfaces: Set<string>, removed: AddressRecord[]): void {
    const link = decodeLink(message);
    if (typeof link !== 'string') {
      if (link.type === 'link') this.#linkChanged(link.link, interfaces);
      else this.#linkGone(link.index, interfaces);
      return;
    }
    const address = decodeAddress(message);
    if (typeof address === 'string') return;
    if (address.type === 'address') this.#addressChanged(address.address, interfaces);
    else this.#addressGone(address.address, interfaces, removed);
  }

  #linkChanged(link: LinkRecord, interfaces: Set<string>): void {
    const before = this.#links.get(link.index);
    if (before !== undefined && before.name !== link.name) {
      this.#byName.delete(before.name);
      interfaces.add(before.name);
    }
    this.#links.set(link.index, link);
    this.#byName.set(link.name, link);
    interfaces.add(link.name);
  }

  #linkGone(index: number, interfaces: Set<string>): void {
    const gone = this.#links.get(index);
    if (gone === undefined) return;
    this.#links.delete(index);
    this.#addresses.delete(index);
    if (this.#byName.get(gone.name)?.index === index) this.#byName.delete(gone.name);
    interfaces.add(gone.name);
  }

  /** The kernel tells of each renewal of a lifetime, too: those change nothing here. */
  #addressChanged(record: AddressRecord, interfaces: Set<string>): void {
    const list = this.#addresses.get(record.index);
    if (list?.some(({ address }) => address === record.address)) return;
    if (list === undefined) this.#addresses.set(record.index, [record]);
    else list.push(record);
    this.#note(record, interfaces);
  }

  #addressGone(record: AddressRecord, interfaces: Set<string>, removed: AddressRecord[]): void {
    const list = this.#addresses.get(record.index) ?? [];
    const known = list.findIndex(({ address }) => address === record.address);
    if (known >= 0) list.splice(known, 1);
    removed.push(record);
    this.#note(record, interfaces);
  }

  #note({ index }: AddressRecord, interfaces: Set<string>): void {
    const link = this.#links.get(index);
    if (link !== undefined) interfaces.add(link.name);
  }
}
