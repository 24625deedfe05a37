// One check at work: its absolute schedule, the time limit of a probe, what rise and fall make of the results. Knows no
// timer: it says when it next wants to act, and acts when told. Never two probes of one check at once.
import type { Timed } from '../deadlines.ts';
import { afterResult, type HysteresisState, initialState, isUp } from '../health/hysteresis.ts';
import type { HealthCheck, ProbeResult } from '../plugin/check.ts';
import { after, between, type Instant, instant, type Micros, micros } from '../units.ts';
import type { CheckPlan, CheckSnapshot } from './messages.ts';

/** What a check needs besides itself. */
export interface RunHost {
  now(): Instant;
  /** Milliseconds since 1970. */
  wallTime(): number;
  /** 0 ≤ n < 1. */
  random(): number;
  changed(run: CheckRun): void;
  /** Its deadline may have moved nearer. */
  touch(run: CheckRun): void;
  log(level: 'error' | 'warning' | 'info', check: string, text: string): void;
}

/** Words of a plugin longer than this are cut. */
export const LONGEST_TEXT = 200;

interface Probe {
  readonly abort: AbortController;
  readonly started: Instant;
  readonly until: Instant;
  /** Its time was up, its result is of no interest any more; it only has to end. */
  overdue: boolean;
  /** The next one was due just when this one's time was up: it begins as soon as this one has ended. */
  awaited: boolean;
}

export class CheckRun implements Timed {
  readonly plan: CheckPlan;
  up: boolean | undefined;
  detail: string;
  readonly #check: HealthCheck | undefined;
  readonly #host: RunHost;
  #hysteresis: HysteresisState;
  #since: number;
  #due: Instant | undefined;
  #probe: Probe | undefined;
  #last: CheckSnapshot['last'];
  #runs = 0;
  #failures = 0;
  #timeouts = 0;
  #skipped = 0;
  #closed = false;
  /** Whether the agent has heard a result: it may remember one of a thread before this one. */
  #told = false;

