// Peers that the file names instead of giving their addresses: resolved in the background, for ever, and put into the
// configuration that is in force. The last answer is kept when there is none. Knows neither DNS nor the engine.
import type { Configuration, InstanceConfig, SyncGroupConfig, Track, UnicastPeer } from '../config/model.ts';
import type { NameStatus } from '../health/name-status.ts';
import type { TrackedState } from '../health/verdict.ts';
import type { IpAddress } from '../net/address.ts';
import { type NameEntry, NameTable, type NameTableOptions } from './name-table.ts';
import type { TrackSource } from './trackers.ts';

/** A virtual router has no more peers than this by name: a wrong answer must not make it a source of a flood. */
export const MAX_NAMED_PEERS = 64;

export type PeerNamesOptions = Omit<NameTableOptions, 'onChange'>;

/** A unicast instance with names among its peers, as the file has it. */
interface Named {
  readonly config: InstanceConfig;
  readonly transport: Extract<InstanceConfig['transport'], { mode: 'unicast' }>;
  /** What was in force before a reload; counts until every name has been answered once. */
  readonly inherited: readonly UnicastPeer[];
  peers: readonly UnicastPeer[];
}

export class PeerNames implements TrackSource {
  readonly noun = 'unicast_peer of';
  readonly #options: PeerNamesOptions;
  readonly #table: NameTable;
  #file: Configuration | undefined;
  #named: ReadonlyMap<string, Named> = new Map();
  #changed: (name: string) => void = () => {};
  #onPeers: (configuration: Configuration) => void = () => {};

  constructor(options: PeerNamesOptions) {
    this.#options = options;
    this.#table = new NameTable({ ...options, onChange: () => this.#refresh() });
  }

  /** Whom to tell when names mean something else: the configuration that is then in force. */
  onPeers(tell: (configuration: Configuration) => void): void {
    this.#onPeers = tell;
  }

  /**
   * The file's configuration with what its names mean so far.
   * @param before the configuration in force: a running virtual router whose names nobody has looked up yet keeps its
   *   peers, so that a reload makes no second master
   */
  resolve(file: Configuration, before: Configuration | undefined): Configuration {
    const old = new Map(before?.instances.map((instance) => [instance.name, instance.transport]));
    const named = new Map<string, Named>();
    for (const config of file.instances) {
      const { transport, name } = config;
      if (transport.mode !== 'unicast' || transport.names === undefined) continue;
      const earlier = old.get(name);
      const inherited = earlier?.mode === 'unicast' ? earlier.peers : [];
      named.set(name, { config, transport, inherited, peers: [] });
    }
    this.#file = file;
    this.#named = named;
    this.#table.keep(
      [...named.values()].flatMap(({ config: { family }, transport }) =>
        transport.names!.map(({ name }) => ({ name, family })),
      ),
    );
    for (const one of named.values()) one.peers = this.#peersOf(one);
    return this.#inForce(file);
  }

  listen(changed: (name: string) => void): void {
    this.#changed = changed;
  }

  /** An instance without any known peer must wait: it would be master beside another one that it cannot hear. */
  tracksOf(owner: InstanceConfig | SyncGroupConfig): readonly Track[] {
    return this.#named.has(owner.name) && 'transport' in owner ? [{ name: owner.name, weight: 0, reverse: false }] : [];
  }

  configure(): void {
    // Names are resolved before anything is tracked: see resolve.
  }

  stateOf(instance: string): TrackedState | undefined {
    const one = this.#named.get(instance);
    if (one === undefined) return undefined;
    if (one.peers.length > 0) return { up: true, disabled: false, detail: '' };
    const entries = this.#entriesOf(one);
    const asked = entries.every(({ entry }) => entry.answered !== undefined || entry.problem !== '');
    const reasons = entries.map(({ name, entry }) => `${name}: ${entry.problem || 'only this machine'}`);
    return {
      up: asked ? false : undefined,
      disabled: false,
      detail: `no peer is known yet (${reasons.join(', ')}); it waits, for two masters are worse`,
    };
  }

  names(): readonly NameStatus[] {
    return [...this.#named.values()].flatMap((one) =>
      this.#entriesOf(one).map(({ name, entry }) => ({
        instance: one.config.name,
        name,
        addresses: this.#addressesOf(one, entry),
        answered: entry.answered,
        problem: entry.problem,
      })),
    );
  }

  stop(): Promise<void> {
    this.#named = new Map();
    this.#table.keep([]);
    return Promise.resolve();
  }

  #refresh(): void {
    const told: string[] = [];
    let moved = false;
    for (const [name, one] of this.#named) {
      const peers = this.#peersOf(one);
      const same = JSON.stringify(peers) === JSON.stringify(one.peers);
      // Without peers the reason may have changed.
      if (same && peers.length > 0) continue;
      const { logger } = this.#options;
      if (!same)
        logger.log('info', 'peers', { instance: name, peers: peers.map((p) => p.address).join(' ') || 'none' });
      one.peers = peers;
      moved ||= !same;
      told.push(name);
    }
    // The engine hears of the peers before it hears that it may start.
    if (moved && this.#file !== undefined) this.#onPeers(this.#inForce(this.#file));
    for (const name of told) this.#changed(name);
  }

  #inForce(file: Configuration): Configuration {
    if (this.#named.size === 0) return file;
    const instances = file.instances.map((instance) => {
      const one = this.#named.get(instance.name);
      return one === undefined ? instance : { ...instance, transport: { ...one.transport, peers: one.peers } };
    });
    return { ...file, instances };
  }

  #entriesOf({ config, transport }: Named): readonly { readonly name: string; readonly entry: NameEntry }[] {
    return transport.names!.map(({ name }) => ({ name, entry: this.#table.get(name, config.family) }));
  }

  #addressesOf({ transport }: Named, entry: NameEntry): readonly IpAddress[] {
    const own = this.#options.names.own();
    return entry.addresses().filter((address) => !own.has(address) && address !== transport.source);
  }

  /** Addresses in the file come first, with their own limits; then the names, in the order of the file. */
  #peersOf(one: Named): readonly UnicastPeer[] {
    const { transport, inherited, config } = one;
    const peers = new Map(transport.peers.map((peer) => [peer.address, peer]));
    const most = peers.size + MAX_NAMED_PEERS;
    let complete = true;
    for (const { name, ...limits } of transport.names!) {
      const entry = this.#table.get(name, config.family);
      complete &&= entry.answered !== undefined;
      for (const address of this.#addressesOf(one, entry))
        if (!peers.has(address) && peers.size < most) peers.set(address, { address, ...limits });
    }
    if (!complete) for (const peer of inherited) if (!peers.has(peer.address)) peers.set(peer.address, peer);
    return [...peers.values()];
  }
}
