// From the values of global_defs to what holds for all: the pieces put together, late-bound defaults for the instances.
// Pure.
import { seconds } from '../units.ts';
import type { Place, Report } from './diagnostics.ts';
import { globalDefs } from './keywords/global-defs.ts';
import type { root } from './keywords/root.ts';
import type { Found, Rows, Values } from './keywords/row.ts';
import type { GlobalDefs, MailConfig, NotifyFifo, TimedCommand } from './model.ts';
import { checkCommand, type ProgramProbe } from './scripts.ts';

export type GlobalValues = Values<typeof globalDefs.rows>;
export type RootValues = Values<typeof root.rows>;

/** Several global_defs are one: the last of each keyword counts, wherever they stand in the file; lists are joined. */
export function joinGlobals(pieces: readonly GlobalValues[]): GlobalValues {
  const joined: Record<string, Found<unknown>> = {};
  for (const piece of pieces)
    for (const [name, found] of Object.entries(piece)) {
      const before = joined[name];
      const isList = (globalDefs.rows as Rows)[name]?.repeat === 'join';
      joined[name] = isList && before ? { ...before, value: [...(before.value as []), ...(found.value as [])] } : found;
    }
  return joined as GlobalValues;
}

export interface GlobalContext {
  readonly hostName: string;
  /** The top level, where some of these keywords may stand, too. */
  readonly top: RootValues;
  readonly probe: ProgramProbe | undefined;
  readonly report: Report;
}

export function buildGlobals(values: GlobalValues, context: GlobalContext): GlobalDefs {
  const { hostName, top } = context;
  const notifyFifo = fifoOf(values, 'notify_fifo', context);
  const vrrpNotifyFifo = fifoOf(values, 'vrrp_notify_fifo', context);
  const lvsNotifyFifo = fifoOf(values, 'lvs_notify_fifo', context);
  const startupScript = scriptOf(values, 'startup_script', context);
  const shutdownScript = scriptOf(values, 'shutdown_script', context);
  return {
    routerId: values.router_id?.value ?? hostName,
    scriptUser: values.script_user?.value,
    enableScriptSecurity: values.enable_script_security !== undefined,
    realtimePriority: values.vrrp_rt_priority?.value,
    addressLifetime: values.vrrp_address_lifetime?.value ?? true,
    ...(values.vrrp_transport && { transport: values.vrrp_transport.value }),
    ...(notifyFifo && { notifyFifo }),
    ...(vrrpNotifyFifo && { vrrpNotifyFifo }),
    ...(lvsNotifyFifo && { lvsNotifyFifo }),
    notifyPriorityChanges: values.vrrp_notify_priority_changes?.value ?? false,
    fifoStatesOnReload: values.fifo_write_vrrp_states_on_reload !== undefined,
    mail: mailOf(values, hostName),
    jsonVersion: values.json_version?.value === 2 ? 2 : 1,
    ...text('stateDumpFile', values.state_dump_file),
    ...text('statsDumpFile', values.stats_dump_file),
    ...text('jsonDumpFile', values.json_dump_file),
    dataUseInstance: values.data_use_instance?.value ?? false,
    processNames: {
      ...text('main', values.process_name),
      ...text('vrrp', values.vrrp_process_name),
      ...text('checker', values.checker_process_name ?? values.lvs_process_name),
      ...text('bfd', values.bfd_process_name),
    },
    umask: values.umask?.value ?? 0o177,
    ...(startupScript && { startupScript }),
    ...(shutdownScript && { shutdownScript }),
    childWaitTime: (values.child_wait_time ?? top.child_wait_time)?.value ?? seconds(5),
    reload: {
      checkConfig: values.reload_check_config !== undefined,
      checkLog: values.reload_check_config?.value.log,
      timeFile: values.reload_time_file?.value,
      repeat: values.reload_repeat !== undefined,
      file: values.reload_file?.value,
      saveDirectory: values.config_save_dir?.value,
    },
    startupDelay: values.vrrp_startup_delay?.value ?? seconds(0),
    delayAfterBoot: values.vrrp_delay_after_boot?.value ?? seconds(0),
    startHold: values.vrrp_startup_hold?.value ?? seconds(40),
    conflictWatch: values.vrrp_conflict_watch?.value ?? true,
    logUnknownVrids: values.log_unknown_vrids !== undefined,
    dynamicInterfaces: values.dynamic_interfaces?.value ?? false,
    disableLocalIgmp: values.disable_local_igmp !== undefined,
    garpInterval: values.vrrp_garp_interval?.value ?? seconds(0),
    gnaInterval: values.vrrp_gna_interval?.value ?? seconds(0),
    ...nftablesOf(values),
    vmacPrefix: values.vmac_prefix?.value ?? 'vrrp',
    vmacAddressPrefix: values.vmac_addr_prefix?.value ?? values.vmac_prefix?.value ?? 'vrrp',
    ...text('networkNamespace', values.net_namespace ?? top.net_namespace),
    ...text('instanceName', values.instance ?? top.instance),
    usePidDirectory: (values.use_pid_dir ?? top.use_pid_dir) !== undefined,
    supplementaryGroups: values.set_supplementary_groups?.value ?? false,
    useSymlinkPaths: values.use_symlink_paths?.value ?? false,
  };
}

