// What names mean: each is asked for again when its answer grows old, or, without an answer, soon and then less often.
// A service stands for the hosts behind it, which are names like others. Knows nothing of virtual routers.
import { isServiceName } from '../config/host-name.ts';
import type { Family, IpAddress } from '../net/address.ts';
import type { NameAnswer, Names } from '../ports/names.ts';
import type { Timing } from '../ports/process.ts';
import { after, type Micros, micros, seconds } from '../units.ts';
import type { Logger } from './log.ts';

const SHORTEST = seconds(1);
/** A peer that moved must be found, however long somebody promised that it would not. */
const LONGEST = seconds(300);
/** Where the resolver does not say how long an answer holds. */
const USUAL = seconds(30);
/** Between questions that nobody answers: doubled from the first on. */
const FIRST_RETRY = seconds(1);
const LAST_RETRY = seconds(30);
/** Values of one answer that count. */
const MAX_VALUES = 64;

export interface NameTableOptions {
  readonly names: Names;
  readonly timing: Timing;
  readonly logger: Pick<Logger, 'log'>;
  /** 0 .. 1, evenly: agents that start together must not ask together for ever. */
  readonly random: () => number;
  readonly onChange: () => void;
}

export interface NameEntry {
  /** Milliseconds since 1970; undefined: never. */
  readonly answered: number | undefined;
  /** Why the latest question had no answer; empty: it had, or there was none yet. */
  readonly problem: string;
  /** Sorted, so that a resolver that turns them round changes nothing. */
  addresses(): readonly IpAddress[];
}

export interface WantedName {
  readonly name: string;
  readonly family: Family;
}

export class NameTable {
  readonly #options: NameTableOptions;
  readonly #entries = new Map<string, Entry>();
  #wanted: readonly WantedName[] = [];

  constructor(options: NameTableOptions) {
    this.#options = options;
  }

  /** Asks for exactly these from now on, and for the hosts behind services. What is known stays known. */
  keep(wanted: readonly WantedName[]): void {
    this.#wanted = wanted;
    this.#settle();
  }

  /** Of a wanted name. */
  get(name: string, family: Family): NameEntry {
    const entry = this.#entries.get(keyOf(name, family))!;
    const hosts = this.#hostsOf(entry);
    return {
      answered: hosts.every((host) => host.isAsked) ? entry.answered : undefined,
      problem: entry.problem || (hosts.every(({ problem }) => problem !== '') ? (hosts[0]?.problem ?? '') : ''),
      addresses: () => [...new Set(this.#hostsOf(entry).flatMap((host) => host.addresses))].sort(),
    };
  }

  #hostsOf(entry: Entry): readonly Entry[] {
    if (!entry.isService) return [entry];
    const known = (names: readonly string[]) =>
      names.flatMap((name) => this.#entries.get(keyOf(name, entry.family)) ?? []);
    const hosts = known(entry.targets);
    return entry.former.length === 0 ? hosts : [...hosts, ...known(entry.former)];
  }

  #settle(): void {
    const needed = new Map<string, WantedName>();
    const need = (wanted: WantedName): void => {
      needed.set(keyOf(wanted.name, wanted.family), wanted);
    };
    for (const wanted of this.#wanted) {
      need(wanted);
      const known = this.#entries.get(keyOf(wanted.name, wanted.family));
      if (known === undefined) continue;
      const hosts = known.targets.map((name) => this.#entries.get(keyOf(name, wanted.family)));
      if (hosts.every((host) => host?.isAsked) && hosts.some((host) => host?.answered !== undefined)) known.former = [];
      for (const name of [...known.targets, ...known.former]) need({ name, family: wanted.family });
    }
    for (const [key, entry] of this.#entries)
      if (!needed.has(key)) {
        entry.close();
        this.#entries.delete(key);
      }
    for (const [key, { name, family }] of needed)
      if (!this.#entries.has(key)) this.#entries.set(key, new Entry(name, family, this.#options, () => this.#told()));
  }

  #told(): void {
    this.#settle();
    this.#options.onChange();
  }
}

const keyOf = (name: string, family: Family): string => `${family} ${name.toLowerCase()}`;

class Entry {
  readonly name: string;
  readonly family: Family;
  readonly isService: boolean;
  addresses: readonly IpAddress[] = [];
  /** Hosts behind a service. */
  targets: readonly string[] = [];
  /** Those of the answer before; they count until one of the new ones is known. */
  former: readonly string[] = [];
  answered: number | undefined;
  problem = '';
  readonly #options: NameTableOptions;
  readonly #onTold: () => void;
  #failures = 0;
  #cancel: () => void;
  #closed = false;

  constructor(name: string, family: Family, options: NameTableOptions, onTold: () => void) {
    this.name = name;
    this.family = family;
    this.isService = isServiceName(name);
    this.#options = options;
    this.#onTold = onTold;
    this.#cancel = options.timing.setTimer(options.timing.now(), () => void this.#ask());
  }

  /** There was an answer, or it became clear that there is none. */
  get isAsked(): boolean {
    return this.answered !== undefined || this.problem !== '';
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #ask(): Promise<void> {
    const { names, timing, random } = this.#options;
    const answer = this.isService ? await names.targets(this.name) : await names.addresses(this.name, this.family);
    if (this.#closed) return;
    const wait = this.#take(answer);
    const jitter = micros(wait * 0.1 * random());
    this.#cancel = timing.setTimer(after(after(timing.now(), wait), jitter), () => void this.#ask());
    this.#onTold();
  }

  /** Returns how long the answer holds. */
  #take(answer: NameAnswer<IpAddress> | NameAnswer<string>): Micros {
    const { timing, logger } = this.#options;
    if (!answer.ok) {
      const kept = this.answered === undefined ? 'there is no earlier answer' : 'the last answer stays';
      if (this.problem === '') logger.log('warning', 'name', { name: this.name, why: answer.why, effect: kept });
      this.problem = answer.why;
      return micros(Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(this.#failures++, 10)));
    }
    if (this.problem !== '') logger.log('info', 'name', { name: this.name, effect: 'answered again' });
    this.problem = '';
    this.#failures = 0;
    this.answered = timing.wallTime();
    const values = [...answer.values].sort().slice(0, MAX_VALUES);
    if (this.isService && values.join() !== this.targets.join()) {
      this.former = [...new Set([...this.targets, ...this.former])].slice(0, MAX_VALUES);
      this.targets = values;
    } else if (!this.isService) this.addresses = values as readonly IpAddress[];
    return micros(Math.max(SHORTEST, Math.min(LONGEST, answer.ttl ?? USUAL)));
  }
}
