// The command line as a table: options with their help, parsed by node:util and explained from the same rows.
// Knows no verb; each verb brings its own table.
import { parseArgs } from 'node:util';
import { nearest } from '../config/suggest.ts';
import { wrap } from '../control/text-table.ts';

/** The word that was probably meant, for the verbs that bring their own lists. */
export { nearest as suggest } from '../config/suggest.ts';

export interface OptionSpec {
  /** Without dashes: `runtime-dir`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** The placeholder of its value in the help; absent: a switch without a value. */
  readonly value?: string;
  readonly help: string;
  /** Shown in the help; applied by `text`. */
  readonly fallback?: string;
  /** Accepted for compatibility, but not in the help. */
  readonly hidden?: boolean;
}

export interface OperandSpec {
  /** In capitals: `NAME`. */
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  /** The last one only: any number. */
  readonly many?: boolean;
}

export interface CommandSpec {
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly operands?: readonly OperandSpec[];
  readonly exitCodes?: readonly (readonly [code: number, meaning: string])[];
  /** Paragraphs after everything else. */
  readonly notes?: readonly string[];
}

/** What was on the command line. Asking for an option that is not in the table is a bug and throws. */
export interface Arguments {
  has(option: string): boolean;
  /** The last value given, else the fallback. */
  text(option: string): string | undefined;
  /** Every value given, in order. */
  all(option: string): readonly string[];
  readonly operands: readonly string[];
}

export type Parsed =
  | { readonly type: 'run'; readonly args: Arguments }
  | { readonly type: 'help'; readonly text: string }
  /** `message` names the option at fault and how to get help; exit with 2. */
  | { readonly type: 'error'; readonly message: string };

const HELP: OptionSpec = { name: 'help', short: 'h', help: 'show this help' };
const PROGRAM = 'vipkeeper';

/** @param columns width of the help text */
export function parseCommand(spec: CommandSpec, argv: readonly string[], columns = 80): Parsed {
  const table = [...spec.options, HELP];
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      table.map(({ name, short, value }) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) } as const,
      ]),
    ),
    // Our own judgement, for messages that help.
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = table.find(({ name }) => name === token.name);
    const fault = optionFault(token, option, table);
    if (fault !== undefined) return failure(spec, fault);
    if (option === HELP) return { type: 'help', text: helpText(spec, columns) };
    values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? '']);
  }
  const fault = operandFault(spec, operands);
  if (fault !== undefined) return failure(spec, fault);
  const valuesOf = (name: string): readonly string[] => {
    if (!table.some((option) => option.name === name)) throw new Error(`${spec.name} has no option --${name}`);
    return values.get(name) ?? [];
  };
  const args: Arguments = {
    has: (name) => valuesOf(name).length > 0,
    text: (name) => valuesOf(name).at(-1) ?? table.find((option) => option.name === name)!.fallback,
    all: valuesOf,
    operands,
  };
  return { type: 'run', args };
}

export function helpText(spec: CommandSpec, columns = 80): string {
  const operands = spec.operands ?? [];
  const usage = [PROGRAM, spec.name, '[OPTIONS]', ...operands.map(operandText)].join(' ');
  const parts = [`${capital(spec.summary)}.`, '', `Usage: ${usage}`];
  if (operands.length > 0)
    parts.push(
      '',
      'Operands:',
      ...pairs(
        operands.map(({ name, help }) => [name, help]),
        columns,
      ),
    );
  const options = [...spec.options.filter(({ hidden }) => !hidden), HELP];
  parts.push(
    '',
    'Options:',
    ...pairs(
      options.map((option) => [optionText(option), optionHelp(option)]),
      columns,
    ),
  );
  if (spec.exitCodes)
    parts.push(
      '',
      'Exit codes:',
      ...pairs(
        spec.exitCodes.map(([code, meaning]) => [String(code), meaning]),
        columns,
      ),
    );
  for (const note of spec.notes ?? []) parts.push('', ...wrap(note, columns));
  return `${parts.join('\n')}\n`;
}

/** The help of the program itself: its verbs. */
export function overviewText(about: string, specs: readonly CommandSpec[], columns = 80): string {
  const verbs = pairs(
    specs.map(({ name, summary }) => [name, summary]),
    columns,
  );
  const more = `\`${PROGRAM} VERB --help\` explains a verb and its options.`;
  return `${[...wrap(about, columns), '', `Usage: ${PROGRAM} VERB [OPTIONS]`, '', 'Verbs:', ...verbs, '', more].join('\n')}\n`;
}

/** Message for a verb that does not exist. */
export function unknownVerb(verb: string, specs: readonly CommandSpec[]): string {
  const guess = nearest(
    verb,
    specs.map(({ name }) => name),
  );
  return `${PROGRAM}: there is no verb ${verb}${guess ? `, did you mean ${guess}?` : ''}\nTry \`${PROGRAM} --help\`.`;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function optionFault(
  token: OptionToken,
  option: OptionSpec | undefined,
  table: readonly OptionSpec[],
): string | undefined {
  if (!option) {
    const visible = table.filter(({ hidden }) => !hidden).map(({ name }) => name);
    const guess = token.rawName.startsWith('--') ? nearest(token.name, visible) : undefined;
    return `unknown option ${token.rawName}${guess ? `, did you mean --${guess}?` : ''}`;
  }
  if (option.value === undefined)
    return token.inlineValue ? `option ${token.rawName} takes no value, but got ${token.value}` : undefined;
  if (token.value === undefined || token.value === '') return `option ${token.rawName} needs a value: ${option.value}`;
  if (!token.inlineValue && token.value.startsWith('-') && token.value !== '-')
    return `option ${token.rawName} needs a value: ${option.value} (one that begins with a dash: --${option.name}=${token.value})`;
  return undefined;
}

function operandFault(spec: CommandSpec, given: readonly string[]): string | undefined {
  const operands = spec.operands ?? [];
  const missing = operands.find(({ required }, i) => required && given[i] === undefined);
  if (missing) return `${missing.name} is missing: ${missing.help}`;
  if (given.length > operands.length && !operands.at(-1)?.many) return `unexpected operand ${given[operands.length]}`;
  return undefined;
}

function failure(spec: CommandSpec, fault: string): Parsed {
  const command = `${PROGRAM} ${spec.name}`;
  return { type: 'error', message: `${command}: ${fault}\nTry \`${command} --help\`.` };
}

function operandText({ name, required, many }: OperandSpec): string {
  const text = many ? `${name}…` : name;
  return required ? text : `[${text}]`;
}

function optionText({ name, short, value }: OptionSpec): string {
  const text = `${short ? `-${short}, ` : '    '}--${name}`;
  return value === undefined ? text : `${text} ${value}`;
}

function optionHelp({ help, fallback }: OptionSpec): string {
  return fallback === undefined ? help : `${help} (default: ${fallback})`;
}

/** Two columns, the second one broken at spaces. */
function pairs(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const left = Math.max(...rows.map(([term]) => term.length)) + 4;
  return rows.flatMap(([term, text]) =>
    wrap(text, Math.max(20, columns - left)).map((line, i) => `${`  ${i === 0 ? term : ''}`.padEnd(left)}${line}`),
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
