// Moves the calling thread, and every thread that it starts from then on, into a named network namespace (ip-netns(8)).
import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET } from './linux.ts';
import type { Native } from './native/index.ts';

/** @throws Error when there is no such namespace or it may not be entered */
export function enterNetworkNamespace(native: Native, name: string): void {
  const fd = openSync(`/run/netns/${name}`, 'r');
  try {
    native.setns(fd, CLONE_NEWNET);
  } finally {
    closeSync(fd);
  }
}
