// The part of a kernel that the netlink provider talks to: interfaces, an address table with IPv4 secondaries, and a wire that
// keeps the frames. Answers as Linux 6 does; messages are decoded with the project's own codec, which has tests of its own.
import { type IpAddress, ipBytes, type MacAddress } from '../../../core/net/address.ts';
import { host16 } from '../../../core/net/netlink.ts';
import {
  type AddressRecord,
  addAddressRequest,
  decodeAddress,
  IFA_F_DEPRECATED,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
} from '../../../core/net/rtnetlink.ts';
import type { FrameSocket, LinkInfo, NetlinkAck, RouteSocket } from '../../../core/ports/engine-io.ts';

const ERRNO = { EPERM: 1, EEXIST: 17, ENODEV: 19, EINVAL: 22, EADDRNOTAVAIL: 99 } as const;
const NLM_F_REPLACE = 0x100;
const NLM_F_ACK = 0x4;

const ack = (name: keyof typeof ERRNO | 'OK'): NetlinkAck =>
  name === 'OK' ? { error: 0, name: 'OK' } : { error: -ERRNO[name], name };

export class FakeKernel {
  readonly links = new Map<string, LinkInfo>();
  addresses: AddressRecord[] = [];
  /** How many messages each request held. */
  readonly requests: number[] = [];
  /** What left: interface index and bytes. */
  readonly wire: { readonly ifindex: number; readonly frame: Uint8Array }[] = [];
  flushes = 0;
  /** Set: every request is answered so. */
  refuse: keyof typeof ERRNO | undefined;
  /** Set: dumps fail. */
  dumpFails = false;
  promoteSecondaries = false;

  addLink(name: string, index: number, mac: MacAddress | undefined): void {
    this.links.set(name, { index, name, mac, mtu: 1500, running: true, loopback: name === 'lo' });
  }

  readonly lookup = (name: string): LinkInfo | undefined => this.links.get(name);

  /** Adds an address as somebody else would. */
  put(record: Partial<AddressRecord> & Pick<AddressRecord, 'index' | 'address' | 'prefix'>): void {
    const forever = { validLifetime: 'forever', preferredLifetime: 'forever' } as const;
    const family = record.address.includes(':') ? 6 : 4;
    this.#insert({ family, scope: 0, flags: 0, protocol: 0, ...forever, ...record });
  }

  held(address: string): AddressRecord | undefined {
    return this.addresses.find((record) => record.address === address);
  }

  readonly route: RouteSocket = {
    request: (messages) => {
      this.requests.push(messages.length);
      return messages.map((message) => {
        if (!(host16(message, 6) & NLM_F_ACK)) throw new Error('a message without NLM_F_ACK would never be answered');
        return ack(this.refuse ?? this.#carryOut(message));
      });
    },
    dump: (_request, sink) => {
      if (this.dumpFails) throw new Error('the dump was interrupted again and again');
      for (const record of this.addresses) sink(addAddressRequest(record, 'replace'));
    },
    close: () => {},
  };

  readonly #queued: { ifindex: number; frame: Uint8Array }[] = [];

  readonly frames: FrameSocket = {
    queue: (frame, ifindex) => void this.#queued.push({ ifindex, frame }),
    flush: () => {
      this.flushes++;
      const indexes = new Set([...this.links.values()].map((link) => link.index));
      const errors: string[] = [];
      for (const one of this.#queued.splice(0)) {
        if (indexes.has(one.ifindex)) this.wire.push({ ...one, frame: one.frame.slice() });
        else errors.push('ENXIO');
      }
      return errors;
    },
    close: () => {},
  };

  #carryOut(message: Uint8Array): keyof typeof ERRNO | 'OK' {
    const decoded = decodeAddress(message);
    if (typeof decoded === 'string') return 'EINVAL';
    const wanted = decoded.address;
    if (![...this.links.values()].some((link) => link.index === wanted.index)) return 'ENODEV';
    const found = this.addresses.findIndex((record) => same(record, wanted));
    if (decoded.type === 'address-gone') {
      // inet6_addr_del and inet_rtm_deladdr both compare the prefix length.
      if (found === -1 || this.addresses[found]!.prefix !== wanted.prefix) return 'EADDRNOTAVAIL';
      this.#remove(this.addresses[found]!);
      return 'OK';
    }
    if (wanted.validLifetime === 0) return 'EINVAL';
    if (found === -1) this.#insert(wanted);
    else if (!(host16(message, 6) & NLM_F_REPLACE)) return 'EEXIST';
    else {
      const { validLifetime, preferredLifetime } = wanted;
      const old = this.addresses[found]!;
      this.addresses[found] = { ...old, validLifetime, preferredLifetime, flags: flagsFor(old, wanted) };
    }
    return 'OK';
  }

  #insert(record: AddressRecord): void {
    const secondary = record.family === 4 && this.addresses.some((other) => primaryOf(other, record));
    const flags = flagsFor(record, record) | (secondary ? IFA_F_SECONDARY : 0);
    this.addresses.push({ ...record, flags });
  }

  #remove(record: AddressRecord): void {
    const rest = this.addresses.filter((other) => other !== record);
    const orphaned = (other: AddressRecord) => primaryOf(record, other) && (other.flags & IFA_F_SECONDARY) !== 0;
    this.addresses = this.promoteSecondaries ? rest : rest.filter((other) => !orphaned(other));
  }
}

/** IPv4 tells addresses with different prefix lengths apart, IPv6 does not. */
const same = (a: AddressRecord, b: AddressRecord): boolean =>
  a.index === b.index && a.address === b.address && (a.family === 6 || a.prefix === b.prefix);

/** Whether `a` is a primary IPv4 address in whose subnet `b` lies. */
function primaryOf(a: AddressRecord, b: AddressRecord): boolean {
  if (a.family !== 4 || b.family !== 4 || a.index !== b.index || a.prefix !== b.prefix) return false;
  return (a.flags & IFA_F_SECONDARY) === 0 && a !== b && bits(a.address, a.prefix) === bits(b.address, b.prefix);
}

const bits = (address: IpAddress, prefix: number): string =>
  Array.from(ipBytes(address), (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, prefix);

function flagsFor(old: AddressRecord, { flags, validLifetime, preferredLifetime }: AddressRecord): number {
  const permanent = validLifetime === 'forever' ? IFA_F_PERMANENT : 0;
  const deprecated = preferredLifetime === 0 ? IFA_F_DEPRECATED : 0;
  return (old.flags & IFA_F_SECONDARY) | (flags & ~(IFA_F_PERMANENT | IFA_F_DEPRECATED)) | permanent | deprecated;
}
