// What a configuration asks for that the transport raw-socket cannot do, so that it is refused by name at start and at
// reload instead of half done. Pure.
import type { Configuration, InstanceConfig } from '../config/model.ts';
import { familyOf } from '../net/address.ts';
import { millis } from '../units.ts';

/** Below, timers of the event loop and runs of programs are too coarse. */
const SHORTEST_INTERVAL = millis(100);

/** One sentence for each thing; empty: it can do all of it. */
export function beyondPortable({ instances, bfds = [], statics }: Configuration): readonly string[] {
  return [
    ...instances.flatMap((instance) => ofInstance(instance).map((what) => `vrrp_instance ${instance.name}: ${what}`)),
    ...(bfds.length > 0 ? ['bfd_instance: no BFD without the native addon'] : []),
    ...(statics !== undefined && statics.routes.length > 0 ? ['static_routes: no routes without netlink'] : []),
    ...(statics !== undefined && statics.rules.length > 0 ? ['static_rules: no rules without netlink'] : []),
  ];
}

function ofInstance(instance: InstanceConfig): readonly string[] {
  const { family, interval, virtualInterface, authentication, routes = [], rules = [] } = instance;
  const excluded = instance.excludedVips.find(({ address }) => familyOf(address) === 6);
  return [
    ...(family === 6 ? ['IPv6: raw-socket cannot tell the hop limit and the destination of a packet'] : []),
    ...(interval < SHORTEST_INTERVAL ? [`advert_int ${interval / 1e6}: the shortest interval is 0.1 s`] : []),
    ...(virtualInterface === undefined
      ? []
      : [`use_${virtualInterface.kind === 'macvlan' ? 'vmac' : 'ipvlan'}: no virtual MAC without netlink`]),
    ...(authentication.type !== 'AH' ? [] : ['auth_type AH: not tried over this transport; PASS and auth_hmac are']),
    ...(instance.vrf === undefined ? [] : ['vrf: no VRF without netlink']),
    ...(routes.length > 0 ? ['virtual_routes: no routes without netlink'] : []),
    ...(rules.length > 0 ? ['virtual_rules: no rules without netlink'] : []),
    ...((instance.trackBfds ?? []).length > 0 ? ['track_bfd: no BFD without the native addon'] : []),
    ...(excluded !== undefined ? [`${excluded.address}: no IPv6 addresses, since nothing can announce them`] : []),
  ];
}
