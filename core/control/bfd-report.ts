// BFD sessions in the status report: each by itself, and as what a virtual router tracks. Pure.
import type { InstanceConfig, SyncGroupConfig } from '../config/model.ts';
import { mergeTracks } from '../engine/link-verdict.ts';
import type { BfdSnapshot } from '../engine/messages.ts';
import type { WatchedStatus } from '../health/watched-status.ts';

/** One BFD session. */
export interface BfdReport {
  readonly name: string;
  readonly neighbor: string;
  readonly multihop: boolean;
  readonly state: BfdSnapshot['state'];
  readonly since: string;
  readonly forMs: number;
  /** Why, in the words of RFC 5880; the same as the neighbor tells it. */
  readonly why: string;
  readonly neighborState: BfdSnapshot['state'];
  readonly neighborWhy: string;
  /** Agreed interval between our packets, and the silence that means that the neighbor is gone. */
  readonly transmitMs: number;
  readonly detectionMs: number;
  /** Since the latest packet of the neighbor. */
  readonly heardMs: number | null;
  readonly statistics: Pick<BfdSnapshot, 'sent' | 'received' | 'wentUp' | 'wentDown' | 'drops'>;
  /** Why nothing can be sent; null: nothing is wrong. */
  readonly trouble: string | null;
}

/** @param now milliseconds since 1970 */
export function bfdReport(session: BfdSnapshot, now: number): BfdReport {
  const { sent, received, wentUp, wentDown, drops } = session;
  return {
    name: session.name,
    neighbor: session.neighbor,
    multihop: session.multihop,
    state: session.state,
    since: new Date(session.since).toISOString(),
    forMs: Math.max(0, now - session.since),
    why: session.diagnostic,
    neighborState: session.remoteState,
    neighborWhy: session.remoteDiagnostic,
    transmitMs: session.transmitInterval / 1_000,
    detectionMs: session.detectionTime / 1_000,
    heardMs: session.lastHeard === undefined ? null : session.lastHeard / 1_000,
    statistics: { sent, received, wentUp, wentDown, drops },
    trouble: session.trouble || null,
  };
}

/** The sessions as things that virtual routers track, directly or through their sync group. */
export function watchedSessions(
  sessions: readonly BfdSnapshot[],
  { instances, groups }: { readonly instances: readonly InstanceConfig[]; readonly groups: readonly SyncGroupConfig[] },
): readonly WatchedStatus[] {
  if (sessions.length === 0) return [];
  const uses = instances.flatMap(({ name: instance, trackBfds }) => {
    const group = groups.find(({ members }) => members.includes(instance));
    return mergeTracks(trackBfds, group?.trackBfds).map((track) => ({ instance, track }));
  });
  return sessions.map(({ name, counts, since, neighbor, trouble }) => ({
    kind: 'bfd',
    name,
    condition: counts.disabled ? 'waiting' : counts.up ? 'ok' : 'failed',
    value: undefined,
    multiplied: false,
    detail: counts.detail,
    problem: trouble === '' ? '' : `cannot send: ${trouble}`,
    since,
    subject: neighbor,
    usedBy: uses
      .filter(({ track }) => track.name === name)
      .map(({ instance, track: { weight, reverse } }) => ({ instance, weight, reverse })),
  }));
}
