// `vipkeeper check-config`: what the agent would make of a file, without starting anything.
// Reading and printing are given, so that it can be tested; nodeCheckIo is the real thing.
import { readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { builtInLanguage } from '../app/built-in.ts';
import { languageOnce } from '../app/check-threads.ts';
import { VERSION } from '../app/version.ts';
import { compareHalves, type Half } from '../config/against.ts';
import { type Diagnostic, Report, withoutSecret } from '../config/diagnostics.ts';
import { explain } from '../config/explain.ts';
import { type Language, pluginsNamed, strictAboutScripts } from '../config/language.ts';
import { type Loaded, type LoadOptions, load } from '../config/load.ts';
import { outlineOf, startOf } from '../config/outline.ts';
import { reportRisks } from '../config/risks.ts';
import { sarifLog } from '../config/sarif.ts';
import type { ProgramProbe } from '../config/scripts.ts';
import type { IncludeReader, SourceText } from '../config/source.ts';
import { includeFiles, programState } from '../system/include-files.ts';
import { type HostView, nodeHost, reportUnsafeScripts } from './check-config-host.ts';
import { type CheckResult, countOf, listCodes, resultAsJson, resultAsText } from './check-config-output.ts';
import { type Arguments, type CommandSpec, parseCommand } from './usage.ts';

export interface CheckIo {
  readonly hostName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws Error when the file cannot be read */
  readFile(file: string): string;
  /** The real directory of a file, for its includes and `${_PWD}`; absent: as the name of the file says. */
  directoryOf?(file: string): string;
  readonly includes: IncludeReader;
  /** Absent: programs are not looked up. */
  readonly probe?: ProgramProbe;
  /** Absent: nothing is said about interfaces and the safety of scripts. */
  readonly host?: HostView;
  /** The language of a file with the plugins that it names. Absent: without any but our own. */
  languageFor?(file: string, plugins: readonly string[], strict: boolean): Promise<Language>;
  /** Whether `out` is a terminal: then, and without NO_COLOR, there are colours. */
  readonly interactive?: boolean;
  readonly columns?: number | undefined;
  out(text: string): void;
  err(text: string): void;
  /** Resolves when everything was written: a pipe takes what it can, and the process ends after the verb. */
  flush?(): Promise<void>;
}

const FORMATS = ['text', 'json', 'sarif'] as const;
type Format = (typeof FORMATS)[number];

export const CHECK_CONFIG: CommandSpec = {
  name: 'check-config',
  summary: 'say what is wrong with a configuration file, without starting anything',
  operands: [{ name: 'FILE', help: 'the configuration file' }],
  options: [
    { name: 'strict', help: 'fail on every warning; infos never fail' },
    { name: 'offline', help: 'check for another machine: no interface and no script needs to exist here' },
    { name: 'format', value: FORMATS.join('|'), help: 'how to print the findings', fallback: 'text' },
    { name: 'explain', help: 'print the effective configuration with the source line of each value, too' },
    {
      name: 'against',
      value: 'PEERFILE',
      help: 'compare with the file of another machine of the group; may be repeated',
    },
    {
      name: 'config-id',
      short: 'i',
      value: 'ID',
      help: 'what @ID lines are compared with; default: the host name up to its first dot',
    },
    {
      name: 'against-id',
      value: 'ID',
      help: 'the same for each PEERFILE: one file with @ID lines may serve all machines',
    },
    { name: 'list-codes', help: 'print every code with its meaning and end' },
  ],
  exitCodes: [
    [0, 'the agent would run with this file'],
    [1, 'it would not; with --strict: or there are warnings'],
    [2, 'the command line is wrong, or a file cannot be read'],
  ],
  notes: [
    'JSON is one document of kind vipkeeper-check with a version; members are added without a new version. SARIF is version 2.1.0. Passwords are not shown in any format.',
  ],
};

type ExitStatus = 0 | 1 | 2;

/** Prints what is wrong with a file and a summary. @returns the exit status, as in CHECK_CONFIG */
export async function checkConfig(argv: readonly string[], io: CheckIo): Promise<ExitStatus> {
  const parsed = parseCommand(CHECK_CONFIG, argv, io.columns);
  if (parsed.type === 'help') {
    io.out(parsed.text);
    return 0;
  }
  if (parsed.type === 'error') {
    io.err(`${parsed.message}\n`);
    return 2;
  }
  const { args } = parsed;
  if (args.has('list-codes')) {
    io.out(listCodes(args.text('format') === 'json'));
    await io.flush?.();
    return 0;
  }
  const fault = faultOf(args);
  if (fault !== undefined) {
    io.err(`vipkeeper check-config: ${fault}\nTry \`vipkeeper check-config --help\`.\n`);
    return 2;
  }
  const result = await judge(args, io);
  const format = args.text('format') as Format;
  const { NO_COLOR = '', TERM } = io.environment;
  const plain = NO_COLOR !== '' || TERM === 'dumb';
  switch (format) {
    case 'text':
      io.out(resultAsText(result, io.interactive === true && !plain));
      break;
    case 'json':
      io.out(`${JSON.stringify(resultAsJson(result), undefined, 2)}\n`);
      break;
    case 'sarif': {
      const options = { version: VERSION, exitCode: result.exitStatus, successful: result.exitStatus !== 2 };
      io.out(`${JSON.stringify(sarifLog(result.diagnostics, result.sources, options), undefined, 2)}\n`);
    }
  }
  await io.flush?.();
  return result.exitStatus;
}

function faultOf(args: Arguments): string | undefined {
  const format = args.text('format')!;
  if (!FORMATS.some((one) => one === format)) return `--format ${format} is not one of ${FORMATS.join(', ')}`;
  if (args.operands.length === 0) return 'FILE is missing: the configuration file';
  if (format === 'sarif' && args.has('explain')) return '--explain needs --format text or json';
  if (args.has('against-id') && !args.has('against')) return '--against-id needs --against';
  return undefined;
}

/** Reads and judges everything that was asked for; prints nothing. */
async function judge(args: Arguments, io: CheckIo): Promise<CheckResult> {
  const [file] = args.operands;
  const strict = args.has('strict');
  const offline = args.has('offline');
  const base = { file: file!, strict, offline, against: args.all('against') };
  const options: LoadOptions = {
    hostName: io.hostName,
    environment: io.environment,
    reader: io.includes,
    ...idOption(args.text('config-id')),
    ...(io.probe && !offline && { probe: io.probe }),
    ...(io.host?.readSecret && !offline && { readSecret: io.host.readSecret }),
    ...(io.host?.routeNames && !offline && { routeNames: io.host.routeNames() }),
    language: await languageOf(file!, io, args.text('config-id')),
  };
  const extra = new Report();
  const half = readHalf(file!, io, options, extra);
  if (half === undefined)
    return { ...base, exitStatus: 2, diagnostics: extra.sorted(), sources: [], explanation: undefined };
  const { loaded, outline } = half;
  const { configuration } = loaded;
  if (configuration) {
    const host = offline ? undefined : io.host;
    reportRisks(configuration, outline, host?.interfaces(), extra);
    if (host) await reportUnsafeScripts(configuration, outline, host.files, extra);
  }
  const peers = base.against.map((peer, i) => {
    const id = args.all('against-id')[i] ?? args.text('against-id');
    return comparePeer(peer, io, { ...options, ...idOption(id) }, configuration && { configuration, outline }, extra);
  });
  const sources = [...loaded.sources, ...peers.flatMap((peer) => peer?.sources ?? [])];
  const diagnostics = inOrder([...loaded.diagnostics, ...extra.sorted()], sources);
  const unreadable = peers.includes(undefined);
  const failed = countOf(diagnostics, 'error') > 0 || (strict && countOf(diagnostics, 'warning') > 0);
  return {
    ...base,
    exitStatus: unreadable ? 2 : failed ? 1 : 0,
    diagnostics,
    sources,
    explanation: args.has('explain') && configuration ? explain(configuration, outline) : undefined,
  };
}

/** The language with the plugins that a file loads; what cannot be read has none. */
export async function languageOf(file: string, io: CheckIo, configId: string | undefined): Promise<Language> {
  const { hostName, environment, includes: reader } = io;
  try {
    const options = { hostName, environment, reader, ...idOption(configId) };
    const { statements } = outlineOf({ file, text: io.readFile(file) }, options);
    const strict = strictAboutScripts(statements);
    return (await io.languageFor?.(file, pluginsNamed(statements), strict)) ?? builtInLanguage;
  } catch {
    return builtInLanguage;
  }
}

const idOption = (configId: string | undefined) => (configId === undefined ? {} : { configId });

function readHalf(file: string, io: CheckIo, options: LoadOptions, report: Report) {
  let source: SourceText;
  try {
    const text = io.readFile(file);
    source = { file, text, ...(io.directoryOf && { directory: io.directoryOf(file) }) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report.add('E001', startOf(file), `the file cannot be read: ${why}`);
    return undefined;
  }
  return { loaded: load(source, options), outline: outlineOf(source, options) };
}

/** Compares with the peer's file; what is wrong inside that file is its own machine's business, unless it cannot run. */
function comparePeer(
  file: string,
  io: CheckIo,
  { probe: _, readSecret: __, ...options }: LoadOptions,
  mine: Half | undefined,
  report: Report,
): Loaded | undefined {
  const half = readHalf(file, io, options, report);
  if (half === undefined) return undefined;
  const { configuration, diagnostics } = half.loaded;
  if (configuration && mine) compareHalves(mine, { configuration, outline: half.outline }, report);
  for (const { severity, code, place, message, ...details } of diagnostics)
    if (severity === 'error') report.add(code, place, message, details);
  return half.loaded;
}

/** Without secrets, in the order of the files and of their lines. */
function inOrder(diagnostics: readonly Diagnostic[], sources: readonly SourceText[]): readonly Diagnostic[] {
  const files = [...new Set(sources.map(({ file }) => file))];
  const lines = new Map(sources.map(({ file, text }) => [file, text.split(/\r?\n/)]));
  const rank = ({ place }: Diagnostic) => (files.includes(place.file) ? files.indexOf(place.file) : files.length);
  return diagnostics
    .map((diagnostic) => withoutSecret(diagnostic, lines.get(diagnostic.place.file)?.[diagnostic.place.line - 1]))
    .toSorted((a, b) => rank(a) - rank(b) || a.place.line - b.place.line || a.place.column - b.place.column);
}

/** Files, programs, interfaces and terminal of this machine. */
export function nodeCheckIo(): CheckIo {
  return {
    hostName: hostname(),
    environment: process.env,
    readFile: (file) => readFileSync(file, 'utf8'),
    directoryOf: (file) => realpathSync(dirname(file)),
    includes: { include: includeFiles },
    probe: { program: programState },
    host: nodeHost(),
    languageFor: languageOnce,
    interactive: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    flush: () => new Promise((resolve) => process.stdout.write('', () => resolve())),
  };
}
