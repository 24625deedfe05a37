// The state machine of one virtual router (RFC 9568 §6.4, RFC 3768 §6.4). Time and events in, effects out.
// Opens nothing, reads no clock, never throws. Adverts reach it after decode and admission.
import { compareIp, type IpAddress } from '../net/address.ts';
import { after, type Instant, type Micros, micros, type Priority } from '../units.ts';
import { goodbye, nextOnSchedule, OwnAdverts } from './own-adverts.ts';
import { effectivePriority, LEAVING, OWNER } from './priority.ts';
import type {
  Advertisement,
  RouterConfig,
  RouterEffect,
  RouterEvent,
  RouterState,
  Standing,
  TransitionReason,
} from './types.ts';
import { MasterWatch } from './watch.ts';

type StateEvent = Exclude<RouterEvent, { readonly type: 'priority' | 'source' | 'reconfigure' }>;
type AdvertEvent = Extract<RouterEvent, { readonly type: 'advertisement' }>;

export class VrrpRouter {
  #config: RouterConfig;
  #priority: Priority;
  #source: IpAddress;
  #state: RouterState = 'INIT';
  #deadline: Instant | undefined;
  #ended = false;
  readonly #watch = new MasterWatch();
  /** BACKUP in a sync group: the down timer ran out and no master was heard since. */
  #ready = false;
  #lastReason: TransitionReason = 'startup';
  #lastDetail = '';
  readonly #adverts: OwnAdverts;
  #effects: RouterEffect[] = [];

  constructor(config: RouterConfig) {
    this.#config = config;
    this.#priority = config.priority;
    this.#source = config.source;
    this.#adverts = new OwnAdverts(config, config.priority);
  }

  get state(): RouterState {
    return this.#state;
  }

  /** When it next wants `timer`. Defined in BACKUP, MASTER and LEAVING, undefined in INIT and FAULT. */
  get deadline(): Instant | undefined {
    return this.#deadline;
  }

  /** What its sync group must know of it. */
  get standing(): Standing {
    return this.#ready ? 'READY' : this.#state;
  }

  /** What MASTER advertises: 1..254, or 255 for an owner. */
  get effectivePriority(): Priority {
    return this.#priority;
  }

  /** BACKUP: whose adverts it heeds; undefined when none was heard since it entered the state, and in other states. */
  get masterSource(): IpAddress | undefined {
    return this.#watch.master?.source;
  }

  get masterPriority(): Priority | undefined {
    return this.#watch.master?.priority;
  }

  /** The interval that the down timer counts: v3 the master's, clamped; otherwise our own. */
  get masterInterval(): Micros {
    return this.#watch.interval(this.#config);
  }

  get skew(): Micros {
    return this.#watch.skew(this.#priority, this.#config);
  }

  get downInterval(): Micros {
    return this.#watch.downInterval(this.#priority, this.#config);
  }

  /** Why it changed state last. */
  get lastReason(): TransitionReason {
    return this.#lastReason;
  }

  get lastDetail(): string {
    return this.#lastDetail;
  }

