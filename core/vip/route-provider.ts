// What the engine asks of a provider that sets routes and rules on this machine, within a deadline. Synchronous, as
// LocalProvider is. Failures are values, never exceptions.
import type { RoutingEntry } from './virtual-route.ts';

/** What became of one entry. `present`: it was there already, which is as good; `absent`: it was not there to remove. */
export type RouteOutcome =
  | { readonly entry: RoutingEntry; readonly outcome: 'set' | 'present' | 'removed' | 'absent' }
  | { readonly entry: RoutingEntry; readonly outcome: 'failed'; readonly why: string };

export interface RouteProvider {
  /** Sets all of them in one batch, in order. Idempotent. */
  set(entries: readonly RoutingEntry[]): readonly RouteOutcome[];
  /** Removes all of them in one batch; what somebody else set stays. Idempotent. */
  remove(entries: readonly RoutingEntry[]): readonly RouteOutcome[];
}
