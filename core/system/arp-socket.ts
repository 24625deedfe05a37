// A packet socket for ARP: requests out of any interface, replies in. It knows no request, and keeps no table.
import { BROADCAST_MAC, type IpAddress, type MacAddress } from '../net/address.ts';
import { type ArpPacket, decodeArp, encodeArp } from '../net/arp.ts';
import { type Instruction, program } from '../net/bpf.ts';
import { EtherType } from '../net/ethernet.ts';
import * as linux from './linux.ts';
import {
  type Handle,
  type Native,
  RX_ADDRESS_SIZE,
  RX_LENGTH,
  RX_SOURCE_LENGTH,
  RX_WORDS,
  type SystemError,
} from './native/index.ts';
import { linkSockaddr, tapSockaddr } from './sockaddr.ts';
import { setReceiveBuffer } from './socket-buffers.ts';

const BATCH = 16;
const STRIDE = 64;
const RECEIVE_BUFFER = 256 * 1024;
const ERRORS = 8;

/** Frames that are ARP replies: the operation stands behind the Ethernet header and six bytes. */
const REPLIES: readonly Instruction[] = [
  [0x28, 0, 0, 14 + 6],
  [0x15, 0, 1, 2],
  [0x06, 0, 0, STRIDE],
  [0x06, 0, 0, 0],
];
const ANY_INTERFACE = 0;
/** sll_ifindex of struct sockaddr_ll. */
const IFINDEX = 4;

/** `arrival` by CLOCK_REALTIME in microseconds; 0: the kernel did not say. */
export type ArpSink = (arp: ArpPacket, ifindex: number, arrival: number) => void;

export class ArpSocket {
  readonly handle: Handle;
  readonly #native: Native;
  readonly #arena = new Uint8Array(BATCH * STRIDE);
  readonly #table = new Int32Array(BATCH * RX_WORDS);
  readonly #addresses = new Uint8Array(BATCH * RX_ADDRESS_SIZE);
  readonly #times = new Float64Array(BATCH);

  /** @throws Error EPERM without CAP_NET_RAW */
  constructor(native: Native) {
    this.#native = native;
    // protocol 0 hears nothing: no frame comes before the filter is there
    this.handle = native.socket(linux.AF_PACKET, linux.SOCK_RAW, 0);
    try {
      native.attachFilter(this.handle, program(REPLIES));
      setReceiveBuffer(native, this.handle, RECEIVE_BUFFER);
      native.setsockopt(this.handle, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
      ignoreOutgoing(native, this.handle);
      native.bind(this.handle, tapSockaddr(ANY_INTERFACE, EtherType.ARP));
    } catch (error) {
      native.close(this.handle);
      throw error;
    }
  }

  /**
   * Asks everybody on an interface who has `target`. @param own 0.0.0.0 where the interface has no address for it
   * @returns the name of the error, if any
   */
  ask(target: IpAddress, own: { readonly address: IpAddress; readonly mac: MacAddress }, ifindex: number) {
    const frame = encodeArp({
      destination: BROADCAST_MAC,
      source: own.mac,
      arp: {
        operation: 'request',
        senderMac: own.mac,
        senderIp: own.address,
        targetMac: '00:00:00:00:00:00' as MacAddress,
        targetIp: target,
      },
    });
    const to = linkSockaddr(ifindex);
    to.set([EtherType.ARP >> 8, EtherType.ARP & 0xff], 2);
    const sent = this.#native.sendmsg(this.handle, frame, to, undefined, 0);
    return sent < 0 ? this.#native.errnoName(sent) : undefined;
  }

  /** Hands on what waits; it never waits itself. */
  receive(sink: ArpSink): void {
    const [arena, table, addresses] = [this.#arena, this.#table, this.#addresses];
    for (let errors = 0; errors < ERRORS; ) {
      const count = this.#native.recvmmsg(this.handle, arena, STRIDE, BATCH, table, addresses, this.#times);
      if (count === -linux.EAGAIN) return;
      // An error of one interface (ENETDOWN) is reported once, and is not the others' business.
      if (count < 0) errors++;
      for (let i = 0; i < count; i++) {
        if (table[i * RX_WORDS + RX_SOURCE_LENGTH]! < IFINDEX + 4) continue;
        const start = i * STRIDE;
        const decoded = decodeArp(arena.subarray(start, start + Math.min(table[i * RX_WORDS + RX_LENGTH]!, STRIDE)));
        if (typeof decoded === 'string') continue;
        const ifindex = new DataView(addresses.buffer).getInt32(i * RX_ADDRESS_SIZE + IFINDEX, true);
        sink(decoded.arp, ifindex, this.#times[i]!);
      }
      if (count >= 0 && count < BATCH) return;
    }
  }

  close(): void {
    this.#native.close(this.handle);
  }
}

/** Since Linux 4.20; without it we hear the answers of this machine, too, which nobody asked for. */
function ignoreOutgoing(native: Native, handle: Handle): void {
  try {
    native.setsockopt(handle, linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, 1);
  } catch (error) {
    if ((error as SystemError).code !== 'ENOPROTOOPT') throw error;
  }
}
