// How the long-lived services are made, one module a concern. Nothing else in the product knows the container.
import { hostname } from 'node:os';
import { Container, ContainerModule } from 'inversify';
import { NetlinkProvider } from '../../providers/netlink/index.ts';
import { NetlinkRoutes } from '../../providers/netlink/routes.ts';
import { AcceptMode } from '../agent/accept-mode.ts';
import { Agent, type Loaded, type ServiceManager } from '../agent/agent.ts';
import { CheckTracker } from '../agent/check-tracker.ts';
import { EngineClient } from '../agent/engine-client.ts';
import { Teller } from '../agent/events.ts';
import { FifoNotifier } from '../agent/fifo.ts';
import { Log, type Logger } from '../agent/log.ts';
import { logFormatter } from '../agent/log-format.ts';
import { MailNotifier } from '../agent/mail.ts';
import { Notifier } from '../agent/notifier.ts';
import { NotifyPlugins } from '../agent/notify-plugins.ts';
import { PeerNames } from '../agent/peer-names.ts';
import { ScriptTracker } from '../agent/script-tracker.ts';
import { Trackers } from '../agent/trackers.ts';
import type { Configuration } from '../config/model.ts';
import { ControlServer } from '../control/server.ts';
import { LinkTable } from '../engine/links.ts';
import { removeLinks } from '../engine/virtual-links.ts';
import type { EngineNetwork } from '../ports/engine-io.ts';
import { ChildProcesses, systemTiming } from '../system/child-process.ts';
import { SystemFifos } from '../system/fifo.ts';
import { SystemFiles } from '../system/files.ts';
import { SmtpMailer } from '../system/mail.ts';
import { SystemNames } from '../system/names.ts';
import type { Native } from '../system/native/index.ts';
import { NftFirewall } from '../system/nftables.ts';
import { ProgramNotifier } from '../system/portable/service-notifier.ts';
import { ServiceNotifier } from '../system/sd-notify.ts';
import { nativeOrAbsent, whyAbsent } from './addon.ts';
import { CheckThreadPool, pluginDirectory } from './check-threads.ts';
import { ConfigurationFile } from './configuration-file.ts';
import { logSink } from './log-target.ts';
import { MainThread } from './main-thread.ts';
import {
  AGENT,
  CHECK_THREADS,
  CHECKS,
  CONFIGURATION_FILE,
  CONTROL,
  ENGINE,
  ENGINE_THREAD,
  FILES,
  FIRST,
  LOG,
  NATIVE,
  NOTIFIERS,
  OPTIONS,
  PEER_NAMES,
  PROCESSES,
  type RunOptions,
  SCRIPTS,
  TELLER,
  TIMING,
  TRACKERS,
  TRANSPORT,
} from './tokens.ts';
import { admissible, type ChosenTransport, changeOf, chooseTransport, networkOf } from './transport.ts';
import { controlVerbs } from './verbs.ts';
import { VERSION } from './version.ts';
import { watchers } from './watchers.ts';
import { WorkerThread } from './worker-thread.ts';

/** The machine: native calls, time, files, programs. */
const machine = new ContainerModule(({ bind }) => {
  bind(NATIVE).toResolvedValue(nativeOrAbsent).inSingletonScope();
  bind(TIMING).toConstantValue(systemTiming);
  bind(FILES)
    .toResolvedValue(() => new SystemFiles())
    .inSingletonScope();
  bind(PROCESSES)
    .toResolvedValue(() => new ChildProcesses())
    .inSingletonScope();
});

