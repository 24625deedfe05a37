// What notifiers may ask of the agent, made of the system's parts: mail, named pipes, programs, secrets in files.
// Lives in the thread of the plugins.
import type { NotifierPlan } from '../checks/messages.ts';
import type { NotifyProgram, NotifyResult, NotifyServices } from '../plugin/notifier.ts';
import { SystemFifos } from '../system/fifo.ts';
import { SmtpMailer } from '../system/mail.ts';
import { readSecretFile } from '../system/secret-file.ts';
import { runProgram } from './programs.ts';

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

async function run(
  program: NotifyProgram,
  { name, programs }: Pick<NotifierPlan, 'name' | 'programs'>,
  signal: AbortSignal,
): Promise<NotifyResult> {
  const result = await runProgram({ what: `program of notifier ${name}`, ...program }, programs, signal);
  if (result.ok) return { ok: true };
  return { ok: false, why: result.why, ...(result.refused && { permanent: true }) };
}

function secretFile(path: string): string {
  const read = readSecretFile(path);
  if ('error' in read) throw new Error(`${path} cannot be read: ${read.error}`);
  const text = new TextDecoder().decode(read.bytes).replace(/[\r\n]+$/, '');
  if (text === '') throw new Error(`${path} is empty`);
  return text;
}
