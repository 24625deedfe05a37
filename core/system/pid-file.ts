// Files that say which process a daemon is: written for whoever sends signals, and believed only when the process that
// they name is one of ours or keepalived.
import { readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { writeAtomically } from './atomic-file.ts';

export class PidFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The living daemon that the file names; undefined: none, or another program got its number. */
  get owner(): number | undefined {
    try {
      const pid = Number(readFileSync(this.path, 'utf8').trim());
      if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return undefined;
      return /keepalived|vipkeeper/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws Error */
  async write(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
    await writeAtomically(this.path, `${process.pid}\n`, 0o644);
  }

  /** Removes the file if it is still ours. */
  remove(): void {
    try {
      if (readFileSync(this.path, 'utf8').trim() === String(process.pid)) rmSync(this.path, { force: true });
    } catch {
      // It is gone.
    }
  }
}
