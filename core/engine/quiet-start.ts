// vrrp_startup_delay and vrrp_delay_after_boot: until a moment after the start, no virtual router is at work: nothing is
// sent, what is heard counts for nothing. Of the first configuration only: a reload delays nobody.
import type { Clock } from '../ports/engine-io.ts';
import { after, type Instant, micros, seconds } from '../units.ts';
import type { EngineConfig } from './messages.ts';
import type { Resident } from './resident.ts';

export interface QuietStartHost {
  /** It is over: the routers may begin. */
  begin(now: Instant): void;
  log(level: 'info', text: string): void;
}

export class QuietStart implements Resident {
  readonly ready = false;
  readonly #clock: Clock;
  readonly #host: QuietStartHost;
  #until: Instant | undefined;
  #configured = false;

  constructor(clock: Clock, host: QuietStartHost) {
    this.#clock = clock;
    this.#host = host;
  }

  /** Whether routers have to wait. */
  get isQuiet(): boolean {
    return this.#until !== undefined;
  }

  get deadline(): Instant | undefined {
    return this.#until;
  }

  configure({ start }: EngineConfig, now: Instant): void {
    if (this.#configured) return;
    this.#configured = true;
    if (start === undefined) return;
    const age = this.#clock.sinceBoot?.();
    const afterBoot = age === undefined ? 0 : Math.max(0, start.delayAfterBoot - age);
    const delay = micros(Math.max(start.startupDelay, afterBoot));
    if (delay <= 0) return;
    this.#until = after(now, delay);
    const why = afterBoot > start.startupDelay ? 'vrrp_delay_after_boot' : 'vrrp_startup_delay';
    this.#host.log('info', `${why}: nothing is sent or heard for ${(delay / seconds(1)).toFixed(1)} s`);
  }

  expire(now: Instant): void {
    if (this.#until === undefined || now < this.#until) return;
    this.#until = undefined;
    this.#host.log('info', 'the delay after the start is over: the virtual routers begin');
    this.#host.begin(now);
  }

  followLinks(): void {}
  listen(): void {}
  settle(): void {}
  close(): void {}
}
