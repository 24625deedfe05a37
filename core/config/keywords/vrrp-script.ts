// vrrp_script: a check that is run at intervals and moves priorities.
import { command, integer, mark, seconds } from '../fields.ts';
import { scriptUser } from './global-defs.ts';
import type { Block, Rows } from './row.ts';
import { MAX_WEIGHT, weightField } from './track.ts';

const rows = {
  script: { value: command(false), help: 'program to run; 0 is success, anything else failure; no shell' },
  interval: { value: seconds(0.001, 4_294_967), default: '1', help: 'seconds from one start to the next' },
  timeout: { value: seconds(0.001, 4_294_967), help: 'seconds until a run counts as failed; default: the interval' },
  weight: {
    value: weightField(MAX_WEIGHT),
    example: '-20 reverse',
    default: '0',
    help: 'added to the priority while up (positive) or down (negative); 0: failure is a fault',
  },
  rise: { value: integer(1, 2_147_483_647), default: '1', help: 'successes in a row until it counts as up' },
  fall: { value: integer(1, 2_147_483_647), default: '1', help: 'failures in a row until it counts as down' },
  user: { value: scriptUser, help: 'user to run it as', example: 'nobody nogroup' },
  init_fail: { value: mark, help: 'counts as failed until it has succeeded' },
} as const satisfies Rows;

export const vrrpScript: Block<typeof rows> = {
  name: 'vrrp_script',
  help: 'a check that is run at intervals and moves priorities',
  rows,
};
