// A whole agent from start to end: configuration, runtime directory, threads, signals, and what is left behind: nothing.
import { join } from 'node:path';
import type { Ending } from '../agent/agent.ts';
import { ControlSocketError } from '../control/server.ts';
import { releaseMemory } from '../system/memory.ts';
import { enterNetworkNamespace } from '../system/namespace.ts';
import { NativeAddonError } from '../system/native/index.ts';
import { PidFile } from '../system/pid-file.ts';
import { PortableTransportError } from '../system/portable/raw-socket.ts';
import { prepareProcess } from '../system/process.ts';
import { Dumps } from './dumps.ts';
import { EXIT_BUG, EXIT_CONFIGURATION, EXIT_FAILED, EXIT_STOPPED } from './exit-codes.ts';
import { buildContainer } from './modules.ts';
import { Signals } from './signals.ts';
import {
  AGENT,
  CONFIGURATION_FILE,
  CONTROL,
  ENGINE,
  FIRST,
  LOG,
  NATIVE,
  type RunOptions,
  SCRIPTS,
  TRANSPORT,
} from './tokens.ts';
import { admissible } from './transport.ts';
import { VERSION } from './version.ts';

/** After this time everything that is only needed to start has been done. */
const SETTLED_MS = 2_000;

const EXITS: Readonly<Record<Ending, number>> = {
  stopped: EXIT_STOPPED,
  unable: EXIT_FAILED,
  failed: EXIT_BUG,
};

/** Runs an agent to its end. @returns the exit code */
export async function runAgent(options: RunOptions): Promise<number> {
  // First of all: without listeners SIGUSR1 would open the debugger.
  const signals = new Signals(EXIT_STOPPED, options.ignoreInterrupt);
  const container = buildContainer(options);
  const log = container.get(LOG);
  try {
    const native = container.get(NATIVE);
    for (const { what, code, fix } of [...prepareProcess(native), ...signals.useNative(native)])
      log.log('warning', 'refused', { what, code, fix });
    // Only now: who looks for this name may send signals that would have killed before.
    if (options.title !== undefined) process.title = options.title;
    log.log('info', 'starting', { version: VERSION, pid: process.pid, file: options.configFile });
    for (const remark of options.remarks ?? []) log.log('warning', 'option', { detail: remark });
    if (options.namespace !== undefined) enterNetworkNamespace(native, options.namespace);
    const file = container.get(CONFIGURATION_FILE);
    const first = await file.read();
    if (first === undefined) return EXIT_CONFIGURATION;
    container.bind(FIRST).toConstantValue(first);
    const transport = container.get(TRANSPORT);
    for (const detail of transport.remarks) log.log('warning', 'transport', { detail });
    if (admissible(first, transport, file) === undefined) return EXIT_CONFIGURATION;
    const control = container.get(CONTROL);
    await control.open();
    const names = [join(options.runtimeDir, 'vipkeeper.pid'), ...(options.pidFiles ?? [])];
    const pidFiles = names.map((name) => new PidFile(name));
    try {
      for (const pidFile of pidFiles) await pidFile.write();
      const agent = container.get(AGENT);
      const engine = container.get(ENGINE);
      const sources = { agent, engine, scripts: container.get(SCRIPTS) };
      const dumps = new Dumps(sources, options.dumpDirectory ?? options.runtimeDir, log);
      signals.attach({
        stop: (why) => agent.stop(why),
        reload: () => agent.reload(),
        dump: (what) => void dumps.write(what),
        clearStatistics: () => void dumps.clear(),
      });
      process.on('uncaughtException', (error) => agent.abandon(error));
      setTimeout(releaseMemory, SETTLED_MS).unref();
      return EXITS[await agent.run()];
    } finally {
      for (const pidFile of pidFiles) pidFile.remove();
      await control.close();
    }
  } catch (error) {
    if (!isEnvironmental(error)) throw error;
    log.log('error', 'cannot-start', { why: (error as Error).message });
    return EXIT_FAILED;
  } finally {
    log.flush(true);
  }
}

/** Whether the machine is in the way, and not a bug of ours. */
const isEnvironmental = (error: unknown): boolean =>
  error instanceof ControlSocketError ||
  error instanceof NativeAddonError ||
  error instanceof PortableTransportError ||
  typeof (error as Partial<NodeJS.ErrnoException>).syscall === 'string';
