// A virtual IP as the configuration asks for it: what every provider is told to own. Pure data.
import type { IpAddress } from '../net/address.ts';

/** One address of virtual_ipaddress or virtual_ipaddress_excluded. */
export interface VirtualIp {
  readonly address: IpAddress;
  /** Prefix length; 32 or 128 unless the file says otherwise, as keepalived. */
  readonly prefix: number;
  /** Interface to bind it to. */
  readonly device: string;
  /** Address label, IPv4 only, at most 15 bytes (IFA_LABEL). */
  readonly label?: string;
  /** rt_scope number: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** IPv4 broadcast address; absent: none. */
  readonly broadcast?: IpAddress;
  /** Peer of a point-to-point address (IFA_ADDRESS differs from IFA_LOCAL). */
  readonly peer?: IpAddress;
  readonly noPrefixRoute?: boolean;
  /** Skip duplicate address detection (IPv6). */
  readonly noDad?: boolean;
  /** Do not fault or repair when somebody else removes it. */
  readonly noTrack?: boolean;
}
