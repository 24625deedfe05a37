// All BFD sessions as a resident of the engine's loop: shared listeners, who a packet is for, whose turn it is to speak.
// Whoever tracks a session asks here for its state and is told when it changed. Knows no virtual router.
import { decode, emptyPacket } from '../bfd/packet.ts';
import { type BfdDropReason, type BfdState, diagnosticText } from '../bfd/types.ts';
import type { BfdConfig } from '../config/model.ts';
import { DeadlineQueue } from '../deadlines.ts';
import type { TrackedState } from '../health/verdict.ts';
import { type Family, familyOf, type IpAddress } from '../net/address.ts';
import type { DatagramNetwork, UdpDatagram, UdpListener } from '../ports/datagram-io.ts';
import type { Poller } from '../ports/engine-io.ts';
import { after, type Instant, instant, seconds } from '../units.ts';
import { BfdPeer, type BfdPeerHost, MULTIHOP_PORT, portOf, RETRY, SINGLE_HOP_PORT } from './bfd-peer.ts';
import type { Complain } from './holdings.ts';
import type { Links } from './links.ts';
import type { BfdSnapshot, EngineConfig, EngineEvent } from './messages.ts';
import { Ration } from './ration.ts';
import type { Resident } from './resident.ts';

export interface BfdDependencies {
  readonly network: DatagramNetwork;
  readonly poller: Poller;
  readonly links: Pick<Links, 'get'>;
  /** 0 up to but not 1; discriminators come from it, so nobody should be able to guess it. */
  readonly random: () => number;
  /** Milliseconds since 1970, for people. */
  readonly wallClock: () => number;
  readonly complain: Complain;
  readonly tell: (event: EngineEvent) => void;
  /** What those that track it see of the session has changed. */
  readonly changed: (session: string, now: Instant) => void;
}

/** Datagrams taken from a listener in one go, and so many goes a turn: a flood must not keep the engine from its deadlines. */
const BATCH = 256;
const MOST_BATCHES = 4;
/** RFC 5881 §4: source ports of single-hop sessions; multihop ones use the same. */
const FIRST_PORT = 49_152;
const PORTS = 16_384;
const DROPS_EACH = seconds(60);

interface Listener {
  readonly family: Family;
  readonly port: number;
  socket: UdpListener | undefined;
  trouble: string;
}

