// Message authentication codes as the protocol core sees them: functions that are handed in, and a comparison that
// gives nothing away. Knows no library of cryptography.

/** HMAC with one key: the code of a message. Callers may reuse the message afterwards. */
export type Mac = (message: Uint8Array) => Uint8Array;

/** Makes the function for a key (RFC 2104). */
export type MacMaker = (algorithm: 'md5' | 'sha256', key: Uint8Array) => Mac;

/** Compares in a time that does not depend on where they differ; `b` may be longer, only as many bytes as `a` count. */
export function startsEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = b.length < a.length ? 1 : 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}