/** What people read and write: log, configuration, control socket. */
const people = new ContainerModule(({ bind }) => {
  bind(LOG)
    .toResolvedValue(
      ({ detail, logFormat = 'text', logTarget }: RunOptions) =>
        new Log({
          sink: logSink(logTarget),
          format: logFormatter(logFormat),
          now: Date.now,
          level: detail ? 'debug' : 'info',
          timestamps: process.env['JOURNAL_STREAM'] === undefined,
        }),
      [OPTIONS],
    )
    .inSingletonScope();
  bind(CHECK_THREADS)
    .toResolvedValue(
      (timing, { configFile }: RunOptions) => new CheckThreadPool(timing, pluginDirectory(configFile)),
      [TIMING, OPTIONS],
    )
    .inSingletonScope();
  bind(CONFIGURATION_FILE)
    .toResolvedValue(
      ({ configFile, configId }: RunOptions, files, log, threads) =>
        new ConfigurationFile(configFile, files, log, (names, strict) => threads.languageFor(names, strict), configId),
      [OPTIONS, FILES, LOG, CHECK_THREADS],
    )
    .inSingletonScope();
  bind(CONTROL)
    .toResolvedValue(
      ({ runtimeDir }: RunOptions, log, agent, engine, scripts, checks, trackers, peerNames, file, transport) =>
        new ControlServer({
          runtimeDir,
          verbs: controlVerbs({ agent, engine, scripts, checks, trackers, peerNames, file, transport }),
          onError: (verb, error) => log.log('error', 'control', { verb, error: String(error) }),
        }),
      [OPTIONS, LOG, AGENT, ENGINE, SCRIPTS, CHECKS, TRACKERS, PEER_NAMES, CONFIGURATION_FILE, TRANSPORT],
    )
    .inSingletonScope();
});

/** The agent and what it conducts. */
const conductor = new ContainerModule(({ bind }) => {
  bind(TRANSPORT)
    .toResolvedValue(
      ({ transport }: RunOptions, native, { configuration }: Loaded) =>
        chooseTransport(transport ?? configuration.globals.transport, whyAbsent(native)),
      [OPTIONS, NATIVE, FIRST],
    )
    .inSingletonScope();
  bind(ENGINE_THREAD)
    .toResolvedValue(
      (native: Native, { configuration }: Loaded, { name }: ChosenTransport) =>
        name === 'native' ? new WorkerThread(native, configuration.globals.realtimePriority) : new MainThread(),
      [NATIVE, FIRST, TRANSPORT],
    )
    .inSingletonScope();
  bind(ENGINE)
    .toResolvedValue((thread, timing) => new EngineClient(thread, timing), [ENGINE_THREAD, TIMING])
    .inSingletonScope();
  bind(SCRIPTS)
    .toResolvedValue(
      (processes, timing, log, notifiers) =>
        new ScriptTracker({
          processes,
          timing,
          onScript: ({ script, up, detail }) => {
            log.log(up === false ? 'warning' : 'info', 'check', { script, up, detail: detail || undefined });
            if (up !== undefined) notifiers.checked(script, up, detail);
          },
        }),
      [PROCESSES, TIMING, LOG, NOTIFIERS],
    )
    .inSingletonScope();
  bind(CHECKS)
    .toResolvedValue(
      (threads, logger, notifiers) =>
        new CheckTracker({
          threads,
          onCheck: ({ check, up, detail }) => {
            logger.log(up ? 'info' : 'warning', 'check', { check, up, detail: detail || undefined });
            notifiers.checked(check, up, detail);
          },
          log: (level, text, check) => logger.log(level, 'check', { check, detail: text }),
        }),
      [CHECK_THREADS, LOG, NOTIFIERS],
    )
    .inSingletonScope();
  bind(PEER_NAMES)
    .toResolvedValue(
      (timing, logger) => new PeerNames({ names: new SystemNames(), timing, logger, random: Math.random }),
      [TIMING, LOG],
    )
    .inSingletonScope();
  bind(TRACKERS)
    .toResolvedValue(
      (engine, scripts, checks, peerNames, teller, native, timing, log) =>
        new Trackers({
          sources: [scripts, checks, ...watchers(native, timing, log), peerNames],
          onVerdict: (verdict) => {
            engine.send({ type: 'track', verdict });
            teller.judged(verdict);
          },
        }),
      [ENGINE, SCRIPTS, CHECKS, PEER_NAMES, TELLER, NATIVE, TIMING, LOG],
    )
    .inSingletonScope();
  bind(NOTIFIERS)
    .toResolvedValue(
      (threads, timing, logger) =>
        new NotifyPlugins({
          threads,
          timing,
          logger,
          random: Math.random,
          origin: { host: hostname(), pid: process.pid, agentVersion: VERSION },
        }),
      [CHECK_THREADS, TIMING, LOG],
    )
    .inSingletonScope();
  bind(TELLER)
    .toResolvedValue(
      (processes, timing, logger, notifiers) =>
        // keepalived's order: programs, pipes, mail; then ours.
        new Teller([
          new Notifier({ processes, timing, logger }),
          new FifoNotifier({ fifos: new SystemFifos(), processes, timing, logger }),
          new MailNotifier({ mailer: new SmtpMailer(), timing, logger }),
          notifiers,
        ]),
      [PROCESSES, TIMING, LOG, NOTIFIERS],
    )
    .inSingletonScope();
  bind(AGENT)
    .toResolvedValue(
      (
        logger,
        timing,
        engine,
        trackers,
        peerNames,
        teller,
        native,
        file,
        first,
        { onReady, ...asked }: RunOptions,
        transport,
      ) =>
        new Agent(
          {
            logger,
            timing,
            engine,
            trackers,
            peerNames,
            teller,
            service: serviceManager(native, onReady),
            load: async () => {
              const loaded = await file.read();
              const change = asked.transport === undefined ? changeOf(loaded, transport) : undefined;
              if (change !== undefined) logger.log('warning', 'transport', { detail: change });
              return admissible(loaded, transport, file);
            },
            removeAddresses: (configuration) => removeAddresses(networkOf(transport, native), configuration),
            acceptMode: new AcceptMode(new NftFirewall(), logger),
            removeLinks: (names) => removeLinksOf(networkOf(transport, native), names, logger),
          },
          first,
        ),
      [LOG, TIMING, ENGINE, TRACKERS, PEER_NAMES, TELLER, NATIVE, CONFIGURATION_FILE, FIRST, OPTIONS, TRANSPORT],
    )
    .inSingletonScope();
});

