// vrrp_instance: one virtual router and its addresses.
import type { IpAddress } from '../../net/address.ts';
import { type Vrid, vrid } from '../../units.ts';
import type { Place } from '../diagnostics.ts';
import {
  address,
  addressOf,
  choice,
  type Field,
  flag,
  integer,
  interfaceName,
  mark,
  seconds,
  text,
  wholeNumber,
} from '../fields.ts';
import { notifyRows } from './notify.ts';
import { type Block, list, nested, type Rows, unread, unreadBlock, unused } from './row.ts';
import { trackLine } from './track.ts';
import { addressLine } from './virtual-address.ts';

/** 1..255; an instance without one cannot start. */
const virtualRouterId: Field<Vrid> = {
  kind: 'integer',
  synopsis: '1..255',
  min: 1,
  max: 255,
  read(args) {
    const word = args.need('a number 1..255');
    if (!word) return undefined;
    const n = /^\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
    if (n >= 1 && n <= 255) return vrid(n);
    args.report.add('E013', word.place, `virtual_router_id ${word.text} is out of range 1..255`, {
      value: word.text,
      limit: '1..255',
    });
    return undefined;
  },
};

export interface PeerLine {
  readonly address: IpAddress;
  readonly minTtl?: number;
  readonly maxTtl?: number;
  readonly place: Place;
}

/** `ADDRESS [min_ttl N] [max_ttl N]` */
const peer: Field<PeerLine> = {
  kind: 'record',
  synopsis: 'ADDRESS [min_ttl 0..255] [max_ttl 0..255]',
  read(args) {
    const first = args.take()!;
    const base = addressOf(args, first);
    if (base === undefined) return undefined;
    const limits: { minTtl?: number; maxTtl?: number } = {};
    for (let word = args.peek(); word?.text === 'min_ttl' || word?.text === 'max_ttl'; word = args.peek()) {
      args.take();
      const number = args.need(`a number after ${word.text}`);
      const n = number && wholeNumber(args, number, 0, 255, word.text);
      if (n !== undefined) limits[word.text === 'min_ttl' ? 'minTtl' : 'maxTtl'] = n;
    }
    return { address: base, ...limits, place: first.place };
  },
};

const authenticationRows = {
  auth_type: { value: choice(['PASS', 'AH']), help: 'PASS: a clear-text password in every advert' },
  auth_pass: { value: text('password'), help: 'the password; 8 bytes count' },
} as const satisfies Rows;

export const authentication: Block<typeof authenticationRows> = {
  name: 'authentication',
  help: 'VRRPv2 authentication; protects from mistakes, not from attackers',
  rows: authenticationRows,
};

const GARP_DELAY = seconds(0, 4294);
const REPEAT = integer(0, 4_294_967_295);
const ADDRESS_GONE = 'this address is left out';

