// HMAC for the protocol core, by the library that Node is built with. One-shot hashes only: they leave no native object
// behind that would wait for a collection in a thread that never returns to its event loop.
import { hash } from 'node:crypto';
import type { Mac, MacMaker } from '../vrrp/mac.ts';

/** Bytes that MD5 and SHA-256 take at a time (RFC 2104 §2). */
const BLOCK = 64;

export const macOf: MacMaker = (algorithm, key): Mac => {
  const short = key.length > BLOCK ? hash(algorithm, key, 'buffer') : key;
  const pad = (fill: number) => Uint8Array.from({ length: BLOCK }, (_, i) => (short[i] ?? 0) ^ fill);
  const opad = pad(0x5c);
  const ipad = pad(0x36);
  let inner = new Uint8Array(2 * BLOCK);
  inner.set(ipad);
  return (message) => {
    const length = BLOCK + message.length;
    if (inner.length < length) {
      inner = new Uint8Array(length);
      inner.set(ipad);
    }
    inner.set(message, BLOCK);
    const first = hash(algorithm, inner.subarray(0, length), 'buffer');
    const outer = new Uint8Array(BLOCK + first.length);
    outer.set(opad);
    outer.set(first, BLOCK);
    return hash(algorithm, outer, 'buffer');
  };
};
