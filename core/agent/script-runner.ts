// One check script: runs it on an absolute schedule, never twice at once, and lets rise and fall decide what its
// results mean. Knows nothing of weights, priorities or virtual routers.
import { afterResult, type HysteresisRule, type HysteresisState, initialState, isUp } from '../health/hysteresis.ts';
import type { ScriptCondition, ScriptRun } from '../health/script-status.ts';
import type { ProcessResult, ProcessRunner, Timing } from '../ports/process.ts';
import { after, between, type Instant, type Micros } from '../units.ts';
import { describeFailure, lastLine } from './program-outcome.ts';
import { PROGRAM_PATH, type ReadyCommand } from './script-security.ts';

export interface ScriptPlan extends HysteresisRule {
  readonly name: string;
  readonly command: ReadyCommand;
  /** From start to start; more than 0. */
  readonly interval: Micros;
  readonly timeout: Micros;
}

export interface RunnerPorts {
  readonly processes: ProcessRunner;
  readonly timing: Timing;
}

export class ScriptRunner {
  readonly plan: ScriptPlan;
  /** undefined: no result yet, nor a result of a predecessor to go on with. */
  up: boolean | undefined;
  /** Why `up` is what it is; constant until it changes. */
  detail: string;
  /** Milliseconds since 1970 at which `up` changed. */
  since: number;
  lastRun: ScriptRun | undefined;
  runs = 0;
  failures = 0;
  skipped = 0;
  readonly #ports: RunnerPorts;
  readonly #onChange: () => void;
  readonly #abort = new AbortController();
  #hysteresis: HysteresisState;
  #due: Instant | undefined;
  #cancelTimer: (() => void) | undefined;
  #alive: Promise<void> | undefined;

  /**
   * @param predecessor the runner of the same script before a reload that changed it: its verdict holds until the
   *   first result here, which decides alone
   */
  constructor(plan: ScriptPlan, ports: RunnerPorts, onChange: () => void, predecessor?: ScriptRunner) {
    this.plan = plan;
    this.#ports = ports;
    this.#onChange = onChange;
    this.#hysteresis = initialState(predecessor ? { ...plan, initFail: false } : plan);
    this.up = predecessor ? predecessor.up : isUp(this.#hysteresis, plan);
    this.detail = predecessor?.detail ?? (plan.initFail ? 'it has not succeeded yet (init_fail)' : '');
    this.since = predecessor?.since ?? ports.timing.wallTime();
  }

  get condition(): ScriptCondition {
    return this.up === undefined ? 'waiting' : this.up ? 'ok' : 'failed';
  }

  /** Begins; all later runs are due whole intervals after `first`, however long a run or a stall takes. */
  start(first: Instant): void {
    if (this.#abort.signal.aborted) return;
    this.#due = first;
    this.#cancelTimer = this.#ports.timing.setTimer(first, () => this.#onDue());
  }

  /** Ends for good; fulfilled when the program has gone as well. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#abort.abort();
    await this.#alive;
  }

  #onDue(): void {
    const { timing } = this.#ports;
    const now = timing.now();
    const missed = Math.max(0, Math.floor(between(this.#due!, now) / this.plan.interval));
    this.#due = after(this.#due!, (this.plan.interval * (missed + 1)) as Micros);
    this.#cancelTimer = timing.setTimer(this.#due, () => this.#onDue());
    if (this.#alive) this.skipped++;
    else this.#run(now);
  }

  #run(started: Instant): void {
    const { command, timeout } = this.plan;
    const request = { ...command, environment: { PATH: PROGRAM_PATH }, timeout };
    const running = this.#ports.processes.start(request, this.#abort.signal);
    this.#alive = running.gone.then(() => {
      this.#alive = undefined;
    });
    void running.result.then((result) => this.#onResult(result, started));
  }

  #onResult(result: ProcessResult, started: Instant): void {
    if (this.#abort.signal.aborted) return;
    const { timing } = this.#ports;
    const outcome = result.ok ? '' : describeFailure(result.failure);
    const output = lastLine(result.output);
    const took = between(started, timing.now()) / 1_000;
    this.lastRun = { time: timing.wallTime(), ok: result.ok, outcome, output, took };
    this.runs++;
    if (!result.ok) this.failures++;
    this.#hysteresis = afterResult(this.#hysteresis, result.ok, this.plan);
    const up = isUp(this.#hysteresis, this.plan);
    if (up === this.up) return;
    this.up = up;
    this.since = timing.wallTime();
    this.detail = [outcome, output].filter((text) => text !== '').join(': ');
    this.#onChange();
  }
}
