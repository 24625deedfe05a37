// One router on a bench: events in at chosen times, effects out as short words, so that a test reads like its sentence.
import { type IpAddress, ip } from '../../core/net/address.ts';
import { type Instant, instant, type Priority, priority, seconds, vrid } from '../../core/units.ts';
import { VrrpRouter } from '../../core/vrrp/router.ts';
import type { Advertisement, RouterConfig, RouterEffect, RouterEvent } from '../../core/vrrp/types.ts';

/** v3, 1 s, priority 100: skew 0.609375 s, down timer 3.609375 s. */
export const CONFIG: RouterConfig = {
  vrid: vrid(51),
  family: 4,
  version: 3,
  priority: priority(100),
  interval: seconds(1),
  preempt: true,
  preemptDelay: seconds(0),
  downTimerAdverts: 3,
  addresses: [ip('10.0.0.100')],
  source: ip('10.0.0.1'),
  maxMasterInterval: seconds(10),
  answerLowerPriority: true,
  advertiseBeforeYielding: true,
  makeBeforeBreak: true,
};

export const PEER = ip('10.0.0.2');
export const OTHER = ip('10.0.0.3');

/** An effect in a word or two: 'send 100', 'own', 'BACKUP>MASTER master-timeout', 'master 10.0.0.2 150'. */
export function word(effect: RouterEffect): string {
  switch (effect.type) {
    case 'send':
      return `send ${effect.ad.priority}`;
    case 'own':
    case 'disown':
    case 'announce':
      return effect.type;
    case 'transition':
      return `${effect.from}>${effect.to} ${effect.why}`;
    case 'master':
      return `master ${effect.source} ${effect.priority}`;
    case 'drop':
      return `drop ${effect.why}`;
  }
}

export class Bench {
  readonly router: VrrpRouter;
  #now = 0;

  constructor(config: Partial<RouterConfig> = {}) {
    this.router = new VrrpRouter({ ...CONFIG, ...config });
  }

  /** @param at seconds since the start of the test */
  feed(at: number, event: RouterEvent): string[] {
    this.#now = at;
    return this.router.handle(event, instant(seconds(at))).map(word);
  }

  hear(at: number, value: number, from: IpAddress = PEER, ad: Partial<Advertisement> = {}): string[] {
    const { version, vrid, interval, addresses } = CONFIG;
    const whole = { version, vrid, interval, addresses, priority: priority(value), ...ad };
    return this.feed(at, { type: 'advertisement', from, ad: whole });
  }

  timer(at = this.deadline ?? this.#now): string[] {
    return this.feed(at, { type: 'timer' });
  }

  /** Seconds. */
  get deadline(): number | undefined {
    const { deadline } = this.router;
    return deadline === undefined ? undefined : deadline / seconds(1);
  }

  get state(): string {
    return this.router.state;
  }
}

/** In BACKUP since 0 s, no master heard. */
export function backup(config: Partial<RouterConfig> = {}): Bench {
  const bench = new Bench(config);
  bench.feed(0, { type: 'startup' });
  return bench;
}

/** MASTER since 0 s. */
export function master(config: Partial<RouterConfig> = {}): Bench {
  const bench = new Bench({ ...config });
  const start = -bench.router.downInterval as Instant;
  bench.router.handle({ type: 'startup' }, start);
  if (bench.router.state !== 'MASTER') bench.router.handle({ type: 'timer' }, instant(0));
  return bench;
}

export const setPriority = (value: number): RouterEvent => ({ type: 'priority', value: priority(value) as Priority });
export const stop = (immediate = false): RouterEvent => ({ type: 'shutdown', immediate });
