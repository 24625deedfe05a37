// Reads the options of one line, word by word: values with their limits, each refusal at its place. The first refusal costs
// the whole line, since half a route leads traffic astray. Pure; knows no single option.
import { type Family, familyOf, type IpAddress, parseIp } from '../net/address.ts';
import type { Arguments } from './fields.ts';
import { interfaceOf } from './fields.ts';
import type { Word } from './lexer.ts';
import type { NumberNames } from './route-names.ts';
import { nearest } from './suggest.ts';

export interface Network {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** Thrown inside a line and caught at its end; the finding is in the report already. */
export class Refused extends Error {}

export class OptionWords {
  readonly args: Arguments;
  /** `route` or `rule`, for messages. */
  readonly #kind: string;
  /** The family that every address must have, once one is known. */
  family: Family | undefined;

  constructor(args: Arguments, kind: string) {
    this.args = args;
    this.#kind = kind;
  }

  refuse(code: 'W011' | 'W012', word: Word, message: string, limit?: string, suggestion?: string): never {
    this.args.refuse(code, word, message, { ...(limit !== undefined && { limit }), suggestion });
    throw new Refused();
  }

  /** The word after an option. */
  value(option: Word): Word {
    const word = this.args.take();
    if (word !== undefined) return word;
    return this.refuse('W012', option, `${option.text} needs a value`);
  }

  /** Takes the next word if it is one of these. */
  takes(...texts: readonly string[]): Word | undefined {
    const next = this.args.peek();
    return next !== undefined && texts.includes(next.text) ? this.args.take() : undefined;
  }

  unknown(word: Word, options: Iterable<string>): never {
    const near = nearest(word.text, options);
    return this.refuse(
      'W012',
      word,
      `'${word.text}' is no option of a ${this.#kind}`,
      undefined,
      near && `did you mean ${near}?`,
    );
  }

  /** A whole number, decimal or 0x. */
  number(option: Word, min: number, max: number): number {
    return this.numberOf(this.value(option), option.text, min, max);
  }

  numberOf(word: Word, name: string, min: number, max: number): number {
    const limit = `${min}..${max}`;
    if (!/^(\d+|0x[0-9a-f]+)$/i.test(word.text))
      return this.refuse('W012', word, `${name} '${word.text}' is not a whole number`, limit);
    const value = Number(word.text);
    if (value < min || value > max)
      return this.refuse('W011', word, `${name} ${word.text} is out of range ${limit}`, limit);
    return value;
  }

  /** A name of a table of names, or a number. */
  named(option: Word, names: NumberNames, min: number, max: number, file: string): number {
    return this.namedOf(this.value(option), option.text, names, min, max, file);
  }

  namedOf(word: Word, what: string, names: NumberNames, min: number, max: number, file: string): number {
    if (/^\d/.test(word.text)) return this.numberOf(word, what, min, max);
    const value = names.get(word.text);
    if (value !== undefined) return value;
    const near = nearest(word.text, names.keys());
    return this.refuse(
      'W012',
      word,
      `${what} '${word.text}' is not in ${file}`,
      `a name of ${file}, or ${min}..${max}`,
      near ? `did you mean ${near}?` : 'write its number',
    );
  }

  /** An address that settles the family of the line, or fits it. */
  address(option: Word, word = this.value(option)): IpAddress {
    const value = parseIp(word.text);
    if (value === undefined) return this.refuse('W012', word, `'${word.text}' is not an IP address`);
    this.settle(familyOf(value), word);
    return value;
  }

  /** `default`, `any` and `all` are everything; without a length it is a host. */
  network(word: Word): Network | undefined {
    if (['default', 'any', 'all'].includes(word.text)) return undefined;
    const [text, length] = word.text.split('/', 2);
    const address = parseIp(text!);
    if (address === undefined) return this.refuse('W012', word, `'${word.text}' is not an IP network`);
    this.settle(familyOf(address), word);
    const max = familyOf(address) === 4 ? 32 : 128;
    if (length === undefined) return { address, prefix: max };
    if (!/^\d{1,3}$/.test(length) || Number(length) > max)
      return this.refuse('W011', word, `prefix length '${length}' is out of range 0..${max}`, `0..${max}`);
    return { address, prefix: Number(length) };
  }

  /** Makes the line one of this family. */
  settle(family: Family, word: Word): void {
    if (this.family !== undefined && this.family !== family)
      this.refuse('W012', word, `${word.text} is IPv${family} in a ${this.#kind} of IPv${this.family}`);
    this.family = family;
  }

  device(option: Word): string {
    const name = interfaceOf(this.args, this.value(option));
    if (name === undefined) throw new Refused();
    return name;
  }

  /** TYPE OF SERVICE: the two lowest bits are not ours (RFC 3168), and the kernel refuses routes that name them. */
  tos(option: Word, names: NumberNames): number {
    const word = this.value(option);
    const value = this.namedOf(word, option.text, names, 0, 255, 'rt_dsfield');
    if ((value & 3) !== 0)
      return this.refuse(
        'W011',
        word,
        `${option.text} ${word.text} is not a multiple of 4`,
        '0..252 in steps of 4, decimal or 0x',
        /^\d\d?$/.test(word.text) && (Number(`0x${word.text}`) & 3) === 0
          ? `iproute2 takes this number as hexadecimal: write 0x${word.text}`
          : undefined,
      );
    return value;
  }

  /** `[SOURCE/]DESTINATION` as one number. */
  realms(option: Word, names: NumberNames): number {
    const word = this.value(option);
    const parts = word.text.split('/');
    if (parts.length > 2) return this.refuse('W012', word, `'${word.text}' is not a pair of realms`);
    const [from, to] = parts.length === 2 ? parts : ['0', parts[0]];
    const half = (text: string) => this.namedOf({ ...word, text }, option.text, names, 0, 0xffff, 'rt_realms');
    return half(from!) * 0x10000 + half(to!);
  }
}
