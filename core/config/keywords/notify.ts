// The scripts that are told of state changes; the same rows in instances and groups.
import { command } from '../fields.ts';

const told = (when: string) => ({ value: command(true), repeat: 'first', help: `program to run ${when}` }) as const;

export const notifyRows = {
  notify_master: told('on becoming MASTER'),
  notify_backup: told('on becoming BACKUP'),
  notify_fault: told('on entering FAULT'),
  notify_stop: told('when the agent stops'),
  notify: told('on every change, with INSTANCE|GROUP, name, state and priority as further arguments'),
} as const;
