// Whether a configured program may run, as whom, and where it is: keepalived's script security.
// Run once at start and at each reload. Judges; starts nothing.
import type { Command, Configuration, NotifyConfig, ScriptUser } from '../config/model.ts';
import type { Account, FileFacts, Files } from '../ports/files.ts';
import type { Identity } from '../ports/process.ts';

/** Where bare program names are looked up. */
const PROGRAM_DIRECTORIES: readonly string[] = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];
/** The PATH that every check and notify program gets: the same directories, whatever ours is. */
export const PROGRAM_PATH = PROGRAM_DIRECTORIES.join(':');
/** As the kernel (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** A program that may run. */
export interface ReadyCommand {
  /** The resolved program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** undefined: as this process. */
  readonly identity: Identity | undefined;
}

export type VettedCommand =
  | { readonly type: 'ready'; readonly command: ReadyCommand }
  /** Never to be run. `why` in a person's words. */
  | { readonly type: 'disabled'; readonly why: string };

/** Something to log about a program: a reason why it is disabled, or a risk that is tolerated. */
export interface SecurityFinding {
  readonly level: 'error' | 'warning';
  readonly text: string;
}

export interface ScriptPolicy {
  /** global_defs script_user; undefined: keepalived_script if that user exists, else the user of this process. */
  readonly defaultUser: ScriptUser | undefined;
  /** enable_script_security: unsafe programs are disabled instead of warned about. */
  readonly enforce: boolean;
}

/** The verdicts on all programs of a configuration, looked up by command. */
export interface VettedCommands {
  readonly findings: readonly SecurityFinding[];
  of(command: Command): VettedCommand;
}

/** Vets every script and notify program of a configuration that is in use. Scripts nothing tracks are left out. */
export async function vetConfiguration(config: Configuration, files: Files): Promise<VettedCommands> {
  const policy = { defaultUser: config.globals.scriptUser, enforce: config.globals.enableScriptSecurity };
  return vetCommands(commandsOf(config), policy, files);
}

/** Vets named commands; equal commands are judged once and reported under the first name. */
export async function vetCommands(
  commands: readonly { readonly what: string; readonly command: Command }[],
  policy: ScriptPolicy,
  files: Files,
): Promise<VettedCommands> {
  const verdicts = new Map<string, VettedCommand>();
  const findings: SecurityFinding[] = [];
  for (const { what, command } of commands) {
    const key = commandKey(command);
    if (verdicts.has(key)) continue;
    const { verdict, risk } = await vet(command, policy, files);
    verdicts.set(key, verdict);
    if (verdict.type === 'disabled') findings.push({ level: 'error', text: `Disabling ${what}: ${verdict.why}` });
    else if (risk !== undefined) findings.push({ level: 'warning', text: `${what} is unsafe: ${risk}` });
  }
  return {
    findings,
    of: (command) => verdicts.get(commandKey(command)) ?? { type: 'disabled', why: 'it was not checked at start' },
  };
}

/** Equal for commands that run the same program in the same way. */
export function commandKey(command: Command): string {
  return JSON.stringify([command.argv, command.user?.user, command.user?.group]);
}

/** The keywords that name a program, and where the model keeps it. */
const NOTIFY_PROGRAMS = [
  ['notify_master', 'master'],
  ['notify_backup', 'backup'],
  ['notify_fault', 'fault'],
  ['notify_stop', 'stop'],
  ['notify', 'any'],
  ['notify_master_rx_lower_pri', 'masterRxLowerPriority'],
] as const satisfies readonly (readonly [string, keyof NotifyConfig])[];

const named = (what: string, command: Command | undefined): { what: string; command: Command }[] =>
  command === undefined ? [] : [{ what, command }];

function commandsOf(config: Configuration): { what: string; command: Command }[] {
  const owners = [...config.instances, ...config.groups];
  const tracked = new Set(owners.flatMap((owner) => owner.trackScripts.map((track) => track.name)));
  const scripts = config.scripts
    .filter((script) => tracked.has(script.name))
    .map((script) => ({ what: `track script ${script.name}`, command: script.command }));
  const notifies = owners.flatMap(({ name, notify }) =>
    NOTIFY_PROGRAMS.flatMap(([keyword, slot]) => named(`${keyword} script of ${name}`, notify[slot])),
  );
  const { notifyFifo, vrrpNotifyFifo } = config.globals;
  const readers = [
    ...named('notify_fifo_script', notifyFifo?.script),
    ...named('vrrp_notify_fifo_script', vrrpNotifyFifo?.script),
  ];
  return [...scripts, ...notifies, ...readers];
}

async function vet(
  command: Command,
  policy: ScriptPolicy,
  files: Files,
): Promise<{ verdict: VettedCommand; risk?: string }> {
  const disabled = (why: string) => ({ verdict: { type: 'disabled', why } as const });
  const [program, ...args] = command.argv;
  if (program === undefined || program === '') return disabled('no program is given');
  const owner = await identify(command.user ?? policy.defaultUser, files);
  if (typeof owner === 'string') return disabled(owner);
  const found = await find(program, owner, files);
  if (typeof found === 'string') return disabled(found);
  const self = files.self();
  const identity = owner.uid === self.uid && owner.gid === self.gid ? undefined : owner;
  const verdict: VettedCommand = { type: 'ready', command: { argv: [found.path, ...args], identity } };
  if (owner.uid !== 0) return { verdict };
  const risk = unsafeElement(found.steps);
  if (risk === undefined) return { verdict };
  if (policy.enforce) return disabled(`unsafe permissions found for ${found.path}: ${risk}`);
  return { verdict, risk: `${found.path} would run as root but ${risk}; enable_script_security would disable it` };
}

