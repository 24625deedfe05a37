// What the kernel does with a classic BPF program: decides whether a frame passes. Understands the instructions that
// core/net/bpf.ts uses, and throws for others, so that a new one is not taken for a refusal.

const INSTRUCTION = 8;
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const IF_EQUAL = 0x15;
const RETURN = 0x06;
/** SKF_AD_OFF + SKF_AD_PKTTYPE; frames here all come from elsewhere: PACKET_BROADCAST. */
const PACKET_TYPE = 0xffff_f004;
const BROADCAST = 1;

/** Whether a program lets a frame pass. A read beyond the frame refuses it, as in the kernel. */
export function passes(program: Uint8Array, frame: Uint8Array): boolean {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += INSTRUCTION) {
    const k = code.getUint32(at + 4, true);
    switch (code.getUint16(at, true)) {
      case LOAD_WORD:
        if (k === PACKET_TYPE) accumulator = BROADCAST;
        else if (k + 4 > frame.length) return false;
        else accumulator = data.getUint32(k);
        break;
      case LOAD_HALF:
        if (k + 2 > frame.length) return false;
        accumulator = data.getUint16(k);
        break;
      case LOAD_BYTE:
        if (k + 1 > frame.length) return false;
        accumulator = data.getUint8(k);
        break;
      case IF_EQUAL:
        at += INSTRUCTION * program[at + (accumulator === k ? 2 : 3)]!;
        break;
      case RETURN:
        return k > 0;
      default:
        throw new Error(`the simulated kernel does not know instruction ${code.getUint16(at, true)}`);
    }
  }
  return false;
}
