// One interface and family as the virtual routers on it see it: the shared socket, opened while the interface exists,
// and who among them a received packet is for.
import type { Family, IpAddress } from '../net/address.ts';
import type { Datagram, EngineNetwork, LinkInfo, Poller, VrrpSocket } from '../ports/engine-io.ts';
import type { Instant } from '../units.ts';
import { AH_LENGTH, PROTOCOL_AH } from '../vrrp/authentication-header.ts';
import { PROTOCOL_VRRP } from '../vrrp/packet.ts';
import type { InstanceDriver } from './driver.ts';

/** Whom a segment tells of what it hears. */
export interface SegmentListener {
  heard(driver: InstanceDriver, datagram: Datagram, now: Instant): void;
  /** Nobody here has that VRID. */
  unknownVrid(datagram: Datagram, now: Instant): void;
}

/** Datagrams taken in one go, so that a flood cannot keep the engine from its deadlines. */
const BATCH = 256;
/** Offset of the VRID in every version of the packet (RFC 9568 §5.1). */
const VRID_OFFSET = 1;
/** Offset of the protocol in an IPv4 header. */
const IP_PROTOCOL = 9;

export class Segment {
  readonly interface: string;
  readonly family: Family;
  readonly #network: EngineNetwork;
  readonly #poller: Poller;
  readonly #drivers = new Map<number, InstanceDriver[]>();
  readonly #listener: SegmentListener;
  #socket: VrrpSocket | undefined;
  /** Hears adverts behind authentication headers (they leave by the other one); open while a router here uses them. */
  #wrapped: VrrpSocket | undefined;
  #ifindex = 0;
  /** How the socket was opened: below macvlans, and saying which groups it hears. */
  #below = false;
  #reports = true;
  /** Those that every socket has joined. */
  #groups = new Set<IpAddress>();
  /** Why the sockets could not be opened, and groups not joined. */
  #trouble: string | undefined;
  #wrappedTrouble: string | undefined;
  readonly #refused = new Map<IpAddress, string>();
  #dirty = false;
  #now = 0 as Instant;
  readonly #sink = (datagram: Datagram): void => this.#deliver(datagram, this.#now);

  constructor(name: string, family: Family, network: EngineNetwork, poller: Poller, listener: SegmentListener) {
    this.interface = name;
    this.family = family;
    this.#network = network;
    this.#poller = poller;
    this.#listener = listener;
  }

  get empty(): boolean {
    return this.#drivers.size === 0;
  }

  get ready(): boolean {
    return this.#socket?.ready === true || this.#wrapped?.ready === true;
  }

  add(driver: InstanceDriver): void {
    const { vrid } = driver.config;
    const others = this.#drivers.get(vrid);
    if (others === undefined) this.#drivers.set(vrid, [driver]);
    else others.push(driver);
    this.#joinGroups();
  }

  remove(driver: InstanceDriver): void {
    for (const [vrid, drivers] of this.#drivers) {
      const rest = drivers.filter((other) => other !== driver);
      if (rest.length === 0) this.#drivers.delete(vrid);
      else this.#drivers.set(vrid, rest);
    }
    this.#joinGroups();
  }

  /**
   * Opens, reopens or closes the socket as the interface came, changed its identity or went, or as its routers got or lost
   * interfaces above it, and sees to the groups. Tries again what failed before. @param reports tell switches of the groups (IGMP)
   */
  follow(link: LinkInfo | undefined, reports: boolean): void {
    const below = !reports || this.#hasVirtualInterfaces();
    const sameKind = this.#below === below && this.#reports === reports;
    if (this.#socket === undefined || this.#ifindex !== link?.index || !sameKind) {
      if (this.#ifindex === link?.index) this.flush(); // what a reload has just queued is not lost with the socket
      this.close();
      if (link === undefined) return;
      this.#below = below;
      this.#reports = reports;
      this.#ifindex = link.index;
      this.#trouble = attempt(() => {
        this.#socket = this.#open(link, PROTOCOL_VRRP);
      });
      if (this.#socket === undefined) return;
    }
    this.#joinGroups();
    this.#followWrapped(link);
  }

  /** Why a router here cannot hear others, so that it must not be master; undefined: it can, or its interface is gone. */
  troubleOf({ transport, authentication }: InstanceDriver['config']): string | undefined {
    const wrapped = authentication.type === 'AH' ? this.#wrappedTrouble : undefined;
    const group = transport.mode === 'multicast' ? this.#refused.get(transport.group) : undefined;
    return this.#trouble ?? wrapped ?? group;
  }

