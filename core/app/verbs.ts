// The verbs of the control socket, answered from what agent, engine and trackers know.
import type { Agent } from '../agent/agent.ts';
import type { CheckTracker } from '../agent/check-tracker.ts';
import type { EngineClient } from '../agent/engine-client.ts';
import type { PeerNames } from '../agent/peer-names.ts';
import type { ScriptTracker } from '../agent/script-tracker.ts';
import type { Trackers } from '../agent/trackers.ts';
import type { VerbHandler } from '../control/server.ts';
import { buildStatus, type StatusReport } from '../control/status-report.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import type { ChosenTransport } from './transport.ts';
import { VERSION } from './version.ts';

export interface VerbSources {
  readonly agent: Agent;
  readonly engine: EngineClient;
  readonly scripts: ScriptTracker;
  readonly checks: CheckTracker;
  readonly trackers: Trackers;
  readonly peerNames: PeerNames;
  readonly file: ConfigurationFile;
  readonly transport: ChosenTransport;
}

const started = Date.now();

export function controlVerbs(sources: VerbSources): ReadonlyMap<string, VerbHandler> {
  return new Map<string, VerbHandler>([['status', () => statusOf(sources)]]);
}

/** @throws Error when the engine does not answer */
export async function statusOf({
  agent,
  engine,
  scripts,
  checks,
  trackers,
  peerNames,
  file,
  transport,
}: VerbSources): Promise<StatusReport> {
  const { instances: snapshots, bfds = [] } = await engine.snapshot();
  return buildStatus({
    now: Date.now(),
    process: {
      pid: process.pid,
      version: VERSION,
      started,
      configFile: file.path,
      configLoaded: file.loaded,
      reloadError: file.refusal,
      routerId: agent.configuration.globals.routerId,
      transport: transport.name,
    },
    config: agent.configuration,
    snapshots,
    bfds,
    scripts: scripts.scripts(),
    checks: await checks.checks(),
    watched: trackers.statuses(),
    names: peerNames.names(),
  });
}
