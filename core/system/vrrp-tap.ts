// The VRRP socket port where there are macvlans above the interface: received below them by a packet tap, since a macvlan
// swallows frames that come from its own MAC address, which is what the master sends from; sent as IP packets by the
// interface itself, or as frames by a macvlan.
import { familyOf, type IpAddress, type MacAddress, macBytes } from '../net/address.ts';
import { ETHERNET_HEADER_LENGTH, EtherType, multicastMac, newEthernetFrame } from '../net/ethernet.ts';
import type { Datagram, LinkInfo, VrrpSocket, VrrpSocketSpec } from '../ports/engine-io.ts';
import { LinuxFrameSocket } from './frame-socket.ts';
import type { Handle, Native } from './native/index.ts';
import { HEAR_NOTHING, PacketTap } from './packet-tap.ts';
import { LinuxVrrpSocket } from './vrrp-socket.ts';

/** The longest packet that Ethernet carries without jumbo frames would do; an advert is never longer than this. */
const FRAME_MAX = ETHERNET_HEADER_LENGTH + 4608;
const KNOWN_HEADERS = 1024;

export class LinuxVrrpTap implements VrrpSocket {
  readonly #ifindex: number;
  readonly #silent: boolean;
  readonly #tap: PacketTap;
  /** Sends from the interface itself, and is the member of the groups that switches hear of. */
  readonly #below: LinuxVrrpSocket;
  readonly #above: LinuxFrameSocket;
  readonly #frame = new Uint8Array(FRAME_MAX);
  /** Ethernet headers by source and destination. */
  readonly #headers = new Map<string, Uint8Array>();

  /** @throws Error as LinuxVrrpSocket and PacketTap */
  constructor(native: Native, spec: VrrpSocketSpec) {
    this.#ifindex = spec.ifindex;
    this.#silent = spec.reportsGroups === false;
    this.#below = new LinuxVrrpSocket(native, spec);
    try {
      native.attachFilter(this.#below.handle, HEAR_NOTHING);
      this.#above = new LinuxFrameSocket(native);
    } catch (error) {
      this.#below.close();
      throw error;
    }
    try {
      this.#tap = new PacketTap(native, spec.ifindex, spec.family, spec.protocol);
    } catch (error) {
      this.#below.close();
      this.#above.close();
      throw error;
    }
  }

  get handle(): Handle {
    return this.#tap.handle;
  }

  get ready(): boolean {
    return this.#tap.ready;
  }

  set ready(ready: boolean) {
    this.#tap.ready = ready;
  }

  join(group: IpAddress): void {
    if (this.#silent) this.#tap.hear(macBytes(multicastMac(group)), this.#ifindex);
    else this.#below.join(group);
  }

  /** A group heard silently stays open in the hardware until the end; its packets are not for anybody then. */
  leave(group: IpAddress): void {
    if (!this.#silent) this.#below.leave(group);
  }

  receive(sink: (datagram: Datagram) => void, limit: number): number {
    return this.#tap.receive(sink, limit);
  }

  queue(packet: Uint8Array, destination: IpAddress, through?: LinkInfo): void {
    if (through?.mac === undefined) this.#below.queue(packet, destination);
    else {
      const length = ETHERNET_HEADER_LENGTH + packet.length;
      this.#frame.set(this.#header(through.mac, destination));
      this.#frame.set(packet, ETHERNET_HEADER_LENGTH);
      this.#above.queue(this.#frame.subarray(0, length), through.index);
    }
  }

  #header(source: MacAddress, group: IpAddress): Uint8Array {
    const key = `${source} ${group}`;
    let header = this.#headers.get(key);
    if (header === undefined) {
      if (this.#headers.size >= KNOWN_HEADERS) this.#headers.clear();
      const type = familyOf(group) === 4 ? EtherType.IPV4 : EtherType.IPV6;
      header = newEthernetFrame({ destination: multicastMac(group), source, type }, 0);
      this.#headers.set(key, header);
    }
    return header;
  }

  flush(): readonly string[] {
    const below = this.#below.flush();
    const above = this.#above.flush();
    return above.length === 0 ? below : [...below, ...above];
  }

  close(): void {
    this.#tap.close();
    this.#below.close();
    this.#above.close();
  }
}
