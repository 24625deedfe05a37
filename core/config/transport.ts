// How an instance reaches its peers: multicast or unicast, from which address, to whom. Pure.
import { type Family, familyOf, type IpAddress, ip } from '../net/address.ts';
import type { Place, Report } from './diagnostics.ts';
import type { GlobalValues } from './globals.ts';
import type { InstanceBlock, InstanceValues } from './instances.ts';
import type { Found } from './keywords/row.ts';
import type { PeerLine } from './keywords/vrrp-instance.ts';
import type { PeerName, Transport, UnicastPeer } from './model.ts';

/** Where adverts go: to the peers when there are any, else to the multicast group. */
export function transportOf(
  { name, values }: InstanceBlock,
  family: Family,
  globals: GlobalValues,
  report: Report,
): Transport {
  const own = (found: Found<IpAddress> | undefined): IpAddress | undefined => {
    if (!found || familyOf(found.value) === family) return found?.value;
    report.add('W044', found.place, `${found.value} is left out: this instance is IPv${family}`, {
      value: found.value,
    });
    return undefined;
  };
  const source = own(values.unicast_src_ip ?? values.mcast_src_ip);
  const ttl = values.unicast_ttl?.value ?? 255;
  const peers = peersOf(values.unicast_peer?.value ?? [], family, source, ttl, report);
  const names = namesOf(values.unicast_peer?.value ?? [], family, ttl, report);
  if (peers.length + names.length > 0)
    return { mode: 'unicast', source, peers, ttl, ...(names.length > 0 && { names }) };
  const asked = firstOf(values.unicast_peer, values.unicast_src_ip, values.unicast_ttl);
  if (asked)
    report.add('W045', asked.place, `${name} has no unicast peers, so it uses multicast`, {
      suggestion: 'list the other machines in unicast_peer { … }',
    });
  const fallback =
    family === 4
      ? (globals.vrrp_mcast_group4?.value ?? ip('224.0.0.18'))
      : (globals.vrrp_mcast_group6?.value ?? ip('ff02::12'));
  return { mode: 'multicast', group: own(values.mcast_dst_ip) ?? fallback, source };
}

const firstOf = (...found: readonly ({ readonly place: Place } | undefined)[]) =>
  found.find((one) => one !== undefined);

/** Peers without limits of their own are neighbours while they are in our network: see UnicastPeer. */
function peersOf(
  lines: readonly PeerLine[],
  family: Family,
  source: IpAddress | undefined,
  ttl: number,
  report: Report,
): readonly UnicastPeer[] {
  const peers = new Map<IpAddress, UnicastPeer>();
  for (const line of lines) {
    const { address, place } = line;
    if (address === undefined) continue;
    const why =
      familyOf(address) !== family
        ? `this instance is IPv${family}`
        : peers.has(address)
          ? 'it is listed already'
          : address === source
            ? 'it is this machine itself'
            : undefined;
    if (why !== undefined) report.add('W044', place, `peer ${address} is left out: ${why}`, { value: address });
    else peers.set(address, { address, ...limitsOf(line, family, ttl) });
  }
  return [...peers.values()];
}

function limitsOf({ minTtl, maxTtl }: PeerLine, family: Family, ttl: number): Omit<UnicastPeer, 'address'> {
  const unsaid = minTtl === undefined && maxTtl === undefined && family === 4 && ttl === 255;
  return { minTtl: minTtl ?? 0, maxTtl: maxTtl ?? 255, ...(unsaid && { neighbourly: true }) };
}

function namesOf(lines: readonly PeerLine[], family: Family, ttl: number, report: Report): readonly PeerName[] {
  const names = new Map<string, PeerName>();
  for (const line of lines) {
    const { host, place } = line;
    if (host === undefined) continue;
    const key = host.toLowerCase();
    if (names.has(key)) report.add('W044', place, `peer ${host} is left out: it is listed already`, { value: host });
    else names.set(key, { name: host, ...limitsOf(line, family, ttl) });
  }
  return [...names.values()];
}

/** TTL limits on a peer imply the check. */
export function checksSource(values: InstanceValues, globals: GlobalValues): boolean {
  if (values.unicast_peer?.value.some((peer) => peer.minTtl !== undefined || peer.maxTtl !== undefined)) return true;
  return (values.check_unicast_src ?? globals.vrrp_check_unicast_src)?.value ?? true;
}
