// One reading of a large text in a thread of its own, so that its memory can be limited. Gets { piece, times }, and
// answers with what the reading found.
import { parentPort, workerData } from 'node:worker_threads';
import { load } from '../../core/config/load.ts';

const { piece, times } = workerData as { readonly piece: string; readonly times: number };
const began = performance.now();
const { configuration, diagnostics } = load(
  { file: 'f', text: piece.repeat(times) },
  { hostName: 'h', reader: { include: () => [] } },
);
parentPort?.postMessage({
  runs: configuration !== undefined,
  errors: diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code),
  messages: diagnostics.length,
  ms: performance.now() - began,
});
