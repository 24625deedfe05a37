// Keywords that may stand at the top level and in global_defs: which of several agents this is, and where it runs.
import { flag, mark, seconds, text } from '../fields.ts';
import type { Rows } from './row.ts';

const OTHER_NAMESPACE = 'addresses are set in the namespace that the agent was started in';

export const placeRows = {
  net_namespace: {
    value: text('name'),
    acted: false,
    instead: OTHER_NAMESPACE,
    help: 'network namespace to run in',
  },
  net_namespace_ipvs: {
    value: text('name'),
    acted: false,
    balancing: true,
    help: 'network namespace of load balancing',
  },
  instance: { value: text('name'), help: 'a name for this agent, for the names of its dump files' },
  use_pid_dir: { value: mark, default: 'off', acted: false, help: 'put pid files into a directory of their own' },
  linkbeat_use_polling: {
    value: mark,
    moot: 'the kernel tells of links; nobody polls',
    help: 'ask the driver for the state of links',
  },
  namespace_with_ipsets: { value: flag, acted: false, help: 'use ipsets although the kernel is old' },
} as const satisfies Rows;

export const rootPlaceRows = {
  ...placeRows,
  child_wait_time: { value: seconds(0, 4294), default: '5', acted: false, help: 'seconds that a stop may take' },
} as const satisfies Rows;
