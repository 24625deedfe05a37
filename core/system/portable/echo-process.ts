// A process of its own that pings over raw-socket: IPv4 only, for machines where the addon does not load. The package hears
// nothing in a worker, and in the agent's main thread a flood of pings would be in the way. It lives as long as its parent.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { decodeIcmpAnswer, encodeEchoRequest, ICMP } from '../../net/icmp.ts';
import { parseIpv4Header } from '../../net/ipv4.ts';
import type { EchoResult, PingRequest } from '../../ports/check-network.ts';
import { micros } from '../../units.ts';
import { failed, NONCE, WORDS, wordsOf } from '../echo-words.ts';
import { IP_TTL, SO_BINDTODEVICE, SOL_IP, SOL_SOCKET } from '../linux.ts';
import { RawSocket } from './raw-socket.ts';

/** What the parent says: ask this, or forget it. */
export type EchoOrder =
  | { readonly type: 'ping'; readonly id: number; readonly request: PingRequest }
  | { readonly type: 'forget'; readonly id: number };

/** What it says. */
export interface EchoNews {
  readonly id: number;
  readonly result: EchoResult;
}

/** raw(7): a bit for each type that is not wanted. Wanted are echo replies and the errors. */
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const WANTED = [0, 3, 11, 12];
const LONGEST = 9216;
const SYSTEM_TTL = 64;
/** Interfaces that somebody named; each has a socket of its own. */
const MOST_SOCKETS = 64;

interface Pending {
  readonly id: number;
  readonly target: string;
  readonly payload: Uint8Array;
  readonly sent: bigint;
}

const identifier = randomBytes(2).readUInt16BE();
let sequence = 0;
const pending = new Map<number, Pending>();
const sockets = new Map<string, RawSocket>();
const memory = Buffer.alloc(LONGEST);

function socketOf(by: string): RawSocket {
  const known = sockets.get(by);
  if (known !== undefined) return known;
  if (sockets.size >= MOST_SOCKETS) throw Object.assign(new Error('too many interfaces'), { code: 'EMFILE' });
  const socket = new RawSocket(ICMP, () => receive(socket));
  try {
    const filter = new Uint8Array(4);
    new DataView(filter.buffer).setUint32(0, ~WANTED.reduce((bits, type) => bits | (1 << type), 0), true);
    socket.setOption(SOL_RAW, ICMP_FILTER, filter);
    if (by !== '') socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${by}\0`));
  } catch (error) {
    socket.close();
    throw error;
  }
  sockets.set(by, socket);
  return socket;
}

function receive(socket: RawSocket): void {
  for (let length = socket.receive(memory); typeof length === 'number'; length = socket.receive(memory)) {
    const packet = memory.subarray(0, length);
    const header = parseIpv4Header(packet);
    if (typeof header === 'string') continue;
    const answer = decodeIcmpAnswer(4, packet.subarray(header.headerLength, header.totalLength));
    if (answer === undefined || answer.type === 'advertisement' || answer.identifier !== identifier) continue;
    const echo = pending.get(answer.sequence);
    if (echo === undefined) continue;
    if (answer.type === 'error') {
      if (answer.destination === echo.target) tell(answer.sequence, echo.id, failed(WORDS[answer.error]));
    } else if (header.source === echo.target && Buffer.compare(answer.payload, echo.payload) === 0) {
      const took = micros(Number(process.hrtime.bigint() - echo.sent) / 1_000);
      tell(answer.sequence, echo.id, { ok: true, took });
    }
  }
}

function tell(number: number, id: number, result: EchoResult): void {
  pending.delete(number);
  process.send?.({ id, result } satisfies EchoNews);
}

function ask(id: number, { target, interface: by = '', size, ttl }: PingRequest): void {
  do sequence = (sequence + 1) & 0xffff;
  while (pending.has(sequence));
  const number = sequence;
  const payload = new Uint8Array(Math.max(size, NONCE));
  payload.set(randomBytes(NONCE));
  try {
    const socket = socketOf(by);
    socket.setOption(SOL_IP, IP_TTL, ttl ?? SYSTEM_TTL);
    pending.set(number, { id, target, payload, sent: process.hrtime.bigint() });
    const error = socket.send(encodeEchoRequest(4, identifier, number, payload), target);
    if (error !== undefined) tell(number, id, failed(wordsOf(error)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    tell(number, id, failed(code?.startsWith('E') && !code.startsWith('ERR') ? wordsOf(code) : message));
  }
}

process.on('message', (order: EchoOrder) => {
  if (order.type === 'ping') return ask(order.id, order.request);
  for (const [number, { id }] of pending) if (id === order.id) pending.delete(number);
});
process.once('disconnect', () => process.exit());
