// What checks may ask about the network where the addon does not load: pings over IPv4 by a process of their own, which is
// started with the first, and the interfaces from /sys. Neighbours cannot be asked for.
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BROADCAST_MAC, familyOf, type IpAddress, type MacAddress, parseIp } from '../../net/address.ts';
import type { CheckNetwork, EchoResult, NetworkLink, PingRequest } from '../../ports/check-network.ts';
import { failed } from '../echo-words.ts';
import { entryFile } from '../entry-file.ts';
import type { EchoNews, EchoOrder } from './echo-process.ts';

const MOST_PENDING = 4096;
const LINKS = '/sys/class/net';
const ADDON = 'needs the native addon; fix: node core/system/native/build.mjs';
/** IFF_UP and IFF_RUNNING's part that /sys/class/net/NAME/flags tells (linux/if.h). */
const UP = 0x1;
/** ARPHRD_ETHER. */
const ETHERNET = 1;

export class PortableCheckNetwork implements CheckNetwork {
  #process: ChildProcess | undefined;
  #last = 0;
  readonly #pending = new Map<number, (result: EchoResult) => void>();

  ping(request: PingRequest, signal: AbortSignal): Promise<EchoResult> {
    if (familyOf(request.target) === 6) return Promise.resolve(failed(`IPv6 ${ADDON}`));
    if (request.source !== undefined) return Promise.resolve(failed(`source ${ADDON}`));
    if (this.#pending.size >= MOST_PENDING) return Promise.resolve(failed('too many are asked at once'));
    if (signal.aborted) return Promise.resolve(failed('no answer'));
    const id = ++this.#last;
    return new Promise((resolve) => {
      const settle = (result: EchoResult): void => {
        this.#pending.delete(id);
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = (): void => {
        this.#tell({ type: 'forget', id });
        settle(failed('no answer'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, settle);
      this.#tell({ type: 'ping', id, request });
    });
  }

  links(): readonly NetworkLink[] {
    const addresses = networkInterfaces();
    return readdirSync(LINKS).flatMap((name) => {
      try {
        return [linkOf(name, addresses[name] ?? [])];
      } catch {
        // It went away while we looked, or it is a file such as bonding_masters.
        return [];
      }
    });
  }

  close(): void {
    this.#process?.disconnect();
    this.#process = undefined;
  }

  #tell(order: EchoOrder): void {
    this.#process ??= this.#start();
    this.#process.send(order);
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(entryFile(import.meta.url, './echo-process')), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', ({ id, result }: EchoNews) => this.#pending.get(id)?.(result));
    const end = (why: string): void => {
      if (this.#process !== child) return;
      this.#process = undefined;
      for (const settle of [...this.#pending.values()]) settle(failed(why));
    };
    child.on('error', (error) => end(`the process that pings failed: ${error.message}`));
    child.once('exit', () => end('the process that pings ended'));
    return child;
  }
}

function linkOf(
  name: string,
  addresses: readonly { readonly address: string; readonly cidr: string | null }[],
): NetworkLink {
  const read = (file: string): string => readFileSync(`${LINKS}/${name}/${file}`, 'utf8').trim();
  const up = (Number(read('flags')) & UP) !== 0;
  // The carrier of an interface that is switched off cannot be read.
  const carrier = up && read('carrier') === '1';
  const mac = read('address');
  return {
    name,
    index: Number(read('ifindex')),
    up,
    carrier,
    // Many virtual drivers do not know; then they run (RFC 2863).
    running: carrier && ['up', 'unknown'].includes(read('operstate')),
    mtu: Number(read('mtu')),
    mac: Number(read('type')) === ETHERNET && mac.length === BROADCAST_MAC.length ? (mac as MacAddress) : undefined,
    addresses: addresses.flatMap(({ address, cidr }) => {
      const own: IpAddress | undefined = parseIp(address);
      return own === undefined ? [] : [{ address: own, prefixLength: Number(cidr?.split('/')[1] ?? 0) }];
    }),
  };
}
