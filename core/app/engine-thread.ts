// The composition root of the real-time thread: opens its sockets, builds the engine, runs it to the end.
// Loaded as a worker; its whole life is one call of Engine.run, which never returns to the event loop.
import { getRandomValues } from 'node:crypto';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { NetlinkProvider } from '../../providers/netlink/index.ts';
import { NetlinkRoutes } from '../../providers/netlink/routes.ts';
import { Engine, type Inbox } from '../engine/engine.ts';
import { LeaseWatch } from '../engine/lease.ts';
import { LinkTable } from '../engine/links.ts';
import type { EngineCommand, EngineEvent } from '../engine/messages.ts';
import { PacedFrames } from '../engine/paced-frames.ts';
import { Promotion } from '../engine/promotion.ts';
import { rehearse, STAGE } from '../engine/rehearsal.ts';
import { VirtualInterfaces } from '../engine/virtual-interfaces.ts';
import type { IpAddress, MacAddress } from '../net/address.ts';
import { encodeIpv4Header } from '../net/ipv4.ts';
import { deleteAddressRequest } from '../net/rtnetlink.ts';
import type { Clock, FrameSocket, RouteSocket } from '../ports/engine-io.ts';
import { LinuxDatagrams } from '../system/bfd-socket.ts';
import { LinuxClock } from '../system/clock.ts';
import { releaseMemory } from '../system/memory.ts';
import { loadNative } from '../system/native/index.ts';
import { LinuxNetwork } from '../system/network.ts';
import { type Descriptor, LinuxPoller } from '../system/poller.ts';
import { prepareEngineThread } from '../system/process.ts';
import { receivedPackets } from '../system/received-packets.ts';
import { ProcSysctl } from '../system/sysctl.ts';
import { Wakeup } from '../system/wakeup.ts';
import { seconds } from '../units.ts';

/** What the main thread hands over. */
export interface EngineThreadData {
  readonly port: MessagePort;
  /** See core/engine/lease.ts. */
  readonly lease: SharedArrayBuffer;
  /** Handle of the Wakeup that announces commands. */
  readonly wakeup: number;
  /** SCHED_RR priority 1..99; 0: ordinary scheduling; undefined: the lowest one if the system allows it. */
  readonly realtimePriority: number | undefined;
}

/** Interface index of lo in every network namespace. */
const LOOPBACK = 1;
const LOCALHOST = '127.0.0.1' as IpAddress;
const REPETITIONS = 150;
const LOWEST_REALTIME = 1;
/** Until the first configuration says otherwise. */
const FIRST_LEASE = seconds(10);

const { port, lease, wakeup, realtimePriority } = workerData as EngineThreadData;
const post = (event: EngineEvent): void => port.postMessage(event);

const engine = attempt(build);
if (engine !== undefined) {
  releaseMemory();
  engine.run();
}
port.close();

function attempt(make: () => Engine): Engine | undefined {
  try {
    return make();
  } catch (error) {
    post({ type: 'unable', why: (error as Error).message });
    return undefined;
  }
}

function build(): Engine {
  const native = loadNative();
  // Above every ordinary thread, below everything else that has a real-time priority.
  const priority = realtimePriority ?? LOWEST_REALTIME;
  const level = realtimePriority === undefined ? 'info' : 'warning';
  for (const { what, code, fix } of prepareEngineThread(native, priority === 0 ? undefined : priority))
    post({ type: 'log', level, text: `${what} was refused (${code}): ${fix}` });
  const clock = new LinuxClock(native);
  const network = new LinuxNetwork(native);
  const route = network.routeSocket();
  const frames = network.frameSocket();
  const monitor = network.routeMonitor();
  const links = new LinkTable(monitor, route);
  const paced = new PacedFrames(frames, clock, links);
  rehearseAll(network, route, frames, clock);
  return new Engine({
    clock,
    wallClock: Date.now,
    poller: new LinuxPoller(native),
    network,
    datagrams: new LinuxDatagrams(native),
    random,
    received: receivedPackets,
    links,
    monitor,
    provider: new NetlinkProvider({
      route,
      frames: paced,
      links: (name) => links.get(name),
      letGo: (address) => paced.forget(address),
    }),
    routes: new NetlinkRoutes({ route, links: (name) => links.get(name) }),
    lease: new LeaseWatch(lease, FIRST_LEASE, clock.now()),
    inbox: inboxOf(new Wakeup(native, wakeup)),
    post,
    residents: (host) => [
      paced,
      new VirtualInterfaces({ ...host, links, sysctl: new ProcSysctl(), routeSocket: () => network.routeSocket() }),
      new Promotion(new ProcSysctl(), host.complain, (name) => links.get(name)?.index),
    ],
  });
}

/** 0 up to but not 1, from the kernel: discriminators of BFD sessions should not be guessed. */
function random(): number {
  return getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
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

/**
 * Compiles what a takeover runs: the protocol in virtual time, and the system calls with requests that mean nothing
 * (an address that the loopback interface does not have is deleted, frames of the experimental EtherType 0x88b5 and
 * adverts for VRID 0 go out of the loopback interface, which no router listens on).
 */
function rehearseAll(network: LinuxNetwork, route: RouteSocket, frames: FrameSocket, clock: Clock): void {
  const acknowledged = { error: 0, name: 'OK' };
  const stage = {
    route: {
      request: (messages: readonly Uint8Array[]) => messages.map(() => acknowledged),
      dump: () => {},
      close: () => {},
    },
    frames: { queue: () => {}, flush: () => [], close: () => {} },
    links: () => ({ ...STAGE, mac: '00:00:5e:00:53:01' as MacAddress }),
  };
  const paced = new PacedFrames(stage.frames, clock, { get: () => undefined });
  rehearse(new NetlinkProvider({ ...stage, frames: paced, letGo: (address) => paced.forget(address) }));
  const nothing = deleteAddressRequest({ index: LOOPBACK, address: '192.0.2.255' as IpAddress, prefix: 32 });
  const frame = new Uint8Array(60).fill(0xff, 0, 6);
  frame.set([0x88, 0xb5], 12);
  const packet = new Uint8Array(28);
  packet.set(encodeIpv4Header({ tos: 0, id: 0, ttl: 1, protocol: 112, source: LOCALHOST, destination: LOCALHOST }, 8));
  const socket = network.vrrpSocket({ interface: 'lo', ifindex: LOOPBACK, family: 4, protocol: 112 });
  try {
    for (let i = 0; i < REPETITIONS; i++) {
      socket.queue(packet, LOCALHOST);
      socket.flush();
      socket.receive(() => {}, 1);
      route.request([nothing]);
      frames.queue(frame, LOOPBACK);
      frames.flush();
    }
  } finally {
    socket.close();
  }
}
