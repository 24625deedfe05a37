// Builds VRRP packets as a hostile or broken neighbour would: any field may be wrong. Independent of the product's
// encoder, so that an error in one does not hide in the other.
import { type Family, type IpAddress, ip, ipBytes } from '../../core/net/address.ts';
import { VRRP_GROUP } from '../../core/vrrp/packet.ts';

/** What differs from a good packet of the neighbour. */
export interface InjectedFields {
  readonly prio: number;
  readonly ver?: number;
  readonly type?: number;
  readonly vrid?: number;
  /** v3: centiseconds; v2: seconds. */
  readonly adv?: number;
  readonly vips?: readonly string[];
  /** What the packet says, whatever it carries. */
  readonly count?: number;
  readonly rsvd?: number;
  readonly src?: string;
  readonly dst?: string;
  readonly ttl?: number;
  /** Form of the checksum; without it the right one. */
  readonly csum?: 'bad' | 'msg' | 'pseudo' | 'mcastph';
  /** Bytes after the message. */
  readonly trail?: number;
  readonly auth?: number;
  readonly pass?: string;
  readonly noauthdata?: number;
}

export interface Injected {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly pdu: Uint8Array;
}

export interface GoodPacket {
  readonly family: Family;
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly adv: number;
  readonly vips: readonly string[];
  readonly source: string;
  readonly password: string | undefined;
}

export function inject(good: GoodPacket, fields: InjectedFields): Injected {
  const version = fields.ver ?? good.version;
  const vips = fields.vips ?? good.vips;
  const adv = fields.adv ?? (version === good.version ? good.adv : version === 2 ? 1 : 100);
  const source = ip(fields.src ?? good.source);
  const destination = fields.dst === undefined ? VRRP_GROUP[good.family] : ip(fields.dst);
  const password = fields.pass ?? good.password ?? '';
  const authType = fields.auth ?? (good.password === undefined ? 0 : 1);
  const head = [
    (version << 4) | (fields.type ?? 1),
    fields.vrid ?? good.vrid,
    fields.prio,
    fields.count ?? vips.length,
    version === 2 ? authType : ((fields.rsvd ?? 0) << 4) | (adv >> 8),
    adv & 255,
    0,
    0,
  ];
  const authData = Array.from({ length: 8 }, (_, i) => password.charCodeAt(i) || 0);
  const withAuth = version === 2 && !fields.noauthdata;
  const message = Uint8Array.from([
    ...head,
    ...vips.flatMap((vip) => [...ipBytes(ip(vip))]),
    ...(withAuth ? authData : []),
  ]);
  const form = fields.csum ?? (version === 2 ? 'msg' : 'pseudo');
  const pseudoTo = form === 'mcastph' ? VRRP_GROUP[good.family] : destination;
  const pseudo =
    form === 'msg' || (form === 'bad' && version === 2) ? [] : pseudoHeader(source, pseudoTo, message.length);
  const sum = checksum([...pseudo, ...message]) ^ (form === 'bad' ? 0x0101 : 0);
  message[6] = sum >> 8;
  message[7] = sum & 255;
  return {
    source,
    destination,
    ttl: fields.ttl ?? 255,
    pdu: Uint8Array.from([...message, ...new Array<number>(fields.trail ?? 0).fill(0)]),
  };
}

function pseudoHeader(source: IpAddress, destination: IpAddress, length: number): number[] {
  return [...ipBytes(source), ...ipBytes(destination), 0, 112, length >> 8, length & 255];
}

function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
