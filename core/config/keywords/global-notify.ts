// global_defs, first part: who is told of what, by FIFO and mail, and the files that signals write.
import { command, type Field, flag, integer, mark, seconds, text, wholeNumber } from '../fields.ts';
import { balancing, list, notActed, type Rows } from './row.ts';

/** `HOST [PORT]` */
const mailServer: Field<{ readonly host: string; readonly port: number }> = {
  kind: 'record',
  synopsis: 'HOST [PORT]',
  read(args) {
    const host = args.need('a host name or address');
    if (host === undefined) return undefined;
    const word = args.take();
    const port = word === undefined ? 25 : wholeNumber(args, word, 1, 65_535, 'port');
    return port === undefined ? undefined : { host: host.text, port };
  },
};

/** One or more addresses a line. */
const mailAddresses: Field<readonly string[]> = {
  kind: 'record',
  synopsis: 'ADDRESS …',
  read: (args) => args.takeAll().map((word) => word.text),
};

/** `[LOGFILE]` */
const checkLog: Field<{ readonly log: string | undefined }> = {
  kind: 'record',
  synopsis: '[LOGFILE]',
  optional: true,
  read: (args) => ({ log: args.take()?.text }),
};

const INCLUDE_CHECKS = ['readable', 'match', 'wildcard_match', 'brace_match'];

/** `[+|-]CHECK …`; a lone sign makes all that follow additions or removals. */
const includeChecks: Field<readonly string[]> = {
  kind: 'record',
  synopsis: `[[+|-]${INCLUDE_CHECKS.join('|')} …]`,
  optional: true,
  read: (args) =>
    args.takeAll().flatMap((word) => {
      if (['+', '-', ...INCLUDE_CHECKS].includes(word.text) || INCLUDE_CHECKS.includes(word.text.slice(1)))
        return [word.text];
      return (
        args.refuse('W012', word, `include_check knows no '${word.text}'`, { limit: INCLUDE_CHECKS.join('|') }) ?? []
      );
    }),
};

export const mailRows = {
  notification_email: {
    value: list(mailAddresses),
    repeat: 'join',
    help: 'who gets mail',
    example: 'admin@example.org',
  },
  notification_email_from: {
    value: text('address'),
    lenient: true,
    default: 'root@ and the host name',
    help: 'sender of mail',
  },
  smtp_server: { value: mailServer, help: 'mail server; port 25 unless said', example: 'mail.example.org 25' },
  smtp_helo_name: { value: text('name'), lenient: true, default: 'the host name', help: 'name in the HELO of mail' },
  smtp_connect_timeout: { value: seconds(0, 4294), default: '30', help: 'seconds until a mail server counts as dead' },
  smtp_alert: { value: flag, default: 'off', help: 'mail about everything that does not say otherwise' },
  smtp_alert_vrrp: { value: flag, help: 'the same for instances and groups; default: smtp_alert' },
  no_email_faults: { value: mark, default: 'off', help: 'no mail about FAULT' },
  ...balancing({
    smtp_alert_checker: { value: flag, help: 'the same for virtual servers; default: smtp_alert' },
    no_checker_emails: { value: flag, default: 'off', help: 'no mail about single checkers, only about servers' },
  } as const satisfies Rows),
} as const satisfies Rows;

export const fifoRows = {
  notify_fifo: { value: text('path'), lenient: true, help: 'named pipe that gets a line for each change of anything' },
  notify_fifo_script: {
    value: command(true),
    lenient: true,
    help: 'program that reads notify_fifo; gets its path as last argument',
  },
  vrrp_notify_fifo: { value: text('path'), lenient: true, help: 'named pipe for the changes of instances and groups' },
  vrrp_notify_fifo_script: {
    value: command(true),
    lenient: true,
    help: 'program that reads vrrp_notify_fifo; gets its path as last argument',
  },
  ...balancing({
    lvs_notify_fifo: { value: text('path'), lenient: true, help: 'named pipe for the changes of virtual servers' },
    lvs_notify_fifo_script: {
      value: command(true),
      lenient: true,
      help: 'program that reads lvs_notify_fifo; gets its path as last argument',
    },
    rs_init_notifies: { value: flag, default: 'off', help: 'tell of real servers when they are first found up' },
  } as const satisfies Rows),
  vrrp_notify_priority_changes: { value: flag, default: 'off', help: 'tell the FIFOs of changed priorities, too' },
  fifo_write_vrrp_states_on_reload: { value: mark, default: 'off', help: 'tell the FIFOs every state after a reload' },
} as const satisfies Rows;

