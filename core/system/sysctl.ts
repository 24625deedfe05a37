// Kernel settings in /proc/sys. Which of them matter is the business of others. /proc/sys/net shows the network namespace
// of the thread that opens the file.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Sysctl } from '../ports/sysctl.ts';

export class ProcSysctl implements Sysctl {
  readonly #root: string;

  constructor(root = '/proc/sys') {
    this.#root = root;
  }

  read(path: string): number | undefined {
    try {
      const value = Number(readFileSync(`${this.#root}/${path}`, 'utf8').trim());
      return Number.isFinite(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  write(path: string, value: number): string | undefined {
    try {
      // 'r+': a file that is not there must not be made where the root is an ordinary directory
      writeFileSync(`${this.#root}/${path}`, `${value}\n`, { flag: 'r+' });
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
}
