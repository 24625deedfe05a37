// The threads that make checks: one for the plugins that come with the agent, one for each that load_plugin names, so
// that none can harm another. Finds the modules, and starts threads only when something needs them.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { builtInPlugins } from '../../plugins/index.ts';
import type { CheckThreads } from '../agent/check-tracker.ts';
import type { NotifierThreads } from '../agent/notify-plugins.ts';
import { riskOfModule } from '../agent/script-security.ts';
import { textOf } from '../checks/check-run.ts';
import type { CheckEvent } from '../checks/messages.ts';
import { type CheckThread, SupervisedThread, type ThreadWatcher } from '../checks/supervised-thread.ts';
import { type Language, languageWith, type PluginSource } from '../config/language.ts';
import type { PluginDescription } from '../plugin/notifier.ts';
import type { Timing } from '../ports/process.ts';
import { killGroups, systemTiming } from '../system/child-process.ts';
import { entryFile } from '../system/entry-file.ts';
import { SystemFiles } from '../system/files.ts';
import { builtInLanguage } from './built-in.ts';
import type { CheckThreadData } from './check-thread.ts';

/** Programs of one thread at once that are noted, so that none outlives it. */
const MOST_GROUPS = 256;
/** A plugin that needs more has a leak. */
const MOST_MEMORY_MIB = 128;
/** Where packages are looked for besides the directory of the configuration file and those above it. */
const PACKAGES = ['/etc/vipkeeper', '/usr/local/lib', '/usr/lib'];

export class CheckThreadPool implements CheckThreads, NotifierThreads {
  readonly #timing: Timing;
  /** The directory of the configuration file. */
  readonly #directory: string;
  readonly #threads = new Map<string | undefined, SupervisedThread>();
  readonly #sources = new Map<string, string>();
  #kept: ReadonlySet<string | undefined> = new Set();
  #keptBeside: ReadonlySet<string | undefined> = new Set();
  #watcherOf: (specifier: string | undefined) => ThreadWatcher = () => SILENT;

  constructor(timing: Timing, directory: string) {
    this.#timing = timing;
    this.#directory = directory;
  }

  listen(watcherOf: (specifier: string | undefined) => ThreadWatcher): void {
    this.#watcherOf = watcherOf;
  }

  sourceOf(name: string, kind: PluginDescription['kind'] = 'check'): string | undefined {
    return this.#sources.get(keyOf({ kind, name }));
  }

