// Two network namespaces joined by a veth pair, for the tests of one file. The calling thread visits one to open
// its sockets there; they stay in it.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET } from '../../core/system/linux.ts';
import { loadNative } from '../../core/system/native/index.ts';

const native = loadNative();

/** `left` has the interface va with 192.0.2.1/24 and fe80::1, `right` vb with 192.0.2.2/24 and fe80::2. */
export class Pair implements Disposable {
  readonly left: string;
  readonly right: string;

  constructor(name: string) {
    // the name of test/support/netns.ts, which also removes those of processes that crashed
    this.left = `vk-${process.pid}-${name}-l`;
    this.right = `vk-${process.pid}-${name}-r`;
    try {
      for (const namespace of [this.left, this.right]) ip('netns', 'add', namespace);
      ip('-n', this.left, 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns', this.right);
      for (const [namespace, device, n] of [
        [this.left, 'va', 1],
        [this.right, 'vb', 2],
      ] as const) {
        ip('-n', namespace, 'link', 'set', device, 'addrgenmode', 'none');
        ip('-n', namespace, 'address', 'add', `192.0.2.${n}/24`, 'dev', device);
        ip('-n', namespace, 'link', 'set', 'lo', 'up');
        ip('-n', namespace, 'link', 'set', device, 'up');
        ip('-n', namespace, 'address', 'add', `fe80::${n}/64`, 'dev', device, 'nodad');
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const namespace of [this.left, this.right])
      try {
        ip('netns', 'del', namespace);
      } catch {
        // It was never made.
      }
  }
}

export function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
}

/** Runs `act` with the calling thread inside a namespace. */
export function within<T>(namespace: string, act: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const there = openSync(`/run/netns/${namespace}`, 'r');
  try {
    native.setns(there, CLONE_NEWNET);
    try {
      return act();
    } finally {
      native.setns(home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
    closeSync(there);
  }
}

/** @throws Error when there is no such interface */
export function indexOf(namespace: string, device: string): number {
  const links = JSON.parse(ip('-n', namespace, '-j', 'link', 'show', 'dev', device)) as { ifindex: number }[];
  return links[0]!.ifindex;
}
