// What a health check is: a plugin that makes probes from a block of options. Interfaces only; who runs them, when, and
// what follows from a result is somebody else's business.
import type { Micros } from '../units.ts';
import type { CheckNetwork } from './network.ts';
import type { Complain, OptionSpecs, OptionValues, PlainOptions } from './options.ts';
import type { CheckPrograms } from './program.ts';

/** The version of this interface. A plugin that says another one is refused. */
export const PLUGIN_API = 1;

/** What one probe found. The words are for people: short, without secrets, and the same for the same cause. */
export type ProbeResult =
  | { readonly ok: true; readonly detail?: string }
  | { readonly ok: false; readonly why: string };

export interface HealthCheck {
  /**
   * Looks once. Resolves with what it found; a rejection counts as a failure with the message of the error. When
   * `signal` is aborted the time is up: it must free its sockets at once; what it resolves with then is ignored.
   */
  probe(signal: AbortSignal): Promise<ProbeResult>;
  /** Frees what outlives a probe. */
  close?(): void;
}

/** What a plugin may ask of whoever runs it. */
export interface CheckHost {
  /** The name of the check in the file. */
  readonly name: string;
  /** What stands in its load_plugin block. */
  readonly settings: PlainOptions;
  /** How long a probe may take. */
  readonly timeout: Micros;
  /** Echoes, neighbours, interfaces; absent: whoever runs the check has none. */
  readonly network?: CheckNetwork;
  /** Starts programs; absent: whoever runs the check does not. */
  readonly programs?: CheckPrograms;
  /** A line in the agent's log; rationed. */
  log(level: 'error' | 'warning' | 'info', text: string): void;
}

/** The description of a plugin: plain data, all that reading a file needs. */
export interface CheckDescription<O extends OptionSpecs = OptionSpecs> {
  readonly api: typeof PLUGIN_API;
  readonly kind: 'check';
  /** The word that opens its block in vrrp_check: lower-case letters, digits and _. */
  readonly name: string;
  /** One line for people. */
  readonly help: string;
  readonly options: O;
  /** Options of its load_plugin block, the same for all of its checks. */
  readonly settings?: OptionSpecs;
}

export interface CheckPlugin<O extends OptionSpecs = OptionSpecs> extends CheckDescription<O> {
  /** Finds what single options cannot show. Touches nothing outside. */
  validate?(options: OptionValues<O>, complain: Complain): void;
  /** Makes a check of options that were found good. @throws Error when it cannot run here; the message names the fix */
  create(options: OptionValues<O>, host: CheckHost): HealthCheck;
}

/** A check plugin whose options are read as `options` describes them. */
export function checkPlugin<const O extends OptionSpecs>(plugin: CheckPlugin<O>): CheckPlugin {
  return plugin as unknown as CheckPlugin;
}

/** A check in a configuration: plain data. */
export interface ProbeConfig {
  /** Name of the plugin. */
  readonly plugin: string;
  /** As the plugin described them, defaults filled in. */
  readonly options: PlainOptions;
}
