// The conformance table as a live daemon can be asked it: every case gets a VRID and addresses of its own, so that one
// daemon answers the whole table at once. Cases that concern the IP header, which the table in virtual time does not
// see, and such that only the file can make, are added here.
import { readFileSync } from 'node:fs';
import type { Family } from '../../core/net/address.ts';
import type { InstanceText } from '../support/conf.ts';
import type { InjectedFields } from './injected-packet.ts';

/** What is written into the IP header beside what InjectedFields says. */
export interface HeaderFields {
  /** IPv4 options in hexadecimal. */
  readonly ipopt?: string;
  /** IPv4 flags and fragment offset. */
  readonly frag?: number;
}

export interface Case {
  readonly id: string;
  readonly rule: string;
  readonly given: {
    readonly state: 'BACKUP' | 'MASTER';
    readonly version: 2 | 3;
    readonly family: Family;
    readonly priority: number;
    readonly addresses: readonly string[];
    readonly interval: number;
    readonly preempt?: boolean;
    readonly password?: string;
    readonly peers?: readonly { readonly address: string; readonly minTtl?: number; readonly maxTtl?: number }[];
    readonly strictAddressList?: boolean;
    readonly fastHandover?: boolean;
    /** Who the master was; default: the neighbour that sends the packets. */
    readonly heldBy?: string;
    /** Further lines of the instance. */
    readonly lines?: readonly string[];
  };
  readonly events: readonly {
    readonly at: number;
    readonly times: number;
    readonly every: number;
    readonly packet: InjectedFields & HeaderFields;
  }[];
  readonly expect: {
    readonly masterAt?: number;
    readonly backupAt?: number;
    readonly adverts?: readonly number[];
    readonly announces?: number;
    readonly drops?: Readonly<Record<string, number>>;
  };
}

export interface LiveCase extends Case {
  readonly vrid: number;
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/conformance.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

const V3 = { version: 3, family: 4, priority: 100, interval: 1 } as const;
const HMAC_KEY = 'hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const hmac = (mode: string) => ['auth_hmac {', `key 1 ${HMAC_KEY}`, 'active_key 1', `mode ${mode}`, '}'];

const HEADER_CASES: readonly Case[] = [
  {
    id: 'B23_ip_option',
    rule: 'options are allowed in the IP header',
    given: { ...V3, state: 'BACKUP', addresses: ['10.0.23.1'] },
    events: [{ at: 0.02, times: 20, every: 0.4, packet: { prio: 200, ipopt: '94040000' } }],
    expect: { masterAt: 11.229375 },
  },
  {
    id: 'B24_fragment_mf',
    rule: 'a fragment without the rest is nothing',
    given: { ...V3, state: 'BACKUP', addresses: ['10.0.24.1'] },
    events: [{ at: 0.02, times: 20, every: 0.4, packet: { prio: 200, frag: 0x2000 } }],
    expect: { masterAt: 3.609375 },
  },
  {
    id: 'U08c_master_peer_ttl1_on_link',
    rule: 'without limits in the file a peer on the link must send with TTL 255',
    given: { ...V3, state: 'MASTER', addresses: ['10.0.9.1'], peers: [{ address: '10.0.0.2' }] },
    events: [{ at: 0.02, times: 1, every: 0, packet: { prio: 200, dst: '10.0.0.1', ttl: 1 } }],
    expect: { adverts: [0, 1, 2], announces: 0, drops: { ttl: 1 } },
  },
  {
    id: 'U12_hmac_enforce_plain_advert',
    rule: 'unsigned adverts are discarded in enforce mode',
    given: { ...V3, state: 'MASTER', addresses: ['10.0.12.1'], lines: hmac('enforce') },
    events: [{ at: 0.02, times: 1, every: 0, packet: { prio: 200 } }],
    expect: { adverts: [0, 1, 2], announces: 0, drops: { 'hmac-missing': 1 } },
  },
  {
    id: 'U13_hmac_permissive_plain_advert',
    rule: 'unsigned adverts are accepted in permissive mode',
    given: { ...V3, state: 'MASTER', addresses: ['10.0.13.1'], lines: hmac('permissive') },
    events: [{ at: 0.02, times: 1, every: 0, packet: { prio: 200 } }],
    expect: { backupAt: 0.02, masterAt: 3.629375 },
  },
];

/** Cases with a setting that no keyword of the file can make. */
const inTheFile = ({ given }: Case): boolean => given.strictAddressList !== true && given.fastHandover !== false;

/** The table and the cases above, numbered from VRID 1. */
export const liveCases: readonly LiveCase[] = [
  ...cases,
  ...HEADER_CASES.filter(({ id }) => !cases.some((each) => each.id === id)),
]
  .filter(inTheFile)
  .map((each, i) => renumbered(each, i + 1));

/** Addresses of a case's own: the table uses some twice. Sources and destinations stay what they are. */
function renumbered(each: Case, vrid: number): LiveCase {
  const own = (address: string): string =>
    address.startsWith('10.0.')
      ? address.replace('10.0.', `10.${vrid}.`)
      : address.replace('::', `::${vrid.toString(16)}:`);
  return {
    ...each,
    vrid,
    given: { ...each.given, addresses: each.given.addresses.map(own) },
    events: each.events.map((event) => ({
      ...event,
      packet: { ...event.packet, ...(event.packet.vips !== undefined && { vips: event.packet.vips.map(own) }) },
    })),
  };
}

/** The instance of a case in the configuration file. @param source own address, @param peer the injector's */
export function instanceOf({ id, vrid, given }: LiveCase, source: string, peer: string): InstanceText {
  const { priority, version, interval, addresses, password, preempt = true, peers, lines = [] } = given;
  const limits = peers?.[0];
  const ttl = limits?.minTtl === undefined ? '' : ` min_ttl ${limits.minTtl}`;
  return {
    name: id,
    vrid,
    priority,
    version,
    advertInt: interval,
    vips: [...addresses],
    ...(priority === 255 && { state: 'MASTER' as const }),
    ...(password !== undefined && { password }),
    ...(preempt ? {} : { nopreempt: true }),
    ...(peers !== undefined && { unicast: { source, peers: [`${peer}${ttl}`] } }),
    extra: [...lines, ...(given.fastHandover === false ? ['fast_handover off'] : [])],
  };
}
