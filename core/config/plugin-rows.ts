// From the options that a plugin describes to rows of the language, and from what was read back to what the plugin is
// given: plain values with the defaults filled in. Pure; knows no single plugin.

import type { OptionSpec, OptionSpecs, PlainOptions } from '../plugin/options.ts';
import { millis, seconds as secondsOf } from '../units.ts';
import type { Place, Report } from './diagnostics.ts';
import { address, choice, type Field, flag, integer, seconds, text, words } from './fields.ts';
import {
  type Block,
  type Found,
  type Keyword,
  nested,
  pieces,
  type Rows,
  type Values,
  wasRefused,
} from './keywords/row.ts';

/** The rows of a block of such options. */
export function rowsOf(options: OptionSpecs): Rows {
  return Object.fromEntries(
    Object.entries(options).map(([name, spec]): [string, Keyword] => [name, rowOf(name, spec)]),
  );
}

function rowOf(name: string, spec: OptionSpec): Keyword {
  const many = 'many' in spec && spec.many === true;
  const value = spec.kind === 'block' ? blockOf(name, spec, many) : many ? listed(fieldOf(spec)) : fieldOf(spec);
  const { help, example } = spec;
  const initial = 'default' in spec && spec.default !== undefined ? said(spec.default) : undefined;
  return {
    value,
    help,
    extension: true,
    ...(initial !== undefined && { default: initial }),
    ...(example !== undefined && { example }),
    ...(many && { repeat: 'join' }),
    ...('secret' in spec && spec.secret && { secret: true }),
  };
}

function fieldOf(spec: Exclude<OptionSpec, { kind: 'block' }>): Field<unknown> {
  switch (spec.kind) {
    case 'integer':
      return integer(spec.min, spec.max);
    case 'seconds':
      return seconds(spec.min, spec.max);
    case 'text':
      return text('text');
    case 'choice':
      return choice(spec.choices);
    case 'flag':
      return flag;
    case 'address':
      return address();
    case 'pattern':
      return pattern;
    case 'words':
      return words('WORD …');
  }
}

function blockOf(name: string, spec: Extract<OptionSpec, { kind: 'block' }>, many: boolean): Field<unknown> {
  const block: Block = { name, help: spec.help, rows: rowsOf(spec.options) };
  return many ? pieces(block) : nested(block);
}

/** A value that may come several times. */
const listed = (field: Field<unknown>): Field<readonly unknown[]> => ({
  ...field,
  read(args) {
    const value = field.read(args);
    return value === undefined ? undefined : [value];
  },
});

/** A regular expression that compiles. */
const pattern: Field<string> = {
  kind: 'text',
  synopsis: 'PATTERN',
  read(args) {
    const word = args.need('a regular expression');
    if (word === undefined) return undefined;
    try {
      new RegExp(word.text, 'u');
      return word.text;
    } catch (error) {
      const why = (error as Error).message.replace(/^Invalid regular expression: /, '');
      return args.refuse('W012', word, `${args.keyword} is no regular expression: ${why}`);
    }
  },
};

const said = (value: number | string | boolean): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : `${value}`;

/** The options of a plugin as read; undefined: something that it needs is missing, which was reported. */
export function optionsOf(
  specs: OptionSpecs,
  values: Values<Rows>,
  block: { readonly name: string; readonly place: Place },
  report: Report,
): PlainOptions | undefined {
  const result: Record<string, unknown> = {};
  let complete = true;
  for (const [name, spec] of Object.entries(specs)) {
    const found = values[name] as Found<unknown> | undefined;
    const value = found === undefined ? initialOf(spec) : settled(spec, found, name, report);
    if (value !== undefined) result[name] = value;
    else if (found !== undefined) complete = false;
    else if (wasRefused(values, name)) complete &&= !isRequired(spec);
    else if (isRequired(spec)) {
      report.add('W059', block.place, `${block.name} needs ${name}`, {
        limit: name,
        suggestion: `add ${name}: ${spec.help}`,
      });
      complete = false;
    }
  }
  return complete ? result : undefined;
}

const isRequired = (spec: OptionSpec): boolean => 'required' in spec && spec.required === true;

function initialOf(spec: OptionSpec): unknown {
  if ('many' in spec && spec.many === true) return [];
  if (spec.kind === 'flag') return spec.default ?? false;
  if (spec.kind === 'seconds') return spec.default === undefined ? undefined : secondsOf(spec.default);
  return 'default' in spec ? spec.default : undefined;
}

/** Blocks inside are settled in their turn. */
function settled(spec: OptionSpec, { value, place }: Found<unknown>, name: string, report: Report): unknown {
  if (spec.kind !== 'block') return value;
  const one = (inner: unknown) => optionsOf(spec.options, inner as Values<Rows>, { name, place }, report);
  if (spec.many !== true) return one(value);
  const all = (value as readonly unknown[]).map(one);
  return all.includes(undefined) ? undefined : all;
}

/** Places of the options of a block, to point at one that the plugin complains of. */
export const placesOf = (values: Values<Rows>): ReadonlyMap<string, Place> =>
  new Map(Object.entries(values).map(([name, found]) => [name, found!.place]));

/** Never more than one probe in this time, however short the interval. */
export const SHORTEST_INTERVAL = millis(50);
