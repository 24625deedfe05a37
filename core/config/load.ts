// The way of a file: text → lines → statements → values → Configuration, with everything found on the way.
// Pure: what it needs of the machine is given in the options.
import { buildChecks } from './checks.ts';
import { type Code, type Diagnostic, type Place, Report } from './diagnostics.ts';
import { sameRouter } from './diff.ts';
import type { Reading } from './fields.ts';
import { buildGlobals, joinGlobals, reportScriptSecurity } from './globals.ts';
import { buildGroups, weightlessMembers } from './groups.ts';
import { buildInstance, type InstanceBlock } from './instances.ts';
import { buildInterfaceDelays } from './interface-delays.ts';
import { readBlock } from './keywords/row.ts';
import { BARE, type Language } from './language.ts';
import type { Configuration, InstanceConfig, SyncGroupConfig } from './model.ts';
import { buildNotifiers } from './notifiers.ts';
import { keywordOf, parse, placeOfStatement, type Statement } from './parser.ts';
import type { RouteNames } from './route-names.ts';
import { buildScripts, firstScriptPlace, NOTIFY, type ProgramProbe } from './scripts.ts';
import { hideInFindings, hideInSources, secretWords } from './secret-words.ts';
import type { SecretReader } from './secrets.ts';
import { type IncludeReader, readLines, type SourceText } from './source.ts';
import { buildShared } from './statics.ts';
import { InterfaceNames } from './virtual-interfaces.ts';
import { buildBfds, buildTrackFiles, buildTrackProcesses } from './watched.ts';

export interface LoadOptions {
  /** Default of router_id, and up to its first dot of the id that `@id` lines are compared with. */
  readonly hostName: string;
  /** Overrides what `@id` lines are compared with. */
  readonly configId?: string;
  /** Finds included files; absent: includes match nothing. */
  readonly reader?: IncludeReader;
  /** For `${_ENV NAME}`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Looks up scripts; absent: nothing is said about them (off-host). */
  readonly probe?: ProgramProbe;
  /** Reads files with keys; absent: they are not looked at (off-host). */
  readonly readSecret?: SecretReader;
  /** With the plugins at hand. Default: without any. */
  readonly language?: Language;
  /** Names of routing tables and the like on the machine; absent: those that everybody knows. */
  readonly routeNames?: RouteNames;
}

export interface Loaded {
  /** undefined when there are errors: keepalived would not start either. */
  readonly configuration: Configuration | undefined;
  /** In the order of the files. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, the root first: for rendering diagnostics; without the secrets of plugins. */
  readonly sources: readonly SourceText[];
}

/** Reads a configuration file. Never throws, whatever the text. */
export function load(source: SourceText, options: LoadOptions): Loaded {
  const report = new Report();
  const sources: SourceText[] = [source];
  const { reader } = options;
  const recording = reader && {
    include(pattern: string) {
      const found = reader.include(pattern);
      sources.push(...found);
      return found;
    },
  };
  const configId = options.configId ?? options.hostName.split('.')[0]!;
  const lines = readLines(source, { configId, reader: recording, environment: options.environment ?? {} }, report);
  const { grammar, root } = options.language ?? BARE;
  const statements = parse(lines, grammar, report);
  const configuration = build(statements, source, options, report);
  const secrets = secretWords(statements, root);
  const diagnostics = hideInFindings(report.sorted(sources.map(({ file }) => file)), secrets);
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  return { configuration: failed ? undefined : configuration, diagnostics, sources: hideInSources(sources, secrets) };
}

function build(
  statements: readonly Statement[],
  source: SourceText,
  options: LoadOptions,
  report: Report,
): Configuration {
  const { probe, language = BARE } = options;
  const skipped: Skipped = { later: [], moot: [], balancing: [] };
  const reading: Reading = {
    report,
    blocksWith: language.blocksWith,
    notActedOn: (statement) => skipped.later.push(statement),
    withoutMeaning: (statement) => skipped.moot.push(statement),
    balancing: (statement) => skipped.balancing.push(statement),
    ...(options.routeNames && { routeNames: options.routeNames }),
  };
  const values = readBlock(language.root, statements, reading);
  reportSkipped(skipped, report);

  const globals = joinGlobals(values.global_defs?.value ?? []);
  const scripts = buildScripts(values.vrrp_script?.value ?? [], probe, report);
  const scriptNames = new Set(scripts.scripts.map(({ name }) => name));
  const watched = {
    checks: buildChecks(values.vrrp_check?.value ?? [], language.checks, scriptNames, report),
    trackFiles: buildTrackFiles(values.track_file?.value ?? [], report),
    trackProcesses: buildTrackProcesses(values.vrrp_track_process?.value ?? [], report),
    bfds: buildBfds(values.bfd_instance?.value ?? [], report),
  };
  const groupBlocks = values.vrrp_sync_group?.value ?? [];
  const weightless = weightlessMembers(groupBlocks);
  const interfaceNames = new InterfaceNames();
  const context = {
    globals,
    interfaceNames,
    scripts,
    watched,
    probe,
    readSecret: options.readSecret,
    noWeights: (name: string) => weightless.get(name),
  };
  const built: { readonly config: InstanceConfig; readonly block: InstanceBlock }[] = [];
  for (const block of firstOfEachName(values.vrrp_instance?.value ?? [], report)) {
    const config = buildInstance(block, context, report);
    if (config) built.push({ config, block });
  }
  reportDuplicates(built, report);
  if (!values.vrrp_instance)
    report.add(
      'W049',
      { file: source.file, line: 1, column: 1, length: 1 },
      'there is no vrrp_instance, so there is nothing to do',
    );
  const names = new Set(values.vrrp_instance?.value.map(({ name }) => name));
  const groups = buildGroups(groupBlocks, names, scripts, watched, probe, report);
  const firstScript = firstScriptPlace([
    values.vrrp_script?.value.find((block) => block.values.script)?.values.script?.place,
    ...[...(values.vrrp_instance?.value ?? []), ...groupBlocks].map(notifyPlace),
    (globals.notify_fifo_script ?? globals.vrrp_notify_fifo_script)?.place,
  ]);
  reportScriptSecurity(globals, firstScript, report);
  return {
    globals: buildGlobals(globals, { hostName: options.hostName, top: values, probe, report }),
    scripts: scripts.scripts,
    instances: built.map(({ config, block }) => settleState(config, block, built, groups, report)),
    groups,
    ...watched,
    notifiers: buildNotifiers(values.notifier?.value ?? [], language.notifiers, names, report),
    plugins: (values.load_plugin?.value ?? []).map(({ specifier, settings }) => ({ specifier, settings })),
    ...buildShared(values, names, globals.default_interface?.value ?? 'eth0', report),
    interfaceDelays: buildInterfaceDelays(
      values.interface_up_down_delays?.value ?? [],
      built.map(({ config }) => config),
      report,
    ),
  };
}