export class Bfd implements Resident, BfdPeerHost {
  readonly #io: BfdDependencies;
  readonly #peers = new Map<string, BfdPeer>();
  readonly #byDiscriminator = new Map<number, BfdPeer>();
  readonly #byNeighbor = new Map<IpAddress, BfdPeer[]>();
  readonly #listeners: readonly Listener[] = [SINGLE_HOP_PORT, MULTIHOP_PORT].flatMap((port) =>
    ([4, 6] as const).map((family) => ({ family, port, socket: undefined, trouble: '' })),
  );
  readonly #queue = new DeadlineQueue<BfdPeer>();
  #speakers: BfdPeer[] = [];
  readonly #drops = new Ration(DROPS_EACH);
  readonly #packet = emptyPacket();
  readonly #event = { type: 'packet', packet: this.#packet } as const;
  #configured = false;
  #nextPort = 0;
  #retryAt: Instant | undefined;
  #now = 0 as Instant;
  #port = 0;
  readonly #sink = (datagram: UdpDatagram): void => this.#deliver(datagram);

  constructor(dependencies: BfdDependencies) {
    this.#io = dependencies;
    this.#nextPort = Math.floor(dependencies.random() * PORTS);
  }

  get deadline(): Instant | undefined {
    const next = this.#queue.next;
    if (this.#retryAt === undefined) return next;
    return next === undefined || this.#retryAt < next ? this.#retryAt : next;
  }

  get ready(): boolean {
    return this.#listeners.some(({ socket }) => socket?.ready === true);
  }

  /** undefined: there is no such session. */
  readonly stateOf = (session: string): TrackedState | undefined => this.#peers.get(session)?.tracked;

  snapshot(now: Instant): readonly BfdSnapshot[] {
    return [...this.#peers.values()].map((peer) => peer.snapshot(now));
  }

  clearStatistics(): void {
    for (const peer of this.#peers.values()) peer.clearStatistics();
  }

  // Resident.

  /** Sessions that stay what they are go on undisturbed; other intervals are negotiated without a break. */
  configure({ bfds = [] }: EngineConfig, now: Instant): void {
    const wanted = new Map(bfds.map((config) => [config.name, config]));
    for (const peer of [...this.#peers.values()]) {
      const config = wanted.get(peer.name);
      if (config === undefined || !peer.isSame(config)) this.#remove(peer, now);
      else {
        peer.reconfigure(config, now);
        this.#queue.touch(peer);
      }
    }
    const graceAt = this.#configured ? now : undefined;
    const added = [...wanted.values()].filter(({ name }) => !this.#peers.has(name));
    for (const config of added) this.#add(config, graceAt);
    this.#configured = true;
    this.#open(now);
    for (const { name } of added) {
      const peer = this.#peers.get(name)!;
      peer.handle({ type: 'start' }, now);
      this.#queue.touch(peer);
    }
  }

  followLinks(now: Instant): void {
    this.#open(now);
  }

  listen(now: Instant): void {
    this.#now = now;
    for (const { socket, port } of this.#listeners) {
      if (socket === undefined) continue;
      this.#port = port;
      for (let batches = 0; batches < MOST_BATCHES; batches++) if (socket.receive(this.#sink, BATCH) < BATCH) break;
    }
  }

  expire(now: Instant): void {
    if (this.#retryAt !== undefined && this.#retryAt <= now) this.#open(now);
    for (let peer = this.#queue.due(now); peer !== undefined; peer = this.#queue.due(now)) {
      if (peer.expire(now)) this.#io.changed(peer.name, now);
      this.#queue.touch(peer);
    }
  }

  settle(): void {
    if (this.#speakers.length === 0) return;
    const speakers = this.#speakers;
    this.#speakers = [];
    for (const peer of speakers) peer.flush();
  }

  /** Says goodbye to every neighbour (RFC 5880 §6.8.16), once: one that misses it finds out by our silence. */
  close(): void {
    for (const peer of [...this.#peers.values()]) this.#remove(peer, this.#now);
    this.#open(this.#now);
  }

  // BfdPeerHost.

  queued(peer: BfdPeer): void {
    this.#speakers.push(peer);
  }

  transition(peer: BfdPeer, from: BfdState, to: BfdState, now: Instant): void {
    const { wallClock, tell, changed } = this.#io;
    const time = wallClock();
    peer.changedAt(time);
    if (from !== 'Up' && to !== 'Up') return;
    const { neighbor } = peer.config;
    const { diagnostic, remoteState } = peer.session;
    const why = remoteState === 'AdminDown' ? 'neighbor is administratively down' : diagnosticText(diagnostic);
    tell({ type: 'bfd-transition', session: peer.name, neighbor, from, to, why, time });
    changed(peer.name, now);
  }

  troubled(peer: BfdPeer, why: string): void {
    this.#io.complain('warning', `BFD session ${peer.name} cannot send to ${peer.config.neighbor}: ${why}`);
  }

  // The rest.

  #add(config: BfdConfig, graceAt: Instant | undefined): void {
    const { random, wallClock } = this.#io;
    let discriminator = 0;
    while (discriminator === 0 || this.#byDiscriminator.has(discriminator))
      discriminator = Math.floor(random() * 2 ** 32) >>> 0;
    const port = FIRST_PORT + (this.#nextPort++ % PORTS);
    const peer = new BfdPeer(this, config, discriminator, port, random, graceAt, wallClock());
    this.#peers.set(config.name, peer);
    this.#byDiscriminator.set(discriminator, peer);
    const others = this.#byNeighbor.get(config.neighbor);
    if (others === undefined) this.#byNeighbor.set(config.neighbor, [peer]);
    else others.push(peer);
  }

  #remove(peer: BfdPeer, now: Instant): void {
    this.#peers.delete(peer.name);
    peer.handle({ type: 'shutdown' }, now);
    peer.flush();
    peer.shut();
    this.#speakers = this.#speakers.filter((other) => other !== peer);
    this.#queue.remove(peer);
    this.#byDiscriminator.delete(peer.session.discriminator);
    const { neighbor } = peer.config;
    const others = (this.#byNeighbor.get(neighbor) ?? []).filter((other) => other !== peer);
    if (others.length === 0) this.#byNeighbor.delete(neighbor);
    else this.#byNeighbor.set(neighbor, others);
  }

  /** Opens what is needed and shut, closes what nobody needs; tries again later what did not work. */
  #open(now: Instant): void {
    let complete = true;
    for (const listener of this.#listeners) if (!this.#openListener(listener)) complete = false;
    for (const peer of this.#peers.values()) if (!this.#openSender(peer)) complete = false;
    this.#retryAt = complete ? undefined : after(now, RETRY);
  }

  #openListener(listener: Listener): boolean {
    const { poller, network, complain } = this.#io;
    const { family, port, socket } = listener;
    const needed = [...this.#peers.values()].some(
      ({ config }) => portOf(config) === port && familyOf(config.neighbor) === family,
    );
    if (socket !== undefined && !needed) {
      poller.remove(socket);
      socket.close();
      listener.socket = undefined;
    }
    if (!needed || socket !== undefined) return true;
    let opened: UdpListener | undefined;
    try {
      opened = network.udpListener(family, port);
      poller.add(opened);
      listener.socket = opened;
      listener.trouble = '';
      return true;
    } catch (error) {
      opened?.close();
      const code = (error as { code?: string }).code ?? String(error);
      const fix = code === 'EADDRINUSE' ? ': another BFD daemon runs here' : '';
      if (listener.trouble !== code)
        complain('error', `cannot listen for BFD on UDP port ${port}, IPv${family}: ${code}${fix}`);
      listener.trouble = code;
      return false;
    }
  }

  #openSender(peer: BfdPeer): boolean {
    const device = peer.config.interface;
    const ifindex = device === undefined ? 0 : this.#io.links.get(device)?.index;
    if (ifindex !== undefined) return peer.open(this.#io.network, ifindex);
    peer.shut();
    return true; // it will be heard of when the interface comes
  }

  /** RFC 5880 §6.8.6, the part before a session is chosen and the choice; RFC 5881 §5 for the TTL. */
  #deliver(datagram: UdpDatagram): void {
    const refusal = decode(datagram.payload, this.#packet);
    if (refusal !== undefined) {
      this.#refuse(refusal, datagram);
      return;
    }
    const yours = this.#packet.yourDiscriminator;
    const peer = yours === 0 ? this.#byAddress(datagram) : this.#byDiscriminator.get(yours);
    // The port is part of the session: the looser rules of multihop must not be a way into a single-hop one.
    if (peer === undefined || portOf(peer.config) !== this.#port) {
      this.#refuse('unknown-session', datagram);
      return;
    }
    if (datagram.ttl < peer.leastTtl) {
      peer.drop('ttl');
      this.#refuse('ttl', datagram);
      return;
    }
    const arrival = instant(Math.min(datagram.arrival, this.#now));
    peer.heard(this.#event, arrival);
    this.#queue.touch(peer);
  }

  #byAddress({ source, destination, ifindex }: UdpDatagram): BfdPeer | undefined {
    return this.#byNeighbor.get(source)?.find(({ config }) => {
      if (portOf(config) !== this.#port) return false;
      if (config.source !== undefined && config.source !== destination) return false;
      return config.interface === undefined || this.#io.links.get(config.interface)?.index === ifindex;
    });
  }

  #refuse(why: BfdDropReason, { source, ttl }: UdpDatagram): void {
    const count = this.#drops.note(why, this.#now);
    if (count === 0) return;
    const detail = why === 'ttl' ? ` (TTL ${ttl})` : '';
    this.#io.complain('warning', `BFD packets dropped: ${why}${detail}, count ${count}, the latest from ${source}`);
  }
}
