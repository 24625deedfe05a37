// One line of track_script or track_interface: a name, and the weight that holds here.
import type { Place } from '../diagnostics.ts';
import { type Arguments, type Field, wholeNumber } from '../fields.ts';
import type { Word } from '../lexer.ts';

export interface TrackLine {
  readonly name: string;
  /** undefined: the weight of the script itself; 0 for an interface. */
  readonly weight?: number;
  readonly reverse?: boolean;
  readonly place: Place;
}

/** Both ends included; one more would move 1 to 255, the priority of an owner. */
export const MAX_WEIGHT = 253;

/** A weight; beyond the limits the nearest one, which keeps its meaning. */
export function weightOf(args: Arguments, word: Word, max = MAX_WEIGHT): number | undefined {
  if (!/^[+-]?\d+$/.test(word.text) || Math.abs(Number(word.text)) <= max)
    return wholeNumber(args, word, -max, max, 'weight');
  const used = Math.sign(Number(word.text)) * max;
  const limit = `-${max}..${max}`;
  args.report.add('W011', word.place, `weight ${word.text} is out of range ${limit}; ${used} is used`, {
    value: word.text,
    limit,
  });
  return used;
}

export interface Weight {
  readonly weight: number;
  readonly reverse: boolean;
}

/** `N [reverse]` with N from -max to max. */
export const weightField = (max: number): Field<Weight> => ({
  kind: 'record',
  synopsis: `-${max}..${max} [reverse]`,
  min: -max,
  max,
  read(args) {
    const word = args.need(`a number -${max}..${max}`);
    const value = word && weightOf(args, word, max);
    const reverse = args.peek()?.text === 'reverse';
    if (reverse) args.take();
    return value === undefined ? undefined : { weight: value, reverse };
  },
});

/** `NAME [weight N [reverse|noreverse]]` with N from -max to max. */
const lineWith = (max: number): Field<TrackLine> => ({
  kind: 'record',
  synopsis: `NAME [weight -${max}..${max} [reverse|noreverse]]`,
  read(args) {
    const name = args.take()!;
    const line = { name: name.text, place: name.place };
    if (args.peek()?.text !== 'weight') return line;
    args.take();
    const word = args.need('a number after weight');
    const weight = word && weightOf(args, word, max);
    const direction = args.peek()?.text;
    if (direction === 'reverse' || direction === 'noreverse') args.take();
    if (weight === undefined) return line;
    return {
      ...line,
      weight,
      ...((direction === 'reverse' || direction === 'noreverse') && { reverse: direction === 'reverse' }),
    };
  },
});

/** A script, an interface or a BFD session. */
export const trackLine = lineWith(MAX_WEIGHT);
/** A process. */
export const processLine = lineWith(254);
/** A file: its number is multiplied. */
export const fileLine = lineWith(2_147_483_647);
