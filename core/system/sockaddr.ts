// The kernel's socket addresses as bytes (little-endian machines only, as the addon). Pure.
import { familyOf, type IpAddress, ipBytes } from '../net/address.ts';
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, ETH_P_ALL } from './linux.ts';

/** struct sockaddr_in or sockaddr_in6, ip(7) and ipv6(7). The scope (an ifindex) counts for link-local and multicast IPv6 only. */
export function ipSockaddr(address: IpAddress, scope: number): Uint8Array {
  const bytes = ipBytes(address);
  if (familyOf(address) === 4) {
    const out = new Uint8Array(16);
    out[0] = AF_INET;
    out.set(bytes, 4);
    return out;
  }
  const out = new Uint8Array(28);
  out[0] = AF_INET6;
  out.set(bytes, 8);
  const scoped = bytes[0] === 0xff || (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80);
  if (scoped) new DataView(out.buffer).setUint32(24, scope, true);
  return out;
}

/** struct sockaddr_ll, packet(7): the frame leaves by `ifindex`, with the EtherType that its header names. */
export function linkSockaddr(ifindex: number): Uint8Array {
  const out = new Uint8Array(20);
  const view = new DataView(out.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setInt32(4, ifindex, true);
  out[11] = 6; // sll_halen
  return out;
}

/**
 * struct sockaddr_ll, packet(7), for bind(2): the packets of an interface of one EtherType, by default of every kind, seen
 * before any interface above it.
 */
export function tapSockaddr(ifindex: number, etherType = ETH_P_ALL): Uint8Array {
  const out = new Uint8Array(20);
  const view = new DataView(out.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, etherType, false);
  view.setInt32(4, ifindex, true);
  return out;
}

/** struct sockaddr_nl, netlink(7): the kernel itself, or for bind(2) the multicast groups to hear. */
export function netlinkSockaddr(groups: number): Uint8Array {
  const out = new Uint8Array(12);
  const view = new DataView(out.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  return out;
}

/** struct sockaddr_un, unix(7): an absolute path, or an abstract name after '@'. Undefined when it is neither or over 107 bytes. */
export function unixSockaddr(path: string): Uint8Array | undefined {
  const name = new TextEncoder().encode(path);
  const abstract = path.startsWith('@');
  if ((!abstract && !path.startsWith('/')) || name.length < 2 || name.length > 107 || name.includes(0))
    return undefined;
  const out = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  out[0] = AF_UNIX;
  out.set(name, 2);
  if (abstract) out[2] = 0;
  return out;
}
