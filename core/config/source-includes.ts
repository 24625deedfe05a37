// What an include line names, and which of its failures count. Looking for files is the reader's. Pure.

/** What must be so of an include; keepalived refuses to start otherwise. */
export type IncludeCheck = 'readable' | 'match' | 'wildcard_match' | 'brace_match';
export const INCLUDE_CHECKS: readonly IncludeCheck[] = ['readable', 'match', 'wildcard_match', 'brace_match'];

/** The checks that a variant adds to those in force. */
const VARIANTS: Readonly<Record<string, readonly IncludeCheck[]>> = {
  '': [],
  r: ['readable'],
  m: ['match'],
  w: ['wildcard_match'],
  b: ['brace_match'],
  a: INCLUDE_CHECKS,
};

export interface IncludeLine {
  readonly checks: readonly IncludeCheck[];
  /** The rest of the line: a path may contain spaces (keepalived 2.2.7, observed). */
  readonly pattern: string;
  /** Where the pattern stands in the line. */
  readonly start: number;
  readonly end: number;
}

const INCLUDE = /^(\s*include([rmwba]?)\s+)(\S.*?)\s*$/;
const QUOTED = /^"([^"]*)"$/;

/** `include PATTERN` or a variant at the start of a line without its comment. */
export function includeLine(text: string): IncludeLine | undefined {
  const match = INCLUDE.exec(text);
  if (match === null) return undefined;
  const start = match[1]!.length;
  const pattern = match[3]!;
  return {
    checks: VARIANTS[match[2]!]!,
    // keepalived takes the quotes for part of the name and finds nothing.
    pattern: QUOTED.exec(pattern)?.[1] ?? pattern,
    start,
    end: start + pattern.length,
  };
}

/** More alternatives than this are no list of files. */
const MAX_ALTERNATIVES = 1024;

/** `{a,b}` as the shell has it, nested too, in its order; braces that are not such a list stay. */
export function expandBraces(pattern: string): readonly string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0 && done.length + open.length <= MAX_ALTERNATIVES) {
    const next = open.pop()!;
    const group = firstGroup(next);
    if (group === undefined) done.push(next);
    else
      for (const part of group.parts.toReversed())
        open.push(next.slice(0, group.start) + part + next.slice(group.end + 1));
  }
  return done;
}

/** The first `{…}` with a comma on its own level. */
function firstGroup(text: string): { start: number; end: number; parts: readonly string[] } | undefined {
  const open: { start: number; commas: number[] }[] = [];
  let found: { start: number; end: number; parts: readonly string[] } | undefined;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') open.push({ start: i, commas: [] });
    else if (text[i] === ',') open.at(-1)?.commas.push(i);
    else if (text[i] === '}') {
      const group = open.pop();
      if (group === undefined || group.commas.length === 0 || (found && found.start < group.start)) continue;
      const cuts = [group.start, ...group.commas, i];
      found = { start: group.start, end: i, parts: cuts.slice(1).map((to, n) => text.slice(cuts[n]! + 1, to)) };
      if (open.length === 0) return found;
    }
  }
  return found;
}

/** Whether a pattern may match several files. */
export const isWildcard = (pattern: string): boolean => /[*?[]/.test(pattern);

/**
 * The words of include_check applied to the checks in force; `+` and `-` hold for the words behind them, without a
 * word all checks are on. Unknown words are the row's to report.
 */
export function changeChecks(checks: ReadonlySet<IncludeCheck>, words: readonly string[]): ReadonlySet<IncludeCheck> {
  if (words.length === 0) return new Set(INCLUDE_CHECKS);
  const changed = new Set(/^[+-]/.test(words[0]!) ? checks : []);
  let add = true;
  for (const word of words) {
    if (/^[+-]/.test(word)) add = word.startsWith('+');
    const check = INCLUDE_CHECKS.find((known) => known === word.replace(/^[+-]/, ''));
    if (check === undefined) continue;
    if (add) changed.add(check);
    else changed.delete(check);
  }
  return changed;
}
