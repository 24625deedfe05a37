// global_defs: what holds for the whole agent, and defaults of the instances.

import { seconds as duration, type Micros } from '../../units.ts';
import { TRANSPORTS } from '../defaults.ts';
import {
  address,
  choice,
  type Field,
  flag,
  integer,
  interfaceName,
  mark,
  optional,
  seconds,
  text,
  userOf,
} from '../fields.ts';
import type { ScriptUser } from '../model.ts';
import { dumpRows, fifoRows, lifeRows, mailRows, tellRows } from './global-notify.ts';
import { bufferRows, firewallRows, lvsRows, processRows } from './global-process.ts';
import { placeRows } from './places.ts';
import { type Block, notActed, type Rows } from './row.ts';

/** `USER [[:]GROUP]` */
export const scriptUser: Field<ScriptUser> = {
  kind: 'record',
  synopsis: 'USER [[:]GROUP]',
  read(args) {
    const user = args.need('a user name');
    return user && userOf([user.text, ...(args.peek() ? [args.take()!.text] : [])]);
  },
};

/** `[all] SECONDS` */
export const extraInterval: Field<{ readonly everywhere: boolean; readonly interval: Micros }> = {
  kind: 'record',
  synopsis: '[all] SECONDS',
  read(args) {
    const everywhere = args.peek()?.text === 'all';
    if (everywhere) args.take();
    const interval = seconds(0, 86_400).read(args);
    return interval === undefined ? undefined : { everywhere, interval };
  },
};

/** keepalived 2.2.7 takes no argument: `vrrp_strict off` is strict, and so a peer with the same file is. */
const strictMark: Field<true> = {
  ...mark,
  read(args) {
    const word = args.take();
    if (word && word.text !== 'on' && word.text !== 'true' && word.text !== 'yes')
      args.report.add('W013', word.place, `'${word.text}' after vrrp_strict is ignored, as keepalived does: it is on`, {
        value: word.text,
        suggestion: 'remove the line, or write strict_mode off into the instances',
      });
    return true;
  },
};

/** Seconds between announcements; 0 is what keepalived's own default file says, so it means: none. */
const GARP_DELAY = seconds(0, 4294);
/** Alone: a day; 0: never. */
export const RESIGN_MEMORY: Field<Micros> = optional(seconds(0, 31_536_000), duration(86_400));
const REPEAT = integer(0, 4_294_967_295);

