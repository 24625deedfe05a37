// Typed readers for the arguments of a keyword: each is a value that both reads and describes itself, so that the
// same row serves the parser, --help, the man page and the schema. Pure; what a refusal costs is the caller's business.
import { type Family, familyOf, type IpAddress, isMulticast, parseIp } from '../net/address.ts';
import { type Micros, micros } from '../units.ts';
import { splitQuoted } from './command.ts';
import type { Code, Details, Place, Report } from './diagnostics.ts';
import type { Word } from './lexer.ts';
import type { Command } from './model.ts';
import type { Statement } from './parser.ts';
import type { RouteNames } from './route-names.ts';
import { placeOf } from './source.ts';

/** What readers share while one file is read. */
export interface Reading {
  readonly report: Report;
  /** A known keyword that changes nothing: told once for the whole file. */
  notActedOn(statement: Statement): void;
  /** The same for a keyword that has no meaning here. */
  withoutMeaning(statement: Statement): void;
  /** The same for load balancing. */
  balancing(statement: Statement): void;
  /** Inside a block of load balancing: deprecated names are not worth a word. */
  readonly quiet?: true;
  /** The blocks in which a keyword would be known. */
  blocksWith(keyword: string): readonly string[];
  /** Names of routing tables and the like; absent: those that everybody knows. */
  readonly routeNames?: RouteNames;
}

/** One keyword with its arguments, while they are read. */
export class Arguments {
  readonly statement: Statement;
  readonly reading: Reading;
  /** What happens to a refused value: `using the default 100`, `ignored`. */
  readonly otherwise: string;
  readonly #lenient: boolean;
  #next: number;

  /**
   * @param first index of the first argument: 1 after a keyword, 0 for a line of a list
   * @param lenient a missing value is no error
   */
  constructor(statement: Statement, reading: Reading, otherwise: string, first = 1, lenient = false) {
    this.statement = statement;
    this.reading = reading;
    this.otherwise = otherwise;
    this.#next = first;
    this.#lenient = lenient;
  }

  get report(): Report {
    return this.reading.report;
  }

  get keyword(): string {
    return this.statement.words[0]!.text;
  }

  /** Place of the keyword. */
  get place(): Place {
    return this.statement.words[0]!.place;
  }

