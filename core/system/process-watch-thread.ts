// The thread that counts processes, so that a storm of them disturbs nobody else: it blocks until the kernel tells of
// processes or the main thread wants something else, and where the kernel does not, it looks into /proc at intervals.
import { performance } from 'node:perf_hooks';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ProcEvent } from '../net/proc-event.ts';
import type { ProcessNews, ProcessQuery } from '../ports/process-watch.ts';
import { releaseMemory } from './memory.ts';
import { loadNative, type Native } from './native/index.ts';
import { LinuxPoller } from './poller.ts';
import { openConnector, type ProcConnector } from './proc-connector.ts';
import { ProcessCensus } from './process-census.ts';
import { Wakeup } from './wakeup.ts';

export interface ProcessThreadData {
  readonly port: MessagePort;
  /** Handle of the Wakeup that announces commands; undefined: there is no addon, so no events. */
  readonly wakeup: number | undefined;
  /** File descriptor of the network namespace that the process was started in; undefined: this one. */
  readonly origin: number | undefined;
}

export type ProcessCommand =
  | { readonly type: 'count'; readonly queries: readonly ProcessQuery[]; readonly generation: number }
  | { readonly type: 'stop' };

/** What it posts: news, and which queries they are about. */
export interface ProcessPost {
  readonly generation: number;
  readonly news: ProcessNews;
}

const SCAN_INTERVAL_MS = 1_000;

const { port, wakeup, origin } = workerData as ProcessThreadData;
let census = new ProcessCensus([]);
let generation = 0;
const post = (news: ProcessNews): void => port.postMessage({ generation, news } satisfies ProcessPost);
const tell = (): void => census.tell((name, count) => post({ type: 'count', name, count }));

const opened = open();
if (typeof opened === 'string') scanAtIntervals(opened);
else {
  listen(opened.native, opened.connector, opened.bell);
  port.close();
}

function open(): string | { native: Native; connector: ProcConnector; bell: Wakeup } {
  if (wakeup === undefined) return 'the native addon is missing';
  try {
    const native = loadNative();
    return { native, connector: openConnector(native, origin), bell: new Wakeup(native, wakeup) };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns when it is told to stop. */
function listen(native: Native, connector: ProcConnector, bell: Wakeup): void {
  const poller = new LinuxPoller(native);
  poller.add(connector);
  poller.add(bell);
  releaseMemory();
  const take = (event: ProcEvent): void => {
    if (event.type === 'fork') census.forked(event.parent, event.child);
    else if (event.type === 'exec') census.look(event.pid);
    else if (event.type === 'comm') census.look(event.pid, event.comm);
    else if (event.type === 'exit') census.ended(event.pid);
  };
  for (;;) {
    poller.wait(undefined);
    if (bell.ready) {
      bell.drain();
      for (let taken = receiveMessageOnPort(port); taken !== undefined; taken = receiveMessageOnPort(port)) {
        if (!obey(taken.message as ProcessCommand)) {
          connector.close();
          return;
        }
        post({ type: 'source', source: { kind: 'events' } });
      }
    }
    if (connector.ready && connector.receive(take) === 'overrun') {
      census.scan();
      post({ type: 'resync' });
    }
    tell();
  }
}

function scanAtIntervals(why: string): void {
  let timer: NodeJS.Timeout | undefined;
  let told = false;
  const look = (): void => {
    const began = performance.now();
    census.scan();
    const cost = performance.now() - began;
    if (!told) post({ type: 'source', source: { kind: 'scan', why, interval: SCAN_INTERVAL_MS, cost } });
    told = true;
    tell();
    timer = setTimeout(look, SCAN_INTERVAL_MS);
  };
  port.on('message', (command: ProcessCommand) => {
    clearTimeout(timer);
    told = false;
    if (obey(command)) look();
    else port.close();
  });
}

/** False: it is the end. */
function obey(command: ProcessCommand): boolean {
  if (command.type === 'stop') return false;
  generation = command.generation;
  census = new ProcessCensus(command.queries);
  census.scan();
  return true;
}