export function buildContainer(options: RunOptions): Container {
  const container = new Container();
  container.bind(OPTIONS).toConstantValue(options);
  container.load(machine, people, conductor);
  return container;
}

/** systemd, and whoever waits for the agent to be ready. */
function serviceManager(native: Native, onReady: (() => void) | undefined): ServiceManager {
  const systemd =
    whyAbsent(native) === undefined
      ? new ServiceNotifier(native, process.env, process.pid)
      : new ProgramNotifier(process.env);
  if (onReady === undefined) return systemd;
  return {
    ready: () => {
      systemd.ready();
      onReady();
    },
    reloading: () => systemd.reloading(),
    stopping: () => systemd.stopping(),
    status: (text) => systemd.status(text),
  };
}

/** In this thread: the kernel takes its time for it, and holds up whoever asks for addresses meanwhile. */
function removeLinksOf(network: EngineNetwork, names: readonly string[], logger: Logger): void {
  try {
    const removed = removeLinks(new Set(names), network.routeSocket());
    if (removed.length > 0) logger.log('info', 'interfaces-removed', { names: removed.join(' ') });
  } catch (error) {
    logger.log('error', 'interfaces-left', { names: names.join(' '), why: String(error) });
  }
}

/** The last resort when the engine is gone: its work, done from here. */
function removeAddresses(network: EngineNetwork, { instances }: Configuration): void {
  const route = network.routeSocket();
  const links = new LinkTable({ ready: false, receive: () => 'ok', close: () => {} }, route);
  const provider = new NetlinkProvider({ route, frames: network.frameSocket(), links: (name) => links.get(name) });
  provider.unbind(instances.flatMap(({ vips, excludedVips }) => [...vips, ...excludedVips]));
  const routes = new NetlinkRoutes({ route, links: (name) => links.get(name) });
  routes.remove(instances.flatMap(({ routes: ours = [], rules = [] }) => [...ours, ...rules]));
}
