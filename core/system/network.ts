// The engine's sockets on Linux, with errors that say what is missing and what to do about it.
import type {
  EngineNetwork,
  FrameSocket,
  FrameTap,
  FrameTapSpec,
  RouteMonitor,
  RouteSocket,
  VrrpSocket,
  VrrpSocketSpec,
} from '../ports/engine-io.ts';
import { LinuxFrameSocket } from './frame-socket.ts';
import { LinuxFrameTap } from './frame-tap.ts';
import type { Native } from './native/index.ts';
import { LinuxRouteMonitor } from './route-monitor.ts';
import { LinuxRouteSocket } from './route-socket.ts';
import { LinuxVrrpSocket } from './vrrp-socket.ts';
import { LinuxVrrpTap } from './vrrp-tap.ts';

/** A socket could not be opened; `code` is the errno name, the message names the fix, `cause` is the system's error. */
export class NetworkError extends Error {
  readonly code: string;
  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.name = 'NetworkError';
    this.code = code;
  }
}

export class LinuxNetwork implements EngineNetwork {
  readonly #native: Native;

  constructor(native: Native) {
    this.#native = native;
  }

  /** @throws NetworkError */
  vrrpSocket(spec: VrrpSocketSpec): VrrpSocket {
    return open(`the IPv${spec.family} VRRP socket on ${spec.interface}`, () =>
      spec.below === true ? new LinuxVrrpTap(this.#native, spec) : new LinuxVrrpSocket(this.#native, spec),
    );
  }

  /** @throws NetworkError */
  frameSocket(): FrameSocket {
    return open('the packet socket', () => new LinuxFrameSocket(this.#native));
  }

  /** @throws NetworkError */
  frameTap(spec: FrameTapSpec): FrameTap {
    return open(`the packet socket on ${spec.interface}`, () => new LinuxFrameTap(this.#native, spec));
  }

  /** @throws NetworkError */
  routeSocket(): RouteSocket {
    return open('the netlink socket', () => new LinuxRouteSocket(this.#native));
  }

  /** @throws NetworkError */
  routeMonitor(groups?: number): RouteMonitor {
    return open('the netlink monitor', () => new LinuxRouteMonitor(this.#native, groups));
  }
}

function open<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw networkError(what, cause);
  }
}

/** A refusal of the system, explained; anything else is returned as it is. */
export function networkError(what: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (typeof code !== 'string' || !code.startsWith('E') || code.startsWith('ERR_')) return cause;
  return new NetworkError(`cannot open ${what}: ${code}: ${explanation(code)}`, code, cause);
}

function explanation(code: string): string {
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return 'CAP_NET_RAW and CAP_NET_ADMIN are missing; run as root, or AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the systemd unit, or --cap-add NET_RAW --cap-add NET_ADMIN for the container';
    case 'ENODEV':
    case 'ENXIO':
      return 'there is no such interface; see ip link';
    case 'EAFNOSUPPORT':
      return 'the kernel lacks this protocol family; for IPv6 see ipv6.disable on the kernel command line';
    case 'EPROTONOSUPPORT':
      return 'the kernel lacks this protocol';
    case 'ENOPROTOOPT':
      return 'the kernel is too old for this option; 4.5 or newer is needed';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files; raise LimitNOFILE';
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'the kernel is out of memory for sockets; see net.core.optmem_max and net.ipv4.igmp_max_memberships';
    default:
      return 'the system refused it';
  }
}
