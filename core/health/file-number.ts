// The number that a tracked file says, read as strtol(3) with base 0 reads it, which is how keepalived does. Pure.

/** A C int: beyond it the nearest one. */
const MOST = 2_147_483_647;

export type FileNumber =
  | {
      readonly type: 'number';
      readonly value: number /** Whether text follows that is none of the number. */;
      readonly rest: boolean;
    }
  /** Nothing but white space. */
  | { readonly type: 'empty' }
  | { readonly type: 'garbage' };

/** Decimal, 0x hexadecimal or 0 octal, with a sign; what follows the digits is not read. */
export function fileNumber(text: string): FileNumber {
  if (text.trim() === '') return { type: 'empty' };
  const found = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(text);
  if (found === null) return { type: 'garbage' };
  const [all, sign, digits = ''] = found;
  const octal = /^0[0-7]/.test(digits);
  const size = Math.min(MOST, octal ? Number.parseInt(digits, 8) : Number(digits));
  return {
    type: 'number',
    value: sign === '-' && size !== 0 ? -size : size,
    rest: text.slice(all.length).trim() !== '',
  };
}
