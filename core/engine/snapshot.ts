// The state of one virtual router as the agent and people see it. Pure.
import { between, type Instant } from '../units.ts';
import type { VirtualIp } from '../vip/virtual-ip.ts';
import { type RoutingEntry, textOf } from '../vip/virtual-route.ts';
import type { InstanceDriver } from './driver.ts';
import type { InstanceSnapshot } from './messages.ts';

export function snapshotOf(
  driver: InstanceDriver,
  held: readonly VirtualIp[],
  routes: readonly RoutingEntry[],
  now: Instant,
): InstanceSnapshot {
  const { router, config, lastTransition } = driver;
  const master = router.masterSource === undefined ? undefined : driver.peers.get(router.masterSource);
  const conflict = driver.tally.lastConflict;
  return {
    name: config.name,
    state: router.state,
    since: driver.since,
    basePriority: config.priority,
    effectivePriority: router.effectivePriority,
    faults: driver.faults,
    lastReason: lastTransition.why,
    lastDetail: lastTransition.detail,
    master:
      router.masterSource === undefined || master === undefined
        ? undefined
        : {
            source: router.masterSource,
            priority: master.priority,
            interval: master.interval,
            age: between(master.at, now),
          },
    peers: driver.peers.list(now),
    addresses: driver.vips.map(({ address, prefix, device }) => ({
      address,
      prefix,
      device,
      held: held.some((vip) => vip.address === address && vip.device === device),
    })),
    ...(driver.routing.length > 0 && {
      routing: driver.routing.map((entry) => ({ text: textOf(entry), held: routes.includes(entry) })),
    }),
    ...(conflict && {
      conflict: { address: conflict.address, mac: conflict.mac, age: between(conflict.at, now) },
    }),
    downInterval: router.downInterval,
    skew: router.skew,
    nextDeadline: router.deadline,
    statistics: driver.tally.statistics,
  };
}
