// What can be tracked besides scripts and interfaces: files, processes and BFD sessions.
import { type IpAddress, parseIp } from '../../net/address.ts';
import {
  address,
  choice,
  type Field,
  integer,
  interfaceOf,
  mark,
  milliseconds,
  optional,
  seconds,
  text,
  words,
} from '../fields.ts';
import type { Block, Rows } from './row.ts';
import { weightField } from './track.ts';

const INT = 2_147_483_647;

/** `[VALUE] [overwrite]` */
const initFile: Field<{ readonly value: number; readonly overwrite: boolean }> = {
  kind: 'record',
  synopsis: '[VALUE] [overwrite]',
  optional: true,
  read(args) {
    let value = 0;
    let overwrite = false;
    for (let word = args.take(); word !== undefined; word = args.take()) {
      if (word.text === 'overwrite') overwrite = true;
      else if (/^[+-]?\d+$/.test(word.text) && Math.abs(Number(word.text)) <= INT) value = Number(word.text);
      else
        return args.refuse('W012', word, `init_file takes a number and overwrite, not '${word.text}'`, {
          limit: `-${INT}..${INT} [overwrite]`,
        });
    }
    return { value, overwrite };
  },
};

const fileRows = {
  file: { value: text('path'), help: 'file whose number is read whenever it changes' },
  weight: {
    value: weightField(INT),
    lenient: true,
    default: '1',
    help: 'multiplies the number; 0: any number but 0 is a fault',
    example: '10 reverse',
  },
  init_file: { value: initFile, help: 'write this number (0) if there is no such file', example: '0 overwrite' },
} as const satisfies Rows;

export const trackFile: Block<typeof fileRows> = {
  name: 'track_file',
  help: 'a file with a number that moves priorities',
  rows: fileRows,
};

const DELAY = seconds(0.000001, 3600);

const processRows = {
  process: {
    value: words('PROGRAM [ARGUMENT …]'),
    help: 'the program, by its name; with arguments, by its command line',
    example: 'nginx',
  },
  param_match: {
    value: optional<'exact' | 'initial' | 'partial'>(choice(['initial', 'partial']), 'exact'),
    help: 'arguments: partial: others may follow; initial: the last one may go on; alone: there must be none',
  },
  weight: {
    value: weightField(254),
    lenient: true,
    default: '0',
    help: 'added to the priority while enough of them run (positive) or too few (negative); 0: too few are a fault',
    example: '-20 reverse',
  },
  quorum: { value: integer(1, 65_535), default: '1', help: 'fewest that must run' },
  quorum_max: { value: integer(0, 65_535), help: 'most that may run; 0: none may; default: no limit' },
  fork_delay: { value: DELAY, help: 'seconds that a start must last to count' },
  terminate_delay: { value: DELAY, help: 'seconds that an end must last to count' },
  delay: { value: DELAY, help: 'both delays at once' },
  full_command: { value: mark, help: 'compare the command line and not the name of the process' },
} as const satisfies Rows;

export const trackProcess: Block<typeof processRows> = {
  name: 'vrrp_track_process',
  help: 'a program of which enough processes must run',
  rows: processRows,
};

const MS = milliseconds(1, 4_294_967);

export interface Neighbor {
  readonly address: IpAddress;
  readonly interface?: string;
}

/** `ADDRESS`, a link-local one with its interface: `fe80::1%eth0` */
const neighbor: Field<Neighbor> = {
  kind: 'record',
  synopsis: 'ADDRESS[%INTERFACE]',
  read(args) {
    const word = args.need('an IP address');
    if (!word) return undefined;
    const at = word.text.indexOf('%');
    const value = parseIp(at < 0 ? word.text : word.text.slice(0, at));
    if (value === undefined) return args.refuse('W012', word, `'${word.text}' is not an IP address`);
    if (at < 0) return { address: value };
    const name = interfaceOf(args, { ...word, text: word.text.slice(at + 1) });
    return name === undefined ? undefined : { address: value, interface: name };
  },
};

const EVERYBODY = 'every session is there for whoever tracks it';

const bfdRows = {
  neighbor_ip: { value: neighbor, help: 'the other end', example: '192.0.2.1' },
  neighbour_ip: { value: neighbor, help: 'the same', example: '192.0.2.1' },
  source_ip: { value: address(), help: 'this end; default: as the kernel routes' },
  min_rx: { value: MS, default: '10', help: 'shortest interval at which packets can be received' },
  min_tx: { value: MS, default: '10', help: 'shortest interval at which packets are sent' },
  idle_tx: { value: milliseconds(1000, 4_294_967), default: '1000', help: 'the same while the session is down' },
  multiplier: { value: integer(1, 255), default: '5', help: 'lost packets until the neighbour is down' },
  passive: { value: mark, help: 'wait for the neighbour to begin' },
  ttl: { value: integer(1, 255), default: '255', help: 'TTL of IPv4 packets' },
  hoplimit: { value: integer(1, 255), default: '255', help: 'hop limit of IPv6 packets' },
  max_hops: {
    value: integer(-1, 255),
    default: '0',
    help: 'hops that a packet may have come, counted down from our own ttl; -1: any (the default with multihop)',
  },
  multihop: { value: mark, since: '2.2.8', help: 'port 4784 for neighbours behind routers (RFC 5883)' },
  weight: {
    value: weightField(253),
    default: '0',
    help: 'added to the priority while up (positive) or down (negative); 0: down is a fault',
    example: '-20 reverse',
  },
  vrrp: { value: mark, moot: EVERYBODY, help: 'tell VRRP only' },
  checker: { value: mark, moot: EVERYBODY, help: 'tell BFD_CHECK only' },
} as const satisfies Rows;

export const bfdInstance: Block<typeof bfdRows> = {
  name: 'bfd_instance',
  help: 'a session that notices within milliseconds that a neighbour is gone (RFC 5880)',
  rows: bfdRows,
};
