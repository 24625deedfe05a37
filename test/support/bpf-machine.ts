// A classic BPF machine as the kernel has it, as far as our filters need it: so that a test can see which frames pass.
const PACKET_TYPE = 0xffff_f004;

/** How many bytes of a frame pass a program; 0: it is refused, as it is when the program reads beyond its end. */
export function runFilter(program: Uint8Array, frame: Uint8Array, packetType = 0): number {
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let accumulator = 0;
  for (let pc = 0; pc * 8 < program.length; pc++) {
    const k = code.getUint32(pc * 8 + 4, true);
    const sizes: Readonly<Record<number, number>> = { 32: 4, 40: 2, 48: 1 };
    const op = code.getUint16(pc * 8, true);
    const size = sizes[op];
    if (size !== undefined) {
      if (k === PACKET_TYPE) accumulator = packetType;
      else if (k + size > frame.length) return 0;
      else accumulator = size === 4 ? data.getUint32(k) : size === 2 ? data.getUint16(k) : data.getUint8(k);
    } else if (op === 0x15) pc += code.getUint8(pc * 8 + (accumulator === k ? 2 : 3));
    else if (op === 0x06) return k;
    else throw new Error(`no such instruction: ${op}`);
  }
  throw new Error('the program has no end');
}
