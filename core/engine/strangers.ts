// Routers with VRIDs that nobody here has. Mostly none of our business; but one that advertises an address of ours
// is a pair whose two halves were given different numbers, and both hold the address. Each is looked at once a minute.
import type { IpAddress } from '../net/address.ts';
import type { Datagram } from '../ports/engine-io.ts';
import { after, type Instant, seconds } from '../units.ts';
import { decode } from '../vrrp/packet.ts';

const AGAIN = seconds(60);
/** Strangers remembered; beyond them nobody new is looked at until the minute is over. */
const MOST = 256;

export class Strangers {
  readonly #seen = new Set<string>();
  #until: Instant | undefined;

  /** What is wrong with a stranger's advert; undefined: nothing, or it was looked at a moment ago. */
  examine(
    { payload, source, destination }: Datagram,
    isOurs: (address: IpAddress) => boolean,
    now: Instant,
  ): string | undefined {
    if (this.#until === undefined || now >= this.#until) {
      this.#seen.clear();
      this.#until = after(now, AGAIN);
    }
    const key = `${source} ${payload[1]}`;
    if (this.#seen.has(key) || this.#seen.size >= MOST) return undefined;
    this.#seen.add(key);
    const packet = decode(payload, { family: source.includes(':') ? 6 : 4, source, destination });
    if (typeof packet === 'string') return undefined;
    const ours = packet.ad.addresses.find(isOurs);
    if (ours === undefined) return undefined;
    return `${source} advertises ${ours} with virtual_router_id ${packet.ad.vrid}, which nobody here has: both sides may hold it`;
  }
}
