// Configurations of virtual routers for the engine's tests.
import type { InstanceConfig } from '../../core/config/model.ts';
import { ip } from '../../core/net/address.ts';
import { micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import type { VirtualIp } from '../../core/vip/virtual-ip.ts';

export function virtualIp(address: string, prefix = 24): VirtualIp {
  return { address: ip(address), prefix, device: 'eth0', scope: 0 };
}

/** A VRRPv3 multicast instance VI_1 at one second with priority 100 and one address, changed as asked. */
export function instance(changes: Partial<InstanceConfig> = {}): InstanceConfig {
  return {
    name: 'VI_1',
    interface: 'eth0',
    family: 4,
    vrid: vrid(51),
    version: 3,
    initialState: 'BACKUP',
    priority: priority(100),
    interval: seconds(1),
    preempt: true,
    preemptDelay: micros(0),
    downTimerAdverts: 3,
    transport: { mode: 'multicast', group: ip('224.0.0.18'), source: undefined },
    authentication: { type: 'none' },
    vips: [virtualIp('10.0.0.100')],
    excludedVips: [],
    announce: {
      masterDelay: seconds(5),
      masterRepeat: 5,
      refresh: millis(0),
      refreshRepeat: 1,
      lowerPrioDelay: seconds(5),
      lowerPrioRepeat: 5,
    },
    answerLowerPriority: true,
    advertiseBeforeYielding: true,
    strictAddressList: false,
    checkUnicastSource: true,
    makeBeforeBreak: true,
    trackScripts: [],
    trackInterfaces: [],
    trackPrimary: true,
    notify: {},
    ...changes,
  };
}
