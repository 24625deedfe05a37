// How an instance proves that its adverts are its own: passwords and headers of VRRPv2, signatures. Contradictions are
// settled here and said aloud; a key that cannot be used is an error, since half a pair without it is two masters. Pure.
import { KEY_LENGTH } from '../vrrp/hmac-trailer.ts';
import type { Place, Report } from './diagnostics.ts';
import type { InstanceBlock, InstanceValues } from './instances.ts';
import type { HmacKeyLine } from './keywords/authentication.ts';
import { wasRefused } from './keywords/row.ts';
import type { Authentication, HmacConfig, HmacKey, InstanceConfig } from './model.ts';
import { type SecretReader, secretBytes, secretFileOf, secretOfFile } from './secrets.ts';

/** What else decides. */
export interface AuthenticationContext {
  readonly version: 2 | 3;
  readonly strict: boolean;
  /** Of the adverts, in microseconds. */
  readonly interval: number;
  /** undefined: files are not looked at. */
  readonly readSecret: SecretReader | undefined;
}

/** How many bytes of a password count. */
const PASSWORD_BYTES = 8;

export function authenticationOf(
  block: InstanceBlock,
  context: AuthenticationContext,
  report: Report,
): Pick<InstanceConfig, 'authentication' | 'hmac'> {
  const { auth_hmac: found } = block.values;
  const hmac = found && hmacOf(found, context, report);
  return { authentication: passwordOf(block, context, report), ...(hmac && { hmac }) };
}

function passwordOf(
  { name, values }: InstanceBlock,
  { version, strict }: AuthenticationContext,
  report: Report,
): Authentication {
  const found = values.authentication;
  if (!found) return { type: 'none' };
  const { auth_type: type, auth_pass: pass } = found.value;
  const ignore = (why: string, place = found.place): Authentication => {
    report.add('W041', place, `${name} is not authenticated: ${why}`);
    return { type: 'none' };
  };
  if (version === 3) return ignore('VRRP version 3 has no authentication; it is ignored');
  if (strict) return ignore('strict mode knows no passwords');
  if (!type) return wasRefused(found.value, 'auth_type') ? { type: 'none' } : ignore('it has no auth_type');
  if (type.value === 'AH' && values.auth_hmac)
    return ignore('auth_type AH does not go with auth_hmac, which is in force', type.place);
  if (!pass) return ignore('it has no auth_pass');
  if (type.value === 'PASS')
    report.add('I061', type.place, 'PASS is not security: everybody on the network reads the password in every advert');
  const bytes = new TextEncoder().encode(pass.value);
  if (bytes.length <= PASSWORD_BYTES) return { type: type.value, password: pass.value };
  report.add(
    'W042',
    pass.place,
    `the password has ${bytes.length} bytes; the first ${PASSWORD_BYTES} count, here and on every peer`,
    {
      limit: `${PASSWORD_BYTES} bytes`,
    },
  );
  return { type: type.value, password: cut(pass.value) };
}

/** The characters that fit whole into eight bytes of UTF-8; keepalived would cut through a character. */
function cut(password: string): string {
  let out = '';
  for (const c of password) {
    if (new TextEncoder().encode(out + c).length > PASSWORD_BYTES) break;
    out += c;
  }
  return out;
}

function hmacOf(
  { value: values, place }: NonNullable<InstanceValues['auth_hmac']>,
  { interval, readSecret }: AuthenticationContext,
  report: Report,
): HmacConfig {
  const lines = values.key?.value ?? [];
  if (lines.length === 0 && !wasRefused(values, 'key'))
    report.add('E016', place, 'auth_hmac has no key', {
      suggestion: 'write key 1 file:PATH, the same on all machines',
    });
  const keys = new Map<number, HmacKey>();
  for (const line of lines) {
    if (keys.has(line.id))
      report.add('E016', line.place, `key ${line.id} is given twice`, { suggestion: 'number the keys differently' });
    else keys.set(line.id, keyOf(line, readSecret, report));
  }
  const active = values.active_key;
  if (active && !keys.has(active.value) && lines.length > 0)
    report.add('E016', active.place, `active_key ${active.value} is none of the keys`, {
      limit: [...keys.keys()].join(', '),
      suggestion: `write key ${active.value} as well, or make another one active`,
    });
  const threeAdverts = Math.ceil((3 * interval) / 1_000_000);
  return {
    keys: [...keys.values()],
    activeKey: active?.value ?? lines[0]?.id,
    antiReplay: values.anti_replay?.value ?? 'time',
    timeWindow: values.time_window?.value ?? Math.max(threeAdverts, 5),
    mode: values.mode?.value ?? 'enforce',
  };
}

/** The key with what is in its file; the messages tell its length and never its content. */
function keyOf({ id, secret, place }: HmacKeyLine, readSecret: SecretReader | undefined, report: Report): HmacKey {
  const path = secretFileOf(secret);
  if (path !== undefined && readSecret === undefined) return { id, secret };
  const content = path === undefined ? secret : readKeyFile(path, readSecret!, place, report);
  if (content === undefined) return { id, secret: '' };
  const bytes = secretBytes(content);
  const { least, most } = KEY_LENGTH;
  if (bytes === undefined)
    report.add('E016', place, `key ${id} does not consist of pairs of hexadecimal digits`, {
      suggestion: 'openssl rand -hex 32 makes good ones',
    });
  else if (bytes.length < least || bytes.length > most)
    report.add('E016', place, `key ${id} has ${bytes.length} bytes`, {
      limit: `${least}..${most} bytes`,
      suggestion: 'openssl rand -hex 32 makes a good one, to be written after hex:',
    });
  return { id, secret: content };
}

function readKeyFile(path: string, readSecret: SecretReader, place: Place, report: Report): string | undefined {
  const file = readSecret(path);
  if ('error' in file) {
    report.add('E016', place, `cannot read the key in ${path}: ${file.error}`);
    return undefined;
  }
  if ((file.mode & 0o077) !== 0)
    report.add('W061', place, `${path} can be read by others than its owner (mode ${file.mode.toString(8)})`, {
      limit: '600',
      suggestion: `chmod 600 ${path}`,
    });
  return secretOfFile(file.bytes);
}
