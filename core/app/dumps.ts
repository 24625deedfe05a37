// keepalived's dump files, written when a signal asks for them: which text goes where.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../agent/log.ts';
import { keepalivedData } from '../control/keepalived-data.ts';
import { type DumpSources, dumpFile } from '../control/keepalived-dump.ts';
import { keepalivedJson } from '../control/keepalived-json.ts';
import { keepalivedStats } from '../control/keepalived-stats.ts';
import { writeAtomically } from '../system/atomic-file.ts';
import type { DumpKind } from './signals.ts';
import type { VerbSources } from './verbs.ts';

export class Dumps {
  readonly #sources: Pick<VerbSources, 'agent' | 'engine' | 'scripts'>;
  readonly #directory: string;
  readonly #logger: Logger;

  /** @param directory of files whose name the configuration does not say */
  constructor(sources: Pick<VerbSources, 'agent' | 'engine' | 'scripts'>, directory: string, logger: Logger) {
    this.#sources = sources;
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Writes the statistics and begins them anew, as keepalived does. Never rejects. */
  clear(): Promise<void> {
    return this.write('stats', true);
  }

  /** Never rejects: what goes wrong is logged. */
  async write(what: DumpKind, clear = false): Promise<void> {
    const { agent, engine, scripts } = this.#sources;
    try {
      const config = agent.configuration;
      const { instances: snapshots } = await engine.snapshot();
      if (clear) engine.send({ type: 'clear-statistics' });
      const file = this.#pathOf(what);
      await writeAtomically(file, this.#text(what, { config, snapshots, scripts: scripts.scripts(), resolve }));
      this.#logger.log('info', 'dumped', { what, file, cleared: clear || undefined, pid: process.pid });
    } catch (error) {
      this.#logger.log('error', 'dump-failed', { what, why: (error as Error).message });
    }
  }

  #text(what: DumpKind, sources: DumpSources): string {
    switch (what) {
      case 'data':
        return keepalivedData(sources);
      case 'stats':
        return keepalivedStats(sources);
      case 'json':
        return keepalivedJson(sources, sources.config.globals.jsonVersion ?? 1);
    }
  }

  #pathOf(what: DumpKind): string {
    const { globals } = this.#sources.agent.configuration;
    const { stateDumpFile, statsDumpFile, jsonDumpFile } = globals;
    const named = { data: stateDumpFile, stats: statsDumpFile, json: jsonDumpFile }[what];
    return dumpFile(named ?? join(this.#directory, `keepalived.${what}`), globals);
  }
}

/** The program behind symbolic links; as written when there is none. */
function resolve(program: string): string {
  try {
    return realpathSync(program);
  } catch {
    return program;
  }
}
