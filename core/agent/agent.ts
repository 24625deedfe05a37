// The main thread's conductor: takes a configuration, starts what it needs, carries messages between the engine,
// the trackers, whoever is told of changes, and people, and ends everything in order. Every effect is behind a port.
import type { Configuration } from '../config/model.ts';
import type { EngineEvent } from '../engine/messages.ts';
import { virtualLinksOf } from '../engine/virtual-interfaces.ts';
import type { Timing } from '../ports/process.ts';
import { after, type Micros, seconds } from '../units.ts';
import type { AcceptMode } from './accept-mode.ts';
import type { EngineClient } from './engine-client.ts';
import { engineConfig } from './engine-config.ts';
import type { Teller } from './events.ts';
import type { LogFields, Logger } from './log.ts';
import type { PeerNames } from './peer-names.ts';
import type { VettedCommands } from './script-security.ts';
import type { Trackers } from './trackers.ts';

/** A configuration that may run, with the verdicts on its programs. */
export interface Loaded {
  readonly configuration: Configuration;
  readonly vetted: VettedCommands;
}

/** What the service manager wants to know (sd_notify(3)). */
export interface ServiceManager {
  ready(): void;
  reloading(): void;
  stopping(): void;
  status(text: string): void;
}

export interface AgentDependencies {
  readonly logger: Logger;
  readonly timing: Timing;
  readonly engine: EngineClient;
  readonly trackers: Trackers;
  readonly peerNames: PeerNames;
  readonly teller: Teller;
  readonly service: ServiceManager;
  /** Reads the file anew and logs what is wrong with it; undefined: it cannot run. */
  readonly load: () => Promise<Loaded | undefined>;
  /** Removes every configured address from the main thread: the engine can no longer do it. */
  readonly removeAddresses: (configuration: Configuration) => void;
  readonly acceptMode: AcceptMode;
  /** Removes interfaces that were made for virtual routers; others of these names are left alone. */
  readonly removeLinks: (names: readonly string[]) => void;
}

/** How the agent ended. */
export type Ending = 'stopped' | 'unable' | 'failed';

/** The engine may take this long to give up when the agent met a bug. */
const LAST_WORD: Micros = seconds(1);
/** Programs of the last notifications may take this long at the end. */
const LAST_NOTIFICATIONS: Micros = seconds(5);

export class Agent {
  readonly #io: AgentDependencies;
  readonly #ended = Promise.withResolvers<Ending>();
  #loaded: Loaded;
  #reloading: Promise<void> | undefined;
  #reloadAgain = false;
  #stopping = false;
  #failed = false;

  constructor(dependencies: AgentDependencies, loaded: Loaded) {
    this.#io = dependencies;
    this.#loaded = loaded;
  }

  get configuration(): Configuration {
    return this.#loaded.configuration;
  }

