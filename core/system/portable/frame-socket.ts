// The frame socket port over `arping`: gratuitous ARP requests, the only frames there are here, each by a run of the
// program. An address that has been removed meanwhile is not announced any more. Knows no VRRP.
import { type ChildProcess, spawn } from 'node:child_process';
import type { IpAddress } from '../../net/address.ts';
import { decodeArp } from '../../net/arp.ts';
import type { FrameSocket } from '../../ports/engine-io.ts';
import { stdioBeyond } from './descriptors.ts';
import { toolPath } from './ip-program.ts';

/** Starting a program holds everything else up for some milliseconds, so somebody who makes us announce again and again
 * must not make us do nothing else: eight in a row, then one in this time. */
const IN_A_ROW = 8;
const PACE_MS = 20;
/** What waits for one address; more would only repeat what was said. */
const MOST_REPEATS = 5;

interface Announcement {
  readonly address: IpAddress;
  readonly device: string;
  /** Runs that are left. */
  left: number;
}

export class PortableFrameSocket implements FrameSocket {
  readonly #nameOf: (ifindex: number) => string | undefined;
  /** By device and address, in the order of their next runs. */
  readonly #waiting = new Map<string, Announcement>();
  readonly #running = new Map<ChildProcess, IpAddress>();
  #refused = new Set<string>();
  #missing = false;
  #allowed = IN_A_ROW;
  #pace: NodeJS.Timeout | undefined;

  constructor(nameOf: (ifindex: number) => string | undefined) {
    this.#nameOf = nameOf;
  }

  queue(frame: Uint8Array, ifindex: number): void {
    const decoded = decodeArp(frame);
    const device = this.#nameOf(ifindex);
    if (typeof decoded === 'string' || decoded.arp.senderIp !== decoded.arp.targetIp) this.#refused.add('EOPNOTSUPP');
    else if (device === undefined) this.#refused.add('ENODEV');
    else this.#note(decoded.arp.senderIp, device);
  }

  flush(): readonly string[] {
    this.#start();
    const errors = [...this.#refused, ...(this.#missing ? ['ENOENT'] : [])];
    this.#refused = new Set();
    return errors;
  }

  /** Announces this address no more. */
  cancel(address: IpAddress): void {
    for (const [key, waiting] of this.#waiting) if (waiting.address === address) this.#waiting.delete(key);
    for (const [child, announced] of this.#running) if (announced === address) child.kill('SIGKILL');
  }

  close(): void {
    this.#waiting.clear();
    clearInterval(this.#pace);
    for (const child of this.#running.keys()) child.kill('SIGKILL');
  }

  #note(address: IpAddress, device: string): void {
    const key = `${device} ${address}`;
    const known = this.#waiting.get(key);
    if (known === undefined) this.#waiting.set(key, { address, device, left: 1 });
    else known.left = Math.min(known.left + 1, MOST_REPEATS);
  }

  /** Every address once, then every address once more. */
  #start(): void {
    for (; this.#allowed > 0; this.#allowed--) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      const [key, announcement] = next;
      this.#waiting.delete(key);
      if (--announcement.left > 0) this.#waiting.set(key, announcement);
      this.#run(announcement);
    }
    this.#pace ??= setInterval(() => this.#earn(), PACE_MS);
  }

  #earn(): void {
    this.#allowed = Math.min(this.#allowed + 1, IN_A_ROW);
    if (this.#waiting.size > 0) this.#start();
    else if (this.#allowed === IN_A_ROW) {
      clearInterval(this.#pace);
      this.#pace = undefined;
    }
  }

  #run({ address, device }: Announcement): void {
    // It refuses an address that is not bound: what we no longer hold, we cannot announce.
    const child = spawn('arping', ['-q', '-U', '-c', '1', '-w', '1', '-I', device, address], {
      stdio: ['ignore', 'ignore', 'ignore', ...stdioBeyond()],
      env: toolPath(),
    });
    this.#running.set(child, address);
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#missing ||= error.code === 'ENOENT';
      this.#running.delete(child);
    });
    child.on('exit', () => this.#running.delete(child));
  }
}
