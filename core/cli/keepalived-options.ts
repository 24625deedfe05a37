// keepalived's command line, read as getopt_long(3) does: letters that stand together, values that are attached or
// follow, long names cut short. A table of its options; what they mean is keepalived.ts's business.

export type Argument = 'none' | 'required' | 'optional';

export interface KeepalivedOption {
  readonly letter?: string;
  readonly long: string;
  readonly argument: Argument;
  /** Placeholder of the value in the help. */
  readonly value?: string;
  readonly help: string;
  /** What happens instead where it cannot be done here; said in the log. */
  readonly instead?: string;
}

const none = (letter: string | undefined, long: string, help: string, instead?: string): KeepalivedOption => ({
  ...(letter !== undefined && { letter }),
  long,
  argument: 'none',
  help,
  ...(instead !== undefined && { instead }),
});
const required = (letter: string | undefined, long: string, value: string, help: string): KeepalivedOption => ({
  ...(letter !== undefined && { letter }),
  long,
  argument: 'required',
  value,
  help,
});

const NO_LVS = 'load balancing is not done here';
const NO_SNMP = 'there is no SNMP here';

export const KEEPALIVED_OPTIONS: readonly KeepalivedOption[] = [
  required('f', 'use-file', 'FILE', 'Use the specified configuration file'),
  none('P', 'vrrp', 'Only run with VRRP subsystem'),
  none('C', 'check', 'Only run with Health-checker subsystem'),
  none('B', 'no_bfd', "Don't run BFD subsystem"),
  none(undefined, 'all', 'Force all child processes to run: there is one process'),
  none('l', 'log-console', 'Log messages to local console'),
  none('D', 'log-detail', 'Detailed log messages'),
  required('S', 'log-facility', '([0-7]|local[0-7]|user|daemon)', 'Set syslog facility, daemon by default'),
  { letter: 'g', long: 'log-file', argument: 'optional', value: 'FILE', help: 'Also log to FILE' },
  none(undefined, 'flush-log-file', 'Flush the log file on each write: it always is'),
  none('G', 'no-syslog', "Don't log via syslog"),
  required('u', 'umask', 'MASK', 'umask for file creation (in numeric form)'),
  none('X', 'release-vips', 'Drop VIP on transition from signal: it always is'),
  none('V', 'dont-release-vrrp', "Don't remove VRRP VIPs on daemon stop", 'addresses are always removed on stop'),
  none('I', 'dont-release-ipvs', "Don't remove IPVS topology on daemon stop", NO_LVS),
  none('R', 'dont-respawn', "Don't respawn child processes: there are none"),
  none('n', 'dont-fork', "Don't fork the daemon process"),
  none('d', 'dump-conf', 'Dump the configuration data', '`vipkeeper check-config --explain FILE` shows it'),
  required('p', 'pid', 'FILE', 'Use specified pidfile'),
  required('r', 'vrrp_pid', 'FILE', 'Use specified pidfile for VRRP: the same process'),
  required('c', 'checkers_pid', 'FILE', 'Accepted: there is no such child process'),
  required('b', 'bfd_pid', 'FILE', 'Accepted: there is no such child process'),
  none('a', 'address-monitoring', 'Report all address changes', 'only changes of our own addresses are reported'),
  none('x', 'snmp', 'Enable SNMP subsystem', NO_SNMP),
  required('A', 'snmp-agent-socket', 'FILE', 'Accepted: there is no SNMP here'),
  required('s', 'namespace', 'NAME', 'Run in network namespace NAME (overrides config)'),
  none('m', 'core-dump', 'Produce core dump if terminate abnormally', 'core dumps hold secrets and are never written'),
  { letter: 'M', long: 'core-dump-pattern', argument: 'optional', value: 'PATN', help: 'Accepted: see --core-dump' },
  none('e', 'all-config', 'Error if any configuration file missing'),
  required('i', 'config-id', 'ID', "Skip lines beginning '@' that don't match ID, and '@^' that do"),
  required(undefined, 'signum', 'SIGFUNC', 'Print signal number for STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON'),
  {
    letter: 't',
    long: 'config-test',
    argument: 'optional',
    value: 'LOG_FILE',
    help: 'Check the configuration, output to stderr by default; exit code 0, 4, 5 or 6',
  },
  none(undefined, 'perf', 'Accepted'),
  { long: 'debug', argument: 'optional', value: 'OPTIONS', help: 'Accepted' },
  none(undefined, 'no-mem-check', 'Accepted'),
  none(undefined, 'ignore-sigint', 'Ignore SIGINT'),
  none('T', 'genhash', 'Refused: there is no genhash here'),
  required(undefined, 'runtime-dir', 'DIR', 'Ours: where the control socket lives'),
  required(undefined, 'transport', 'NAME', 'Ours: what carries the adverts, native or raw-socket'),
  required(undefined, 'log-format', 'FORMAT', 'Ours: keepalived (default), text or json'),
  none('v', 'version', 'Display the version number'),
  none('h', 'help', 'Display this help message'),
];

export type KeepalivedArguments =
  | { readonly type: 'options'; readonly values: ReadonlyMap<string, string>; readonly operands: readonly string[] }
  | { readonly type: 'error'; readonly message: string };

/** Values by long name, the last one of each; empty for an option without a value. Messages as keepalived's. */
export function parseKeepalived(argv: readonly string[]): KeepalivedArguments {
  const values = new Map<string, string>();
  const operands: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      operands.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    const found = word.startsWith('--') ? longOption(word) : undefined;
    if (typeof found === 'string') return { type: 'error', message: found };
    if (found !== undefined) {
      const { option, value } = found;
      if (option.argument === 'required' && value === undefined) {
        const next = argv[++at];
        if (next === undefined) return { type: 'error', message: `Missing parameter for option --${option.long}` };
        values.set(option.long, next);
      } else values.set(option.long, value ?? '');
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      const option = KEEPALIVED_OPTIONS.find((candidate) => candidate.letter === letter);
      if (option === undefined) return { type: 'error', message: `Unknown option -${letter}` };
      if (option.argument === 'none') {
        values.set(option.long, '');
        continue;
      }
      const rest = word.slice(i + 1);
      const value = rest !== '' || option.argument === 'optional' ? rest : argv[++at];
      if (value === undefined) return { type: 'error', message: `Missing parameter for option -${letter}` };
      values.set(option.long, value);
      break;
    }
  }
  return { type: 'options', values, operands };
}

/** The option of `--name` or `--name=value`, also of an abbreviation that is not ambiguous; or what is wrong. */
function longOption(word: string): { option: KeepalivedOption; value: string | undefined } | string {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const exact = KEEPALIVED_OPTIONS.find(({ long }) => long === name);
  const candidates = exact ? [exact] : KEEPALIVED_OPTIONS.filter(({ long }) => long.startsWith(name));
  const [option] = candidates;
  if (option === undefined || candidates.length > 1) return `Unknown option --${name}`;
  if (option.argument === 'none' && value !== undefined) return `Option --${name} takes no parameter`;
  return { option, value };
}

export function keepalivedUsage(program: string): string {
  const rows = KEEPALIVED_OPTIONS.map(({ letter, long, argument, value, help }) => {
    const parameter = value === undefined ? '' : argument === 'optional' ? `[=${value}]` : `=${value}`;
    const left = `  ${letter ? `-${letter}, ` : '    '}--${long}${parameter}`;
    return left.length < 31 ? `${left.padEnd(31)}${help}` : `${left}\n${' '.repeat(31)}${help}`;
  });
  return `Usage: ${program} [OPTION...]\n${rows.join('\n')}\n`;
}
