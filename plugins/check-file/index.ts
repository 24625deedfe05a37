// check-file: a file is there, or is not, is young enough and says what it should. Knows no schedule.
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

/** More of a file than this is not looked at. */
const MOST = 64 * 1024;

const options = {
  path: { kind: 'text', required: true, help: 'the file', example: '/run/app/ready' },
  absent: { kind: 'flag', default: false, help: 'good is a file that is not there' },
  max_age: { kind: 'seconds', min: 0.001, max: 31_536_000, help: 'seconds since it was last written, at most' },
  match: { kind: 'pattern', help: 'regular expression that its first 64 KiB must match', example: '^ready$' },
} as const;

type Values = OptionValues<typeof options>;

export const checkFile = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'file',
  help: 'a file is there, is young enough and says what it should',
  options,
  validate({ path, absent, max_age, match }, complain) {
    if (!path.startsWith('/')) complain('path', `'${path}' is no absolute path`);
    if (absent && (max_age !== undefined || match !== undefined))
      complain('absent', 'a file that is not there has neither age nor content', 'leave out absent, or the others');
  },
  create: (values: Values): HealthCheck => {
    const expected = values.match === undefined ? undefined : new RegExp(values.match, 'um');
    return { probe: () => probe(values, expected) };
  },
});

async function probe({ path, absent, max_age }: Values, expected: RegExp | undefined): Promise<ProbeResult> {
  let age: number;
  try {
    age = Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return { ok: false, why: code };
    return absent ? { ok: true, detail: 'it is not there' } : { ok: false, why: 'it is not there' };
  }
  if (absent) return { ok: false, why: 'it is there' };
  if (max_age !== undefined && age > max_age / 1_000)
    return { ok: false, why: `it was not written for ${max_age / 1_000_000} s` };
  if (expected === undefined) return { ok: true };
  const text = await beginningOf(path);
  return expected.test(text) ? { ok: true } : { ok: false, why: `it does not match ${expected.source}` };
}

async function beginningOf(path: string): Promise<string> {
  // A pipe without a writer would hold up one of the few threads of the process that open files, for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
