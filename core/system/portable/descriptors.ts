// Descriptors that no child process may inherit although nobody marked them so: raw-socket opens its sockets without
// SOCK_CLOEXEC, and Node has no fcntl(2). Whoever starts a program puts /dev/null in their place. Knows no sockets.
import { openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const withheld = new Set<number>();
let devNull: number | undefined;

/** The descriptors of this process that are raw IPv4 sockets of its network namespace. */
export function socketDescriptors(): ReadonlySet<number> {
  const inodes = new Set(
    readFileSync('/proc/thread-self/net/raw', 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[9]),
  );
  const found = new Set<number>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${name}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) found.add(Number(name));
    } catch {
      // The directory's own descriptor, closed meanwhile.
    }
  }
  return found;
}

/** Keeps these from children until the returned function is called, which must be before they are closed. */
export function withhold(descriptors: readonly number[]): () => void {
  for (const fd of descriptors) withheld.add(fd);
  return () => {
    for (const fd of descriptors) withheld.delete(fd);
  };
}

/**
 * What comes after the first three entries of `stdio` in spawn: /dev/null where a withheld descriptor is, and nothing
 * elsewhere, so that the others stay as they are marked.
 */
export function stdioBeyond(): readonly ('ignore' | number)[] {
  if (withheld.size === 0) return [];
  devNull ??= openSync('/dev/null', 'r+');
  const highest = Math.max(...withheld);
  return Array.from({ length: highest - 2 }, (_, i) => (withheld.has(i + 3) ? devNull! : 'ignore'));
}
