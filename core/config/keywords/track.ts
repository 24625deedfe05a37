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
export function weightOf(args: Arguments, word: Word): number | undefined {
  if (!/^[+-]?\d+$/.test(word.text) || Math.abs(Number(word.text)) <= MAX_WEIGHT)
    return wholeNumber(args, word, -MAX_WEIGHT, MAX_WEIGHT, 'weight');
  const used = Math.sign(Number(word.text)) * MAX_WEIGHT;
  const limit = `-${MAX_WEIGHT}..${MAX_WEIGHT}`;
  args.report.add('W011', word.place, `weight ${word.text} is out of range ${limit}; ${used} is used`, {
    value: word.text,
    limit,
  });
  return used;
}

/** `NAME [weight N [reverse|noreverse]]` */
export const trackLine: Field<TrackLine> = {
  kind: 'record',
  synopsis: `NAME [weight -${MAX_WEIGHT}..${MAX_WEIGHT} [reverse|noreverse]]`,
  read(args) {
    const name = args.take()!;
    const line = { name: name.text, place: name.place };
    if (args.peek()?.text !== 'weight') return line;
    args.take();
    const word = args.need('a number after weight');
    const weight = word && weightOf(args, word);
    const direction = args.peek()?.text;
    if (direction === 'reverse' || direction === 'noreverse') args.take();
    if (weight === undefined) return line;
    return {
      ...line,
      weight,
      ...((direction === 'reverse' || direction === 'noreverse') && { reverse: direction === 'reverse' }),
    };
  },
};
