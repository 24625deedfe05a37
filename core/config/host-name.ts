// Which words can be the name of a machine or of a service. Pure.

const MAX_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** RFC 1123 §2.1, with the underscore that service names begin with; a last label of digits alone is no name. */
export function isHostName(word: string): boolean {
  const labels = word.replace(/\.$/, '').split('.');
  return word.length <= MAX_NAME && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
}

/** `_service._protocol.domain` (RFC 2782). */
export const isServiceName = (name: string): boolean => /^_[^.]+\._[^.]+\../.test(name);