  /**
   * Takes an event and returns what to do about it, in this order.
   * @param now when it happened, for an advert its arrival; may lie a little before that of the previous event
   */
  handle(event: RouterEvent, now: Instant): readonly RouterEffect[] {
    this.#effects = [];
    if (event.type === 'source') this.#source = event.address;
    else if (event.type === 'reconfigure') this.#reconfigure(event.config, now);
    else if (event.type === 'priority') {
      if (this.#config.priority !== OWNER) this.#changePriority(event.value);
    } else if (event.type !== 'timer' || (this.#deadline !== undefined && this.#deadline <= now))
      this.#dispatch(event, now);
    return this.#effects;
  }

  /** What a state does not name changes nothing in it. */
  #dispatch(event: StateEvent, now: Instant): void {
    switch (this.#state) {
      case 'INIT':
        this.#inInit(event, now);
        break;
      case 'BACKUP':
        this.#inBackup(event, now);
        break;
      case 'MASTER':
        this.#inMaster(event, now);
        break;
      case 'LEAVING':
        this.#inLeaving(event);
        break;
      case 'FAULT':
        this.#inFault(event, now);
        break;
    }
  }

  #inInit(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'startup': // RFC 9568 §6.4.1
        this.#ended = false;
        this.#begin('startup', now);
        break;
      case 'advertisement':
        this.#emit({ type: 'drop', why: 'not-listening' });
        break;
      case 'fault':
        if (!this.#ended) this.#becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (!this.#ended && event.reason === 'fenced') this.#becomeFault('fenced', 'before it started');
        break;
      case 'shutdown':
        this.#ended = true;
        break;
    }
  }

  #inBackup(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'timer':
        this.#masterIsDown(now);
        break;
      case 'advertisement':
        this.#heardInBackup(event, now);
        break;
      case 'fault':
        this.#becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (event.reason === 'fenced') this.#becomeFault('fenced', 'the agent does not respond');
        else this.#becomeBackup('stalled', 'listening anew after a stall', now);
        break;
      case 'group':
        if (event.state === 'MASTER') this.#becomeMaster('sync-group', 'every member of the group is ready', now);
        break;
      case 'shutdown': // RFC 9568 §6.4.2: no packet
        this.#becomeInit('shutdown', 'stopped as backup');
        break;
    }
  }

  #inMaster(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'timer':
        this.#advertise();
        this.#deadline = nextOnSchedule(this.#deadline!, this.#config.interval, now);
        break;
      case 'advertisement':
        this.#heardInMaster(event, now);
        break;
      case 'fault':
        this.#sayGoodbye();
        this.#becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (event.announceLeave) this.#sayGoodbye();
        if (event.reason === 'fenced') this.#becomeFault('fenced', 'the agent does not respond');
        else this.#becomeBackup('stalled', 'overslept, another master may exist', now);
        break;
      case 'group': // keepalived: the other members of the group leave without priority 0
        if (event.state === 'BACKUP') this.#becomeBackup('sync-group', 'another member of the group is backup', now);
        break;
      case 'shutdown':
        this.#sayGoodbye(); // RFC 9568 §6.4.3
        if (this.#config.makeBeforeBreak && !event.immediate) this.#becomeLeaving(now);
        else this.#becomeInit('shutdown', 'stopped as master');
        break;
    }
  }

  #inLeaving(event: StateEvent): void {
    switch (event.type) {
      case 'timer':
        this.#becomeInit('no-successor', 'nobody took over');
        break;
      case 'advertisement':
        // Whoever it is, it is MASTER now: backups do not speak. Another goodbye is no successor.
        if (event.ad.priority !== LEAVING) this.#becomeInit('successor-heard', `${event.from} took over`);
        break;
      case 'shutdown':
        if (event.immediate) this.#becomeInit('shutdown', 'stopped without waiting for a successor');
        break;
      case 'fault':
        this.#becomeInit('fault', event.why);
        break;
      case 'withdraw':
        this.#becomeInit(event.reason, 'while leaving');
        break;
    }
  }

  #inFault(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'recovered':
        this.#begin('recovered', now);
        break;
      case 'advertisement':
        this.#emit({ type: 'drop', why: 'not-listening' });
        break;
      case 'shutdown':
        this.#becomeInit('shutdown', 'stopped in fault');
        break;
      case 'fault':
        this.#lastDetail = event.why;
        break;
    }
  }

  /** RFC 9568 §6.4.1: the owner is MASTER at once, others listen for a whole down timer first. */
  #begin(why: 'startup' | 'recovered', now: Instant): void {
    const owner = this.#priority === OWNER;
    if (owner && !this.#config.grouped) {
      this.#becomeMaster('owner', 'owns the addresses', now);
      return;
    }
    this.#becomeBackup(why, why === 'startup' ? 'listening for a master' : 'no fault is left', now);
    this.#ready = owner; // only its group keeps it back
  }

  #heardInBackup({ from, ad }: AdvertEvent, now: Instant): void {
    if (ad.priority === LEAVING) {
      // RFC 9568 §6.4.2 sets the timer to the skew, for anybody and anew each time; so one who repeats it could put
      // the takeover off for ever. Ours: the earlier moment counts, and only the master's goodbye.
      if (this.masterSource !== undefined && this.masterSource !== from) {
        this.#emit({ type: 'drop', why: 'not-master' });
        return;
      }
      this.#watch.resign();
      this.#deadline = earlier(this.#deadline!, after(now, this.skew));
      return;
    }
    if (!this.#watch.heeds(ad, this.#priority, this.#config, now)) return; // discard, the timer runs on
    this.#follow(from, ad, now);
    this.#ready = false;
    this.#deadline = after(now, this.downInterval);
  }

  /** RFC 9568 §6.4.2: Active_Down_Timer fires. */
  #masterIsDown(now: Instant): void {
    if (this.#config.grouped) {
      this.#ready = true;
      this.#deadline = after(now, this.downInterval);
      return;
    }
    const who = this.masterSource ?? 'any master';
    if (this.#watch.resigned) this.#becomeMaster('priority-zero', `${who} resigned`, now);
    else this.#becomeMaster('master-timeout', `nothing heard from ${who}`, now);
  }

  #heardInMaster({ from, ad }: AdvertEvent, now: Instant): void {
    if (ad.priority === LEAVING) {
      // RFC 9568 §6.4.3: advertise and reset Adver_Timer
      if (!this.#adverts.mayAnswer(now)) return;
      this.#advertise();
      this.#deadline = after(now, this.#config.interval);
      return;
    }
    const higher = ad.priority > this.#priority;
    if (higher || (ad.priority === this.#priority && compareIp(from, this.#source) > 0)) {
      // RFC 9568 §6.4.3. Our last word tells the winner that there were two, so that it announces its addresses again.
      if (this.#config.advertiseBeforeYielding) this.#advertise();
      const why = higher ? 'higher-priority' : 'higher-address';
      this.#becomeBackup(why, `${from} has priority ${ad.priority}`, now);
      this.#follow(from, ad, now);
      this.#deadline = after(now, this.downInterval);
      return;
    }
    // RFC 9568 §6.4.3: discard and advertise at once; the Adver_Timer runs on, so nobody can silence us.
    if (this.#config.answerLowerPriority && this.#adverts.mayAnswer(now)) this.#advertise();
    this.#emit({ type: 'announce' });
  }

  /** A new effective priority. BACKUP: the skew changes, so the timer shifts. MASTER: says so at once, out of turn. */
  #changePriority(value: Priority): void {
    if (value === this.#priority) return;
    const before = this.skew;
    this.#priority = value;
    this.#adverts.renew(this.#config, value);
    if (this.#state === 'BACKUP') this.#deadline = after(this.#deadline!, micros(this.skew - before));
    if (this.#state === 'MASTER') this.#advertise();
  }

  /** Another configuration of the same virtual router: no state is left for it, and equal values change nothing. */
  #reconfigure(config: RouterConfig, now: Instant): void {
    const before = this.#config;
    const adjustment = this.#priority - before.priority;
    const running = this.downInterval;
    this.#config = config;
    this.#source = config.source;
    this.#adverts.renew(config, this.#priority);
    if (!config.grouped) this.#ready = false;
    if (this.#state === 'BACKUP' && !this.#watch.resigned && this.downInterval !== running)
      this.#deadline = after(now, this.downInterval);
    if (this.#state === 'MASTER') this.#deadline = after(this.#deadline!, micros(config.interval - before.interval));
    this.#changePriority(effectivePriority(config.priority, adjustment));
  }

  #becomeMaster(why: TransitionReason, detail: string, now: Instant): void {
    this.#watch.forget();
    this.#adverts.begin();
    this.#advertise();
    this.#emit({ type: 'own' });
    this.#enter('MASTER', after(now, this.#config.interval), why, detail);
  }

  /** Listens for a whole down timer, from its own interval on. In BACKUP already: starts over. */
  #becomeBackup(why: TransitionReason, detail: string, now: Instant): void {
    this.#disown();
    this.#watch.forget();
    this.#enter('BACKUP', after(now, this.downInterval), why, detail);
  }

  #becomeFault(why: TransitionReason, detail: string): void {
    this.#disown();
    this.#watch.forget();
    this.#enter('FAULT', undefined, why, detail);
  }

  /** Make before break: the addresses answer until a successor is heard, for a down timer at most. */
  #becomeLeaving(now: Instant): void {
    this.#enter('LEAVING', after(now, this.downInterval), 'shutdown', 'waiting for a successor');
  }

  #becomeInit(why: TransitionReason, detail: string): void {
    this.#disown();
    this.#watch.forget();
    this.#ended = true;
    this.#enter('INIT', undefined, why, detail);
  }

  /** The one place where the state changes, together with its deadline. */
  #enter(to: RouterState, deadline: Instant | undefined, why: TransitionReason, detail: string): void {
    const from = this.#state;
    this.#state = to;
    this.#deadline = deadline;
    this.#ready = false;
    if (from === to) return;
    this.#lastReason = why;
    this.#lastDetail = detail;
    this.#emit({ type: 'transition', from, to, why, detail });
  }

  #disown(): void {
    if (this.#state === 'MASTER' || this.#state === 'LEAVING') this.#emit({ type: 'disown' });
  }

  #advertise(): void {
    this.#emit({ type: 'send', ad: this.#adverts.current });
  }

  #sayGoodbye(): void {
    this.#emit({ type: 'send', ad: goodbye(this.#config) });
  }

  #follow(from: IpAddress, ad: Advertisement, now: Instant): void {
    if (!this.#watch.follow(from, ad, now)) return;
    this.#emit({ type: 'master', source: from, priority: ad.priority, interval: ad.interval });
  }

  #emit(effect: RouterEffect): void {
    this.#effects.push(effect);
  }
}

const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);
