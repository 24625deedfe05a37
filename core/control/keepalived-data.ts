// keepalived's data dump (SIGUSR1), as text: what exporters and people read in it, under keepalived's names and
// indents. keepalived calls the format unstable; what means nothing here (kernel buffers, SNMP, sockets) is left out. Pure.
import type { InstanceConfig, NotifyConfig, ScriptConfig, SyncGroupConfig } from '../config/model.ts';
import type { InstanceSnapshot } from '../engine/messages.ts';
import type { ScriptCondition, ScriptStatus } from '../health/script-status.ts';
import type { Micros } from '../units.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';
import {
  addressText,
  commandText,
  type DumpSources,
  holds,
  instancesOf,
  REDACTED,
  secondsOf,
  stateName,
} from './keepalived-dump.ts';
import { routingText } from './keepalived-routes.ts';

export function keepalivedData(sources: DumpSources): string {
  const { config } = sources;
  const { globals } = config;
  const lines = [
    '------< Global definitions >------',
    ` Router ID = ${globals.routerId}`,
    ` VRRP realtime priority = ${globals.realtimePriority ?? 0}`,
    ` Script security ${globals.enableScriptSecurity ? 'enabled' : 'disabled'}`,
    ...section(
      '------< Static Addresses >------',
      (config.statics?.addresses ?? []).map((vip) => `     ${addressText(vip, true)}`),
    ),
    ...section('------< Static Routes >------', routing(config.statics?.routes)),
    ...section('------< Static Rules >------', routing(config.statics?.rules)),
    '------< VRRP Topology >------',
    ...[...instancesOf(sources)].flatMap(({ instance, snapshot }) => instanceLines(instance, snapshot, sources)),
    ...(config.groups.length === 0
      ? []
      : ['------< VRRP Sync groups >------', ...config.groups.flatMap((group) => groupLines(group, sources))]),
    ...(sources.scripts.length === 0
      ? []
      : ['------< VRRP Scripts >------', ...sources.scripts.flatMap((status) => scriptLines(status, sources))]),
  ];
  return `${lines.join('\n')}\n`;
}

function instanceLines(instance: InstanceConfig, snapshot: InstanceSnapshot, sources: DumpSources): string[] {
  const { announce, transport, vips, excludedVips, trackInterfaces, trackScripts, notify } = instance;
  const group = sources.config.groups.find(({ members }) => members.includes(instance.name));
  const isV6 = instance.family === 6;
  const unicast = transport.mode === 'unicast' ? transport : undefined;
  const state = stateName(snapshot.state);
  const { since, master } = snapshot;
  const addresses = (list: typeof vips) => list.map((vip) => `     ${addressText(vip, holds(snapshot, vip))}`);
  return [
    ` VRRP Instance = ${instance.name}`,
    `   VRRP Version = ${instance.version}`,
    ...(group ? [`   Sync group = ${group.name}`] : []),
    ...(isV6 ? ['   Using Native IPv6'] : []),
    `   State = ${state}`,
    ...(master && state === 'BACKUP'
      ? [`   Master router = ${master.source}`, `   Master priority = ${master.priority}`]
      : []),
    ...(unicast ? ['   Flags:', '     Using unicast'] : ['   Flags: none']),
    `   Wantstate = ${state}`,
    `   Number of interface and track script faults = ${snapshot.faults.length}`,
    `   Last transition = ${(since / 1_000).toFixed(6)} (${dateText(since)})`,
    `   Master down timer = ${Math.round(snapshot.downInterval)} usecs`,
    `   Interface = ${instance.interface}`,
    ...(transport.source === undefined ? [] : [`   Using src_ip = ${transport.source} (from configuration)`]),
    ...(transport.mode === 'multicast' ? [`   Multicast address ${transport.group}`] : []),
    `   Gratuitous ARP delay = ${secondsOf(announce.masterDelay)}`,
    `   Gratuitous ARP repeat = ${announce.masterRepeat}`,
    `   Gratuitous ARP refresh = ${secondsOf(announce.refresh)}`,
    `   Gratuitous ARP refresh repeat = ${announce.refreshRepeat}`,
    `   Gratuitous ARP lower priority delay = ${secondsOf(announce.lowerPrioDelay)}`,
    `   Gratuitous ARP lower priority repeat = ${announce.lowerPrioRepeat}`,
    `   Down timer adverts = ${instance.downTimerAdverts}`,
    `   Send advert after receive lower priority advert = ${instance.answerLowerPriority}`,
    `   Send advert after receive higher priority advert = ${instance.advertiseBeforeYielding}`,
    `   Virtual Router ID = ${instance.vrid}`,
    `   Priority = ${snapshot.basePriority}`,
    `   Effective priority = ${snapshot.effectivePriority}`,
    `   Advert interval = ${intervalText(instance.interval)}`,
    '   Accept = enabled',
    `   Preempt = ${instance.preempt ? 'enabled' : 'disabled'}`,
    ...(instance.preemptDelay > 0 ? [`   Preempt delay = ${secondsOf(instance.preemptDelay)} secs`] : []),
    ...(instance.authentication.type !== 'none'
      ? [
          `   Authentication type = ${instance.authentication.type === 'AH' ? 'IPSEC_AH' : 'SIMPLE_PASSWORD'}`,
          `   Password = ${REDACTED}`,
        ]
      : []),
    ...(vips.length === 0 ? [] : [`   Virtual IP (${vips.length}):`, ...addresses(vips)]),
    ...(excludedVips.length === 0 ? [] : ['   Virtual IP Excluded :', ...addresses(excludedVips)]),
    ...section('   Virtual Routes :', routing(instance.routes)),
    ...section('   Virtual Rules :', routing(instance.rules)),
    ...(unicast
      ? [
          `   Unicast TTL = ${unicast.ttl}`,
          `   Check unicast src : ${instance.checkUnicastSource ? 'yes' : 'no'}`,
          '   Unicast Peer :',
          ...unicast.peers.map((peer) => `     ${peer.address} min_ttl ${peer.minTtl} max_ttl ${peer.maxTtl}`),
        ]
      : []),
    ...section(
      '   Tracked interfaces :',
      trackInterfaces.map(({ name, weight }) => `     ${name} weight ${weight}`),
    ),
    ...section(
      '   Tracked scripts :',
      trackScripts.map(({ name, weight }) => `     ${name} weight ${weight}`),
    ),
    ...notifyLines(notify, sources),
  ];
}