  /**
   * @param check undefined: it could not be made
   * @param why then: the reason
   * @param predecessor the same check before a reload changed it: what it said holds until the first result here
   */
  constructor(plan: CheckPlan, check: HealthCheck | undefined, why: string, host: RunHost, predecessor?: CheckRun) {
    this.plan = plan;
    this.#check = check;
    this.#host = host;
    this.#hysteresis = initialState(predecessor ? { ...plan, initFail: false } : plan);
    this.up = predecessor ? predecessor.up : isUp(this.#hysteresis, plan);
    this.detail =
      why !== '' ? why : (predecessor?.detail ?? (plan.initFail ? 'it has not succeeded yet (init_fail)' : ''));
    this.#since = host.wallTime();
  }

  /** Whether it could be made; a reload tries again to make one that could not. */
  get able(): boolean {
    return this.#check !== undefined;
  }

  /** When it next wants `act`: its next probe, or the end of the time of the present one. */
  get deadline(): Instant | undefined {
    const probe = this.#probe;
    if (probe === undefined || probe.overdue || this.#due === undefined) return this.#due;
    return instant(Math.min(probe.until, this.#due));
  }

  /** Begins; all later probes are due whole intervals after `first`, however long a probe or a stall takes. */
  start(first: Instant): void {
    if (this.#check === undefined) return;
    this.#due = first;
    this.#host.touch(this);
  }

  /** Does what is due. */
  act(now: Instant): void {
    const probe = this.#probe;
    const isDue = this.#due !== undefined && this.#due <= now;
    // No limit is longer than the interval: one that is still there when the next is due began late, and ends here.
    const ends = probe !== undefined && !probe.overdue && (probe.until <= now || isDue);
    if (ends) this.#timeOut(probe);
    if (this.#due === undefined || !isDue) return;
    const { interval, jitter } = this.plan;
    const missed = Math.floor(between(this.#due, now) / interval);
    this.#due = after(this.#due, micros(interval * (missed + 1)));
    if (jitter > 0) this.#due = after(this.#due, micros(this.#host.random() * jitter));
    if (probe === undefined) this.#begin(now);
    else if (ends) probe.awaited = true;
    else this.#skip(probe);
  }

  /** Looks at once, unless it is just looking. */
  probeNow(): void {
    if (this.#check === undefined || this.#probe !== undefined || this.#closed) return;
    this.#begin(this.#host.now());
    this.#host.touch(this);
  }

  snapshot(): CheckSnapshot {
    return {
      name: this.plan.name,
      up: this.up,
      detail: this.detail,
      since: this.#since,
      last: this.#last,
      runs: this.#runs,
      failures: this.#failures,
      timeouts: this.#timeouts,
      skipped: this.#skipped,
    };
  }

  close(): void {
    this.#closed = true;
    this.#due = undefined;
    this.#probe?.abort.abort();
    try {
      this.#check?.close?.();
    } catch (error) {
      this.#host.log('warning', this.plan.name, `closing it failed: ${textOf(error)}`);
    }
  }

  #begin(now: Instant): void {
    const abort = new AbortController();
    const probe: Probe = { abort, started: now, until: after(now, this.plan.timeout), overdue: false, awaited: false };
    this.#probe = probe;
    this.#ask(abort.signal).then(
      (result) => this.#end(probe, result),
      (error) => this.#end(probe, { ok: false, why: textOf(error) }),
    );
  }

  /** A plugin that throws at once fails like one that rejects. */
  async #ask(signal: AbortSignal): Promise<ProbeResult> {
    return await this.#check!.probe(signal);
  }

  #end(probe: Probe, result: ProbeResult): void {
    if (this.#probe === probe) this.#probe = undefined;
    if (this.#closed) return;
    if (probe.overdue) {
      if (!probe.awaited) return;
      this.#begin(this.#host.now());
      this.#host.touch(this);
      return;
    }
    const verdict = understood(result);
    this.#take(verdict.ok, verdict.ok ? (verdict.detail ?? '') : verdict.why, between(probe.started, this.#host.now()));
    this.#host.touch(this);
  }

  #timeOut(probe: Probe): void {
    probe.overdue = true;
    this.#timeouts++;
    probe.abort.abort();
    this.#take(false, `no answer within ${this.plan.timeout / 1_000} ms`, this.plan.timeout);
  }

  /** The probe before was told to end and did not: it fails again, and no second one is begun. */
  #skip(probe: Probe): void {
    probe.awaited = false;
    this.#skipped++;
    const why = 'the probe before does not end although its time is up';
    if (this.#skipped === 1) this.#host.log('warning', this.plan.name, `plugin ${this.plan.plugin}: ${why}`);
    this.#take(false, why, this.plan.timeout);
  }

  #take(ok: boolean, words: string, took: Micros): void {
    const outcome = words.slice(0, LONGEST_TEXT);
    this.#last = { time: this.#host.wallTime(), ok, outcome, took: took / 1_000 };
    this.#runs++;
    if (!ok) this.#failures++;
    this.#hysteresis = afterResult(this.#hysteresis, ok, this.plan);
    const up = isUp(this.#hysteresis, this.plan);
    if (up === undefined || (up === this.up && this.#told)) return;
    if (up !== this.up) this.#since = this.#host.wallTime();
    this.#told = true;
    this.up = up;
    this.detail = outcome;
    this.#host.changed(this);
  }
}

/** What a plugin returned, if it is what it should be. */
function understood(result: unknown): ProbeResult {
  const { ok, detail, why } = (typeof result === 'object' && result !== null ? result : {}) as Record<string, unknown>;
  if (ok === true) return typeof detail === 'string' ? { ok, detail } : { ok };
  if (ok === false) return { ok, why: typeof why === 'string' ? why : 'it failed and does not say why' };
  return { ok: false, why: 'the plugin returned no result: { ok: true } or { ok: false, why } was expected' };
}

export const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).slice(0, LONGEST_TEXT);
