// The state machine of one virtual router (RFC 9568 §6.4, RFC 3768 §6.4). Time and events in, effects out.
// Opens nothing, reads no clock, never throws. Adverts reach it after decode and admission.
import { compareIp, type IpAddress } from '../net/address.ts';
import { after, type Instant, type Micros, micros, type Priority } from '../units.ts';
import { nextOnSchedule } from './own-adverts.ts';
import { effectivePriority, LEAVING, OWNER } from './priority.ts';
import { Stage } from './stage.ts';
import type {
  Advertisement,
  RouterConfig,
  RouterEffect,
  RouterEvent,
  RouterState,
  Standing,
  TransitionReason,
} from './types.ts';

type StateEvent = Exclude<RouterEvent, { readonly type: 'priority' | 'source' | 'reconfigure' | 'deaf' | 'alive' }>;
type AdvertEvent = Extract<RouterEvent, { readonly type: 'advertisement' }>;

export class VrrpRouter {
  readonly #stage: Stage;

  constructor(config: RouterConfig) {
    this.#stage = new Stage(config);
  }

  get state(): RouterState {
    return this.#stage.state;
  }

  /** When it next wants `timer`. Defined in BACKUP, MASTER and LEAVING, undefined in INIT and FAULT. */
  get deadline(): Instant | undefined {
    return this.#stage.deadline;
  }

  /** What its sync group must know of it. */
  get standing(): Standing {
    return this.#stage.standing;
  }

  /** What MASTER advertises: 1..254, or 255 for an owner. */
  get effectivePriority(): Priority {
    return this.#stage.priority;
  }

  /** BACKUP: whose adverts it heeds; undefined when none was heard since it entered the state, and in other states. */
  get masterSource(): IpAddress | undefined {
    return this.#stage.watch.master?.source;
  }

  get masterPriority(): Priority | undefined {
    return this.#stage.watch.master?.priority;
  }

  /** The interval that the down timer counts: v3 the master's, clamped; otherwise our own. */
  get masterInterval(): Micros {
    return this.#stage.watch.interval(this.#stage.config);
  }

  get skew(): Micros {
    return this.#stage.skew;
  }

  get downInterval(): Micros {
    return this.#stage.downInterval;
  }

  /** MASTER that is silent on purpose: it made room for a better router and waits for it. */
  get isResigning(): boolean {
    return this.#stage.resigned && this.state === 'MASTER';
  }

  /** Why it changed state last. */
  get lastReason(): TransitionReason {
    return this.#stage.lastReason;
  }

  get lastDetail(): string {
    return this.#stage.lastDetail;
  }

  /**
   * Takes an event and returns what to do about it, in this order.
   * @param now when it happened, for an advert its arrival; may lie a little before that of the previous event
   */
  handle(event: RouterEvent, now: Instant): readonly RouterEffect[] {
    const effects = this.#stage.begin();
    switch (event.type) {
      case 'source':
        this.#stage.source = event.address;
        break;
      case 'reconfigure':
        this.#reconfigure(event.config, now, event.resign);
        break;
      case 'priority':
        if (this.#stage.config.priority !== OWNER) this.#changePriority(event.value, now, event.resign);
        break;
      case 'deaf':
        this.#stage.deaf(event.until);
        break;
      case 'alive':
        this.#stage.hears(now);
        break;
      case 'timer':
        if (this.deadline !== undefined && this.deadline <= now) this.#dispatch(event, now);
        break;
      case 'advertisement':
        if (this.#isDeafOwner) this.#stage.emit({ type: 'drop', why: 'not-listening' });
        else this.#dispatch(event, now);
        break;
      case 'startup':
      case 'shutdown':
      case 'fault':
      case 'recovered':
      case 'withdraw':
      case 'group':
        this.#dispatch(event, now);
        break;
    }
    return effects;
  }

  /** RFC 9568 as published: an owner discards adverts. One that leaves still waits for its successor. */
  get #isDeafOwner(): boolean {
    const { config, priority } = this.#stage;
    return config.ownerIgnoresAdverts === true && priority === OWNER && this.state !== 'LEAVING';
  }

  /** What a state does not name changes nothing in it. */
  #dispatch(event: StateEvent, now: Instant): void {
    switch (this.state) {
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
        this.#stage.ended = false;
        this.#begin('startup', now);
        break;
      case 'advertisement':
        this.#stage.emit({ type: 'drop', why: 'not-listening' });
        break;
      case 'fault':
        if (!this.#stage.ended) this.#stage.becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (!this.#stage.ended && event.reason === 'fenced') this.#stage.becomeFault('fenced', 'before it started');
        break;
      case 'shutdown':
        this.#stage.ended = true;
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
        this.#stage.becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (event.reason === 'fenced') this.#stage.becomeFault('fenced', 'the agent does not respond');
        else this.#stage.becomeBackup('stalled', 'listening anew after a stall', now);
        break;
      case 'group':
        if (event.state === 'MASTER') this.#stage.becomeMaster('sync-group', 'every member of the group is ready', now);
        break;
      case 'shutdown': // RFC 9568 §6.4.2: no packet
        this.#stage.becomeInit('shutdown', 'stopped as backup');
        break;
    }
  }

  #inMaster(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'timer':
        this.#stage.resigned = false;
        this.#stage.advertise();
        this.#stage.deadline = nextOnSchedule(this.#stage.deadline!, this.#stage.config.interval, now);
        break;
      case 'advertisement':
        this.#heardInMaster(event, now);
        break;
      case 'fault':
        this.#stage.sayGoodbye();
        this.#stage.becomeFault('fault', event.why);
        break;
      case 'withdraw':
        if (event.announceLeave) this.#stage.sayGoodbye();
        if (event.reason === 'fenced') this.#stage.becomeFault('fenced', 'the agent does not respond');
        else this.#stage.becomeBackup('stalled', 'overslept, another master may exist', now);
        break;
      case 'group': // keepalived: the other members of the group leave without priority 0
        if (event.state === 'BACKUP')
          this.#stage.becomeBackup('sync-group', 'another member of the group is backup', now);
        break;
      case 'shutdown':
        this.#stage.sayGoodbye(); // RFC 9568 §6.4.3
        if (this.#stage.config.makeBeforeBreak && !event.immediate) this.#stage.becomeLeaving(now);
        else this.#stage.becomeInit('shutdown', 'stopped as master');
        break;
    }
  }

