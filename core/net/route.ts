// Routes and routing rules as finished data: numbers where the kernel wants numbers, interfaces by name. Plain and pure;
// knows neither the words of a file nor the bytes of netlink.
import type { Family, IpAddress } from './address.ts';

/** RTPROT_KEEPALIVED of linux/rtnetlink.h: the mark by which what VRRP installed is told from everything else. */
export const ROUTE_PROTOCOL_VRRP = 18;

/** Tables that always exist (linux/rtnetlink.h). */
export const TABLE_DEFAULT = 253;
export const TABLE_MAIN = 254;
export const TABLE_LOCAL = 255;

/** RTN_ numbers of linux/rtnetlink.h. */
export const ROUTE_TYPES = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const;
export type RouteType = keyof typeof ROUTE_TYPES;

/** RTAX_ numbers of linux/rtnetlink.h. */
export const ROUTE_METRICS = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rto_min: 13,
  initrwnd: 14,
  quickack: 15,
  congctl: 16,
  fastopen_no_cookie: 17,
} as const;
export type RouteMetric = keyof typeof ROUTE_METRICS;

/** One of the properties that a route gives to its connections. */
export interface MetricSetting {
  readonly metric: RouteMetric;
  /** In the unit of the kernel; a name for congctl. */
  readonly value: number | string;
  /** The kernel may not change it. */
  readonly lock: boolean;
}

/** What packets are wrapped into on the way to a next hop (linux/lwtunnel.h). */
export type Encapsulation =
  /** Labels 0..1048575, outermost first; ttl 0: not said. */
  | { readonly type: 'mpls'; readonly labels: readonly number[]; readonly ttl: number }
  | {
      /** `ip` over IPv4, `ip6` over IPv6: through a tunnel interface that takes its parameters from the route. */
      readonly type: 'ip' | 'ip6';
      /** Key, 64 bits as decimal text. */
      readonly id: string | undefined;
      readonly source: IpAddress | undefined;
      readonly destination: IpAddress | undefined;
      /** TOS or traffic class. */
      readonly tos: number | undefined;
      /** TTL or hop limit. */
      readonly ttl: number | undefined;
      /** TUNNEL_ bits of linux/if_tunnel.h. */
      readonly flags: number | undefined;
    }
  /** Identifier-locator addressing: the upper 64 bits, eight bytes. */
  | { readonly type: 'ila'; readonly locator: readonly number[] };

export interface NextHop {
  /** May be of the other family than the route (RFC 8950). */
  readonly gateway?: IpAddress;
  /** Name of the interface; absent: the kernel finds it by the gateway. */
  readonly device?: string;
  /** 1..256 */
  readonly weight: number;
  /** The gateway is a neighbour though no address here says so. */
  readonly onlink: boolean;
  /** rt_realms: upper half source, lower half destination. */
  readonly realms?: number;
  readonly encapsulation?: Encapsulation;
}

/** Where a route goes among those to the same destination: before them, behind them, or nowhere if there is one. */
export type RouteMode = 'prepend' | 'append' | 'add';

export interface Route {
  readonly family: Family;
  readonly type: RouteType;
  readonly destination: IpAddress;
  readonly prefix: number;
  /** IPv6 only: a route for packets from there. */
  readonly from?: { readonly address: IpAddress; readonly prefix: number };
  /** 1..4294967295 */
  readonly table: number;
  /** 0..255 */
  readonly protocol: number;
  /** rt_scope: 0 global, 200 site, 253 link, 254 host. */
  readonly scope: number;
  readonly tos: number;
  /** Preference among routes, the lowest counts; absent: 0, for IPv6 1024. */
  readonly metric?: number;
  /** Source address of this machine's own packets. */
  readonly preferredSource?: IpAddress;
  /** None for routes that drop; several share the traffic. */
  readonly hops: readonly NextHop[];
  readonly metrics: readonly MetricSetting[];
  readonly realms?: number;
  /** Seconds, IPv6 only. */
  readonly expires?: number;
  /** Router preference (RFC 4191), IPv6 only. */
  readonly preference?: 'low' | 'medium' | 'high';
  /** MPLS: whether the TTL is carried over. */
  readonly ttlPropagate?: boolean;
  /** Id of a next hop object instead of `hops`. */
  readonly nextHopId?: number;
  readonly mode: RouteMode;
}

/** What a rule does with a packet that it matches (FR_ACT_ of linux/fib_rules.h). */
export type RuleAction =
  | { readonly type: 'table'; readonly table: number }
  /** The table of the VRF that the packet belongs to. */
  | { readonly type: 'l3mdev' }
  | { readonly type: 'goto'; readonly preference: number }
  | { readonly type: 'nop' | 'blackhole' | 'unreachable' | 'prohibit' };

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export interface Rule {
  readonly family: Family;
  /** For packets that do not match. */
  readonly not: boolean;
  readonly from?: { readonly address: IpAddress; readonly prefix: number };
  readonly to?: { readonly address: IpAddress; readonly prefix: number };
  readonly tos: number;
  readonly mark?: { readonly value: number; readonly mask: number | undefined };
  readonly input?: string;
  readonly output?: string;
  /** 0..4294967295; rules are asked in this order. */
  readonly preference: number;
  readonly protocol: number;
  readonly users?: NumberRange;
  /** IP protocol number. */
  readonly ipProtocol?: number;
  readonly sourcePorts?: NumberRange;
  readonly destinationPorts?: NumberRange;
  /** Key of a tunnel, 64 bits as decimal text. */
  readonly tunnel?: string;
  readonly realms?: number;
  /** Routes of the table with a prefix of at most this length do not count. */
  readonly suppressPrefix?: number;
  /** Routes through interfaces of this group do not count. */
  readonly suppressGroup?: number;
  readonly action: RuleAction;
}
