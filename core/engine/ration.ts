// Lets something that may happen with every packet through only so often, and counts what it holds back.
import { after, type Instant, type Micros } from '../units.ts';

interface Portion {
  until: Instant;
  held: number;
}

export class Ration {
  readonly #pause: Micros;
  readonly #portions = new Map<string, Portion>();

  /** @param pause the shortest time between two of the same name */
  constructor(pause: Micros) {
    this.#pause = pause;
  }

  /** How many to tell of now, those held back included; 0: none yet. Names must be few: they are never forgotten. */
  note(name: string, now: Instant): number {
    const known = this.#portions.get(name);
    if (known !== undefined && now < known.until) {
      known.held++;
      return 0;
    }
    this.#portions.set(name, { until: after(now, this.#pause), held: 0 });
    return (known?.held ?? 0) + 1;
  }
}
