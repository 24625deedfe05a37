// vrrp_script: a check that is run at intervals and moves priorities.
import { command, type Field, integer, mark, seconds } from '../fields.ts';
import { scriptUser } from './global-defs.ts';
import type { Block, Rows } from './row.ts';
import { MAX_WEIGHT, weightOf } from './track.ts';

const weight: Field<{ readonly weight: number; readonly reverse: boolean }> = {
  kind: 'record',
  synopsis: `-${MAX_WEIGHT}..${MAX_WEIGHT} [reverse]`,
  min: -MAX_WEIGHT,
  max: MAX_WEIGHT,
  read(args) {
    const word = args.need(`a number -${MAX_WEIGHT}..${MAX_WEIGHT}`);
    const value = word && weightOf(args, word);
    const reverse = args.peek()?.text === 'reverse';
    if (reverse) args.take();
    return value === undefined ? undefined : { weight: value, reverse };
  },
};

const rows = {
  script: { value: command(false), help: 'program to run; 0 is success, anything else failure; no shell' },
  interval: { value: seconds(0.001, 4_294_967), default: '1', help: 'seconds from one start to the next' },
  timeout: { value: seconds(0.001, 4_294_967), help: 'seconds until a run counts as failed; default: the interval' },
  weight: {
    value: weight,
    default: '0',
    help: 'added to the priority while up (positive) or down (negative); 0: failure is a fault',
  },
  rise: { value: integer(1, 2_147_483_647), default: '1', help: 'successes in a row until it counts as up' },
  fall: { value: integer(1, 2_147_483_647), default: '1', help: 'failures in a row until it counts as down' },
  user: { value: scriptUser, help: 'user to run it as' },
  init_fail: { value: mark, help: 'counts as failed until it has succeeded' },
} as const satisfies Rows;

export const vrrpScript: Block<typeof rows> = {
  name: 'vrrp_script',
  help: 'a check that is run at intervals and moves priorities',
  rows,
};
