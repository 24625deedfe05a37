// How the result of a check is printed: as text for people, as JSON for programs; and the list of all codes.
import { catalogue } from '../config/catalogue.ts';
import { CODES, type Diagnostic, type Part, renderDiagnostic, type Severity } from '../config/diagnostics.ts';
import { type ExplainedBlock, renderExplanation } from '../config/explain.ts';
import type { SourceText } from '../config/source.ts';
import { paint, type Style, wrap } from '../control/text-table.ts';

export interface CheckResult {
  readonly file: string;
  /** The files that it was compared with. */
  readonly against: readonly string[];
  readonly strict: boolean;
  readonly offline: boolean;
  readonly exitStatus: 0 | 1 | 2;
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read. */
  readonly sources: readonly SourceText[];
  readonly explanation: readonly ExplainedBlock[] | undefined;
}

/** Of the JSON document; raised when a member changes its meaning or goes. */
export const CHECK_VERSION = 1;

export const countOf = (diagnostics: readonly Diagnostic[], severity: Severity): number =>
  diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;

const STYLES: Readonly<Record<Part, Style>> = {
  error: 'bad',
  warning: 'warn',
  info: 'strong',
  place: 'strong',
  carets: 'good',
  help: 'strong',
};

/** Findings, the explanation if there is one, and one line of summary. */
export function resultAsText(result: CheckResult, colour: boolean): string {
  const lines = new Map(result.sources.map(({ file, text }) => [file, text.split(/\r?\n/)]));
  const painted = (text: string, part: Part) => paint(text, STYLES[part], { colour });
  let out = '';
  for (const diagnostic of result.diagnostics) {
    const { place } = diagnostic;
    out += `${renderDiagnostic(diagnostic, lines.get(place.file)?.[place.line - 1], painted)}\n`;
  }
  if (result.explanation)
    out += `\n${renderExplanation(result.explanation, result.file, (text) => paint(text, 'faint', { colour }))}`;
  return `${out}${summary(result)}\n`;
}

/** `3 warnings, 0 errors: vipkeeper would run with this file` */
function summary({ diagnostics, strict, exitStatus }: CheckResult): string {
  const warnings = countOf(diagnostics, 'warning');
  const errors = countOf(diagnostics, 'error');
  const verdict =
    exitStatus === 2
      ? 'not everything could be read'
      : errors > 0
        ? 'vipkeeper would not start with this file'
        : warnings > 0 && strict
          ? 'vipkeeper would run, but --strict allows no warnings'
          : 'vipkeeper would run with this file';
  return `${plural(warnings, 'warning')}, ${plural(errors, 'error')}: ${verdict}`;
}

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** The document of `--format json`. Places count from 1, columns and lengths in UTF-16 code units. */
export function resultAsJson(result: CheckResult) {
  const { diagnostics } = result;
  return {
    kind: 'vipkeeper-check',
    version: CHECK_VERSION,
    file: result.file,
    against: result.against,
    strict: result.strict,
    offline: result.offline,
    exitStatus: result.exitStatus,
    counts: {
      error: countOf(diagnostics, 'error'),
      warning: countOf(diagnostics, 'warning'),
      info: countOf(diagnostics, 'info'),
    },
    files: result.sources.map(({ file }) => file),
    diagnostics: diagnostics.map(({ place, code, severity, message, value, limit, suggestion }) => ({
      code,
      severity,
      title: CODES[code],
      ...place,
      message,
      ...(value !== undefined && { value }),
      ...(limit !== undefined && { limit }),
      ...(suggestion !== undefined && { suggestion }),
    })),
    ...(result.explanation && { effective: result.explanation }),
  };
}

/** Every code with title and explanation. */
export function listCodes(json: boolean): string {
  if (json)
    return `${JSON.stringify({ kind: 'vipkeeper-codes', version: CHECK_VERSION, codes: catalogue }, undefined, 2)}\n`;
  return catalogue
    .map(({ code, severity, title, explanation }) =>
      [`${code}  ${severity}: ${title}`, ...wrap(explanation, 74).map((line) => `      ${line}`), ''].join('\n'),
    )
    .join('\n');
}
