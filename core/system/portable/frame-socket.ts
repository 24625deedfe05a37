// The frame socket port over `arping`: gratuitous ARP requests, the only frames there are here, each by a run of the
// program. An address that has been removed meanwhile is not announced any more. Knows no VRRP.
import { type ChildProcess, spawn } from 'node:child_process';
import type { IpAddress } from '../../net/address.ts';
import { decodeArp } from '../../net/arp.ts';
import type { FrameSocket } from '../../ports/engine-io.ts';
import { stdioBeyond } from './descriptors.ts';
import { toolPath } from './ip-program.ts';

/** Runs at a time: a takeover of many addresses must not fill the machine with processes. */
const AT_ONCE = 8;
/** Announcements that wait; more are not worth having. */
const MOST_WAITING = 4096;

interface Announcement {
  readonly address: IpAddress;
  readonly device: string;
}

export class PortableFrameSocket implements FrameSocket {
  readonly #nameOf: (ifindex: number) => string | undefined;
  readonly #waiting: Announcement[] = [];
  readonly #running = new Map<ChildProcess, IpAddress>();
  #refused = new Set<string>();
  #missing = false;

  constructor(nameOf: (ifindex: number) => string | undefined) {
    this.#nameOf = nameOf;
  }

  queue(frame: Uint8Array, ifindex: number): void {
    const decoded = decodeArp(frame);
    const device = this.#nameOf(ifindex);
    if (typeof decoded === 'string' || decoded.arp.senderIp !== decoded.arp.targetIp) this.#refused.add('EOPNOTSUPP');
    else if (device === undefined) this.#refused.add('ENODEV');
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ address: decoded.arp.senderIp, device });
  }

  flush(): readonly string[] {
    this.#start();
    const errors = [...this.#refused, ...(this.#missing ? ['ENOENT'] : [])];
    this.#refused = new Set();
    return errors;
  }

  /** Announces this address no more. */
  cancel(address: IpAddress): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--)
      if (this.#waiting[i]!.address === address) this.#waiting.splice(i, 1);
    for (const [child, announced] of this.#running) if (announced === address) child.kill('SIGKILL');
  }

  close(): void {
    this.#waiting.length = 0;
    for (const child of this.#running.keys()) child.kill('SIGKILL');
  }

  #start(): void {
    while (this.#running.size < AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // It refuses an address that is not bound: what we no longer hold, we cannot announce.
      const child = spawn('arping', ['-q', '-U', '-c', '1', '-w', '1', '-I', next.device, next.address], {
        stdio: ['ignore', 'ignore', 'ignore', ...stdioBeyond()],
        env: toolPath(),
      });
      this.#running.set(child, next.address);
      const done = () => {
        if (this.#running.delete(child)) this.#start();
      };
      child.on('error', (error: NodeJS.ErrnoException) => {
        this.#missing ||= error.code === 'ENOENT';
        done();
      });
      child.on('exit', done);
    }
  }
}