function notifyPlace({
  values,
}: {
  readonly values: {
    readonly [K in (typeof NOTIFY)[number][0]]?: { readonly place: Place };
  };
}): Place | undefined {
  return NOTIFY.map(([keyword]) => values[keyword]).find((found) => found !== undefined)?.place;
}

function* firstOfEachName(blocks: readonly InstanceBlock[], report: Report): Generator<InstanceBlock> {
  const seen = new Map<string, Place>();
  for (const block of blocks) {
    const before = seen.get(block.name);
    if (before === undefined) yield block;
    else
      report.add(
        'W014',
        block.place,
        `vrrp_instance ${block.name} is defined again (first in line ${before.line}); the first one counts`,
        {
          value: block.name,
          suggestion: 'give each instance a name of its own',
        },
      );
    if (before === undefined) seen.set(block.name, block.place);
  }
}

/** The same VRID twice on an interface and family, unless the adverts can be told apart by mode, source or peers. */
function reportDuplicates(
  built: readonly { readonly config: InstanceConfig; readonly block: InstanceBlock }[],
  report: Report,
): void {
  for (const [i, { config, block }] of built.entries()) {
    const rival = built
      .slice(0, i)
      .find((other) => sameRouter(other.config, config) && peersOverlap(other.config, config));
    if (rival)
      report.add(
        'E014',
        block.values.virtual_router_id!.place,
        `virtual_router_id ${config.vrid} on ${config.interface} is used by ${rival.config.name} already`,
        {
          value: `${config.vrid}`,
          suggestion: 'give each virtual router on a network a number of its own',
        },
      );
  }
}

function peersOverlap({ transport: a }: InstanceConfig, { transport: b }: InstanceConfig): boolean {
  if (a.mode !== 'unicast' || b.mode !== 'unicast') return true;
  const theirs = new Set(b.peers.map((peer) => peer.address));
  return a.peers.some((peer) => theirs.has(peer.address));
}

/** A group starts as MASTER only when all its members own their addresses. */
function settleState(
  config: InstanceConfig,
  block: InstanceBlock,
  built: readonly { readonly config: InstanceConfig }[],
  groups: readonly SyncGroupConfig[],
  report: Report,
): InstanceConfig {
  const group = groups.find(({ members }) => members.includes(config.name));
  if (group === undefined || config.initialState === 'BACKUP') return config;
  const owners = built.filter(({ config: other }) => group.members.includes(other.name));
  if (owners.every(({ config: { initialState, priority } }) => initialState === 'MASTER' && priority === 255))
    return config;
  report.add(
    'I064',
    block.values.state!.place,
    `${config.name} starts as BACKUP: it is in sync group ${group.name}, whose members do not all own their addresses`,
  );
  return { ...config, initialState: 'BACKUP' };
}

interface Skipped {
  readonly later: Statement[];
  readonly moot: Statement[];
  readonly balancing: Statement[];
}

/** What is known and without effect: one message for each reason. */
function reportSkipped({ later, moot, balancing }: Skipped, report: Report): void {
  const say = (code: Code, of: readonly Statement[], message: (names: string) => string) => {
    const lines = Map.groupBy(of, keywordOf);
    const names = [...lines].map(([name, at]) => {
      const shown = at.slice(0, 3).map(({ line }) => line.line);
      return `${name} (line ${shown.join(', ')}${at.length > 3 ? ', …' : ''})`;
    });
    if (of[0]) report.add(code, placeOfStatement(of[0]), message(names.join(', ')));
  };
  say('W032', balancing, (names) => `load balancing is not done here; skipped: ${names}`);
  say('W030', later, (names) => `not acted on yet: ${names}`);
  say('I065', moot, (names) => `without meaning here, and harmless: ${names}`);
}
