// Reads a configuration file with everything it includes, logs what is wrong with it, and vets the programs it names.
import { readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Loaded } from '../agent/agent.ts';
import type { Logger } from '../agent/log.ts';
import { vetConfiguration } from '../agent/script-security.ts';
import { type Diagnostic, type Place, redact, renderDiagnostic, withoutSecret } from '../config/diagnostics.ts';
import { type Language, pluginsNamed, strictAboutScripts } from '../config/language.ts';
import { load } from '../config/load.ts';
import { outlineOf } from '../config/outline.ts';
import { routeNames } from '../config/route-names.ts';
import type { Files } from '../ports/files.ts';
import { includeFiles } from '../system/include-files.ts';
import { nameFiles } from '../system/route-name-files.ts';
import { readSecretFile } from '../system/secret-file.ts';

export type LanguageFor = (plugins: readonly string[], strict: boolean) => Promise<Language>;

export class ConfigurationFile {
  readonly path: string;
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #configId: string | undefined;
  readonly #languageFor: LanguageFor;
  /** Virtual routers of the configuration in force. */
  #instances = 0;
  /** Milliseconds since 1970 at which the configuration in force was read. */
  loaded = 0;
  /** Why the latest reading was refused; undefined: it was not. */
  refusal: string | undefined;

  /**
   * @param languageFor the language of a file that names these plugins; strict: it says enable_script_security
   * @param configId what @ID lines are compared with; default: the host name up to its first dot
   */
  constructor(path: string, files: Files, logger: Logger, languageFor: LanguageFor, configId?: string) {
    this.#languageFor = languageFor;
    this.path = path;
    this.#configId = configId;
    this.#files = files;
    this.#logger = logger;
  }

  /** undefined: the file cannot be read or cannot run; everything about it is in the log. */
  async read(): Promise<Loaded | undefined> {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      return this.refuse(`cannot read ${this.path}: ${(error as Error).message}`);
    }
    const source = { file: this.path, text, directory: realpathSync(dirname(this.path)) };
    const options = {
      hostName: hostname(),
      environment: process.env,
      reader: { include: includeFiles },
      routeNames: routeNames(nameFiles),
      readSecret: readSecretFile,
      ...(this.#configId !== undefined && { configId: this.#configId }),
    };
    const { statements } = outlineOf(source, options);
    const language = await this.#languageFor(pluginsNamed(statements), strictAboutScripts(statements));
    const { configuration, diagnostics, sources } = load(source, { ...options, language });
    const lines = new Map(sources.map(({ file, text: content }) => [file, content.split(/\r?\n/)]));
    const lineOf = ({ file, line }: Place): string | undefined => lines.get(file)?.[line - 1];
    const findings = diagnostics.map((one) => withoutSecret(one, lineOf(one.place)));
    for (const finding of findings) this.#log(finding, lineOf(finding.place));
    if (configuration === undefined) {
      const first = findings.find(({ severity }) => severity === 'error')!;
      return this.refuse(renderDiagnostic(first, undefined).split('\n')[0]!);
    }
    // An empty or truncated file is no wish to give everything up: that is what stopping is for.
    if (configuration.instances.length === 0 && this.#instances > 0)
      return this.refuse(`${this.path} has no vrrp_instance; to give up every address stop the agent`);
    this.#instances = configuration.instances.length;
    this.refusal = undefined;
    this.loaded = Date.now();
    return { configuration, vetted: await vetConfiguration(configuration, this.#files) };
  }

  /** Says why a configuration does not come into force. */
  refuse(why: string): undefined {
    this.refusal = why;
    this.#logger.log('error', 'configuration-refused', { why });
    return undefined;
  }

  #log({ severity, code, place, message, suggestion }: Diagnostic, line: string | undefined): void {
    const at = `${place.file}:${place.line}:${place.column}`;
    const text = severity === 'info' || line === undefined ? undefined : redact(line).trim();
    this.#logger.log(severity, 'config', { at, code, detail: message, line: text, help: suggestion });
  }
}
