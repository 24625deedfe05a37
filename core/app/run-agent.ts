// A whole agent from start to end: configuration, runtime directory, threads, signals, and what is left behind: nothing.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent, Ending } from '../agent/agent.ts';
import type { Log } from '../agent/log.ts';
import { ControlSocketError } from '../control/server.ts';
import { releaseMemory } from '../system/memory.ts';
import { NativeAddonError } from '../system/native/index.ts';
import { prepareProcess } from '../system/process.ts';
import { buildContainer } from './modules.ts';
import { AGENT, CONFIGURATION_FILE, CONTROL, ENGINE, FIRST, LOG, NATIVE, type RunOptions, TRACKER } from './tokens.ts';
import { statusOf } from './verbs.ts';
import { VERSION } from './version.ts';

export const EXIT_STOPPED = 0;
export const EXIT_FAILED = 1;
export const EXIT_CONFIGURATION = 2;
/** sysexits EX_SOFTWARE, as keepalived's program error. */
export const EXIT_BUG = 70;

/** After this time everything that is only needed to start has been done. */
const SETTLED_MS = 2_000;

const EXITS: Readonly<Record<Ending, number>> = {
  stopped: EXIT_STOPPED,
  unable: EXIT_FAILED,
  'engine-failed': EXIT_BUG,
};

/** Runs an agent to its end. @returns the exit code */
export async function runAgent(options: RunOptions): Promise<number> {
  const container = buildContainer(options);
  const log = container.get(LOG);
  // First of all: SIGUSR1 without a listener would open the debugger, and 36 and 63 would kill.
  const signals = new Signals(log);
  try {
    const native = container.get(NATIVE);
    for (const { what, code, fix } of prepareProcess(native)) log.log('warning', 'refused', { what, code, fix });
    log.log('info', 'starting', { version: VERSION, pid: process.pid, file: options.configFile });
    const file = container.get(CONFIGURATION_FILE);
    const first = await file.read();
    if (first === undefined) return EXIT_CONFIGURATION;
    container.bind(FIRST).toConstantValue(first);
    const control = container.get(CONTROL);
    await control.open();
    const pidFile = join(options.runtimeDir, 'vipkeeper.pid');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o644 });
    try {
      const agent = container.get(AGENT);
      const sources = { agent, engine: container.get(ENGINE), tracker: container.get(TRACKER), file };
      signals.attach(agent, async (name) => {
        const path = join(options.runtimeDir, name);
        writeFileSync(path, `${JSON.stringify(await statusOf(sources), undefined, 2)}\n`, { mode: 0o600 });
        log.log('info', 'dumped', { file: path });
      });
      setTimeout(releaseMemory, SETTLED_MS).unref();
      return EXITS[await agent.run()];
    } finally {
      rmSync(pidFile, { force: true });
      await control.close();
    }
  } catch (error) {
    if (!(error instanceof ControlSocketError || error instanceof NativeAddonError)) throw error;
    log.log('error', 'cannot-start', { why: error.message });
    return EXIT_FAILED;
  } finally {
    log.flush(true);
  }
}

/** The process's signals, from before there is an agent until its end. */
class Signals {
  #agent: Agent | undefined;
  #dump: ((name: string) => Promise<void>) | undefined;

  constructor(log: Log) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (this.#agent !== undefined) this.#agent.stop(signal);
        else process.exit(EXIT_STOPPED);
      });
    process.on('SIGHUP', () => this.#agent?.reload());
    const dump = (name: string) => (): void => {
      this.#dump?.(name).catch((error: Error) => log.log('error', 'dump-failed', { why: error.message }));
    };
    process.on('SIGUSR1', dump('vipkeeper.data.json'));
    process.on('SIGUSR2', dump('vipkeeper.stats.json'));
    process.on('SIGPIPE', () => {});
  }

  attach(agent: Agent, dump: (name: string) => Promise<void>): void {
    this.#agent = agent;
    this.#dump = dump;
  }
}
