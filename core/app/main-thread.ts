// The engine on the main thread, for the transport raw-socket, which works nowhere else: each turn is one call from the
// event loop, by a timer for the next deadline, by a socket, by a command. To the agent it looks like a thread.

import { NetlinkProvider } from '../../providers/netlink/index.ts';
import type { EngineThread } from '../agent/engine-client.ts';
import { Engine } from '../engine/engine.ts';
import { LeaseWatch, leaseMemory } from '../engine/lease.ts';
import { LinkTable } from '../engine/links.ts';
import type { EngineCommand, EngineEvent } from '../engine/messages.ts';
import { Promotion } from '../engine/promotion.ts';
import type { Clock, FrameSocket, RouteMonitor } from '../ports/engine-io.ts';
import { systemTiming } from '../system/child-process.ts';
import { EventLoopPoller, PortableNetwork } from '../system/portable/network.ts';
import { ProcSysctl } from '../system/sysctl.ts';
import { between, seconds } from '../units.ts';

/** Until the first configuration says otherwise. */
const FIRST_LEASE = seconds(10);
const clock: Clock = { now: systemTiming.now };

export class MainThread implements EngineThread {
  readonly lease = leaseMemory();
  readonly #commands: EngineCommand[] = [];
  readonly #events: EngineEvent[] = [];
  #engine: Engine | undefined;
  #open: readonly (RouteMonitor | FrameSocket)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #turnDue = false;
  #onEvent: (event: EngineEvent) => void = () => {};
  #onExit: () => void = () => {};

  send(command: EngineCommand): void {
    this.#commands.push(command);
    this.#wake();
  }

  listen(onEvent: (event: EngineEvent) => void, onExit: () => void): void {
    this.#onEvent = onEvent;
    this.#onExit = onExit;
    try {
      this.#engine = this.#build();
      this.#wake();
    } catch (error) {
      this.#post({ type: 'unable', why: (error as Error).message });
      this.#end();
    }
  }

  #build(): Engine {
    const network = new PortableNetwork(clock, () => this.#wake());
    const route = network.routeSocket();
    const frames = network.frameSocket();
    const monitor = network.routeMonitor();
    this.#open = [monitor, frames];
    const links = new LinkTable(monitor, route);
    return new Engine({
      clock,
      wallClock: Date.now,
      poller: new EventLoopPoller(),
      network,
      links,
      monitor,
      provider: new NetlinkProvider({ route, frames, links: (name) => links.get(name) }),
      lease: new LeaseWatch(this.lease, FIRST_LEASE, clock.now()),
      inbox: { ready: false, take: () => this.#commands.shift() },
      post: (event) => this.#post(event),
      residents: ({ complain }) => [new Promotion(new ProcSysctl(), complain, (name) => links.get(name)?.index)],
    });
  }

  /** The next turn comes when the loop has dealt with what happened already. */
  #wake(): void {
    if (this.#turnDue || this.#engine === undefined) return;
    this.#turnDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnDue = false;
    clearTimeout(this.#timer);
    const engine = this.#engine;
    if (engine === undefined) return;
    if (!engine.step()) {
      this.#end();
      return;
    }
    const wait = between(clock.now(), engine.wake) / 1_000;
    // Timers are whole milliseconds and must not be early: the engine would only look at the clock and wait again.
    if (wait <= 0) this.#wake();
    else this.#timer = setTimeout(() => this.#turn(), Math.ceil(wait));
  }

  /** Told after the turn, as from another thread: the agent's work must not delay adverts and addresses. */
  #post(event: EngineEvent): void {
    if (this.#events.push(event) > 1) return;
    setImmediate(() => {
      for (const each of this.#events.splice(0)) this.#onEvent(each);
    });
  }

  #end(): void {
    this.#engine = undefined;
    for (const each of this.#open) each.close();
    setImmediate(() => this.#onExit());
  }
}
