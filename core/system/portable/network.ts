// The engine's sockets where our addon cannot be used: raw-socket for the adverts, the programs `ip` and `arping` for
// everything else. IPv4 only, on the main thread only. Knows no VRRP.
import type {
  Clock,
  EngineNetwork,
  FrameSocket,
  Pollable,
  Poller,
  RouteMonitor,
  RouteSocket,
  VrrpSocket,
  VrrpSocketSpec,
} from '../../ports/engine-io.ts';
import { networkError } from '../network.ts';
import { PortableFrameSocket } from './frame-socket.ts';
import { loadRawSocket } from './raw-socket.ts';
import { PortableRouteMonitor } from './route-monitor.ts';
import { PortableRouteSocket } from './route-socket.ts';
import { PortableVrrpSocket } from './vrrp-socket.ts';

export class PortableNetwork implements EngineNetwork {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #frames: PortableFrameSocket;
  readonly #route: PortableRouteSocket;

  /**
   * @param wake called on the event loop when a socket or the monitor has news
   * @throws PortableTransportError
   */
  constructor(clock: Clock, wake: () => void) {
    loadRawSocket();
    this.#clock = clock;
    this.#wake = wake;
    this.#route = new PortableRouteSocket((address) => this.#frames.cancel(address));
    this.#frames = new PortableFrameSocket((index) => this.#route.nameOf(index));
  }

  /** @throws NetworkError */
  vrrpSocket(spec: VrrpSocketSpec): VrrpSocket {
    try {
      return new PortableVrrpSocket(spec, this.#clock, this.#wake);
    } catch (cause) {
      throw networkError(`the IPv${spec.family} VRRP socket on ${spec.interface}`, cause);
    }
  }

  frameSocket(): FrameSocket {
    return this.#frames;
  }

  routeSocket(): RouteSocket {
    return this.#route;
  }

  /** @throws Error when the program ip cannot be run */
  routeMonitor(): RouteMonitor {
    return new PortableRouteMonitor(this.#wake);
  }
}

/** The event loop waits; by the time of a turn anything may be readable, and asking is cheap. */
export class EventLoopPoller implements Poller {
  readonly #sources = new Set<Pollable>();

  add(source: Pollable): void {
    this.#sources.add(source);
  }

  remove(source: Pollable): void {
    this.#sources.delete(source);
  }

  wait(): void {
    for (const source of this.#sources) source.ready = true;
  }
}
