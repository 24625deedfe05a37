// Moves the calling thread, and every thread that it starts from then on, into a named network namespace (ip-netns(8)).
import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET } from './linux.ts';
import type { Native } from './native/index.ts';

let origin: number | undefined;

/** File descriptor of the network namespace that the process was started in; undefined: it is still there. */
export const originalNamespace = (): number | undefined => origin;

/** @throws Error when there is no such namespace or it may not be entered */
export function enterNetworkNamespace(native: Native, name: string): void {
  const fd = openSync(`/run/netns/${name}`, 'r');
  try {
    origin ??= openSync('/proc/thread-self/ns/net', 'r');
    native.setns(fd, CLONE_NEWNET);
  } finally {
    closeSync(fd);
  }
}
