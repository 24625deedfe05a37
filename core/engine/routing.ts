// The routes and rules that this machine's routers hold, and those of the static part of the file: set and removed in
// batches, put back when they vanish. Decides nothing about mastership; tells what it cannot keep.
import { after, type Instant, type Micros, seconds } from '../units.ts';
import type { RouteOutcome, RouteProvider } from '../vip/route-provider.ts';
import { type RoutingEntry, textOf } from '../vip/virtual-route.ts';
import type { Complain } from './holdings.ts';
import { conflictsWith, keyOf, noticeKeyOf } from './routing-keys.ts';

/** On whose behalf something is set: a router, or the static part of the file. */
export interface RouteOwner {
  readonly name: string;
  /** Whether a router is meant to hold anything; undefined: not a router, it always does. */
  readonly holds?: boolean;
}

interface Held {
  entries: readonly RoutingEntry[];
  /** What the kernel refuses at present, and why. */
  readonly failed: Map<RoutingEntry, string>;
  /** Nothing of it was set yet. */
  fresh: boolean;
}

/** An entry that was there and cannot be put back. */
export type Lost = (owner: RouteOwner, entry: RoutingEntry, why: string) => void;

const FIRST_RETRY = seconds(1);
const LONGEST_RETRY = seconds(30);

export class Routing {
  readonly #provider: RouteProvider | undefined;
  readonly #complain: Complain;
  readonly #lost: Lost;
  readonly #held = new Map<RouteOwner, Held>();
  /** Of the entries that are watched, by what a notice says of them. */
  #watched: ReadonlySet<string> | undefined;
  #pause: Micros = FIRST_RETRY;
  #retry: Instant | undefined;
  /** Nothing was set since `schedule` looked at what was refused. */
  #scheduled = true;

  /** @param provider undefined: this machine sets no routes */
  constructor(provider: RouteProvider | undefined, complain: Complain, lost: Lost) {
    this.#provider = provider;
    this.#complain = complain;
    this.#lost = lost;
  }

  /** When refused entries are tried again. */
  get deadline(): Instant | undefined {
    return this.#retry;
  }

  /** Whether a notice with this key is about something that is watched. */
  watches(key: string): boolean {
    return this.#watchedKeys.has(key);
  }

  get watching(): boolean {
    return this.#watchedKeys.size > 0;
  }

