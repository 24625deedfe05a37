// All checks of one thread: started spread out, woken by one timer, reconfigured without disturbing what stays equal.
// Knows plugins only by what they promise.
import { DeadlineQueue } from '../deadlines.ts';
import type { CheckHost, CheckPlugin, HealthCheck } from '../plugin/check.ts';
import type { CheckPrograms, ProgramPolicy } from '../plugin/program.ts';
import type { Timing } from '../ports/process.ts';
import { after, between, type Instant, instant, type Micros, micros, millis, seconds } from '../units.ts';
import { CheckRun, LONGEST_TEXT, type RunHost, textOf } from './check-run.ts';
import type { CheckEvent, CheckPlan, CheckSnapshot } from './messages.ts';

export interface RoundsPorts {
  readonly timing: Timing;
  readonly random: () => number;
  /** By name. */
  readonly plugins: ReadonlyMap<string, CheckPlugin>;
  /** What plugins may ask for besides their own means. */
  readonly services: Omit<CheckHost, 'name' | 'settings' | 'timeout' | 'log' | 'programs'>;
  /** Starts programs by such rules; absent: nobody does. */
  readonly programs?: (policy: ProgramPolicy) => CheckPrograms;
  readonly post: (event: CheckEvent) => void;
}

/** First probes are spread over the interval, but over no more than this: somebody waits for the first result. */
const SPREAD = seconds(1);
/** Lines of one plugin about one check in a period. */
const RATION = 10;
const RATION_PERIOD = seconds(60);
const LEVELS: ReadonlySet<string> = new Set(['error', 'warning', 'info']);
/**
 * The wheel turns in steps of a tenth of the shortest interval, within these: what is due in one step is done together,
 * since a wake-up costs more than a probe.
 */
const STEPS = 10;
const LONGEST_STEP = millis(100);
const SHORTEST_STEP = millis(5);
/** Of a few checks none has to wait. */
const FEW = 8;

export class Rounds implements RunHost {
  readonly #ports: RoundsPorts;
  readonly #queue = new DeadlineQueue<CheckRun>();
  #runs: ReadonlyMap<string, CheckRun> = new Map();
  #cancel: (() => void) | undefined;
  #armed: Instant | undefined;
  #step: Micros = LONGEST_STEP;

  constructor(ports: RoundsPorts) {
    this.#ports = ports;
  }

  configure(plans: readonly CheckPlan[]): void {
    const before = this.#runs;
    this.#step = stepOf(plans);
    const runs = new Map<string, CheckRun>();
    const fresh: CheckRun[] = [];
    for (const plan of plans) {
      const old = before.get(plan.name);
      if (old?.able && isSame(old.plan, plan)) {
        runs.set(plan.name, old);
        continue;
      }
      const run = this.#make(plan, old);
      runs.set(plan.name, run);
      fresh.push(run);
    }
    for (const [name, run] of before) if (runs.get(name) !== run) this.#drop(run);
    this.#runs = runs;
    const now = this.now();
    for (const [i, run] of fresh.entries()) run.start(after(now, offsetOf(i, fresh.length, run.plan.interval)));
    this.#arm();
  }

  snapshots(): readonly CheckSnapshot[] {
    return [...this.#runs.values()].map((run) => run.snapshot());
  }

  probe(name: string): void {
    this.#runs.get(name)?.probeNow();
    this.#arm();
  }

  close(): void {
    for (const run of this.#runs.values()) this.#drop(run);
    this.#runs = new Map();
    this.#cancel?.();
  }

  // RunHost.

  now(): Instant {
    return this.#ports.timing.now();
  }

  wallTime(): number {
    return this.#ports.timing.wallTime();
  }

  random(): number {
    return this.#ports.random();
  }

  changed({ plan, up, detail }: CheckRun): void {
    this.#ports.post({ type: 'changed', name: plan.name, up: up === true, detail });
  }

  touch(run: CheckRun): void {
    this.#queue.touch(run);
    this.#arm();
  }

  log(level: 'error' | 'warning' | 'info', check: string, text: string): void {
    this.#ports.post({ type: 'log', level, check, text });
  }

  #make(plan: CheckPlan, predecessor: CheckRun | undefined): CheckRun {
    const { check, why } = this.#create(plan);
    if (check === undefined) {
      this.log('error', plan.name, `it cannot run: ${why}`);
      this.#ports.post({ type: 'unable', name: plan.name, why });
    }
    return new CheckRun(plan, check, why, this, predecessor);
  }

  #create(plan: CheckPlan): { readonly check: HealthCheck | undefined; readonly why: string } {
    const plugin = this.#ports.plugins.get(plan.plugin);
    if (plugin === undefined) return { check: undefined, why: `there is no plugin ${plan.plugin}` };
    const { name, settings, timeout } = plan;
    const log = this.#rationed(name);
    try {
      const complaints: string[] = [];
      plugin.validate?.(plan.options as never, (option, message) =>
        complaints.push(option === undefined ? message : `${option}: ${message}`),
      );
      for (const complaint of complaints) this.log('warning', name, complaint);
      const programs = plan.programs && this.#ports.programs?.(plan.programs);
      const own = { name, settings, timeout, log, ...(programs && { programs }) };
      const check = plugin.create(plan.options as never, { ...this.#ports.services, ...own });
      return { check, why: '' };
    } catch (error) {
      return { check: undefined, why: textOf(error) };
    }
  }

  /** What a plugin has to say, without the means to flood the agent, which reads it all. */
  #rationed(name: string): CheckHost['log'] {
    let from = this.now();
    let lines = 0;
    return (level, text) => {
      const now = this.now();
      if (between(from, now) >= RATION_PERIOD) {
        if (lines > RATION) this.log('warning', name, `its plugin wrote ${lines - RATION} more lines, left out`);
        from = now;
        lines = 0;
      }
      if (++lines <= RATION) this.log(LEVELS.has(level) ? level : 'info', name, String(text).slice(0, LONGEST_TEXT));
    };
  }

  #drop(run: CheckRun): void {
    this.#queue.remove(run);
    run.close();
  }

  /** One timer for all: set anew only when something is due earlier. */
  #arm(): void {
    const due = this.#queue.next;
    const next = due === undefined ? undefined : instant(Math.ceil(due / this.#step) * this.#step);
    if (next === undefined || (this.#armed !== undefined && this.#armed <= next)) return;
    this.#cancel?.();
    this.#armed = next;
    this.#cancel = this.#ports.timing.setTimer(next, () => this.#wake());
  }

  #wake(): void {
    this.#armed = undefined;
    this.#cancel = undefined;
    const now = this.now();
    for (let run = this.#queue.due(now); run !== undefined; run = this.#queue.due(now)) {
      run.act(now);
      this.#queue.touch(run);
    }
    this.#arm();
  }
}

function stepOf(plans: readonly CheckPlan[]): Micros {
  const shortest = Math.min(...plans.map(({ interval }) => interval));
  return micros(Math.min(LONGEST_STEP, Math.max(SHORTEST_STEP, shortest / STEPS)));
}

function offsetOf(index: number, count: number, interval: Micros): Micros {
  if (count <= FEW) return micros(0);
  return micros(((interval < SPREAD ? interval : SPREAD) * index) / count);
}

const isSame = (a: CheckPlan, b: CheckPlan): boolean => JSON.stringify(a) === JSON.stringify(b);
