// Tells the agent of dropped packets and warnings without letting the network flood it:
// the first of a cause at once, then at most one a minute with the number of those between.
import type { IpAddress } from '../net/address.ts';
import { after, type Instant, seconds } from '../units.ts';
import type { DropReason } from '../vrrp/types.ts';
import type { EngineEvent } from './messages.ts';

const QUIET = seconds(60);
/** Distinct causes remembered; more than these share one entry. */
const MOST_CAUSES = 1024;

interface Cause {
  until: Instant;
  count: number;
}

export class DropLog {
  readonly #tell: (event: EngineEvent) => void;
  readonly #causes = new Map<string, Cause>();

  constructor(tell: (event: EngineEvent) => void) {
    this.#tell = tell;
  }

  note(instance: string, why: DropReason, source: IpAddress, now: Instant): void {
    const count = this.#count(`${instance} ${why}`, now);
    if (count > 0) this.#tell({ type: 'drop', instance, why, source, count });
  }

  warn(about: string, text: string, now: Instant): void {
    const count = this.#count(`${about} ${text}`, now);
    const times = count > 1 ? ` (${count} times)` : '';
    if (count > 0) this.#tell({ type: 'log', level: 'warning', text: `${about}: ${text}${times}` });
  }

  /** How many to report now; 0: none yet. */
  #count(key: string, now: Instant): number {
    const known = this.#causes.get(key);
    if (known === undefined) {
      if (this.#causes.size >= MOST_CAUSES) return 0;
      this.#causes.set(key, { until: after(now, QUIET), count: 0 });
      return 1;
    }
    known.count++;
    if (now < known.until) return 0;
    const { count } = known;
    known.count = 0;
    known.until = after(now, QUIET);
    return count;
  }
}
