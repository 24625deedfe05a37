// `vipkeeper run`: the agent in the foreground. Also what keepalived's own flags start.
import { LOG_FORMATS } from '../agent/log-format.ts';
import { EXIT_BUG, EXIT_CONFIGURATION, EXIT_FAILED, EXIT_STOPPED } from '../app/exit-codes.ts';
import { DEFAULT_CONFIG_FILE, TRANSPORTS } from '../config/defaults.ts';
import { DEFAULT_RUNTIME_DIR } from '../control/protocol.ts';
import { type CommandSpec, parseCommand } from './usage.ts';

export const RUN: CommandSpec = {
  name: 'run',
  summary: 'run the agent in the foreground',
  options: [
    { name: 'use-file', short: 'f', value: 'FILE', help: 'configuration file', fallback: DEFAULT_CONFIG_FILE },
    {
      name: 'runtime-dir',
      value: 'DIR',
      help: 'where pid file, control socket and state live; one directory for each agent on a machine',
      fallback: DEFAULT_RUNTIME_DIR,
    },
    {
      name: 'config-id',
      short: 'i',
      value: 'ID',
      help: 'what @ID lines of the file are compared with; default: the host name up to its first dot',
    },
    {
      name: 'log-format',
      value: 'FORMAT',
      help: `shape of the log: ${LOG_FORMATS.join(', ')}; keepalived: its phrases, for rules made for its log`,
      fallback: 'text',
    },
    {
      name: 'transport',
      value: 'NAME',
      help: 'what carries the adverts: native, or raw-socket (the npm package; IPv4 and 0.1 s or more); default: what the file says',
    },
    { name: 'log-detail', short: 'D', help: 'log more' },
    { name: 'dont-fork', short: 'n', help: 'accepted for keepalived: this never forks', hidden: true },
    { name: 'log-console', short: 'l', help: 'accepted for keepalived: this always logs to stderr', hidden: true },
  ],
  exitCodes: [
    [EXIT_STOPPED, 'stopped by SIGTERM or SIGINT; every address was handed over or removed'],
    [EXIT_FAILED, 'could not start: a capability, a directory or another agent is in the way'],
    [EXIT_CONFIGURATION, 'the configuration cannot run, or the command line is wrong'],
    [EXIT_BUG, 'the engine failed; every address was removed first'],
  ],
  notes: [
    'Signals: SIGTERM and SIGINT hand over and end (a second one does not wait for the successor), SIGHUP reads the file again (a broken one changes nothing), SIGUSR1 writes keepalived.data, SIGUSR2 keepalived.stats and SIGRTMIN+2 keepalived.json into the runtime directory or where the file says, SIGRTMAX-1 clears the statistics.',
    'Called as `keepalived` (a link of that name, or `vipkeeper keepalived`) it takes keepalived’s options and behaves as keepalived.',
  ],
};

export async function run(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(RUN, argv);
  switch (parsed.type) {
    case 'help':
      process.stdout.write(parsed.text);
      return 0;
    case 'error':
      process.stderr.write(`${parsed.message}\n`);
      return EXIT_CONFIGURATION;
    case 'run': {
      const { args } = parsed;
      const format = args.text('log-format')!;
      const logFormat = LOG_FORMATS.find((known) => known === format);
      if (logFormat === undefined) {
        process.stderr.write(`vipkeeper run: log-format ${format} is none of ${LOG_FORMATS.join(', ')}\n`);
        return EXIT_CONFIGURATION;
      }
      const named = args.text('transport');
      const transport = TRANSPORTS.find((known) => known === named);
      if (named !== undefined && transport === undefined) {
        process.stderr.write(`vipkeeper run: transport ${named} is none of ${TRANSPORTS.join(', ')}\n`);
        return EXIT_CONFIGURATION;
      }
      const configId = args.text('config-id');
      // Only now: the help of this verb, and completion, do not need the whole agent.
      const { runAgent } = await import('../app/run-agent.ts');
      return runAgent({
        configFile: args.text('use-file')!,
        runtimeDir: args.text('runtime-dir')!,
        detail: args.has('log-detail'),
        logFormat,
        ...(configId !== undefined && { configId }),
        ...(transport !== undefined && { transport }),
      });
    }
  }
}
