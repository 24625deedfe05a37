// The LAN provider: addresses on this machine's own interfaces by rtnetlink, announced by gratuitous ARP and neighbour
// advertisements. Synchronous, on two sockets it is given; knows no VRRP, reads no clock. See README.md beside it.

import { familyOf, ipBytes } from '../../core/net/address.ts';
import { arpProbe } from '../../core/net/arp.ts';
import {
  ADDRESS_PROTOCOL_VRRP,
  type AddressRecord,
  addressDumpRequest,
  decodeAddress,
  IFA_F_PERMANENT,
  type Lifetime,
} from '../../core/net/rtnetlink.ts';
import type { FrameSocket, LinkInfo, NetlinkAck, RouteSocket } from '../../core/ports/engine-io.ts';
import type { BindOutcome, LocalProvider } from '../../core/vip/local-provider.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';
import { explain } from './explain.ts';
import { PreparedAddress } from './prepared.ts';
import { sharedSubnet } from './subnet.ts';

export interface NetlinkProviderOptions {
  readonly route: RouteSocket;
  readonly frames: FrameSocket;
  /** The interface of a name as it is now; undefined: there is none. */
  readonly links: (name: string) => LinkInfo | undefined;
  /** Told which addresses are let go, for announcements that wait somewhere. Default: none do. */
  readonly letGo?: (address: Uint8Array) => void;
  /** Whether neighbour advertisements say that this machine is a router. Default true (RFC 9568 §6.4.2). */
  readonly routerFlag?: boolean;
}

/** An address that this provider has bound, or has found bound when it was asked to. */
interface Held {
  readonly vip: VirtualIp;
  readonly lifetime: Lifetime;
  /** It was there before and is not ours (a machine's own address): it gets no lifetime. */
  readonly foreign: boolean;
  /** Where the kernel has it with another prefix length (IPv6 only): as what it must be removed. */
  readonly found?: VirtualIp;
}

/** What became of one message: `refused` when there was nothing to send, or nowhere to send it. */
interface Answer {
  readonly vip: VirtualIp;
  ack: NetlinkAck | undefined;
  refused: string | undefined;
}

export class NetlinkProvider implements LocalProvider {
  readonly #route: RouteSocket;
  readonly #frames: FrameSocket;
  readonly #links: (name: string) => LinkInfo | undefined;
  readonly #letGo: ((address: Uint8Array) => void) | undefined;
  readonly #routerFlag: boolean;
  readonly #prepared = new WeakMap<VirtualIp, PreparedAddress>();
  readonly #held = new Map<string, Held>();

  constructor(options: NetlinkProviderOptions) {
    this.#route = options.route;
    this.#frames = options.frames;
    this.#links = options.links;
    this.#letGo = options.letGo;
    this.#routerFlag = options.routerFlag ?? true;
  }

  /** Builds the messages and frames of these addresses ahead, so that the first bind and announce need not. Optional. */
  prepare(vips: readonly VirtualIp[]): void {
    for (const vip of vips) {
      this.#prepare(vip);
      this.#announcement(vip);
    }
  }

