// What notifiers may ask of the agent, made of the system's parts: mail, named pipes, programs, secrets in files.
// Lives in the thread of the plugins.
import { describeFailure, lastLine } from '../agent/program-outcome.ts';
import { PROGRAM_PATH, vetCommands } from '../agent/script-security.ts';
import type { NotifierPlan } from '../checks/messages.ts';
import type { NotifyProgram, NotifyResult, NotifyServices } from '../plugin/notifier.ts';
import { ChildProcesses } from '../system/child-process.ts';
import { SystemFifos } from '../system/fifo.ts';
import { SystemFiles } from '../system/files.ts';
import { SmtpMailer } from '../system/mail.ts';
import { readSecretFile } from '../system/secret-file.ts';
import { seconds } from '../units.ts';

/** Longer than any attempt: the signal ends a program first. */
const LIMIT = seconds(600);

const files = new SystemFiles();
const processes = new ChildProcesses();

export function notifyServices({ name, programs }: NotifierPlan): NotifyServices {
  const mailer = new SmtpMailer();
  const fifos = new SystemFifos();
  return {
    mail: ({ from, to, subject, text, ...relay }) => mailer.send(relay, { from, to, subject, text }),
    pipe: (path, mode) => fifos.open(path, mode),
    run: (program, signal) => run(program, { name, programs }, signal),
    secretFile,
  };
}

/** Examined anew each time: what is safe now need not have been when the file was read. */
async function run(
  { argv, environment, input }: NotifyProgram,
  { name, programs: { user, group, strict } }: Pick<NotifierPlan, 'name' | 'programs'>,
  signal: AbortSignal,
): Promise<NotifyResult> {
  const command = { argv };
  const owner = user === undefined ? undefined : { user, ...(group !== undefined && { group }) };
  const vetted = await vetCommands(
    [{ what: `program of notifier ${name}`, command }],
    { defaultUser: owner, enforce: strict },
    files,
  );
  const verdict = vetted.of(command);
  if (verdict.type === 'disabled') return { ok: false, why: verdict.why, permanent: true };
  const running = processes.start(
    { ...verdict.command, environment: { ...environment, PATH: PROGRAM_PATH }, timeout: LIMIT, input },
    signal,
  );
  const result = await running.result;
  // Not before: the next event must not meet what is left of this one.
  await running.gone;
  if (result.ok) return { ok: true };
  const words = lastLine(result.output, 100);
  return { ok: false, why: `${describeFailure(result.failure)}${words ? `: ${words}` : ''}` };
}

function secretFile(path: string): string {
  const read = readSecretFile(path);
  if ('error' in read) throw new Error(`${path} cannot be read: ${read.error}`);
  const text = new TextDecoder().decode(read.bytes).replace(/[\r\n]+$/, '');
  if (text === '') throw new Error(`${path} is empty`);
  return text;
}
