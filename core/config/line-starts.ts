// What acts at the start of a line only: `@id` conditions. And where lines start: behind a brace as well. Pure.

/** `@` and `@^`: what follows without a space is compared, even if that is nothing. */
const CONDITION = /^(\s*)@(\^?)(\S*)/;
const STARTS = /^\s*(?:@|~SEQ|~LST|\$[A-Za-z_][A-Za-z0-9_]*=|include[rmwba]?\s)/;
const MAYBE = /[{}]\s*[@~$i]/;

export interface Condition {
  /** Where the rest of the line begins. */
  readonly end: number;
  readonly holds: boolean;
}

/** The condition at the start of a line, if one is there. */
export function conditionOf(text: string, configId: string): Condition | undefined {
  const match = CONDITION.exec(text);
  if (match === null) return undefined;
  return { end: match[0].length, holds: (match[3] === configId) !== (match[2] === '^') };
}

/**
 * Where, behind a brace outside quotes, something stands that acts at the start of a line only: keepalived takes what
 * is behind a brace for a new line.
 */
export function freshStart(text: string): number | undefined {
  if (!MAYBE.test(text)) return undefined;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (c === '$' && text[i + 1] === '{') {
      const close = text.indexOf('}', i);
      i = close === -1 ? i + 1 : close;
    } else if (!quoted && (c === '{' || c === '}') && STARTS.test(text.slice(i + 1, i + 81))) return i + 1;
  }
  return undefined;
}
