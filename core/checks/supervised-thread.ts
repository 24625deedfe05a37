// One thread of plugins as the agent keeps it: started, asked whether it lives, ended when it does not answer, started
// again after a pause. It believes nothing that a plugin does; a plugin that spins or eats memory ends with its thread.
import type { NotifyResult, PluginDescription } from '../plugin/notifier.ts';
import type { Timing } from '../ports/process.ts';
import { after, type Micros, micros, seconds } from '../units.ts';
import type { CheckCommand, CheckEvent, CheckPlan, CheckSnapshot, Delivery, NotifierPlan } from './messages.ts';

/** A thread at work, as the system gives it. */
export interface CheckThread {
  send(command: CheckCommand): void;
  /** `onEnd` is called once, when it is no more, whatever ended it. */
  listen(onEvent: (event: CheckEvent) => void, onEnd: (why: string) => void): void;
  /** Ends it, even if it never returns to its loop. */
  terminate(): void;
}

/** Whom it tells. Never called from within a call. */
export interface ThreadWatcher {
  changed(name: string, up: boolean, detail: string): void;
  /** A check cannot be made. */
  unable(name: string, why: string): void;
  log(level: 'error' | 'warning' | 'info', text: string, check?: string): void;
  /** It has not worked for so long that what it said counts no longer. */
  lost(why: string): void;
}

/** Until it must have said what it can do. */
const START_LIMIT = seconds(5);
const PING_EVERY = seconds(1);
/** Unanswered pings until it counts as hung. Each is a turn of our own loop, so that a pause here accuses nobody. */
const PINGS = 3;
const FIRST_PAUSE = seconds(1);
const LONGEST_PAUSE = seconds(60);
/** Working for so long forgives what was before. */
const FORGIVEN = seconds(300);
/** Out of work for so long, what it said last counts no longer. */
const GRACE = seconds(5);
const SNAPSHOT_LIMIT = seconds(1);
/** An answer to a delivery may come so much after the end of its time. */
const ANSWER_SLACK = seconds(2);

export class SupervisedThread {
  readonly name: string;
  readonly #start: () => CheckThread;
  readonly #timing: Timing;
  readonly #watcher: ThreadWatcher;
  readonly #described = Promise.withResolvers<readonly PluginDescription[] | string>();
  readonly #snapshots = new Map<number, (checks: readonly CheckSnapshot[]) => void>();
  #thread: CheckThread | undefined;
  #ready = false;
  #stopped = false;
  #plans: readonly CheckPlan[] = [];
  #notifiers: readonly NotifierPlan[] = [];
  /** What was handed over and is not answered yet. */
  readonly #deliveries = new Map<number, (result: NotifyResult) => void>();
  /** What waits until the thread is ready. */
  #waiting: (() => void)[] = [];
  #pause = FIRST_PAUSE;
  #unanswered = 0;
  #ids = 0;
  #cancels = new Set<() => void>();
  #cancelGrace: (() => void) | undefined;
  /** What it knew last. */
  #known: readonly CheckSnapshot[] = [];
  /** Why it does not work; undefined: it does, or has just begun. */
  trouble: string | undefined;
  /** It was told that what it said counts no longer; holds until it has answered again. */
  #lost = false;

  /** @param name for people: `built-in plugins`, or what load_plugin names */
  constructor(name: string, start: () => CheckThread, timing: Timing, watcher: ThreadWatcher) {
    this.name = name;
    this.#start = start;
    this.#timing = timing;
    this.#watcher = watcher;
    this.#begin();
  }

  /** What it can do, or why it cannot be used; fulfilled within five seconds. */
  get described(): Promise<readonly PluginDescription[] | string> {
    return this.#described.promise;
  }

  /** Why what its checks say does not count at present; undefined: it counts. */
  get lostBecause(): string | undefined {
    return this.#lost ? (this.trouble ?? 'it does not work') : undefined;
  }

  configure(plans: readonly CheckPlan[]): void {
    this.#plans = plans;
    if (this.#ready) this.#thread?.send({ type: 'configure', plans });
  }

  configureNotifiers(plans: readonly NotifierPlan[]): void {
    this.#notifiers = plans;
    if (this.#ready) this.#thread?.send({ type: 'notifiers', plans });
  }

  /** Hands events over to a notifier; fulfilled within the time and two seconds, also when the thread ends. */
  deliver(delivery: Delivery, timeout: Micros): Promise<NotifyResult> {
    if (this.#stopped) return Promise.resolve({ ok: false, why: 'its plugin was ended' });
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const settle = (result: NotifyResult): void => {
        cancel();
        this.#deliveries.delete(id);
        resolve(result);
      };
      const cancel = this.#later(micros(timeout + ANSWER_SLACK), () =>
        settle({ ok: false, why: `its plugin does not answer${this.trouble ? `: ${this.trouble}` : ''}` }),
      );
      this.#deliveries.set(id, settle);
      const send = (): void => {
        if (this.#deliveries.has(id)) this.#thread?.send({ type: 'deliver', id, delivery });
      };
      if (this.#ready) send();
      else this.#waiting.push(send);
    });
  }

  probe(name: string): void {
    this.#thread?.send({ type: 'probe', name });
  }

  /** What is known of its checks: fresh, or what it knew last when it does not answer. */
  snapshot(): Promise<readonly CheckSnapshot[]> {
    if (!this.#ready) return Promise.resolve(this.#known);
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const cancel = this.#later(SNAPSHOT_LIMIT, () => {
        this.#snapshots.delete(id);
        resolve(this.#known);
      });
      this.#snapshots.set(id, (checks) => {
        cancel();
        this.#known = checks;
        resolve(checks);
      });
      this.#thread?.send({ type: 'snapshot', id });
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#cancelGrace?.();
    const thread = this.#thread;
    this.#thread = undefined; // what is still on its way counts no longer
    this.#ready = false;
    thread?.terminate();
    this.#described.resolve('it was stopped');
    for (const answer of this.#snapshots.values()) answer(this.#known);
    this.#snapshots.clear();
    this.#giveUpDeliveries('its plugin was ended');
  }

  #begin(): void {
    const thread = this.#start();
    this.#thread = thread;
    this.#ready = false;
    this.#unanswered = 0;
    thread.listen(
      (event) => {
        if (this.#thread === thread) this.#hear(event);
      },
      (why) => this.#ended(thread, why),
    );
    this.#later(START_LIMIT, () => {
      if (this.#thread === thread && !this.#ready) this.#end('it did not get ready within five seconds');
    });
  }

