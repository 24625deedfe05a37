// What the engine itself watches means for one virtual router: interfaces, the address it sends from, BFD sessions; as
// faults, weights and source address. Pure.
import type { InstanceConfig, Track } from '../config/model.ts';
import { judge, type TrackedState } from '../health/verdict.ts';
import type { IpAddress } from '../net/address.ts';
import type { Links } from './links.ts';

export interface LinkVerdict {
  readonly faults: readonly string[];
  /** Sum of the weights of tracked interfaces and BFD sessions. */
  readonly adjustment: number;
  /** The address our adverts come from; undefined: there is none now. */
  readonly source: IpAddress | undefined;
}

/** What a router's sync group tracks for all its members. */
export interface SharedTracks {
  readonly trackInterfaces?: readonly Track[];
  readonly trackBfds?: readonly Track[];
}

/** Where a verdict is found. */
export interface Surroundings {
  readonly links: Pick<Links, 'get' | 'primaryAddress' | 'hasAddress'>;
  readonly isVirtual: (address: IpAddress) => boolean;
  /** undefined: there is no such BFD session, it contributes nothing. */
  readonly bfdState: (session: string) => TrackedState | undefined;
}

/**
 * A BFD session that has never been up counts as down (as in keepalived): a router that depends on it stays in FAULT
 * until then, because a path of which nobody knows that it works is none.
 */
export function judgeLinks(
  config: InstanceConfig,
  shared: SharedTracks,
  { links, isVirtual, bfdState }: Surroundings,
): LinkVerdict {
  const faults: string[] = config.blocked === undefined ? [] : [config.blocked];
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
  const { virtualInterface: virtual } = config;
  if (virtual !== undefined) devices.add(virtual.name);
  for (const device of routingDevices(config)) devices.add(device);
  for (const device of devices) {
    // with dont_track_primary, what stands on the interface may be down like it, but must be there
    const tolerated = device === virtual?.name && !config.trackPrimary && links.get(device) !== undefined;
    const fault = device === config.interface || tolerated ? undefined : why(device);
    if (fault !== undefined) faults.push(fault);
  }
  const interfaces = mergeTracks(config.trackInterfaces, shared.trackInterfaces).filter(isOther);
  const tracked = judge(interfaces, (name) => stateOf(why(name)), 'interface');
  const bfd = judge(mergeTracks(config.trackBfds, shared.trackBfds), bfdState, 'BFD session');
  faults.push(...tracked.faults, ...bfd.faults);
  // RFC 9568 §5.1.2.1: multicast adverts come from the link-local address; unicast peers may be anywhere.
  const isLocal = config.transport.mode === 'multicast';
  const ownSource = virtual?.kind === 'ipvlan' ? virtual.address : undefined;
  const source =
    config.transport.source ?? ownSource ?? links.primaryAddress(config.interface, config.family, isLocal, isVirtual);
  if (source === undefined && own === undefined)
    faults.push(`interface ${config.interface} has no IPv${config.family} address`);
  if (
    config.trackSource &&
    config.transport.source !== undefined &&
    links.hasAddress?.(config.transport.source) === false
  )
    faults.push(`the source address ${config.transport.source} is not on this machine`);
  return { faults, adjustment: tracked.adjustment + bfd.adjustment, source };
}

/** Interfaces without which a watched route or rule cannot be (as keepalived tracks them). */
function routingDevices({ routes = [], rules = [] }: InstanceConfig): readonly string[] {
  const watchedRoutes = routes
    .filter(({ track }) => track)
    .flatMap(({ route }) => (route.hops.length === 1 ? route.hops : []));
  const devices = [
    ...watchedRoutes.map(({ device }) => device),
    ...rules.filter(({ track }) => track).flatMap(({ rule }) => [rule.input, rule.output]),
  ];
  return devices.filter((device) => device !== undefined && device !== 'lo') as string[];
}

/** What a router and its sync group track, as in keepalived: by both, the group's weight counts, unless failing is a fault already. */
export function mergeTracks(own: readonly Track[] = [], shared: readonly Track[] = []): readonly Track[] {
  if (shared.length === 0) return own;
  const merged = new Map(own.map((track) => [track.name, track]));
  for (const track of shared) if (merged.get(track.name)?.weight !== 0) merged.set(track.name, track);
  return [...merged.values()];
}

function stateOf(fault: string | undefined): TrackedState {
  return { up: fault === undefined, disabled: false, detail: fault ?? '' };
}
