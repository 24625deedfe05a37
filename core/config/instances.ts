// From a vrrp_instance block to an instance: defaults filled in, contradictions settled as keepalived settles them,
// and each such decision said aloud. Pure.
import { type Family, familyOf, parseIp } from '../net/address.ts';
import { type Micros, micros, millis, seconds, priority as toPriority, type Vrid } from '../units.ts';
import type { AnnounceTiming } from '../vip/local-provider.ts';
import { buildAddresses } from './addresses.ts';
import { authenticationOf } from './authentication.ts';
import type { Report } from './diagnostics.ts';
import type { GlobalValues } from './globals.ts';
import { detailsOf } from './instance-details.ts';
import { type Found, type Named, type Values, wasRefused } from './keywords/row.ts';
import type { vrrpInstance } from './keywords/vrrp-instance.ts';
import type { InstanceConfig } from './model.ts';
import { buildNotify, type ProgramProbe, type Scripts } from './scripts.ts';
import type { SecretReader } from './secrets.ts';
import { buildInterfaceTracks, buildScriptTracks } from './trackers.ts';
import { checksSource, transportOf } from './transport.ts';
import { buildInterfaces, type InterfaceNames } from './virtual-interfaces.ts';
import { buildWatchedTracks, type Watched } from './watched.ts';

export type InstanceValues = Values<typeof vrrpInstance.rows>;
export type InstanceBlock = Named<InstanceValues>;

export interface InstanceContext {
  readonly globals: GlobalValues;
  readonly scripts: Scripts;
  readonly watched: Watched;
  readonly probe: ProgramProbe | undefined;
  readonly interfaceNames: InterfaceNames;
  readonly readSecret: SecretReader | undefined;
  /** Why weights do not work in an instance, by its name (sync groups). */
  noWeights(instance: string): string | undefined;
}

/** The instance with the place of its name; undefined when it cannot start, which was reported. */
export function buildInstance(
  block: InstanceBlock,
  context: InstanceContext,
  report: Report,
): InstanceConfig | undefined {
  const { name, place, values } = block;
  const { globals } = context;
  const vrid = vridOf(block, report);
  const family = familyOfInstance(values);
  const device = interfaceOf(block, globals, report);
  if (vrid === undefined || device === undefined) return undefined;
  if (vrid === 51)
    report.add(
      'I060',
      values.virtual_router_id!.place,
      'VRID 51 is what every example uses: make sure nobody else on this network does',
      { value: '51' },
    );
  const version = versionOf(block, family, globals, report);
  const strict = values.strict_mode?.value ?? globals.vrrp_strict?.value ?? false;
  const initialState = values.state?.value ?? 'BACKUP';
  const base = priorityOf(block, initialState, report);
  const { preempt, preemptDelay } = preemptionOf(values, initialState, base, report);
  const transport = transportOf(block, family, globals, report);
  const trackContext = { owner: name, basePriority: base, noWeights: context.noWeights(name) };
  const trackPrimary = values.dont_track_primary === undefined;
  const {
    lines,
    excluded,
    device: home,
    ...interfaces
  } = buildInterfaces(
    block,
    { interface: device, family, vrid, unicast: transport.mode === 'unicast' },
    globals,
    context.interfaceNames,
    report,
  );
  const { vips, excludedVips } = buildAddresses(lines, excluded, { interface: home, family, version }, report);
  if (vips.length === 0 && !values.no_virtual_ipaddress)
    report.add('W048', place, `${name} has no virtual addresses; it only elects a master`, {
      suggestion: 'write no_virtual_ipaddress if that is meant',
    });
  if (base === 255 && values.priority)
    report.add(
      'W053',
      values.priority.place,
      'priority 255 says that this machine owns the addresses: it never yields, and trackers cannot change it',
      {
        value: '255',
        limit: '1..254',
        suggestion: 'use 254 or less unless these are its own addresses',
      },
    );
  const interval = intervalOf(values, version, report);
  return {
    name,
    interface: device,
    family,
    vrid,
    version,
    initialState,
    priority: toPriority(base),
    interval,
    preempt,
    preemptDelay,
    downTimerAdverts: (values.down_timer_adverts ?? globals.vrrp_down_timer_adverts)?.value ?? 3,
    transport,
    ...authenticationOf(block, { version, strict, interval, readSecret: context.readSecret }, report),
    vips,
    excludedVips,
    announce: announceOf(values, globals),
    answerLowerPriority: !((values.lower_prio_no_advert ?? globals.vrrp_lower_prio_no_advert)?.value ?? strict),
    advertiseBeforeYielding: (values.higher_prio_send_advert ?? globals.vrrp_higher_prio_send_advert)?.value ?? true,
    strictAddressList: false,
    checkUnicastSource: checksSource(values, globals),
    makeBeforeBreak: (values.vrrp_stop_order ?? globals.vrrp_stop_order)?.value !== 'break_before_make',
    trackScripts: buildScriptTracks(
      values.track_script?.value ?? [],
      context.scripts,
      context.watched.checks,
      trackContext,
      report,
    ),
    trackInterfaces: buildInterfaceTracks(
      values.track_interface?.value ?? [],
      trackPrimary ? device : undefined,
      trackContext,
      report,
    ),
    trackPrimary,
    notify: buildNotify(values, context.probe, report),
    ...interfaces,
    ...buildWatchedTracks(values, context.watched, trackContext, report),
    ...detailsOf(values, globals, strict),
  };
}

