// What tracked things say about one virtual router: the sum of their weights, and the reasons to be in FAULT.
// Pure; the same table serves scripts, interfaces, files, processes and every later kind of tracker.

/** One line of a track block: the weight and direction that apply to this virtual router. */
export interface TrackRule {
  readonly name: string;
  /** 0: failing is a fault instead of a number. Else -253..253, or any factor for what has a `value`. */
  readonly weight: number;
  /** Turns the effect round: with weight 0 passing is the fault, otherwise the sign of the effect changes. */
  readonly reverse: boolean;
}

/** What is known about a tracked thing. Disabled ones (unsafe, not found) contribute nothing at all. */
export interface TrackedState {
  /** undefined: there is no result yet. */
  readonly up: boolean | undefined;
  readonly disabled: boolean;
  /** A number that the weight multiplies, instead of counting once; `up` then says whether it is 0. */
  readonly value?: number;
  /** A person's words for the latest change: `exit code 1: nginx is not running`. Constant between changes. */
  readonly detail: string;
}

export interface Verdict {
  /** Added to the base priority by the receiver, who also clamps. Unbounded: many weights may add up. */
  readonly adjustment: number;
  /** In the order of the tracks; empty: none. */
  readonly faults: readonly string[];
}

export const NO_OBJECTION: Verdict = { adjustment: 0, faults: [] };

/** As far as one track can move a priority; a product further below is a fault (keepalived's limits). */
export const FURTHEST = 253;

/**
 * Judges one virtual router. A name without a state counts as disabled.
 * @param noun what the tracked things are called in fault texts
 */
export function judge(
  tracks: readonly TrackRule[],
  stateOf: (name: string) => TrackedState | undefined,
  noun = 'script',
): Verdict {
  let adjustment = 0;
  const faults: string[] = [];
  for (const track of tracks) {
    const state = stateOf(track.name);
    if (state === undefined || state.disabled) continue;
    const effect = contribution(track, state.up, state.value);
    if (effect < -FURTHEST) faults.push(`${noun} ${track.name} counts ${effect}, which is a fault: ${state.detail}`);
    else if (track.weight !== 0) adjustment += effect;
    else if (state.up === undefined) faults.push(`${noun} ${track.name} is waiting for its first result`);
    else if (state.up === track.reverse) faults.push(faultText(noun, track, state));
  }
  return { adjustment, faults };
}

/**
 * What one track adds to the priority (keepalived's table): +w when up, -w when down, by the sign of the weight; with a
 * value, weight times value, at most 253, and less than -253 for a fault. Zero for weight 0 and while nothing is known.
 */
export function contribution(track: TrackRule, up: boolean | undefined, value?: number): number {
  if (track.weight === 0 || up === undefined) return 0;
  const weight = track.reverse ? -track.weight : track.weight;
  // `|| 0`: no minus zero for people to see.
  if (value !== undefined) return Math.max(-FURTHEST - 1, Math.min(FURTHEST, weight * value)) || 0;
  return up === track.weight > 0 ? weight : 0;
}

export function sameVerdict(a: Verdict, b: Verdict): boolean {
  return (
    a.adjustment === b.adjustment &&
    a.faults.length === b.faults.length &&
    a.faults.every((fault, i) => fault === b.faults[i])
  );
}

function faultText(noun: string, track: TrackRule, state: TrackedState): string {
  const what = track.reverse ? 'succeeded, which is a fault here (reverse)' : 'failed';
  return state.detail === '' ? `${noun} ${track.name} ${what}` : `${noun} ${track.name} ${what}: ${state.detail}`;
}
