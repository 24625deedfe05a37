// What a configuration file is told about itself: findings with a stable code, an exact place and a way out.
// Pure; knows nothing of keywords.

/** A stretch of one line of a file. Line and column count from 1; column and length in UTF-16 code units (as editors do). */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** E: the agent does not start. W: it runs, but not as the file says or not as its author thinks. I: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** Every code with its meaning in general; the letter is the severity. Codes are never reused. */
export const CODES = {
  E001: 'the file cannot be read',
  E010: 'a keyword lacks its value',
  E011: 'a block lacks its name',
  E012: 'an instance has no virtual_router_id',
  E013: 'virtual_router_id is not 1..255',
  E014: 'two instances use the same virtual router',
  E015: 'the interface cannot carry VRRP',
  E016: 'a key of auth_hmac cannot be used',
  W010: 'unknown keyword',
  W011: 'value out of range',
  W012: 'value of the wrong kind',
  W013: 'words that nobody reads',
  W014: 'given more than once',
  W015: 'deprecated name',
  W016: 'block expected or not expected',
  W017: 'a block without its name is ignored',
  W020: 'missing {',
  W021: 'missing }',
  W022: '} closes nothing',
  W023: '{ opens nothing',
  W024: 'quote not closed',
  W025: 'line ignored',
  W026: 'include matches nothing',
  W027: 'undefined variable',
  W028: 'expansion or inclusion without end',
  W030: 'keywords not acted on yet',
  W031: 'a keyword not acted on yet changes what happens',
  W032: 'load balancing is not done',
  W040: 'value replaced, as keepalived does',
  W041: 'authentication not used',
  W042: 'password cut to 8 bytes',
  W043: 'preemption settings contradict each other',
  W044: 'address left out or moved',
  W045: 'no unicast peers: multicast',
  W046: 'no interface given',
  W047: 'no priority given',
  W048: 'no virtual addresses',
  W049: 'nothing to do',
  W050: 'a tracked name does not exist',
  W051: 'a script cannot be run',
  W052: 'a weight beyond the range of priorities',
  W053: 'priority 255 means address owner',
  W054: 'a script line looks like shell text',
  W055: 'sync group members',
  W056: 'a tracker without effect',
  W057: 'timeout longer than the interval',
  W058: 'two instances want the same interface of their own',
  W059: 'a check that cannot run',
  W061: 'a file with a key is open to others',
  W067: 'a notifier that cannot run',
  W070: 'the interface does not exist here',
  W071: 'a script that others can change',
  W072: 'an address outside every network of its interface',
  W073: 'nothing tells the neighbours',
  W074: 'weights and nopreempt cancel out',
  W075: 'the same address in two instances',
  W076: 'a unicast source that this machine does not have',
  W077: 'a unicast peer that is this machine',
  W078: 'BFD believes packets from further away than it needs to',
  W100: 'the peer has no such virtual router',
  W101: 'virtual_router_id differs from the peer',
  W102: 'VRRP version differs from the peer',
  W103: 'advert_int differs from the peer',
  W104: 'authentication differs from the peer',
  W105: 'the address lists differ',
  W106: 'priorities are equal',
  W107: 'priorities that no weight can cross',
  W108: 'one half is unicast, the other multicast',
  W109: 'unicast addresses do not match each other',
  W110: 'multicast groups differ',
  W111: 'both halves are MASTER with nopreempt',
  W112: 'sync groups differ',
  W113: 'both halves say they own the addresses',
  W114: 'checksums differ from the peer',
  I060: 'VRID 51 is everybody’s',
  I061: 'PASS is not security',
  I062: 'own interface is tracked anyway',
  I063: 'script security is off',
  I064: 'initial state of a group member',
  I065: 'keywords without meaning here',
  I066: 'an IPv6 advert without a link-local address',
  I080: 'a script that nothing tracks',
  I081: 'a failure is noticed late',
  I082: 'a dead master is noticed late',
  I083: 'one lost advert starts an election',
  I084: 'a single burst of announcements',
  I100: 'no single check moves the addresses',
  I101: 'cannot be compared with the peer',
} as const;

export type Code = keyof typeof CODES;

export interface Diagnostic {
  readonly severity: Severity;
  readonly code: Code;
  readonly place: Place;
  readonly message: string;
  /** What stood there. */
  readonly value?: string;
  /** What may stand there, as text: `1..255`. */
  readonly limit?: string;
  /** What to do about it, one sentence. */
  readonly suggestion?: string;
}

