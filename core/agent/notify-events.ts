// From what the engine and the trackers tell to the events that notifiers get: which they are, and what stands in them.
// Pure but for the counter of their identifiers.
import type { InstanceConfig } from '../config/model.ts';
import type { EngineEvent } from '../engine/messages.ts';
import { EVENT_VERSION, MOST_ADDRESSES, type VipkeeperEvent } from '../plugin/notifier.ts';

/** What only this event has. */
export type EventFacts = Omit<
  VipkeeperEvent,
  'kind' | 'version' | 'id' | 'time' | 'host' | 'routerId' | 'pid' | 'agentVersion' | 'lost'
> & {
  /** Milliseconds since 1970; absent: now. */
  readonly at?: number;
};

/** Who tells: the same in all events of a process. */
export interface EventOrigin {
  readonly host: string;
  readonly pid: number;
  readonly agentVersion: string;
}

/** Longer words would not fit into a line of a pipe. */
const LONGEST_TEXT = 500;

/** What an event of the engine is for a notifier; undefined: nothing. */
export function factsOf(
  event: EngineEvent,
  instanceOf: (name: string) => InstanceConfig | undefined,
): EventFacts | undefined {
  switch (event.type) {
    case 'transition': {
      const { instance, from, to, why, detail, priority, peer, time } = event;
      const addresses = addressesOf(instanceOf(instance));
      return {
        type: event.type,
        at: time,
        instance,
        from,
        to,
        reason: why,
        detail,
        priority,
        ...(peer && { peer }),
        addresses,
      };
    }
    case 'group-transition': {
      const { group, from, to, time } = event;
      return { type: event.type, at: time, group, from, to, reason: 'sync-group' };
    }
    case 'priority-changed': {
      const { instance, state, priority } = event;
      return { type: 'priority', instance, to: state, priority };
    }
    case 'lower-priority-heard': {
      const { instance, source: peer, priority, count } = event;
      return { type: 'rival', instance, peer, priority, reason: 'lower-priority', detail: `heard ${count} times` };
    }
    case 'bfd-transition': {
      const { session, neighbor: peer, from, to, why, time } = event;
      return { type: 'bfd', at: time, session, peer, from, to, reason: why };
    }
    case 'fenced':
      return { type: 'fenced', reason: event.why, detail: 'every address was given up; starting again as backup' };
    case 'stall':
      return { type: 'stall', detail: `the engine did not run for ${Math.round(event.duration / 1_000)} ms` };
    case 'failed':
      return { type: 'agent', reason: 'failed', detail: event.error };
    case 'unable':
      return { type: 'agent', reason: 'cannot-start', detail: event.why };
    case 'configured':
      return { type: 'agent', reason: 'running' };
    case 'stopped':
      return { type: 'agent', reason: 'stopped' };
    case 'log':
      return event.conflict && conflictOf(event.conflict, event.text);
    default:
      return undefined;
  }
}

function conflictOf(
  { instance, address, interface: device }: { instance: string; address: string; interface: string },
  detail: string,
): EventFacts {
  return { type: 'conflict', instance, interface: device, addresses: [address], reason: 'address-claimed', detail };
}

const addressesOf = (instance: InstanceConfig | undefined): readonly string[] =>
  [...(instance?.vips ?? []), ...(instance?.excludedVips ?? [])]
    .slice(0, MOST_ADDRESSES)
    .map(({ address, prefix }) => `${address}/${prefix}`);

/** Makes events one after the other. */
export class EventMaker {
  readonly #origin: EventOrigin;
  readonly #wallTime: () => number;
  readonly #born: number;
  #count = 0;

  /** @param wallTime milliseconds since 1970 */
  constructor(origin: EventOrigin, wallTime: () => number) {
    this.#origin = origin;
    this.#wallTime = wallTime;
    this.#born = wallTime();
  }

  make({ at, ...facts }: EventFacts, routerId: string): VipkeeperEvent {
    const { detail, reason } = facts;
    return {
      kind: 'vipkeeper-event',
      version: EVENT_VERSION,
      id: `${Math.round(this.#born)}-${`${++this.#count}`.padStart(9, '0')}`,
      time: new Date(at ?? this.#wallTime()).toISOString(),
      ...this.#origin,
      routerId,
      ...facts,
      ...(reason !== undefined && { reason: reason.slice(0, LONGEST_TEXT) }),
      ...(detail !== undefined && { detail: detail.slice(0, LONGEST_TEXT) }),
    };
  }
}
