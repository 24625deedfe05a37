// Reads a file that holds a key, with its permissions: of the file that was opened, so that nobody changes it in between.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

type SecretFile = { readonly bytes: Uint8Array; readonly mode: number } | { readonly error: string };

/** A key has at most 64 bytes, in hexadecimal twice as many. */
const MAX_BYTES = 4_096;

/** The content of a small regular file, or the errno name. */
export function readSecretFile(path: string): SecretFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { error: 'it is not a regular file' };
    if (status.size > MAX_BYTES) return { error: `it has ${status.size} bytes` };
    const bytes = new Uint8Array(MAX_BYTES);
    return { bytes: bytes.subarray(0, readSync(descriptor, bytes)), mode: status.mode & 0o7777 };
  } catch (error) {
    return { error: (error as NodeJS.ErrnoException).code ?? 'unknown error' };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
