// The document that `status` answers with: what the agent knows about each virtual router, in one versioned shape.
// Pure: built from what engine, trackers and configuration say. Fields are only ever added within a version.
import type { EngineTransport, InstanceConfig, SyncGroupConfig } from '../config/model.ts';
import type { BfdSnapshot, InstanceSnapshot, InstanceStatistics } from '../engine/messages.ts';
import type { CheckStatus } from '../health/check-status.ts';
import type { NameStatus } from '../health/name-status.ts';
import type { ScriptCondition, ScriptStatus } from '../health/script-status.ts';
import { contribution } from '../health/verdict.ts';
import type { WatchedCondition, WatchedStatus } from '../health/watched-status.ts';
import { type BfdReport, bfdReport, watchedSessions } from './bfd-report.ts';
import { type CheckReport, checkReport } from './check-report.ts';

export const STATUS_VERSION = 1;

export interface ProcessFacts {
  readonly pid: number;
  /** Of vipkeeper. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly configFile: string;
  /** Milliseconds since 1970 at which the configuration in force was read. */
  readonly configLoaded: number;
  /** Why the latest reload was refused; undefined: it was not. */
  readonly reloadError: string | undefined;
  readonly routerId: string;
  /** What carries the adverts. Default native. */
  readonly transport?: EngineTransport;
}

export interface StatusSources {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly process: ProcessFacts;
  readonly config: { readonly instances: readonly InstanceConfig[]; readonly groups: readonly SyncGroupConfig[] };
  readonly snapshots: readonly InstanceSnapshot[];
  /** Default: none. */
  readonly bfds?: readonly BfdSnapshot[];
  readonly scripts: readonly ScriptStatus[];
  /** Checks of plugins. Default: none. */
  readonly checks?: readonly CheckStatus[];
  /** Files, processes and other kinds. Default: none. */
  readonly watched?: readonly WatchedStatus[];
  /** Names of peers. Default: none. */
  readonly names?: readonly NameStatus[];
}

/** Times are ISO 8601 in UTC, durations milliseconds; what is unknown is null. */
export interface StatusReport {
  readonly kind: 'vipkeeper-status';
  readonly version: typeof STATUS_VERSION;
  readonly generated: string;
  readonly process: {
    readonly pid: number;
    readonly version: string;
    readonly started: string;
    readonly configFile: string;
    readonly configLoaded: string;
    readonly reloadError: string | null;
    readonly routerId: string;
    readonly transport: EngineTransport;
  };
  readonly instances: readonly InstanceReport[];
  /** Checks of plugins; agents before 0.2 do not tell. */
  readonly checks?: readonly CheckReport[];
  /** BFD sessions; agents before 0.2 do not tell. */
  readonly bfds?: readonly BfdReport[];
}

export interface InstanceReport {
  readonly name: string;
  readonly state: InstanceSnapshot['state'];
  readonly since: string;
  readonly forMs: number;
  /** The word of the latest transition, and a person's words. */
  readonly why: InstanceSnapshot['lastReason'];
  readonly detail: string;
  readonly faults: readonly string[];
  readonly interface: string | null;
  readonly vrid: number | null;
  readonly family: 4 | 6 | null;
  readonly vrrpVersion: 2 | 3 | null;
  readonly group: string | null;
  /** `checks` is what trackers changed: effective - base. */
  readonly priority: { readonly base: number; readonly effective: number; readonly checks: number };
  readonly addresses: readonly {
    readonly address: string;
    readonly prefix: number;
    readonly device: string;
    /** Whether this machine's kernel holds it now. */
    readonly held: boolean;
  }[];
  /** Routes and rules in the words of the file, and whether they are set now. */
  readonly routing: readonly { readonly text: string; readonly held: boolean }[];
  readonly master: PeerReport | null;
  /** The latest claim of one of the addresses by another machine, while they were held here; null: none. */
  readonly conflict?: { readonly address: string; readonly mac: string; readonly ageMs: number } | null;
  readonly peers: readonly PeerReport[];
  readonly scripts: readonly ScriptReport[];
  readonly watched: readonly WatchedReport[];
  readonly peerNames: readonly PeerNameReport[];
  readonly timers: { readonly downMs: number; readonly skewMs: number };
  readonly statistics: InstanceStatistics;
}

export interface PeerReport {
  readonly address: string;
  readonly priority: number;
  /** Since its latest advert. */
  readonly ageMs: number;
}

export interface ScriptReport {
  readonly name: string;
  readonly condition: ScriptCondition;
  readonly detail: string;
  readonly since: string;
  readonly command: readonly string[];
  readonly weight: number;
  readonly reverse: boolean;
  /** What it adds to the priority at present. */
  readonly contribution: number;
  readonly lastRun: {
    readonly time: string;
    readonly ok: boolean;
    readonly outcome: string;
    readonly output: string;
    readonly tookMs: number;
  } | null;
  readonly runs: number;
  readonly failures: number;
  readonly skipped: number;
}