function nftablesOf(values: GlobalValues): Pick<GlobalDefs, 'nftables'> {
  const { nftables, nftables_priority: priority, nftables_counters: counters } = values;
  if (!nftables && !priority && !counters) return {};
  const table = nftables?.value[0];
  return {
    nftables: {
      ...(table !== undefined && { table }),
      ...(priority && { priority: priority.value }),
      ...(counters && { counters: true }),
    },
  };
}

/** The member, or nothing when the file does not say it. */
const text = <K extends string>(name: K, found: Found<string> | undefined): { readonly [P in K]?: string } =>
  (found === undefined ? {} : { [name]: found.value }) as { readonly [P in K]?: string };

function fifoOf(
  values: GlobalValues,
  keyword: 'notify_fifo' | 'vrrp_notify_fifo' | 'lvs_notify_fifo',
  { probe, report }: GlobalContext,
): NotifyFifo | undefined {
  const path = values[keyword];
  const script = values[`${keyword}_script`];
  if (path === undefined) {
    if (script) report.add('W013', script.place, `${keyword}_script has no ${keyword} to read and is ignored`);
    return undefined;
  }
  const isUsable = script && checkCommand(script.value, script.place, `${keyword}_script`, probe, report) === undefined;
  return { path: path.value, ...(isUsable && { script: script.value }) };
}

function scriptOf(
  values: GlobalValues,
  keyword: 'startup_script' | 'shutdown_script',
  { probe, report }: GlobalContext,
): TimedCommand | undefined {
  const found = values[keyword];
  if (found === undefined || checkCommand(found.value, found.place, keyword, probe, report) !== undefined)
    return undefined;
  return { command: found.value, timeout: seconds(values[`${keyword}_timeout`]?.value ?? 10) };
}

function mailOf(values: GlobalValues, hostName: string): MailConfig {
  const all = values.smtp_alert?.value ?? false;
  return {
    server: values.smtp_server?.value,
    from: values.notification_email_from?.value ?? `root@${hostName}`,
    to: values.notification_email?.value.flat() ?? [],
    helo: values.smtp_helo_name?.value ?? hostName,
    connectTimeout: values.smtp_connect_timeout?.value ?? seconds(30),
    alertVrrp: values.smtp_alert_vrrp?.value ?? all,
    alertChecker: values.smtp_alert_checker?.value ?? all,
    noFaults: values.no_email_faults !== undefined,
    noCheckers: values.no_checker_emails?.value ?? false,
  };
}

/** Scripts that run as whoever the agent runs as, usually root, and that others might change. */
export function reportScriptSecurity(values: GlobalValues, firstScript: Place | undefined, report: Report): void {
  if (firstScript && !values.enable_script_security)
    report.add(
      'I063',
      firstScript,
      'scripts run without enable_script_security: whoever can change one can become its user',
      {
        suggestion: 'put enable_script_security and script_user into global_defs',
      },
    );
}
