// The route monitor port over `ip monitor`: its lines say that something changed, and what changed is found by
// comparing what there is with what there was. In case a line is missed, it looks every two seconds as well.
import { type ChildProcess, spawn } from 'node:child_process';
import type { RouteMonitor } from '../../ports/engine-io.ts';
import { stdioBeyond } from './descriptors.ts';
import { addressMessages, type IpInterface, linkMessage, removalOf } from './ip-messages.ts';
import { toolPath } from './ip-program.ts';
import { readInterfaces } from './route-socket.ts';

const LOOK_MS = 2_000;
/** Lines of the monitor that come within this time are one change. */
const GATHER_MS = 5;

interface Known {
  readonly link: IpInterface;
  /** Without the addresses: what a change of the link itself would change. */
  readonly text: string;
  readonly addresses: ReadonlyMap<string, Uint8Array>;
}

export class PortableRouteMonitor implements RouteMonitor {
  ready = false;
  readonly #wake: () => void;
  #known: ReadonlyMap<number, Known>;
  #child: ChildProcess | undefined;
  #changed = false;
  #closed = false;
  #gathering: NodeJS.Timeout | undefined;
  readonly #look: NodeJS.Timeout;

  /** @throws Error when ip cannot be run */
  constructor(wake: () => void) {
    this.#wake = wake;
    this.#known = snapshot();
    this.#look = setInterval(() => this.#lookAgain(), LOOK_MS);
    this.#watch();
  }

  receive(sink: (message: Uint8Array) => void): 'ok' | 'overrun' {
    this.ready = false;
    if (!this.#changed) return 'ok';
    this.#changed = false;
    let now: ReadonlyMap<number, Known>;
    try {
      now = snapshot();
    } catch {
      // The next look is in two seconds; until then what we know holds.
      return 'ok';
    }
    const before = this.#known;
    this.#known = now;
    for (const [index, old] of before) {
      const fresh = now.get(index);
      for (const [name, message] of old.addresses) {
        const removal = fresh?.addresses.has(name) ? undefined : removalOf(message);
        if (removal !== undefined) sink(removal);
      }
      if (fresh === undefined) sink(linkMessage(old.link, true));
    }
    for (const [index, fresh] of now) {
      const old = before.get(index);
      if (old?.text !== fresh.text) sink(linkMessage(fresh.link));
      for (const [name, message] of fresh.addresses) if (!old?.addresses.has(name)) sink(message);
    }
    return 'ok';
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#look);
    clearTimeout(this.#gathering);
    this.#child?.kill();
  }

  #watch(): void {
    const child = spawn('ip', ['-o', 'monitor', 'link', 'address'], {
      stdio: ['ignore', 'pipe', 'ignore', ...stdioBeyond()],
      env: toolPath(),
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    // Without it every change is seen by the next look; that look starts it anew.
    child.on('error', () => this.#forget(child));
    child.on('exit', () => this.#forget(child));
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
  }

  /** The renewal of a lifetime is told, too: an address that is known and not deleted is no news. */
  #hear(text: string): void {
    const news = text.split('\n').some((line) => line !== '' && !this.#isRenewal(line));
    if (!news) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#notice();
    }, GATHER_MS);
  }

  #isRenewal(line: string): boolean {
    const [, index, address] = /^(\d+): \S+\s+inet6? (\S+) /.exec(line) ?? [];
    const known = index === undefined ? undefined : this.#known.get(Number(index));
    return known?.addresses.has(`${index} ${address} `) ?? false;
  }

  #lookAgain(): void {
    if (this.#child === undefined && !this.#closed) this.#watch();
    this.#notice();
  }

  #notice(): void {
    if (this.#closed) return;
    this.#changed = true;
    this.ready = true;
    this.#wake();
  }
}

function snapshot(): ReadonlyMap<number, Known> {
  return new Map(
    readInterfaces().map((link) => {
      const { ifname, flags, mtu, address } = link;
      return [
        link.ifindex,
        { link, text: JSON.stringify([ifname, flags, mtu, address]), addresses: addressMessages(link) },
      ];
    }),
  );
}
