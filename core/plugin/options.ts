// The options of a plugin as plain data: what may stand in its block, and what its code is given. Plain, so that the
// same description serves the parser, the help, the man page and a plugin that runs in a thread of its own.
import type { IpAddress } from '../net/address.ts';
import type { Micros } from '../units.ts';

interface About {
  /** One line for people. */
  readonly help: string;
  /** Arguments to show people, where the kind does not say it all. */
  readonly example?: string;
}

/** An option that may stand in the block; a `default` fills it in, `required` forbids its absence. */
export type OptionSpec = About &
  (
    | {
        readonly kind: 'integer';
        readonly min: number;
        readonly max: number;
        readonly default?: number;
        readonly required?: true;
      }
    /** Written in seconds with decimals, limits and default too; handed over in microseconds. */
    | {
        readonly kind: 'seconds';
        readonly min: number;
        readonly max: number;
        readonly default?: number;
        readonly required?: true;
      }
    /** One word, or several in quotes. `secret`: never shown. */
    | {
        readonly kind: 'text';
        readonly default?: string;
        readonly required?: true;
        readonly secret?: true;
        readonly many?: true;
      }
    | {
        readonly kind: 'choice';
        readonly choices: readonly string[];
        readonly default?: string;
        readonly required?: true;
      }
    /** `on`, `off` or nothing, which is `on`. */
    | { readonly kind: 'flag'; readonly default?: boolean }
    /** An IPv4 or IPv6 address. */
    | { readonly kind: 'address'; readonly required?: true; readonly many?: true }
    /** A JavaScript regular expression without slashes; checked when the file is read. */
    | { readonly kind: 'pattern'; readonly required?: true; readonly many?: true }
    /** All words of the line, at least one. */
    | { readonly kind: 'words'; readonly required?: true }
    /** A block of further options. */
    | { readonly kind: 'block'; readonly options: OptionSpecs; readonly many?: true }
  );

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type One<S> = S extends { kind: 'integer' }
  ? number
  : S extends { kind: 'seconds' }
    ? Micros
    : S extends { kind: 'text' | 'pattern' }
      ? string
      : S extends { kind: 'choice'; choices: readonly (infer C)[] }
        ? C
        : S extends { kind: 'flag' }
          ? boolean
          : S extends { kind: 'address' }
            ? IpAddress
            : S extends { kind: 'words' }
              ? readonly string[]
              : S extends { kind: 'block'; options: infer O }
                ? OptionValues<O>
                : never;

/** Whether the option always has a value: by default, by duty, or because nothing is a value of its kind. */
type Always<S> = S extends { required: true } | { default: unknown } | { many: true } | { kind: 'flag' } ? true : false;

type Value<S> = S extends { many: true } ? readonly One<S>[] : One<S>;

/** What the code of a plugin is given: every option that has a value; a `many` without lines is empty, a flag is off. */
export type OptionValues<O> = {
  readonly [K in keyof O as Always<O[K]> extends true ? K : never]: Value<O[K]>;
} & {
  readonly [K in keyof O as Always<O[K]> extends true ? never : K]?: Value<O[K]>;
};

/** Options whose type is not known: plain data, as the configuration carries them. */
export type PlainOptions = Readonly<Record<string, unknown>>;

/** Tells that an option of a block cannot be; the message names the fix. `option` undefined: the block as a whole. */
export type Complain = (option: string | undefined, message: string, suggestion?: string) => void;
