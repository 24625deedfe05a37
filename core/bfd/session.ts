// One BFD session in asynchronous mode (RFC 5880 §6): events and the time in, effects out, one deadline. It offers
// neither demand mode nor echo, and honours a neighbour that asks for demand mode. Opens nothing, reads no clock.
import { after, type Instant, instant, type Micros, micros, seconds } from '../units.ts';
import {
  type BfdEffect,
  type BfdEvent,
  type BfdState,
  type ControlPacket,
  DIAGNOSTIC_ADMINISTRATIVELY_DOWN,
  DIAGNOSTIC_DETECTION_TIME_EXPIRED,
  DIAGNOSTIC_NEIGHBOR_SIGNALED_DOWN,
  DIAGNOSTIC_NONE,
  type SessionParameters,
} from './types.ts';

/** §6.8.3: while a session is not up nobody sends faster. */
const SLOWEST_START = seconds(1);
/** §6.8.7: what jitter leaves of an interval. */
const LEAST = 0.75;
/** §6.8.1: bfd.RemoteMinRxInterval before anything was heard. */
const UNKNOWN_MIN_RECEIVE = micros(1);

export class BfdSession {
  /** bfd.LocalDiscr: 1..2^32-1, unique on this machine. */
  readonly discriminator: number;
  readonly #random: () => number;
  #parameters: SessionParameters;
  #state: BfdState = 'Down';
  #diagnostic = DIAGNOSTIC_NONE;
  #remoteState: BfdState = 'Down';
  #remoteDiagnostic = DIAGNOSTIC_NONE;
  #remoteDiscriminator = 0;
  #remoteMinReceive: Micros = UNKNOWN_MIN_RECEIVE;
  #remoteMinTransmit: Micros = SLOWEST_START;
  #remoteMultiplier = 1;
  #remoteDemand = false;
  /** What our packets say, and what counts meanwhile: they differ until a poll has told the neighbour (§6.8.3). */
  #desiredMinTransmit: Micros;
  #actualMinTransmit: Micros;
  #requiredMinReceive: Micros;
  #actualMinReceive: Micros;
  #polling = false;
  /** Something changed again while a poll was under way: its end makes another one. */
  #pollAgain = false;
  #started = false;
  #sentAt: Instant | undefined;
  #sendAt: Instant | undefined;
  #heardAt: Instant | undefined;
  #effects: BfdEffect[] = [];

  /** @param random 0 up to but not 1; jitter comes from it */
  constructor(discriminator: number, parameters: SessionParameters, random: () => number) {
    this.discriminator = discriminator;
    this.#random = random;
    this.#parameters = parameters;
    this.#desiredMinTransmit = this.#actualMinTransmit = idle(parameters);
    this.#requiredMinReceive = this.#actualMinReceive = parameters.minReceive;
  }

  get state(): BfdState {
    return this.#state;
  }

  /** Why the state is what it is: 0..31. */
  get diagnostic(): number {
    return this.#diagnostic;
  }

  get remoteState(): BfdState {
    return this.#remoteState;
  }

  /** What the neighbour last said of its own state: 0..31. */
  get remoteDiagnostic(): number {
    return this.#remoteDiagnostic;
  }

  /** 0: nothing was heard for a detection time. */
  get remoteDiscriminator(): number {
    return this.#remoteDiscriminator;
  }

  get parameters(): SessionParameters {
    return this.#parameters;
  }

