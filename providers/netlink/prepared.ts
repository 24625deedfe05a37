// What one address needs on the wire, built once: its netlink messages and its announcement. Interface and lifetime are patched
// in for each use, so that taking over 255 addresses builds nothing. Pure but for that cache.
import { familyOf, type IpAddress, type MacAddress } from '../../core/net/address.ts';
import { gratuitousArp, gratuitousArpReply, isVirtualRouterMac } from '../../core/net/arp.ts';
import { unsolicitedNeighbourAdvertisement } from '../../core/net/ndisc.ts';
import {
  ADDRESS_PROTOCOL_VRRP,
  type AddressRequest,
  addAddressRequest,
  deleteAddressRequest,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  type Lifetime,
  setInterface,
  setLifetime,
} from '../../core/net/rtnetlink.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';

export class PreparedAddress {
  readonly #vip: VirtualIp;
  readonly #add: Uint8Array;
  readonly #renew: Uint8Array;
  readonly #remove: Uint8Array;
  #frame: Uint8Array | undefined;
  #frameMac: MacAddress | undefined;

  /** @throws RangeError for a label that is too long */
  constructor(vip: VirtualIp) {
    const request = requestFor(vip);
    this.#vip = vip;
    this.#add = addAddressRequest(request, 'exclusive');
    this.#renew = addAddressRequest(request, 'replace');
    this.#remove = deleteAddressRequest(request);
  }

  /** Adds the address, or fails with EEXIST. The bytes are valid until the next call. */
  add(ifindex: number, lifetime: Lifetime): Uint8Array {
    return this.#patch(this.#add, ifindex, lifetime);
  }

  /** Gives the address a new lifetime, and adds it where it is gone. The bytes are valid until the next call. */
  renew(ifindex: number, lifetime: Lifetime): Uint8Array {
    return this.#patch(this.#renew, ifindex, lifetime);
  }

  /** Removes the address. The bytes are valid until the next call. */
  remove(ifindex: number): Uint8Array {
    setInterface(this.#remove, ifindex);
    return this.#remove;
  }

  /** The frame that announces the address at `mac`; the same bytes while the MAC stays the same. */
  announcement(mac: MacAddress, routerFlag: boolean): Uint8Array {
    if (this.#frame === undefined || this.#frameMac !== mac) {
      const { address } = this.#vip;
      this.#frame =
        familyOf(address) === 4
          ? announcementOf(mac, address)
          : unsolicitedNeighbourAdvertisement(mac, address, routerFlag);
      this.#frameMac = mac;
    }
    return this.#frame;
  }

  #patch(message: Uint8Array, ifindex: number, lifetime: Lifetime): Uint8Array {
    setInterface(message, ifindex);
    setLifetime(message, lifetime, isDeprecated(this.#vip) ? 0 : lifetime);
    return message;
  }
}

const announcementOf = (mac: MacAddress, address: IpAddress): Uint8Array =>
  isVirtualRouterMac(mac) ? gratuitousArpReply(mac, address) : gratuitousArp(mac, address);

/**
 * A single IPv6 address (/128) is bound with a preferred lifetime of 0: it answers, but this machine's own connections do not
 * start from an address that may leave it (RFC 6724 §5). As keepalived 2.2.7 does.
 */
const isDeprecated = ({ address, prefix }: VirtualIp): boolean => familyOf(address) === 6 && prefix === 128;

function requestFor(vip: VirtualIp): AddressRequest {
  return {
    index: 0,
    address: vip.address,
    prefix: vip.prefix,
    scope: vip.scope,
    flags: flagsOf(vip),
    ...(vip.label !== undefined && familyOf(vip.address) === 4 && { label: vip.label }),
    ...(vip.broadcast !== undefined && { broadcast: vip.broadcast }),
    ...(vip.peer !== undefined && { peer: vip.peer }),
    protocol: ADDRESS_PROTOCOL_VRRP,
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  };
}

/**
 * Duplicate address detection is off unless it is asked for, as with keepalived: while a master hands over, two machines hold
 * the address, and one that fails detection stays unusable for ever.
 */
function flagsOf(vip: VirtualIp): number {
  const noDad = familyOf(vip.address) === 6 && vip.noDad !== false;
  return (noDad ? IFA_F_NODAD : 0) | (vip.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
}
