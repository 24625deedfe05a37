// Packets waiting to be sent with one system call. One packet that fails takes none of the others along.
import { EINTR } from './linux.ts';
import {
  type Handle,
  type Native,
  SEND_MAX,
  TX_LENGTH,
  TX_NAME_LENGTH,
  TX_NAME_OFFSET,
  TX_OFFSET,
  TX_WORDS,
} from './native/index.ts';

const ARENA_SIZE = 512 * 1024;
const NOTHING_FAILED: readonly string[] = Object.freeze([]);

/** A bounded queue before sendmmsg(2): 256 packets or 512 KiB; when full it sends, and `flush` still reports what failed. */
export class SendBatch {
  readonly #native: Native;
  readonly #handle: Handle;
  readonly #arena = new Uint8Array(ARENA_SIZE);
  readonly #table = new Int32Array(SEND_MAX * TX_WORDS);
  readonly #flags = new Int32Array(SEND_MAX);
  #count = 0;
  #used = 0;
  #failed: string[] = [];

  constructor(native: Native, handle: Handle) {
    this.#native = native;
    this.#handle = handle;
  }

  /** Copies both; `flags` are those of sendmmsg(2). */
  add(packet: Uint8Array, sockaddr: Uint8Array, flags: number): void {
    const size = packet.length + sockaddr.length;
    if (size > ARENA_SIZE) {
      this.#failed.push('EMSGSIZE');
      return;
    }
    if (this.#count === SEND_MAX || this.#used + size > ARENA_SIZE) this.#send();
    const row = this.#count * TX_WORDS;
    const name = this.#used + packet.length;
    this.#arena.set(packet, this.#used);
    this.#arena.set(sockaddr, name);
    this.#table[row + TX_OFFSET] = this.#used;
    this.#table[row + TX_LENGTH] = packet.length;
    this.#table[row + TX_NAME_OFFSET] = name;
    this.#table[row + TX_NAME_LENGTH] = sockaddr.length;
    this.#flags[this.#count] = flags;
    this.#used += size;
    this.#count++;
  }

  /** Sends what waits. Returns one errno name for each packet that the kernel refused since the last flush. @throws Error EBADF when closed */
  flush(): readonly string[] {
    if (this.#count > 0) this.#send();
    if (this.#failed.length === 0) return NOTHING_FAILED;
    const failed = this.#failed;
    this.#failed = [];
    return failed;
  }

  #send(): void {
    const count = this.#count;
    // emptied first: if the socket is closed, a throw must not leave the packets for ever
    this.#count = 0;
    this.#used = 0;
    let interruptions = 0;
    for (let first = 0; first < count; ) {
      const flags = this.#flags[first]!;
      let end = first + 1;
      while (end < count && this.#flags[end] === flags) end++;
      const sent = this.#native.sendmmsg(this.#handle, this.#arena, this.#table, first, end - first, flags);
      if (sent > 0) first += sent;
      else if (sent !== -EINTR || ++interruptions > 16) {
        // sendmmsg(2): an error is the first message's; the ones before it are already gone
        this.#failed.push(this.#native.errnoName(sent));
        first++;
      }
    }
  }
}
