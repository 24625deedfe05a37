// vrrp_check: a check that a plugin makes without a process of its own, or an expression over other checks. The blocks
// of the plugins are rows like any others, made from what each plugin says of its options.
import type { CheckDescription } from '../../plugin/check.ts';
import type { Place } from '../diagnostics.ts';
import { type Field, flag, integer, seconds, wholeNumber } from '../fields.ts';
import { NATIVE_CHECKS } from '../native-checks.ts';
import { rowsOf } from '../plugin-rows.ts';
import { checkerRows } from './checkers.ts';
import { type Block, type Keyword, named, nested, opensOf, type Rows } from './row.ts';
import { MAX_WEIGHT, weightField } from './track.ts';

/** Names of checks, at least one. */
const names: Field<readonly { readonly name: string; readonly place: Place }[]> = {
  kind: 'record',
  synopsis: 'NAME …',
  read(args) {
    if (args.need('the name of a check') === undefined) return undefined;
    args.takeAll();
    return args.statement.words.slice(1).map((word) => ({ name: word.text, place: word.place }));
  },
};

/** `N NAME …` */
const atLeast: Field<{
  readonly count: number;
  readonly names: readonly { readonly name: string; readonly place: Place }[];
}> = {
  kind: 'record',
  synopsis: 'N NAME …',
  read(args) {
    const word = args.need('how many of the checks must pass');
    const count = word && wholeNumber(args, word, 1, 1_000);
    if (args.need('the name of a check') === undefined || count === undefined) return undefined;
    args.takeAll();
    return { count, names: args.statement.words.slice(2).map((name) => ({ name: name.text, place: name.place })) };
  },
};

export const commonRows = {
  interval: { value: seconds(0.05, 86_400), default: '1', help: 'seconds from one probe to the next' },
  timeout: {
    value: seconds(0.001, 86_400),
    help: 'seconds until a probe counts as failed; default and most: the interval',
  },
  jitter: {
    extension: true,
    value: seconds(0, 86_400),
    default: '0',
    help: 'up to so many seconds are added to each interval, at random',
  },
  rise: { value: integer(1, 2_147_483_647), default: '1', help: 'successes in a row until it counts as up' },
  fall: { value: integer(1, 2_147_483_647), default: '1', help: 'failures in a row until it counts as down' },
  weight: {
    value: weightField(MAX_WEIGHT),
    example: '-20',
    default: '0',
    help: 'added to the priority while up (positive) or down (negative); 0: failure is a fault',
  },
  init_fail: { value: flag, default: 'off', help: 'counts as failed until it has succeeded, and when it cannot run' },
  all: {
    extension: true,
    value: names,
    help: 'up while all of these checks are up',
    example: 'web database',
  },
  any: {
    extension: true,
    value: names,
    help: 'up while one of these checks is up',
    example: 'uplink1 uplink2',
  },
  at_least: {
    extension: true,
    value: atLeast,
    help: 'up while so many of these checks are up',
    example: '2 node1 node2 node3',
  },
} as const satisfies Rows;

/** The block of a vrrp_check where these plugins are there. */
export function vrrpCheck(plugins: readonly CheckDescription[]): Block {
  const blocks = plugins.map(({ name, help, options }): [string, Keyword] => [
    name,
    { value: nested({ name, help, rows: rowsOf(options) }), help, extension: true },
  ]);
  return {
    name: 'vrrp_check',
    help: 'a check made by a plugin, without a process, or an expression over checks; moves priorities',
    rows: { ...Object.fromEntries(blocks), ...commonRows, ...nativeRows(plugins) },
  };
}

/** keepalived's own words for what these plugins do: blocks of a real server, here without one. */
const nativeRows = (plugins: readonly CheckDescription[]): Rows =>
  Object.fromEntries(
    Object.entries(checkerRows).flatMap(([name, row]): [string, Keyword][] => {
      const block = opensOf(row);
      if (block === undefined || !plugins.some((plugin) => plugin.name === NATIVE_CHECKS.get(name))) return [];
      const { help, example } = row;
      return [[name, { value: nested(block), help, extension: true, ...(example !== undefined && { example }) }]];
    }),
  );

export const checkField = (plugins: readonly CheckDescription[]) => named(vrrpCheck(plugins));
