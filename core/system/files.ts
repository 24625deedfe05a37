// Looks at files and accounts for the agent, on Linux. Reads /etc/passwd and /etc/group only: accounts from LDAP and
// the like are given by number.
import { lstat, readFile, readlink } from 'node:fs/promises';
import type { Account, FileError, FileFacts, Files } from '../ports/files.ts';

export class SystemFiles implements Files {
  readonly #root: string;

  /** @param etc the directory that holds passwd and group */
  constructor(etc = '/etc') {
    this.#root = etc;
  }

  async look(path: string): Promise<FileFacts | FileError> {
    try {
      const stats = await lstat(path);
      const kind = stats.isFile()
        ? 'file'
        : stats.isDirectory()
          ? 'directory'
          : stats.isSymbolicLink()
            ? 'link'
            : 'other';
      return { kind, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
    } catch (error) {
      return { error: errnoName(error) };
    }
  }

  async readLink(path: string): Promise<string | FileError> {
    try {
      return await readlink(path);
    } catch (error) {
      return { error: errnoName(error) };
    }
  }

  self(): Account {
    return { uid: process.geteuid!(), gid: process.getegid!() };
  }

  async user(name: string): Promise<Account | undefined> {
    const lines = await this.#table('passwd');
    const fields = lines.find((line) => line[0] === name) ?? lines.find((line) => line[2] === name);
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
    return isNumber(name) ? { uid: Number(name), gid: Number(name) } : undefined;
  }

  async group(name: string): Promise<number | undefined> {
    const fields = (await this.#table('group')).find((line) => line[0] === name);
    if (fields) return Number(fields[2]);
    return isNumber(name) ? Number(name) : undefined;
  }

  /** The well-formed lines of passwd (7 fields) or group (4), split at the colons. */
  async #table(name: 'passwd' | 'group'): Promise<string[][]> {
    const text = await readFile(`${this.#root}/${name}`, 'utf8').catch(() => '');
    const wanted = name === 'passwd' ? 7 : 4;
    return text
      .split('\n')
      .map((line) => line.split(':'))
      .filter((fields) => fields.length === wanted && isNumber(fields[2]!));
  }
}

/** A user or group number: 2^32 - 1 means "no change" to the kernel and is none. */
function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) < 0xffffffff;
}

function errnoName(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
