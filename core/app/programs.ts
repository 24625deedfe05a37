// Programs of plugins: examined as all scripts are, then run without a shell, in a process group of their own.
// Lives in the thread of the plugins; does not know what a program is for.
import { workerData } from 'node:worker_threads';
import { describeFailure, lastLine } from '../agent/program-outcome.ts';
import { PROGRAM_PATH, vetCommands } from '../agent/script-security.ts';
import type { CheckPrograms, ProgramPolicy, ProgramResult } from '../plugin/program.ts';
import { ChildProcesses } from '../system/child-process.ts';
import { SystemFiles } from '../system/files.ts';
import { seconds } from '../units.ts';

/** Longer than any attempt or probe may take: the signal ends a program first. */
const LIMIT = seconds(90_000);
/** Characters of what a program wrote last. */
const WORDS = 100;

const files = new SystemFiles();
/** The main thread's memory, from which it ends them when this thread is no more. */
const noted = (workerData as { readonly groups?: unknown } | null)?.groups;
const processes = new ChildProcesses(noted instanceof Int32Array ? noted : undefined);

export interface PluginProgram {
  /** What it is, for people. */
  readonly what: string;
  readonly argv: readonly string[];
  /** Besides PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** On abort SIGKILL at once instead of SIGTERM and, later, SIGKILL. */
  readonly abrupt?: true;
}

/** `refused`: it was never started, and would not be the next time. */
export type PluginProgramResult = ProgramResult & { readonly refused?: true };

/** Examined anew each time: what is safe now need not have been when the file was read. */
export async function runProgram(
  { what, argv, environment, ...how }: PluginProgram,
  { user, group, strict }: ProgramPolicy,
  signal: AbortSignal,
): Promise<PluginProgramResult> {
  const command = { argv };
  const owner = user === undefined ? undefined : { user, ...(group !== undefined && { group }) };
  const vetted = await vetCommands([{ what, command }], { defaultUser: owner, enforce: strict }, files);
  const verdict = vetted.of(command);
  if (verdict.type === 'disabled') return { ok: false, why: verdict.why, refused: true };
  const [finding] = vetted.findings;
  const risk = finding && { risk: finding.text };
  const running = processes.start(
    { ...verdict.command, environment: { ...environment, PATH: PROGRAM_PATH }, timeout: LIMIT, ...how },
    signal,
  );
  const result = await running.result;
  // Not before: the next run must not meet what is left of this one.
  await running.gone;
  if (result.ok) return { ok: true, ...risk };
  const words = lastLine(result.output, WORDS);
  return { ok: false, why: `${describeFailure(result.failure)}${words ? `: ${words}` : ''}`, ...risk };
}

/** What checks may ask for, by these rules. */
export const checkPrograms = (policy: ProgramPolicy): CheckPrograms => ({
  run: ({ argv, user, group }, signal) =>
    runProgram(
      { what: argv[0] ?? 'the program', argv, abrupt: true },
      user === undefined ? policy : { ...policy, user, group },
      signal,
    ),
});
