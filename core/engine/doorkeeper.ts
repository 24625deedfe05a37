// Authentication, codec and receive checks before one router's state machine. An advert is nearly always the same bytes
// as the one before it, so the latest accepted advert is remembered and its verdict given again without decoding; what
// proves where it comes from is verified for every packet.

import type { InstanceConfig } from '../config/model.ts';
import { secretBytes } from '../config/secrets.ts';
import type { IpAddress } from '../net/address.ts';
import type { Datagram } from '../ports/engine-io.ts';
import { between, type Instant } from '../units.ts';
import { type Admission, admit, type Here, ownForm, receiveRules, type SignatureCheck } from '../vrrp/admission.ts';
import { open, PROTOCOL_AH } from '../vrrp/authentication-header.ts';
import { TRAILER_LENGTH } from '../vrrp/hmac-trailer.ts';
import type { Mac } from '../vrrp/mac.ts';
import { decode, passData } from '../vrrp/packet.ts';
import { signatureCheck } from '../vrrp/signature-check.ts';
import type { DropReason } from '../vrrp/types.ts';
import { macOf } from './digests.ts';
import type { RouterMemory } from './router-memory.ts';

interface Seen {
  /** Without the signature, where that is verified. */
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  /** Without warnings: they were given the first time. */
  readonly admission: Admission;
}

/** Offset of the protocol in an IPv4 header. */
const IP_PROTOCOL = 9;

/** The functions of the keys of auth_hmac, by their numbers. A secret that cannot be one was refused with the file. */
export function keysOf({ hmac }: InstanceConfig): ReadonlyMap<number, Mac> {
  return new Map(hmac?.keys.map(({ id, secret }) => [id, macOf('sha256', secretBytes(secret) ?? new Uint8Array())]));
}

/** The function of the key of an authentication header; undefined: there is none. */
export function headerMacOf({ authentication }: InstanceConfig): Mac | undefined {
  return authentication.type === 'AH' ? macOf('md5', passData(authentication.password)) : undefined;
}

export class Doorkeeper {
  readonly #rules: ReturnType<typeof receiveRules>;
  readonly #here: Here;
  readonly #memory: RouterMemory;
  readonly #headerMac: Mac | undefined;
  readonly #signature: SignatureCheck | undefined;
  /** The form of checksum may be learned from each peer. */
  readonly #learnsForms: boolean;
  #seen: Seen | undefined;
  /** Milliseconds since 1970 at which the packet at hand arrived. */
  #arrival = 0;

  constructor(config: InstanceConfig, here: Here, memory: RouterMemory) {
    this.#rules = receiveRules(config);
    this.#here = here;
    this.#memory = memory;
    memory.usePassword(config.authentication.type === 'AH' ? config.authentication.password : undefined);
    this.#headerMac = headerMacOf(config);
    this.#signature = config.hmac && signatureCheck(config.hmac, keysOf(config), memory.marks, () => this.#arrival);
    this.#learnsForms =
      config.version === 3 &&
      config.family === 4 &&
      config.transport.mode === 'unicast' &&
      ownForm(config) === 'pseudo' &&
      !config.strict;
  }

  admit(datagram: Datagram, now: Instant): Admission | DropReason {
    const advert = this.#unwrap(datagram);
    if (typeof advert === 'string') return advert;
    const { source } = datagram;
    if (this.#signature !== undefined)
      this.#arrival = this.#memory.wallTime() - Math.max(0, between(datagram.arrival, now)) / 1000;
    const signed = this.#signature !== undefined;
    if (this.#seen !== undefined && isSame(this.#seen, datagram, advert, signed))
      return this.#signature?.(advert, source) ?? this.#seen.admission;
    const packet = decode(advert, {
      family: source.includes(':') ? 6 : 4,
      source,
      destination: datagram.destination,
    });
    if (typeof packet === 'string') return packet;
    const admission = admit(packet, datagram, this.#rules, this.#here, this.#signature);
    if (typeof admission === 'string') return admission;
    if (this.#learnsForms && this.#rules.peers.has(source)) this.#memory.forms.note(source, admission.checksumForm);
    this.#remember(datagram, packet.signed === undefined || !signed ? advert : withoutSignature(advert), admission);
    return admission;
  }

  /** The advert in a packet, after its authentication header where there must be one. */
  #unwrap({ header, payload }: Datagram): Uint8Array | DropReason {
    const wrapped = header[IP_PROTOCOL] === PROTOCOL_AH;
    if (wrapped !== (this.#headerMac !== undefined)) return 'auth-mismatch';
    if (this.#headerMac === undefined) return payload;
    const opened = open(header, payload, this.#headerMac);
    if (typeof opened === 'string') return opened;
    const { sequence } = this.#memory;
    if (!sequence.isFresh(opened.sequence)) return 'auth-replay';
    sequence.heard(opened.sequence);
    return opened.pdu;
  }

  #remember({ source, destination, ttl }: Datagram, advert: Uint8Array, { ad, checksumForm }: Admission): void {
    const admission = { ad, warnings: [], checksumForm };
    this.#seen = { bytes: advert.slice(), source, destination, ttl, admission };
  }
}

const withoutSignature = (advert: Uint8Array): Uint8Array => advert.subarray(0, advert.length - TRAILER_LENGTH);

/** @param signed signatures are verified: the advert in front of one is compared */
function isSame(seen: Seen, { source, destination, ttl }: Datagram, advert: Uint8Array, signed: boolean): boolean {
  const { bytes } = seen;
  if (advert.length !== bytes.length + (signed ? TRAILER_LENGTH : 0) || seen.ttl !== ttl) return false;
  if (seen.source !== source || seen.destination !== destination) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== advert[i]) return false;
  return true;
}
