// The addresses of one host as its kernel tells them by netlink: first what is there, then each change. Its own reading
// of the messages, as with the frames.
import { formatIp } from '../../net/address.ts';
import type { Sighting } from './recorder.ts';
import { clock, RoutePort } from './sockets.ts';

const GROUPS = 0x1 | 0x10 | 0x100; // links, IPv4 and IPv6 addresses
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const REQUEST_DUMP = 0x301;
const IFF_UP_AND_RUNNING = 0x1 | 0x40;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;

export class Addresses {
  readonly #host: string;
  readonly #port = new RoutePort(GROUPS);
  /** 'ifindex ip' of what is bound. */
  readonly #entries = new Set<string>();
  readonly #running = new Set<number>();
  #bound = new Set<string>();
  #held = new Set<string>();
  /** Everything that was there at the start has been told. */
  known = false;

  /** Opens its socket in the calling thread's namespace. */
  constructor(host: string) {
    this.#host = host;
    this.#ask(RTM_GETLINK);
  }

  get handle(): RoutePort['handle'] {
    return this.#port.handle;
  }

  /** Reads what is waiting and adds what changed to the batch. */
  drain(batch: Sighting[]): void {
    this.#port.drain((data) => {
      const t = clock();
      for (let at = 0; at + 16 <= data.byteLength; ) {
        const length = data.getUint32(at, true);
        if (length < 16 || at + length > data.byteLength) break;
        this.#message(
          data.getUint16(at + 4, true),
          data.getUint32(at + 8, true),
          new DataView(data.buffer, data.byteOffset + at + 16, length - 16),
        );
        at += (length + 3) & ~3;
      }
      this.#settle(t, batch);
    });
  }

  #ask(type: number): void {
    const request = new DataView(new ArrayBuffer(32));
    request.setUint32(0, 32, true);
    request.setUint16(4, type, true);
    request.setUint16(6, REQUEST_DUMP, true);
    request.setUint32(8, type, true); // the sequence number tells the dumps apart
    this.#port.send(new Uint8Array(request.buffer));
  }

  #message(type: number, sequence: number, body: DataView): void {
    if (type === NLMSG_DONE && sequence === RTM_GETLINK) this.#ask(RTM_GETADDR);
    else if (type === NLMSG_DONE) this.known = true;
    else if (type === RTM_NEWLINK || type === RTM_DELLINK) {
      const flags = body.getUint32(8, true);
      const running = type === RTM_NEWLINK && (flags & IFF_UP_AND_RUNNING) === IFF_UP_AND_RUNNING;
      if (running) this.#running.add(body.getInt32(4, true));
      else this.#running.delete(body.getInt32(4, true));
    } else if (type === RTM_NEWADDR || type === RTM_DELADDR) {
      const ip = localAddress(body);
      if (ip === undefined) return;
      const entry = `${body.getUint32(4, true)} ${ip}`;
      if (type === RTM_NEWADDR) this.#entries.add(entry);
      else this.#entries.delete(entry);
    }
  }

  #settle(t: number, batch: Sighting[]): void {
    const bound = new Set<string>();
    const held = new Set<string>();
    for (const entry of this.#entries) {
      const [ifindex, ip] = entry.split(' ') as [string, string];
      bound.add(ip);
      if (this.#running.has(Number(ifindex))) held.add(ip);
    }
    const host = this.#host;
    for (const ip of without(bound, this.#bound)) batch.push({ t, host, type: 'address', ip, bound: true });
    for (const ip of without(held, this.#held)) batch.push({ t, host, type: 'holding', ip, held: true });
    for (const ip of without(this.#held, held)) batch.push({ t, host, type: 'holding', ip, held: false });
    for (const ip of without(this.#bound, bound)) batch.push({ t, host, type: 'address', ip, bound: false });
    this.#bound = bound;
    this.#held = held;
  }
}

const without = (set: ReadonlySet<string>, other: ReadonlySet<string>): string[] =>
  [...set].filter((member) => !other.has(member));

/** IFA_LOCAL, or IFA_ADDRESS where there is none; undefined for other families than IPv4 and IPv6. */
function localAddress(body: DataView): string | undefined {
  const size = { 2: 4, 10: 16 }[body.getUint8(0)];
  if (size === undefined) return undefined;
  let found: string | undefined;
  for (let at = 8; at + 4 + size <= body.byteLength; ) {
    const length = body.getUint16(at, true);
    const type = body.getUint16(at + 2, true);
    if (length < 4) break;
    if (type === IFA_LOCAL || (type === IFA_ADDRESS && found === undefined))
      found = formatIp(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), at + 4, size === 4 ? 4 : 16);
    at += (length + 3) & ~3;
  }
  return found;
}