  bind(vips: readonly VirtualIp[], lifetime: number | 'forever'): readonly BindOutcome[] {
    const present: VirtualIp[] = [];
    const outcomes = this.#send(vips, (address, index) => address.add(index, lifetime)).map((answer): BindOutcome => {
      const { vip, ack } = answer;
      if (ack?.error === 0) {
        this.#held.set(keyOf(vip), { vip, lifetime, foreign: false });
        return { vip, outcome: 'bound' };
      }
      if (ack?.name !== 'EEXIST') return failure('bind', answer);
      present.push(vip);
      return { vip, outcome: 'present' };
    });
    if (present.length === 0) return outcomes;
    this.#adopt(present, lifetime);
    return outcomes.map((one) => {
      const held = one.outcome === 'present' ? this.#held.get(keyOf(one.vip)) : undefined;
      return held === undefined ? one : { ...one, foreign: held.foreign };
    });
  }

  renew(vips: readonly VirtualIp[], lifetime: number | 'forever'): readonly BindOutcome[] {
    const answers = this.#send(vips, (address, index, vip) => {
      // A foreign address goes on without a lifetime; should it be gone, it comes back as ours.
      const foreign = this.#held.get(keyOf(vip))?.foreign === true;
      return foreign ? address.add(index, lifetime) : address.renew(index, lifetime);
    });
    const failed: BindOutcome[] = [];
    for (const answer of answers) {
      const { vip, ack } = answer;
      if (ack?.error === 0) this.#hold(vip, lifetime);
      else if (ack?.name !== 'EEXIST') failed.push(failure('renew', answer));
    }
    return failed;
  }

  unbind(vips: readonly VirtualIp[]): readonly BindOutcome[] {
    const targets = vips.map((vip) => this.#held.get(keyOf(vip))?.found ?? vip);
    for (const vip of vips) {
      this.#held.delete(keyOf(vip));
      this.#letGo?.(ipBytes(vip.address));
    }
    const answers = this.#send(targets, (address, index) => address.remove(index));
    this.#restoreSecondaries(vips);
    return answers.map((answer, i): BindOutcome => {
      const vip = vips[i]!;
      const { ack } = answer;
      if (ack?.error === 0) return { vip, outcome: 'removed' };
      if (ack?.name === 'EADDRNOTAVAIL' || ack?.name === 'ENODEV') return { vip, outcome: 'absent' };
      // Where there is no interface, there is no address.
      if (ack === undefined && this.#links(vip.device) === undefined) return { vip, outcome: 'absent' };
      return failure('remove', answer);
    });
  }

  announce(vips: readonly VirtualIp[], repeat: number): number {
    const frames = vips.map((vip) => this.#announcement(vip)).filter((frame) => frame !== undefined);
    let sent = 0;
    for (let round = 0; round < repeat && frames.length > 0; round++) {
      for (const { bytes, ifindex } of frames) this.#frames.queue(bytes, ifindex);
      sent += frames.length - this.#frames.flush().length;
    }
    return sent;
  }

  ask({ address, device }: VirtualIp): void {
    const link = this.#links(device);
    if (link?.mac === undefined || link.loopback || address.includes(':')) return;
    this.#frames.queue(arpProbe(link.mac, address), link.index);
    this.#frames.flush();
  }

  /**
   * An address counts as held whatever its prefix length: it answers. When the kernel does not tell, none is.
   * Prepares the addresses too, since whoever will bind them looks first, and has time then.
   */
  observe(vips: readonly VirtualIp[]): readonly VirtualIp[] {
    this.prepare(vips);
    const table = this.#table();
    return table ? vips.filter((vip) => this.#find(table, vip).length > 0) : [];
  }

  /**
   * What an earlier life left behind: those of these addresses that are bound on their devices now, ready for `unbind`. One with
   * another prefix length than asked for is among them, with the length it has, unless it is the machine's own. When the kernel
   * does not tell, all of them, since removing what is absent is harmless. Prepares the addresses too, as `observe`.
   * @param markedOnly what bears VRRP's mark; a finite lifetime alone may be DHCP's. When the kernel does not tell, nothing.
   */
  leftovers(vips: readonly VirtualIp[], markedOnly = false): readonly VirtualIp[] {
    this.prepare(vips);
    const table = this.#table();
    if (!table) return markedOnly ? [] : vips;
    return vips.flatMap((vip) =>
      this.#find(table, vip)
        .filter((record) => (markedOnly ? isMarked(record) : record.prefix === vip.prefix || isOurs(record)))
        .map(({ prefix }) => (prefix === vip.prefix ? vip : { ...vip, prefix })),
    );
  }

  /** One message for each address whose interface is there, in one batch. The answers are in the order of the addresses. */
  #send(
    vips: readonly VirtualIp[],
    build: (address: PreparedAddress, ifindex: number, vip: VirtualIp) => Uint8Array,
  ): readonly Answer[] {
    const sent: Answer[] = [];
    const messages: Uint8Array[] = [];
    const answers = vips.map((vip): Answer => {
      const prepared = this.#prepare(vip);
      if (typeof prepared === 'string') return { vip, ack: undefined, refused: prepared };
      const link = this.#links(vip.device);
      if (!link) return { vip, ack: undefined, refused: `there is no interface ${vip.device} for ${vip.address}` };
      messages.push(build(prepared, link.index, vip));
      const answer: Answer = { vip, ack: undefined, refused: undefined };
      sent.push(answer);
      return answer;
    });
    if (messages.length === 0) return answers;
    const acks = this.#route.request(messages);
    for (const [i, answer] of sent.entries()) answer.ack = acks[i];
    return answers;
  }

  /** Remembers an address that was bound or renewed; with what prefix length it was found stays true while it is there. */
  #hold(vip: VirtualIp, lifetime: Lifetime): void {
    const before = this.#held.get(keyOf(vip));
    const found = before?.found !== undefined && { found: before.found };
    this.#held.set(keyOf(vip), { vip, lifetime, foreign: false, ...found });
  }

  /** Takes over what was there already: addresses of an earlier life get the lifetime, a machine's own are left as they are. */
  #adopt(present: readonly VirtualIp[], lifetime: Lifetime): void {
    const table = this.#table();
    const ours: VirtualIp[] = [];
    for (const vip of present) {
      const records = table ? this.#find(table, vip) : [];
      const mine = this.#held.get(keyOf(vip))?.foreign === false || records.some(isOurs);
      const other =
        familyOf(vip.address) === 6 ? records.find(({ prefix }) => prefix !== vip.prefix)?.prefix : undefined;
      const found = other !== undefined && { found: { ...vip, prefix: other } };
      this.#held.set(keyOf(vip), { vip, lifetime, foreign: !mine, ...found });
      if (mine) ours.push(vip);
    }
    this.#send(ours, (address, index) => address.renew(index, lifetime));
  }

  /**
   * Without promote_secondaries the kernel removes with a primary IPv4 address every other one of its subnet. Those of them that
   * we hold are put back at once; where they never went, the kernel answers EEXIST and nothing has happened.
   */
  #restoreSecondaries(removed: readonly VirtualIp[]): void {
    const subnets = new Set(removed.map(sharedSubnet).filter((subnet) => subnet !== undefined));
    if (subnets.size === 0) return;
    const lifetimes = new Map<VirtualIp, Lifetime>();
    for (const { vip, lifetime } of this.#held.values()) {
      const subnet = sharedSubnet(vip);
      if (subnet !== undefined && subnets.has(subnet)) lifetimes.set(vip, lifetime);
    }
    this.#send([...lifetimes.keys()], (address, index, vip) => address.add(index, lifetimes.get(vip) ?? 'forever'));
  }

  /** All addresses of the machine by interface index and address; undefined: the kernel did not tell. */
  #table(): ReadonlyMap<string, readonly AddressRecord[]> | undefined {
    const table = new Map<string, AddressRecord[]>();
    try {
      this.#route.dump(addressDumpRequest(), (message) => {
        const decoded = decodeAddress(message);
        if (typeof decoded === 'string' || decoded.type !== 'address') return;
        const key = `${decoded.address.index} ${decoded.address.address}`;
        const records = table.get(key);
        if (records) records.push(decoded.address);
        else table.set(key, [decoded.address]);
      });
    } catch {
      return undefined;
    }
    return table;
  }

  #find(table: ReadonlyMap<string, readonly AddressRecord[]>, vip: VirtualIp): readonly AddressRecord[] {
    const link = this.#links(vip.device);
    return (link && table.get(`${link.index} ${vip.address}`)) ?? [];
  }

  /** The messages of an address, or why there are none. */
  #prepare(vip: VirtualIp): PreparedAddress | string {
    let prepared = this.#prepared.get(vip);
    if (prepared) return prepared;
    try {
      prepared = new PreparedAddress(vip);
    } catch (error) {
      return `cannot use ${vip.address} on ${vip.device}: ${(error as Error).message}`;
    }
    this.#prepared.set(vip, prepared);
    return prepared;
  }

  /** The announcement of an address and where to send it; undefined where nobody could hear it. */
  #announcement(vip: VirtualIp): { readonly bytes: Uint8Array; readonly ifindex: number } | undefined {
    const link = this.#links(vip.device);
    if (link?.mac === undefined || link.loopback) return undefined;
    const prepared = this.#prepare(vip);
    if (typeof prepared === 'string') return undefined;
    return { bytes: prepared.announcement(link.mac, this.#routerFlag), ifindex: link.index };
  }
}

const failure = (verb: 'bind' | 'renew' | 'remove', { vip, ack, refused }: Answer): BindOutcome => ({
  vip,
  outcome: 'failed',
  why: refused ?? explain(verb, vip, ack),
});

/** Whether VRRP bound an address: by its mark or, before Linux 5.18, by its finite lifetime. */
const isOurs = (record: AddressRecord): boolean => isMarked(record) || (record.flags & IFA_F_PERMANENT) === 0;

const isMarked = ({ protocol }: AddressRecord): boolean => protocol === ADDRESS_PROTOCOL_VRRP;

/** The name under which an address is remembered, whichever object describes it. */
const keyOf = (vip: VirtualIp): string => `${vip.device} ${vip.address}/${vip.prefix}`;
