// The verdict on one seed: its run, for some seeds also the comparison with a run under harmless disturbances; and for a
// failing one the scenario as small as it fails, with what happened before. Prints nothing itself.
import { describe } from './injection.ts';
import { type Outcome, run } from './run.ts';
import { type Scenario, scenarioOf } from './scenario.ts';

/** Of every so many seeds one is run twice more. */
const TWINS = 8;
/** Lines of the timeline before a violation that are shown. */
const SHOWN = 60;

export interface Failure {
  readonly seed: number;
  readonly invariant: string;
  /** For people: what to do, what failed, how it came to it. */
  readonly report: string;
}

/** @param brief only whether it fails: no smaller scenario is looked for */
export function check(seed: number, brief = false): Failure | undefined {
  const scenario = scenarioOf(seed);
  const { violation } = attempt(scenario);
  if (violation !== undefined && brief) return { seed, invariant: violation.invariant, report: violation.message };
  if (violation !== undefined) return failure(scenario, violation);
  return seed % TWINS === 0 ? compare(scenario) : undefined;
}

/** A timeline of a seed, for looking at it. */
export function story(seed: number): readonly string[] {
  const scenario = scenarioOf(seed);
  return [...configuration(scenario), ...run(scenario, { trace: 'adverts' }).trace];
}

interface Wrong {
  readonly invariant: string;
  readonly message: string;
}

function attempt(scenario: Scenario): { readonly violation: Wrong | undefined; readonly outcome: Outcome | undefined } {
  try {
    const outcome = run(scenario);
    return { violation: outcome.violation, outcome };
  } catch (error) {
    return { violation: { invariant: 'no engine throws', message: (error as Error).stack! }, outcome: undefined };
  }
}

/**
 * I9, I10, I11: steps of the wall clock, reloads of the same file and adverts without authority leave every packet and
 * every transition where it was. Without lateness, since an additional wake-up would shift it; and without carriers that
 * come back, since any frame at all, a stranger's too, proves that a port forwards.
 */
function compare(scenario: Scenario): Failure | undefined {
  const plain: Scenario = {
    ...scenario,
    lateness: 0,
    faults: scenario.faults.filter(({ type }) => type !== 'carrier'),
    rounds: scenario.rounds.map((round) => (round === 'carrier' ? 'crash' : round)),
  };
  const quiet = run(plain);
  const disturbed = run(plain, { harmless: true });
  if (quiet.violation !== undefined) return failure(plain, quiet.violation);
  if (disturbed.violation === undefined && quiet.digest === disturbed.digest) return undefined;
  const events = (harmless: boolean) => run(plain, { harmless, trace: 'adverts' }).trace.filter(isAction);
  const [a, b] = [events(false), events(true)];
  const at = a.findIndex((line, i) => line !== b[i]);
  const invariant = 'what is harmless changes nothing';
  const report = [
    `seed ${scenario.seed}: ${disturbed.violation?.message ?? invariant}`,
    ...configuration(plain),
    ...a.slice(Math.max(0, at - 8), at),
    `undisturbed: ${a[at] ?? 'nothing more'}`,
    `disturbed:   ${b[at] ?? 'nothing more'}`,
  ].join('\n');
  return { seed: scenario.seed, invariant, report };
}

const isAction = (line: string): boolean => / → |announces|advertises/.test(line);

function failure(scenario: Scenario, violation: Wrong): Failure {
  const { seed } = scenario;
  const small = minimise(scenario, violation.invariant);
  let trace: readonly string[] = [];
  try {
    ({ trace } = run(small, { trace: 'events' }));
  } catch {
    trace = [violation.message];
  }
  const report = [
    `seed ${seed}: ${violation.message}`,
    `again, with every packet: npm run simulate -- --seed ${seed} --verbose`,
    ...configuration(small),
    `${small.faults.length} of ${scenario.faults.length} faults are needed:`,
    ...small.faults.map((fault) => `  at ${(fault.at / 1_000).toFixed(1)} ms ${describe(fault)}`),
    ...trace.slice(-SHOWN),
  ].join('\n');
  return { seed, invariant: violation.invariant, report };
}

/** Takes out one fault after the other as long as the same invariant fails. */
function minimise(scenario: Scenario, invariant: string): Scenario {
  let small = scenario;
  for (const fault of scenario.faults) {
    const without = { ...small, faults: small.faults.filter((each) => each !== fault) };
    if (attempt(without).violation?.invariant === invariant) small = without;
  }
  return small;
}

function configuration({ slots, seats, grouped, delays, lateness }: Scenario): string[] {
  const ms = (micros: number): string => `${Math.round(micros) / 1_000} ms`;
  return [
    `delays ${delays.map(ms).join(', ')}; processes up to ${ms(lateness)} late; ${grouped ? 'one sync group' : 'no group'}`,
    ...slots.map(
      ({ network, family, version, unicast, protection, adverts, vips }, i) =>
        `VI_${i + 1}: v${version} IPv${family} ${unicast ? 'unicast' : 'multicast'} on eth${network}, ${protection}, ${adverts} adverts, ${vips.join(' ')}`,
    ),
    ...seats.map((each, i) => {
      const parts = each.map(
        ({ priority, interval, preempt, preemptDelay }) =>
          `${priority} every ${ms(interval)}${preempt ? '' : ' nopreempt'}${preemptDelay > 0 ? ` preempt_delay ${ms(preemptDelay)}` : ''}`,
      );
      return `${String.fromCharCode(97 + i)}: ${parts.join('; ')}`;
    }),
  ];
}
