// Top-level blocks about interfaces and about what instances share: pace of announcements, delays of link changes,
// groups that track together.
import type { Micros } from '../../units.ts';
import type { Place } from '../diagnostics.ts';
import { choice, type Field, interfaceName, interfaceOf, seconds } from '../fields.ts';
import { type Block, list, type Rows } from './row.ts';
import { member } from './vrrp-sync-group.ts';

const interfaces: Field<readonly string[]> = {
  kind: 'record',
  synopsis: 'INTERFACE …',
  read: (args) => args.takeAll().flatMap((word) => interfaceOf(args, word) ?? []),
};

const PACE = seconds(0, 2147.483647);

const garpRows = {
  garp_interval: { value: PACE, help: 'shortest time between two gratuitous ARPs' },
  gna_interval: { value: PACE, help: 'shortest time between two neighbour advertisements' },
  interface: { value: interfaceName, help: 'the only interface of the group' },
  interfaces: { value: list(interfaces), repeat: 'join', help: 'the interfaces of the group', example: 'eth0' },
} as const satisfies Rows;

export const garpGroup: Block<typeof garpRows> = {
  name: 'garp_group',
  help: 'interfaces that share a pace of announcements',
  rows: garpRows,
};

const trackGroupRows = {
  group: { value: list(member), repeat: 'join', help: 'the instances, by name', example: 'VI_1' },
} as const satisfies Rows;

export const trackGroup: Block<typeof trackGroupRows> = {
  name: 'track_group',
  help: 'instances that fail when a static address, route or rule of the group is removed',
  rows: trackGroupRows,
};

export interface DelayLine {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
  readonly place: Place;
}

/** `INTERFACE DOWN [UP]` */
export const delayLine: Field<DelayLine> = {
  kind: 'record',
  synopsis: 'INTERFACE DOWN-SECONDS [UP-SECONDS]',
  read(args) {
    const word = args.take()!;
    const name = interfaceOf(args, word);
    const down = seconds(0, 255).read(args);
    const up = args.peek() === undefined ? down : seconds(0, 255).read(args);
    return name === undefined || down === undefined || up === undefined
      ? undefined
      : { interface: name, down, up, place: word.place };
  },
};

/** `INTERFACE [MII|ETHTOOL|IOCTL]` */
export const linkbeatLine: Field<string> = {
  kind: 'record',
  synopsis: 'INTERFACE [MII|ETHTOOL|IOCTL]',
  read(args) {
    const name = interfaceOf(args, args.take()!);
    if (args.peek() !== undefined) choice(['MII', 'ETHTOOL', 'IOCTL']).read(args);
    return name;
  },
};