  /** The next word, taken. */
  take(): Word | undefined {
    return this.statement.words[this.#next++];
  }

  peek(): Word | undefined {
    return this.statement.words[this.#next];
  }

  /** The words not taken yet. */
  rest(): readonly Word[] {
    return this.statement.words.slice(this.#next);
  }

  /** The words not taken yet, taken. */
  takeAll(): readonly Word[] {
    const words = this.rest();
    this.#next = this.statement.words.length;
    return words;
  }

  /** Takes the next word; keepalived refuses to start when most values are missing, so that is an error. */
  need(what: string): Word | undefined {
    const word = this.take();
    if (word === undefined) {
      const { end } = this.statement.words.at(-1)!;
      const place = placeOf(this.statement.line, end, end);
      if (this.#lenient)
        this.report.add('W012', place, `${this.keyword} needs ${what}; ${this.otherwise}`, { limit: what });
      else this.report.add('E010', place, `${this.keyword} needs ${what}`, { limit: what });
    }
    return word;
  }

  /** Reports that a word was refused. */
  refuse(code: Code, word: Word, message: string, details: Details = {}): undefined {
    this.report.add(code, word.place, `${message}; ${this.otherwise}`, { value: word.text, ...details });
  }
}

/** How the value of a keyword is read and described. */
export interface Field<T> {
  /** What kind of value it is, for schema and completion. */
  readonly kind:
    | 'flag'
    | 'mark'
    | 'integer'
    | 'seconds'
    | 'milliseconds'
    | 'word'
    | 'choice'
    | 'address'
    | 'interface'
    | 'command'
    | 'text'
    | 'block'
    | 'list'
    | 'record'
    | 'none';
  /** The arguments as a synopsis: `1..255`, `on|off`, `ADDRESS[/PREFIX] …`. */
  readonly synopsis: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** It may be left out. */
  readonly optional?: true;
  /** The value, or undefined after it was refused and reported. */
  read(args: Arguments): T | undefined;
}

const DIGITS = /^[+-]?(\d+|0x[0-9a-f]+)$/i;

/** A whole number, both limits included. */
export function integer(min: number, max: number): Field<number> {
  const range = `${min}..${max}`;
  return {
    kind: 'integer',
    synopsis: range,
    min,
    max,
    read(args) {
      const word = args.need(`a number ${range}`);
      return word && wholeNumber(args, word, min, max);
    },
  };
}

/** The number that a word denotes, or undefined after it was reported. */
export function wholeNumber(
  args: Arguments,
  word: Word,
  min: number,
  max: number,
  name = args.keyword,
): number | undefined {
  const range = `${min}..${max}`;
  if (!DIGITS.test(word.text)) {
    const digits = /^\d+/.exec(word.text)?.[0];
    return args.refuse('W012', word, `${name} '${word.text}' is not a whole number`, {
      limit: range,
      suggestion: digits && `write ${digits}, with a space before anything that is meant as a comment`,
    });
  }
  const n = Number(word.text);
  if (n < min || n > max)
    return args.refuse('W011', word, `${name} ${word.text} is out of range ${range}`, { limit: range });
  return n;
}

/** A time in seconds with decimals, to the microsecond; limits in seconds. */
export const seconds = (min: number, max: number): Field<Micros> => duration('seconds', 1_000_000, min, max);

/** A time in milliseconds with decimals, to the microsecond; limits in milliseconds. */
export const milliseconds = (min: number, max: number): Field<Micros> => duration('milliseconds', 1000, min, max);

function duration(unit: 'seconds' | 'milliseconds', factor: number, min: number, max: number): Field<Micros> {
  const range = `${min}..${max}`;
  return {
    kind: unit,
    synopsis: `${unit.toUpperCase()} (${range})`,
    min,
    max,
    read(args) {
      const word = args.need(`a time in ${unit}, ${range}`);
      if (!word) return undefined;
      if (!/^(\d+\.?\d*|\.\d+)$/.test(word.text))
        return args.refuse('W012', word, `${args.keyword} '${word.text}' is not a time in ${unit}`, {
          limit: range,
          suggestion: !/^[\d.]+m?s$/.test(word.text)
            ? undefined
            : unit === 'seconds'
              ? 'write seconds without a unit; 0.1 is 100 ms'
              : 'write milliseconds without a unit',
        });
      const n = Number(word.text);
      if (n < min || n > max)
        return args.refuse('W011', word, `${args.keyword} ${word.text} is out of range ${range}`, { limit: range });
      return micros(Math.round(n * factor));
    },
  };
}

/** The field, or a value that holds when the keyword stands alone. */
export const optional = <T>(field: Field<T>, alone: T): Field<T> => ({
  ...field,
  synopsis: field.synopsis.startsWith('[') ? field.synopsis : `[${field.synopsis}]`,
  optional: true,
  read: (args) => (args.peek() === undefined ? alone : field.read(args)),
});

/** All words of the line, at least one unless `min` says otherwise. */
export const words = (synopsis: string, min = 1): Field<readonly string[]> => ({
  kind: 'record',
  synopsis,
  ...(min === 0 && { optional: true }),
  read(args) {
    if (min > 0 && args.need(synopsis) === undefined) return undefined;
    args.takeAll();
    return args.statement.words.slice(1).map((word) => word.text);
  },
});

const TRUE = ['on', 'true', 'yes'];
const FALSE = ['off', 'false', 'no'];

/** on/true/yes or off/false/no; without an argument: on. */
export const flag: Field<boolean> = {
  kind: 'flag',
  synopsis: '[on|off]',
  choices: [...TRUE, ...FALSE],
  read(args) {
    const word = args.take();
    if (word === undefined || TRUE.includes(word.text)) return true;
    if (FALSE.includes(word.text)) return false;
    const lower = word.text.toLowerCase();
    return args.refuse('W012', word, `${args.keyword} takes on or off, not '${word.text}'`, {
      limit: 'on|off',
      suggestion: TRUE.includes(lower) || FALSE.includes(lower) ? `write ${lower}, in lower case` : undefined,
    });
  },
};

/** A keyword that takes no argument: being there is all. */
export const mark: Field<true> = { kind: 'mark', synopsis: '', read: () => true };

/** Any one word, or several in double quotes. */
export const text = (what: string): Field<string> => ({
  kind: 'text',
  synopsis: what.toUpperCase(),
  read: (args) => args.need(`a ${what}`)?.text,
});

/** One of a few words. `others` maps words that people write to what they should write. */
export function choice<const T extends string>(
  choices: readonly T[],
  others: Readonly<Record<string, T>> = {},
): Field<T> {
  const list = choices.join('|');
  return {
    kind: 'choice',
    synopsis: list,
    choices,
    read(args) {
      const word = args.need(`one of ${list}`);
      if (!word) return undefined;
      const found = choices.find((c) => c === word.text);
      if (found !== undefined) return found;
      const near =
        others[word.text.toUpperCase()] ??
        choices.find((c) => c.toLowerCase() === word.text.toLowerCase().replace(/\W+$/, ''));
      return args.refuse('W012', word, `${args.keyword} '${word.text}' is not one of ${list}`, {
        limit: list,
        suggestion: near && `write ${near}`,
      });
    },
  };
}

/** An IP address, or a multicast group; host names are not looked up. */
export function address(family?: Family, group = false): Field<IpAddress> {
  const what = family === undefined ? 'an IP address' : `an IPv${family} address`;
  return {
    kind: 'address',
    synopsis: 'ADDRESS',
    read(args) {
      const word = args.need(what);
      const value = word && addressOf(args, word, family);
      if (word && value && group && !isMulticast(value))
        return args.refuse('W012', word, `${word.text} is not a multicast address`, {
          limit: '224.0.0.0/4 or ff00::/8',
        });
      return value;
    },
  };
}

/** The address that a word denotes, or undefined after it was reported. */
export function addressOf(args: Arguments, word: Word, family?: Family): IpAddress | undefined {
  const value = parseIp(word.text);
  if (value === undefined) {
    const bare = word.text.includes('/') ? parseIp(word.text.slice(0, word.text.indexOf('/'))) : undefined;
    return args.refuse('W012', word, `'${word.text}' is not an IP address`, {
      suggestion: bare ? `write ${bare}, without a prefix length` : undefined,
    });
  }
  if (family !== undefined && familyOf(value) !== family)
    return args.refuse('W012', word, `${word.text} is not an IPv${family} address`);
  return value;
}

/** An address with an optional prefix length; without one, or with one out of range, it is a host (32 or 128). */
export function addressWithPrefix(args: Arguments, word: Word): { address: IpAddress; prefix: number } | undefined {
  const slash = word.text.indexOf('/');
  const value = parseIp(slash === -1 ? word.text : word.text.slice(0, slash));
  if (value === undefined) return args.refuse('W012', word, `'${word.text}' is not an IP address`);
  const max = familyOf(value) === 4 ? 32 : 128;
  if (slash === -1) return { address: value, prefix: max };
  const length = word.text.slice(slash + 1);
  if (/^\d{1,3}$/.test(length) && Number(length) <= max) return { address: value, prefix: Number(length) };
  args.report.add('W011', word.place, `prefix length '${length}' is out of range 0..${max}; ${max} is used`, {
    value: length,
    limit: `0..${max}`,
  });
  return { address: value, prefix: max };
}

/** The name of a network interface: 1 to 15 bytes without white space, slash or colon (IFNAMSIZ). */
export const interfaceName: Field<string> = {
  kind: 'interface',
  synopsis: 'INTERFACE',
  read(args) {
    const word = args.need('an interface name');
    return word && interfaceOf(args, word);
  },
};

export function interfaceOf(args: Arguments, word: Word): string | undefined {
  if (new TextEncoder().encode(word.text).length > 15)
    return args.refuse('W011', word, `interface name '${word.text}' is longer than 15 bytes`, { limit: '15 bytes' });
  if (/[/\s]/.test(word.text)) return args.refuse('W012', word, `'${word.text}' cannot be an interface name`);
  return word.text;
}

/** USER [[:]GROUP] */
export function userOf(words: readonly string[]): { user: string; group?: string } | undefined {
  const [user, group] = words;
  return user === undefined ? undefined : { user, ...(group !== undefined && { group: group.replace(/^:/, '') }) };
}

/**
 * A program with its arguments: one word, or one quoted string that is split again. What follows it is
 * `USER [GROUP]` where `user` is true, as keepalived has it, and not a further argument.
 */
export function command(user: boolean): Field<Command> {
  return {
    kind: 'command',
    synopsis: user ? '"PROGRAM [ARGUMENT …]" [USER [GROUP]]' : '"PROGRAM [ARGUMENT …]"',
    read(args) {
      const first = args.peek();
      if (!first || first.text === '') {
        args.need('a program');
        return first && args.refuse('W012', first, `${args.keyword} names no program`);
      }
      const outer = splitQuoted(args.statement.line.text.slice(first.start, args.statement.words.at(-1)!.end));
      const argv = splitQuoted(outer[0]?.text ?? '').map((word) => word.text);
      while (args.take() !== undefined);
      if (argv.length === 0 || argv[0] === '') return args.refuse('W012', first, `${args.keyword} names no program`);
      const further = outer.slice(1).map((word) => word.text);
      if (further.length > (user ? 2 : 0)) {
        const at = placeOf(
          args.statement.line,
          first.start + outer[user ? 3 : 1]!.start,
          first.start + outer.at(-1)!.end,
        );
        args.report.add('W013', at, `words after the command of ${args.keyword} are ignored`, {
          value: further.join(' '),
          suggestion: 'put the command with all its arguments into one pair of quotes',
        });
      }
      const owner = user ? userOf(further) : undefined;
      return { argv, ...(owner && { user: owner }) };
    },
  };
}
