// Echoes and neighbours for all checks of one thread, over at most three sockets that stay open. The addon's sockets cannot
// wake Node's event loop, and a thread that waits for them could not be ended: so while something is under way they are
// looked at, every millisecond at first, and when an answer came is the kernel's word. Nothing runs while nothing is asked.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Family, familyOf, type IpAddress, isInPrefix, type MacAddress } from '../net/address.ts';
import { type EchoAnswer, encodeEchoRequest, encodeNeighbourSolicitation, solicitedNode } from '../net/icmp.ts';
import { addressDumpRequest, decodeAddress, decodeLink, linkDumpRequest } from '../net/rtnetlink.ts';
import type { CheckNetwork, EchoResult, NeighbourRequest, NetworkLink, PingRequest } from '../ports/check-network.ts';
import { micros } from '../units.ts';
import { ArpSocket } from './arp-socket.ts';
import { failed, NONCE, WORDS, wordsOf } from './echo-words.ts';
import { IcmpSocket } from './icmp-socket.ts';
import type { Native } from './native/index.ts';
import { LinuxRouteSocket } from './route-socket.ts';

/** More questions at once are refused. A sixteenth of the sequence numbers: a late answer finds its number unused. */
const MOST_PENDING = 4096;
/** How often the sockets are looked at, in milliseconds: at first, and after a while. */
const SOON = 1;
const SELDOM = 10;
/** How long "at first" is. */
const FRESH_MS = 50;
/** Neighbour discovery is not routed (RFC 4861 §7.1.1). */
const ON_LINK = 255;
const NOBODY = '0.0.0.0' as IpAddress;

interface Pending {
  readonly target: IpAddress;
  /** CLOCK_REALTIME in microseconds: what the kernel's stamps are compared with. */
  readonly sent: number;
  settle(result: EchoResult): void;
}
interface PendingEcho extends Pending {
  readonly payload: Uint8Array;
}
interface PendingNeighbour extends Pending {
  readonly ifindex: number;
}

interface Question {
  register(pending: Omit<Pending, 'target'>): void;
  /** The name of the error, if any. @throws Error when a socket cannot be opened */
  send(): string | undefined;
  forget(): void;
}

export class LinuxCheckNetwork implements CheckNetwork {
  readonly #native: Native;
  readonly #identifier = randomBytes(2).readUInt16BE();
  readonly #icmp = new Map<Family, IcmpSocket>();
  #arp: ArpSocket | undefined;
  #route: LinuxRouteSocket | undefined;
  #sequence = randomBytes(2).readUInt16BE();
  readonly #echoes = new Map<number, PendingEcho>();
  readonly #neighbours = new Set<PendingNeighbour>();
  #timer: NodeJS.Timeout | undefined;
  /** When something was asked last, as Node counts milliseconds. */
  #asked = 0;

  /** Opens nothing yet. */
  constructor(native: Native) {
    this.#native = native;
  }

