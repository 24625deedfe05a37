// From vrrp_script blocks to checks, with what can be said about them before they run. Pure; whether a program exists
// is asked of a probe.
import { seconds } from '../units.ts';
import { shellWords } from './command.ts';
import type { Place, Report } from './diagnostics.ts';
import type { Named, Values } from './keywords/row.ts';
import type { vrrpScript } from './keywords/vrrp-script.ts';
import type { Command, NotifyConfig, ScriptConfig } from './model.ts';

export type ProgramState = 'ok' | 'missing' | 'not-executable';

/** Looks programs up; a name without a slash is searched as the agent would. Absent when a file is checked off-host. */
export interface ProgramProbe {
  program(name: string): ProgramState;
}

export interface Scripts {
  readonly scripts: readonly ScriptConfig[];
  /** Scripts of the file that cannot be run, with the reason; trackers of them are dropped, as keepalived does. */
  readonly unusable: ReadonlyMap<string, string>;
}

type ScriptBlock = Named<Values<typeof vrrpScript.rows>>;

export function buildScripts(blocks: readonly ScriptBlock[], probe: ProgramProbe | undefined, report: Report): Scripts {
  const scripts = new Map<string, ScriptConfig>();
  const unusable = new Map<string, string>();
  for (const block of blocks) {
    if (scripts.has(block.name) || unusable.has(block.name)) {
      report.add('W014', block.place, `vrrp_script ${block.name} is defined again; the first one counts`, {
        value: block.name,
      });
      continue;
    }
    const { values } = block;
    if (!values.script) {
      report.add('W051', block.place, `vrrp_script ${block.name} has no script and is ignored`);
      unusable.set(block.name, 'it has no script');
      continue;
    }
    const why = checkCommand(values.script.value, values.script.place, `vrrp_script ${block.name}`, probe, report);
    if (why !== undefined) {
      unusable.set(block.name, why);
      continue;
    }
    const user = values.user?.value;
    const interval = values.interval?.value ?? seconds(1);
    const timeout = values.timeout?.value ?? interval;
    if (values.timeout && timeout > interval)
      report.add(
        'W057',
        values.timeout.place,
        `the timeout of ${block.name} is longer than its interval: runs are skipped meanwhile`,
      );
    scripts.set(block.name, {
      name: block.name,
      command: { argv: values.script.value.argv, ...(user && { user }) },
      interval,
      timeout,
      weight: values.weight?.value.weight ?? 0,
      reverse: values.weight?.value.reverse ?? false,
      rise: values.rise?.value ?? 1,
      fall: values.fall?.value ?? 1,
      initFail: values.init_fail !== undefined,
    });
  }
  return { scripts: [...scripts.values()], unusable };
}

/** Why a command cannot be run, after reporting it; undefined: nothing is known against it. */
export function checkCommand(
  command: Command,
  place: Place,
  what: string,
  probe: ProgramProbe | undefined,
  report: Report,
): string | undefined {
  const shell = shellWords(command.argv);
  const program = command.argv[0]!;
  if (program.startsWith('<') || shell.length > 0)
    report.add(
      'W054',
      place,
      `${what} is not run by a shell: ${program.startsWith('<') ? program : shell.join(' ')} is an argument like any other`,
      {
        suggestion: `write sh -c '…' inside the quotes, or put it into a script`,
      },
    );
  const state = probe?.program(program) ?? 'ok';
  if (state === 'ok') return undefined;
  const why = state === 'missing' ? `${program} does not exist` : `${program} is not executable`;
  report.add('W051', place, `${what} cannot be run: ${why}`, { value: program });
  return why;
}

type NotifyValues = {
  readonly [K in (typeof NOTIFY)[number][0]]?: { readonly value: Command; readonly place: Place };
} & {
  readonly notify_deleted?: unknown;
  readonly notify_priority_changes?: { readonly value: boolean };
  readonly smtp_alert?: { readonly value: boolean };
};

/** Keywords that name a program, and where the model keeps it. */
export const NOTIFY = [
  ['notify_master', 'master'],
  ['notify_backup', 'backup'],
  ['notify_fault', 'fault'],
  ['notify_stop', 'stop'],
  ['notify', 'any'],
  ['notify_master_rx_lower_pri', 'masterRxLowerPriority'],
] as const;

/** The notify scripts of an instance or group; one that cannot be run is dropped. */
export function buildNotify(values: NotifyValues, probe: ProgramProbe | undefined, report: Report): NotifyConfig {
  const notify: { -readonly [K in keyof NotifyConfig]: NotifyConfig[K] } = {};
  for (const [keyword, key] of NOTIFY) {
    const found = values[keyword];
    if (!found) continue;
    const user = found.value.user?.user;
    if (user !== undefined && /^(master|backup|fault|stop)$/i.test(user))
      report.add('W054', found.place, `the word after ${found.value.argv[0]} is a user to run it as, not an argument`, {
        value: user,
        suggestion: `write ${keyword} "${found.value.argv.join(' ')} ${user}"`,
      });
    if (checkCommand(found.value, found.place, keyword, probe, report) === undefined) notify[key] = found.value;
  }
  if (values.notify_deleted) notify.deleted = true;
  if (values.notify_priority_changes) notify.priorityChanges = values.notify_priority_changes.value;
  if (values.smtp_alert) notify.smtpAlert = values.smtp_alert.value;
  return notify;
}

/** The first place in the file where any script is named. */
export const firstScriptPlace = (places: readonly (Place | undefined)[]): Place | undefined =>
  places.find((place) => place !== undefined);
