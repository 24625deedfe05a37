// The default routers of this machine, read from /proc/net/route and /proc/net/ipv6_route. Pure but for `readStart`, which
// reads no more of a file than the default routes need: they stand first, and a table may hold a million.
import { closeSync, openSync, readSync } from 'node:fs';
import { formatIp, type IpAddress } from '../../core/net/address.ts';

/** A router that a default route leads to. */
export interface Router {
  readonly address: IpAddress;
  readonly interface: string;
}

const MOST_BYTES = 64 * 1024;
/** RTF_UP, RTF_GATEWAY, RTF_REJECT of linux/route.h. */
const UP = 0x1;
const GATEWAY = 0x2;
const REJECT = 0x200;

/** The routers of the default routes, each once. The thread's own network namespace counts. */
export function defaultRouters(): readonly Router[] {
  const found = [
    ...routersOf4(readStart('/proc/thread-self/net/route')),
    ...routersOf6(readStart('/proc/thread-self/net/ipv6_route')),
  ];
  return [...new Map(found.map((router) => [`${router.address}%${router.interface}`, router])).values()];
}

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …, numbers hexadecimal, addresses in the host's byte order. */
export function routersOf4(text: string): readonly Router[] {
  return rows(text).flatMap(([name, destination, gateway, flags, , , , mask]) => {
    if (destination !== '00000000' || mask !== '00000000' || !leadsToRouter(flags)) return [];
    const address = formatIp(bytesOf(gateway!).reverse(), 0, 4);
    return [{ address, interface: name! }];
  });
}

/** Columns: destination, prefix length, source, prefix length, next hop, metric, references, use, flags, device. */
export function routersOf6(text: string): readonly Router[] {
  return rows(text).flatMap((row) => {
    if (!/^0{32}$/.test(row[0] ?? '') || row[1] !== '00' || !leadsToRouter(row[8])) return [];
    return [{ address: formatIp(bytesOf(row[4]!), 0, 16), interface: row[9]! }];
  });
}

const rows = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(({ length }) => length >= 10);

const bytesOf = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));

function leadsToRouter(flags = ''): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & (UP | GATEWAY | REJECT)) === (UP | GATEWAY);
}

/** The whole lines at the start of a file; nothing where there is none. */
function readStart(path: string): string {
  const buffer = Buffer.alloc(MOST_BYTES);
  let length = 0;
  try {
    const fd = openSync(path, 'r');
    try {
      // The kernel hands out a page at a time.
      for (let got = -1; got !== 0 && length < MOST_BYTES; length += got)
        got = readSync(fd, buffer, length, MOST_BYTES - length, null);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  return buffer.toString('latin1', 0, buffer.lastIndexOf('\n', length - 1) + 1);
}
