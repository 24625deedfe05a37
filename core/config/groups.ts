// From vrrp_sync_group blocks to groups of existing instances. Pure.
import type { Report } from './diagnostics.ts';
import type { Named, Values } from './keywords/row.ts';
import type { vrrpSyncGroup } from './keywords/vrrp-sync-group.ts';
import type { SyncGroupConfig } from './model.ts';
import { buildNotify, type ProgramProbe, type Scripts } from './scripts.ts';
import { buildInterfaceTracks, buildScriptTracks } from './trackers.ts';
import { buildWatchedTracks, type Watched } from './watched.ts';

export type GroupBlock = Named<Values<typeof vrrpSyncGroup.rows>>;

/** Each group in which weights do not work, by the names of its members. */
export function weightlessMembers(blocks: readonly GroupBlock[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const { name, values } of blocks)
    if (!values.sync_group_tracking_weight)
      for (const member of values.group?.value.flat() ?? []) map.set(member.name, `in sync group ${name}`);
  return map;
}

export function buildGroups(
  blocks: readonly GroupBlock[],
  instances: ReadonlySet<string>,
  scripts: Scripts,
  watched: Watched,
  probe: ProgramProbe | undefined,
  report: Report,
): readonly SyncGroupConfig[] {
  const groups = new Map<string, SyncGroupConfig>();
  const taken = new Map<string, string>();
  for (const { name, place, values } of blocks) {
    if (groups.has(name)) {
      report.add('W014', place, `vrrp_sync_group ${name} is defined again; the first one counts`, { value: name });
      continue;
    }
    const members: string[] = [];
    for (const member of values.group?.value.flat() ?? []) {
      const other = taken.get(member.name);
      if (!instances.has(member.name))
        report.add('W055', member.place, `there is no vrrp_instance ${member.name}; ${name} goes without it`, {
          value: member.name,
        });
      else if (other !== undefined)
        report.add('W055', member.place, `${member.name} is in group ${other} already`, { value: member.name });
      else {
        taken.set(member.name, name);
        members.push(member.name);
      }
    }
    if (members.length === 0) {
      report.add('W055', place, `${name} has no members and is ignored`);
      continue;
    }
    if (members.length === 1) report.add('W055', place, `${name} has one member only; a group of one changes nothing`);
    const noWeights = values.sync_group_tracking_weight ? undefined : `in sync group ${name}`;
    const context = { owner: name, basePriority: undefined, noWeights };
    groups.set(name, {
      name,
      members,
      notify: buildNotify(values, probe, report),
      trackScripts: buildScriptTracks(values.track_script?.value ?? [], scripts, watched.checks, context, report),
      trackInterfaces: buildInterfaceTracks(values.track_interface?.value ?? [], undefined, context, report),
      ...buildWatchedTracks(values, watched, context, report),
      trackWeights: values.sync_group_tracking_weight !== undefined,
    });
  }
  return [...groups.values()];
}
