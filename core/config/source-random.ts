// The numbers of ${_RANDOM}: a sequence that its seed determines, so that a file means the same at every reload.
// Pure. Not for secrets.

/** Whole numbers from 0 up to below a limit. */
export type Draw = (limit: number) => number;

/** keepalived's range when a file names none. */
const DEFAULT_MAX = 32_767;

/** SplitMix32: short, well mixed, the same everywhere. */
export function randomFrom(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return (limit) => Math.floor(((next() * 0x20_0000 + (next() >>> 11)) / 2 ** 53) * limit);
}

/** A seed from a text (FNV-1a): another machine, another sequence. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const c of new TextEncoder().encode(text)) hash = Math.imul(hash ^ c, 0x01000193) >>> 0;
  return hash;
}

/** The number for the parameters of `${_RANDOM [MIN [MAX]]}`; undefined: they are not understood. */
export function randomNumber(parameters: string, draw: Draw): string | undefined {
  const match = /^(?:(\d{1,15})(?:\s+(\d{1,15}))?)?$/.exec(parameters);
  if (match === null) return undefined;
  const [a, b] = [Number(match[1] ?? 0), Number(match[2] ?? DEFAULT_MAX)];
  // Limits the wrong way round count as if they were swapped (keepalived 2.2.7, observed).
  const [min, max] = a <= b ? [a, b] : [b, a];
  return `${min + draw(max - min + 1)}`;
}
