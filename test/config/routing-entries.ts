// Reads lines of virtual_routes or virtual_rules, for tests.
import { load } from '../../core/config/load.ts';
import type { RouteNames } from '../../core/config/route-names.ts';
import type { RoutingEntry } from '../../core/vip/virtual-route.ts';

/** The entries of the lines that count, and what was said about the others: `LINE:COLUMN CODE MESSAGE`. */
export function routingEntries(
  block: 'virtual_routes' | 'virtual_rules',
  lines: string,
  routeNames?: RouteNames,
): { readonly entries: readonly RoutingEntry[]; readonly findings: readonly string[] } {
  const text = `vrrp_instance V {
interface e0
virtual_router_id 7
priority 9
no_virtual_ipaddress
${block} {
${lines}
}
}
`;
  const { configuration, diagnostics } = load(
    { file: 'k.conf', text },
    { hostName: 'h', ...(routeNames && { routeNames }) },
  );
  const [instance] = configuration?.instances ?? [];
  return {
    entries: [...(instance?.routes ?? []), ...(instance?.rules ?? [])],
    findings: diagnostics.map(
      ({ place, code, message, suggestion }) =>
        `${place.line - 6}:${place.column} ${code} ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
    ),
  };
}
