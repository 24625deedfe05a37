// One BFD session at work: its state machine, its way out, its counts, and what it says to those that track it.
// Decides nothing about the protocol; receives nothing itself.
import { emptyPacket, encode, PACKET_LENGTH } from '../bfd/packet.ts';
import { BfdSession } from '../bfd/session.ts';
import {
  type BfdDropReason,
  type BfdEvent,
  type BfdState,
  diagnosticText,
  type SessionParameters,
} from '../bfd/types.ts';
import type { BfdConfig } from '../config/model.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { DatagramNetwork, UdpSender } from '../ports/datagram-io.ts';
import { after, between, type Instant, type Micros, micros } from '../units.ts';
import type { BfdSnapshot } from './messages.ts';

/** RFC 5881 §4, RFC 5883 §5. */
export const SINGLE_HOP_PORT = 3784;
export const MULTIHOP_PORT = 4784;
export const portOf = ({ multihop }: BfdConfig): number => (multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT);

/** What a peer tells of itself. */
export interface BfdPeerHost {
  /** Has packets for `flush`, told once until then. */
  queued(peer: BfdPeer): void;
  transition(peer: BfdPeer, from: BfdState, to: BfdState, now: Instant): void;
  /** The way out is shut, for this reason, since now. */
  troubled(peer: BfdPeer, why: string): void;
}

/** So many idle intervals a session that a reload brought has until being down counts. */
const GRACE = 3;

const scratch = emptyPacket();
const bytes = new Uint8Array(PACKET_LENGTH);

export class BfdPeer {
  readonly #host: BfdPeerHost;
  readonly session: BfdSession;
  readonly sourcePort: number;
  #config: BfdConfig;
  #sender: UdpSender | undefined;
  #ifindex = 0;
  #trouble = '';
  #wantsPeriodic = false;
  #wantsFinal = false;
  #state: TrackedState;
  /** Being down does not count before this. */
  #graceUntil: Instant | undefined;
  #since: number;
  #sent = 0;
  #received = 0;
  #ups = 0;
  #downs = 0;
  #lastHeard: Instant | undefined;
  readonly #drops: Partial<Record<BfdDropReason, number>> = {};

  /** @param graceAt undefined: being down counts from the beginning. @param time milliseconds since 1970 */
  constructor(
    host: BfdPeerHost,
    config: BfdConfig,
    discriminator: number,
    sourcePort: number,
    random: () => number,
    graceAt: Instant | undefined,
    time: number,
  ) {
    this.#host = host;
    this.#config = config;
    this.sourcePort = sourcePort;
    this.session = new BfdSession(discriminator, parametersOf(config), random);
    this.#graceUntil = graceAt === undefined ? undefined : after(graceAt, micros(GRACE * config.idleTransmit));
    this.#since = time;
    this.#state = this.#judge('no answer yet');
  }

  get config(): BfdConfig {
    return this.#config;
  }

  get name(): string {
    return this.#config.name;
  }

  get deadline(): Instant | undefined {
    const own = this.session.deadline;
    const grace = this.#graceUntil;
    if (grace === undefined) return own;
    return own === undefined || grace < own ? grace : own;
  }

  /** What tracks of it see. */
  get tracked(): TrackedState {
    return this.#state;
  }

  /** Whether it may go on with another configuration as the same session. */
  isSame({ neighbor, source, interface: device, multihop }: BfdConfig): boolean {
    const { config } = this;
    return (
      config.neighbor === neighbor &&
      config.source === source &&
      config.interface === device &&
      config.multihop === multihop
    );
  }

  reconfigure(config: BfdConfig, now: Instant): void {
    const before = this.#config;
    this.#config = config;
    if (before.ttl !== config.ttl) this.shut();
    if (JSON.stringify(parametersOf(before)) !== JSON.stringify(parametersOf(config)))
      this.handle({ type: 'reconfigure', parameters: parametersOf(config) }, now);
  }

  /** The lowest TTL that a packet may have on arrival (RFC 5881 §5); 0: any. */
  get leastTtl(): number {
    const { ttl, maxHops } = this.#config;
    return maxHops < 0 ? 0 : Math.max(0, ttl - maxHops);
  }

