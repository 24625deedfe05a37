// Which addresses the kernel may treat as primary and secondaries of one another. Pure.
import { familyOf, ipBytes } from '../../core/net/address.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';

/**
 * Device and network of an IPv4 address that may share its subnet; undefined for IPv6, which has no secondaries, and for
 * single addresses (/32).
 */
export function sharedSubnet({ address, peer, prefix, device }: VirtualIp): string | undefined {
  if (familyOf(address) !== 4 || prefix >= 32) return undefined;
  const [a, b, c, d] = ipBytes(peer ?? address);
  const number = (a! << 24) | (b! << 16) | (c! << 8) | d!;
  // A shift by 32 is a shift by 0.
  const network = prefix === 0 ? 0 : number & (0xffffffff << (32 - prefix));
  return `${device} ${network >>> 0}/${prefix}`;
}