/** The user and group to run as, or why not. */
async function identify(wanted: ScriptUser | undefined, files: Files): Promise<Identity | string> {
  if (wanted === undefined) {
    const self = files.self();
    const standard = self.uid === 0 ? await files.user('keepalived_script') : undefined;
    return standard ?? self;
  }
  const account = await files.user(wanted.user);
  if (!account) return `there is no user ${wanted.user}`;
  if (wanted.group === undefined) return account;
  const gid = await files.group(wanted.group);
  return gid === undefined ? `there is no group ${wanted.group}` : { uid: account.uid, gid };
}

/** The program as an absolute path and everything passed on the way to it, or why it cannot be run. */
async function find(program: string, owner: Account, files: Files): Promise<{ path: string; steps: Step[] } | string> {
  if (program.startsWith('/')) return reach(program, owner, files);
  if (program.includes('/')) return `${program} is a relative path: write the full path`;
  for (const directory of PROGRAM_DIRECTORIES) {
    const found = await reach(`${directory}/${program}`, owner, files);
    if (typeof found !== 'string') return found;
  }
  return `${program}: not found in ${PROGRAM_PATH}`;
}

/** One element of a path: a directory, a link or the program. */
interface Step {
  readonly path: string;
  readonly facts: FileFacts;
}

/**
 * Why somebody other than root could change a module that is loaded into this process; undefined: nobody can, or this
 * process is not root's, or the module is not there, which its loading will say. What it imports is not looked at.
 * @param path absolute
 */
export async function riskOfModule(path: string, files: Files): Promise<string | undefined> {
  const self = files.self();
  if (self.uid !== 0) return undefined;
  const found = await reach(path, self, files, false);
  return typeof found === 'string' ? undefined : unsafeElement(found.steps);
}

async function reach(
  path: string,
  owner: Account,
  files: Files,
  toRun = true,
): Promise<{ path: string; steps: Step[] } | string> {
  const steps: Step[] = [];
  const pending = path.split('/').filter((part) => part !== '');
  let here = '/';
  let links = 0;
  const root = await files.look('/');
  if ('error' in root) return `${path}: ${root.error}`;
  steps.push({ path: '/', facts: root });
  // Walks as the kernel does, so that every link and every directory on the way is seen.
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '.') continue;
    if (part === '..') {
      here = here.slice(0, here.lastIndexOf('/')) || '/';
      continue;
    }
    const next = here === '/' ? `/${part}` : `${here}/${part}`;
    const facts = await files.look(next);
    if ('error' in facts) {
      const missing = facts.error === 'ENOENT' || facts.error === 'ENOTDIR';
      return missing ? `${path}: not found` : `${path}: not accessible (${facts.error})`;
    }
    steps.push({ path: next, facts });
    if (facts.kind === 'link') {
      const target = await files.readLink(next);
      if (typeof target !== 'string') return `${path}: not accessible (${target.error})`;
      if (++links > MAX_LINKS) return `${path}: too many symbolic links`;
      if (target.startsWith('/')) here = '/';
      pending.unshift(...target.split('/').filter((element) => element !== ''));
      continue;
    }
    if (facts.kind === 'directory' && !mayExecute(facts, owner)) return `${path}: not accessible (${next} is closed)`;
    here = next;
  }
  const target = steps.at(-1)!.facts;
  if (target.kind !== 'file') return `${path}: not a file`;
  if (toRun && !mayExecute(target, owner)) return `${path}: not executable for user id ${owner.uid}`;
  // The name as written, not where links lead: programs such as busybox look at it.
  return { path, steps };
}

/** The x bit that counts; root needs any one of a file and none of a directory. */
function mayExecute(facts: FileFacts, owner: Account): boolean {
  if (owner.uid === 0) return facts.kind === 'directory' || (facts.mode & 0o111) !== 0;
  if (facts.uid === owner.uid) return (facts.mode & 0o100) !== 0;
  if (facts.gid === owner.gid) return (facts.mode & 0o010) !== 0;
  return (facts.mode & 0o001) !== 0;
}

/** The first element of the way that somebody other than root could change. */
function unsafeElement(steps: readonly Step[]): string | undefined {
  for (const { path, facts } of steps) {
    if (facts.uid !== 0) return `${path} is owned by user id ${facts.uid}`;
    // A link has no permissions of its own; in a sticky directory only the owner may rename or delete.
    if (facts.kind === 'link' || (facts.kind === 'directory' && (facts.mode & 0o1000) !== 0)) continue;
    if ((facts.mode & 0o022) !== 0)
      return `${path} is writable by others (mode ${facts.mode.toString(8).padStart(4, '0')})`;
  }
  return undefined;
}
