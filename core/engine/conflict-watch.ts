// Listens for others who claim addresses that a router here holds: ARP and neighbour advertisements from a foreign MAC.
// It counts, tells and announces again at a bounded rate; it never takes mastership away, since anybody can forge a frame:
// who is master is decided by adverts alone. A filter in the kernel lets only claims of our addresses through.
import type { IpAddress, MacAddress } from '../net/address.ts';
import { decodeArp } from '../net/arp.ts';
import { arpClaims, neighbourClaims } from '../net/bpf.ts';
import { EtherType } from '../net/ethernet.ts';
import { decodeNeighbourAdvertisement } from '../net/ndisc.ts';
import type { EngineNetwork, FrameTap, Poller } from '../ports/engine-io.ts';
import { after, type Instant, millis, seconds } from '../units.ts';
import { ConflictDefence } from '../vip/conflict-defence.ts';
import { Rival } from '../vip/rival.ts';
import type { InstanceDriver } from './driver.ts';
import type { Links } from './links.ts';
import type { AddressConflict, EngineConfig } from './messages.ts';
import { basesOf } from './paced-frames.ts';
import { Ration } from './ration.ts';
import type { Resident } from './resident.ts';

export interface ConflictWatchHost {
  /** Announce its addresses once. */
  announce(driver: InstanceDriver, repeat: number): void;
  /** Ask the network who holds its address. */
  ask(driver: InstanceDriver): void;
  log(level: 'warning', text: string, conflict?: AddressConflict): void;
}

export interface ConflictWatchDependencies {
  readonly network: EngineNetwork;
  readonly poller: Poller;
  readonly links: Links;
}

/** Frames read in one go; then the tap rests, so that a flood of claims costs 100 wake-ups a second and no more. */
const BATCH = 64;
const REST = millis(10);
/** Announcements when a rival has gone: the first may meet its last frames. */
const FAREWELL = 2;
/** One line of the log for each router and this time. */
const QUIET = seconds(60);

interface Tap {
  readonly socket: FrameTap;
  readonly device: string;
  readonly key: string;
  /** Not waited for until then. */
  restsUntil: Instant | undefined;
}

interface Claimed {
  readonly driver: InstanceDriver;
  readonly defence: ConflictDefence;
  readonly rival: Rival;
}

export class ConflictWatch implements Resident {
  readonly #io: ConflictWatchDependencies;
  readonly #host: ConflictWatchHost;
  readonly #told = new Ration(QUIET);
  #enabled = true;
  #drivers: Iterable<InstanceDriver> = [];
  /** The interfaces that the addresses are on, or stand above, by name. */
  #devices: ReadonlyMap<string, number | undefined> = new Map();
  #taps: Tap[] = [];
  /** By device and address, who may hold it. */
  #holders = new Map<string, InstanceDriver>();
  readonly #byDevice = new Map<string, Set<InstanceDriver>>();
  readonly #claimed = new Map<InstanceDriver, Claimed>();

