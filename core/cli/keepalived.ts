// The command line of keepalived: a link of that name, `vipkeeper keepalived …`, or flags without a verb. Same options,
// files and exit codes, so that packages, roles and exporters made for keepalived need not know.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LOG_FORMATS } from '../agent/log-format.ts';
import type { RunOptions } from '../app/tokens.ts';
import { VERSION } from '../app/version.ts';
import { DEFAULT_CONFIG_FILE, TRANSPORTS } from '../config/defaults.ts';
import { DEFAULT_RUNTIME_DIR } from '../control/protocol.ts';
import { PidFile } from '../system/pid-file.ts';
import { FACILITY_DAEMON, syslogFacility } from '../system/syslog.ts';
import { isInBackground, startInBackground, tellStarter } from './keepalived-daemon.ts';
import { KEEPALIVED_OPTIONS, keepalivedUsage, parseKeepalived } from './keepalived-options.ts';

/** What this behaves as. */
const COMPATIBLE = '2.2.7';
const EXIT_USAGE = 1;
/** keepalived's NO_CONFIG. */
const EXIT_NO_FILE = 6;

/** x86-64 and arm64 numbers, as keepalived prints them. */
const SIGNUMS: Readonly<Record<string, number>> = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
};

const PID_FILE = '/run/keepalived.pid';
const VRRP_PID_FILE = '/run/vrrp.pid';
const LOG_FILE = '/tmp/keepalived.log';

export interface KeepalivedHow {
  /** The name it was called by, for the usage. */
  readonly program: string;
  /** Never go into the background: it was called by our own name. */
  readonly foreground?: boolean;
}

/** @returns the exit code */
export async function keepalived(
  argv: readonly string[],
  { program, foreground = false }: KeepalivedHow,
): Promise<number> {
  const parsed = parseKeepalived(argv);
  if (parsed.type === 'error') return fail(parsed.message);
  const { values, operands } = parsed;
  if (values.has('help')) return say(keepalivedUsage(program));
  if (values.has('version')) return say(`Keepalived v${COMPATIBLE} compatible (vipkeeper v${VERSION})\n`);
  if (operands.length > 0) return fail(`Unexpected argument(s): ${operands.join(' ')}`);
  const wanted = values.get('signum');
  if (wanted !== undefined) {
    const number = SIGNUMS[wanted];
    if (number === undefined) return fail(`Unknown sigfunc ${wanted}`);
    process.stdout.write(`${number}\n`);
    return 0;
  }
  if (values.has('genhash')) return fail('there is no genhash here');
  const file = resolve(values.get('use-file') ?? DEFAULT_CONFIG_FILE);
  if (values.has('config-test')) {
    const [{ testConfiguration }, { nodeCheckIo }] = await Promise.all([
      import('./keepalived-test.ts'),
      import('./check-config.ts'),
    ]);
    const log = values.get('config-test') || undefined;
    return testConfiguration(file, { configId: values.get('config-id'), log }, nodeCheckIo());
  }
  return start(values, file, foreground);
}

async function start(values: ReadonlyMap<string, string>, file: string, foreground: boolean): Promise<number> {
  const facility = syslogFacility(values.get('log-facility') ?? 'daemon');
  if (facility === undefined) return fail(`Invalid log facility '${values.get('log-facility')}'`);
  const mask = values.get('umask');
  if (mask !== undefined && !/^0?[0-7]{1,3}$/.test(mask)) return fail(`Invalid --umask option ${mask}`);
  const format = values.get('log-format') ?? 'keepalived';
  const logFormat = LOG_FORMATS.find((known) => known === format);
  if (logFormat === undefined) return fail(`log-format ${format} is none of ${LOG_FORMATS.join(', ')}`);
  const named = values.get('transport');
  const transport = TRANSPORTS.find((known) => known === named);
  if (named !== undefined && transport === undefined)
    return fail(`transport ${named} is none of ${TRANSPORTS.join(', ')}`);
  if (values.has('check') && !values.has('vrrp'))
    return fail('--check without --vrrp runs only health checkers, and load balancing is not done here');
  if (!existsSync(file)) {
    process.stderr.write(`Config files missing '${file}'.\n`);
    return EXIT_NO_FILE;
  }
  const pidFile = resolve(values.get('pid') ?? PID_FILE);
  if (new PidFile(pidFile).owner !== undefined) {
    process.stderr.write('daemon is already running\n');
    return 0; // as keepalived
  }
  const inBackground = isInBackground();
  if (!inBackground && !foreground && !values.has('dont-fork')) return startInBackground();
  if (mask !== undefined) process.umask(Number.parseInt(mask, 8));
  const namespace = values.get('namespace');
  const configId = values.get('config-id');
  // In the journal stderr is the better way in: nothing is lost and nothing comes twice.
  const journal = process.env['JOURNAL_STREAM'] !== undefined && !inBackground;
  const onConsole = (values.has('log-console') || foreground || journal) && !inBackground;
  const { runAgent } = await import('../app/run-agent.ts');
  const options: RunOptions = {
    configFile: file,
    runtimeDir: resolve(values.get('runtime-dir') ?? runtimeDirOf(pidFile)),
    detail: values.has('log-detail'),
    logFormat,
    logTarget: {
      console: onConsole,
      ...(!values.has('no-syslog') && !onConsole && { syslog: facility ?? FACILITY_DAEMON }),
      ...(values.has('log-file') && { file: resolve(values.get('log-file') || LOG_FILE) }),
    },
    pidFiles: [pidFile, resolve(values.get('vrrp_pid') ?? VRRP_PID_FILE)],
    dumpDirectory: temporaryDirectory(),
    remarks: KEEPALIVED_OPTIONS.flatMap(({ long, instead }) =>
      instead !== undefined && values.has(long) ? [`--${long}: ${instead}`] : [],
    ),
    ignoreInterrupt: values.has('ignore-sigint'),
    title: 'keepalived',
    onReady: tellStarter,
    ...(configId !== undefined && { configId }),
    ...(transport !== undefined && { transport }),
    ...(namespace !== undefined && { namespace }),
  };
  if (inBackground) process.chdir('/');
  return runAgent(options);
}

/** keepalived tells several daemons on a machine apart by their pid files: so do we, by a directory for each. */
function runtimeDirOf(pidFile: string): string {
  return pidFile === PID_FILE
    ? DEFAULT_RUNTIME_DIR
    : join(DEFAULT_RUNTIME_DIR, pidFile.replace(/^\//, '').replaceAll('/', '-'));
}

/** As keepalived: TMPDIR if it is a path from the root. */
function temporaryDirectory(): string {
  const named = process.env['TMPDIR'];
  return named?.startsWith('/') ? named : '/tmp';
}

/** keepalived's help and version go to stderr. */
function say(text: string): number {
  process.stderr.write(text);
  return 0;
}

function fail(message: string): number {
  process.stderr.write(`${message}\n`);
  return EXIT_USAGE;
}
