// keepalived's JSON dump (SIGRTMIN+2): same keys in the same order, version 1 (an array) and 2 (an object). Pure.
// Differs from 2.2.7 where that tells lies or secrets: auth_data is not shown, advert_interval_err is counted.
import type { InstanceConfig } from '../config/model.ts';
import type { InstanceSnapshot } from '../engine/messages.ts';
import {
  addressText,
  commandText,
  type DumpSources,
  errorsOf,
  holds,
  instancesOf,
  masterPriority,
  REDACTED,
  secondsOf,
  stateNumber,
} from './keepalived-dump.ts';
import { routingText } from './keepalived-routes.ts';

/** @param version `json_version` of the configuration */
export function keepalivedJson(sources: DumpSources, version: 1 | 2): string {
  const vrrp = [...instancesOf(sources)].map(({ instance, snapshot }) => ({
    data: dataOf(instance, snapshot, sources),
    stats: statsOf(snapshot, instance.hmac !== undefined),
  }));
  return JSON.stringify(version === 2 ? { vrrp } : vrrp);
}

function dataOf(instance: InstanceConfig, snapshot: InstanceSnapshot, { config, resolve }: DumpSources) {
  const { announce, notify, authentication, vips, excludedVips, trackInterfaces, trackScripts } = instance;
  const { state, master } = snapshot;
  const number = stateNumber(state);
  const waits = number === 1 && master !== undefined && instance.version === 3;
  const scripts = trackScripts.flatMap(({ name }) => config.scripts.filter((script) => script.name === name));
  const program = (name: string, command: (typeof notify)['any']) =>
    command === undefined ? {} : { [name]: commandText(command, resolve) };
  const list = (name: string, values: readonly string[]) => (values.length === 0 ? {} : { [name]: values });
  return {
    iname: instance.name,
    dont_track_primary: instance.trackPrimary ? 0 : 1,
    skip_check_adv_addr: 0,
    strict_mode: instance.strict ? 1 : 0,
    vmac_ifname: instance.virtualInterface?.kind === 'macvlan' ? instance.virtualInterface.name : '',
    ifp_ifname: instance.interface,
    master_priority: masterPriority(snapshot),
    last_transition: snapshot.since / 1_000,
    garp_delay: secondsOf(announce.masterDelay),
    garp_refresh: secondsOf(announce.refresh),
    garp_rep: announce.masterRepeat,
    garp_refresh_rep: announce.refreshRepeat,
    garp_lower_prio_delay: secondsOf(announce.lowerPrioDelay),
    garp_lower_prio_rep: announce.lowerPrioRepeat,
    lower_prio_no_advert: instance.answerLowerPriority ? 0 : 1,
    higher_prio_send_advert: instance.advertiseBeforeYielding ? 1 : 0,
    vrid: instance.vrid,
    base_priority: snapshot.basePriority,
    effective_priority: snapshot.effectivePriority,
    vipset: snapshot.addresses.some(({ held }) => held),
    promote_secondaries: instance.promoteSecondaries ?? false,
    adver_int: secondsOf(instance.interval),
    master_adver_int: secondsOf(waits ? master.interval : instance.interval),
    accept: (instance.accept ?? true) ? 1 : 0,
    nopreempt: !instance.preempt,
    preempt_delay: secondsOf(instance.preemptDelay),
    state: number,
    wantstate: number,
    version: instance.version,
    smtp_alert: notify.smtpAlert ?? config.globals.mail?.alertVrrp ?? false,
    notify_deleted: notify.deleted ?? false,
    ...program('script_backup', notify.backup),
    ...program('script_master', notify.master),
    ...program('script_fault', notify.fault),
    ...program('script_stop', notify.stop),
    ...program('script', notify.any),
    ...program('script_master_rx_lower_pri', notify.masterRxLowerPriority),
    ...list(
      'vips',
      vips.map((vip) => addressText(vip, holds(snapshot, vip))),
    ),
    ...list(
      'evips',
      excludedVips.map((vip) => addressText(vip, holds(snapshot, vip))),
    ),
    ...list('vroutes', (instance.routes ?? []).map(routingText)),
    ...list('vrules', (instance.rules ?? []).map(routingText)),
    ...list(
      'track_ifp',
      trackInterfaces.map(({ name }) => name),
    ),
    ...list(
      'track_script',
      scripts.map(({ command }) => commandText(command, resolve)),
    ),
    ...list(
      'track_process',
      (instance.trackProcesses ?? []).map(({ name }) => name),
    ),
    auth_type: { none: 0, PASS: 1, AH: 2 }[authentication.type],
    ...(authentication.type !== 'none' && { auth_data: REDACTED }),
  };
}

/** @param signed the instance has auth_hmac: keepalived 2.4 has counters for it */
function statsOf(snapshot: InstanceSnapshot, signed: boolean) {
  const { statistics } = snapshot;
  const errors = errorsOf(snapshot);
  return {
    advert_rcvd: statistics.advertisementsReceived,
    advert_sent: statistics.advertisementsSent,
    become_master: statistics.becomeMaster,
    release_master: statistics.releaseMaster,
    packet_len_err: errors.length,
    advert_interval_err: errors.interval,
    ip_ttl_err: errors.ttl,
    invalid_type_rcvd: errors.type,
    addr_list_err: errors.addressList,
    invalid_authtype: errors.authType,
    authtype_mismatch: errors.authMismatch,
    auth_failure: errors.authFailure,
    ...(signed && errors.signature),
    pri_zero_rcvd: statistics.priorityZeroReceived,
    pri_zero_sent: statistics.priorityZeroSent,
  };
}
