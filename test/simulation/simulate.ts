// Runs seeds of the simulator by hand or by night:
//
//   npm run simulate -- --seed 7 --verbose            one seed, with everything that happened
//   npm run simulate -- --seeds 1..20000              many, on all processors; ends with 1 when one fails
//   npm run simulate -- --seeds 1..300 --first        until one fails, and only which
//   npm run simulate -- --seeds 1..999999999 --hours 3  as many of them as fit
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { check, type Failure, story } from './check.ts';

/** Seeds handed to a thread at a time. */
const PORTION = 20;
const HOUR_MS = 3_600_000;
/** Failures after which it ends: they are all the same. */
const MOST_FAILURES = 10;

export interface Campaign {
  readonly from: number;
  readonly to: number;
  /** Milliseconds; absent: until all have run. */
  readonly limit?: number;
  readonly threads?: number;
  /** End with the first failure, and do not look for a smaller scenario. */
  readonly first?: boolean;
}

/** Runs seeds on several threads; calls `progress` now and then. */
export async function simulate(
  { from, to, limit = Number.POSITIVE_INFINITY, threads = availableParallelism(), first = false }: Campaign,
  progress: (done: number, failures: number) => void = () => {},
): Promise<{ readonly done: number; readonly failures: readonly Failure[] }> {
  const began = performance.now();
  const failures: Failure[] = [];
  let next = from;
  let done = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { simulates: true, first } });
      const feed = (): void => {
        const over = next > to || performance.now() - began > limit || failures.length >= (first ? 1 : MOST_FAILURES);
        worker.postMessage(over ? undefined : [next, Math.min(to, next + PORTION - 1)]);
        next += PORTION;
      };
      worker.on('message', ({ count, failed }: { count: number; failed: Failure[] }) => {
        done += count;
        failures.push(...failed);
        progress(done, failures.length);
        feed();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      feed();
    });
  await Promise.all(Array.from({ length: threads }, work));
  return { done, failures: failures.sort((a, b) => a.seed - b.seed) };
}

function serve({ first }: Role): void {
  parentPort!.on('message', (range: readonly [number, number] | undefined) => {
    if (range === undefined) {
      parentPort!.close();
      return;
    }
    const failed: Failure[] = [];
    for (let seed = range[0]; seed <= range[1]; seed++) {
      const failure = check(seed, first);
      if (failure === undefined) continue;
      failed.push(failure);
      if (first) break;
    }
    parentPort!.postMessage({ count: range[1] - range[0] + 1, failed });
  });
}

async function main(): Promise<void> {
  const options = { seed: { type: 'string' }, seeds: { type: 'string' }, hours: { type: 'string' } } as const;
  const { values } = parseArgs({ options: { ...options, verbose: { type: 'boolean' }, first: { type: 'boolean' } } });
  if (values.seed !== undefined) {
    const seed = Number(values.seed);
    if (values.verbose) for (const line of story(seed)) console.log(line);
    const failure = check(seed);
    console.log(failure?.report ?? `seed ${seed}: all invariants hold`);
    process.exitCode = failure === undefined ? 0 : 1;
    return;
  }
  const range = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? '1..2000');
  if (range === null) throw new Error(`--seeds wants two numbers, as in 1..2000, not ${values.seeds}`);
  const hours = values.hours === undefined ? {} : { limit: Number(values.hours) * HOUR_MS };
  const began = performance.now();
  let told = 0;
  const { done, failures } = await simulate(
    { from: Number(range[1]), to: Number(range[2]), ...hours },
    (count, bad) => {
      if (count - told < 1_000) return;
      told = count;
      console.log(`${count} seeds, ${bad} fail`);
    },
  );
  for (const { report } of failures) console.log(`${report}\n`);
  console.log(`${done} seeds in ${((performance.now() - began) / 1_000).toFixed(1)} s, ${failures.length} fail`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** What a thread of ours is told. */
interface Role {
  readonly simulates: true;
  readonly first: boolean;
}

const role = workerData as Role | null;
if (!isMainThread && role?.simulates === true) serve(role);
else if (isMainThread && process.argv[1] === import.meta.filename) await main();
