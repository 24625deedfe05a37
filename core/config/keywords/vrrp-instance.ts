// vrrp_instance: one virtual router and its addresses.
import { type IpAddress, parseIp } from '../../net/address.ts';
import { type Vrid, vrid } from '../../units.ts';
import type { Place } from '../diagnostics.ts';
import {
  type Arguments,
  address,
  addressOf,
  choice,
  command,
  type Field,
  flag,
  integer,
  interfaceName,
  mark,
  optional,
  seconds,
  wholeNumber,
} from '../fields.ts';
import { isHostName } from '../host-name.ts';
import type { Word } from '../lexer.ts';
import { authentication, authHmac } from './authentication.ts';
import { furtherTrackRows } from './further-tracks.ts';
import { extraInterval, RESIGN_MEMORY } from './global-defs.ts';
import { notifyRows } from './notify.ts';
import { routeLine, ruleLine } from './routes.ts';
import { type Block, list, nested, notActed, type Rows } from './row.ts';
import { trackLine } from './track.ts';
import { addressLine } from './virtual-address.ts';
import { ipvlan, vmac } from './virtual-interface.ts';

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

/** By address or by name. */
export interface PeerLine {
  readonly address?: IpAddress;
  readonly host?: string;
  readonly minTtl?: number;
  readonly maxTtl?: number;
  readonly place: Place;
}

/** `ADDRESS|NAME [min_ttl N] [max_ttl N]` */
const peer: Field<PeerLine> = {
  kind: 'record',
  synopsis: 'ADDRESS|NAME [min_ttl 0..255] [max_ttl 0..255]',
  read(args) {
    const first = args.take()!;
    const who = peerOf(args, first);
    if (who === undefined) return undefined;
    const limits: { minTtl?: number; maxTtl?: number } = {};
    for (let word = args.peek(); word?.text === 'min_ttl' || word?.text === 'max_ttl'; word = args.peek()) {
      args.take();
      const number = args.need(`a number after ${word.text}`);
      const n = number && wholeNumber(args, number, 0, 255, word.text);
      if (n !== undefined) limits[word.text === 'min_ttl' ? 'minTtl' : 'maxTtl'] = n;
    }
    return { ...who, ...limits, place: first.place };
  },
};

function peerOf(args: Arguments, word: Word): Pick<PeerLine, 'address' | 'host'> | undefined {
  if (parseIp(word.text) === undefined) {
    if (isHostName(word.text)) return { host: word.text };
    const bare = /^([^:/]+):\d+$/.exec(word.text)?.[1];
    if (bare !== undefined || /[g-z]/i.test(word.text))
      return args.refuse('W012', word, `'${word.text}' is neither an IP address nor the name of a host`, {
        suggestion: bare && `write ${bare}, without a port: VRRP has none`,
      });
  }
  const address = addressOf(args, word);
  return address === undefined ? undefined : { address };
}

