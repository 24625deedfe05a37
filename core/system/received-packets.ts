// How many packets each interface of this thread's network namespace has received: proc_net(5), net/dev.
import { readFileSync } from 'node:fs';

/** By name of the interface; empty when the kernel does not tell. */
export function receivedPackets(): ReadonlyMap<string, number> {
  let text: string;
  try {
    text = readFileSync('/proc/thread-self/net/dev', 'latin1');
  } catch {
    return new Map();
  }
  // `  eth0: bytes packets errs …`; a counter may stand right behind the colon.
  return new Map(
    Array.from(text.matchAll(/^\s*(\S+?):\s*\d+\s+(\d+)/gm), ([, name, packets]) => [name!, Number(packets)]),
  );
}