  #hear(event: CheckEvent): void {
    switch (event.type) {
      case 'ready':
        this.#getReady(event.plugins);
        break;
      case 'refused':
        this.#refuse(event.why);
        break;
      case 'changed':
        // One that goes down again and again must not be believed each time until it does.
        if (!this.#lost) this.#watcher.changed(event.name, event.up, event.detail);
        break;
      case 'unable':
        this.#watcher.unable(event.name, event.why);
        break;
      case 'log':
        this.#watcher.log(event.level, event.text, event.check || undefined);
        break;
      case 'delivered':
        this.#deliveries.get(event.id)?.(event.result);
        break;
      case 'snapshot':
        this.#snapshots.get(event.id)?.(event.checks);
        this.#snapshots.delete(event.id);
        break;
      case 'pong':
        this.#unanswered = 0;
        this.#works();
        break;
    }
  }

  #getReady(plugins: readonly PluginDescription[]): void {
    this.#ready = true;
    this.#described.resolve(plugins);
    if (this.#plans.length > 0) this.#thread?.send({ type: 'configure', plans: this.#plans });
    if (this.#notifiers.length > 0) this.#thread?.send({ type: 'notifiers', plans: this.#notifiers });
    for (const send of this.#waiting.splice(0)) send();
    const thread = this.#thread;
    this.#later(FORGIVEN, () => {
      if (this.#thread === thread) this.#pause = FIRST_PAUSE;
    });
    this.#ping(thread);
  }

  /** It answers: getting ready alone proves nothing, its checks may spin. */
  #works(): void {
    if (this.trouble === undefined) return;
    this.#watcher.log('info', `${this.name} works again`);
    this.trouble = undefined;
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    if (this.#lost) this.#believe();
  }

  /** What its checks found since it came back counts from now on. */
  #believe(): void {
    this.#lost = false;
    const id = ++this.#ids;
    this.#snapshots.set(id, (checks) => {
      this.#known = checks;
      if (this.#stopped || this.#lost) return;
      for (const { name, up, detail } of checks) if (up !== undefined) this.#watcher.changed(name, up, detail);
    });
    this.#thread?.send({ type: 'snapshot', id });
  }

  #lose(why: string): void {
    this.#lost = true;
    this.#watcher.lost(why);
  }

  /** It cannot be used at all, and would say the same again. */
  #refuse(why: string): void {
    this.trouble = why;
    this.#described.resolve(why);
    this.#thread?.terminate();
    this.#thread = undefined;
    this.#ready = false;
    this.#giveUpDeliveries(why);
    this.#watcher.log('error', `${this.name} cannot be used: ${why}`);
    this.#lose(why);
  }

  #giveUpDeliveries(why: string): void {
    this.#waiting = [];
    for (const settle of [...this.#deliveries.values()]) settle({ ok: false, why: `its plugin was ended: ${why}` });
  }

  #ping(thread: CheckThread | undefined): void {
    this.#later(PING_EVERY, () => {
      if (this.#thread !== thread || thread === undefined) return;
      if (++this.#unanswered > PINGS) this.#end(`it did not answer for ${PINGS} seconds; it spins or is blocked`);
      else {
        thread.send({ type: 'ping', id: ++this.#ids });
        this.#ping(thread);
      }
    });
  }

  /** Ends a thread that does not work. */
  #end(why: string): void {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#fail(why);
    thread.terminate();
  }

  #ended(thread: CheckThread, why: string): void {
    if (this.#thread === thread) this.#fail(why);
  }

  #fail(why: string): void {
    this.#thread = undefined;
    this.#ready = false;
    this.#giveUpDeliveries(why);
    if (this.#stopped) return;
    this.trouble = why;
    this.#described.resolve(why);
    const pause = this.#pause;
    this.#pause = micros(Math.min(pause * 2, LONGEST_PAUSE));
    this.#watcher.log('error', `${this.name} was ended: ${why}; started again in ${pause / 1_000_000} s`);
    this.#cancelGrace ??= this.#later(GRACE, () => this.#lose(why));
    this.#later(pause, () => this.#begin());
  }

  #later(delay: Micros, what: () => void): () => void {
    const cancel = this.#timing.setTimer(after(this.#timing.now(), delay), () => {
      this.#cancels.delete(cancel);
      if (!this.#stopped) what();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }
}
