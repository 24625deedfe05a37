// `vipkeeper status`: asks the running agent and shows its answer, as a table or as JSON.
import { ask, ControlError } from '../control/client.ts';
import { DEFAULT_RUNTIME_DIR } from '../control/protocol.ts';
import { STATUS_VERSION, type StatusReport } from '../control/status-report.ts';
import { renderStatus } from '../control/status-table.ts';
import { type CommandSpec, parseCommand, suggest } from './usage.ts';

/** Where a command reads its surroundings and writes its output. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `out` is a terminal. */
  readonly interactive: boolean;
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly environment: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined };
}

export const EXIT_OK = 0;
export const EXIT_USAGE = 2;
export const EXIT_UNREACHABLE = 3;
export const EXIT_NO_SUCH_INSTANCE = 4;

export const STATUS_COMMAND: CommandSpec = {
  name: 'status',
  summary: 'show each virtual router: its state, since when and why, its addresses, peers and checks',
  operands: [{ name: 'NAME', help: 'only this vrrp_instance' }],
  options: [
    { name: 'json', help: 'print the status as one JSON document' },
    { name: 'runtime-dir', value: 'DIR', help: 'the directory of the running agent', fallback: DEFAULT_RUNTIME_DIR },
  ],
  exitCodes: [
    [EXIT_OK, 'the status was shown'],
    [EXIT_USAGE, 'the command line is wrong'],
    [EXIT_UNREACHABLE, 'no agent answers'],
    [EXIT_NO_SUCH_INSTANCE, 'there is no vrrp_instance of that name'],
  ],
};

/** Runs the verb; returns the exit code. */
export async function status(argv: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = parseCommand(STATUS_COMMAND, argv, terminal.columns);
  if (parsed.type === 'help') {
    terminal.out(parsed.text);
    return EXIT_OK;
  }
  if (parsed.type === 'error') {
    terminal.err(`${parsed.message}\n`);
    return EXIT_USAGE;
  }
  const { args } = parsed;
  let report: StatusReport;
  try {
    report = asReport(await ask(args.text('runtime-dir')!, 'status'));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    terminal.err(`vipkeeper status: ${error.message}\n`);
    return EXIT_UNREACHABLE;
  }
  const [name] = args.operands;
  const shown = name === undefined ? report : only(report, name);
  if (!shown) {
    terminal.err(`vipkeeper status: ${noSuchInstance(name!, report)}\n`);
    return EXIT_NO_SUCH_INSTANCE;
  }
  terminal.out(args.has('json') ? `${JSON.stringify(shown, undefined, 2)}\n` : renderStatus(shown, canvasOf(terminal)));
  return EXIT_OK;
}

/** @throws ControlError when an agent of another version answered */
function asReport(answer: unknown): StatusReport {
  const report = answer as Partial<StatusReport> | null;
  if (report?.kind === 'vipkeeper-status' && report.version === STATUS_VERSION) return report as StatusReport;
  throw new ControlError('protocol', 'the agent answered in a form that this version does not know: restart it');
}

function only(report: StatusReport, name: string): StatusReport | undefined {
  const instances = report.instances.filter((instance) => instance.name === name);
  const tracked = (session: string) =>
    instances.some(({ watched }) => watched?.some(({ kind, name: one }) => kind === 'bfd' && one === session));
  const bfds = (report.bfds ?? []).filter((session) => tracked(session.name));
  return instances.length > 0 ? { ...report, instances, bfds } : undefined;
}

function noSuchInstance(name: string, { instances }: StatusReport): string {
  const names = instances.map((instance) => instance.name);
  const guess = suggest(name, names);
  if (guess !== undefined) return `there is no vrrp_instance ${name}, did you mean ${guess}?`;
  return `there is no vrrp_instance ${name}; there is ${names.length === 0 ? 'none at all' : names.join(', ')}`;
}

/** Colours and width only for a terminal; no-color.org: NO_COLOR that is not empty turns colours off. */
function canvasOf({ interactive, columns, environment }: Terminal): { width: number; colour: boolean } {
  const plain = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  return { width: interactive ? (columns ?? 80) : Number.POSITIVE_INFINITY, colour: interactive && !plain };
}
