// The route socket port over the `ip` program: adds, renews and removes addresses in one batch, and lists what there is.
// Every other request of rtnetlink is refused as not supported. Knows no VRRP.
import { constants } from 'node:os';
import type { IpAddress } from '../../net/address.ts';
import { readNetlinkHeader } from '../../net/netlink.ts';
import { RTM_GETADDR, RTM_GETLINK } from '../../net/rtnetlink.ts';
import type { NetlinkAck, RouteSocket } from '../../ports/engine-io.ts';
import { addressLine, addressMessages, type IpInterface, linkMessage } from './ip-messages.ts';
import { ipBatch, ipJson } from './ip-program.ts';

/** The words of iproute2 and the kernel for errors that have a meaning to whoever asked. */
const COMPLAINTS: readonly (readonly [RegExp, keyof typeof constants.errno])[] = [
  [/File exists|already assigned/, 'EEXIST'],
  [/Cannot assign requested address|Address not found/, 'EADDRNOTAVAIL'],
  [/Cannot find device|No such device/, 'ENODEV'],
  [/not permitted/, 'EPERM'],
  [/Permission denied/, 'EACCES'],
  [/No buffer space/, 'ENOBUFS'],
  [/Operation not supported/, 'EOPNOTSUPP'],
];

/** Every interface with its addresses, as it is now. @throws Error when ip cannot be run */
export const readInterfaces = (): readonly IpInterface[] => ipJson('address', 'show') as readonly IpInterface[];

export class PortableRouteSocket implements RouteSocket {
  readonly #names = new Map<number, string>();
  readonly #onRemove: (address: IpAddress) => void;

  /** @param onRemove told of each address before it is removed */
  constructor(onRemove: (address: IpAddress) => void) {
    this.#onRemove = onRemove;
  }

  request(messages: readonly Uint8Array[]): readonly NetlinkAck[] {
    const name = (index: number) => this.nameOf(index);
    const wishes = messages.map((message) => addressLine(message, name));
    const lines = wishes.filter((wish) => typeof wish === 'object');
    for (const { type, address } of lines) if (type === 'remove') this.#onRemove(address.address);
    const complaints = lines.length === 0 ? [] : ipBatch(lines.map(({ line }) => line));
    let next = 0;
    return wishes.map((wish) => {
      if (wish === undefined) return failed('EOPNOTSUPP');
      if (wish === 'no-device') return failed('ENODEV');
      const complaint = complaints[next++];
      if (complaint === undefined) return { error: 0, name: 'OK' };
      return failed(COMPLAINTS.find(([words]) => words.test(complaint))?.[1] ?? 'EINVAL');
    });
  }

  /** Links or addresses. @throws Error when ip cannot be run */
  dump(request: Uint8Array, sink: (message: Uint8Array) => void): void {
    const header = readNetlinkHeader(request);
    const type = typeof header === 'string' ? undefined : header.type;
    if (type !== RTM_GETLINK && type !== RTM_GETADDR) return;
    for (const link of this.#read())
      if (type === RTM_GETLINK) sink(linkMessage(link));
      else for (const message of addressMessages(link).values()) sink(message);
  }

  close(): void {}

  #read(): readonly IpInterface[] {
    const interfaces = readInterfaces();
    this.#names.clear();
    for (const { ifindex, ifname } of interfaces) this.#names.set(ifindex, ifname);
    return interfaces;
  }

  /** An interface that is not known may have come since; one that was renamed is found out by ip itself. */
  nameOf(index: number): string | undefined {
    if (!this.#names.has(index))
      try {
        this.#read();
      } catch {
        return undefined;
      }
    return this.#names.get(index);
  }
}

const failed = (name: keyof typeof constants.errno): NetlinkAck => ({ error: -constants.errno[name], name });
