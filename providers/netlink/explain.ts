// Sentences for what the kernel refuses, with the fix where there is one. Pure.
import { familyOf } from '../../core/net/address.ts';
import type { NetlinkAck } from '../../core/ports/engine-io.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';

/** Why an address could not be bound, renewed or removed, for people. */
export function explain(verb: 'bind' | 'renew' | 'remove', vip: VirtualIp, ack: NetlinkAck | undefined): string {
  const name = ack?.name ?? 'EIO';
  return `cannot ${verb} ${vip.address}/${vip.prefix} on ${vip.device}: ${reason(name, vip)} (${name})`;
}

function reason(name: string, vip: VirtualIp): string {
  const six = familyOf(vip.address) === 6;
  if (name === 'ENODEV') return 'the interface is gone';
  if (name === 'EPERM') return 'not permitted, the process needs CAP_NET_ADMIN';
  if (name === 'EACCES' && six) return `IPv6 is off there, see net.ipv6.conf.${vip.device}.disable_ipv6`;
  if (name === 'EAFNOSUPPORT' || name === 'EOPNOTSUPP') return `the kernel has no IPv${six ? 6 : 4}`;
  if (name === 'EINVAL')
    return six
      ? 'the kernel refuses these settings; check prefix length and peer'
      : 'the kernel refuses these settings; in a subnet that is there already they must have the same scope';
  if (name === 'EADDRNOTAVAIL') return 'the kernel does not allow this kind of address there';
  if (name === 'ENOBUFS' || name === 'ENOMEM') return 'its answer was lost, or it is out of memory';
  if (name === 'EIO' || name === 'ETIMEDOUT') return 'the kernel did not answer';
  return 'the kernel refuses';
}
