// Two BFD sessions in virtual time over a wire that loses, delays and cuts: the production state machine and codec.
import { decode, emptyPacket, encode, PACKET_LENGTH } from '../../core/bfd/packet.ts';
import { BfdSession } from '../../core/bfd/session.ts';
import type { BfdEvent, BfdState, ControlPacket, SessionParameters } from '../../core/bfd/types.ts';
import { after, type Instant, instant, type Micros, micros, millis, seconds } from '../../core/units.ts';
import { randomFrom } from '../support/simulated-chance.ts';

export const PARAMETERS: SessionParameters = {
  minTransmit: millis(10),
  minReceive: millis(10),
  idleTransmit: seconds(1),
  multiplier: 3,
  passive: false,
};

export interface Seen {
  readonly at: Instant;
  readonly packet: ControlPacket;
}

export interface Change {
  readonly at: Instant;
  readonly to: BfdState;
  readonly diagnostic: number;
}

/** A repeatable stream of numbers from 0 up to but not 1. */
export const chance = (seed: number): (() => number) => randomFrom(seed).next;

export class End {
  readonly session: BfdSession;
  readonly sent: Seen[] = [];
  readonly changes: Change[] = [];
  readonly drops: string[] = [];
  /** Not running while set. */
  stopped = false;
  /** Loses what it sends while true. */
  loses: () => boolean = () => false;

  constructor(discriminator: number, parameters: Partial<SessionParameters> = {}, random: () => number = () => 0.5) {
    this.session = new BfdSession(discriminator, { ...PARAMETERS, ...parameters }, random);
  }

  get state(): BfdState {
    return this.session.state;
  }
}

export class Wire {
  now: Instant = instant(1e9);
  delay: Micros = micros(100);
  readonly a: End;
  readonly b: End;
  readonly #flying: { readonly to: End; readonly at: Instant; readonly bytes: Uint8Array }[] = [];

  constructor(a: End, b: End) {
    this.a = a;
    this.b = b;
  }

  feed(end: End, event: BfdEvent): void {
    for (const effect of end.session.handle(event, this.now)) {
      if (effect.type === 'transition')
        end.changes.push({ at: this.now, to: effect.to, diagnostic: effect.diagnostic });
      else if (effect.type === 'drop') end.drops.push(effect.why);
      else {
        const packet = emptyPacket();
        end.session.compose(effect.final, packet);
        end.sent.push({ at: this.now, packet });
        const bytes = new Uint8Array(PACKET_LENGTH);
        encode(packet, bytes);
        if (end.loses()) continue;
        this.#flying.push({ to: end === this.a ? this.b : this.a, at: after(this.now, this.delay), bytes });
      }
    }
  }

  start(): this {
    this.feed(this.a, { type: 'start' });
    this.feed(this.b, { type: 'start' });
    return this;
  }

  run(duration: Micros): void {
    this.until(() => false, duration);
  }

  /** Lets time pass until something holds; whether it did within the limit. */
  until(condition: () => boolean, limit: Micros): boolean {
    const end = after(this.now, limit);
    for (;;) {
      if (condition()) return true;
      const next = Math.min(
        this.#flying[0]?.at ?? Number.POSITIVE_INFINITY,
        ...[this.a, this.b].map((one) => (one.stopped ? undefined : one.session.deadline) ?? Number.POSITIVE_INFINITY),
      );
      if (next > end) break;
      if (next > this.now) this.now = instant(next);
      while (this.#flying.length > 0 && this.#flying[0]!.at <= this.now) {
        const { to, bytes } = this.#flying.shift()!;
        const packet = emptyPacket();
        const refusal = decode(bytes, packet);
        if (refusal !== undefined) throw new Error(`sent what nobody accepts: ${refusal}`);
        if (!to.stopped) this.feed(to, { type: 'packet', packet });
      }
      for (const one of [this.a, this.b])
        if (!one.stopped && (one.session.deadline ?? Number.POSITIVE_INFINITY) <= this.now)
          this.feed(one, { type: 'timer' });
    }
    this.now = end;
    return condition();
  }

  /** Both up, polls answered. */
  up(): this {
    this.start();
    const both = () => this.a.state === 'Up' && this.b.state === 'Up';
    if (!this.until(both, seconds(5))) throw new Error(`they are ${this.a.state} and ${this.b.state}`);
    this.run(seconds(2));
    return this;
  }
}
