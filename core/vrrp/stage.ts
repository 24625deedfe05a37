// Where a router stands, and the ways into each state with what they bring about. State and deadline change together,
// here alone. Knows no rules: router.ts decides which way is taken when.
import type { IpAddress } from '../net/address.ts';
import { after, type Instant, type Micros, type Priority } from '../units.ts';
import { goodbye, OwnAdverts } from './own-adverts.ts';
import type { Advertisement, RouterConfig, RouterEffect, RouterState, Standing, TransitionReason } from './types.ts';
import { MasterWatch } from './watch.ts';

export class Stage {
  #state: RouterState = 'INIT';
  #effects: RouterEffect[] = [];
  #deafUntil: Instant | undefined;
  config: RouterConfig;
  /** The effective one. */
  priority: Priority;
  /** Of our adverts. */
  source: IpAddress;
  readonly watch = new MasterWatch();
  readonly adverts: OwnAdverts;
  /** INIT for good: it has been at work and was told to end. */
  ended = false;
  /** MASTER that said goodbye for one who outranks it, and waits for that one's advert. */
  resigned = false;
  /** When the router next wants `timer`; undefined in INIT and FAULT. */
  deadline: Instant | undefined;
  /** BACKUP in a sync group: the down timer ran out and no master was heard since. */
  ready = false;
  lastReason: TransitionReason = 'startup';
  lastDetail = '';

  constructor(config: RouterConfig) {
    this.config = config;
    this.priority = config.priority;
    this.source = config.source;
    this.adverts = new OwnAdverts(config, config.priority);
  }

  get state(): RouterState {
    return this.#state;
  }

  get standing(): Standing {
    return this.ready ? 'READY' : this.#state;
  }

  /** Whether its addresses are bound. */
  get holds(): boolean {
    return this.#state === 'MASTER' || this.#state === 'LEAVING';
  }

  get skew(): Micros {
    return this.watch.skew(this.priority, this.config);
  }

  get downInterval(): Micros {
    return this.watch.downInterval(this.priority, this.config);
  }

  /** Begins an event; returns the list that `emit` adds to. */
  begin(): readonly RouterEffect[] {
    this.#effects = [];
    return this.#effects;
  }

  emit(effect: RouterEffect): void {
    this.#effects.push(effect);
  }

  /** Moves a running timer; deafness lasts. */
  shift(by: Micros): void {
    if (this.deadline === undefined) return;
    this.deadline = after(this.deadline, by);
    this.#stayDeaf();
  }

  /** Brings the deadline nearer, never further away. */
  hasten(deadline: Instant): void {
    if (this.deadline !== undefined && deadline < this.deadline) this.deadline = deadline;
  }

  /** Silence counts for nothing before this moment: it may be our own deafness. */
  deaf(until: Instant): void {
    this.#deafUntil = until;
    this.#stayDeaf();
  }

  /** Something was heard: in BACKUP a whole down timer from now is enough, however long the deafness was to last. */
  hears(now: Instant): void {
    if (this.#deafUntil === undefined) return;
    this.#deafUntil = undefined;
    if (this.#state === 'BACKUP') this.hasten(after(now, this.downInterval));
  }

  becomeMaster(why: TransitionReason, detail: string, now: Instant): void {
    this.watch.forget();
    this.resigned = false;
    this.adverts.begin();
    this.advertise();
    this.emit({ type: 'own' });
    this.#enter('MASTER', after(now, this.config.interval), why, detail);
  }

  /** Listens for a whole down timer, from its own interval on. In BACKUP already: starts over. */
  becomeBackup(why: TransitionReason, detail: string, now: Instant): void {
    this.#disown();
    this.watch.forget();
    this.#enter('BACKUP', after(now, this.downInterval), why, detail);
  }

  becomeFault(why: TransitionReason, detail: string): void {
    this.#disown();
    this.watch.forget();
    this.#enter('FAULT', undefined, why, detail);
  }

  /** Make before break: the addresses answer until a successor is heard, for a down timer at most. */
  becomeLeaving(now: Instant): void {
    this.#enter('LEAVING', after(now, this.downInterval), 'shutdown', 'waiting for a successor');
  }

  becomeInit(why: TransitionReason, detail: string): void {
    this.#disown();
    this.watch.forget();
    this.ended = true;
    this.#enter('INIT', undefined, why, detail);
  }

  #disown(): void {
    if (this.holds) this.emit({ type: 'disown' });
  }

  /** Our present advert. */
  advertise(): void {
    this.emit({ type: 'send', ad: this.adverts.current });
  }

  sayGoodbye(): void {
    this.emit({ type: 'send', ad: goodbye(this.config) });
  }

  /** Remembers who is master. */
  follow(from: IpAddress, ad: Advertisement, now: Instant): void {
    if (!this.watch.follow(from, ad, now)) return;
    this.emit({ type: 'master', source: from, priority: ad.priority, interval: ad.interval });
  }

  /** The one place where the state changes, together with its deadline. */
  #enter(to: RouterState, deadline: Instant | undefined, why: TransitionReason, detail: string): void {
    const from = this.#state;
    this.#state = to;
    this.ready = false;
    this.deadline = deadline;
    if (to === 'BACKUP') this.#stayDeaf();
    if (from === to) return;
    this.lastReason = why;
    this.lastDetail = detail;
    this.emit({ type: 'transition', from, to, why, detail });
  }

  #stayDeaf(): void {
    if (this.#state !== 'BACKUP' || this.#deafUntil === undefined || this.deadline === undefined) return;
    if (this.deadline < this.#deafUntil) this.deadline = this.#deafUntil;
  }
}
