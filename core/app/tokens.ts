// Names of the long-lived services in the container, each cast once to the type it stands for.
import type { ServiceIdentifier } from 'inversify';
import type { Agent, Loaded } from '../agent/agent.ts';
import type { CheckTracker } from '../agent/check-tracker.ts';
import type { EngineClient, EngineThread } from '../agent/engine-client.ts';
import type { Teller } from '../agent/events.ts';
import type { Log } from '../agent/log.ts';
import type { LogFormat } from '../agent/log-format.ts';
import type { NotifyPlugins } from '../agent/notify-plugins.ts';
import type { PeerNames } from '../agent/peer-names.ts';
import type { ScriptTracker } from '../agent/script-tracker.ts';
import type { Trackers } from '../agent/trackers.ts';
import type { EngineTransport } from '../config/model.ts';
import type { ControlServer } from '../control/server.ts';
import type { Files } from '../ports/files.ts';
import type { ProcessRunner, Timing } from '../ports/process.ts';
import type { Native } from '../system/native/index.ts';
import type { CheckThreadPool } from './check-threads.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import type { LogTarget } from './log-target.ts';
import type { ChosenTransport } from './transport.ts';

/** What the command line asked for. */
export interface RunOptions {
  readonly configFile: string;
  readonly runtimeDir: string;
  /** -D: log more. */
  readonly detail: boolean;
  /** Default text. */
  readonly logFormat?: LogFormat;
  /** Default stderr. */
  readonly logTarget?: LogTarget;
  /** What @ID lines are compared with. Default: the host name up to its first dot. */
  readonly configId?: string;
  /** keepalived's pid files, beside our own in the runtime directory. */
  readonly pidFiles?: readonly string[];
  /** Where signals leave their dumps. Default: the runtime directory. */
  readonly dumpDirectory?: string;
  /** Network namespace to work in, by its name in /run/netns. */
  readonly namespace?: string;
  /** What ps(1), pgrep(1) and pidof(8) call the process. */
  readonly title?: string;
  /** Said in the log at the start. */
  readonly remarks?: readonly string[];
  /** What carries the adverts, whatever the file says. Default: what the file says. */
  readonly transport?: EngineTransport;
  /** SIGINT does nothing. */
  readonly ignoreInterrupt?: boolean;
  /** Called once, when the first configuration is in force. */
  readonly onReady?: () => void;
}

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`vipkeeper.${name}`) as ServiceIdentifier<T>;

export const OPTIONS = token<RunOptions>('options');
export const NATIVE = token<Native>('native');
export const LOG = token<Log>('log');
export const TIMING = token<Timing>('timing');
/** What carries the adverts; known when the first configuration is. */
export const TRANSPORT = token<ChosenTransport>('transport');
export const FILES = token<Files>('files');
/** The threads of plugins. */
export const CHECK_THREADS = token<CheckThreadPool>('check-threads');
export const CHECKS = token<CheckTracker>('checks');
export const PROCESSES = token<ProcessRunner>('processes');
export const CONFIGURATION_FILE = token<ConfigurationFile>('configuration-file');
/** The configuration that the process starts with. */
export const FIRST = token<Loaded>('first-configuration');
export const ENGINE_THREAD = token<EngineThread>('engine-thread');
export const ENGINE = token<EngineClient>('engine');
/** Check scripts, for their reports; what they say goes through TRACKERS. */
export const SCRIPTS = token<ScriptTracker>('scripts');
export const PEER_NAMES = token<PeerNames>('peer-names');
export const TRACKERS = token<Trackers>('trackers');
/** Notices of changes, for programs, named pipes and mail. */
export const TELLER = token<Teller>('teller');
/** Notifiers that plugins make. */
export const NOTIFIERS = token<NotifyPlugins>('notifiers');
export const AGENT = token<Agent>('agent');
export const CONTROL = token<ControlServer>('control');
