// What the engine knows of this machine's interfaces and addresses: read once, then kept by the kernel's notices.
// Decides nothing; tells the engine which interfaces changed and which addresses vanished.
import { familyOf, type IpAddress } from '../net/address.ts';
import { type AddressInfo, addressDump, decodeRouteMessage, linkDump } from '../net/rtnetlink.ts';
import type { LinkInfo, RouteMonitor, RouteSocket } from '../ports/engine-io.ts';

/** What one reading of the kernel's notices brought. */
export interface LinkChanges {
  /** Names of interfaces whose link or addresses changed, appeared or vanished. */
  readonly interfaces: ReadonlySet<string>;
  /** Addresses that were removed, with the interface they were on. */
  readonly removed: readonly AddressInfo[];
  /** Notices were lost: everything was read anew, and removals may have gone unseen. */
  readonly overrun: boolean;
}

export class LinkTable {
  readonly #monitor: RouteMonitor;
  readonly #route: RouteSocket;
  readonly #links = new Map<number, LinkInfo>();
  readonly #byName = new Map<string, LinkInfo>();
  /** By interface index, in the kernel's order: the first is the primary one. */
  readonly #addresses = new Map<number, AddressInfo[]>();

  constructor(monitor: RouteMonitor, route: RouteSocket) {
    this.#monitor = monitor;
    this.#route = route;
    this.#readAll();
  }

  get(name: string): LinkInfo | undefined {
    return this.#byName.get(name);
  }

  /** The first address of an interface and family that `isVirtual` does not claim; link-local ones for IPv6. */
  primaryAddress(name: string, family: 4 | 6, isVirtual: (address: IpAddress) => boolean): IpAddress | undefined {
    const link = this.#byName.get(name);
    const candidates = link === undefined ? undefined : this.#addresses.get(link.index);
    return candidates?.find(
      ({ address }) =>
        familyOf(address) === family && !isVirtual(address) && (family === 4 || address.startsWith('fe80:')),
    )?.address;
  }

  /** Reads the kernel's notices; never throws for their content. */
  update(): LinkChanges {
    const interfaces = new Set<string>();
    const removed: AddressInfo[] = [];
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
    this.#route.dump(linkDump(), (message) => this.#apply(message, ignore, []));
    this.#route.dump(addressDump(), (message) => this.#apply(message, ignore, []));
  }

  #apply(message: Uint8Array, interfaces: Set<string>, removed: AddressInfo[]): void {
    const notice = decodeRouteMessage(message);
    switch (notice.type) {
      case 'link': {
        const before = this.#links.get(notice.link.index);
        if (before !== undefined && before.name !== notice.link.name) {
          this.#byName.delete(before.name);
          interfaces.add(before.name);
        }
        this.#links.set(notice.link.index, notice.link);
        this.#byName.set(notice.link.name, notice.link);
        interfaces.add(notice.link.name);
        break;
      }
      case 'link-removed': {
        const gone = this.#links.get(notice.index);
        if (gone === undefined) break;
        this.#links.delete(gone.index);
        this.#addresses.delete(gone.index);
        if (this.#byName.get(gone.name)?.index === gone.index) this.#byName.delete(gone.name);
        interfaces.add(gone.name);
        break;
      }
      case 'address': {
        const list = this.#addresses.get(notice.address.ifindex) ?? [];
        const known = list.findIndex(({ address }) => address === notice.address.address);
        if (known >= 0) {
          list[known] = notice.address;
          break;
        }
        list.push(notice.address);
        this.#addresses.set(notice.address.ifindex, list);
        this.#note(notice.address, interfaces);
        break;
      }
      case 'address-removed': {
        const list = this.#addresses.get(notice.address.ifindex) ?? [];
        const known = list.findIndex(({ address }) => address === notice.address.address);
        if (known >= 0) list.splice(known, 1);
        removed.push(notice.address);
        this.#note(notice.address, interfaces);
        break;
      }
      case 'other':
      case 'malformed':
        break;
    }
  }

  #note(address: AddressInfo, interfaces: Set<string>): void {
    const link = this.#links.get(address.ifindex);
    if (link !== undefined) interfaces.add(link.name);
  }
}
