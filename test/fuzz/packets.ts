// Fuzzes what reads packets of strangers: captured frames, damaged in every way, through the IP headers, the decoder of
// both versions, the authentication header, the signature, and the doors of routers of every kind. The suite runs some of
// it (packets.test.ts), by hand it runs as long as it should:
//
//   node test/fuzz/packets.ts --seconds 60             from a seed of the clock, which is printed
//   node test/fuzz/packets.ts --seed 7 --runs 1        one run again; a failure prints this line and the packet
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { InstanceConfig } from '../../core/config/model.ts';
import { type Draw, randomFrom } from '../../core/config/source-random.ts';
import { macOf } from '../../core/engine/digests.ts';
import { Doorkeeper } from '../../core/engine/doorkeeper.ts';
import { RouterMemory } from '../../core/engine/router-memory.ts';
import { type Family, formatIp, type IpAddress, ip } from '../../core/net/address.ts';
import { addWords, finishChecksum, pseudoHeaderSum } from '../../core/net/checksum.ts';
import { encodeIpv4Header, parseIpv4Header } from '../../core/net/ipv4.ts';
import { encodeIpv6Header, parseIpv6Header } from '../../core/net/ipv6.ts';
import type { Datagram } from '../../core/ports/engine-io.ts';
import { instant, seconds, vrid } from '../../core/units.ts';
import { open } from '../../core/vrrp/authentication-header.ts';
import { readTrailer, TRAILER_LENGTH } from '../../core/vrrp/hmac-trailer.ts';
import { type DecodedPacket, decode, encode } from '../../core/vrrp/packet.ts';
import { instance, virtualIp } from '../engine/instances.ts';
import { hexBytes, hexText } from '../vrrp/frame.ts';

const ETHERNET = 14;
const CHECKSUM = 6;

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const { frames: plain } = read('vrrp') as { readonly frames: readonly { readonly l2_hex: string }[] };
const { frames: proven, others } = read('authenticated') as {
  readonly frames: readonly {
    readonly hex: string;
    readonly signature?: { readonly seconds: number; readonly key: string };
    readonly header?: { readonly key: string };
  }[];
  readonly others: readonly { readonly hex: string }[];
};

/** The captured frames from the IP header on. */
const CORPUS: readonly Uint8Array[] = [
  ...plain.map(({ l2_hex }) => l2_hex),
  ...[...proven, ...others].map(({ hex }) => hex),
].map((hex) => hexBytes(hex).subarray(ETHERNET));

const SIGNED = proven.filter(({ signature }) => signature);
const HMAC_SECRET = SIGNED[0]!.signature!.key;
const AH_PASSWORD = Buffer.from(proven.find(({ header }) => header)!.header!.key, 'hex').toString();
const SIGNED_AT = SIGNED[0]!.signature!.seconds * 1000;
/** What may pass a door that demands signatures: the captured packets, whatever their checksum, which is not signed. */
const GENUINE: ReadonlySet<string> = new Set(SIGNED.map(({ hex }) => genuine(hexBytes(hex).subarray(ETHERNET))));

function genuine(packet: Uint8Array): string {
  const { header, payload, source } = datagramOf(packet);
  const copy = payload.slice();
  copy.fill(0, CHECKSUM, CHECKSUM + 2);
  return `${header.length > 0 ? 4 : 6} ${source} ${hexText(copy)}`;
}

const GROUP6 = { mode: 'multicast', group: ip('ff02::12'), source: undefined } as const;
const HMAC = {
  keys: [{ id: 1, secret: `hex:${HMAC_SECRET}` }],
  activeKey: 1,
  antiReplay: 'time',
  timeWindow: 300,
  mode: 'enforce',
} as const;
const ROUTERS: readonly Partial<InstanceConfig>[] = [
  {},
  { strict: true },
  { version: 2 },
  { version: 2, authentication: { type: 'PASS', password: 'secret12' } },
  { version: 2, authentication: { type: 'AH', password: AH_PASSWORD } },
  { transport: { mode: 'unicast', source: undefined, ttl: 255, peers: [peer('10.0.0.1'), peer('10.0.0.2')] } },
  { family: 6, transport: GROUP6, vips: [virtualIp('fe80::51', 128)] },
  { hmac: HMAC },
  { version: 2, hmac: HMAC },
  { family: 6, transport: GROUP6, vips: [virtualIp('fe80::51', 128)], hmac: HMAC },
  { hmac: { ...HMAC, mode: 'permissive', antiReplay: 'monotonic' } },
];

