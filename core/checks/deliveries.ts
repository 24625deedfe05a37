// The notifiers of one thread: makes them, gives them their events, ends an attempt when its time is up. Keeps no queue
// and tries nothing again: that is the agent's, which outlives this thread.
import type { Notifier, NotifierPlugin, NotifyResult, NotifyServices } from '../plugin/notifier.ts';
import type { Timing } from '../ports/process.ts';
import { after, micros } from '../units.ts';
import { textOf } from './check-run.ts';
import type { CheckEvent, Delivery, NotifierPlan } from './messages.ts';

export interface DeliveriesPorts {
  readonly timing: Timing;
  /** By name. */
  readonly plugins: ReadonlyMap<string, NotifierPlugin>;
  readonly services: (plan: NotifierPlan) => NotifyServices;
  readonly post: (event: CheckEvent) => void;
}

/** Words of a plugin longer than this are cut. */
const LONGEST_TEXT = 200;

interface Desk {
  readonly plan: NotifierPlan;
  /** Or why there is none. */
  readonly notifier: Notifier | string;
  /** Ends the attempt that is under way. */
  abort: AbortController | undefined;
}

export class Deliveries {
  readonly #ports: DeliveriesPorts;
  #desks: ReadonlyMap<string, Desk> = new Map();

  constructor(ports: DeliveriesPorts) {
    this.#ports = ports;
  }

  configure(plans: readonly NotifierPlan[]): void {
    const before = this.#desks;
    const desks = new Map<string, Desk>();
    for (const plan of plans) {
      const old = before.get(plan.name);
      if (old !== undefined && JSON.stringify(old.plan) === JSON.stringify(plan)) desks.set(plan.name, old);
    }
    // First: a successor may want the same pipe.
    for (const [name, desk] of before) if (desks.get(name) !== desk) this.#close(desk);
    for (const plan of plans)
      if (!desks.has(plan.name)) desks.set(plan.name, { plan, notifier: this.#create(plan), abort: undefined });
    this.#desks = desks;
  }

  async deliver(id: number, { notifier: name, events }: Delivery): Promise<void> {
    const { post, timing } = this.#ports;
    const desk = this.#desks.get(name);
    const fail = (why: string, permanent = false): void =>
      post({ type: 'delivered', id, result: { ok: false, why, permanent } });
    if (desk === undefined) return fail('there is no such notifier', true);
    const { notifier, plan } = desk;
    if (typeof notifier === 'string') return fail(notifier, true);
    if (desk.abort !== undefined) return fail('the attempt before does not end although its time is up');
    const abort = new AbortController();
    desk.abort = abort;
    let over = false;
    const cancel = timing.setTimer(after(timing.now(), plan.timeout), () => {
      over = true;
      abort.abort();
      fail(`no end within ${plan.timeout / 1_000} ms`);
    });
    const result = await attempt(notifier, events, abort.signal);
    cancel();
    desk.abort = undefined;
    if (!over) post({ type: 'delivered', id, result });
  }

  #create(plan: NotifierPlan): Notifier | string {
    const { plugins, services } = this.#ports;
    const { name, settings, timeout } = plan;
    const log = (level: 'error' | 'warning' | 'info', text: string): void =>
      this.#ports.post({ type: 'log', level, check: '', text: `notifier ${name}: ${text.slice(0, LONGEST_TEXT)}` });
    const plugin = plugins.get(plan.plugin);
    if (plugin === undefined) return `there is no plugin ${plan.plugin}`;
    try {
      plugin.validate?.(plan.options as never, (option, message) =>
        log('warning', option === undefined ? message : `${option}: ${message}`),
      );
      return plugin.create(plan.options as never, { ...services(plan), name, settings, timeout, log });
    } catch (error) {
      log('error', `it cannot run: ${textOf(error)}`);
      return `it cannot run: ${textOf(error)}`;
    }
  }

  #close({ notifier, abort, plan }: Desk): void {
    abort?.abort();
    if (typeof notifier === 'string') return;
    try {
      notifier.close?.();
    } catch (error) {
      const text = `notifier ${plan.name}: closing it failed: ${textOf(error)}`;
      this.#ports.post({ type: 'log', level: 'warning', check: '', text });
    }
  }
}

async function attempt(notifier: Notifier, events: Delivery['events'], signal: AbortSignal): Promise<NotifyResult> {
  try {
    return understood(await notifier.notify(events, signal));
  } catch (error) {
    return { ok: false, why: textOf(error) };
  }
}

/** What a plugin returned, if it is what it should be. */
function understood(result: unknown): NotifyResult {
  const { ok, why, permanent, retryAfter } = (typeof result === 'object' && result !== null ? result : {}) as Record<
    string,
    unknown
  >;
  if (ok === true) return { ok };
  if (ok !== false)
    return { ok: false, why: 'the plugin returned no result: { ok: true } or { ok: false, why } was expected' };
  return {
    ok,
    why: typeof why === 'string' ? why.slice(0, LONGEST_TEXT) : 'it failed and does not say why',
    permanent: permanent === true,
    ...(typeof retryAfter === 'number' && retryAfter > 0 && { retryAfter: micros(retryAfter) }),
  };
}
