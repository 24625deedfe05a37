// The packet filter by the program nft(8): a script on its standard input is one transaction.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import type { Firewall } from '../ports/firewall.ts';

/** It takes some milliseconds; the engine's lease is seconds. */
const TIMEOUT_MS = 2_000;
/** nft lives where not every PATH looks. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/sbin:/sbin';

export class NftFirewall implements Firewall {
  readonly #program: string;

  constructor(program = 'nft') {
    this.#program = program;
  }

  apply(script: string): string | undefined {
    const { error, status, signal, stderr } = spawnSync(this.#program, ['-f', '-'], {
      input: script,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${SYSTEM_PATH}` },
    });
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === 'ENOENT') return `the program ${this.#program} is not installed; install the package nftables`;
    if (code === 'ETIMEDOUT') return `${this.#program} did not end within ${TIMEOUT_MS / 1_000} s`;
    if (error !== undefined) return `${this.#program} cannot be run: ${error.message}`;
    if (status === 0) return undefined;
    const said = stderr.trim().split('\n')[0] ?? '';
    const fix = /permitted/i.test(said) ? '; the process needs CAP_NET_ADMIN' : '';
    return `${this.#program} refused the rules (${signal ?? `status ${status}`}): ${said}${fix}`;
  }
}
