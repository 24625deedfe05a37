// The process events connector: what the kernel tells of processes over NETLINK_CONNECTOR (include/uapi/linux/
// connector.h and cn_proc.h). Pure: bytes to values and the filter's program; knows no socket.

/** Multicast group, and both numbers of its identifier. */
export const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;

//  0               4               8              12
//  +---------------+---------------+---------------+---------------+
//  | length        | type | flags  | sequence      | port          |  nlmsghdr
//  +---------------+---------------+---------------+---------------+
//  | idx           | val           | sequence      | ack           |  cn_msg
//  +---------------+---------------+---------------+---------------+
//  | length| flags | what          | cpu           | timestamp …   |  proc_event from "what" on
//  +---------------+---------------+---------------+---------------+
//  | … timestamp   | event data …                                  |
//  +---------------+-----------------------------------------------+
const IDX_OFFSET = 16;
const VAL_OFFSET = 20;
const LENGTH_OFFSET = 32;
const WHAT_OFFSET = 36;
const DATA_OFFSET = 52;
const COMM_LENGTH = 16;

const WHAT_NONE = 0;
const WHAT_FORK = 0x1;
const WHAT_EXEC = 0x2;
const WHAT_COMM = 0x200;
const WHAT_EXIT = 0x8000_0000;

const LISTEN = 1;
const IGNORE = 2;
/** NLMSG_DONE: what the connector wants as the type. */
const TYPE_DONE = 3;

/** Only whole processes: threads are told apart and left out. */
export type ProcEvent =
  /** The answer to a subscription; 0, or an errno. */
  | { readonly type: 'acknowledged'; readonly error: number }
  | { readonly type: 'fork'; readonly parent: number; readonly child: number }
  | { readonly type: 'exec'; readonly pid: number }
  /** It has a new name; one character a byte. */
  | { readonly type: 'comm'; readonly pid: number; readonly comm: string }
  | { readonly type: 'exit'; readonly pid: number };

/** Asks for events, or for their end. */
export function subscription(listen: boolean): Uint8Array {
  const out = new Uint8Array(WHAT_OFFSET + 4);
  const view = new DataView(out.buffer);
  view.setUint32(0, out.length, true);
  view.setUint16(4, TYPE_DONE, true);
  view.setUint32(IDX_OFFSET, CN_IDX_PROC, true);
  view.setUint32(VAL_OFFSET, CN_VAL_PROC, true);
  view.setUint16(LENGTH_OFFSET, 4, true);
  view.setUint32(WHAT_OFFSET, listen ? LISTEN : IGNORE, true);
  return out;
}

/** undefined: it is about a thread, of another kind, or no event at all. */
export function decodeProcEvent(message: Uint8Array): ProcEvent | undefined {
  if (message.length < DATA_OFFSET + 8) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  if (u32(IDX_OFFSET) !== CN_IDX_PROC || u32(VAL_OFFSET) !== CN_VAL_PROC) return undefined;
  const pid = u32(DATA_OFFSET);
  const isProcess = pid === u32(DATA_OFFSET + 4);
  switch (u32(WHAT_OFFSET)) {
    case WHAT_NONE:
      return { type: 'acknowledged', error: pid };
    case WHAT_FORK: {
      if (message.length < DATA_OFFSET + 16) return undefined;
      const child = u32(DATA_OFFSET + 8);
      return child === u32(DATA_OFFSET + 12) ? { type: 'fork', parent: u32(DATA_OFFSET + 4), child } : undefined;
    }
    case WHAT_EXEC:
      return isProcess ? { type: 'exec', pid } : undefined;
    case WHAT_COMM: {
      if (!isProcess || message.length < DATA_OFFSET + 8 + COMM_LENGTH) return undefined;
      const bytes = message.subarray(DATA_OFFSET + 8, DATA_OFFSET + 8 + COMM_LENGTH);
      const end = bytes.indexOf(0);
      return { type: 'comm', pid, comm: String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end))) };
    }
    case WHAT_EXIT:
      return isProcess ? { type: 'exit', pid } : undefined;
    default:
      return undefined;
  }
}

/**
 * A socket filter (classic BPF) that lets through what decodeProcEvent gives values for: the starts, ends and renamings
 * of processes, none of threads, and nothing else. The thread that reads is then not woken by the rest.
 */
export function processFilter(): Uint8Array {
  const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS: reads in network order
  const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
  const JUMP_EQUAL_X = 0x1d; // BPF_JMP | BPF_JEQ | BPF_X
  const TO_X = 0x07; // BPF_MISC | BPF_TAX
  const RETURN = 0x06; // BPF_RET | BPF_K
  const same = (first: number): [number, number, number, number][] => [
    [LOAD_WORD, 0, 0, first],
    [TO_X, 0, 0, 0],
    [LOAD_WORD, 0, 0, first + 4],
    [JUMP_EQUAL_X, 0, 1, 0],
    [RETURN, 0, 0, 0xffff],
    [RETURN, 0, 0, 0],
  ];
  const program: [code: number, jumpTrue: number, jumpFalse: number, k: number][] = [
    [LOAD_WORD, 0, 0, WHAT_OFFSET],
    [JUMP_EQUAL, 5, 0, swapped(WHAT_FORK)],
    [JUMP_EQUAL, 10, 0, swapped(WHAT_EXEC)],
    [JUMP_EQUAL, 9, 0, swapped(WHAT_EXIT)],
    [JUMP_EQUAL, 8, 0, swapped(WHAT_COMM)],
    [JUMP_EQUAL, 11, 0, WHAT_NONE],
    [RETURN, 0, 0, 0],
    ...same(DATA_OFFSET + 8),
    ...same(DATA_OFFSET),
  ];
  const out = new Uint8Array(8 * program.length);
  const view = new DataView(out.buffer);
  for (const [i, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    view.setUint16(8 * i, code, true);
    out[8 * i + 2] = jumpTrue;
    out[8 * i + 3] = jumpFalse;
    view.setUint32(8 * i + 4, k, true);
  }
  return out;
}

/** The number whose bytes in network order are those of `n` on this machine (little-endian). */
function swapped(n: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, n, true);
  return view.getUint32(0, false);
}
