// Findings as SARIF 2.1.0, for code hosts and editors. Pure: the caller gives the version and turns files into URIs.
import { catalogue } from './catalogue.ts';
import { type Diagnostic, redact, type Severity } from './diagnostics.ts';
import type { SourceText } from './source.ts';

export interface SarifOptions {
  readonly version: string;
  /** The exit status of the check. */
  readonly exitCode: number;
  /** Whether the file was read and judged at all. */
  readonly successful: boolean;
}

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

/** One run of one tool, a rule for every code, a result for every finding. */
export function sarifLog(diagnostics: readonly Diagnostic[], sources: readonly SourceText[], options: SarifOptions) {
  const lines = new Map(sources.map(({ file, text }) => [file, text.split(/\r?\n/)]));
  const files = [...new Set([...sources.map(({ file }) => file), ...diagnostics.map(({ place }) => place.file)])];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'vipkeeper',
            semanticVersion: options.version,
            rules: catalogue.map(({ code, severity, title, explanation }) => ({
              id: code,
              name: nameOf(title),
              shortDescription: { text: sentence(title) },
              fullDescription: { text: explanation },
              help: { text: `${sentence(title)} ${explanation}` },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [{ executionSuccessful: options.successful, exitCode: options.exitCode }],
        artifacts: files.map((file) => ({ location: { uri: uriOf(file) } })),
        results: diagnostics.map(({ code, severity, place, message, suggestion }) => {
          const line = lines.get(place.file)?.[place.line - 1];
          return {
            ruleId: code,
            ruleIndex: catalogue.findIndex((entry) => entry.code === code),
            level: LEVELS[severity],
            message: {
              text: suggestion === undefined ? sentence(message) : `${sentence(message)} Help: ${suggestion}`,
            },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: uriOf(place.file), index: files.indexOf(place.file) },
                  region: {
                    startLine: place.line,
                    startColumn: place.column,
                    endLine: place.line,
                    endColumn: place.column + place.length,
                    ...(line !== undefined && { snippet: { text: redact(line) } }),
                  },
                },
              },
            ],
          };
        }),
      },
    ],
  };
}

/** Absolute paths as file URIs, relative ones as relative references, each element escaped (RFC 3986). */
function uriOf(file: string): string {
  const path = file
    .split('/')
    .map((element) => encodeURIComponent(element))
    .join('/');
  return file.startsWith('/') ? `file://${path}` : path;
}

/** `unknown keyword` as `UnknownKeyword`: an identifier, as SARIF wants for the name of a rule. */
const nameOf = (title: string): string =>
  title
    .replace(/[{}]/g, (brace) => (brace === '{' ? ' opening brace ' : ' closing brace '))
    .replace(/[’']/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
