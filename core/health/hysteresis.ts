// Rise and fall: how many results in a row turn a check from failed to passing and back, counted as keepalived does.
// Pure: a state and a result give the next state. Knows nothing of processes, time or weights.

export interface HysteresisRule {
  /** Successes in a row that make a failed check pass; at least 1. */
  readonly rise: number;
  /** Failures in a row that make a passing check fail; at least 1. */
  readonly fall: number;
  /** Begin as failed and demand `rise` successes, instead of letting the first result decide alone. */
  readonly initFail: boolean;
}

/** A check passes while `counter` is at least `rise`. Plain data, immutable. */
export interface HysteresisState {
  /** 0 .. rise + fall - 1, keepalived's `result`. */
  readonly counter: number;
  /** False until something is known: before the first result of a check without init_fail. */
  readonly decided: boolean;
}

/** The state before the first result: one success or one failure decides, or failed with init_fail. */
export function initialState(rule: HysteresisRule): HysteresisState {
  return rule.initFail ? { counter: 0, decided: true } : { counter: rule.rise - 1, decided: false };
}

/** The state after one more result. A success below the threshold counts up, reaching it goes to the top; likewise down. */
export function afterResult(state: HysteresisState, ok: boolean, rule: HysteresisRule): HysteresisState {
  const top = rule.rise + rule.fall - 1;
  const { counter } = state;
  if (ok) return { counter: counter < rule.rise - 1 ? counter + 1 : top, decided: true };
  return { counter: counter > rule.rise ? counter - 1 : 0, decided: true };
}

/** Whether the check passes; undefined: nothing is known yet. */
export function isUp(state: HysteresisState, rule: HysteresisRule): boolean | undefined {
  return state.decided ? state.counter >= rule.rise : undefined;
}