const rows = {
  router_id: {
    value: text('name'),
    lenient: true,
    default: 'the host name',
    help: 'name of this machine in logs and mail',
  },
  script_user: {
    value: scriptUser,
    help: 'user that scripts run as, unless they name one',
    example: 'keepalived_script',
  },
  enable_script_security: { value: mark, default: 'off', help: 'do not run scripts as root that others could change' },
  default_interface: {
    value: interfaceName,
    lenient: true,
    default: 'eth0',
    help: 'interface of instances that name none',
  },
  vrrp_version: {
    value: integer(2, 3),
    default: '2',
    help: 'VRRP version of instances that name none; IPv6 is always 3',
  },
  vrrp_mcast_group4: { value: address(4, true), default: '224.0.0.18', help: 'multicast group of IPv4 adverts' },
  vrrp_mcast_group6: { value: address(6, true), default: 'ff02::12', help: 'multicast group of IPv6 adverts' },
  vrrp_garp_master_delay: {
    value: GARP_DELAY,
    default: '5',
    help: 'delay of the second burst of gratuitous ARP on becoming MASTER',
  },
  vrrp_garp_master_repeat: { value: REPEAT, default: '5', help: 'gratuitous ARPs an address in a burst' },
  vrrp_garp_master_refresh: {
    value: GARP_DELAY,
    default: '0',
    help: 'period of gratuitous ARPs while MASTER; 0: none',
  },
  vrrp_garp_master_refresh_repeat: { value: REPEAT, default: '1', help: 'gratuitous ARPs an address in a refresh' },
  vrrp_garp_lower_prio_delay: {
    value: GARP_DELAY,
    help: 'delay of the second burst after an advert of lower priority',
  },
  vrrp_garp_lower_prio_repeat: { value: REPEAT, help: 'gratuitous ARPs an address after an advert of lower priority' },
  vrrp_skip_check_adv_addr: {
    value: flag,
    moot: 'an advert with another address list is reported and not dropped',
    default: 'off',
    help: 'check the address list only when the sender changes',
  },
  vrrp_lower_prio_no_advert: { value: flag, default: 'off', help: 'do not answer adverts of lower priority' },
  vrrp_higher_prio_send_advert: { value: flag, default: 'on', help: 'send one more advert before yielding' },
  vrrp_check_unicast_src: { value: flag, default: 'on', help: 'accept unicast adverts from configured peers only' },
  vrrp_down_timer_adverts: {
    value: integer(1, 100),
    default: '3',
    help: 'missed adverts until the master counts as down',
  },
  vrrp_rt_priority: {
    value: integer(0, 99),
    lenient: true,
    default: '1 where the system allows it',
    since: '2.0',
    help: 'real-time priority (SCHED_RR) of the engine thread; 0: ordinary scheduling',
  },
  vrrp_strict: {
    value: strictMark,
    default: 'off',
    help: 'follow the RFC to the letter: no passwords, no answer to lower priorities',
  },
  vrrp_address_lifetime: {
    value: flag,
    default: 'on',
    extension: true,
    help: 'give addresses a kernel lifetime, so that none outlives the agent',
  },
  vrrp_transport: {
    value: choice(TRANSPORTS),
    default: 'native, or raw-socket where the native addon does not load',
    extension: true,
    help: 'what carries the adverts; raw-socket: the npm package, IPv4 only, intervals of 0.1 s and more',
  },
  vrrp_stop_order: {
    value: choice(['make_before_break', 'break_before_make']),
    default: 'make_before_break',
    extension: true,
    help: 'keep the addresses on stop until the successor is heard, or drop them at once as keepalived',
  },
  vrrp_owner_ignore_adverts: {
    value: flag,
    default: 'off',
    since: '2.3.3',
    help: 'an owner of the addresses does not listen to adverts of others',
  },
  vrrp_fast_handover: {
    value: flag,
    default: 'on',
    extension: true,
    help: 'as BACKUP take over after the skew when the priority of the master falls below ours; off: after the down timer',
  },
  vrrp_resign_when_outranked: {
    value: RESIGN_MEMORY,
    default: '0',
    extension: true,
    help:
      'seconds, 86400 if not said: as MASTER whose priority falls below that of a router whose adverts were heard that ' +
      'recently, resign, for a keepalived that waits for its down timer otherwise; 0: never',
    example: '3600',
  },
  vrrp_startup_hold: {
    value: seconds(0, 600),
    default: '40',
    extension: true,
    help:
      'the longest that silence makes nobody master on an interface that came up, or on a machine that just booted, as ' +
      'its switch port may be deaf; ends with the first frame heard; 0: none',
  },
  vrrp_conflict_watch: {
    value: flag,
    default: 'on',
    extension: true,
    help: 'tell of others who claim our addresses by ARP or neighbour advertisements, and announce them again',
  },
  vrrp_min_garp: {
    value: flag,
    default: 'off',
    help: 'one gratuitous ARP an address and no second burst, where garp_master_* say nothing else',
  },
  disable_local_igmp: { value: mark, default: 'off', help: 'send no IGMP for groups of the local network' },
  vmac_prefix: { value: text('name'), default: 'vrrp', help: 'first letters of the names of macvlan interfaces' },
  vmac_addr_prefix: {
    value: text('name'),
    help: 'the same for macvlans of addresses on other interfaces; default: vmac_prefix',
  },
  vrrp_garp_interval: {
    value: seconds(0, 4294.967295),
    default: '0',
    help: 'shortest time between two gratuitous ARPs on an interface',
  },
  vrrp_gna_interval: {
    value: seconds(0, 4294.967295),
    default: '0',
    help: 'shortest time between two neighbour advertisements on an interface',
  },
  ...notActed({
    vrrp_garp_extra_if: {
      value: extraInterval,
      lenient: true,
      synonyms: ['vrrp_vmac_garp_intvl'],
      help: 'repeat announcements on the interfaces of macvlans, or on all others',
      example: 'all 60',
    },
    log_unknown_vrids: { value: mark, default: 'off', help: 'log adverts of virtual routers that nobody here knows' },
    iproute_usr_dir: {
      value: text('directory'),
      since: '2.3.2',
      help: 'where iproute2 keeps its names of tables and protocols',
    },
    iproute_etc_dir: { value: text('directory'), since: '2.3.2', help: 'the same, what the administrator changed' },
  } as const satisfies Rows),
  v3_checksum_as_v2: {
    value: flag,
    default: 'off',
    since: '2.2.8',
    help: 'VRRPv3 checksums over IPv4 leave the pseudo header out',
  },
  vrrp_startup_delay: {
    value: seconds(0.001, 4294.967295),
    default: '0',
    help: 'seconds after the start in which nothing is sent or heard',
  },
  vrrp_delay_after_boot: {
    value: seconds(0.001, 4294.967295),
    default: '0',
    since: '2.4.0',
    help: 'seconds after the start of the machine in which nothing is sent or heard',
  },
  ...mailRows,
  ...fifoRows,
  ...dumpRows,
  ...lifeRows,
  ...tellRows,
  ...processRows,
  ...bufferRows,
  ...firewallRows,
  ...lvsRows,
  ...placeRows,
} as const satisfies Rows;

export const globalDefs: Block<typeof rows> = {
  name: 'global_defs',
  help: 'what holds for the whole agent, and defaults of the instances',
  rows,
};
