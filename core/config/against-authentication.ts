// Whether two halves accept each other's adverts: passwords, keys and checksums. Compares secrets, tells none. Pure.
import type { HmacConfig, InstanceConfig } from './model.ts';

/** Why the adverts of `mine` and `theirs` are refused by the other, as the end of `NAME … PEER`; undefined: they are not. */
export function authenticationDiffers(mine: InstanceConfig, theirs: InstanceConfig): string | undefined {
  const [a, b] = [kindOf(mine), kindOf(theirs)];
  if (a !== b) return `has ${a}, unlike the ${b} of`;
  if (mine.hmac && theirs.hmac) return hmacDiffers(mine.hmac, theirs.hmac);
  return JSON.stringify(mine.authentication) === JSON.stringify(theirs.authentication)
    ? undefined
    : 'has another password than';
}

function kindOf({ hmac, authentication }: InstanceConfig): string {
  if (hmac) return 'auth_hmac';
  return authentication.type === 'none' ? 'no authentication' : `auth_type ${authentication.type}`;
}

/** Each must know the key that the other signs with; what is in key files cannot be seen from here. */
function hmacDiffers(mine: HmacConfig, theirs: HmacConfig): string | undefined {
  for (const [signer, reader, who] of [
    [mine, theirs, 'signs with a key that'],
    [theirs, mine, 'lacks the key that'],
  ] as const) {
    const id = signer.activeKey ?? signer.keys[0]?.id;
    const known = reader.keys.find((key) => key.id === id);
    const secret = signer.keys.find((key) => key.id === id)?.secret;
    const hidden = [known?.secret, secret].some((text) => text?.startsWith('file:'));
    if (known === undefined || (!hidden && known.secret !== secret))
      return `${who} ${who.startsWith('signs') ? 'is not known to' : 'signs the adverts of'}`;
  }
  if (mine.antiReplay !== theirs.antiReplay) return `counts time by ${mine.antiReplay}, not by ${theirs.antiReplay} as`;
  return undefined;
}
