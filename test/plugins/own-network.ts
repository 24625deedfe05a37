// A network of the test file's own: its process moves into a fresh namespace with nothing but loopback, so that ports
// are free and the firewall is its own. Needs root.
import { execFileSync } from 'node:child_process';
import { enterNetworkNamespace } from '../../core/system/namespace.ts';
import { loadNative } from '../../core/system/native/index.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH } });

/** Moves this process; call it once, before anything is opened. */
export function enterOwnNetwork(): void {
  const name = `vk-${process.pid}-own`;
  run('ip', 'netns', 'add', name);
  try {
    enterNetworkNamespace(loadNative(), name);
  } finally {
    // It lives as long as this process is in it.
    run('ip', 'netns', 'del', name);
  }
  run('ip', 'link', 'set', 'lo', 'up');
}

/** From now on packets to this port vanish; returns what ends that. */
export function filter(port: number, protocol: 'tcp' | 'udp' = 'tcp'): () => void {
  run(
    'nft',
    `add table ip lab; add chain ip lab in { type filter hook input priority 0; }; add rule ip lab in ${protocol} dport ${port} drop`,
  );
  return () => run('nft', 'delete table ip lab');
}