  /** Asked in every turn of the engine: made anew only after a change. */
  get #watchedKeys(): ReadonlySet<string> {
    this.#watched ??= new Set(
      [...this.#held.values()].flatMap(({ entries }) => entries.filter(({ track }) => track).map(noticeKeyOf)),
    );
    return this.#watched;
  }

  /** What an owner has in the kernel; undefined: it holds nothing. */
  heldBy(owner: RouteOwner): readonly RoutingEntry[] {
    const held = this.#held.get(owner);
    return held?.entries.filter((entry) => !held.failed.has(entry)) ?? [];
  }

  /** Why an owner's entries are not in the kernel. */
  failuresOf(owner: RouteOwner): ReadonlyMap<RoutingEntry, string> {
    return this.#held.get(owner)?.failed ?? new Map();
  }

  /** Removes what a crashed run may have left of these. What somebody holds now stays. */
  clear(entries: readonly RoutingEntry[]): void {
    const free = this.#unshared(entries);
    if (free.length === 0 || this.#provider === undefined) return;
    const left = this.#provider.remove(free).filter(({ outcome }) => outcome === 'removed');
    if (left.length > 0)
      this.#complain('warning', `removed ${left.length} routes and rules that were there before: ${listed(left)}`);
  }

  /** Sets the entries of all these owners in one batch. */
  install(owners: readonly { readonly owner: RouteOwner; readonly entries: readonly RoutingEntry[] }[]): void {
    const wanted = owners.filter(({ entries }) => entries.length > 0);
    if (wanted.length === 0) return;
    for (const { owner, entries } of wanted) this.#held.set(owner, { entries, failed: new Map(), fresh: true });
    this.#watched = undefined;
    this.#set(wanted.map(({ owner }) => owner));
  }

  /** Removes what these owners hold, in one batch; what another one holds, too, stays. */
  withdraw(owners: readonly RouteOwner[]): void {
    const entries: RoutingEntry[] = [];
    for (const owner of owners) {
      // What the kernel refused, it does not have.
      entries.push(...this.heldBy(owner));
      this.#held.delete(owner);
    }
    if (entries.length === 0) return;
    this.#watched = undefined;
    this.#remove(this.#unshared(entries));
  }

  /**
   * An owner's list changed: what is new comes before the old goes, unless the two would be mistaken for one another.
   * Whatever is in both lists is left alone.
   */
  adjust(owner: RouteOwner, entries: readonly RoutingEntry[]): void {
    const held = this.#held.get(owner);
    const before = held?.entries ?? [];
    if (before.length === 0 && entries.length === 0) return;
    const now = new Set(entries.map(keyOf));
    const old = new Set(before.map(keyOf));
    const dropped = before.filter((entry) => !now.has(keyOf(entry)));
    const added = entries.filter((entry) => !old.has(keyOf(entry)));
    if (entries.length === 0) this.#held.delete(owner);
    else this.#held.set(owner, { entries, failed: new Map(), fresh: false });
    this.#watched = undefined;
    const conflicting = dropped.filter((entry) => added.some((other) => conflictsWith(entry, other)));
    this.#remove(this.#unshared(conflicting));
    if (added.length > 0) this.#report(owner, this.#provider?.set(added) ?? []);
    this.#remove(this.#unshared(dropped.filter((entry) => !conflicting.includes(entry))));
    // The kernel removes the first one that fits; should that have been another of ours, it comes back.
    if (dropped.length > 0 && entries.length > 0) this.#set([owner]);
  }

  forget(owner: RouteOwner): void {
    this.#held.delete(owner);
    this.#watched = undefined;
  }

  /** Removes everything that routers hold. */
  abandon(): void {
    this.withdraw([...this.#held.keys()].filter(({ holds }) => holds !== undefined));
  }

  /** Whether the kernel would take an entry that nobody holds now. */
  isPossible(entry: RoutingEntry): boolean {
    const [outcome] = this.#provider?.set([entry]) ?? [];
    if (outcome?.outcome === 'set') this.#remove(this.#unshared([entry]));
    return outcome?.outcome !== 'failed';
  }

  /**
   * Sets everything that is watched once more, which changes nothing where it is there: after a notice, after a change of
   * interfaces or addresses (the kernel drops IPv4 routes silently then), or to try again what was refused.
   */
  reassert(now: Instant): void {
    this.#retry = undefined;
    this.#scheduled = false;
    this.#set(
      [...this.#held.keys()].filter(({ holds }) => holds !== false),
      (owner, entry, why) => {
        this.#complain('error', `${owner.name}: ${why}`);
        this.#lost(owner, entry, why);
      },
    );
    this.schedule(now);
  }

  /** Plans the next attempt, if something that is watched is refused. */
  schedule(now: Instant): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const refused = [...this.#held.values()].some(({ failed }) => [...failed.keys()].some(({ track }) => track));
    if (!refused) this.#pause = FIRST_RETRY;
    if (!refused || this.#retry !== undefined) return;
    this.#retry = after(now, this.#pause);
    this.#pause = Math.min(LONGEST_RETRY, this.#pause * 2) as Micros;
  }

  /** One batch for all owners. What an owner had and cannot get back is `lost`. */
  #set(
    owners: readonly RouteOwner[],
    lost: Lost = (owner, _, why) => this.#complain('error', `${owner.name}: ${why}`),
  ): void {
    const plan = owners.flatMap((owner) => {
      const held = this.#held.get(owner)!;
      return held.entries.filter(({ track }) => track || held.fresh).map((entry) => ({ owner, held, entry }));
    });
    if (plan.length === 0) return;
    this.#scheduled = false;
    const back: RouteOutcome[] = [];
    for (const [i, outcome] of (this.#provider?.set(plan.map(({ entry }) => entry)) ?? []).entries()) {
      const { owner, held, entry } = plan[i]!;
      const refused = held.failed.has(entry);
      if (outcome.outcome === 'failed') {
        held.failed.set(entry, outcome.why);
        if (held.fresh) this.#complain('error', `${owner.name}: ${outcome.why}`);
        else if (!refused) lost(owner, entry, outcome.why);
      } else {
        held.failed.delete(entry);
        if (outcome.outcome === 'set' && !held.fresh) back.push(outcome);
      }
    }
    for (const { held } of plan) held.fresh = false;
    if (back.length > 0) this.#complain('warning', `put back ${listed(back)}: it was gone while it should be there`);
  }

  #remove(entries: readonly RoutingEntry[]): void {
    if (entries.length === 0) return;
    for (const outcome of this.#provider?.remove(entries) ?? [])
      if (outcome.outcome === 'failed') this.#complain('error', outcome.why);
  }

  #report(owner: RouteOwner, outcomes: readonly RouteOutcome[]): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#scheduled = false;
    for (const outcome of outcomes)
      if (outcome.outcome === 'failed') {
        held.failed.set(outcome.entry, outcome.why);
        this.#complain('error', `${owner.name}: ${outcome.why}`);
      }
  }

  /** Those that nobody holds. */
  #unshared(entries: readonly RoutingEntry[]): readonly RoutingEntry[] {
    if (entries.length === 0 || this.#held.size === 0) return entries;
    const taken = new Set([...this.#held.values()].flatMap((held) => held.entries.map(keyOf)));
    return entries.filter((entry) => !taken.has(keyOf(entry)));
  }
}

function listed(outcomes: readonly RouteOutcome[]): string {
  const shown = outcomes.slice(0, 5).map(({ entry }) => textOf(entry));
  return outcomes.length > shown.length
    ? `${shown.join(', ')} and ${outcomes.length - shown.length} more`
    : shown.join(', ');
}