  #inLeaving(event: StateEvent): void {
    switch (event.type) {
      case 'timer':
        this.#stage.becomeInit('no-successor', 'nobody took over');
        break;
      case 'advertisement':
        // Whoever it is, it is MASTER now: backups do not speak. Another goodbye is no successor.
        if (event.ad.priority !== LEAVING) this.#stage.becomeInit('successor-heard', `${event.from} took over`);
        break;
      case 'shutdown':
        if (event.immediate) this.#stage.becomeInit('shutdown', 'stopped without waiting for a successor');
        break;
      case 'fault':
        this.#stage.becomeInit('fault', event.why);
        break;
      case 'withdraw':
        this.#stage.becomeInit(event.reason, 'while leaving');
        break;
    }
  }

  #inFault(event: StateEvent, now: Instant): void {
    switch (event.type) {
      case 'recovered':
        this.#begin('recovered', now);
        break;
      case 'advertisement':
        this.#stage.emit({ type: 'drop', why: 'not-listening' });
        break;
      case 'shutdown':
        this.#stage.becomeInit('shutdown', 'stopped in fault');
        break;
      case 'fault':
        this.#stage.lastDetail = event.why;
        break;
    }
  }

  /** RFC 9568 §6.4.1: the owner is MASTER at once, others listen for a whole down timer first. */
  #begin(why: 'startup' | 'recovered', now: Instant): void {
    const owner = this.#stage.priority === OWNER;
    if (owner && !this.#stage.config.grouped) {
      this.#stage.becomeMaster('owner', 'owns the addresses', now);
      return;
    }
    this.#stage.becomeBackup(why, why === 'startup' ? 'listening for a master' : 'no fault is left', now);
    this.#stage.ready = owner; // only its group keeps it back
  }

  #heardInBackup({ from, ad }: AdvertEvent, now: Instant): void {
    this.#stage.hears(now);
    if (ad.priority === LEAVING) {
      // RFC 9568 §6.4.2 sets the timer to the skew, for anybody and anew each time; so one who repeats it could put
      // the takeover off for ever. Ours: the earlier moment counts, and only the master's goodbye.
      if (this.masterSource !== undefined && this.masterSource !== from) {
        this.#stage.emit({ type: 'drop', why: 'not-master' });
        return;
      }
      this.#stage.watch.resign();
      this.#stage.hasten(after(now, this.skew));
      return;
    }
    if (!this.#stage.watch.heeds(ad, this.#stage.priority, this.#stage.config, now)) {
      // Discard, the timer runs on. But a master that fell below us will not rise by our waiting for it.
      if (this.#stage.config.fastHandover !== false && this.#stage.watch.hasFallen(from, ad)) {
        this.#stage.hasten(after(now, this.skew));
      }
      return;
    }
    this.#stage.follow(from, ad, now);
    this.#stage.ready = false;
    this.#stage.deadline = after(now, this.downInterval);
  }

  /** RFC 9568 §6.4.2: Active_Down_Timer fires. */
  #masterIsDown(now: Instant): void {
    if (this.#stage.config.grouped) {
      this.#stage.ready = true;
      this.#stage.deadline = after(now, this.downInterval);
      return;
    }
    const who = this.masterSource ?? 'any master';
    if (this.#stage.watch.resigned) this.#stage.becomeMaster('priority-zero', `${who} resigned`, now);
    else if (this.#stage.watch.fallen !== undefined)
      this.#stage.becomeMaster('lower-priority', `${who} fell to priority ${this.#stage.watch.fallen}`, now);
    else this.#stage.becomeMaster('master-timeout', `nothing heard from ${who}`, now);
  }

  #heardInMaster({ from, ad }: AdvertEvent, now: Instant): void {
    if (ad.priority === LEAVING) {
      // RFC 9568 §6.4.3: advertise and reset Adver_Timer
      if (!this.#stage.adverts.mayAnswer(now)) return;
      this.#stage.advertise();
      this.#restartAdverts(now);
      return;
    }
    const higher = ad.priority > this.#stage.priority;
    if (higher || (ad.priority === this.#stage.priority && compareIp(from, this.#stage.source) > 0)) {
      this.#yield(higher ? 'higher-priority' : 'higher-address', from, ad, now);
      return;
    }
    // RFC 9568 §6.4.3: discard and advertise at once; the Adver_Timer runs on, so nobody can silence us.
    if (this.#stage.config.answerLowerPriority && this.#stage.adverts.mayAnswer(now)) this.#stage.advertise();
    if (this.#stage.resigned) this.#restartAdverts(now);
    this.#stage.emit({ type: 'announce' });
  }

  #restartAdverts(now: Instant): void {
    this.#stage.resigned = false;
    this.#stage.deadline = after(now, this.#stage.config.interval);
  }

  /** RFC 9568 §6.4.3: a better master. */
  #yield(why: 'higher-priority' | 'higher-address', from: IpAddress, ad: Advertisement, now: Instant): void {
    // Our last word tells the winner that there were two, so that it announces its addresses again. One whom we made
    // room for has announced them after our last word.
    if (this.#stage.config.advertiseBeforeYielding && !this.#stage.resigned) this.#stage.advertise();
    this.#stage.becomeBackup(this.#stage.resigned ? 'resign' : why, `${from} has priority ${ad.priority}`, now);
    this.#stage.follow(from, ad, now);
    this.#stage.deadline = after(now, this.downInterval);
  }

  /** A new effective priority. BACKUP: the skew changes, so the timer shifts. MASTER: says so at once, out of turn. */
  #changePriority(value: Priority, now: Instant, outranking?: IpAddress): void {
    if (value === this.#stage.priority) return;
    const fell = value < this.#stage.priority;
    const before = this.skew;
    this.#stage.priority = value;
    this.#stage.adverts.renew(this.#stage.config, value);
    if (this.state === 'BACKUP') this.#stage.shift(micros(this.skew - before));
    if (this.state !== 'MASTER') return;
    this.#stage.advertise();
    if (fell && outranking !== undefined) this.#resign(now);
  }

  /**
   * Makes room for somebody who is better now but discards adverts of lower priority (keepalived): goodbye, and silence
   * for a down timer at most. The addresses stay until that one is heard; nobody resigns to nobody.
   */
  #resign(now: Instant): void {
    this.#stage.sayGoodbye();
    this.#stage.resigned = true;
    this.#stage.deadline = after(now, this.downInterval);
  }

  /** Another configuration of the same virtual router: no state is left for it, and equal values change nothing. */
  #reconfigure(config: RouterConfig, now: Instant, outranking?: IpAddress): void {
    const before = this.#stage.config;
    const adjustment = this.#stage.priority - before.priority;
    const running = this.downInterval;
    this.#stage.config = config;
    this.#stage.source = config.source;
    this.#stage.adverts.renew(config, this.#stage.priority);
    if (!config.grouped) this.#stage.ready = false;
    if (this.state === 'BACKUP' && !this.#stage.watch.resigned && this.downInterval !== running)
      this.#stage.deadline = after(now, this.downInterval);
    if (this.state === 'MASTER') this.#stage.shift(micros(config.interval - before.interval));
    this.#changePriority(effectivePriority(config.priority, adjustment), now, outranking);
  }
}
