// The IP packets of one virtual router's adverts. Equal adverts make equal bytes, so they are built once and kept
// until the advert or the source address changes: sending then costs no more than the system call.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import { encodeIpv4Header } from '../net/ipv4.ts';
import { encodeIpv6Header } from '../net/ipv6.ts';
import { encode, PROTOCOL_VRRP, passData } from '../vrrp/packet.ts';
import type { Advertisement } from '../vrrp/types.ts';

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
  #ad: Advertisement | undefined;
  #source: IpAddress | undefined;
  #packets: readonly OutgoingPacket[] = [];

  constructor(config: InstanceConfig) {
    this.#config = config;
  }

  /** One packet for the group, or one for each peer (their v3 checksums differ). */
  of(ad: Advertisement, source: IpAddress): readonly OutgoingPacket[] {
    if (ad !== this.#ad || source !== this.#source) {
      const { transport } = this.#config;
      const destinations =
        transport.mode === 'multicast' ? [transport.group] : transport.peers.map(({ address }) => address);
      this.#packets = destinations.map((destination) => ({
        packet: this.#build(ad, source, destination),
        destination,
      }));
      this.#ad = ad;
      this.#source = source;
    }
    return this.#packets;
  }

  #build(ad: Advertisement, source: IpAddress, destination: IpAddress): Uint8Array {
    const { authentication, transport, family } = this.#config;
    const options = authentication.type === 'PASS' ? { authData: passData(authentication.password) } : {};
    const pdu = encode(ad, { family, source, destination }, options);
    const hops = transport.mode === 'multicast' ? MULTICAST_TTL : transport.ttl;
    const header = family === 4 ? ipv4(hops, source, destination, pdu) : ipv6(hops, source, destination, pdu);
    const packet = new Uint8Array(header.length + pdu.length);
    packet.set(header);
    packet.set(pdu, header.length);
    return packet;
  }
}

function ipv4(ttl: number, source: IpAddress, destination: IpAddress, pdu: Uint8Array): Uint8Array {
  // The kernel chooses the identification where it is 0.
  const fields = { tos: INTERNETWORK_CONTROL, id: 0, ttl, protocol: PROTOCOL_VRRP, source, destination };
  return encodeIpv4Header(fields, pdu.length);
}

function ipv6(hopLimit: number, source: IpAddress, destination: IpAddress, pdu: Uint8Array): Uint8Array {
  const fields = {
    trafficClass: INTERNETWORK_CONTROL,
    flowLabel: 0,
    nextHeader: PROTOCOL_VRRP,
    hopLimit,
    source,
    destination,
  };
  return encodeIpv6Header(fields, pdu.length);
}
