// vrrp_sync_group: instances that are MASTER together or not at all.

import type { Place } from '../diagnostics.ts';
import { type Field, mark } from '../fields.ts';
import { notifyRows } from './notify.ts';
import { type Block, list, type Rows, unreadBlock, unused } from './row.ts';
import { trackLine } from './track.ts';

export interface Member {
  readonly name: string;
  readonly place: Place;
}

const member: Field<readonly Member[]> = {
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
  track_file: {
    value: unreadBlock,
    acted: false,
    instead: 'the file never changes the priority',
    help: 'files to track',
  },
  track_process: {
    value: unreadBlock,
    acted: false,
    instead: 'the process never changes the priority',
    help: 'processes to track',
  },
  track_bfd: {
    value: unreadBlock,
    acted: false,
    instead: 'the BFD session never changes the priority',
    help: 'BFD sessions to track',
  },
} as const satisfies Rows;

export const vrrpSyncGroup: Block<typeof rows> = {
  name: 'vrrp_sync_group',
  help: 'instances that are MASTER together or not at all',
  rows,
  unused: unused('VRRP', 'smtp_alert notify_priority_changes'),
};
