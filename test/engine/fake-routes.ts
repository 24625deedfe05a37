// A kernel's table of routes and rules, for the engine's tests: what is set, what it refuses, and in what batches it was asked.
import { keyOf } from '../../core/engine/routing-keys.ts';
import type { RouteOutcome, RouteProvider } from '../../core/vip/route-provider.ts';
import { type RoutingEntry, textOf } from '../../core/vip/virtual-route.ts';

export class FakeRoutes implements RouteProvider {
  /** By meaning; the values are the words. */
  readonly table = new Map<string, string>();
  /** `+ words` and `- words`, one list for each batch. */
  readonly batches: string[][] = [];
  /** Why an entry is refused; undefined: it is not. */
  refuses: (entry: RoutingEntry) => string | undefined = () => undefined;

  set(entries: readonly RoutingEntry[]): readonly RouteOutcome[] {
    return this.#batch(entries, '+', (entry): RouteOutcome => {
      const why = this.refuses(entry);
      if (why !== undefined) return { entry, outcome: 'failed', why };
      const outcome = this.table.has(keyOf(entry)) ? 'present' : 'set';
      this.table.set(keyOf(entry), entry.words.join(' '));
      return { entry, outcome };
    });
  }

  remove(entries: readonly RoutingEntry[]): readonly RouteOutcome[] {
    return this.#batch(entries, '-', (entry) => ({
      entry,
      outcome: this.table.delete(keyOf(entry)) ? 'removed' : 'absent',
    }));
  }

  /** Somebody else removes an entry. */
  steal(words: string): void {
    for (const [key, value] of this.table) if (value === words) this.table.delete(key);
  }

  get words(): readonly string[] {
    return [...this.table.values()].toSorted();
  }

  #batch(
    entries: readonly RoutingEntry[],
    sign: string,
    act: (entry: RoutingEntry) => RouteOutcome,
  ): readonly RouteOutcome[] {
    if (entries.length > 0) this.batches.push(entries.map((entry) => `${sign} ${textOf(entry)}`));
    return entries.map(act);
  }
}