function vridOf({ name, place, values }: InstanceBlock, report: Report): Vrid | undefined {
  if (!values.virtual_router_id && !wasRefused(values, 'virtual_router_id'))
    report.add('E012', place, `${name} has no virtual_router_id`, {
      limit: '1..255',
      suggestion: 'write virtual_router_id N, the same on all its machines',
    });
  return values.virtual_router_id?.value;
}

/** The addresses decide; without any, what else is said in the instance. */
function familyOfInstance(values: InstanceValues): Family {
  const first = values.virtual_ipaddress?.value[0]?.address;
  const hint =
    first ??
    values.unicast_peer?.value.find((peer) => peer.address !== undefined)?.address ??
    (values.unicast_src_ip ?? values.mcast_src_ip ?? values.mcast_dst_ip)?.value;
  if (hint !== undefined) return familyOf(hint);
  return values.native_ipv6 ? 6 : 4;
}

function interfaceOf(
  { name, place, values }: InstanceBlock,
  globals: GlobalValues,
  report: Report,
): string | undefined {
  const given = values.interface;
  if (given) {
    const why =
      parseIp(given.value) !== undefined
        ? 'an address, not an interface'
        : given.value === 'lo'
          ? 'the loopback interface'
          : undefined;
    if (why === undefined) return given.value;
    report.add('E015', given.place, `${given.value} is ${why}`, {
      value: given.value,
      suggestion: 'name the interface of the network, such as eth0',
    });
    return undefined;
  }
  // keepalived before 2.3 takes eth0 even with unicast; later versions need no interface there, but `dev` on addresses.
  const unicast = values.unicast_peer !== undefined;
  const elsewhere = unicast
    ? values.virtual_ipaddress?.value.find((vip) => vip.device !== undefined)?.device
    : undefined;
  const device = globals.default_interface?.value ?? elsewhere ?? 'eth0';
  if (!globals.default_interface)
    report.add('W046', place, `${name} names no interface; ${device} is used`, {
      suggestion: `write interface ${device}, or default_interface in global_defs`,
    });
  return device;
}

function versionOf({ values }: InstanceBlock, family: Family, globals: GlobalValues, report: Report): 2 | 3 {
  const wanted = values.version;
  if (family === 6) {
    if (wanted?.value === 2)
      report.add('W040', wanted.place, 'VRRP version 2 knows no IPv6; version 3 is used', { value: '2' });
    return 3;
  }
  return ((wanted ?? globals.vrrp_version)?.value ?? 2) === 3 ? 3 : 2;
}

