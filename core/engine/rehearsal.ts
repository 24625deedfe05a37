// Runs takeovers and yields in virtual time before the real ones, so that the code of the first real takeover has been
// compiled: without it that takeover is about two milliseconds later than all later ones. Touches nothing outside.
import type { InstanceConfig } from '../config/model.ts';
import type { IpAddress } from '../net/address.ts';
import type { Datagram, LinkInfo, VrrpSocket } from '../ports/engine-io.ts';
import { type Instant, micros, millis, priority, seconds, vrid } from '../units.ts';
import type { LocalProvider } from '../vip/local-provider.ts';
import { encode } from '../vrrp/packet.ts';
import { Engine, type Inbox } from './engine.ts';
import { LeaseWatch, leaseMemory } from './lease.ts';
import type { EngineCommand, EngineEvent } from './messages.ts';

/** What the rehearsal plays with: addresses of the documentation net on an interface that does not exist. */
export const STAGE: LinkInfo = {
  index: 0x7fff_0000,
  name: 'rehearsal',
  mac: undefined,
  mtu: 1500,
  running: true,
  loopback: false,
};
const OURS = '192.0.2.1' as IpAddress;
const THEIRS = '192.0.2.2' as IpAddress;
const GROUP = '224.0.0.18' as IpAddress;
const INTERVAL = millis(10);
const TAKEOVERS = 150;

/** @param provider acts on nothing real */
export function rehearse(provider: LocalProvider): void {
  const play = new Play(provider);
  for (let i = 0; i < TAKEOVERS; i++) {
    play.until('MASTER');
    for (let advert = 0; advert < 4; advert++) play.engine.turn();
    play.hear();
    play.until('BACKUP');
  }
  // And once the way of a stop: goodbye, wait for the successor, end.
  play.until('MASTER');
  play.send({ type: 'stop', immediate: false });
  play.engine.turn();
  play.hear();
  play.until('INIT');
}

class Play {
  readonly engine: Engine;
  #now = 1_000_000 as Instant;
  #state = 'INIT';
  #heard = false;
  readonly #commands: EngineCommand[] = [];
  readonly #inbox: Inbox = { ready: false, take: () => this.#commands.shift() };
  readonly #socket: VrrpSocket;

  constructor(provider: LocalProvider) {
    this.#socket = this.#makeSocket();
    const closed = (): never => {
      throw new Error('not part of the play');
    };
    this.engine = new Engine({
      clock: { now: () => this.#now },
      wallClock: () => 0,
      poller: { add: () => {}, remove: () => {}, wait: (until) => this.#wait(until) },
      network: { vrrpSocket: () => this.#socket, frameSocket: closed, routeSocket: closed, routeMonitor: closed },
      links: {
        get: () => ({ ...STAGE, up: true, carrier: true }),
        primaryAddress: () => OURS,
        update: () => ({ interfaces: new Set(), removed: [], overrun: false }),
      },
      monitor: { ready: false },
      provider,
      lease: new LeaseWatch(leaseMemory(), seconds(1e6), this.#now),
      inbox: this.#inbox,
      post: (event) => this.#note(event),
    });
    const config = {
      added: [INSTANCE],
      changed: [],
      removed: [],
      groups: [],
      addressLifetime: true,
      leaseTime: seconds(1e6),
    };
    this.send({ type: 'configure', config, verdicts: [] });
  }

  send(command: EngineCommand): void {
    this.#commands.push(command);
    this.#inbox.ready = true;
  }

  /** A better master speaks. */
  hear(): void {
    this.#heard = true;
    this.#socket.ready = true;
  }

  until(state: string): void {
    for (let turns = 0; this.#state !== state && turns < 100; turns++) this.engine.turn();
  }

  #wait(until: Instant | undefined): void {
    if (!this.#inbox.ready && !this.#socket.ready && until !== undefined) this.#now = until;
  }

  #note(event: EngineEvent): void {
    if (event.type === 'transition') this.#state = event.to;
  }

  #makeSocket(): VrrpSocket {
    const ad = {
      version: 3,
      vrid: INSTANCE.vrid,
      priority: priority(200),
      interval: INTERVAL,
      addresses: [THEIRS],
    } as const;
    const payload = encode(ad, { family: 4, source: THEIRS, destination: GROUP });
    const datagram: Datagram = {
      payload,
      header: new Uint8Array(0),
      source: THEIRS,
      destination: GROUP,
      ttl: 255,
      arrival: this.#now,
    };
    return {
      ready: false,
      join: () => {},
      leave: () => {},
      receive: (sink) => {
        this.#socket.ready = false;
        if (!this.#heard) return 0;
        this.#heard = false;
        datagram.arrival = this.#now;
        sink(datagram);
        return 1;
      },
      queue: () => {},
      flush: () => [],
      close: () => {},
    };
  }
}

const INSTANCE: InstanceConfig = {
  name: 'rehearsal',
  interface: STAGE.name,
  family: 4,
  vrid: vrid(1),
  version: 3,
  initialState: 'BACKUP',
  priority: priority(100),
  interval: INTERVAL,
  preempt: true,
  preemptDelay: micros(0),
  downTimerAdverts: 3,
  transport: { mode: 'multicast', group: GROUP, source: OURS },
  authentication: { type: 'none' },
  vips: [{ address: '192.0.2.100' as IpAddress, prefix: 32, device: STAGE.name, scope: 0 }],
  excludedVips: [],
  announce: {
    masterDelay: seconds(5),
    masterRepeat: 5,
    refresh: micros(0),
    refreshRepeat: 1,
    lowerPrioDelay: seconds(5),
    lowerPrioRepeat: 5,
  },
  answerLowerPriority: true,
  advertiseBeforeYielding: true,
  strictAddressList: false,
  checkUnicastSource: true,
  makeBeforeBreak: true,
  trackScripts: [],
  trackInterfaces: [],
  trackPrimary: true,
  notify: {},
};