  /** §6.8.2: the agreed interval between our packets, before jitter. */
  get transmitInterval(): Micros {
    return micros(Math.max(this.#actualMinTransmit, this.#remoteMinReceive));
  }

  /** §6.8.4: silence of this length means that the neighbour is gone. */
  get detectionTime(): Micros {
    return micros(this.#remoteMultiplier * Math.max(this.#actualMinReceive, this.#remoteMinTransmit));
  }

  get deadline(): Instant | undefined {
    const detect = this.#detectAt;
    if (detect === undefined) return this.#sendAt;
    return this.#sendAt === undefined || detect < this.#sendAt ? detect : this.#sendAt;
  }

  /** What the next packet says; `final` answers a poll, and polls nothing itself (§6.5). */
  compose(final: boolean, out: ControlPacket): void {
    out.diagnostic = this.#diagnostic;
    out.state = this.#state;
    out.poll = this.#polling && !final;
    out.final = final;
    out.demand = false;
    out.detectMultiplier = this.#parameters.multiplier;
    out.myDiscriminator = this.discriminator;
    out.yourDiscriminator = this.#remoteDiscriminator;
    out.desiredMinTransmit = this.#desiredMinTransmit;
    out.requiredMinReceive = this.#requiredMinReceive;
    out.requiredMinEchoReceive = micros(0);
  }

  /** The effects in the order to carry them out; valid until the next call. */
  handle(event: BfdEvent, now: Instant): readonly BfdEffect[] {
    this.#effects.length = 0;
    switch (event.type) {
      case 'start':
        this.#started = true;
        this.#sendNow(now);
        break;
      case 'timer':
        this.#timer(now);
        break;
      case 'packet':
        this.#receive(event.packet, now);
        break;
      case 'reconfigure':
        this.#reconfigure(event.parameters, now);
        break;
      case 'shutdown':
        // §6.8.16
        if (this.#state !== 'AdminDown') this.#become('AdminDown', DIAGNOSTIC_ADMINISTRATIVELY_DOWN, now);
        break;
    }
    return this.#effects;
  }

  #timer(now: Instant): void {
    const detect = this.#detectAt;
    if (detect !== undefined && detect <= now) this.#silence(now);
    if (this.#sendAt === undefined || this.#sendAt > now) return;
    // From the time it should have been, so that lateness does not add up, but never sooner than agreed.
    const next = after(this.#sendAt, this.#jittered());
    const soonest = after(now, micros(this.transmitInterval * LEAST));
    this.#emit();
    this.#sentAt = now;
    this.#sendAt = this.#speaks ? instant(Math.max(next, soonest)) : undefined;
  }

  /** §6.8.4 and §6.8.1: a detection time without a packet. */
  #silence(now: Instant): void {
    this.#heardAt = undefined;
    this.#remoteDiscriminator = 0;
    this.#remoteState = 'Down';
    this.#remoteMinReceive = UNKNOWN_MIN_RECEIVE;
    this.#remoteDemand = false;
    if (this.#state === 'Init' || this.#state === 'Up') this.#become('Down', DIAGNOSTIC_DETECTION_TIME_EXPIRED, now);
    else if (!this.#speaks) this.#sendAt = undefined;
  }

  /** §6.8.6 from "Set bfd.RemoteDiscr" on; what comes before is the business of the decoder and of the demultiplexer. */
  #receive(packet: Readonly<ControlPacket>, now: Instant): void {
    this.#remoteDiscriminator = packet.myDiscriminator;
    this.#remoteState = packet.state;
    this.#remoteDiagnostic = packet.diagnostic;
    this.#remoteDemand = packet.demand;
    this.#remoteMinReceive = packet.requiredMinReceive;
    this.#remoteMinTransmit = packet.desiredMinTransmit;
    this.#remoteMultiplier = packet.detectMultiplier;
    if (packet.final) this.#pollAnswered();
    if (this.#state === 'AdminDown') {
      this.#effects.push(ADMIN_DOWN);
      return;
    }
    this.#heardAt = now;
    this.#follow(packet.state, now);
    if (packet.poll) this.#effects.push(SEND_FINAL);
    this.#rearm(now);
  }

  #follow(remote: BfdState, now: Instant): void {
    switch (this.#state) {
      case 'AdminDown':
        return;
      case 'Down':
        if (remote === 'Down') this.#become('Init', DIAGNOSTIC_NONE, now);
        else if (remote === 'Init') this.#become('Up', DIAGNOSTIC_NONE, now);
        return;
      case 'Init':
        if (remote === 'Init' || remote === 'Up') this.#become('Up', DIAGNOSTIC_NONE, now);
        else if (remote === 'AdminDown') this.#become('Down', DIAGNOSTIC_NEIGHBOR_SIGNALED_DOWN, now);
        return;
      case 'Up':
        if (remote === 'Down' || remote === 'AdminDown') this.#become('Down', DIAGNOSTIC_NEIGHBOR_SIGNALED_DOWN, now);
        return;
    }
  }

  /** §6.8.3: the neighbour knows the new values: they count from now on. */
  #pollAnswered(): void {
    if (!this.#polling) return;
    if (this.#pollAgain) {
      this.#pollAgain = false;
      return;
    }
    this.#polling = false;
    this.#actualMinTransmit = this.#desiredMinTransmit;
    this.#actualMinReceive = this.#requiredMinReceive;
  }

  #reconfigure(parameters: SessionParameters, now: Instant): void {
    this.#parameters = parameters;
    this.#settleIntervals();
    // §6.8.7: what differs from the packet before should be known soon.
    if (this.#started) this.#sendNow(now);
  }

  #become(state: BfdState, diagnostic: number, now: Instant): void {
    const from = this.#state;
    this.#state = state;
    this.#diagnostic = diagnostic;
    this.#settleIntervals();
    this.#effects.push({ type: 'transition', from, to: state, diagnostic });
    this.#sendNow(now);
  }

  /** §6.8.3: the values that hold in this state; any change of them needs a poll. */
  #settleIntervals(): void {
    const up = this.#state === 'Up';
    const desired = up ? this.#parameters.minTransmit : idle(this.#parameters);
    const required = this.#parameters.minReceive;
    if (desired === this.#desiredMinTransmit && required === this.#requiredMinReceive) return;
    this.#desiredMinTransmit = desired;
    this.#requiredMinReceive = required;
    // Up, nobody may become slower than the neighbour believes, nor less patient than it can know.
    this.#actualMinTransmit = up ? micros(Math.min(this.#actualMinTransmit, desired)) : desired;
    this.#actualMinReceive = up ? micros(Math.max(this.#actualMinReceive, required)) : required;
    this.#pollAgain = this.#polling;
    this.#polling = true;
  }

  /** §6.8.7: whether periodic packets are sent at all. */
  get #speaks(): boolean {
    if (!this.#started) return false;
    if (this.#parameters.passive && this.#remoteDiscriminator === 0) return false;
    if (this.#remoteMinReceive === 0) return false;
    const demanded = this.#remoteDemand && this.#state === 'Up' && this.#remoteState === 'Up';
    return !demanded || this.#polling;
  }

  get #detectAt(): Instant | undefined {
    return this.#heardAt === undefined ? undefined : after(this.#heardAt, this.detectionTime);
  }

  #sendNow(now: Instant): void {
    if (!this.#speaks) {
      this.#sendAt = undefined;
      return;
    }
    this.#emit();
    this.#sentAt = now;
    this.#sendAt = after(now, this.#jittered());
  }

  /** After a packet: whether we speak, and §6.8.3: a shorter interval holds at once, counted from the packet before. */
  #rearm(now: Instant): void {
    if (!this.#speaks) {
      this.#sendAt = undefined;
      return;
    }
    if (this.#sendAt === undefined) {
      this.#sendNow(now);
      return;
    }
    const sent = this.#sentAt ?? now;
    if (this.#sendAt > after(sent, this.transmitInterval)) this.#sendAt = after(sent, this.#jittered());
  }

  #emit(): void {
    if (!this.#effects.includes(SEND)) this.#effects.push(SEND);
  }

  /** §6.8.7: 75 to 100 % of the interval; when one lost packet is one too many at most 90 %. */
  #jittered(): Micros {
    const most = this.#parameters.multiplier === 1 ? 0.9 : 1;
    return micros(this.transmitInterval * (most - (most - LEAST) * this.#random()));
  }
}

const SEND: BfdEffect = { type: 'send', final: false };
const SEND_FINAL: BfdEffect = { type: 'send', final: true };
const ADMIN_DOWN: BfdEffect = { type: 'drop', why: 'admin-down' };

const idle = ({ idleTransmit }: SessionParameters): Micros => micros(Math.max(SLOWEST_START, idleTransmit));
