// What a test needs from the machine: root, commands, the native addon. A test names its needs; where one is missing the
// suite is skipped and says why in one line. With CI=true nothing may be missing.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export type Need =
  | 'root'
  | 'ip'
  | 'nft'
  | 'keepalived'
  | 'nginx'
  | 'openssl'
  | 'arping'
  | 'ping'
  | 'unshare'
  | 'setpriv'
  | 'tshark'
  | 'vrrpd'
  | 'bfdd';

const SYSTEM_PATH = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin', '/usr/lib/frr'];

/** Options for `describe` or `test`: skips when something is missing. @throws Error instead when CI=true */
export function needs(...wanted: readonly Need[]): { skip: string | false } {
  const missing = wanted.filter((need) => !(need === 'root' ? process.getuid?.() === 0 : command(need)));
  if (missing.length === 0) return { skip: false };
  const words = `missing: ${missing.map((need) => (need === 'root' ? 'root rights' : need)).join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(`${words} (CI may skip nothing)`);
  return { skip: words };
}

/** The path of a command, also of those that live in sbin; undefined when it is not installed. */
export function command(name: string): string | undefined {
  for (const directory of [...(process.env['PATH'] ?? '').split(':'), ...SYSTEM_PATH]) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
