// The BFD control packet (RFC 5880 §4.1), without authentication: one that carries it is refused by name.
// Knows no session, no address, no time. Reads never throw, whatever the bytes.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
// |                       My Discriminator                        |
// |                      Your Discriminator                       |
// |                    Desired Min TX Interval                    |
// |                   Required Min RX Interval                    |
// |                 Required Min Echo RX Interval                 |
import { type Micros, micros } from '../units.ts';
import { type ControlPacket, type PacketRefusal, STATES } from './types.ts';

/** Bytes of a packet without authentication. */
export const PACKET_LENGTH = 24;

const VERSION = 1;
const FLAGS = 1;
const MULTIPLIER = 2;
const LENGTH = 3;
const MY_DISCRIMINATOR = 4;
const YOUR_DISCRIMINATOR = 8;
const DESIRED_MIN_TRANSMIT = 12;
const REQUIRED_MIN_RECEIVE = 16;
const REQUIRED_MIN_ECHO_RECEIVE = 20;

const POLL = 0x20;
const FINAL = 0x10;
const AUTHENTICATED = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

/** A packet to decode into; its contents mean nothing yet. */
export const emptyPacket = (): ControlPacket => ({
  diagnostic: 0,
  state: 'Down',
  poll: false,
  final: false,
  demand: false,
  detectMultiplier: 1,
  myDiscriminator: 1,
  yourDiscriminator: 0,
  desiredMinTransmit: micros(0),
  requiredMinReceive: micros(0),
  requiredMinEchoReceive: micros(0),
});

/** Reads a packet into `out`, or says why it is none; then `out` is as it was. The checks are those of §6.8.6, in its order. */
export function decode(bytes: Uint8Array, out: ControlPacket): PacketRefusal | undefined {
  if (bytes.length < PACKET_LENGTH) return 'too-short';
  if (bytes[0]! >> 5 !== VERSION) return 'bad-version';
  const flags = bytes[FLAGS]!;
  const length = bytes[LENGTH]!;
  if (length < PACKET_LENGTH || length > bytes.length) return 'bad-length';
  if (bytes[MULTIPLIER] === 0) return 'zero-multiplier';
  if ((flags & MULTIPOINT) !== 0) return 'multipoint';
  const mine = word(bytes, MY_DISCRIMINATOR);
  if (mine === 0) return 'zero-discriminator';
  const yours = word(bytes, YOUR_DISCRIMINATOR);
  const state = STATES[flags >> 6]!;
  if (yours === 0 && state !== 'Down' && state !== 'AdminDown') return 'state-without-discriminator';
  if ((flags & AUTHENTICATED) !== 0) return 'authenticated';
  out.diagnostic = bytes[0]! & 0x1f;
  out.state = state;
  out.poll = (flags & POLL) !== 0;
  out.final = (flags & FINAL) !== 0;
  out.demand = (flags & DEMAND) !== 0;
  out.detectMultiplier = bytes[MULTIPLIER]!;
  out.myDiscriminator = mine;
  out.yourDiscriminator = yours;
  out.desiredMinTransmit = word(bytes, DESIRED_MIN_TRANSMIT) as Micros;
  out.requiredMinReceive = word(bytes, REQUIRED_MIN_RECEIVE) as Micros;
  out.requiredMinEchoReceive = word(bytes, REQUIRED_MIN_ECHO_RECEIVE) as Micros;
  return undefined;
}

/** Writes a packet over the first 24 bytes of `out`. Intervals are whole microseconds below 2^32. */
export function encode(packet: Readonly<ControlPacket>, out: Uint8Array): void {
  out[0] = (VERSION << 5) | packet.diagnostic;
  out[FLAGS] =
    (STATES.indexOf(packet.state) << 6) |
    (packet.poll ? POLL : 0) |
    (packet.final ? FINAL : 0) |
    (packet.demand ? DEMAND : 0);
  out[MULTIPLIER] = packet.detectMultiplier;
  out[LENGTH] = PACKET_LENGTH;
  put(out, MY_DISCRIMINATOR, packet.myDiscriminator);
  put(out, YOUR_DISCRIMINATOR, packet.yourDiscriminator);
  put(out, DESIRED_MIN_TRANSMIT, packet.desiredMinTransmit);
  put(out, REQUIRED_MIN_RECEIVE, packet.requiredMinReceive);
  put(out, REQUIRED_MIN_ECHO_RECEIVE, packet.requiredMinEchoReceive);
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function put(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
