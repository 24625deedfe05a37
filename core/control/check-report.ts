// The part of `status` about checks: each once, with its latest probe and what it means to whom. Pure.
import type { CheckStatus } from '../health/check-status.ts';
import type { ScriptCondition } from '../health/script-status.ts';
import { contribution } from '../health/verdict.ts';
import { formatDuration } from './duration.ts';
import type { Cell } from './text-table.ts';

/** One check. Times are ISO 8601 in UTC, durations milliseconds; what is unknown is null. */
export interface CheckReport {
  readonly name: string;
  readonly condition: ScriptCondition;
  readonly detail: string;
  readonly since: string | null;
  /** The plugin, or the expression in words. */
  readonly what: string;
  readonly last: {
    readonly time: string;
    readonly ok: boolean;
    readonly outcome: string;
    readonly tookMs: number;
  } | null;
  readonly runs: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly skipped: number;
  /** Nobody: it is part of an expression only. */
  readonly usedBy: readonly {
    readonly instance: string;
    readonly weight: number;
    readonly reverse: boolean;
    /** What it adds to the priority at present. */
    readonly contribution: number;
  }[];
}

const iso = (time: number): string => new Date(time).toISOString();

export function checkReport(check: CheckStatus): CheckReport {
  const { name, condition, detail, since, what, last, runs, failures, timeouts, skipped, usedBy } = check;
  const up = condition === 'ok' ? true : condition === 'failed' ? false : undefined;
  return {
    name,
    condition,
    detail,
    since: since === 0 ? null : iso(since),
    what,
    last: last ? { time: iso(last.time), ok: last.ok, outcome: last.outcome, tookMs: last.took } : null,
    runs,
    failures,
    timeouts,
    skipped,
    usedBy: usedBy.map(({ instance, weight, reverse }) => ({
      instance,
      weight,
      reverse,
      contribution: contribution({ name, weight, reverse }, up),
    })),
  };
}

/** The lines about the checks that a virtual router tracks. `generated`: when the report was made. */
export function checkCells(checks: readonly CheckReport[], instance: string, generated: number): readonly Cell[] {
  return checks.flatMap((check) =>
    check.usedBy
      .filter((use) => use.instance === instance)
      .map((use): Cell => {
        const { name, condition, what, detail, last } = check;
        const effect =
          use.weight === 0
            ? 'a failure is a fault'
            : `${sign(use.contribution)}${Math.abs(use.contribution)} of ${sign(use.weight)}${Math.abs(use.weight)}`;
        const head = `${name} (${what}): ${condition === 'failed' ? 'FAILED' : condition} (${effect}${use.reverse ? ', reverse' : ''})`;
        const words = last?.outcome || detail;
        const age = last ? `, probed ${formatDuration(generated - Date.parse(last.time))} ago` : '';
        return { text: `${head}${words === '' ? '' : `: ${words}`}${age}`, style: STYLE[condition] };
      }),
  );
}

const STYLE = { ok: 'good', failed: 'bad', waiting: 'warn', disabled: 'warn' } as const;

const sign = (n: number): string => (n < 0 ? '-' : '+');
