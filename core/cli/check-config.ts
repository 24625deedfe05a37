// vipkeeper check-config [--strict] FILE: what the agent would make of a file, without starting anything.
// Reading and printing are given, so that it can be tested; nodeCheckIo is the real thing.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Diagnostic, renderDiagnostic, type Severity } from '../config/diagnostics.ts';
import { load } from '../config/load.ts';
import type { ProgramProbe } from '../config/scripts.ts';
import type { IncludeReader } from '../config/source.ts';
import { includeFiles, programState } from '../system/include-files.ts';

export interface CheckIo {
  readonly hostName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws Error when the file cannot be read */
  readFile(file: string): string;
  readonly includes: IncludeReader;
  /** Absent: scripts are not looked up. */
  readonly probe?: ProgramProbe;
  out(text: string): void;
  err(text: string): void;
}

const USAGE = `usage: vipkeeper check-config [--strict] [--offline] [--config-id=ID] FILE

  --strict        warnings fail too
  --offline       check for another machine: do not look whether scripts exist
  --config-id=ID  what @ID lines are compared with; default: the host name up to its first dot

exit status: 0 the agent would run, 1 it would not (--strict: or there are warnings), 2 wrong usage or no such file
`;

/** Prints what is wrong with a file and a summary. @returns the exit status: 0, 1 or 2 as in USAGE */
export function checkConfig(argv: readonly string[], io: CheckIo): 0 | 1 | 2 {
  const options = argv.filter((word) => word.startsWith('-'));
  const [file, ...more] = argv.filter((word) => !word.startsWith('-'));
  if (options.includes('--help') || options.includes('-h')) {
    io.out(USAGE);
    return 0;
  }
  const isKnown = (option: string) => ['--strict', '--offline'].includes(option) || option.startsWith('--config-id=');
  const unknown = options.find((option) => !isKnown(option));
  if (file === undefined || more.length > 0 || unknown !== undefined) {
    io.err((unknown === undefined ? '' : `unknown option ${unknown}\n`) + USAGE);
    return 2;
  }
  let text: string;
  try {
    text = io.readFile(file);
  } catch (error) {
    io.err(`${file}: error: cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const configId = options.findLast((option) => option.startsWith('--config-id='))?.slice('--config-id='.length);
  const { diagnostics, sources } = load(
    { file, text },
    {
      hostName: io.hostName,
      environment: io.environment,
      reader: io.includes,
      ...(configId !== undefined && { configId }),
      ...(io.probe && !options.includes('--offline') && { probe: io.probe }),
    },
  );
  const lines = new Map(sources.map((source) => [source.file, source.text.split(/\r?\n/)]));
  for (const diagnostic of diagnostics) {
    const { place } = diagnostic;
    io.out(`${renderDiagnostic(diagnostic, lines.get(place.file)?.[place.line - 1])}\n`);
  }
  const strict = options.includes('--strict');
  const failed = count(diagnostics, 'error') > 0 || (strict && count(diagnostics, 'warning') > 0);
  io.out(`${summary(diagnostics, strict)}\n`);
  return failed ? 1 : 0;
}

const count = (diagnostics: readonly Diagnostic[], severity: Severity): number =>
  diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;

/** `3 warnings, 0 errors: vipkeeper would run with this file` */
function summary(diagnostics: readonly Diagnostic[], strict: boolean): string {
  const warnings = count(diagnostics, 'warning');
  const errors = count(diagnostics, 'error');
  const verdict =
    errors > 0
      ? 'vipkeeper would not start with this file'
      : warnings > 0 && strict
        ? 'vipkeeper would run, but --strict allows no warnings'
        : 'vipkeeper would run with this file';
  return `${plural(warnings, 'warning')}, ${plural(errors, 'error')}: ${verdict}`;
}

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** Files, programs and terminal of this machine. */
export function nodeCheckIo(): CheckIo {
  return {
    hostName: hostname(),
    environment: process.env,
    readFile: (file) => readFileSync(file, 'utf8'),
    includes: { include: includeFiles },
    probe: { program: programState },
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  };
}