function priorityOf({ name, place, values }: InstanceBlock, state: 'MASTER' | 'BACKUP', report: Report): number {
  if (values.priority) return values.priority.value;
  if (wasRefused(values, 'priority')) return 100;
  const base = state === 'MASTER' ? 255 : 100;
  report.add(
    'W047',
    values.state?.place ?? place,
    `${name} has no priority; ${base} is used${state === 'MASTER' ? ', the owner of the addresses' : ''}`,
    {
      suggestion: 'write priority 1..254',
    },
  );
  return base;
}

/** v2: whole seconds, rounded half up, 1..255. v3: steps of 10 ms up to 40.95 s, the 12 bits of the wire. */
function intervalOf(values: InstanceValues, version: 2 | 3, report: Report): Micros {
  const given = values.advert_int;
  const wanted = given?.value ?? seconds(1);
  const step = version === 2 ? seconds(1) : millis(10);
  const max = version === 2 ? seconds(255) : millis(40_950);
  const used = micros(Math.min(max, Math.max(step, Math.round(wanted / step) * step)));
  if (given && used !== wanted)
    report.add(
      'W040',
      given.place,
      `VRRP version ${version} cannot say advert_int ${wanted / 1_000_000}; ${used / 1_000_000} is used`,
      {
        value: `${wanted / 1_000_000}`,
        limit: version === 2 ? '1..255 in whole seconds' : '0.01..40.95 in steps of 0.01',
        suggestion: version === 2 ? 'vrrp_version 3 allows intervals below a second' : undefined,
      },
    );
  return used;
}

function preemptionOf(
  values: InstanceValues,
  state: 'MASTER' | 'BACKUP',
  base: number,
  report: Report,
): { preempt: boolean; preemptDelay: Micros } {
  const { nopreempt, preempt_delay: delay } = values;
  const none = seconds(0);
  const clear = (what: Found<unknown>, keyword: string, why: string) =>
    report.add('W043', what.place, `${keyword} does not work with ${why} and is ignored`, {
      suggestion: why === 'state MASTER' ? 'write state BACKUP on all machines; the priority alone decides' : undefined,
    });
  let preempt = nopreempt === undefined;
  if (nopreempt && (state === 'MASTER' || base === 255)) {
    clear(nopreempt, 'nopreempt', state === 'MASTER' ? 'state MASTER' : 'priority 255');
    preempt = true;
  }
  if (!delay || delay.value === 0) return { preempt, preemptDelay: none };
  if (state === 'MASTER' || !preempt) {
    clear(delay, 'preempt_delay', state === 'MASTER' ? 'state MASTER' : 'nopreempt');
    return { preempt, preemptDelay: none };
  }
  return { preempt, preemptDelay: delay.value };
}

function announceOf(values: InstanceValues, globals: GlobalValues): AnnounceTiming {
  const few = globals.vrrp_min_garp?.value ?? false;
  const masterDelay =
    (values.garp_master_delay ?? globals.vrrp_garp_master_delay)?.value ?? (few ? seconds(0) : seconds(5));
  const masterRepeat = (values.garp_master_repeat ?? globals.vrrp_garp_master_repeat)?.value ?? (few ? 1 : 5);
  return {
    masterDelay,
    masterRepeat,
    refresh: (values.garp_master_refresh ?? globals.vrrp_garp_master_refresh)?.value ?? seconds(0),
    refreshRepeat: (values.garp_master_refresh_repeat ?? globals.vrrp_garp_master_refresh_repeat)?.value ?? 1,
    lowerPrioDelay: (values.garp_lower_prio_delay ?? globals.vrrp_garp_lower_prio_delay)?.value ?? masterDelay,
    lowerPrioRepeat: (values.garp_lower_prio_repeat ?? globals.vrrp_garp_lower_prio_repeat)?.value ?? masterRepeat,
  };
}
