// A tiny authoritative DNS server over UDP that answers as a test says: A, AAAA and SRV records, and every way of not
// answering. As a program (`node dns-server.ts ADDRESS`, port 53) it takes its zones as JSON lines from standard input
// and prints a line when it listens and after each zone.
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { ipBytes, parseIp } from '../../core/net/address.ts';

export interface Zone {
  /** `silent`: says nothing at all. `failing`: SERVFAIL. Default: answers. */
  readonly mode?: 'silent' | 'failing';
  /** By name in lower case, without the last dot. A name that is missing does not exist (NXDOMAIN). */
  readonly names?: Readonly<Record<string, Records>>;
}

export interface Records {
  /** Seconds. Default 1. */
  readonly ttl?: number;
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Names of targets; all have priority 0, weight 0 and port 112. */
  readonly SRV?: readonly string[];
}

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
const HEADER = 12;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** The answer to one question; undefined: none. Anything that is no question has none. */
export function answer(query: Uint8Array, { mode, names = {} }: Zone): Uint8Array | undefined {
  const question = questionOf(query);
  if (question === undefined || mode === 'silent') return undefined;
  const records = names[question.name.toLowerCase()];
  const code = mode === 'failing' ? SERVFAIL : records === undefined ? NXDOMAIN : 0;
  const kind = (Object.keys(TYPES) as (keyof typeof TYPES)[]).find((one) => TYPES[one] === question.type);
  const data = code === 0 && kind !== undefined ? (records?.[kind] ?? []) : [];
  const rdata = data.map((text) =>
    kind === 'SRV' ? [0, 0, 0, 0, 0, 112, ...nameBytes(text)] : [...ipBytes(parseIp(text)!)],
  );
  const ttl = records?.ttl ?? 1;
  const bytes = [
    ...query.subarray(0, 2),
    0x84, // QR, AA
    code,
    ...[0, 1, 0, data.length, 0, 0, 0, 0],
    ...query.subarray(HEADER, question.end),
    ...rdata.flatMap((one) => [
      ...[0xc0, HEADER], // the name of the question
      ...[question.type >> 8, question.type & 0xff, 0, 1],
      ...[ttl >>> 24, (ttl >> 16) & 0xff, (ttl >> 8) & 0xff, ttl & 0xff],
      ...[one.length >> 8, one.length & 0xff, ...one],
    ]),
  ];
  return Uint8Array.from(bytes);
}

function questionOf(query: Uint8Array): { name: string; type: number; end: number } | undefined {
  if (query.length < HEADER + 5 || (query[2]! & 0x80) !== 0) return undefined;
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at]!; length !== 0; length = query[at]!) {
    if (length > 63 || at + length + 6 > query.length) return undefined;
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query[at + 1]! * 256 + query[at + 2]!, end: at + 5 };
}

function nameBytes(name: string): number[] {
  const labels = name.replace(/\.$/, '').split('.');
  return [...labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

if (import.meta.main) {
  let zone: Zone = {};
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const reply = answer(query, zone);
    if (reply !== undefined) socket.send(reply, port, address);
  });
  socket.bind(53, process.argv[2], () => console.log('listening'));
  createInterface(process.stdin).on('line', (line) => {
    zone = JSON.parse(line) as Zone;
    console.log('zone');
  });
}
