// Runs `ip` of iproute2 and waits for it: some milliseconds each time, the price of having no netlink socket.
// Knows the program, not what is asked of it.
import { spawnSync } from 'node:child_process';

/** Programs of the administrator are not in every PATH. */
export const toolPath = (): NodeJS.ProcessEnv => ({
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
  LC_ALL: 'C',
});

const TIMEOUT_MS = 5_000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** @throws Error with `code` and the fix, when the program is missing or fails */
export function ipJson(...args: readonly string[]): unknown {
  const { stdout, stderr, error, status } = run(['-j', ...args], '');
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = code === 'ENOENT' ? '; fix: install iproute2, which brings the program ip' : '';
    throw Object.assign(new Error(`cannot run ip: ${error.message}${fix}`, { cause: error }), { code });
  }
  if (status !== 0) throw new Error(`ip ${args.join(' ')} failed: ${stderr.trim()}`);
  return JSON.parse(stdout === '' ? '[]' : stdout);
}

/**
 * Runs these lines as one batch, each whatever became of those before.
 * @returns for each line undefined, or what ip complained about
 */
export function ipBatch(lines: readonly string[]): readonly (string | undefined)[] {
  const { stderr, error } = run(['-force', '-batch', '-'], `${lines.join('\n')}\n`);
  const complaints: (string | undefined)[] = lines.map(() => error?.message);
  let said: string[] = [];
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed .*:(\d+)$/.exec(line);
    if (failed === null) said.push(line);
    else {
      complaints[Number(failed[1]) - 1] = said.join(' ').trim() || 'failed';
      said = [];
    }
  }
  return complaints;
}

const run = (args: readonly string[], input: string) =>
  spawnSync('ip', args, {
    input,
    encoding: 'utf8',
    env: toolPath(),
    timeout: TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT,
  });
