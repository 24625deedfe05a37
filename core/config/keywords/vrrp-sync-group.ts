// vrrp_sync_group: instances that are MASTER together or not at all.

import type { Place } from '../diagnostics.ts';
import { type Field, flag, mark } from '../fields.ts';
import { furtherTrackRows } from './further-tracks.ts';
import { notifyRows } from './notify.ts';
import { type Block, list, type Rows } from './row.ts';
import { trackLine } from './track.ts';

export interface Member {
  readonly name: string;
  readonly place: Place;
}

/** One or more instances a line. */
export const member: Field<readonly Member[]> = {
  kind: 'record',
  synopsis: 'INSTANCE',
  read(args) {
    const members: Member[] = [];
    for (let word = args.take(); word !== undefined; word = args.take())
      members.push({ name: word.text, place: word.place });
    return members;
  },
};

const rows = {
  group: { value: list(member), repeat: 'join', help: 'the instances, by name' },
  track_script: { value: list(trackLine), repeat: 'join', help: 'scripts that count for all members' },
  track_interface: { value: list(trackLine), repeat: 'join', help: 'interfaces that count for all members' },
  ...notifyRows,
  sync_group_tracking_weight: { value: mark, help: 'let weights work inside the group', synonyms: ['global_tracking'] },
  smtp_alert: { value: flag, help: 'mail about changes of the group; default: smtp_alert_vrrp' },
  notify_priority_changes: {
    value: flag,
    help: 'tell the FIFOs of changed priorities of its members; default: vrrp_notify_priority_changes',
  },
  ...furtherTrackRows,
} as const satisfies Rows;

export const vrrpSyncGroup: Block<typeof rows> = {
  name: 'vrrp_sync_group',
  help: 'instances that are MASTER together or not at all',
  rows,
};
