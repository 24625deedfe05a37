// What the builders make of a keyword, and where it comes from when an instance does not say it: the part of an
// explanation that the tables of the language do not tell. Pure.
import type { Micros } from '../units.ts';
import type { GlobalDefs, InstanceConfig, ScriptConfig, SyncGroupConfig } from './model.ts';

/** What the builders made of a keyword, and the keywords of global_defs that stand behind it. */
export interface Settled<T> {
  readonly effective: (built: T, globals: GlobalDefs) => string | undefined;
  readonly global?: readonly string[];
  /** The keyword whose value is the default. */
  readonly follows?: string;
}

const seconds = (time: Micros): string => `${time / 1_000_000}`;
const onOff = (value: boolean): string => (value ? 'on' : 'off');

export const INSTANCE: Readonly<Record<string, Settled<InstanceConfig>>> = {
  state: { effective: ({ initialState }) => initialState },
  interface: { effective: (one) => one.interface, global: ['default_interface'] },
  virtual_router_id: { effective: ({ vrid }) => `${vrid}` },
  priority: { effective: ({ priority }) => `${priority}` },
  version: { effective: ({ version }) => `${version}`, global: ['vrrp_version'] },
  advert_int: { effective: ({ interval }) => seconds(interval) },
  nopreempt: { effective: ({ preempt }) => (preempt ? undefined : '') },
  preempt_delay: { effective: ({ preemptDelay }) => seconds(preemptDelay) },
  down_timer_adverts: { effective: (one) => `${one.downTimerAdverts}`, global: ['vrrp_down_timer_adverts'] },
  unicast_src_ip: { effective: ({ transport }) => (transport.mode === 'unicast' ? transport.source : undefined) },
  unicast_ttl: { effective: ({ transport }) => (transport.mode === 'unicast' ? `${transport.ttl}` : undefined) },
  mcast_src_ip: { effective: ({ transport }) => (transport.mode === 'multicast' ? transport.source : undefined) },
  mcast_dst_ip: {
    effective: ({ transport }) => (transport.mode === 'multicast' ? transport.group : undefined),
    global: ['vrrp_mcast_group4', 'vrrp_mcast_group6'],
  },
  check_unicast_src: {
    effective: (one) => (one.transport.mode === 'unicast' ? onOff(one.checkUnicastSource) : undefined),
    global: ['vrrp_check_unicast_src'],
  },
  garp_master_delay: { effective: ({ announce }) => seconds(announce.masterDelay), global: ['vrrp_garp_master_delay'] },
  garp_master_repeat: { effective: ({ announce }) => `${announce.masterRepeat}`, global: ['vrrp_garp_master_repeat'] },
  garp_master_refresh: { effective: ({ announce }) => seconds(announce.refresh), global: ['vrrp_garp_master_refresh'] },
  garp_master_refresh_repeat: {
    effective: ({ announce }) => `${announce.refreshRepeat}`,
    global: ['vrrp_garp_master_refresh_repeat'],
  },
  garp_lower_prio_delay: {
    effective: ({ announce }) => seconds(announce.lowerPrioDelay),
    global: ['vrrp_garp_lower_prio_delay'],
    follows: 'garp_master_delay',
  },
  garp_lower_prio_repeat: {
    effective: ({ announce }) => `${announce.lowerPrioRepeat}`,
    global: ['vrrp_garp_lower_prio_repeat'],
    follows: 'garp_master_repeat',
  },
  lower_prio_no_advert: { effective: (one) => onOff(!one.answerLowerPriority), global: ['vrrp_lower_prio_no_advert'] },
  higher_prio_send_advert: {
    effective: (one) => onOff(one.advertiseBeforeYielding),
    global: ['vrrp_higher_prio_send_advert'],
  },
  vrrp_stop_order: {
    effective: (one) => (one.makeBeforeBreak ? 'make_before_break' : 'break_before_make'),
    global: ['vrrp_stop_order'],
  },
  strict_mode: { effective: ({ strict }) => onOff(strict === true), global: ['vrrp_strict'] },
  v3_checksum_as_v2: {
    effective: (one) =>
      one.version === 3 && one.family === 4 ? onOff(one.checksumWithoutPseudoHeader === true) : undefined,
    global: ['v3_checksum_as_v2'],
  },
  fast_handover: { effective: (one) => onOff(one.fastHandover !== false), global: ['vrrp_fast_handover'] },
  owner_ignore_adverts: {
    effective: (one) => (one.priority === 255 ? onOff(one.ownerIgnoresAdverts === true) : undefined),
    global: ['vrrp_owner_ignore_adverts'],
  },
  smtp_alert: {
    effective: ({ notify }, { mail }) => onOff(notify.smtpAlert ?? mail?.alertVrrp ?? false),
    global: ['smtp_alert_vrrp', 'smtp_alert'],
  },
  notify_priority_changes: {
    effective: ({ notify }, { notifyPriorityChanges }) =>
      onOff(notify.priorityChanges ?? notifyPriorityChanges ?? false),
    global: ['vrrp_notify_priority_changes'],
  },
  authentication: {
    effective: ({ authentication: { type } }) => (type === 'none' ? 'none' : `auth_type ${type} auth_pass ********`),
  },
};

export const SCRIPT: Readonly<Record<string, Settled<ScriptConfig>>> = {
  interval: { effective: ({ interval }) => seconds(interval) },
  timeout: { effective: ({ timeout }) => seconds(timeout), follows: 'interval' },
  weight: { effective: ({ weight, reverse }) => `${weight}${reverse ? ' reverse' : ''}` },
  rise: { effective: ({ rise }) => `${rise}` },
  fall: { effective: ({ fall }) => `${fall}` },
};

/** Addresses, peers, trackers and members that the builders kept, as texts; undefined: nothing is known of the keyword. */
export function keptOf(keyword: string, built: unknown): ReadonlySet<string> | undefined {
  const one = (built ?? {}) as Partial<InstanceConfig & SyncGroupConfig>;
  const names = (items: readonly { readonly name: string }[] = []) => items.map(({ name }) => name);
  switch (keyword) {
    case 'virtual_ipaddress':
    case 'virtual_ipaddress_excluded':
      return new Set([...(one.vips ?? []), ...(one.excludedVips ?? [])].map(({ address }) => address));
    case 'unicast_peer':
      return new Set(
        one.transport?.mode === 'unicast'
          ? [...one.transport.peers.map(({ address }) => address as string), ...names(one.transport.names)]
          : [],
      );
    case 'track_script':
      return new Set(names(one.trackScripts));
    case 'track_interface':
      // The instance's own is tracked without being listed.
      return new Set([...names(one.trackInterfaces), ...(one.interface === undefined ? [] : [one.interface])]);
    case 'track_file':
      return new Set(names(one.trackFiles));
    case 'track_process':
      return new Set(names(one.trackProcesses));
    case 'track_bfd':
      return new Set(names(one.trackBfds));
    case 'group':
      return new Set(one.members);
  }
  return undefined;
}