  /** All that could not be opened or joined; empty: nothing. */
  get trouble(): string {
    const groups = [...this.#refused].map(([group, why]) => `${group}: ${why}`);
    return [this.#trouble, this.#wrappedTrouble, ...groups].filter((why) => why !== undefined).join('; ');
  }

  /** @throws Error from the network, or because there is no room to poll it */
  #open(link: LinkInfo, protocol: typeof PROTOCOL_VRRP | typeof PROTOCOL_AH): VrrpSocket {
    const socket = this.#network.vrrpSocket({
      interface: link.name,
      ifindex: link.index,
      family: this.family,
      protocol,
      below: this.#below,
      reportsGroups: this.#reports,
    });
    try {
      this.#poller.add(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  /** Opens or closes what hears authentication headers, as routers here use them or not. */
  #followWrapped(link: LinkInfo): void {
    const wanted = this.#uses((config) => config.authentication.type === 'AH');
    if (wanted === (this.#wrapped !== undefined)) return;
    if (!wanted) {
      this.#closeWrapped();
      return;
    }
    this.#wrappedTrouble = attempt(() => {
      this.#wrapped = this.#open(link, PROTOCOL_AH);
    });
    this.#groups.clear(); // it has to join them, too
    this.#joinGroups();
  }

  #closeWrapped(): void {
    this.#wrappedTrouble = undefined;
    if (this.#wrapped === undefined) return;
    this.#poller.remove(this.#wrapped);
    this.#wrapped.close();
    this.#wrapped = undefined;
  }

  /** Delivers waiting datagrams, a bounded number of them; returns whether there may be more. */
  receive(now: Instant): boolean {
    const socket = this.#socket;
    if (socket === undefined) return false;
    this.#now = now;
    const full = socket.receive(this.#sink, BATCH) === BATCH;
    return this.#wrapped?.receive(this.#sink, BATCH) === BATCH || full;
  }

  /** @param through leave by this interface above ours */
  queue(packet: Uint8Array, destination: IpAddress, through?: LinkInfo): void {
    this.#socket?.queue(packet, destination, through);
    this.#dirty = true;
  }

  /** Sends what is queued; returns the names of the errors met. */
  flush(): readonly string[] {
    if (!this.#dirty) return [];
    this.#dirty = false;
    return this.#socket?.flush() ?? [];
  }

  close(): void {
    this.#closeWrapped();
    this.#trouble = undefined;
    this.#refused.clear();
    if (this.#socket === undefined) return;
    this.#poller.remove(this.#socket);
    this.#socket.close();
    this.#socket = undefined;
    this.#groups = new Set();
  }

  #deliver(datagram: Datagram, now: Instant): void {
    const behind = datagram.header[IP_PROTOCOL] === PROTOCOL_AH ? AH_LENGTH : 0;
    const vrid = datagram.payload[behind + VRID_OFFSET];
    const drivers = vrid === undefined ? undefined : this.#drivers.get(vrid);
    if (drivers === undefined) this.#listener.unknownVrid(datagram, now);
    else if (drivers.length === 1) this.#listener.heard(drivers[0]!, datagram, now);
    else for (const driver of drivers) if (speaksTo(driver, datagram)) this.#listener.heard(driver, datagram, now);
  }

  /** Any of them swallows what a peer sends from its MAC address. */
  #hasVirtualInterfaces(): boolean {
    return this.#uses((config) => Boolean(config.virtualInterface ?? config.addressInterfaces?.length));
  }

  #uses(what: (config: InstanceDriver['config']) => boolean): boolean {
    for (const drivers of this.#drivers.values()) if (drivers.some(({ config }) => what(config))) return true;
    return false;
  }

  #joinGroups(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const sockets = this.#wrapped === undefined ? [socket] : [socket, this.#wrapped];
    const wanted = new Set<IpAddress>();
    for (const drivers of this.#drivers.values())
      for (const { config } of drivers) if (config.transport.mode === 'multicast') wanted.add(config.transport.group);
    this.#refused.clear();
    for (const group of this.#groups) {
      if (wanted.has(group)) continue;
      this.#groups.delete(group);
      for (const each of sockets) attempt(() => each.leave(group));
    }
    for (const group of wanted) {
      if (this.#groups.has(group)) continue;
      const why = attempt(() => {
        for (const each of sockets) each.join(group);
      });
      if (why === undefined) this.#groups.add(group);
      else this.#refused.set(group, why);
    }
  }
}

/** Why something failed; undefined: it did not. */
function attempt(what: () => void): string | undefined {
  try {
    what();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Of several routers with one VRID on one interface: whether this one's transport fits the packet. */
function speaksTo(driver: InstanceDriver, { source, destination }: Datagram): boolean {
  const { transport } = driver.config;
  if (transport.mode === 'multicast') return destination === transport.group;
  return transport.peers.some(({ address }) => address === source);
}
