// The secrets of auth_hmac: from what is written to the bytes of a key. Pure; a file is read by whoever may.

/** What became of a file that holds a key. */
export type SecretFile =
  | {
      readonly bytes: Uint8Array;
      /** Permission bits; others than the owner's are worth a warning. */
      readonly mode: number;
    }
  /** The errno name, such as ENOENT. */
  | { readonly error: string };

/** Reads a file with a key. */
export type SecretReader = (path: string) => SecretFile;

/** The path in `file:PATH`; undefined: the secret is in the configuration itself. */
export const secretFileOf = (secret: string): string | undefined =>
  secret.startsWith('file:') ? secret.slice('file:'.length) : undefined;

/** The bytes of `hex:DIGITS` or of a text; undefined: not whole pairs of hexadecimal digits. */
export function secretBytes(secret: string): Uint8Array | undefined {
  if (!secret.startsWith('hex:')) return new TextEncoder().encode(secret);
  const digits = secret.slice('hex:'.length);
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** What a file with a key means, as `hex:…`: its bytes without the line break at the end, or the digits after `hex:`. */
export function secretOfFile(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 10 || bytes[end - 1] === 13)) end--;
  const content = bytes.subarray(0, end);
  const text = new TextDecoder('latin1').decode(content);
  return text.startsWith('hex:') ? text : `hex:${Array.from(content, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}
