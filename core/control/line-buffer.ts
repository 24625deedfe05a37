// Cuts a byte stream into lines with a limit. Pure; keeps at most one incomplete line.

export class LineBuffer {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** @param limit bytes of a line without its line feed */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that are complete with this chunk, without their line feeds; 'too-long' when one exceeds the limit. */
  add(chunk: Uint8Array): Uint8Array[] | 'too-long' {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#append(chunk.subarray(start, end));
      if (this.#length > this.#limit) return 'too-long';
      lines.push(this.#take());
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
    return this.#length > this.#limit ? 'too-long' : lines;
  }

  /** True when bytes without a line feed wait for the rest. */
  get incomplete(): boolean {
    return this.#length > 0;
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  #take(): Uint8Array {
    const line = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      line.set(chunk, offset);
      offset += chunk.length;
    }
    this.#chunks = [];
    this.#length = 0;
    return line;
  }
}