  constructor(dependencies: ConflictWatchDependencies, host: ConflictWatchHost) {
    this.#io = dependencies;
    this.#host = host;
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    const consider = (at: Instant | undefined) => {
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
    };
    for (const { restsUntil } of this.#taps) consider(restsUntil);
    for (const { defence, rival } of this.#claimed.values()) {
      consider(defence.deadline);
      consider(rival.deadline);
    }
    return earliest;
  }

  get ready(): boolean {
    return this.#taps.some(({ socket, restsUntil }) => socket.ready && restsUntil === undefined);
  }

  configure({ conflictWatch = true }: EngineConfig): void {
    this.#enabled = conflictWatch;
  }

  /** Watches the addresses of these routers from now on. */
  watch(drivers: Iterable<InstanceDriver>): void {
    this.#drivers = this.#enabled ? drivers : [];
    this.#rewatch();
  }

  /** Addresses come and go with every takeover; only another interface is of interest. */
  followLinks(): void {
    const { links } = this.#io;
    const known = [...this.#devices];
    if (known.some(([device, index]) => links.get(device)?.index !== index)) this.#rewatch();
  }

  listen(now: Instant): void {
    for (const tap of this.#taps) {
      if (!tap.socket.ready || tap.restsUntil !== undefined) continue;
      // A backup hears every announcement of its master: what nobody here holds is not worth decoding.
      const heeded = this.#isHeld(tap.device);
      const count = tap.socket.receive((frame) => {
        if (heeded) this.#hear(tap.device, frame, now);
      }, BATCH);
      if (count === 0) continue;
      tap.restsUntil = after(now, REST);
      tap.socket.ready = false;
      this.#io.poller.remove(tap.socket);
    }
  }

  expire(now: Instant): void {
    for (const tap of this.#taps) {
      if (tap.restsUntil === undefined || now < tap.restsUntil) continue;
      tap.restsUntil = undefined;
      try {
        this.#io.poller.add(tap.socket);
      } catch {
        tap.restsUntil = after(now, REST); // somebody took its place meanwhile
      }
    }
    for (const { driver, defence, rival } of this.#claimed.values()) {
      if (driver.router.state !== 'MASTER') {
        rival.forget();
        defence.forget();
      }
      if (defence.due(now)) this.#host.announce(driver, 1);
      const todo = rival.act(now);
      if (todo === 'ask') this.#host.ask(driver);
      else if (todo === 'gone') {
        defence.forget();
        this.#sayFarewell(driver);
      }
    }
  }

  /** The rival may have been master of more than it was asked for: all that we hold on that interface is announced. */
  #sayFarewell(driver: InstanceDriver): void {
    for (const { device } of driver.vips.slice(0, 1))
      for (const each of this.#byDevice.get(device) ?? [driver])
        if (each.router.state === 'MASTER') this.#host.announce(each, FAREWELL);
  }

  settle(): void {}

  close(): void {
    for (const tap of this.#taps) this.#drop(tap);
    this.#taps = [];
  }

  /** Makes the taps fit the addresses and the interfaces that are there now. */
  #rewatch(): void {
    const devices = new Map<string, IpAddress[]>();
    this.#holders = new Map();
    this.#byDevice.clear();
    const present = new Set<InstanceDriver>();
    for (const driver of this.#drivers) {
      present.add(driver);
      // Below macvlans: what is broadcast is heard there, too, and one ear for all is enough.
      const bases = basesOf(driver.config);
      for (const { address, device: above } of driver.vips) {
        const device = bases.get(above) ?? above;
        const addresses = devices.get(device);
        if (addresses === undefined) devices.set(device, [address]);
        else addresses.push(address);
        this.#holders.set(`${device} ${address}`, driver);
        const holders = this.#byDevice.get(device);
        if (holders === undefined) this.#byDevice.set(device, new Set([driver]));
        else holders.add(driver);
      }
    }
    for (const driver of this.#claimed.keys()) if (!present.has(driver)) this.#claimed.delete(driver);
    this.#devices = new Map([...devices.keys()].map((device) => [device, this.#io.links.get(device)?.index]));
    const before = new Map(this.#taps.map((tap) => [tap.key, tap]));
    this.#taps = [];
    for (const [device, addresses] of devices) {
      const v6 = (address: IpAddress) => address.includes(':');
      this.#follow(
        device,
        'arp',
        addresses.filter((address) => !v6(address)),
        before,
      );
      this.#follow(device, 'ndisc', addresses.filter(v6), before);
    }
    for (const tap of before.values()) this.#drop(tap);
  }

  #follow(device: string, kind: 'arp' | 'ndisc', addresses: readonly IpAddress[], before: Map<string, Tap>): void {
    const link = this.#io.links.get(device);
    const { network, poller } = this.#io;
    if (addresses.length === 0 || link?.mac === undefined || link.loopback || network.frameTap === undefined) return;
    const key = `${link.index} ${device} ${kind} ${addresses.join(' ')}`;
    const known = before.get(key);
    if (known !== undefined) {
      before.delete(key);
      this.#taps.push(known);
      return;
    }
    let socket: FrameTap | undefined;
    try {
      socket = network.frameTap({
        interface: device,
        ifindex: link.index,
        etherType: kind === 'arp' ? EtherType.ARP : EtherType.IPV6,
        filter: kind === 'arp' ? arpClaims(addresses) : neighbourClaims(addresses),
      });
      poller.add(socket);
      this.#taps.push({ socket, device, key, restsUntil: undefined });
    } catch (error) {
      socket?.close();
      this.#host.log('warning', `cannot watch ${device} for rivals: ${(error as Error).message}`);
    }
  }

  #drop({ socket }: Tap): void {
    this.#io.poller.remove(socket);
    socket.close();
  }

  #hear(device: string, frame: Uint8Array, now: Instant): void {
    const claim = claimOf(frame);
    if (claim === undefined) return;
    const driver = this.#holders.get(`${device} ${claim.address}`);
    if (driver === undefined || driver.router.state !== 'MASTER' || this.#isOwn(device, claim.mac)) return;
    const known = this.#claimed.get(driver);
    // An answer to our question is the same claim once more.
    if (claim.isAnswer && known?.rival.heard(now) === false) return;
    driver.tally.conflict(claim.address, claim.mac, now);
    const count = this.#told.note(driver.name, now);
    if (count > 0)
      this.#host.log(
        'warning',
        `(${driver.name}) ${claim.mac} claims ${claim.address} on ${device}, too, while we are master; heard ${count} times since last told`,
        { instance: driver.name, address: claim.address, interface: device },
      );
    // strict mode and lower_prio_repeat 0: no announcements out of turn
    if (driver.config.announce.lowerPrioRepeat <= 0) return;
    const claimed = known ?? { driver, defence: new ConflictDefence(), rival: new Rival() };
    this.#claimed.set(driver, claimed);
    // Nobody can be asked over IPv6 without turning the clients' caches.
    if (!claim.address.includes(':')) claimed.rival.heard(now);
    claimed.defence.claimed(now);
  }

  /** Whether some router here is master of an address on this interface. */
  #isHeld(device: string): boolean {
    for (const driver of this.#byDevice.get(device) ?? []) if (driver.router.state === 'MASTER') return true;
    return false;
  }

  /** Whether a MAC is this machine's: another of its interfaces may answer for the address (arp_ignore 0). */
  #isOwn(device: string, mac: MacAddress): boolean {
    const { links } = this.#io;
    return links.hasMac?.(mac) ?? links.get(device)?.mac === mac;
  }
}

/** Who says that it has which address; undefined: the frame says nothing of the kind. */
function claimOf(frame: Uint8Array): { address: IpAddress; mac: MacAddress; isAnswer: boolean } | undefined {
  const arp = decodeArp(frame);
  if (typeof arp !== 'string')
    return { address: arp.arp.senderIp, mac: arp.arp.senderMac, isAnswer: arp.arp.operation === 'reply' };
  const advertisement = decodeNeighbourAdvertisement(frame);
  if (typeof advertisement === 'string') return undefined;
  return {
    address: advertisement.target,
    mac: advertisement.linkAddress ?? advertisement.ethernetSource,
    isAnswer: false,
  };
}
