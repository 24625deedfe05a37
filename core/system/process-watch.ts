// The counting of processes as the main thread sees it: a thread that exists while something is counted, and is started
// again when it dies. What it does is in process-watch-thread.ts.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { ProcessNews, ProcessQuery, ProcessWatch } from '../ports/process-watch.ts';
import { entryFile } from './entry-file.ts';
import { originalNamespace } from './namespace.ts';
import type { Native } from './native/index.ts';
import type { ProcessCommand, ProcessPost, ProcessThreadData } from './process-watch-thread.ts';
import { Wakeup } from './wakeup.ts';

const RESTART_MS = 1_000;
/** It keeps a table of processes that match, and nothing else. */
const LIMITS = { maxYoungGenerationSizeMb: 2 };

interface Running {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly bell: Wakeup | undefined;
  readonly ended: Promise<void>;
}

export class ProcessWatcher implements ProcessWatch {
  readonly #native: Native | undefined;
  #running: Running | undefined;
  #queries: readonly ProcessQuery[] = [];
  #onNews: (news: ProcessNews) => void = () => {};
  #generation = 0;
  #restart: NodeJS.Timeout | undefined;

  /** @param native undefined: it can only look into /proc */
  constructor(native: Native | undefined) {
    this.#native = native;
  }

  count(queries: readonly ProcessQuery[], onNews: (news: ProcessNews) => void): void {
    this.#onNews = onNews;
    this.#queries = queries;
    this.#generation++;
    if (queries.length === 0) void this.stop();
    else this.#ask();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restart);
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    this.#send(running, { type: 'stop' });
    await running.ended;
  }

  #ask(): void {
    this.#running ??= this.#start();
    this.#send(this.#running, { type: 'count', queries: this.#queries, generation: this.#generation });
  }

  #send({ port, bell }: Running, command: ProcessCommand): void {
    port.postMessage(command);
    bell?.trigger();
  }

  #start(): Running {
    const { port1: port, port2 } = new MessageChannel();
    const bell = this.#native && new Wakeup(this.#native);
    const data: ProcessThreadData = { port: port2, wakeup: bell?.handle, origin: originalNamespace() };
    const worker = new Worker(entryFile(import.meta.url, './process-watch-thread'), {
      workerData: data,
      transferList: [port2],
      name: 'vipkeeper-processes',
      resourceLimits: LIMITS,
    });
    port.on('message', ({ generation, news }: ProcessPost) => {
      if (generation === this.#generation) this.#onNews(news);
    });
    let why = 'the thread that counts processes ended';
    worker.on('error', (error) => {
      why = `the thread that counts processes failed: ${error.message}`;
    });
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        port.close();
        bell?.close();
        if (this.#running?.worker === worker) {
          this.#running = undefined;
          this.#onNews({ type: 'failed', why });
          this.#restart = setTimeout(() => this.#ask(), RESTART_MS).unref();
        }
        resolve();
      });
    });
    return { worker, port, bell, ended };
  }
}
