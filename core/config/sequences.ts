// ~SEQ and ~LST: a line that is repeated for every value of its variables. Reads their headers; the repeating is the
// line reader's. Pure.

/** How a line is repeated. */
export interface Repetition {
  /** Values of the variables, one set for each time; made one by one, because there may be billions. */
  readonly values: Iterable<readonly (readonly [name: string, value: string])[]>;
}

export interface SequenceHeader {
  readonly kind: 'SEQ' | 'SEQx' | 'LST';
  /** What stands in the parentheses, variables not replaced yet. */
  readonly parameters: string;
  /** Index of the `~`, and behind the `)`; without a `)` the end of the line. */
  readonly start: number;
  readonly end: number;
  readonly closed: boolean;
}

const HEADER = /^(\s*)~(SEQx?|LST)\s*\(/;
const NUMBER = /^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The header at the start of a line, if one is there. */
export function sequenceHeader(text: string): SequenceHeader | undefined {
  const match = HEADER.exec(text);
  if (match === null) return undefined;
  const close = text.indexOf(')', match[0].length);
  return {
    kind: match[2] as SequenceHeader['kind'],
    parameters: text.slice(match[0].length, close === -1 ? undefined : close),
    start: match[1]!.length,
    end: close === -1 ? text.length : close + 1,
    closed: close !== -1,
  };
}

/** What a header asks for, or what is wrong with it. */
export function repetitionOf(kind: SequenceHeader['kind'], parameters: string): Repetition | string {
  return kind === 'LST' ? list(parameters) : sequence(parameters, kind === 'SEQx');
}

function sequence(parameters: string, hex: boolean): Repetition | string {
  const [name, ...texts] = parameters.split(',').map((part) => part.trim());
  if (name === undefined || !NAME.test(name)) return `'${name ?? ''}' is not the name of a variable`;
  if (texts.length < 1 || texts.length > 3) return 'one to three numbers follow the variable';
  const wrong = texts.find((text) => !NUMBER.test(text));
  if (wrong !== undefined) return `'${wrong}' is not a whole number`;
  const numbers = texts.map(numberOf);
  const end = numbers.at(-1)!;
  const start = numbers.length > 1 ? numbers[0]! : end < 0 ? -1 : 1;
  const step = numbers.length > 2 ? numbers[1]! : start > end ? -1 : 1;
  if (step === 0) return 'a step of 0 leads nowhere';
  if (step > 0 ? start > end : start < end) return `steps of ${step} do not lead from ${start} to ${end}`;
  if (hex && (start < 0 || end < 0)) return '~SEQx counts in positive numbers only';
  return { values: count(name, start, step, end, hex ? 16 : 10) };
}

/** As strtol with base 0 has it: `0x` is hexadecimal, a leading 0 octal. */
function numberOf(text: string): number {
  const digits = text.replace(/^[+-]/, '');
  const octal = /^0[0-7]+$/.test(digits);
  const n = octal ? Number.parseInt(digits, 8) : Number(digits);
  return text.startsWith('-') ? -n : n;
}

function* count(name: string, start: number, step: number, end: number, radix: 10 | 16) {
  // Beyond 2^53 a step may change nothing: `i` counts, so it ends all the same.
  const last = Math.floor((end - start) / step);
  for (let i = 0; i <= last; i++) yield [[name, (start + i * step).toString(radix)] as const];
}

function list(parameters: string): Repetition | string {
  const items = itemsOf(parameters);
  if (typeof items === 'string') return items;
  const [names, ...rows] = items;
  if (names === undefined || rows.length === 0) return 'at least one value follows the variable';
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) return `'${wrong}' is not the name of a variable`;
  const long = rows.find((row) => row.length > names.length);
  if (long !== undefined) return `${long.length} values ({${long.join(',')}}) for ${names.length} variables`;
  return { values: rows.map((row) => names.map((name, i) => [name, row[i] ?? ''] as const)) };
}

/** `a, {b, c}` as [[a], [b, c]]; a text says what is wrong. */
function itemsOf(text: string): readonly (readonly string[])[] | string {
  const items: string[][] = [];
  const item = /\s*(?:\{([^{}]*)\}|([^\s,{}]*))\s*(?:(,)|$)/y;
  for (;;) {
    const at = item.lastIndex;
    const match = item.exec(text);
    if (match === null) return `'${text.slice(at).trim()}' is not a list of values without white space`;
    const words = match[1] === undefined ? [match[2]!] : match[1].split(',').map((word) => word.trim());
    const spaced = words.find((word) => /\s/.test(word));
    if (spaced !== undefined) return `'${spaced}' contains white space`;
    items.push(words);
    if (match[3] === undefined) return items;
  }
}
