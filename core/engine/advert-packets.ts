// The IP packets of one virtual router's adverts. Equal adverts make equal bytes, so they are built once and kept
// until the advert, the source address or a peer's form of checksum changes: sending then costs no more than the system
// call. What carries a proof of its origin is different each time: a copy of what was kept, sealed.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import { encodeIpv4Header, IPV4_HEADER_LENGTH, writeIpv4Header } from '../net/ipv4.ts';
import { encodeIpv6Header, IPV6_HEADER_LENGTH } from '../net/ipv6.ts';
import { ownForm } from '../vrrp/admission.ts';
import { AH_LENGTH, PROTOCOL_AH, seal } from '../vrrp/authentication-header.ts';
import { sign, TRAILER_LENGTH } from '../vrrp/hmac-trailer.ts';
import type { Mac } from '../vrrp/mac.ts';
import { encode, PROTOCOL_VRRP, passData, setChecksum } from '../vrrp/packet.ts';
import type { Advertisement } from '../vrrp/types.ts';
import { headerMacOf, keysOf } from './doorkeeper.ts';
import type { RouterMemory } from './router-memory.ts';

export interface OutgoingPacket {
  readonly packet: Uint8Array;
  readonly destination: IpAddress;
}

/** Internetwork control, as all VRRP daemons mark their adverts. */
const INTERNETWORK_CONTROL = 0xc0;
/** RFC 9568 §5.1.1.3, §5.1.2.3. */
const MULTICAST_TTL = 255;

export class AdvertPackets {
  readonly #config: InstanceConfig;
  readonly #memory: RouterMemory;
  readonly #headerMac: Mac | undefined;
  /** The key that signs, with its number; undefined: none does. */
  readonly #signing: { readonly key: number; readonly mac: Mac } | undefined;
  #ad: Advertisement | undefined;
  #source: IpAddress | undefined;
  #changes = 0;
  #packets: readonly OutgoingPacket[] = [];

  constructor(config: InstanceConfig, memory: RouterMemory) {
    this.#config = config;
    this.#memory = memory;
    this.#headerMac = headerMacOf(config);
    const { hmac } = config;
    const key = hmac?.activeKey ?? hmac?.keys[0]?.id;
    const mac = key === undefined || hmac?.mode === 'receive-only' ? undefined : keysOf(config).get(key);
    this.#signing = key === undefined || mac === undefined ? undefined : { key, mac };
  }

  /** One packet for the group, or one for each peer (their v3 checksums differ). None when a key is used up. */
  of(ad: Advertisement, source: IpAddress): readonly OutgoingPacket[] {
    const { forms } = this.#memory;
    if (ad !== this.#ad || source !== this.#source || forms.changes !== this.#changes) {
      const { transport } = this.#config;
      const destinations =
        transport.mode === 'multicast' ? [transport.group] : transport.peers.map(({ address }) => address);
      this.#packets = destinations.map((destination) => ({
        packet: this.#build(ad, source, destination),
        destination,
      }));
      this.#ad = ad;
      this.#source = source;
      this.#changes = forms.changes;
    }
    if (this.#headerMac !== undefined) return this.#sealed(source, this.#headerMac);
    return this.#signing === undefined ? this.#packets : this.#signed(source, this.#signing);
  }

  /** No further advert can be sent under this key (RFC 2402 §3.3.2). */
  get exhausted(): boolean {
    return this.#headerMac !== undefined && this.#memory.sequence.exhausted;
  }

  #build(ad: Advertisement, source: IpAddress, destination: IpAddress): Uint8Array {
    const { authentication, transport, family } = this.#config;
    const wrapped = authentication.type === 'AH';
    const own = ownForm(this.#config);
    const pdu = encode(
      ad,
      { family, source, destination },
      {
        checksumForm: own === 'pseudo' ? (this.#memory.forms.of(destination) ?? own) : own,
        authenticationHeader: wrapped,
        ...(authentication.type === 'PASS' && { authData: passData(authentication.password) }),
      },
    );
    const hops = transport.mode === 'multicast' ? MULTICAST_TTL : transport.ttl;
    const before = wrapped ? AH_LENGTH : 0;
    const length = before + pdu.length + (this.#signing === undefined ? 0 : TRAILER_LENGTH);
    const header =
      family === 4
        ? // The kernel chooses the identification where it is 0.
          encodeIpv4Header(ipv4(0, wrapped, hops, source, destination), length)
        : ipv6(hops, source, destination, length);
    const packet = new Uint8Array(header.length + length);
    packet.set(header);
    packet.set(pdu, header.length + before);
    return packet;
  }

  /** Each packet under an identification of its own, all with the next sequence number. */
  #sealed(source: IpAddress, mac: Mac): readonly OutgoingPacket[] {
    const sequence = this.#memory.sequence.next();
    if (sequence === undefined) return [];
    const { transport } = this.#config;
    const hops = transport.mode === 'multicast' ? MULTICAST_TTL : transport.ttl;
    return this.#packets.map(({ packet, destination }) => {
      const copy = packet.slice();
      writeIpv4Header(copy, ipv4(this.#memory.nextId(), true, hops, source, destination), copy.length);
      seal(copy, sequence, mac);
      return { packet: copy, destination };
    });
  }

  /** One signature for all: it leaves out the destination and the checksum. */
  #signed(source: IpAddress, { key, mac }: { readonly key: number; readonly mac: Mac }): readonly OutgoingPacket[] {
    const { hmac, family } = this.#config;
    const stamp = this.#memory.stamps.next(hmac!.antiReplay, hmac!.timeWindow, this.#memory.wallTime());
    const header = family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
    let trailer: Uint8Array | undefined;
    return this.#packets.map(({ packet, destination }) => {
      const copy = packet.slice();
      const advert = copy.subarray(header);
      if (trailer === undefined) {
        sign(advert, source, { key, stamp }, mac);
        trailer = advert.subarray(advert.length - TRAILER_LENGTH);
      } else advert.set(trailer, advert.length - TRAILER_LENGTH);
      if (family === 6) setChecksum(advert, 'pseudo', { family, source, destination });
      return { packet: copy, destination };
    });
  }
}

function ipv4(id: number, wrapped: boolean, ttl: number, source: IpAddress, destination: IpAddress) {
  return { tos: INTERNETWORK_CONTROL, id, ttl, protocol: wrapped ? PROTOCOL_AH : PROTOCOL_VRRP, source, destination };
}

function ipv6(hopLimit: number, source: IpAddress, destination: IpAddress, length: number): Uint8Array {
  const fields = {
    trafficClass: INTERNETWORK_CONTROL,
    flowLabel: 0,
    nextHeader: PROTOCOL_VRRP,
    hopLimit,
    source,
    destination,
  };
  return encodeIpv6Header(fields, length);
}