  async ping(request: PingRequest, signal: AbortSignal): Promise<EchoResult> {
    const { target, source, ttl, size } = request;
    const family = familyOf(target);
    if (source !== undefined && familyOf(source) !== family) return failed('it and source are of two families');
    const ifindex = request.interface === undefined ? 0 : this.#indexOf(request.interface);
    if (ifindex === undefined) return failed(wordsOf('ENODEV'));
    const payload = new Uint8Array(Math.max(size, NONCE));
    payload.set(randomBytes(NONCE));
    const sequence = this.#nextSequence();
    const message = encodeEchoRequest(family, this.#identifier, sequence, payload);
    const way = { ...(source !== undefined && { source }), ...(ttl !== undefined && { ttl }), ifindex };
    return await this.#ask(signal, this.#echoes.size, {
      register: (pending) => this.#echoes.set(sequence, { ...pending, target, payload }),
      send: () => this.#icmpSocket(family).send(message, target, way),
      forget: () => this.#echoes.delete(sequence),
    });
  }

  async resolve(request: NeighbourRequest, signal: AbortSignal): Promise<EchoResult> {
    const { target } = request;
    const link = this.links().find(({ name }) => name === request.interface);
    if (link === undefined) return failed(wordsOf('ENODEV'));
    const { mac, index: ifindex } = link;
    if (mac === undefined) return failed('the interface has no link-layer addresses');
    if (!link.up) return failed(wordsOf('ENETDOWN'));
    let neighbour: PendingNeighbour;
    return await this.#ask(signal, this.#neighbours.size, {
      register: (pending) => {
        neighbour = { ...pending, target, ifindex };
        this.#neighbours.add(neighbour);
      },
      send: () => this.#solicit(target, link, mac),
      forget: () => this.#neighbours.delete(neighbour),
    });
  }

  links(): readonly NetworkLink[] {
    this.#route ??= new LinuxRouteSocket(this.#native);
    const addresses = new Map<number, { address: IpAddress; prefixLength: number }[]>();
    this.#route.dump(addressDumpRequest(), (message) => {
      const decoded = decodeAddress(message);
      if (typeof decoded === 'string') return;
      const { index, address, prefix: prefixLength } = decoded.address;
      const of = addresses.get(index);
      if (of === undefined) addresses.set(index, [{ address, prefixLength }]);
      else of.push({ address, prefixLength });
    });
    const links: NetworkLink[] = [];
    this.#route.dump(linkDumpRequest(), (message) => {
      const decoded = decodeLink(message);
      if (typeof decoded === 'string' || decoded.type !== 'link') return;
      const { name, index, up, carrier, running, mtu, mac } = decoded.link;
      links.push({ name, index, up, carrier, running, mtu, mac, addresses: addresses.get(index) ?? [] });
    });
    return links;
  }

  /** Whoever waits is told so. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { settle } of [...this.#echoes.values(), ...this.#neighbours]) settle(failed('it was closed'));
    for (const socket of this.#icmp.values()) socket.close();
    this.#icmp.clear();
    this.#arp?.close();
    this.#route?.close();
    this.#arp = undefined;
    this.#route = undefined;
  }

  /** Registers first and sends then, so that no answer is too early. */
  #ask(signal: AbortSignal, waiting: number, { register, send, forget }: Question): Promise<EchoResult> {
    if (waiting >= MOST_PENDING) return Promise.resolve(failed('too many are asked at once'));
    if (signal.aborted) return Promise.resolve(failed('no answer'));
    return new Promise((resolve) => {
      const settle = (result: EchoResult): void => {
        forget();
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = (): void => settle(failed('no answer'));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#asked = performance.now();
      register({ sent: this.#native.realtime(), settle });
      try {
        const error = send();
        if (error === undefined) this.#arm(SOON);
        else settle(failed(wordsOf(error)));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        settle(failed(code === undefined ? message : wordsOf(code)));
      }
    });
  }

  #solicit(target: IpAddress, link: NetworkLink, mac: MacAddress): string | undefined {
    if (familyOf(target) === 6) {
      const message = encodeNeighbourSolicitation(target, mac);
      return this.#icmpSocket(6).send(message, solicitedNode(target), { ifindex: link.index, ttl: ON_LINK });
    }
    this.#arp ??= new ArpSocket(this.#native);
    // An address of another network, such as a virtual one, would teach the router something about that address.
    const own = link.addresses.find(({ address, prefixLength }) => isInPrefix(target, address, prefixLength));
    return this.#arp.ask(target, { address: own?.address ?? NOBODY, mac }, link.index);
  }

  #icmpSocket(family: Family): IcmpSocket {
    let socket = this.#icmp.get(family);
    if (socket === undefined) {
      socket = new IcmpSocket(this.#native, family, this.#identifier);
      this.#icmp.set(family, socket);
    }
    return socket;
  }

  /** A number that no request under way has. */
  #nextSequence(): number {
    do this.#sequence = (this.#sequence + 1) & 0xffff;
    while (this.#echoes.has(this.#sequence));
    return this.#sequence;
  }

  #indexOf(name: string): number | undefined {
    return this.links().find((link) => link.name === name)?.index;
  }

  #arm(delay: number): void {
    this.#timer ??= setTimeout(() => this.#look(), delay);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#native.realtime();
    for (const socket of this.#icmp.values())
      socket.receive((answer, source, ifindex, arrival) => {
        if (answer.type === 'advertisement') this.#isHere(answer.target, ifindex, arrival || now);
        else this.#answered(answer, source, arrival || now);
      });
    this.#arp?.receive((arp, ifindex, arrival) => this.#isHere(arp.senderIp, ifindex, arrival || now));
    if (this.#echoes.size > 0 || this.#neighbours.size > 0)
      this.#arm(performance.now() - this.#asked < FRESH_MS ? SOON : SELDOM);
  }

  /** What nobody asked for is ignored: another source, other contents, a number that is not under way. */
  #answered(answer: EchoAnswer, source: IpAddress, arrival: number): void {
    const echo = this.#echoes.get(answer.sequence);
    if (echo === undefined || answer.identifier !== this.#identifier) return;
    if (answer.type === 'error') {
      if (answer.destination === echo.target) echo.settle(failed(WORDS[answer.error]));
      return;
    }
    if (source !== echo.target || !isSame(answer.payload, echo.payload)) return;
    echo.settle({ ok: true, took: micros(Math.max(0, arrival - echo.sent)) });
  }

  #isHere(target: IpAddress, ifindex: number, arrival: number): void {
    for (const neighbour of this.#neighbours)
      if (neighbour.target === target && neighbour.ifindex === ifindex)
        neighbour.settle({ ok: true, took: micros(Math.max(0, arrival - neighbour.sent)) });
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
