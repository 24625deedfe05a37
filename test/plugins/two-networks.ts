// Two machines for one test file: its own process in a fresh network namespace, and a peer behind a veth pair, whose
// kernel answers, or a raw socket in its place. Needs root, ip and nft.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { ip as parse } from '../../core/net/address.ts';
import type { CheckHost, HealthCheck, ProbeResult } from '../../core/plugin/check.ts';
import { LinuxCheckNetwork } from '../../core/system/check-network.ts';
import { CLONE_NEWNET } from '../../core/system/linux.ts';
import { type Handle, loadNative } from '../../core/system/native/index.ts';
import { ipSockaddr } from '../../core/system/sockaddr.ts';
import { millis } from '../../core/units.ts';
import { checkPlugins } from '../../plugins/index.ts';
import { read } from './block.ts';
import { enterOwnNetwork } from './own-network.ts';

const PEER = `vk-${process.pid}-peer`;
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** Ours is 192.0.2.1 and fd00::1 on veth0, the peer's 192.0.2.2 and fd00::2 on eth0. */
export function enterTwoNetworks(): void {
  enterOwnNetwork();
  run('ip', 'netns', 'add', PEER);
  run('ip', 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', PEER);
  const commands = (n: number, device: string): string =>
    [`addr add 192.0.2.${n}/24 dev ${device}`, `addr add fd00::${n}/64 dev ${device} nodad`, `link set ${device} up`]
      .map((command) => `${command}\n`)
      .join('');
  batch(commands(1, 'veth0'));
  batch(`link set lo up\n${commands(2, 'eth0')}`, '-n', PEER);
}

/** The process stays where it is; the peer is gone with its namespace. */
export function leaveTwoNetworks(): void {
  run('ip', 'netns', 'del', PEER);
}

export const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH } });

/** A command on the peer. */
export const onPeer = (command: string, ...args: readonly string[]): string =>
  run('ip', 'netns', 'exec', PEER, command, ...args);

const batch = (input: string, ...args: readonly string[]): string =>
  execFileSync('ip', [...args, '-batch', '-'], { encoding: 'utf8', input, env: { ...process.env, PATH } });

/** What the peer does with packets that match, until the returned function is called. */
export function peerRule(rule: string): () => void {
  onPeer(
    'nft',
    `add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ${rule}`,
  );
  return () => onPeer('nft', 'delete table inet t');
}

/** A raw socket of the peer. */
export function peerSocket(domain: number, type: number, protocol: number): PeerSocket {
  const native = loadNative();
  const here = openSync('/proc/thread-self/ns/net', 'r');
  const there = openSync(`/run/netns/${PEER}`, 'r');
  native.setns(there, CLONE_NEWNET);
  try {
    return new PeerSocket(native.socket(domain, type, protocol));
  } finally {
    native.setns(here, CLONE_NEWNET);
    closeSync(here);
    closeSync(there);
  }
}

export class PeerSocket {
  readonly handle: Handle;
  readonly #native = loadNative();
  readonly #buffer = new Uint8Array(2048);

  constructor(handle: Handle) {
    this.handle = handle;
  }

  /** The next packet that is wanted, as it came. */
  async next(wanted: (packet: Uint8Array) => boolean): Promise<Uint8Array> {
    for (;;) {
      const length = this.#native.recv(this.handle, this.#buffer);
      if (length < 0) await new Promise(setImmediate);
      else if (wanted(this.#buffer.subarray(0, length))) return this.#buffer.slice(0, length);
    }
  }

  send(packet: Uint8Array, to = '192.0.2.1'): void {
    const sent = this.#native.sendmsg(this.handle, packet, ipSockaddr(parse(to), 0), undefined, 0);
    if (sent < 0) throw new Error(this.#native.errnoName(sent));
  }

  close(): void {
    this.#native.close(this.handle);
  }
}

export const network = new LinuxCheckNetwork(loadNative());

/** A check of such a block on the system's network. @param timeoutMs how long its probes may take; they are not aborted */
export function checkHere(plugin: string, lines: string, timeoutMs = 5_000): HealthCheck {
  const { options, said } = read(plugin, lines);
  if (options === undefined) throw new Error(said.join('\n'));
  const host: CheckHost = { name: 'c', settings: {}, timeout: millis(timeoutMs), log: () => {}, network };
  return checkPlugins.find(({ name }) => name === plugin)!.create(options as never, host);
}

/** One probe with all the time it wants. */
export const look = (plugin: string, lines: string, timeoutMs?: number): Promise<ProbeResult> =>
  checkHere(plugin, lines, timeoutMs).probe(new AbortController().signal);

/** One probe that is aborted after some time. 'pending': it had said nothing until then. */
export async function lookBriefly(plugin: string, lines: string, ms: number): Promise<ProbeResult | 'pending'> {
  const abort = new AbortController();
  let until: ProbeResult | 'pending' = 'pending';
  const probe = checkHere(plugin, lines)
    .probe(abort.signal)
    .then((result) => {
      if (!abort.signal.aborted) until = result;
    });
  await Promise.race([probe, new Promise((resolve) => setTimeout(resolve, ms))]);
  abort.abort();
  await probe;
  return until;
}