function notifyLines(notify: NotifyConfig, { resolve }: DumpSources): string[] {
  const kinds = [
    ['Backup', notify.backup],
    ['Fault', notify.fault],
    ['Master', notify.master],
    ['Stop', notify.stop],
    ['Generic', notify.any],
  ] as const;
  return kinds.flatMap(([kind, command]) =>
    command ? [`   ${kind} state transition script = ${commandText(command, resolve)}`] : [],
  );
}

function groupLines({ name, members, notify }: SyncGroupConfig, sources: DumpSources): string[] {
  const states = members.map((member) => sources.snapshots.find((snapshot) => snapshot.name === member)?.state);
  const state = ['FAULT', 'INIT', 'BACKUP', 'MASTER'].find((word) => states.some((s) => s && stateName(s) === word));
  return [
    ` VRRP Sync Group = ${name}, ${state ?? 'INIT'}`,
    '   VRRP member instances :',
    ...members.map((member) => `     ${member}`),
    ...notifyLines(notify, sources),
  ];
}

const CONDITIONS: Readonly<Record<ScriptCondition, string>> = {
  ok: 'GOOD',
  failed: 'BAD',
  waiting: 'INIT',
  disabled: 'DISABLED',
};

function scriptLines(status: ScriptStatus, { config, resolve }: DumpSources): string[] {
  const script: ScriptConfig | undefined = config.scripts.find(({ name }) => name === status.name);
  if (script === undefined) return [];
  return [
    ` VRRP Script = ${script.name}`,
    `   Command = ${commandText(script.command, resolve)}`,
    `   Interval = ${secondsOf(script.interval)} sec`,
    `   Timeout = ${secondsOf(script.timeout)} sec`,
    `   Weight = ${script.weight}${script.reverse ? ' reverse' : ''}`,
    `   Rise = ${script.rise}`,
    `   Fall = ${script.fall}`,
    `   Init state = ${script.initFail ? 'failed' : 'unknown'}`,
    `   Status = ${CONDITIONS[status.condition]}`,
    ...section(
      '   Tracking instances :',
      status.usedBy.map(({ instance, weight }) => `     ${instance}, weight ${weight}`),
    ),
    '   State = idle',
  ];
}

const routing = (entries: readonly RoutingEntry[] = []): readonly string[] =>
  entries.map((entry) => `     ${routingText(entry)}`);

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines];

/** Whole seconds in seconds, everything else in milliseconds. */
const intervalText = (interval: Micros): string =>
  interval % 1_000_000 === 0 ? `${interval / 1_000_000} sec` : `${interval / 1_000} milli-sec`;

/** `Sat Nov 21 08:37:45.311000 2026`, local time. */
function dateText(time: number): string {
  const date = new Date(time);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  const clock = date.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock}.${String(time % 1_000).padStart(3, '0')}000 ${year}`;
}
