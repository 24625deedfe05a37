// Sync groups: virtual routers that are MASTER together or not at all (keepalived's vrrp_sync_group). Pure.
// Knows its members by name and by what they report; the engine carries its orders to their routers.
//
// How the engine drives it. Members are routers with `grouped: true`. For each of them:
//   after every `handle`          →  group.report(member, router.standing, whether it heeds a master)
//   instead of feeding `fault`, when a member gets its first reason for FAULT (also a fence)   →  group.fault(member, why)
//   instead of feeding `recovered`, when its last reason is gone                               →  group.recovered(member)
// And when one member's router says `announce`, the engine announces for every member that is MASTER: the loser of one
// network took its other routers along in silence, so nobody else tells the winner that there had been two of those.
// Each call returns orders: feed each event to the router of that member, and report again after it. That ends,
// since an order is given once: the group assumes that it is obeyed.
import type { RouterEvent, RouterState, Standing } from './types.ts';

export interface GroupOrder {
  readonly member: string;
  readonly event: RouterEvent;
}

const NO_ORDERS: readonly GroupOrder[] = [];

export class SyncGroup {
  readonly name: string;
  readonly #standings: Map<string, Standing>;
  /** Members that began when the others were MASTER already, and have heard no master of their own yet. */
  readonly #joining = new Set<string>();
  /** The members' own reasons for FAULT. */
  readonly #faults = new Map<string, string>();

  /** @param members the names of its routers, in INIT until they report */
  constructor(name: string, members: readonly string[]) {
    this.name = name;
    this.#standings = new Map(members.map((member) => [member, 'INIT']));
  }

  get members(): readonly string[] {
    return [...this.#standings.keys()];
  }

  /** INIT while none has begun or when all have ended, FAULT as soon as one is, MASTER when all are that have begun and joined. */
  get state(): Exclude<RouterState, 'LEAVING'> {
    const standings = this.#settled();
    if (standings.every((standing) => standing === 'INIT')) return 'INIT';
    if (this.#faults.size > 0 || standings.includes('FAULT')) return 'FAULT';
    return standings.every((standing) => standing === 'MASTER' || standing === 'INIT') ? 'MASTER' : 'BACKUP';
  }

  /** Whether a report would say anything new: with most adverts it does not, and costs nothing then. */
  isNews(member: string, standing: Standing, hasMaster: boolean): boolean {
    return this.#standings.get(member) !== standing || (hasMaster && this.#joining.has(member));
  }

  /**
   * A member's standing after an event. Unknown members are not heard. A newcomer to a group of MASTERs listens first, and
   * takes the others down only when it hears a master that it must heed.
   * @param hasMaster BACKUP: it heeds another router
   */
  report(member: string, standing: Standing, hasMaster = true): readonly GroupOrder[] {
    const before = this.#standings.get(member);
    if (before === undefined) return NO_ORDERS;
    this.#standings.set(member, standing);
    if (standing !== 'BACKUP' || hasMaster) this.#joining.delete(member);
    else if (before === 'INIT' && this.#settled().includes('MASTER')) this.#joining.add(member);
    if (this.#faults.size > 0) return this.#spreadFault();
    const standings = [...this.#standings.values()];
    // keepalived: everybody waits until everybody wants to; and one that had to yield takes the others along.
    if (standings.every((each) => each === 'READY' || each === 'MASTER')) return this.#order('READY', 'MASTER');
    if (this.#settled().includes('BACKUP')) return this.#order('MASTER', 'BACKUP');
    return NO_ORDERS;
  }

  /** A member has a reason for FAULT: it goes there, and all others with it. */
  fault(member: string, why: string): readonly GroupOrder[] {
    if (!this.#standings.has(member)) return NO_ORDERS;
    this.#faults.set(member, why);
    const inFault = this.#standings.get(member) === 'FAULT';
    this.#standings.set(member, 'FAULT');
    const others = this.#spreadFault();
    return inFault ? others : [{ member, event: { type: 'fault', why } }, ...others];
  }

  /** A member has no reason for FAULT left. Nobody leaves FAULT before all could. */
  recovered(member: string): readonly GroupOrder[] {
    if (!this.#faults.delete(member) || this.#faults.size > 0) return NO_ORDERS;
    return this.members.map((each) => ({ member: each, event: { type: 'recovered' } }));
  }

  /**
   * For a group made anew (another configuration), after its members have reported and told their faults: those whom
   * the former group had taken to FAULT, and nobody of the new one keeps there, may go.
   */
  relieve(): readonly GroupOrder[] {
    if (this.#faults.size > 0) return NO_ORDERS;
    const held = this.members.filter((member) => this.#standings.get(member) === 'FAULT');
    return held.map((member) => ({ member, event: { type: 'recovered' } }));
  }

  /** Where everybody stands but those who just join. */
  #settled(): Standing[] {
    return [...this.#standings].filter(([member]) => !this.#joining.has(member)).map(([, standing]) => standing);
  }

  /** Takes everybody to FAULT who is at work. */
  #spreadFault(): readonly GroupOrder[] {
    const orders: GroupOrder[] = [];
    const [culprit, reason] = [...this.#faults][0]!;
    for (const [member, standing] of this.#standings) {
      if (standing === 'FAULT' || standing === 'LEAVING' || standing === 'INIT') continue;
      this.#standings.set(member, 'FAULT');
      const why = this.#faults.get(member) ?? `sync group ${this.name}: ${culprit}: ${reason}`;
      orders.push({ member, event: { type: 'fault', why } });
    }
    return orders;
  }

  /** Orders everybody of one standing to another state. */
  #order(from: Standing, to: 'MASTER' | 'BACKUP'): readonly GroupOrder[] {
    const orders: GroupOrder[] = [];
    for (const [member, standing] of this.#standings) {
      if (standing !== from) continue;
      this.#standings.set(member, to);
      orders.push({ member, event: { type: 'group', state: to } });
    }
    return orders;
  }
}
