// Whether a signed advert counts: shape, time, key, code, replay, in this order, so that what is stale or has no key of
// ours costs no digest. Changes nothing but the marks, and these only for what was signed. Pure.
import type { HmacConfig } from '../config/model.ts';
import type { SignatureCheck } from './admission.ts';
import { isSigned, readTrailer, TRAILER_LENGTH } from './hmac-trailer.ts';
import type { Mac } from './mac.ts';
import { type ReplayMarks, secondsBetween, stampOf } from './stamp.ts';

/** @param arrival milliseconds since 1970 at which the packet came that is asked about */
export function signatureCheck(
  { mode, antiReplay, timeWindow }: HmacConfig,
  keys: ReadonlyMap<number, Mac>,
  marks: ReplayMarks,
  arrival: () => number,
): SignatureCheck {
  const timed = antiReplay === 'time';
  return (signed, source) => {
    if (signed === undefined) return mode === 'enforce' ? 'hmac-missing' : undefined;
    const trailer = readTrailer(signed.subarray(signed.length - TRAILER_LENGTH));
    if (trailer === undefined) return 'hmac-malformed';
    const clock = stampOf(arrival());
    if (timed && Math.abs(secondsBetween(trailer.stamp, clock)) > timeWindow) return 'hmac-stale';
    const mac = keys.get(trailer.key);
    if (mac === undefined) return 'hmac-unknown-key';
    if (!isSigned(signed, source, mac)) return 'hmac-bad';
    if (!marks.isNew(source, trailer.stamp, timed ? clock : undefined, timeWindow)) return 'hmac-replay';
    marks.note(source, trailer.stamp);
    return undefined;
  };
}
