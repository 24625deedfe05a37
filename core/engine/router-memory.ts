// What one virtual router knows of its peers' authenticity and habits: it outlives reloads, changes of address and
// changes of state, since a replay is one after those, too. Bounded: no stranger can make it grow.
import type { IpAddress } from '../net/address.ts';
import { SequenceNumbers } from '../vrrp/authentication-header.ts';
import type { ChecksumForm } from '../vrrp/packet.ts';
import { OwnStamps, ReplayMarks } from '../vrrp/stamp.ts';

/** Which form of checksum each unicast peer uses (v3 over IPv4), so that it is answered in a form that it takes. */
export class PeerForms {
  readonly #forms = new Map<IpAddress, ChecksumForm>();
  /** Grows with every change, so that built packets can be told from outdated ones. */
  changes = 0;

  /** @param peer one that is configured */
  note(peer: IpAddress, form: ChecksumForm): void {
    if (this.#forms.get(peer) === form) return;
    this.#forms.set(peer, form);
    this.changes++;
  }

  of(peer: IpAddress): ChecksumForm | undefined {
    return this.#forms.get(peer);
  }

  /** Forgets who is no peer any more. */
  keep(peers: ReadonlySet<IpAddress>): void {
    for (const peer of this.#forms.keys()) if (!peers.has(peer)) this.#forms.delete(peer);
    this.changes++;
  }
}

const LAST_ID = 0xffff;

export class RouterMemory {
  sequence = new SequenceNumbers();
  #password: string | undefined;
  readonly stamps = new OwnStamps();
  readonly marks = new ReplayMarks();
  readonly forms = new PeerForms();
  /** Milliseconds since 1970. */
  readonly wallTime: () => number;
  #id = 0;

  constructor(wallTime: () => number) {
    this.wallTime = wallTime;
  }

  /** Under another password sequence numbers begin anew. */
  usePassword(password: string | undefined): void {
    if (password !== this.#password) this.sequence = new SequenceNumbers();
    this.#password = password;
  }

  /** The identification of the next IPv4 packet under a code that covers it: the kernel would fill in one for 0. */
  nextId(): number {
    this.#id = this.#id === LAST_ID ? 1 : this.#id + 1;
    return this.#id;
  }
}
