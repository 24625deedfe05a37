// The recorder's thread: blocks on the bridge ports and the hosts' route monitors, and reports what it sees in batches.
// Never uses its event loop, so that its readings of the clock are prompt.
import { parentPort, workerData } from 'node:worker_threads';
import { Addresses } from './addresses.ts';
import { readFrame } from './frames.ts';
import { ProbeTable } from './probe-table.ts';
import type { Sighting } from './recorder.ts';
import { bePrompt, clock, enter, FramePort, Waiter } from './sockets.ts';

export interface WatchPlan {
  /** The file of the bridge's namespace. */
  readonly bridge: string;
  /** The indexes of the bridge's interfaces. */
  readonly ports: Readonly<Record<string, number>>;
  readonly hosts: readonly { readonly name: string; readonly namespace: string; readonly port: string }[];
  readonly arpWatch: readonly string[];
  readonly probes: SharedArrayBuffer;
}

const ETH_P_ALL = 3;
/** How often the thread looks whether it shall end. */
const PULSE_MS = 50;
const ARP_INTERVAL_MS = 20;

const plan = workerData as WatchPlan;
const probes = new ProbeTable(plan.probes);
const batch: Sighting[] = [];

bePrompt();
enter(plan.bridge);
const ports = plan.hosts.map(({ port }) => new FramePort(plan.ports[port]!, ETH_P_ALL));
const questions = plan.arpWatch.map(arpQuestion);
const questioner = questions.length > 0 ? new FramePort(plan.ports['br0']!, 0) : undefined;
const addresses = plan.hosts.map(({ name, namespace }) => {
  enter(namespace);
  return new Addresses(name);
});

function take(host: number): void {
  ports[host]!.drain((frame, t) => {
    const seen = readFrame(frame);
    if (seen?.type === 'reply') probes.answer(seen.sequence, host, t);
    else if (seen) batch.push({ t, host: plan.hosts[host]!.name, ...seen });
  });
}

/** An ARP probe (RFC 5227): the sender address is 0.0.0.0, so nobody learns from the question. */
function arpQuestion(ip: string): Uint8Array {
  const frame = new Uint8Array(42).fill(255, 0, 6);
  const sender = [0x02, 0xaa, 0, 0, 0, 1];
  frame.set([...sender, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...sender], 6);
  frame.set(ip.split('.').map(Number), 38);
  return frame;
}

const waiter = new Waiter([...ports, ...addresses].map(({ handle }) => handle));
let ready = false;
let nextQuestion = clock();
while (!probes.closed) {
  const wake = questioner ? Math.min(nextQuestion, clock() + PULSE_MS) : clock() + PULSE_MS;
  waiter.wait(wake, (index) => {
    if (index < ports.length) take(index);
    else addresses[index - ports.length]!.drain(batch);
  });
  if (questioner && clock() >= nextQuestion) {
    for (const question of questions) questioner.send(question);
    nextQuestion = Math.max(nextQuestion + ARP_INTERVAL_MS, clock());
  }
  if (!ready && addresses.every((one) => one.known)) ready = true;
  else if (!ready || batch.length === 0) continue;
  parentPort!.postMessage(batch);
  batch.length = 0;
}
