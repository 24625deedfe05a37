// From the blocks of track_file, vrrp_track_process and bfd_instance to what is watched, and what an instance or group
// tracks of it. Pure.
import { familyOf } from '../net/address.ts';
import { micros, millis, seconds } from '../units.ts';
import type { Report } from './diagnostics.ts';
import type { furtherTrackRows } from './keywords/further-tracks.ts';
import type { Found, Named, Values } from './keywords/row.ts';
import type { TrackLine } from './keywords/track.ts';
import type { bfdInstance, trackFile, trackProcess } from './keywords/trackers.ts';
import type { BfdConfig, CheckConfig, Track, TrackFileConfig, TrackProcessConfig } from './model.ts';
import { buildFurtherTracks, type TrackContext } from './trackers.ts';

export interface Watched {
  readonly checks: readonly CheckConfig[];
  readonly trackFiles: readonly TrackFileConfig[];
  readonly trackProcesses: readonly TrackProcessConfig[];
  readonly bfds: readonly BfdConfig[];
}

export function buildTrackFiles(
  blocks: readonly Named<Values<typeof trackFile.rows>>[],
  report: Report,
): readonly TrackFileConfig[] {
  return firstOfEach('track_file', blocks, report).flatMap(({ name, place, values }) => {
    if (!values.file) {
      report.add('W056', place, `track_file ${name} has no file and is ignored`);
      return [];
    }
    return [
      {
        name,
        path: values.file.value,
        weight: values.weight?.value.weight ?? 1,
        reverse: values.weight?.value.reverse ?? false,
        initial: values.init_file?.value,
      },
    ];
  });
}

export function buildTrackProcesses(
  blocks: readonly Named<Values<typeof trackProcess.rows>>[],
  report: Report,
): readonly TrackProcessConfig[] {
  return firstOfEach('vrrp_track_process', blocks, report).flatMap(({ name, place, values }) => {
    if (!values.process) {
      report.add('W056', place, `vrrp_track_process ${name} has no process and is ignored`);
      return [];
    }
    const most = values.quorum_max;
    // As keepalived: at most none means that none must run.
    const quorum = values.quorum?.value ?? (most?.value === 0 ? 0 : 1);
    if (most && most.value < quorum)
      report.add('W040', most.place, `quorum_max ${most.value} is below quorum ${quorum}; it is ignored`, {
        value: `${most.value}`,
      });
    return [
      {
        name,
        argv: values.process.value,
        match: values.param_match?.value ?? (values.process.value.length > 1 ? 'exact' : 'any'),
        weight: values.weight?.value.weight ?? 0,
        reverse: values.weight?.value.reverse ?? false,
        quorum,
        quorumMax: most && most.value >= quorum ? most.value : undefined,
        forkDelay: (values.fork_delay ?? values.delay)?.value ?? micros(0),
        terminateDelay: (values.terminate_delay ?? values.delay)?.value ?? micros(0),
        fullCommand: values.full_command !== undefined,
      },
    ];
  });
}

export function buildBfds(
  blocks: readonly Named<Values<typeof bfdInstance.rows>>[],
  report: Report,
): readonly BfdConfig[] {
  return firstOfEach('bfd_instance', blocks, report).flatMap(({ name, place, values }) => {
    const neighbor = values.neighbor_ip ?? values.neighbour_ip;
    if (!neighbor) {
      report.add('W056', place, `bfd_instance ${name} has no neighbor_ip and is ignored`);
      return [];
    }
    const { address, interface: device } = neighbor.value;
    const family = familyOf(address);
    const source = values.source_ip;
    if (address.startsWith('fe80:') !== (device !== undefined)) {
      const why = device === undefined ? `needs an interface: ${address}%eth0` : 'is not link-local: no interface';
      report.add('W056', neighbor.place, `the neighbor of bfd_instance ${name} ${why}; the session is left out`);
      return [];
    }
    if (source && familyOf(source.value) !== family) {
      report.add(
        'W056',
        source.place,
        `source_ip of bfd_instance ${name} is not IPv${family}; the session is left out`,
      );
      return [];
    }
    const multihop = values.multihop !== undefined;
    const hops = family === 4 ? (values.ttl ?? values.hoplimit) : (values.hoplimit ?? values.ttl);
    return [
      {
        name,
        neighbor: address,
        source: source?.value,
        ...(device !== undefined && { interface: device }),
        minReceive: values.min_rx?.value ?? millis(10),
        minTransmit: values.min_tx?.value ?? millis(10),
        idleTransmit: values.idle_tx?.value ?? seconds(1),
        multiplier: values.multiplier?.value ?? 5,
        passive: values.passive !== undefined,
        ttl: hops?.value ?? 255,
        maxHops: values.max_hops?.value ?? (multihop ? -1 : 0),
        multihop,
        weight: values.weight?.value.weight ?? 0,
        reverse: values.weight?.value.reverse ?? false,
      },
    ];
  });
}

function firstOfEach<T>(keyword: string, blocks: readonly Named<T>[], report: Report): readonly Named<T>[] {
  const seen = new Set<string>();
  return blocks.filter(({ name, place }) => {
    const isNew = !seen.has(name);
    if (!isNew) report.add('W014', place, `${keyword} ${name} is defined again; the first one counts`, { value: name });
    seen.add(name);
    return isNew;
  });
}

/** What an instance or group tracks of it. */
export function buildWatchedTracks(
  values: Values<typeof furtherTrackRows> & { readonly track_script?: Found<readonly TrackLine[]> },
  watched: Watched,
  context: TrackContext,
  report: Report,
): {
  readonly trackChecks: readonly Track[];
  readonly trackFiles: readonly Track[];
  readonly trackProcesses: readonly Track[];
  readonly trackBfds: readonly Track[];
} {
  // Checks may stand in track_script, too.
  const checkLines = [
    ...(values.track_check?.value ?? []),
    ...(values.track_script?.value ?? []).filter((line) => watched.checks.some(({ name }) => name === line.name)),
  ];
  return {
    trackChecks: buildFurtherTracks('vrrp_check', checkLines, watched.checks, context, report),
    trackFiles: buildFurtherTracks('track_file', values.track_file?.value ?? [], watched.trackFiles, context, report),
    trackProcesses: buildFurtherTracks(
      'vrrp_track_process',
      values.track_process?.value ?? [],
      watched.trackProcesses,
      context,
      report,
    ),
    trackBfds: buildFurtherTracks('bfd_instance', values.track_bfd?.value ?? [], watched.bfds, context, report),
  };
}