function peer(address: string) {
  return { address: ip(address), minTtl: 0, maxTtl: 255, neighbourly: true };
}

/** A packet from the IP header on: a captured one, mostly damaged, or noise. */
export function packetOf(seed: number): Uint8Array {
  const draw = randomFrom(seed);
  if (draw(20) === 0) return Uint8Array.from({ length: draw(200) }, () => draw(256));
  let packet: Uint8Array = CORPUS[draw(CORPUS.length)]!.slice();
  for (let i = draw(5); i > 0; i--) packet = damaged(packet, draw);
  if (draw(3) > 0) mend(packet, draw);
  return packet;
}

function damaged(packet: Uint8Array, draw: Draw): Uint8Array {
  const copy = packet.slice();
  const at = draw(copy.length + 1);
  switch (draw(8)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Uint8Array.from([...copy, ...Array.from({ length: draw(60) }, () => draw(256))]);
    case 2:
      return Uint8Array.from([...copy.subarray(0, at), draw(256), ...copy.subarray(at)]);
    case 3:
      return Uint8Array.from([...copy.subarray(0, at), ...CORPUS[draw(CORPUS.length)]!.subarray(at)]);
    case 4:
      return Uint8Array.from([...copy, ...new Uint8Array(TRAILER_LENGTH)]);
    case 5:
      if (copy.length > 0) copy[draw(Math.min(copy.length, 60))] = [0, 1, 2, 127, 128, 254, 255][draw(7)]!;
      return copy;
    default:
      if (copy.length > 0) copy[draw(copy.length)]! ^= 1 << draw(8);
      return copy;
  }
}

/** Makes lengths and checksums right again, so that what lies behind them is reached. */
function mend(packet: Uint8Array, draw: Draw): void {
  if (packet.length < 48) return;
  const v4 = packet[0]! >> 4 === 4;
  const at = v4 ? (packet[0]! & 15) * 4 + (packet[9] === 51 ? 24 : 0) : 40;
  const length = v4 ? packet.length : packet.length - 40;
  packet[v4 ? 2 : 4] = length >> 8;
  packet[v4 ? 3 : 5] = length & 255;
  if (at + 8 > packet.length) return;
  const message = packet.subarray(at, packet.length - (v4 && draw(2) === 0 ? TRAILER_LENGTH : 0));
  if (message.length < 8) return;
  message.fill(0, CHECKSUM, CHECKSUM + 2);
  const { source, destination } = datagramOf(packet);
  const pseudo = draw(2) === 0 || !v4 ? pseudoHeaderSum(source, destination, 112, message.length) : 0;
  const sum = finishChecksum(addWords(pseudo, message));
  message[CHECKSUM] = sum >> 8;
  message[CHECKSUM + 1] = sum & 255;
}

/** What the sockets make of a packet that is long enough. */
function datagramOf(packet: Uint8Array): Datagram {
  const v4 = packet[0]! >> 4 === 4;
  const header = v4 ? Math.min((packet[0]! & 15) * 4, packet.length) : 40;
  return {
    header: v4 ? packet.subarray(0, header) : new Uint8Array(),
    payload: packet.subarray(header),
    source: v4 ? formatIp(packet, 12, 4) : formatIp(packet, 8, 16),
    destination: v4 ? formatIp(packet, 16, 4) : formatIp(packet, 24, 16),
    ttl: packet[v4 ? 8 : 7]!,
    arrival: instant(seconds(1)),
  };
}

const AH_MAC = macOf('md5', new TextEncoder().encode(AH_PASSWORD));

