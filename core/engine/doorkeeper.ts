// Codec and receive checks before one router's state machine. An advert is nearly always the same bytes as the one
// before it, so the latest accepted packet is remembered and its verdict given again without decoding.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import type { Datagram } from '../ports/engine-io.ts';
import { type Admission, admit, type ReceiveRules, receiveRules } from '../vrrp/admission.ts';
import { decode } from '../vrrp/packet.ts';
import type { DropReason } from '../vrrp/types.ts';

interface Seen {
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  /** Without warnings: they were given the first time. */
  readonly admission: Admission;
}

export class Doorkeeper {
  readonly #rules: ReceiveRules;
  readonly #ownSource: IpAddress | undefined;
  #seen: Seen | undefined;

  constructor(config: InstanceConfig, ownSource: IpAddress | undefined) {
    this.#rules = receiveRules(config);
    this.#ownSource = ownSource;
  }

  admit(datagram: Datagram): Admission | DropReason {
    if (this.#seen !== undefined && isSame(this.#seen, datagram)) return this.#seen.admission;
    const { payload, source, destination, ttl } = datagram;
    const packet = decode(payload, { family: source.includes(':') ? 6 : 4, source, destination });
    if (typeof packet === 'string') return packet;
    const admission = admit(packet, datagram, this.#rules, this.#ownSource);
    if (typeof admission !== 'string')
      this.#seen = { bytes: payload.slice(), source, destination, ttl, admission: { ad: admission.ad, warnings: [] } };
    return admission;
  }
}

function isSame(seen: Seen, { payload, source, destination, ttl }: Datagram): boolean {
  const { bytes } = seen;
  if (bytes.length !== payload.length || seen.ttl !== ttl) return false;
  if (seen.source !== source || seen.destination !== destination) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== payload[i]) return false;
  return true;
}
