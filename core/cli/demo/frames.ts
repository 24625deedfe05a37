// Reads from a frame what an onlooker of VRRP wants to know. Deliberately its own decoder, not the agent's: what watches
// must not share a mistake with what is watched. Pure.
import { formatIp } from '../../net/address.ts';

/** What one frame says; undefined when it says nothing of interest. */
export type Seen =
  | {
      readonly type: 'advert';
      readonly vrid: number;
      readonly priority: number;
      readonly version: number;
      readonly source: string;
      /** The Ethernet address that it came from. */
      readonly mac: string;
    }
  /** A gratuitous ARP, request or reply, or an unsolicited neighbour advertisement. */
  | { readonly type: 'garp'; readonly ip: string; readonly mac: string }
  /** An ordinary ARP reply: somebody answers for this address. */
  | { readonly type: 'arp'; readonly ip: string }
  /** The answer to the prober's echo request with this number. */
  | { readonly type: 'reply'; readonly sequence: number };

/** Marks the prober's echo requests. */
export const PROBE_MAGIC = 0x76_6b_70_62;
/** ICMP header (8) and payload: magic (4), sequence (4). */
export const PROBE_LENGTH = 16;

const ETHERTYPE = 12;
const NETWORK = 14;

export function readFrame(frame: Uint8Array): Seen | undefined {
  if (frame.length < NETWORK + 20) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  switch (view.getUint16(ETHERTYPE)) {
    case 0x0800:
      return readIp(view);
    case 0x0806:
      return readArp(view);
    case 0x86dd:
      return readIpv6(view);
    default:
      return undefined;
  }
}

function readArp(view: DataView): Seen | undefined {
  if (view.byteLength < NETWORK + 28) return undefined;
  const sender = view.getUint32(NETWORK + 14);
  const target = view.getUint32(NETWORK + 24);
  if (sender !== 0 && sender === target) return { type: 'garp', ip: dotted(view, NETWORK + 14), mac: macOf(view) };
  return view.getUint16(NETWORK + 6) === 2 ? { type: 'arp', ip: dotted(view, NETWORK + 14) } : undefined;
}

function readIp(view: DataView): Seen | undefined {
  const first = NETWORK + (view.getUint8(NETWORK) & 15) * 4;
  // VRRPv2 behind an authentication header is VRRP, too.
  const wrapped = view.getUint8(NETWORK + 9) === 51 && view.byteLength > first + 24 && view.getUint8(first) === 112;
  const payload = wrapped ? first + 24 : first;
  const protocol = wrapped ? 112 : view.getUint8(NETWORK + 9);
  if (protocol === 112 && view.byteLength >= payload + 8)
    return {
      type: 'advert',
      version: view.getUint8(payload) >> 4,
      vrid: view.getUint8(payload + 1),
      priority: view.getUint8(payload + 2),
      source: dotted(view, NETWORK + 12),
      mac: macOf(view),
    };
  const echoReply = protocol === 1 && view.byteLength >= payload + PROBE_LENGTH && view.getUint8(payload) === 0;
  if (echoReply && view.getUint32(payload + 8) === PROBE_MAGIC)
    return { type: 'reply', sequence: view.getUint32(payload + 12) };
  return undefined;
}

/** Without extension headers: nobody puts any before these. */
function readIpv6(view: DataView): Seen | undefined {
  const payload = NETWORK + 40;
  if (view.byteLength < payload + 24) return undefined;
  const next = view.getUint8(NETWORK + 6);
  if (next === 112)
    return {
      type: 'advert',
      version: view.getUint8(payload) >> 4,
      vrid: view.getUint8(payload + 1),
      priority: view.getUint8(payload + 2),
      source: address(view, NETWORK + 8),
      mac: macOf(view),
    };
  const unsolicited = next === 58 && view.getUint8(payload) === 136 && (view.getUint8(payload + 4) & 0x40) === 0;
  return unsolicited ? { type: 'garp', ip: address(view, payload + 8), mac: macOf(view) } : undefined;
}

const address = (view: DataView, offset: number): string =>
  formatIp(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), offset, 16);

const macOf = (view: DataView): string =>
  [6, 7, 8, 9, 10, 11].map((i) => view.getUint8(i).toString(16).padStart(2, '0')).join(':');

const dotted = (view: DataView, offset: number): string => [0, 1, 2, 3].map((i) => view.getUint8(offset + i)).join('.');
