// Options that a plugin marks as secret: where they stand in a file, and the file and what is said about it without
// them. Pure. What the agent's own keywords keep secret is known to diagnostics.ts.
import type { Diagnostic } from './diagnostics.ts';
import { type Block, opensOf, rowOf } from './keywords/row.ts';
import type { Word } from './lexer.ts';
import { keywordOf, type Statement } from './parser.ts';
import type { SourceText } from './source.ts';

/** The words of all secret options. */
export function secretWords(statements: readonly Statement[], block: Block): readonly Word[] {
  return statements.flatMap((statement) => {
    const row = rowOf(block, keywordOf(statement))?.row;
    if (row?.secret) return statement.words.slice(1);
    const inner = opensOf(row);
    return inner === undefined || inner.lines ? [] : secretWords(statement.block ?? [], inner);
  });
}

/** The same statements with stars for secret options. */
export function withoutSecretWords(statements: readonly Statement[], block: Block): readonly Statement[] {
  return statements.map((statement): Statement => {
    const row = rowOf(block, keywordOf(statement))?.row;
    if (row?.secret) {
      const words = statement.words.map((word, i) => (i === 0 ? word : { ...word, text: HIDDEN }));
      return { ...statement, words };
    }
    const inner = opensOf(row);
    if (inner === undefined || inner.lines || statement.block === undefined) return statement;
    return { ...statement, block: withoutSecretWords(statement.block, inner) };
  });
}

const HIDDEN = '********';

/** The same files with stars at the places of these words, as long as before. */
export function hideInSources(sources: readonly SourceText[], secrets: readonly Word[]): readonly SourceText[] {
  if (secrets.length === 0) return sources;
  return sources.map((source) => {
    const own = secrets.filter(({ place }) => place.file === source.file);
    if (own.length === 0) return source;
    const lines = source.text.split('\n');
    for (const { place } of own) {
      const line = lines[place.line - 1];
      if (line === undefined) continue;
      const from = place.column - 1;
      const to = from + place.length;
      lines[place.line - 1] = line.slice(0, from) + line.slice(from, to).replace(/\S/g, '*') + line.slice(to);
    }
    return { ...source, text: lines.join('\n') };
  });
}

/** The same findings without the secrets that stand in the lines that they are about. */
export function hideInFindings(findings: readonly Diagnostic[], secrets: readonly Word[]): readonly Diagnostic[] {
  if (secrets.length === 0) return findings;
  return findings.map((finding): Diagnostic => {
    const { file, line } = finding.place;
    const own = secrets.filter(({ place, text }) => place.file === file && place.line === line && text !== '');
    if (own.length === 0) return finding;
    const hide = (text: string): string => own.reduce((rest, word) => rest.replaceAll(word.text, HIDDEN), text);
    const { message, value, suggestion } = finding;
    return {
      ...finding,
      message: hide(message),
      ...(value !== undefined && { value: hide(value) }),
      ...(suggestion !== undefined && { suggestion: hide(suggestion) }),
    };
  });
}