const rows = {
  state: {
    value: choice(['MASTER', 'BACKUP'], { SLAVE: 'BACKUP', PEER: 'BACKUP', STANDBY: 'BACKUP', ACTIVE: 'MASTER' }),
    default: 'BACKUP',
    help: 'how to start; only MASTER with priority 255 starts as MASTER',
  },
  interface: { value: interfaceName, help: 'interface that carries the adverts and the addresses' },
  virtual_router_id: { value: virtualRouterId, help: 'number of the virtual router, the same on all its machines' },
  priority: { value: integer(1, 255), default: '100', help: 'the highest wins; 255 is the owner of the addresses' },
  advert_int: {
    value: seconds(0.01, 255),
    default: '1',
    help: 'seconds between adverts; version 2: 1..255, version 3: 0.01..40.95',
  },
  version: { value: integer(2, 3), help: 'VRRP version; default: vrrp_version' },
  authentication: { value: nested(authentication), help: 'VRRPv2 authentication' },
  virtual_ipaddress: {
    value: list(addressLine, ADDRESS_GONE),
    repeat: 'join',
    help: 'addresses that the master holds and advertises',
  },
  virtual_ipaddress_excluded: {
    value: list(addressLine, ADDRESS_GONE),
    repeat: 'join',
    help: 'addresses that the master holds and does not advertise; of any family',
  },
  no_virtual_ipaddress: { value: mark, since: '2.2.8', help: 'the instance has no addresses on purpose' },
  unicast_src_ip: {
    value: address(),
    help: 'source of unicast adverts; default: the primary address of the interface',
  },
  unicast_peer: {
    value: list(peer, 'this peer is left out'),
    repeat: 'join',
    help: 'send adverts to these addresses instead of multicast',
  },
  unicast_ttl: { value: integer(0, 255), default: '255', help: 'TTL of unicast adverts' },
  check_unicast_src: {
    value: flag,
    help: 'accept unicast adverts from configured peers only; default: vrrp_check_unicast_src',
  },
  unicast_fault_no_peer: { value: flag, help: 'stay in FAULT while a unicast instance has no peers' },
  mcast_src_ip: { value: address(), help: 'source of multicast adverts' },
  mcast_dst_ip: { value: address(undefined, true), help: 'multicast group of this instance' },
  nopreempt: { value: mark, help: 'do not take over from a master of lower priority' },
  preempt: { value: mark, help: 'take over from a master of lower priority (the default)' },
  preempt_delay: { value: seconds(0, 1000), default: '0', help: 'how long a master of lower priority is tolerated' },
  down_timer_adverts: { value: integer(1, 100), default: '3', help: 'missed adverts until the master counts as down' },
  garp_master_delay: {
    value: GARP_DELAY,
    default: '5',
    help: 'delay of the second burst of gratuitous ARP on becoming MASTER',
  },
  garp_master_repeat: { value: REPEAT, default: '5', help: 'gratuitous ARPs an address in a burst' },
  garp_master_refresh: { value: GARP_DELAY, default: '0', help: 'period of gratuitous ARPs while MASTER; 0: none' },
  garp_master_refresh_repeat: { value: REPEAT, default: '1', help: 'gratuitous ARPs an address in a refresh' },
  garp_lower_prio_delay: { value: GARP_DELAY, help: 'delay of the second burst after an advert of lower priority' },
  garp_lower_prio_repeat: { value: REPEAT, help: 'gratuitous ARPs an address after an advert of lower priority' },
  lower_prio_no_advert: { value: flag, help: 'do not answer adverts of lower priority' },
  higher_prio_send_advert: { value: flag, help: 'send one more advert before yielding' },
  skip_check_adv_addr: { value: flag, help: 'check the address list only when the sender changes' },
  strict_mode: { value: flag, help: 'follow the RFC to the letter in this instance' },
  dont_track_primary: { value: mark, help: 'stay out of FAULT when the interface fails' },
  track_interface: { value: list(trackLine), repeat: 'join', help: 'further interfaces that must be up' },
  track_script: { value: list(trackLine), repeat: 'join', help: 'scripts that move the priority' },
  ...notifyRows,
  native_ipv6: { value: mark, help: 'an IPv6 instance; the addresses say so already' },
  debug: { value: text('level'), help: 'accepted' },
  vrrp_stop_order: {
    value: choice(['make_before_break', 'break_before_make']),
    extension: true,
    help: 'as in global_defs, for this instance',
  },
  use_vmac: {
    value: unread,
    acted: false,
    instead: 'the addresses keep the MAC address of the interface',
    help: 'virtual MAC address',
  },
  use_ipvlan: {
    value: unread,
    acted: false,
    instead: 'the addresses stay on the interface itself',
    help: 'ipvlan interface',
  },
  virtual_routes: {
    value: unreadBlock,
    acted: false,
    instead: 'no routes are set',
    help: 'routes that the master sets',
  },
  virtual_rules: { value: unreadBlock, acted: false, instead: 'no rules are set', help: 'rules that the master sets' },
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
  auth_hmac: {
    value: unreadBlock,
    acted: false,
    since: '2.4.0',
    instead: 'adverts are not signed, and peers that sign refuse them',
    help: 'signed adverts',
  },
  timer_expired_backup: {
    value: unread,
    acted: false,
    since: '2.2.8',
    synonyms: ['thread_timer_expired'],
    help: 'step down after a stall',
  },
} as const satisfies Rows;

export const vrrpInstance: Block<typeof rows> = {
  name: 'vrrp_instance',
  help: 'one virtual router and its addresses',
  rows,
  unused: unused(
    'VRRP',
    `vrf promote_secondaries use_vmac_addr vmac_xmit_base vmac_garp_intvl accept no_accept owner_ignore_adverts
     garp_extra_if track_src_ip old_unicast_checksum v3_checksum_as_v2 kernel_rx_buf_size linkbeat_use_polling
     lvs_sync_daemon_interface smtp_alert notify_deleted notify_master_rx_lower_pri notify_priority_changes`,
  ),
};
