// What a notifier is: a plugin that tells somebody of events, from a block of options. Interfaces and the form of an event;
// who queues, repeats and gives up is somebody else's business.
import type { IpAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';
import type { CheckDescription, CheckPlugin, PLUGIN_API } from './check.ts';
import type { Complain, OptionSpecs, OptionValues, PlainOptions } from './options.ts';

/** What an event can be about. */
export const EVENT_TYPES = [
  'transition',
  'group-transition',
  'fenced',
  'conflict',
  'check',
  'bfd',
  'stall',
  'agent',
  'priority',
  'rival',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Told unless the file says otherwise. */
export const USUAL_EVENTS: readonly EventType[] = EVENT_TYPES.filter((type) => type !== 'priority' && type !== 'rival');

/** The version of the form of an event. A member may be added within a version; none is taken away or means another thing. */
export const EVENT_VERSION = 1;

/** Something that happened, as plain JSON. deploy/events.schema.json describes it for others. */
export interface VipkeeperEvent {
  readonly kind: 'vipkeeper-event';
  readonly version: typeof EVENT_VERSION;
  /** Unique on this host; later ones are greater, compared as texts, while the clock is not set back over a restart. */
  readonly id: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly host: string;
  readonly routerId: string;
  readonly pid: number;
  readonly agentVersion: string;
  readonly type: EventType;
  /** The vrrp_instance, vrrp_sync_group, check or script, or bfd_instance that it is about. */
  readonly instance?: string;
  readonly group?: string;
  readonly check?: string;
  readonly session?: string;
  /** States of a router (INIT, BACKUP, MASTER, FAULT, LEAVING), of a check (up, down) or of a BFD session. */
  readonly from?: string;
  readonly to?: string;
  /** A word or a few: the same for the same cause. */
  readonly reason?: string;
  /** For people. */
  readonly detail?: string;
  /** The effective priority, 0 to 255. */
  readonly priority?: number;
  /** The other router. */
  readonly peer?: IpAddress;
  readonly interface?: string;
  /** The virtual addresses of the instance, or the one that is claimed by somebody else; at most MOST_ADDRESSES. */
  readonly addresses?: readonly string[];
  /** So many events for this notifier were dropped or given up since the one that got through before. */
  readonly lost?: number;
}

/** An event names no more addresses: a line of it must fit into a pipe as a whole. */
export const MOST_ADDRESSES = 32;

/** What became of telling. The words are for people: short, without secrets, and the same for the same cause. */
export type NotifyResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly why: string;
      /** Trying again would fail the same way. */
      readonly permanent?: boolean;
      /** Try again no sooner, as the other side asked; bounded. */
      readonly retryAfter?: Micros;
    };

export interface Notifier {
  /**
   * Tells: one event, or several in order where the plugin gathers. Called again only after it ended. A rejection counts
   * as a failure with the message of the error. When `signal` is aborted the time is up: free everything at once.
   */
  notify(events: readonly VipkeeperEvent[], signal: AbortSignal): Promise<NotifyResult>;
  /** Frees what outlives a call. */
  close?(): void;
}

/** A program to be started for an event. */
export interface NotifyProgram {
  /** The program and its arguments; no shell sees them. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. */
  readonly input: string;
}

/** A mail and the relay that takes it. */
export interface NotifyMail {
  readonly host: string;
  readonly port: number;
  /** Our name in HELO. */
  readonly helo: string;
  /** For the connection, and for each silence of the relay afterwards. */
  readonly timeout: Micros;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** A named pipe that needs no reader to be open. */
export interface NotifyPipe {
  /** The whole line or nothing of it; 'full': nobody has read for a long time. */
  write(line: string): 'written' | 'full' | { readonly why: string };
  /** Closes it, and removes it if it was made here. */
  close(): void;
}

/** Services of the agent, so that a plugin need not carry them. */
export interface NotifyServices {
  mail(mail: NotifyMail): Promise<NotifyResult>;
  /** Opens a named pipe, or makes it with these permissions. */
  pipe(path: string, mode: number): NotifyPipe | { readonly why: string };
  /** Starts it as the script user, after the examination that all scripts pass; ends its process group on abort. */
  run(program: NotifyProgram, signal: AbortSignal): Promise<NotifyResult>;
  /** What stands in a file with a secret, without the line break at its end. @throws Error that names the file */
  secretFile(path: string): string;
}

/** What a plugin may ask of whoever runs it. */
export interface NotifierHost extends NotifyServices {
  /** The name of the notifier in the file. */
  readonly name: string;
  /** What stands in its load_plugin block. */
  readonly settings: PlainOptions;
  /** How long one call may take. */
  readonly timeout: Micros;
  log(level: 'error' | 'warning' | 'info', text: string): void;
}

/** The description of a notifier plugin: plain data, all that reading a file needs. */
export interface NotifierDescription<O extends OptionSpecs = OptionSpecs> {
  readonly api: typeof PLUGIN_API;
  readonly kind: 'notifier';
  /** The word that opens its block in `notifier`: lower-case letters, digits and _. */
  readonly name: string;
  /** One line for people. */
  readonly help: string;
  readonly options: O;
  /** Options of its load_plugin block, the same for all of its notifiers. */
  readonly settings?: OptionSpecs;
  /** Name of an option of the kind seconds: what happens within it is told together. Default: each event by itself. */
  readonly gather?: string;
}

export interface NotifierPlugin<O extends OptionSpecs = OptionSpecs> extends NotifierDescription<O> {
  /** Finds what single options cannot show. Touches nothing outside. */
  validate?(options: OptionValues<O>, complain: Complain): void;
  /** @throws Error when it cannot run here; the message names the fix */
  create(options: OptionValues<O>, host: NotifierHost): Notifier;
}

/** A notifier plugin whose options are read as `options` describes them. */
export function notifierPlugin<const O extends OptionSpecs>(plugin: NotifierPlugin<O>): NotifierPlugin {
  return plugin as unknown as NotifierPlugin;
}

/** Whatever a module may offer. */
export type PluginDescription = CheckDescription | NotifierDescription;
export type Plugin = CheckPlugin | NotifierPlugin;
