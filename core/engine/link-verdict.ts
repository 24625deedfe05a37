// What the state of this machine's interfaces means for one virtual router: faults, weights, source address. Pure.
import type { InstanceConfig, Track } from '../config/model.ts';
import { judge, type TrackedState } from '../health/verdict.ts';
import type { IpAddress } from '../net/address.ts';
import type { Links } from './links.ts';

export interface LinkVerdict {
  readonly faults: readonly string[];
  /** Sum of the weights of tracked interfaces. */
  readonly adjustment: number;
  /** The address our adverts come from; undefined: there is none now. */
  readonly source: IpAddress | undefined;
}

export function judgeLinks(
  config: InstanceConfig,
  links: Pick<Links, 'get' | 'primaryAddress'>,
  isVirtual: (address: IpAddress) => boolean,
): LinkVerdict {
  const faults: string[] = [];
  const why = (name: string): string | undefined => {
    const link = links.get(name);
    if (link === undefined) return `interface ${name} does not exist`;
    return link.running ? undefined : `interface ${name} is down`;
  };
  // keepalived: tracking one's own interface without a weight says nothing new
  const isOther = ({ name, weight }: Track): boolean => weight !== 0 || name !== config.interface;
  const own = links.get(config.interface) === undefined || config.trackPrimary ? why(config.interface) : undefined;
  if (own !== undefined) faults.push(own);
  const devices = new Set(
    [...config.vips, ...config.excludedVips].filter((vip) => vip.noTrack !== true).map((vip) => vip.device),
  );
  for (const device of devices) {
    const fault = device === config.interface ? undefined : why(device);
    if (fault !== undefined) faults.push(fault);
  }
  const tracked = judge(config.trackInterfaces.filter(isOther), (name) => stateOf(why(name)), 'interface');
  faults.push(...tracked.faults);
  // RFC 9568 §5.1.2.1: multicast adverts come from the link-local address; unicast peers may be anywhere.
  const isLocal = config.transport.mode === 'multicast';
  const source = config.transport.source ?? links.primaryAddress(config.interface, config.family, isLocal, isVirtual);
  if (source === undefined && own === undefined)
    faults.push(`interface ${config.interface} has no IPv${config.family} address`);
  return { faults, adjustment: tracked.adjustment, source };
}

function stateOf(fault: string | undefined): TrackedState {
  return { up: fault === undefined, disabled: false, detail: fault ?? '' };
}