/** As keepalived since 2.3.3. */
const ANY_LIST = 'an advert with another address list is reported and not dropped';
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
    help: 'send adverts to these machines instead of multicast: addresses, hosts or services (SRV), by name',
  },
  unicast_ttl: { value: integer(0, 255), default: '255', help: 'TTL of unicast adverts' },
  check_unicast_src: {
    value: flag,
    help: 'accept unicast adverts from configured peers only; default: vrrp_check_unicast_src',
  },
  unicast_fault_no_peer: {
    value: flag,
    acted: false,
    instead: 'without peers it uses multicast',
    help: 'stay in FAULT while a unicast instance has no peers',
  },
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
  skip_check_adv_addr: { value: flag, moot: ANY_LIST, help: 'check the address list only when the sender changes' },
  strict_mode: { value: flag, help: 'follow the RFC to the letter in this instance' },
  dont_track_primary: { value: mark, help: 'stay out of FAULT when the interface fails' },
  track_interface: { value: list(trackLine), repeat: 'join', help: 'further interfaces that must be up' },
  track_script: { value: list(trackLine), repeat: 'join', help: 'scripts that move the priority' },
  ...notifyRows,
  native_ipv6: { value: mark, help: 'an IPv6 instance; the addresses say so already' },
  debug: { value: integer(0, 4), moot: 'what is logged is the business of the log', help: 'how much to log' },
  vrrp_stop_order: {
    value: choice(['make_before_break', 'break_before_make']),
    extension: true,
    help: 'as in global_defs, for this instance',
  },
  notify_deleted: { value: mark, help: 'an instance that a reload removes is told as DELETED and not as FAULT' },
  notify_master_rx_lower_pri: {
    value: command(true),
    repeat: 'first',
    help: 'program to run when a MASTER hears a peer of lower priority',
  },
  notify_priority_changes: {
    value: flag,
    help: 'tell the FIFOs of changed priorities; default: vrrp_notify_priority_changes',
  },
  smtp_alert: { value: flag, help: 'mail about changes; default: smtp_alert_vrrp' },
  use_vmac: {
    value: vmac,
    help: 'put the addresses on a macvlan with the MAC address of the virtual router',
    example: 'vrrp.51',
  },
  use_vmac_addr: {
    value: mark,
    help: 'the same for addresses on other interfaces',
  },
  vmac_xmit_base: { value: mark, help: 'send adverts through the interface below the macvlan' },
  use_ipvlan: {
    value: ipvlan,
    help: 'put the addresses on an ipvlan',
    example: 'ipvl.51 10.0.0.5 bridge',
  },
  virtual_routes: {
    value: list(routeLine, 'this route is left out'),
    repeat: 'join',
    help: 'routes that the master sets',
    example: '192.0.2.0/24 via 10.0.0.1 dev eth0 metric 10',
  },
  virtual_rules: {
    value: list(ruleLine, 'this rule is left out'),
    repeat: 'join',
    help: 'rules that the master sets',
    example: 'from 192.0.2.0/24 table 10 priority 100',
  },
  ...furtherTrackRows,
  track_src_ip: {
    value: mark,
    help: 'the address that adverts come from must exist, else FAULT',
  },
  auth_hmac: {
    value: nested(authHmac),
    since: '2.4.0',
    help: 'signed adverts',
  },
  timer_expired_backup: {
    value: optional(integer(1, 255), 255),
    moot: 'a master of any priority that was late by more than its peers wait withdraws before it speaks',
    since: '2.2.8',
    synonyms: ['thread_timer_expired'],
    help: 'become BACKUP after a stall longer than the peers wait; a number: only up to this priority',
    example: '150',
  },
  v3_checksum_as_v2: {
    value: flag,
    since: '2.2.8',
    help: 'VRRPv3 checksums over IPv4 leave the pseudo header out; default: as in global_defs',
  },
  old_unicast_checksum: {
    value: optional<'always' | 'never'>(choice(['never']), 'always'),
    help: 'unicast checksums as keepalived before 1.3.7 made them; never: not even when a peer does',
  },
  accept: { value: mark, help: 'a master that does not own the addresses takes packets to them (the default)' },
  no_accept: {
    value: mark,
    help: 'a master that does not own the addresses drops packets to them',
  },
  owner_ignore_adverts: {
    value: flag,
    since: '2.3.3',
    help: 'as owner of the addresses, do not listen to adverts of others; default: vrrp_owner_ignore_adverts',
  },
  fast_handover: { value: flag, extension: true, help: 'vrrp_fast_handover for this instance' },
  resign_when_outranked: {
    value: RESIGN_MEMORY,
    extension: true,
    help: 'vrrp_resign_when_outranked for this instance',
    example: '3600',
  },
  promote_secondaries: { value: mark, help: 'let a secondary address take the place of a removed primary one' },
  ...notActed({
    vrf: { value: interfaceName, help: 'VRF that the interface belongs to' },
    garp_extra_if: {
      value: extraInterval,
      lenient: true,
      synonyms: ['vmac_garp_intvl'],
      help: 'repeat announcements on the interfaces of macvlans, or on all others',
      example: 'all 60',
    },
  } as const satisfies Rows),
  kernel_rx_buf_size: {
    value: integer(1, 2_147_483_647),
    lenient: true,
    moot: 'the engine sets the size of its buffers itself',
    help: 'bytes of the receive buffer',
  },
  linkbeat_use_polling: {
    value: mark,
    moot: 'the kernel tells of links; nobody polls',
    help: 'ask the driver for the state of the link',
  },
  lvs_sync_daemon_interface: {
    value: interfaceName,
    acted: false,
    balancing: true,
    help: 'interface on which other machines are told of connections',
  },
} as const satisfies Rows;

export const vrrpInstance: Block<typeof rows> = {
  name: 'vrrp_instance',
  help: 'one virtual router and its addresses',
  rows,
};
