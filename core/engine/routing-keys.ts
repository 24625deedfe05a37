// By what routes and rules are told apart: as the file has them, and as the kernel's notices name them. Pure.
import { isInPrefix } from '../net/address.ts';
import type { RouteRecord } from '../net/rtroute.ts';
import type { RuleRecord } from '../net/rtrule.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';

const keys = new WeakMap<RoutingEntry, string>();

/** The same for entries that mean the same. */
export function keyOf(entry: RoutingEntry): string {
  let key = keys.get(entry);
  if (key === undefined) {
    const meant = 'route' in entry ? entry.route : entry.rule;
    key = JSON.stringify(Object.entries(meant).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    keys.set(entry, key);
  }
  return key;
}

/** The metric that the kernel gives where none is said. */
const DEFAULT_METRIC = { 4: 0, 6: 1024 } as const;

/** What a notice says of an entry. Two routes to one destination by different ways have the same key. */
export function noticeKeyOf(entry: RoutingEntry): string {
  if ('rule' in entry) {
    const { family, preference, action } = entry.rule;
    return ruleKey({ family, preference, table: action.type === 'table' ? action.table : 0 });
  }
  const { family, table, destination, prefix, tos, metric } = entry.route;
  // The kernel takes the metric 0 of IPv6 for none.
  return routeKey({ family, table, destination, prefix, tos, metric: metric || DEFAULT_METRIC[family] });
}

export const routeKey = (route: Omit<RouteRecord, 'type' | 'protocol'>): string =>
  `${route.family} ${route.table} ${route.destination}/${route.prefix} ${route.tos} ${route.metric}`;

export const ruleKey = ({ family, preference, table }: Omit<RuleRecord, 'protocol' | 'action'>): string =>
  `rule ${family} ${preference} ${table}`;

/** Whether removing one could hit the other, or adding one could fail for the other. */
export const conflictsWith = (a: RoutingEntry, b: RoutingEntry): boolean => noticeKeyOf(a) === noticeKeyOf(b);

/** Whether an entry works only while one of these addresses is here: it starts from one, or its gateway is in their network. */
export function leansOn(vips: readonly VirtualIp[], entry: RoutingEntry): boolean {
  if (!('route' in entry)) return false;
  const { preferredSource, hops } = entry.route;
  return vips.some(
    ({ address, prefix }) =>
      address === preferredSource ||
      hops.some(({ gateway }) => gateway !== undefined && isInPrefix(gateway, address, prefix)),
  );
}
