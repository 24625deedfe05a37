// Adverts without authority: from senders that a router must not heed, damaged, from too far away, without the password,
// with a wrong signature, or said before. Whatever they say, nothing may change by them.
import { type IpAddress, ip, type MacAddress } from '../../core/net/address.ts';
import { encodeIpv4Header } from '../../core/net/ipv4.ts';
import { encodeIpv6Header } from '../../core/net/ipv6.ts';
import { micros, priority, vrid } from '../../core/units.ts';
import { encode, passData } from '../../core/vrrp/packet.ts';
import type { Advertisement } from '../../core/vrrp/types.ts';
import type { Wire, WirePacket } from '../support/simulated-switch.ts';
import { ownAddress, type Slot } from './scenario.ts';
import { headerLength } from './view.ts';
import type { World } from './world.ts';

const PORT = 200;
const MAC = '02:00:00:00:ee:01' as MacAddress;
const VRRP = 112;
const MINIMUM = 8;
/** Beyond the window of the signatures, in microseconds. */
const STALE = 6_000_000;
/** What they claim to be: the best there is, one that leaves, the least. */
const CLAIMS = [255, 0, 1];

export class Strangers {
  readonly #world: World;
  /** Real adverts of each slot, to be said again when they are stale: before that, whoever missed one may believe it. */
  readonly #overheard = new Map<number, { readonly message: WirePacket; readonly at: number }>();

  constructor(world: World) {
    this.#world = world;
    world.wiretap = (network, message) => this.#overhear(network, message);
  }

  /** Each slot gets an advert of some kind. */
  talk(count: number): void {
    for (const [index, slot] of this.#world.scenario.slots.entries()) {
      const forged = this.#forge(slot, index, count);
      if (forged !== undefined) this.#world.switches[slot.network]!.transmit(PORT, forged);
    }
  }

  #overhear(network: number, message: Wire): void {
    if (message.kind !== 'packet' || message.mac === MAC) return;
    const vrid = message.bytes[headerLength(message.bytes) + 1];
    const index = this.#world.scenario.slots.findIndex((slot) => slot.network === network && slot.vrid === vrid);
    if (this.#world.scenario.slots[index]?.protection === 'hmac-time' && !this.#overheard.has(index))
      this.#overheard.set(index, { message, at: this.#world.now });
  }

  #forge(slot: Slot, index: number, count: number): WirePacket | undefined {
    const stranger = strangerOn(slot);
    const machine = count % this.#world.machines.length;
    const member = ownAddress(slot.network, machine)[slot.family];
    const to = slot.unicast ? member : groupOf(slot);
    // A member's address on its own machine would be refused as one's own; take another's.
    const other = ownAddress(slot.network, (machine + 1) % this.#world.machines.length)[slot.family];
    const claim = CLAIMS[count % CLAIMS.length]!;
    const forms: (() => WirePacket)[] = [
      () => packet(slot, other, to, claim, { damage: 'checksum' }),
      () => packet(slot, other, to, claim, { damage: 'truncated' }),
      () => packet(slot, other, to, claim, { damage: 'type' }),
      () => packet(slot, other, to, claim, { damage: 'version' }),
      () => packet(slot, zeroOf(slot), to, claim, {}),
    ];
    if (slot.unicast) forms.push(() => packet(slot, stranger, to, claim, {}));
    else forms.push(() => packet(slot, stranger, to, claim, { ttl: 254 }));
    if (slot.protection === 'PASS') forms.push(() => packet(slot, other, to, claim, { password: 'guess' }));
    if (slot.protection !== 'none') forms.push(() => packet(slot, other, to, claim, {}));
    const heard = this.#overheard.get(index);
    if (heard !== undefined && this.#world.now - heard.at > STALE) forms.push(() => ({ ...heard.message, mac: MAC }));
    return forms[count % forms.length]!();
  }
}

interface Forgery {
  readonly damage?: 'checksum' | 'truncated' | 'type' | 'version';
  readonly ttl?: number;
  readonly password?: string;
}

function packet(slot: Slot, source: IpAddress, destination: IpAddress, claim: number, forgery: Forgery): WirePacket {
  const ad: Advertisement = {
    version: slot.version,
    vrid: vrid(slot.vrid),
    priority: priority(claim),
    interval: micros(slot.interval),
    addresses: slot.vips,
  };
  const { damage, ttl = 255, password } = forgery;
  const envelope = { family: slot.family, source, destination };
  let pdu = encode(ad, envelope, password === undefined ? {} : { authData: passData(password) });
  if (damage === 'checksum') pdu[6]! ^= 0x55;
  if (damage === 'truncated') pdu = pdu.subarray(0, MINIMUM - 1);
  if (damage === 'type') pdu[0]! ^= 0x0f;
  if (damage === 'version') pdu[0]! ^= 0x70;
  const fields = { source, destination };
  const header =
    slot.family === 4
      ? encodeIpv4Header({ tos: 0, id: 1, ttl, protocol: VRRP, ...fields }, pdu.length)
      : encodeIpv6Header({ trafficClass: 0, flowLabel: 0, nextHeader: VRRP, hopLimit: ttl, ...fields }, pdu.length);
  const bytes = new Uint8Array(header.length + pdu.length);
  bytes.set(header);
  bytes.set(pdu, header.length);
  return { kind: 'packet', bytes, source, destination, protocol: VRRP, mac: MAC, order: 0 };
}

const groupOf = ({ family }: Slot): IpAddress => ip(family === 4 ? '224.0.0.18' : 'ff02::12');
const zeroOf = ({ family }: Slot): IpAddress => ip(family === 4 ? '0.0.0.0' : '::');
const strangerOn = ({ family, network }: Slot): IpAddress => ip(family === 4 ? `10.${network}.0.250` : 'fe80::bad');
