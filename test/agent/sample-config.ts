// Small configurations for tests of the agent: as the parser would make them, with only the interesting parts given.
import type { VettedCommand, VettedCommands } from '../../core/agent/script-security.ts';
import type {
  Command,
  GlobalDefs,
  InstanceConfig,
  ScriptConfig,
  SyncGroupConfig,
  Track,
} from '../../core/config/model.ts';
import { micros, millis, priority, seconds, vrid } from '../../core/units.ts';

/** What a file without global_defs says. */
export function globals(): GlobalDefs {
  return {
    routerId: 'test',
    scriptUser: undefined,
    enableScriptSecurity: false,
    realtimePriority: undefined,
    addressLifetime: true,
  };
}

export function script(name: string, changes: Partial<ScriptConfig> = {}): ScriptConfig {
  return {
    name,
    command: { argv: [`/bin/${name}`] },
    interval: seconds(1),
    timeout: seconds(1),
    weight: 0,
    reverse: false,
    rise: 1,
    fall: 1,
    initFail: false,
    ...changes,
  };
}

export function track(name: string, weight = 0, reverse = false): Track {
  return { name, weight, reverse };
}

export function instance(name: string, changes: Partial<InstanceConfig> = {}): InstanceConfig {
  return {
    name,
    interface: 'eth0',
    family: 4,
    vrid: vrid(51),
    version: 2,
    initialState: 'BACKUP',
    priority: priority(100),
    interval: seconds(1),
    preempt: true,
    preemptDelay: micros(0),
    downTimerAdverts: 3,
    transport: { mode: 'unicast', source: undefined, peers: [], ttl: 255 },
    authentication: { type: 'none' },
    vips: [],
    excludedVips: [],
    announce: {
      masterDelay: seconds(5),
      masterRepeat: 5,
      refresh: micros(0),
      refreshRepeat: 1,
      lowerPrioDelay: millis(5_000),
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

export function group(
  name: string,
  members: readonly string[],
  changes: Partial<SyncGroupConfig> = {},
): SyncGroupConfig {
  return { name, members, notify: {}, trackScripts: [], trackInterfaces: [], ...changes };
}

/** Everything may run as it is, but for those programs that a test disables. */
export function allReady(disabled: Readonly<Record<string, string>> = {}): VettedCommands {
  return {
    findings: [],
    of({ argv: [program = '', ...args] }: Command): VettedCommand {
      const why = disabled[program];
      if (why !== undefined) return { type: 'disabled', why };
      return { type: 'ready', command: { argv: [program, ...args], identity: undefined } };
    },
  };
}
