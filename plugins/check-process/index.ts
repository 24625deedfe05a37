// check-process: enough processes of a name, command line or pid file run. One look at /proc a probe; knows no schedule.
import { readFileSync } from 'node:fs';
import { open, opendir, readFile, stat } from 'node:fs/promises';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

/** More of a command line than this is not looked at. */
const MOST_ARGUMENTS = 4_096;
/** Of a pid file, no more than this is read. */
const MOST_PID_FILE = 64;
/** More processes than this are not looked at: the result would not be the truth, so the probe fails. */
const MOST_PROCESSES = 65_536;
/** The kernel keeps so many bytes of a name (TASK_COMM_LEN less its end). */
const LONGEST_NAME = 15;

const options = {
  name: {
    kind: 'text',
    help: 'name of the program: the last part of its path, or its name for the kernel',
    example: 'nginx',
  },
  arguments: { kind: 'pattern', help: 'regular expression that the command line must match', example: '--role=master' },
  pid_file: { kind: 'text', help: 'file with the number of the process', example: '/run/nginx.pid' },
  user: { kind: 'text', help: 'name or number of the user that it must run as', example: 'www-data' },
  at_least: { kind: 'integer', min: 0, max: 65_536, default: 1, help: 'fewest such processes' },
  at_most: { kind: 'integer', min: 0, max: 65_536, help: 'most such processes' },
} as const;

type Values = OptionValues<typeof options>;

interface Wanted {
  readonly name: string | undefined;
  readonly pattern: RegExp | undefined;
  readonly uid: number | undefined;
}

export const checkProcess = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'process',
  help: 'enough processes of a name, command line or pid file run',
  options,
  validate({ name, arguments: line, pid_file, at_least, at_most }, complain) {
    if (name === undefined && line === undefined && pid_file === undefined)
      complain(undefined, 'it does not say which process', 'add name, arguments or pid_file');
    if (pid_file !== undefined && !pid_file.startsWith('/')) complain('pid_file', `'${pid_file}' is no absolute path`);
    if (at_most !== undefined && at_most < at_least)
      complain('at_most', `at_most ${at_most} is less than at_least ${at_least}`);
    if (pid_file !== undefined && at_least > 1) complain('at_least', 'a pid file names one process only');
  },
  create: (values: Values): HealthCheck => {
    const { name, arguments: line, pid_file, user } = values;
    if (name === undefined && line === undefined && pid_file === undefined)
      throw new Error('it does not say which process: add name, arguments or pid_file');
    const wanted = {
      name,
      pattern: line === undefined ? undefined : new RegExp(line, 'u'),
      uid: user === undefined ? undefined : userNumber(user),
    };
    return { probe: (signal) => probe(values, wanted, signal) };
  },
});

async function probe(values: Values, wanted: Wanted, signal: AbortSignal): Promise<ProbeResult> {
  const { pid_file, at_least, at_most } = values;
  let count = 0;
  if (pid_file !== undefined) {
    const pid = await pidIn(pid_file);
    if (pid === undefined && at_least > 0) return { ok: false, why: 'the pid file is not there or holds no number' };
    if (pid !== undefined && (await isWanted(pid, wanted))) count = 1;
  } else {
    let seen = 0;
    for await (const { name: entry } of await opendir('/proc')) {
      if (signal.aborted) return { ok: false, why: 'looking took too long' };
      if (!/^\d+$/.test(entry)) continue;
      if (++seen > MOST_PROCESSES) return { ok: false, why: `more than ${MOST_PROCESSES} processes run here` };
      if (await isWanted(entry, wanted)) count++;
    }
  }
  const found = count === 1 ? '1 process' : `${count} processes`;
  if (count < at_least) return { ok: false, why: `${found}, at least ${at_least} wanted` };
  if (at_most !== undefined && count > at_most) return { ok: false, why: `${found}, at most ${at_most} wanted` };
  return { ok: true, detail: found };
}

/** False also for one that ended meanwhile, and for a zombie, which runs no more. */
async function isWanted(pid: string, { name, pattern, uid }: Wanted): Promise<boolean> {
  try {
    if (uid !== undefined && (await stat(`/proc/${pid}`)).uid !== uid) return false;
    const status = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name may hold spaces and brackets: the last bracket ends it.
    const end = status.lastIndexOf(')');
    if (status[end + 2] === 'Z' || status[end + 2] === 'X') return false;
    if (name === undefined && pattern === undefined) return true;
    const words = (await commandLine(pid)).split('\0');
    if (pattern !== undefined && !pattern.test(words.join(' ').trimEnd())) return false;
    if (name === undefined) return true;
    const [path = ''] = words;
    const short = status.slice(status.indexOf('(') + 1, end);
    return short === name.slice(0, LONGEST_NAME) || path.slice(path.lastIndexOf('/') + 1) === name;
  } catch {
    return false;
  }
}

/** Its words, each ended by a zero byte. */
async function commandLine(pid: string): Promise<string> {
  const file = await open(`/proc/${pid}/cmdline`);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_ARGUMENTS), 0, MOST_ARGUMENTS, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The number in a pid file; undefined: there is none. */
async function pidIn(path: string): Promise<string | undefined> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_PID_FILE), 0, MOST_PID_FILE, 0);
      return /^\s*([1-9]\d{0,9})(?=\s|$)/.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** A user by name or number, from the file: accounts from elsewhere are given by number. @throws Error */
function userNumber(user: string): number {
  if (/^\d+$/.test(user)) return Number(user);
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${user}:`));
  if (line === undefined) throw new Error(`there is no user ${user} in /etc/passwd: correct user, or write its number`);
  return Number(line.split(':')[2]);
}
