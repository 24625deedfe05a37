// All notifiers that plugins make: who is told of which event, each by a courier of its own, through the threads of the
// plugins. Beside keepalived's notifications, which stay as they are. Runs no code of a plugin.
import type { Delivery, NotifierPlan } from '../checks/messages.ts';
import type { Configuration, NotifierConfig } from '../config/model.ts';
import type { EngineEvent } from '../engine/messages.ts';
import type { NotifyResult } from '../plugin/notifier.ts';
import type { Timing } from '../ports/process.ts';
import type { Micros } from '../units.ts';
import type { NoticeSink } from './events.ts';
import type { Logger } from './log.ts';
import { NotifyCourier } from './notify-courier.ts';
import { type EventFacts, EventMaker, type EventOrigin, factsOf } from './notify-events.ts';

/** A thread that makes notifiers. */
export interface NotifierThread {
  configureNotifiers(plans: readonly NotifierPlan[]): void;
  deliver(delivery: Delivery, timeout: Micros): Promise<NotifyResult>;
}

/** Gives the thread of a plugin; the same one as long as it is kept. */
export interface NotifierThreads {
  /** @param specifier what load_plugin names; undefined: the plugins that come with the agent */
  get(specifier: string | undefined): NotifierThread;
  /** Which load_plugin a plugin came from; undefined: it came with the agent. */
  sourceOf(plugin: string, kind: 'notifier'): string | undefined;
  /** These are needed besides those that the checks need. */
  keepBeside(specifiers: ReadonlySet<string | undefined>): void;
  /** None is needed besides them any more. */
  release(): void;
}

export interface NotifyPluginsOptions {
  readonly threads: NotifierThreads;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly random: () => number;
  readonly origin: EventOrigin;
}

interface Entry {
  config: NotifierConfig;
  readonly courier: NotifyCourier;
}

export class NotifyPlugins implements NoticeSink {
  readonly #options: NotifyPluginsOptions;
  readonly #maker: EventMaker;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #configuration: Pick<Configuration, 'globals' | 'instances' | 'groups'> | undefined;
  /** Those of before the latest reload too: their end is told after it. */
  #instances: ReadonlyMap<string, Configuration['instances'][number]> = new Map();
  #threads: ReadonlyMap<string | undefined, NotifierThread> = new Map();

  constructor(options: NotifyPluginsOptions) {
    this.#options = options;
    this.#maker = new EventMaker(options.origin, () => options.timing.wallTime());
  }

  configure(configuration: Configuration): void {
    const { instances, notifiers = [] } = configuration;
    const begun = this.#configuration !== undefined;
    this.#configuration = configuration;
    this.#instances = new Map([
      ...[...this.#instances].filter(([name]) => !instances.some((one) => one.name === name)).slice(-instances.length),
      ...instances.map((instance) => [instance.name, instance] as const),
    ]);
    const before = this.#entries;
    this.#entries = new Map(notifiers.map((config) => [config.name, this.#entry(config, before.get(config.name))]));
    for (const [name, { courier }] of before) if (!this.#entries.has(name)) courier.close('it is no longer configured');
    this.#assign(configuration);
    if (begun) this.#tell({ type: 'agent', reason: 'reloaded' });
  }

  /** keepalived's notices are told by others. */
  notify(): void {}

  hear(event: EngineEvent): void {
    if (this.#entries.size === 0) return;
    const facts = factsOf(event, (name) => this.#instances.get(name));
    if (facts !== undefined) this.#tell(facts);
  }

  /** A check or script changed what it says. */
  checked(check: string, up: boolean, detail: string): void {
    this.#tell({ type: 'check', check, from: up ? 'down' : 'up', to: up ? 'up' : 'down', detail });
  }

  async drain(timeout: Micros): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ courier }) => courier.drain(timeout)));
    for (const thread of this.#threads.values()) thread.configureNotifiers([]);
    this.#options.threads.release();
  }

  #tell(facts: EventFacts): void {
    const routerId = this.#configuration?.globals.routerId ?? '';
    const takers = [...this.#entries.values()].filter(({ config }) => this.#isFor(config, facts));
    if (takers.length === 0) return;
    const event = this.#maker.make(facts, routerId);
    for (const { courier } of takers) courier.push(event);
  }

  #isFor({ events, instances }: NotifierConfig, { type, instance, group }: EventFacts): boolean {
    if (!events.includes(type)) return false;
    if (instances === undefined) return true;
    if (instance !== undefined) return instances.includes(instance);
    if (group === undefined) return true;
    const members = this.#configuration?.groups.find(({ name }) => name === group)?.members ?? [];
    return members.some((member) => instances.includes(member));
  }

  #entry(config: NotifierConfig, old: Entry | undefined): Entry {
    if (old !== undefined) {
      old.config = config;
      old.courier.replan(config);
      return old;
    }
    const { timing, logger, random } = this.#options;
    const entry: Entry = {
      config,
      courier: new NotifyCourier(config, {
        timing,
        logger,
        random,
        deliver: (events) => {
          const { name: notifier, plugin, timeout } = entry.config;
          const thread = this.#threads.get(this.#sourceOf(plugin));
          if (thread === undefined) return Promise.resolve({ ok: false, why: 'its plugin is not there' });
          return thread.deliver({ notifier, events }, timeout);
        },
      }),
    };
    return entry;
  }

  #sourceOf(plugin: string): string | undefined {
    return this.#options.threads.sourceOf(plugin, 'notifier');
  }

  /** Each thread gets its notifiers; one that has none any more hears of that. */
  #assign({ notifiers = [], plugins = [], globals }: Configuration): void {
    const { threads } = this.#options;
    const { scriptUser, enableScriptSecurity: strict } = globals;
    const programs = { user: scriptUser?.user, group: scriptUser?.group, strict };
    const bySource = Map.groupBy(notifiers, ({ plugin }) => this.#sourceOf(plugin));
    threads.keepBeside(new Set(bySource.keys()));
    for (const [source, thread] of this.#threads) if (!bySource.has(source)) thread.configureNotifiers([]);
    this.#threads = new Map(
      [...bySource].map(([source, list]) => {
        const settings = plugins.find(({ specifier }) => specifier === source)?.settings ?? {};
        const thread = threads.get(source);
        thread.configureNotifiers(
          list.map(({ name, plugin, options, timeout }) => ({ name, plugin, options, settings, timeout, programs })),
        );
        return [source, thread];
      }),
    );
  }
}
