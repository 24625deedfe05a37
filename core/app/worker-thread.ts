// The engine's thread as the agent sees it: a worker, a message channel, an eventfd that wakes it, shared memory.
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { EngineThread } from '../agent/engine-client.ts';
import { leaseMemory } from '../engine/lease.ts';
import type { EngineCommand, EngineEvent } from '../engine/messages.ts';
import { entryFile } from '../system/entry-file.ts';
import type { Native } from '../system/native/index.ts';
import { Wakeup } from '../system/wakeup.ts';
import type { EngineThreadData } from './engine-thread.ts';

/** The engine allocates little: a small young generation keeps its collections short and the process small. */
const YOUNG_GENERATION_MIB = 2;

export class WorkerThread implements EngineThread {
  readonly lease = leaseMemory();
  readonly #worker: Worker;
  readonly #wakeup: Wakeup;
  readonly #port: MessageChannel['port1'];

  constructor(native: Native, realtimePriority: number | undefined) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#wakeup = new Wakeup(native);
    const data: EngineThreadData = { port: port2, lease: this.lease, wakeup: this.#wakeup.handle, realtimePriority };
    const file = entryFile(import.meta.url, './engine-thread');
    this.#worker = new Worker(file, {
      workerData: data,
      transferList: [port2],
      name: 'vipkeeper-engine',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
  }

  send(command: EngineCommand): void {
    this.#port.postMessage(command);
    this.#wakeup.trigger();
  }

  listen(onEvent: (event: EngineEvent) => void, onExit: () => void): void {
    this.#port.on('message', onEvent);
    this.#worker.on('error', (error) => onEvent({ type: 'failed', error: error.message }));
    this.#worker.on('exit', () => {
      // On a busy machine the end is told before the last words, which wait in the port.
      for (let last = receiveMessageOnPort(this.#port); last !== undefined; last = receiveMessageOnPort(this.#port))
        onEvent(last.message as EngineEvent);
      setImmediate(onExit);
    });
  }
}