export const dumpRows = {
  json_version: { value: integer(1, 2), default: '1', since: '2.2.8', help: 'layout of the JSON dump' },
  state_dump_file: {
    value: text('path'),
    default: '/tmp/keepalived.data',
    since: '2.2.8',
    help: 'file that signal 10 (SIGUSR1) writes',
  },
  stats_dump_file: {
    value: text('path'),
    default: '/tmp/keepalived.stats',
    since: '2.2.8',
    help: 'file that signal 12 (SIGUSR2) writes',
  },
  json_dump_file: {
    value: text('path'),
    default: '/tmp/keepalived.json',
    since: '2.2.8',
    help: 'file that signal 36 writes',
  },
  data_use_instance: { value: flag, default: 'off', help: 'put instance and namespace into the names of dump files' },
} as const satisfies Rows;

const STARTS_NOT = { instead: 'it is not run' } as const;

export const lifeRows = {
  ...notActed({
    startup_script: { value: command(true), lenient: true, help: 'program to run before anything else', ...STARTS_NOT },
    startup_script_timeout: {
      value: integer(1, 1000),
      lenient: true,
      default: '10',
      help: 'seconds that startup_script may take',
    },
    shutdown_script: {
      value: command(true),
      lenient: true,
      help: 'program to run after everything else',
      ...STARTS_NOT,
    },
    shutdown_script_timeout: {
      value: integer(1, 1000),
      lenient: true,
      default: '10',
      help: 'seconds that shutdown_script may take',
    },
    child_wait_time: { value: seconds(0, 4294), default: '5', help: 'seconds that a stop may take' },
    reload_time_file: { value: text('path'), lenient: true, help: 'file that says when to reload' },
    reload_repeat: { value: mark, default: 'off', help: 'look at reload_time_file again after a reload' },
    reload_file: { value: text('path'), lenient: true, help: 'file that marks a reload that is under way' },
    config_save_dir: { value: text('directory'), help: 'directory for copies of the configuration' },
  } as const satisfies Rows),
  reload_check_config: {
    value: checkLog,
    default: 'always',
    help: 'check a new file before the old one is given up; here that is always done, and what is found is logged',
    example: '/var/log/keepalived-check.log',
  },
  include_check: {
    value: includeChecks,
    help: 'which includes must find a file that can be read; acts on the lines behind it',
    example: 'readable match',
  },
  tmp_config_directory: {
    value: text('directory'),
    lenient: true,
    moot: 'the file is read once, into memory',
    help: 'where to keep a copy of the configuration while running',
  },
} as const satisfies Rows;

export const tellRows = {
  ...notActed({
    snmp_socket: { value: text('socket'), lenient: true, help: 'socket of the SNMP agent' },
    enable_traps: { value: mark, help: 'send SNMP traps' },
    enable_snmp_vrrp: {
      value: mark,
      synonyms: ['enable_snmp_keepalived'],
      help: 'answer SNMP queries about instances (KEEPALIVED-MIB)',
    },
    enable_snmp_rfc: { value: mark, help: 'answer SNMP queries by both RFCs' },
    enable_snmp_rfcv2: { value: mark, help: 'answer SNMP queries about VRRPv2 (RFC 2787)' },
    enable_snmp_rfcv3: { value: mark, help: 'answer SNMP queries about VRRPv3 (RFC 6527)' },
    enable_dbus: { value: mark, help: 'offer the D-Bus interface' },
    dbus_service_name: {
      value: text('name'),
      lenient: true,
      default: 'org.keepalived.Vrrp1',
      help: 'name of the D-Bus service',
    },
    dbus_no_interface_name: {
      value: mark,
      since: '2.3.0',
      help: 'leave the interface out of D-Bus object paths',
    },
  } as const satisfies Rows),
  ...balancing({
    enable_snmp_checker: { value: mark, help: 'answer SNMP queries about virtual servers' },
    snmp_vs_stats_update_interval: {
      value: seconds(0.001, 4294),
      since: '2.3.0',
      default: '5',
      help: 'how old SNMP figures of virtual servers may be',
    },
    snmp_rs_stats_update_interval: {
      value: seconds(0.001, 4294),
      since: '2.3.0',
      help: 'how old SNMP figures of real servers may be',
    },
  } as const satisfies Rows),
} as const satisfies Rows;
