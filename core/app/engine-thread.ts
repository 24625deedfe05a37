// The composition root of the real-time thread: opens its sockets, builds the engine, runs it to the end.
// Loaded as a worker; its whole life is one call of Engine.run, which never returns to the event loop.
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { NetlinkProvider } from '../../providers/netlink/index.ts';
import { Engine, type Inbox } from '../engine/engine.ts';
import { LeaseWatch } from '../engine/lease.ts';
import { LinkTable } from '../engine/links.ts';
import type { EngineCommand, EngineEvent } from '../engine/messages.ts';
import { LinuxClock } from '../system/clock.ts';
import { releaseMemory } from '../system/memory.ts';
import { loadNative } from '../system/native/index.ts';
import { LinuxNetwork } from '../system/network.ts';
import { type Descriptor, LinuxPoller } from '../system/poller.ts';
import { prepareEngineThread } from '../system/process.ts';
import { Wakeup } from '../system/wakeup.ts';
import { seconds } from '../units.ts';

/** What the main thread hands over. */
export interface EngineThreadData {
  readonly port: MessagePort;
  /** See core/engine/lease.ts. */
  readonly lease: SharedArrayBuffer;
  /** Handle of the Wakeup that announces commands. */
  readonly wakeup: number;
  /** SCHED_RR priority 1..99; undefined: ordinary scheduling. */
  readonly realtimePriority: number | undefined;
}

/** Until the first configuration says otherwise. */
const FIRST_LEASE = seconds(10);

const { port, lease, wakeup, realtimePriority } = workerData as EngineThreadData;
const post = (event: EngineEvent): void => port.postMessage(event);

try {
  const engine = build();
  releaseMemory();
  engine.run();
} catch (error) {
  post({ type: 'failed', error: (error as Error).message });
}
port.close();

function build(): Engine {
  const native = loadNative();
  for (const { what, code, fix } of prepareEngineThread(native, realtimePriority))
    post({ type: 'log', level: 'warning', text: `${what} was refused (${code}): ${fix}` });
  const clock = new LinuxClock(native);
  const network = new LinuxNetwork(native);
  const route = network.routeSocket();
  const monitor = network.routeMonitor();
  const links = new LinkTable(monitor, route);
  return new Engine({
    clock,
    wallClock: Date.now,
    poller: new LinuxPoller(native),
    network,
    links,
    monitor,
    provider: new NetlinkProvider({ route, frames: network.frameSocket(), links: (name) => links.get(name) }),
    lease: new LeaseWatch(lease, FIRST_LEASE, clock.now()),
    inbox: inboxOf(new Wakeup(native, wakeup)),
    post,
  });
}

/** Commands: the port holds them, the eventfd says that there are some. */
function inboxOf(bell: Wakeup): Inbox & Descriptor {
  return {
    handle: bell.handle,
    ready: false,
    take() {
      bell.drain();
      return receiveMessageOnPort(port)?.message as EngineCommand | undefined;
    },
  };
}
