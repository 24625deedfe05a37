// Received addresses as text, without making a new string for every packet: a bounded memory of those seen before.
// Pure.
import { formatIp, type IpAddress } from '../net/address.ts';

/** Whoever forges sources can at most make us format each one, never make us keep them all. */
const LIMIT = 1024;

interface Entry {
  readonly bytes: Uint8Array;
  readonly text: IpAddress;
}

/** Turns address bytes into canonical text; the same text object for the same address while it is remembered. */
export class AddressTexts {
  readonly #known = new Map<number, Entry>();

  text(bytes: Uint8Array, offset: number, length: 4 | 16): IpAddress {
    let hash: number = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[offset + i]!) | 0;
    const known = this.#known.get(hash);
    if (known !== undefined && known.bytes.length === length && isAt(known.bytes, bytes, offset)) return known.text;
    const entry = { bytes: bytes.slice(offset, offset + length), text: formatIp(bytes, offset, length) };
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(hash, entry);
    return entry.text;
  }
}

function isAt(wanted: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== bytes[offset + i]) return false;
  return true;
}