  /** Opens the way out if it is shut; returns whether it is open. */
  open(network: DatagramNetwork, ifindex: number): boolean {
    if (this.#sender !== undefined && this.#ifindex === ifindex) return true;
    this.shut();
    const { neighbor: destination, source, ttl } = this.#config;
    try {
      const port = portOf(this.#config);
      this.#sender = network.udpSender({ destination, port, ifindex, source, sourcePort: this.sourcePort, ttl });
      this.#ifindex = ifindex;
    } catch (error) {
      this.#troubled((error as { code?: string }).code ?? String(error));
    }
    return this.#sender !== undefined;
  }

  shut(): void {
    this.#sender?.close();
    this.#sender = undefined;
  }

  handle(event: BfdEvent, now: Instant): void {
    for (const effect of this.session.handle(event, now)) {
      switch (effect.type) {
        case 'send':
          if (!this.#wantsFinal && !this.#wantsPeriodic) this.#host.queued(this);
          if (effect.final) this.#wantsFinal = true;
          else this.#wantsPeriodic = true;
          break;
        case 'transition':
          this.#changed(effect.from, effect.to, now);
          break;
        case 'drop':
          this.drop(effect.why);
          break;
      }
    }
  }

  /** A packet was for this session; `arrival` is when the kernel had it. */
  heard(event: BfdEvent & { readonly type: 'packet' }, arrival: Instant): void {
    this.#received++;
    this.#lastHeard = arrival;
    this.handle(event, arrival);
  }

  drop(why: BfdDropReason): void {
    this.#drops[why] = (this.#drops[why] ?? 0) + 1;
  }

  /** Returns whether it now counts that the session is down. */
  expire(now: Instant): boolean {
    this.handle({ type: 'timer' }, now);
    if (this.#graceUntil === undefined || now < this.#graceUntil) return false;
    this.#graceUntil = undefined;
    this.#state = { ...this.#state, disabled: false };
    return true;
  }

  /** Sends what the session wants to say, as things are now. One packet says all but the answer to a poll. */
  flush(): void {
    this.session.compose(true, scratch);
    const final = this.#wantsFinal;
    if (final) this.#send();
    this.session.compose(false, scratch);
    if (this.#wantsPeriodic && (!final || scratch.poll)) this.#send();
    this.#wantsFinal = this.#wantsPeriodic = false;
  }

  snapshot(now: Instant): BfdSnapshot {
    const { session } = this;
    return {
      name: this.name,
      neighbor: this.#config.neighbor,
      multihop: this.#config.multihop,
      state: session.state,
      since: this.#since,
      diagnostic: diagnosticText(session.diagnostic),
      remoteState: session.remoteState,
      remoteDiagnostic: diagnosticText(session.remoteDiagnostic),
      discriminator: session.discriminator,
      remoteDiscriminator: session.remoteDiscriminator,
      transmitInterval: session.transmitInterval,
      detectionTime: session.detectionTime,
      sent: this.#sent,
      received: this.#received,
      lastHeard: this.#lastHeard === undefined ? undefined : between(this.#lastHeard, now),
      wentUp: this.#ups,
      wentDown: this.#downs,
      drops: { ...this.#drops },
      trouble: this.#trouble,
      counts: this.#state,
    };
  }

  /** The counts begin anew. */
  clearStatistics(): void {
    this.#sent = this.#received = this.#ups = this.#downs = 0;
    for (const why of Object.keys(this.#drops)) delete this.#drops[why as BfdDropReason];
  }

  /** @param time milliseconds since 1970 */
  changedAt(time: number): void {
    this.#since = time;
  }

  #changed(from: BfdState, to: BfdState, now: Instant): void {
    if (to === 'Up') this.#ups++;
    if (from === 'Up') this.#downs++;
    if (to === 'Up') this.#graceUntil = undefined;
    // RFC 5882 §4.2: a neighbour that ends the session on purpose says nothing of the path; keepalived goes on, too.
    if (from !== 'Up' || this.session.remoteState !== 'AdminDown')
      this.#state = this.#judge(diagnosticText(this.session.diagnostic));
    this.#host.transition(this, from, to, now);
  }

  /** Down and Init are one to those that track it, and so are their words: a fault is not told twice. */
  #judge(why: string): TrackedState {
    const up = this.session.state === 'Up';
    const { neighbor } = this.#config;
    const before = this.#state;
    if (!up && before !== undefined && before.up === false) return before;
    return { up, disabled: this.#graceUntil !== undefined, detail: up ? `${neighbor} is up` : `${neighbor}: ${why}` };
  }

  #send(): void {
    if (this.#sender === undefined) return;
    encode(scratch, bytes);
    const error = this.#sender.send(bytes);
    if (error === undefined) {
      this.#sent++;
      this.#trouble = '';
    } else this.#troubled(error);
  }

  #troubled(why: string): void {
    if (why === this.#trouble) return;
    this.#trouble = why;
    this.#host.troubled(this, why);
  }
}

function parametersOf(config: BfdConfig): SessionParameters {
  const { minTransmit, minReceive, idleTransmit, multiplier, passive } = config;
  return { minTransmit, minReceive, idleTransmit, multiplier, passive };
}

/** The interval at which a shut way out is tried again. */
export const RETRY: Micros = micros(1_000_000);