export interface Details {
  readonly value?: string;
  readonly limit?: string;
  readonly suggestion?: string | undefined;
}

export const severityOf = (code: Code): Severity =>
  code.startsWith('E') ? 'error' : code.startsWith('W') ? 'warning' : 'info';

/** Findings of one code; a file with more of them is not what it was taken for. */
const MOST_ALIKE = 1_000;

/** Collects findings while a file is read. */
export class Report {
  readonly #found: Diagnostic[] = [];
  readonly #counts = new Map<Code, number>();

  add(code: Code, place: Place, message: string, details: Details = {}): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count < MOST_ALIKE) this.#push(code, place, message, details);
    if (count === MOST_ALIKE) this.#push(code, place, 'and more of the same kind, which are not listed', {});
  }

  #push(code: Code, place: Place, message: string, { suggestion, ...rest }: Details): void {
    this.#found.push({ severity: severityOf(code), code, place, message, ...rest, ...(suggestion && { suggestion }) });
  }

  /** Everything found, in the order of the file (root file first, included files as they were met). */
  sorted(files: readonly string[] = []): readonly Diagnostic[] {
    const rank = (file: string) => (files.includes(file) ? files.indexOf(file) : files.length);
    return this.#found.toSorted(
      (a, b) =>
        rank(a.place.file) - rank(b.place.file) || a.place.line - b.place.line || a.place.column - b.place.column,
    );
  }
}

/** Parts of a rendered finding that a terminal may colour. */
export type Part = Severity | 'place' | 'carets' | 'help';

/**
 * One finding as people read it: place, severity and message; the source line; carets under the culprit; the way out.
 * @param source the text of the line that it is about, if known; passwords in it are not shown
 */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  source: string | undefined,
  paint: (text: string, part: Part) => string = (text) => text,
): string {
  const { place, severity, code, message, suggestion } = diagnostic;
  const at = paint(`${place.file}:${place.line}:${place.column}:`, 'place');
  const lines = [`${at} ${paint(`${severity}:`, severity)} ${harmless(message)} [${code}]`];
  if (source !== undefined && source.trim() !== '') {
    const indent = source.length - source.trimStart().length;
    const shown = harmless(redact(source)).trim();
    const start = Math.min(Math.max(place.column - 1 - indent, 0), shown.length);
    const marked = shown.slice(start, start + place.length);
    const blank = shown.slice(0, start).replace(/[^\t]/gu, (c) => ' '.repeat(cells(c)));
    lines.push(`   ${shown}`, `   ${blank}${paint('^'.repeat(Math.max(1, width(marked))), 'carets')}`);
  }
  if (suggestion !== undefined) lines.push(`   ${paint('help:', 'help')} ${harmless(suggestion)}`);
  return lines.join('\n');
}

const SECRET =
  /((?:^|[\s{])(?:auth_pass|password|key\s+[^\s{}]+)\s+)((?:"[^"]*"?|[^\s{}#!][^\s{}]*)(?:\s+(?:"[^"]*"?|[^\s{}#!][^\s{}]*))*)/g;

/** A line of a configuration without its secrets, as long as before: findings end up in logs, mails and public reports. */
export const redact = (line: string): string =>
  line.replace(SECRET, (_, before: string, secret: string) => before + secret.replace(/\S/g, '*'));

/** A finding whose value is part of a secret, told without it. */
export function withoutSecret(diagnostic: Diagnostic, line: string | undefined): Diagnostic {
  const { value, ...rest } = diagnostic;
  if (value === undefined || line === undefined || !line.includes(value) || redact(line).includes(value))
    return diagnostic;
  const hide = (text: string) => text.replaceAll(value, '********');
  const { message, suggestion } = rest;
  return { ...rest, message: hide(message), ...(suggestion !== undefined && { suggestion: hide(suggestion) }) };
}

/** Without characters that could steer a terminal; as long as before, so that carets stay below their word. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const harmless = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');

const width = (text: string): number => [...text].reduce((sum, c) => sum + cells(c), 0);

/** Terminal cells of a character: 2 for the East Asian wide ranges, 0 for combining marks, else 1. */
function cells(c: string): number {
  if (/\p{Mn}|\p{Me}/u.test(c)) return 0;
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u.test(
    c,
  )
    ? 2
    : 1;
}