/** A name in unicast_peer and what it means. */
export interface PeerNameReport {
  readonly name: string;
  /** Without this machine's own. */
  readonly addresses: readonly string[];
  readonly answered: string | null;
  /** Why the latest question had no answer, so that the one before counts; empty: it had. */
  readonly problem: string;
}

/** A file, a process or another kind of thing that is watched. */
export interface WatchedReport {
  readonly kind: string;
  readonly name: string;
  readonly condition: WatchedCondition;
  readonly value: number | null;
  readonly detail: string;
  /** What is wrong with watching it; empty: nothing. */
  readonly problem: string;
  readonly since: string;
  readonly subject: string;
  readonly weight: number;
  readonly reverse: boolean;
  /** What it adds to the priority at present; below -253 it is a fault. */
  readonly contribution: number;
}

export function buildStatus(sources: StatusSources): StatusReport {
  const { now, process } = sources;
  return {
    kind: 'vipkeeper-status',
    version: STATUS_VERSION,
    generated: iso(now),
    process: {
      pid: process.pid,
      version: process.version,
      started: iso(process.started),
      configFile: process.configFile,
      configLoaded: iso(process.configLoaded),
      reloadError: process.reloadError ?? null,
      routerId: process.routerId,
      transport: process.transport ?? 'native',
    },
    instances: sources.snapshots.map((snapshot) => instanceReport(snapshot, sources)),
    checks: (sources.checks ?? []).map(checkReport),
    bfds: (sources.bfds ?? []).map((session) => bfdReport(session, now)),
  };
}

function instanceReport(
  snapshot: InstanceSnapshot,
  { now, config, scripts, watched = [], names = [], bfds = [] }: StatusSources,
): InstanceReport {
  const configured = config.instances.find(({ name }) => name === snapshot.name);
  const { basePriority, effectivePriority, master, conflict } = snapshot;
  return {
    name: snapshot.name,
    state: snapshot.state,
    since: iso(snapshot.since),
    forMs: Math.max(0, now - snapshot.since),
    why: snapshot.lastReason,
    detail: snapshot.lastDetail,
    faults: snapshot.faults,
    interface: configured?.interface ?? null,
    vrid: configured?.vrid ?? null,
    family: configured?.family ?? null,
    vrrpVersion: configured?.version ?? null,
    group: config.groups.find(({ members }) => members.includes(snapshot.name))?.name ?? null,
    priority: { base: basePriority, effective: effectivePriority, checks: effectivePriority - basePriority },
    addresses: snapshot.addresses.map(({ address, prefix, device, held }) => ({ address, prefix, device, held })),
    routing: snapshot.routing ?? [],
    master: master ? peerReport(master) : null,
    conflict: conflict ? { address: conflict.address, mac: conflict.mac, ageMs: conflict.age / 1_000 } : null,
    peers: snapshot.peers.map(peerReport),
    scripts: scripts.flatMap((script) => scriptReports(script, snapshot.name)),
    peerNames: names
      .filter(({ instance }) => instance === snapshot.name)
      .map(({ name, addresses, answered, problem }) => ({
        name,
        addresses,
        answered: answered === undefined ? null : iso(answered),
        problem,
      })),
    watched: [...watched, ...watchedSessions(bfds, config)].flatMap((one) => watchedReports(one, snapshot.name)),
    timers: { downMs: snapshot.downInterval / 1_000, skewMs: snapshot.skew / 1_000 },
    statistics: snapshot.statistics,
  };
}

function peerReport({ source, priority, age }: InstanceSnapshot['peers'][number]): PeerReport {
  return { address: source, priority, ageMs: age / 1_000 };
}

function scriptReports(script: ScriptStatus, instance: string): ScriptReport[] {
  const { name, condition, detail, command, lastRun, runs, failures, skipped } = script;
  const up = condition === 'ok' ? true : condition === 'failed' ? false : undefined;
  return script.usedBy
    .filter((use) => use.instance === instance)
    .map(({ weight, reverse }) => ({
      name,
      condition,
      detail,
      since: iso(script.since),
      command,
      weight,
      reverse,
      contribution: contribution({ name, weight, reverse }, up),
      lastRun: lastRun && {
        time: iso(lastRun.time),
        ok: lastRun.ok,
        outcome: lastRun.outcome,
        output: lastRun.output,
        tookMs: lastRun.took,
      },
      runs,
      failures,
      skipped,
    }))
    .map((report) => ({ ...report, lastRun: report.lastRun ?? null }));
}

function watchedReports(watched: WatchedStatus, instance: string): WatchedReport[] {
  const { kind, name, condition, value, multiplied, detail, problem, subject } = watched;
  const up = condition === 'waiting' ? undefined : condition === 'ok';
  return watched.usedBy
    .filter((use) => use.instance === instance)
    .map(({ weight, reverse }) => ({
      kind,
      name,
      condition,
      value: value ?? null,
      detail,
      problem,
      since: iso(watched.since),
      subject,
      weight,
      reverse,
      contribution: contribution({ name, weight, reverse }, up, multiplied ? value : undefined),
    }));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
