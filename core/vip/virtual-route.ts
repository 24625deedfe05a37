// A route or rule as the configuration asks for it: what a provider is told to set. Pure data.
import type { Route, Rule } from '../net/route.ts';

interface Line {
  /** As the file says it, without our own words no_track and track_group. */
  readonly words: readonly string[];
  /** Whether it is put back when somebody else removes it, and its loss counts. */
  readonly track: boolean;
  /** Static ones only: the track_group that it belongs to. */
  readonly group?: string;
}

export interface VirtualRoute extends Line {
  readonly route: Route;
}

export interface VirtualRule extends Line {
  readonly rule: Rule;
}

export type RoutingEntry = VirtualRoute | VirtualRule;

/** The entry as people wrote it. */
export const textOf = (entry: RoutingEntry): string =>
  `${'route' in entry ? 'route' : 'rule'} ${entry.words.join(' ')}`;
