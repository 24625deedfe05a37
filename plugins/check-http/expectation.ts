// What an answer must be like, and what is wrong with one that is not. Pure.
import { createHash } from 'node:crypto';
import type { Answer } from './request.ts';

export interface Expectation {
  readonly statuses: readonly (readonly [from: number, to: number])[];
  readonly match: readonly RegExp[];
  readonly noMatch: readonly RegExp[];
  readonly digest: string | undefined;
  /** The body must be read to judge. */
  readonly needsBody: boolean;
}

export function expectationOf(page: {
  readonly status?: readonly string[];
  readonly match: readonly string[];
  readonly no_match: readonly string[];
  readonly digest?: string;
}): Expectation {
  const statuses = (page.status ?? ['200-299']).map((word): readonly [number, number] => {
    const [from, to] = word.split('-').map(Number);
    return [from!, to ?? from!];
  });
  const patterns = (sources: readonly string[]): readonly RegExp[] => sources.map((source) => new RegExp(source, 'u'));
  const { match, no_match: noMatch, digest } = page;
  const needsBody = match.length > 0 || noMatch.length > 0 || digest !== undefined;
  return { statuses, match: patterns(match), noMatch: patterns(noMatch), digest: digest?.toLowerCase(), needsBody };
}

/** What is wrong with an answer; undefined: nothing. */
export function failureOf({ status, body, cut }: Answer, expected: Expectation): string | undefined {
  if (!expected.statuses.some(([from, to]) => status >= from && status <= to)) return `status ${status}`;
  if (!expected.needsBody) return undefined;
  const text = body.toString('utf8');
  const missing = expected.match.find((pattern) => !pattern.test(text));
  if (missing !== undefined) return `the body does not match ${missing.source}`;
  const unwanted = expected.noMatch.find((pattern) => pattern.test(text));
  if (unwanted !== undefined) return `the body matches ${unwanted.source}`;
  if (expected.digest === undefined) return undefined;
  if (cut) return 'the body is too long for a digest';
  const digest = createHash(expected.digest.length === 32 ? 'md5' : 'sha256')
    .update(body)
    .digest('hex');
  return digest === expected.digest ? undefined : `the digest of the body is ${digest}`;
}