/** What a packet must never do: throws when it does. */
export function examine(packet: Uint8Array): void {
  examineHeaders(packet);
  if (packet.length < 40) {
    decode(packet, { family: 4, source: ip('10.0.0.1'), destination: ip('10.0.0.2') });
    return;
  }
  const datagram = datagramOf(packet);
  const { header, payload, source, destination } = datagram;
  const family: Family = header.length > 0 ? 4 : 6;
  readTrailer(payload.subarray(-TRAILER_LENGTH));
  const opened = open(header, payload, AH_MAC);
  if (typeof opened !== 'string') examineAdvert(opened.pdu, family, source, destination);
  examineAdvert(payload, family, source, destination);
  for (const changes of ROUTERS) {
    const config = instance({ vrid: vrid(payload[1] || 1), vips: [virtualIp('10.0.0.100')], ...changes });
    const door = new Doorkeeper(config, { source: undefined }, new RouterMemory(() => SIGNED_AT));
    const verdict = door.admit(datagram, datagram.arrival);
    if (typeof verdict === 'string') {
      if (door.admit(datagram, datagram.arrival) !== verdict) throw new Error('refused once, and then otherwise');
    } else if (config.hmac?.mode === 'enforce') {
      if (!GENUINE.has(genuine(packet))) throw new Error('a forged signature passed');
      if (door.admit(datagram, datagram.arrival) !== 'hmac-replay') throw new Error('a replay passed');
    }
  }
}

function examineHeaders(packet: Uint8Array): void {
  const four = parseIpv4Header(packet);
  if (typeof four !== 'string') {
    if (four.headerLength > four.totalLength || four.totalLength > packet.length) throw new Error('beyond the packet');
    const again = parseIpv4Header(
      Uint8Array.from([...encodeIpv4Header(four, 0), ...new Uint8Array(four.headerLength - 20)]),
    );
    if (typeof again === 'string' || again.source !== four.source || again.ttl !== four.ttl)
      throw new Error('the IPv4 header does not survive');
  }
  const six = parseIpv6Header(packet);
  if (typeof six !== 'string' && hexText(encodeIpv6Header(six, six.payloadLength)) !== hexText(packet.subarray(0, 40)))
    throw new Error('the IPv6 header does not survive');
}

/** What was accepted is no larger than what was given, and is written as it was read. */
function examineAdvert(pdu: Uint8Array, family: Family, source: IpAddress, destination: IpAddress): void {
  const envelope = { family, source, destination };
  const packet = decode(pdu, envelope);
  if (typeof packet === 'string') return;
  const { ad, checksumForm, signed } = packet;
  if (ad.addresses.length * (family === 4 ? 4 : 16) > pdu.length) throw new Error('more addresses than bytes');
  const again = encode(ad, envelope, optionsOf(packet, checksumForm));
  const [read] = [decode(again, envelope)];
  if (typeof read === 'string' || JSON.stringify(read.ad) !== JSON.stringify(ad))
    throw new Error('decode(encode(x)) is not x');
  // What means nothing may differ: reserved bits, unused authentication data; and the checksum with them.
  const meaning = (bytes: Uint8Array): string => {
    const copy = bytes.slice(0, again.length);
    copy[4]! &= ad.version === 3 ? 15 : 0;
    copy.fill(0, CHECKSUM, CHECKSUM + 2);
    if (ad.version === 2) copy.fill(0, again.length - 8);
    return hexText(copy);
  };
  if (meaning(again) !== meaning(pdu)) throw new Error('it is written otherwise than it was read');
  if (again.length !== pdu.length - (signed ? TRAILER_LENGTH : 0)) throw new Error('another length');
}

function optionsOf({ authType, authData }: DecodedPacket, checksumForm: DecodedPacket['checksumForm']) {
  return {
    checksumForm,
    ...(authType === 1 && authData && { authData }),
    ...(authType === 2 && { authenticationHeader: true }),
  };
}

/** Runs from a seed on; returns how many. Throws at the first failure, with what is needed to see it again. */
export function fuzz(seed: number, until: (runs: number) => boolean): number {
  let runs = 0;
  for (; !until(runs); runs++) {
    const packet = packetOf(seed + runs);
    try {
      examine(packet);
    } catch (cause) {
      throw new Error(`node test/fuzz/packets.ts --seed ${seed + runs} --runs 1\n${hexText(packet)}`, { cause });
    }
  }
  return runs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name: string): number | undefined => {
    const at = process.argv.indexOf(`--${name}`);
    return at === -1 ? undefined : Number(process.argv[at + 1]);
  };
  const seed = option('seed') ?? Date.now() % 1_000_000_000;
  const runs = option('runs') ?? Number.POSITIVE_INFINITY;
  const end = performance.now() + (option('seconds') ?? (Number.isFinite(runs) ? 1e9 : 60)) * 1000;
  console.log(`seed ${seed}`);
  const done = fuzz(seed, (count) => count >= runs || performance.now() > end);
  console.log(`${done} packets without a failure`);
}
