// What besides the virtual routers lives in the engine's loop, with sockets and deadlines of its own: BFD sessions,
// the watch for rivals of our addresses. The engine gives it its turn; it tells what it found by callbacks it was made with.
import type { Instant } from '../units.ts';
import type { Complain } from './holdings.ts';
import type { EngineConfig, EngineEvent } from './messages.ts';

/** What a resident may do beside its own business. */
export interface ResidentHost {
  /** Tells the agent, at the end of the turn. */
  readonly tell: (event: EngineEvent) => void;
  readonly complain: Complain;
}

export interface Resident {
  /** When it next wants `expire`; undefined: not before something happens. */
  readonly deadline: Instant | undefined;
  /** One of its sockets has something to read. */
  readonly ready: boolean;
  /** Makes the configuration so; called before the routers are told. */
  configure(config: EngineConfig, now: Instant): void;
  /** Interfaces came, went or changed their addresses. */
  followLinks(now: Instant): void;
  /** Reads what is there, a bounded amount of it. Never throws for what the network does. */
  listen(now: Instant): void;
  /** Its deadline has come, or may have. */
  expire(now: Instant): void;
  /** Sends what it queued; the end of a turn. */
  settle(): void;
  close(): void;
}