  /** Starts everything; fulfilled when all has ended. */
  async run(): Promise<Ending> {
    const { engine, logger } = this.#io;
    engine.start(
      (event) => this.#hear(event),
      () => this.#engineDied('it gave no sign of life'),
    );
    this.#io.peerNames.onPeers((configuration) => this.#changePeers(configuration));
    this.#apply(this.#loaded, undefined);
    const ending = await this.#ended.promise;
    engine.stop();
    await Promise.all([this.#io.trackers.stop(), this.#io.teller.drain(LAST_NOTIFICATIONS)]);
    logger.log('info', 'stopped');
    return ending;
  }

  /** The file is read again; a broken one changes nothing. Requests that come meanwhile make one more reading. */
  reload(): void {
    if (this.#stopping) return;
    if (this.#reloading !== undefined) {
      this.#reloadAgain = true;
      return;
    }
    this.#reloading = this.#reload().finally(() => {
      this.#reloading = undefined;
      if (!this.#reloadAgain) return;
      this.#reloadAgain = false;
      this.reload();
    });
  }

  /** Hands over and ends; a second call does not wait for a successor any longer. */
  stop(why: string): void {
    const immediate = this.#stopping;
    this.#stopping = true;
    this.#io.engine.send({ type: 'stop', immediate }); // before anything that takes time
    this.#io.teller.stopping();
    const handover = immediate ? 'not awaited' : 'until the successor is heard';
    this.#io.logger.log('info', 'stopping', { why, handover });
    this.#io.service.stopping();
  }

  /** A bug somewhere in this thread: the engine gives everything up, and the process ends. */
  abandon(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#stopping = true;
    this.#io.engine.send({ type: 'stop', immediate: true });
    const { logger, timing } = this.#io;
    logger.log('error', 'bug', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    const cancel = timing.setTimer(after(timing.now(), LAST_WORD), () => this.#engineDied('it did not end'));
    void this.#ended.promise.then(cancel);
  }

  async #reload(): Promise<void> {
    const { logger, service, load } = this.#io;
    service.reloading();
    const loaded = await load();
    if (loaded === undefined) logger.log('error', 'reload-refused', { effect: 'the running configuration stays' });
    else if (!this.#stopping) {
      const before = this.configuration;
      this.#loaded = loaded;
      this.#apply(loaded, before);
      logger.log('info', 'reloaded', { instances: loaded.configuration.instances.length });
    }
    service.ready();
  }

  #apply({ configuration: wanted, vetted }: Loaded, before: Configuration | undefined): void {
    const { engine, trackers, peerNames, teller, logger, acceptMode } = this.#io;
    const configuration = peerNames.resolve(acceptMode.configure(wanted), before);
    this.#loaded = { configuration, vetted };
    for (const { level, text } of vetted.findings) logger.log(level, 'script', { detail: text });
    const config = engineConfig(before, configuration);
    teller.configure(configuration, vetted, config.removed);
    const verdicts = trackers.configure(configuration, vetted);
    engine.send({ type: 'configure', config, verdicts });
  }

  /** Names of peers mean other addresses than before: the engine hears of that, and of nothing else. */
  #changePeers(configuration: Configuration): void {
    if (this.#stopping) return;
    const { engine, trackers } = this.#io;
    const config = engineConfig(this.configuration, configuration);
    this.#loaded = { ...this.#loaded, configuration };
    engine.send({ type: 'configure', config, verdicts: trackers.verdicts() });
  }

  #hear(event: EngineEvent): void {
    const { logger, engine, service, teller } = this.#io;
    teller.hear(event);
    switch (event.type) {
      case 'configured':
        service.ready();
        logger.log('info', 'running', { instances: this.configuration.instances.length });
        break;
      case 'transition':
        this.#tellTransition(event);
        break;
      case 'group-transition':
        logger.log('info', 'group-transition', { group: event.group, from: event.from, to: event.to });
        break;
      case 'master-seen':
        logger.log('info', 'master', fieldsOf(event));
        break;
      case 'drop': {
        const { instance, why, source, count } = event;
        logger.log('warning', 'dropped', { instance: instance || undefined, why, source, count });
        break;
      }
      case 'log':
        logger.log(event.level, 'engine', { detail: event.text });
        break;
      case 'fenced':
        logger.log('error', 'fenced', {
          why: event.why,
          effect: 'every address was given up; starting again as backup',
        });
        engine.send({ type: 'resume', epoch: event.epoch });
        break;
      case 'stall':
        logger.log('warning', 'stall', { seconds: Math.round(event.duration / 1_000) / 1_000 });
        break;
      case 'links-unused':
        this.#io.removeLinks(event.names);
        break;
      case 'stopped':
        this.#cleanUp();
        this.#ended.resolve(this.#failed ? 'failed' : 'stopped');
        break;
      case 'unable':
        logger.log('error', 'cannot-start', { why: event.why });
        this.#ended.resolve('unable');
        break;
      case 'failed':
        logger.log('error', 'engine-failed', { error: event.error });
        this.#engineDied('it met a bug');
        break;
      case 'lower-priority-heard': {
        const { instance, source, count } = event;
        logger.limited(`rival ${instance}`, 'warning', 'lower-priority-heard', { instance, source, count });
        break;
      }
      case 'priority-changed':
        logger.log('info', 'priority', { instance: event.instance, priority: event.priority });
        break;
      case 'bfd-transition': {
        const { session, neighbor, from, to, why } = event;
        logger.log(to === 'Up' ? 'info' : 'warning', 'bfd', { session, neighbor, from, to, why });
        break;
      }
      case 'snapshot':
        break; // the client's
    }
  }

  #tellTransition(event: Extract<EngineEvent, { type: 'transition' }>): void {
    const { logger, service } = this.#io;
    const { instance, from, to, why, detail, priority } = event;
    logger.log('info', 'transition', { instance, from, to, why, detail: detail || undefined, priority });
    service.status(`${instance} ${to}`);
  }

  /** Last of all: it takes longer than everything else, and by then there is no address. */
  #cleanUp(): void {
    this.#io.acceptMode.close();
    const names = this.configuration.instances.flatMap(virtualLinksOf).map(({ name }) => name);
    if (names.length > 0) this.#io.removeLinks(names);
  }

  #engineDied(why: string): void {
    this.#io.logger.log('error', 'engine-lost', { why, effect: 'removing every address and ending' });
    this.#io.removeAddresses(this.configuration);
    this.#cleanUp();
    this.#ended.resolve('failed');
  }
}

function fieldsOf({ instance, source, priority, interval }: Extract<EngineEvent, { type: 'master-seen' }>): LogFields {
  return { instance, source, priority, interval: `${interval / 1_000}ms` };
}
