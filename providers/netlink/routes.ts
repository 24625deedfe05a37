// Routes and rules of this machine by rtnetlink: one message each, all of them in one batch. Synchronous, on the socket it is
// given; knows no VRRP and remembers nothing, since the kernel tells ours from others by their protocol.
import { addHopRequests, addRouteRequest, deleteRouteRequest, type IndexOf } from '../../core/net/rtroute.ts';
import { addRuleRequest, deleteRuleRequest } from '../../core/net/rtrule.ts';
import type { LinkInfo, NetlinkAck, RouteSocket } from '../../core/ports/engine-io.ts';
import type { RouteOutcome, RouteProvider } from '../../core/vip/route-provider.ts';
import { type RoutingEntry, textOf } from '../../core/vip/virtual-route.ts';

export interface NetlinkRoutesOptions {
  readonly route: RouteSocket;
  /** The interface of a name as it is now; undefined: there is none. */
  readonly links: (name: string) => Pick<LinkInfo, 'index'> | undefined;
}

/** What came back for one entry: the kernel's word, or the interface that there is not. */
interface Answer {
  readonly entry: RoutingEntry;
  readonly missing: string | undefined;
  ack: NetlinkAck | undefined;
}

export class NetlinkRoutes implements RouteProvider {
  readonly #route: RouteSocket;
  readonly #indexOf: IndexOf;

  constructor({ route, links }: NetlinkRoutesOptions) {
    this.#route = route;
    this.#indexOf = (device) => links(device)?.index;
  }

  set(entries: readonly RoutingEntry[]): readonly RouteOutcome[] {
    const answers = this.#send(entries, (entry) =>
      'route' in entry ? addRouteRequest(entry.route, this.#indexOf) : addRuleRequest(entry.rule),
    );
    const completed = this.#complete(answers);
    return answers.map(({ entry, ack, missing }): RouteOutcome => {
      if (ack?.error === 0 || completed.has(entry)) return { entry, outcome: 'set' };
      if (ack?.name === 'EEXIST') return { entry, outcome: 'present' };
      return { entry, outcome: 'failed', why: `cannot set ${textOf(entry)}: ${reason(ack, missing)}` };
    });
  }

  remove(entries: readonly RoutingEntry[]): readonly RouteOutcome[] {
    const answers = this.#send(entries, (entry) =>
      'route' in entry ? deleteRouteRequest(entry.route, this.#indexOf) : deleteRuleRequest(entry.rule),
    );
    return answers.map(({ entry, ack, missing }): RouteOutcome => {
      if (ack?.error === 0) return { entry, outcome: 'removed' };
      // Without its interface or its table there is no route.
      if (missing !== undefined || GONE.includes(ack?.name ?? '')) return { entry, outcome: 'absent' };
      return { entry, outcome: 'failed', why: `cannot remove ${textOf(entry)}: ${reason(ack, missing)}` };
    });
  }

  /** IPv6 routes that were there without some of their next hops, and have all of them now. */
  #complete(answers: readonly Answer[]): ReadonlySet<RoutingEntry> {
    const hops = answers.flatMap(({ entry, ack }) => {
      if (ack?.name !== 'EEXIST' || !('route' in entry)) return [];
      const { family, hops: all, mode } = entry.route;
      if (family === 4 || all.length < 2 || mode === 'add') return [];
      const messages = addHopRequests(entry.route, this.#indexOf);
      return messages.flatMap((message) => (message instanceof Uint8Array ? [{ entry, message }] : []));
    });
    if (hops.length === 0) return new Set();
    const acks = this.#route.request(hops.map(({ message }) => message));
    return new Set(hops.filter((_, i) => acks[i]?.error === 0).map(({ entry }) => entry));
  }

  #send(
    entries: readonly RoutingEntry[],
    build: (entry: RoutingEntry) => Uint8Array | { readonly missing: string },
  ): readonly Answer[] {
    const messages: Uint8Array[] = [];
    const sent: Answer[] = [];
    const answers = entries.map((entry): Answer => {
      const message = build(entry);
      const missing = message instanceof Uint8Array ? undefined : message.missing;
      const answer: Answer = { entry, missing, ack: undefined };
      if (message instanceof Uint8Array) {
        messages.push(message);
        sent.push(answer);
      }
      return answer;
    });
    if (messages.length === 0) return answers;
    const acks = this.#route.request(messages);
    for (const [i, answer] of sent.entries()) answer.ack = acks[i];
    return answers;
  }
}

/** Answers to a removal that mean: it is not there. A family that the kernel lacks has no rules either. */
const GONE: readonly string[] = ['ESRCH', 'ENOENT', 'ENODEV', 'EAFNOSUPPORT'];

const REASONS: Readonly<Record<string, string>> = {
  ENETUNREACH: 'no network of this machine reaches the gateway; write onlink if it is a neighbour',
  EHOSTUNREACH: 'no network of this machine reaches the gateway; write onlink if it is a neighbour',
  ENETDOWN: 'the interface is down',
  ENODEV: 'the interface is gone',
  EPERM: 'not permitted, the process needs CAP_NET_ADMIN',
  EACCES: 'IPv6 is off there, see net.ipv6.conf.*.disable_ipv6',
  EINVAL: 'the kernel refuses these settings; check scope, source address and metrics',
  EOPNOTSUPP: 'the kernel lacks what it needs, such as this kind of encapsulation',
  EAFNOSUPPORT: 'the kernel has no such family of addresses',
  ENOENT: 'the kernel does not know the congestion control or next hop that it names',
};

function reason(ack: NetlinkAck | undefined, missing: string | undefined): string {
  if (missing !== undefined) return `there is no interface ${missing}`;
  const name = ack?.name ?? 'EIO';
  return `${REASONS[name] ?? 'the kernel refuses'} (${name})`;
}
