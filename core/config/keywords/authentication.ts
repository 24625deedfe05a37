// How adverts prove whom they come from: the passwords of VRRPv2 and the signatures of keepalived 2.4.
import type { Place } from '../diagnostics.ts';
import { choice, type Field, integer, text, wholeNumber } from '../fields.ts';
import type { Block, Rows } from './row.ts';

const authenticationRows = {
  auth_type: {
    value: choice(['PASS', 'AH']),
    help: 'PASS: a clear-text password in every advert; AH: a code in an authentication header',
  },
  auth_pass: { value: text('password'), help: 'the password; 8 bytes count' },
} as const satisfies Rows;

export const authentication: Block<typeof authenticationRows> = {
  name: 'authentication',
  help: 'VRRPv2 authentication; protects from mistakes, not from attackers',
  rows: authenticationRows,
};

export interface HmacKeyLine {
  readonly id: number;
  /** As written. */
  readonly secret: string;
  readonly place: Place;
}

/** `ID SECRET` */
const hmacKey: Field<readonly HmacKeyLine[]> = {
  kind: 'record',
  synopsis: '0..255 TEXT|hex:DIGITS|file:PATH',
  min: 0,
  max: 255,
  read(args) {
    const word = args.need('a number 0..255 and a secret');
    const id = word && wholeNumber(args, word, 0, 255, 'key');
    const secret = word && args.need('a secret');
    return id === undefined || secret === undefined ? undefined : [{ id, secret: secret.text, place: secret.place }];
  },
};

const hmacRows = {
  key: {
    value: hmacKey,
    repeat: 'join',
    help: 'a secret of 32..64 bytes and its number, the same on all machines',
    example: '1 file:/etc/keepalived/vrrp.key',
  },
  active_key: { value: integer(0, 255), help: 'which key signs; default: the first' },
  anti_replay: {
    value: choice(['time', 'monotonic']),
    default: 'time',
    help: 'what makes each advert different: the clock, or a counter; the same on all machines',
  },
  time_window: {
    value: integer(1, 300),
    default: '3 times advert_int, at least 5',
    help: 'seconds that the clocks of two machines may differ',
  },
  mode: {
    value: choice(['enforce', 'permissive', 'receive-only']),
    default: 'enforce',
    help: 'refuse unsigned adverts, take them, or check without signing',
  },
} as const satisfies Rows;

export const authHmac: Block<typeof hmacRows> = {
  name: 'auth_hmac',
  help: 'adverts signed with a shared secret',
  rows: hmacRows,
};
