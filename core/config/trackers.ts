// What an instance or group tracks: names resolved, weights settled, and what can never have an effect said so. Pure.
import type { Report } from './diagnostics.ts';
import type { TrackLine } from './keywords/track.ts';
import type { Track } from './model.ts';
import type { Scripts } from './scripts.ts';

export interface TrackContext {
  /** For messages: the instance or group. */
  readonly owner: string;
  /** undefined: a group, which has none. */
  readonly basePriority: number | undefined;
  /** Why weights do not work here; undefined: they do. */
  readonly noWeights: string | undefined;
}

export function buildScriptTracks(
  lines: readonly TrackLine[],
  scripts: Scripts,
  checks: readonly Trackable[],
  context: TrackContext,
  report: Report,
): readonly Track[] {
  const tracks: (Track | undefined)[] = [];
  const isCheck = (line: TrackLine): boolean => checks.some(({ name }) => name === line.name);
  for (const line of once(
    lines.filter((one) => !isCheck(one)),
    report,
  )) {
    const script = scripts.scripts.find(({ name }) => name === line.name);
    if (!script) {
      const why = scripts.unusable.get(line.name) ?? `there is no vrrp_script ${line.name}`;
      report.add(
        'W050',
        line.place,
        `${context.owner} tracks ${line.name}, but ${why}: its priority will never change`,
        { value: line.name },
      );
      continue;
    }
    const weight = line.weight ?? script.weight;
    const reverse = line.reverse ?? (line.weight === undefined && script.reverse);
    tracks.push(settle(line, weight, reverse, context, report));
  }
  return tracks.filter((track) => track !== undefined);
}

export function buildInterfaceTracks(
  lines: readonly TrackLine[],
  own: string | undefined,
  context: TrackContext,
  report: Report,
): readonly Track[] {
  const tracks: (Track | undefined)[] = [];
  for (const line of once(lines, report)) {
    if (line.name === own && (line.weight ?? 0) === 0) {
      report.add('I062', line.place, `${line.name} is the interface of ${context.owner} and is tracked anyway`);
      continue;
    }
    tracks.push(settle(line, line.weight ?? 0, line.reverse ?? false, context, report));
  }
  return tracks.filter((track) => track !== undefined);
}

/** A definition that lines of track_check, track_file, track_process or track_bfd name. */
export interface Trackable {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** @param keyword of the definition, for messages */
export function buildFurtherTracks(
  keyword: 'vrrp_check' | 'track_file' | 'vrrp_track_process' | 'bfd_instance',
  lines: readonly TrackLine[],
  definitions: readonly Trackable[],
  context: TrackContext,
  report: Report,
): readonly Track[] {
  const tracks: (Track | undefined)[] = [];
  for (const line of once(lines, report)) {
    const definition = definitions.find(({ name }) => name === line.name);
    if (!definition) {
      report.add('W050', line.place, `${context.owner} tracks ${line.name}, but there is no ${keyword} ${line.name}`, {
        value: line.name,
      });
      continue;
    }
    const weight = line.weight ?? definition.weight;
    const reverse = line.reverse ?? (line.weight === undefined && definition.reverse);
    // The weight of a file multiplies its number: how far it moves a priority is not known here.
    const range = keyword === 'track_file' ? { ...context, basePriority: undefined } : context;
    tracks.push(settle(line, weight, reverse, range, report));
  }
  return tracks.filter((track) => track !== undefined);
}

function* once(lines: readonly TrackLine[], report: Report): Generator<TrackLine> {
  const seen = new Set<string>();
  for (const line of lines) {
    if (seen.has(line.name))
      report.add('W014', line.place, `${line.name} is tracked twice; the first line counts`, { value: line.name });
    else yield line;
    seen.add(line.name);
  }
}

function settle(
  line: TrackLine,
  weight: number,
  reverse: boolean,
  context: TrackContext,
  report: Report,
): Track | undefined {
  const base = context.basePriority;
  // keepalived 2.2.7 drops such a tracker altogether: weights would give the members of a group different priorities.
  if (weight !== 0 && context.noWeights !== undefined) {
    report.add('W056', line.place, `${line.name} is not tracked: weights do not work ${context.noWeights}`, {
      value: `${weight}`,
      suggestion: 'give it weight 0 (failure is a fault), or put sync_group_tracking_weight into the group',
    });
    return undefined;
  }
  if (weight !== 0 && base === 255)
    report.add('W056', line.place, `${line.name} has no effect: priority 255 is never changed by trackers`);
  else if (weight !== 0 && base !== undefined) {
    const moved = base + (reverse && weight !== 0 ? -weight : weight);
    if (moved > 254 || moved < 1)
      report.add(
        'W052',
        line.place,
        `weight ${weight} of ${line.name} moves priority ${base} to ${moved}, which counts as ${moved > 254 ? 254 : 1}`,
        {
          value: `${weight}`,
          limit: '1..254',
        },
      );
  }
  return { name: line.name, weight, reverse };
}
