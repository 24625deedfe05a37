// What the protocol core needs of an instance's configuration.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import { micros } from '../units.ts';
import type { RouterConfig } from '../vrrp/types.ts';

/** A v3 master cannot make its backups wait for longer than this many of their own intervals. */
const MAX_LEARNED_INTERVALS = 10;

export function routerConfig(config: InstanceConfig, source: IpAddress | undefined, grouped: boolean): RouterConfig {
  return {
    vrid: config.vrid,
    family: config.family,
    version: config.version,
    priority: config.priority,
    interval: config.interval,
    preempt: config.preempt,
    preemptDelay: config.preemptDelay,
    downTimerAdverts: config.downTimerAdverts,
    addresses: config.vips.map(({ address }) => address),
    source: source ?? ('0.0.0.0' as IpAddress),
    maxMasterInterval: micros(config.interval * MAX_LEARNED_INTERVALS),
    answerLowerPriority: config.answerLowerPriority,
    advertiseBeforeYielding: config.advertiseBeforeYielding,
    makeBeforeBreak: config.makeBeforeBreak,
    fastHandover: config.fastHandover ?? true,
    ownerIgnoresAdverts: config.ownerIgnoresAdverts ?? false,
    grouped,
  };
}