  get(specifier: string | undefined): SupervisedThread {
    const known = this.#threads.get(specifier);
    if (known !== undefined) return known;
    const name = specifier === undefined ? 'the built-in plugins' : `plugin ${specifier}`;
    const thread = new SupervisedThread(name, () => this.#start(specifier), this.#timing, {
      changed: (...args) => this.#watcherOf(specifier).changed(...args),
      log: (...args) => this.#watcherOf(specifier).log(...args),
      unable: (...args) => this.#watcherOf(specifier).unable(...args),
      lost: (why) => this.#watcherOf(specifier).lost(why),
    });
    this.#threads.set(specifier, thread);
    return thread;
  }

  keep(specifiers: ReadonlySet<string | undefined>): void {
    this.#kept = specifiers;
    for (const [specifier, thread] of this.#threads) {
      if (specifiers.has(specifier) || this.#keptBeside.has(specifier)) continue;
      thread.stop();
      this.#threads.delete(specifier);
    }
  }

  keepBeside(specifiers: ReadonlySet<string | undefined>): void {
    this.#keptBeside = specifiers;
  }

  release(): void {
    this.#keptBeside = new Set();
    this.keep(this.#kept);
  }

  /** The language of a file that names these plugins. */
  async languageFor(specifiers: readonly string[], strict: boolean): Promise<Language> {
    if (specifiers.length === 0) return builtInLanguage;
    return languageWith({ builtIn: builtInPlugins, loaded: await this.describe(specifiers, strict) });
  }

  /**
   * Asks modules what they can do. What cannot be used comes with the reason.
   * @param strict what others than root could change is not loaded (enable_script_security)
   */
  async describe(specifiers: readonly string[], strict = false): Promise<readonly PluginSource[]> {
    const taken = new Set(builtInPlugins.map(keyOf));
    const sources: PluginSource[] = [];
    for (const specifier of new Set(specifiers)) {
      const risk = await this.#riskOf(specifier);
      if (risk !== undefined && strict) {
        sources.push({ specifier, plugins: [], refused: `unsafe permissions: ${risk}` });
        continue;
      }
      const plugins = await this.get(specifier).described;
      if (typeof plugins === 'string') {
        sources.push({ specifier, plugins: [], refused: plugins });
        this.#threads.get(specifier)?.stop();
        this.#threads.delete(specifier);
        continue;
      }
      const clash = plugins.find((plugin) => taken.has(keyOf(plugin)));
      if (clash !== undefined) {
        sources.push({ specifier, plugins: [], refused: `there is another ${clash.kind} plugin called ${clash.name}` });
        continue;
      }
      for (const plugin of plugins) {
        taken.add(keyOf(plugin));
        this.#sources.set(keyOf(plugin), specifier);
      }
      sources.push({ specifier, plugins, ...(risk !== undefined && { risk }) });
    }
    return sources;
  }

  /** Its code runs in this process: who could change it? */
  async #riskOf(specifier: string): Promise<string | undefined> {
    let path: string;
    try {
      path = fileURLToPath(this.#find(specifier));
    } catch {
      return undefined; // its thread will say so
    }
    return await riskOfModule(path, new SystemFiles());
  }

  #start(specifier: string | undefined): CheckThread {
    try {
      return new WorkerCheckThread(specifier === undefined ? undefined : this.#find(specifier));
    } catch (error) {
      return new AbsentThread((error as Error).message);
    }
  }

  /** URL of a module by path or by the name of a package. @throws Error */
  #find(specifier: string): string {
    if (isAbsolute(specifier) || specifier.startsWith('.')) {
      const path = resolve(this.#directory, specifier);
      if (!existsSync(path)) throw new Error(`there is no file ${path}`);
      return pathToFileURL(path).href;
    }
    const { resolve: find } = createRequire(join(this.#directory, 'vipkeeper.conf'));
    const folders = [this.#directory, ...PACKAGES];
    try {
      return pathToFileURL(find(specifier, { paths: folders })).href;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
      throw new Error(`there is no package ${specifier} in node_modules of ${folders.join(', ')}`);
    }
  }
}

/** The language of a file, for one who only wants to read it: no thread stays. */
export async function languageOnce(file: string, plugins: readonly string[], strict: boolean): Promise<Language> {
  const pool = new CheckThreadPool(systemTiming, pluginDirectory(file));
  try {
    return await pool.languageFor(plugins, strict);
  } finally {
    pool.keep(new Set());
  }
}

/** Plugins of different kinds may have the same name. */
const keyOf = ({ kind, name }: Pick<PluginDescription, 'kind' | 'name'>): string => `${kind} ${name}`;

const SILENT: ThreadWatcher = { changed: () => {}, unable: () => {}, log: () => {}, lost: () => {} };

/** A worker with a channel of its own. */
class WorkerCheckThread implements CheckThread {
  readonly #worker: Worker;
  readonly #port: MessageChannel['port1'];
  readonly #groups: Int32Array;

  constructor(module: string | undefined) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#groups = new Int32Array(new SharedArrayBuffer(MOST_GROUPS * Int32Array.BYTES_PER_ELEMENT));
    const data: CheckThreadData = { port: port2, module, groups: this.#groups };
    this.#worker = new Worker(entryFile(import.meta.url, './check-thread'), {
      workerData: data,
      transferList: [port2],
      name: 'vipkeeper-checks',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MIB },
      // What a plugin prints must not look like the log of the agent.
      stdout: true,
      stderr: true,
    });
  }

  send(command: Parameters<CheckThread['send']>[0]): void {
    this.#port.postMessage(command);
  }

  listen(onEvent: (event: CheckEvent) => void, onEnd: (why: string) => void): void {
    let why = 'it ended by itself';
    this.#port.on('message', onEvent);
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    // Whatever a plugin throws, null too: an exception here would end the agent.
    this.#worker.once('error', (error: unknown) => {
      const full = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      why = full ? `it used more than ${MOST_MEMORY_MIB} MiB` : textOf(error);
    });
    this.#worker.once('exit', () => {
      killGroups(this.#groups);
      this.#port.close();
      onEnd(why);
    });
  }

  terminate(): void {
    void this.#worker.terminate();
    // Not only at its exit: the agent may be about to end, too.
    killGroups(this.#groups);
  }
}

/** Stands for a module that was not found. */
class AbsentThread implements CheckThread {
  readonly #why: string;

  constructor(why: string) {
    this.#why = why;
  }

  send(): void {}

  listen(onEvent: (event: CheckEvent) => void): void {
    queueMicrotask(() => onEvent({ type: 'refused', why: this.#why }));
  }

  terminate(): void {}
}

/** Where a configuration file looks for its plugins. */
export const pluginDirectory = (configFile: string): string => dirname(resolve(configFile));
