// UDP between simulated machines: datagrams arrive after a delay, are lost on demand, and can be made up by a test.
import { type Family, familyOf, type IpAddress } from '../../core/net/address.ts';
import type {
  DatagramNetwork,
  UdpDatagram,
  UdpListener,
  UdpSender,
  UdpSenderSpec,
} from '../../core/ports/datagram-io.ts';
import { after, type Instant, type Micros, micros } from '../../core/units.ts';

interface Waiting {
  readonly at: Instant;
  readonly datagram: Omit<UdpDatagram, 'arrival'>;
}

interface Listening extends UdpListener {
  readonly waiting: Waiting[];
}

/** What all machines of a simulation share. */
export class DatagramWire {
  readonly now: () => Instant;
  readonly ends: SimulatedDatagrams[] = [];
  delay: Micros = micros(100);
  /** Routers in between. */
  hops = 0;
  loses: (from: IpAddress, to: IpAddress) => boolean = () => false;

  constructor(now: () => Instant) {
    this.now = now;
  }
}

/** One machine's UDP. */
export class SimulatedDatagrams implements DatagramNetwork {
  readonly address: IpAddress;
  /** Everything it sent. */
  readonly sent: { readonly spec: UdpSenderSpec; readonly payload: Uint8Array }[] = [];
  /** Errno names that opening throws: by port of a listener, or `sender`. */
  readonly refuses = new Map<number | 'sender', string>();
  readonly listeners = new Map<string, Listening>();
  senders = 0;
  readonly #wire: DatagramWire;

  constructor(wire: DatagramWire, address: IpAddress) {
    this.#wire = wire;
    this.address = address;
    wire.ends.push(this);
  }

  /** When the next datagram arrives; Infinity: none is on its way. */
  get next(): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...[...this.listeners.values()].flatMap(({ waiting }) => waiting.slice(0, 1).map(({ at }) => at)),
    );
  }

  /** What poll(2) would find. */
  poll(): void {
    for (const listener of this.listeners.values())
      if ((listener.waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#wire.now()) listener.ready = true;
  }

  /** A datagram comes in from anywhere, now. */
  inject(port: number, fields: Partial<UdpDatagram> & Pick<UdpDatagram, 'payload' | 'source'>): void {
    const datagram = { destination: this.address, ifindex: 2, ttl: 255, ...fields };
    const listener = this.listeners.get(`${familyOf(fields.source)} ${port}`);
    listener?.waiting.push({ at: this.#wire.now(), datagram });
  }

  udpListener(family: Family, port: number): UdpListener {
    this.#mayOpen(port);
    const key = `${family} ${port}`;
    const listener: Listening = {
      ready: false,
      waiting: [],
      receive: (sink, limit) => {
        const now = this.#wire.now();
        let n = 0;
        for (; n < limit && (listener.waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= now; n++) {
          const { at, datagram } = listener.waiting.shift()!;
          sink({ ...datagram, arrival: at });
        }
        if (n < limit) listener.ready = false;
        return n;
      },
      close: () => void this.listeners.delete(key),
    };
    this.listeners.set(key, listener);
    return listener;
  }

  udpSender(spec: UdpSenderSpec): UdpSender {
    this.#mayOpen('sender');
    this.senders++;
    return {
      send: (payload) => {
        this.sent.push({ spec, payload: payload.slice() });
        for (const to of this.#wire.ends)
          if (to !== this && to.address === spec.destination) this.#carry(to, spec, payload);
        return undefined;
      },
      close: () => void this.senders--,
    };
  }

  #carry(to: SimulatedDatagrams, { destination, port, source, ttl }: UdpSenderSpec, payload: Uint8Array): void {
    const { now, delay, hops, loses } = this.#wire;
    if (loses(this.address, to.address)) return;
    const datagram = {
      payload: payload.slice(),
      source: source ?? this.address,
      destination,
      ifindex: 2,
      ttl: ttl - hops,
    };
    to.listeners.get(`${familyOf(destination)} ${port}`)?.waiting.push({ at: after(now(), delay), datagram });
  }

  #mayOpen(what: number | 'sender'): void {
    const code = this.refuses.get(what);
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  }
}
