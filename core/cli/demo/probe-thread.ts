// The prober's thread: an echo request at each tick of an absolute grid, noted in the shared table before it is sent.
import { parentPort, workerData } from 'node:worker_threads';
import { PROBE_LENGTH, PROBE_MAGIC } from './frames.ts';
import { ProbeTable } from './probe-table.ts';
import { bePrompt, clock, EchoPort, enter, Waiter } from './sockets.ts';

export interface ProbePlan {
  /** The file of the client's namespace. */
  readonly namespace: string;
  readonly ip: string;
  /** Tells several probers of one table apart, 1..254. */
  readonly number: number;
  readonly intervalMs: number;
  readonly probes: SharedArrayBuffer;
  /** One Int32: not zero means stop. */
  readonly stop: SharedArrayBuffer;
}

const ECHO_REQUEST = 8;

const plan = workerData as ProbePlan;
const probes = new ProbeTable(plan.probes);
const stop = new Int32Array(plan.stop);
const packet = new DataView(new ArrayBuffer(PROBE_LENGTH));
packet.setUint8(0, ECHO_REQUEST);
packet.setUint16(4, plan.number); // identifier
packet.setUint32(8, PROBE_MAGIC);
const bytes = new Uint8Array(packet.buffer);

function checksum(): number {
  let sum = 0;
  for (let at = 0; at < PROBE_LENGTH; at += 2) sum += packet.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

bePrompt();
enter(plan.namespace);
const port = new EchoPort(plan.ip);
const waiter = new Waiter([]);
parentPort!.postMessage('ready');

let next = clock();
while (Atomics.load(stop, 0) === 0 && !probes.closed) {
  const sequence = probes.send(plan.number, clock());
  if (sequence === undefined) break;
  packet.setUint32(12, sequence);
  packet.setUint16(2, 0);
  packet.setUint16(2, checksum());
  port.send(bytes);
  // A tick that was missed is left out, not made up for in a burst.
  next = Math.max(next + plan.intervalMs, clock());
  waiter.wait(next, () => {});
}
