// global_defs: what holds for the whole agent, and defaults of the instances.
import { address, choice, type Field, flag, integer, interfaceName, mark, seconds, text, userOf } from '../fields.ts';
import type { ScriptUser } from '../model.ts';
import { type Block, type Rows, unused } from './row.ts';

/** `USER [[:]GROUP]` */
export const scriptUser: Field<ScriptUser> = {
  kind: 'record',
  synopsis: 'USER [[:]GROUP]',
  read(args) {
    const user = args.need('a user name');
    return user && userOf([user.text, ...(args.peek() ? [args.take()!.text] : [])]);
  },
};

/** Seconds between announcements; 0 is what keepalived's own default file says, so it means: none. */
const GARP_DELAY = seconds(0, 4294);
const REPEAT = integer(0, 4_294_967_295);

const rows = {
  router_id: { value: text('name'), default: 'the host name', help: 'name of this machine in logs and mail' },
  script_user: { value: scriptUser, help: 'user that scripts run as, unless they name one' },
  enable_script_security: { value: mark, default: 'off', help: 'do not run scripts as root that others could change' },
  default_interface: { value: interfaceName, default: 'eth0', help: 'interface of instances that name none' },
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
    default: '1 where the system allows it',
    since: '2.0',
    help: 'real-time priority (SCHED_RR) of the engine thread; 0: ordinary scheduling',
  },
  vrrp_strict: {
    value: flag,
    default: 'off',
    help: 'follow the RFC to the letter: no passwords, no answer to lower priorities',
  },
  vrrp_address_lifetime: {
    value: flag,
    default: 'on',
    extension: true,
    help: 'give addresses a kernel lifetime, so that none outlives the agent',
  },
  vrrp_stop_order: {
    value: choice(['make_before_break', 'break_before_make']),
    default: 'make_before_break',
    extension: true,
    help: 'keep the addresses on stop until the successor is heard, or drop them at once as keepalived',
  },
  process_names: { value: mark, help: 'accepted' },
} as const satisfies Rows;

export const globalDefs: Block<typeof rows> = {
  name: 'global_defs',
  help: 'what holds for the whole agent, and defaults of the instances',
  rows,
  unused: {
    ...unused(
      'mail',
      `notification_email{} notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert
       smtp_alert_vrrp smtp_alert_checker no_email_faults no_checker_emails`,
    ),
    ...unused(
      'start and stop',
      'startup_script startup_script_timeout shutdown_script shutdown_script_timeout child_wait_time',
    ),
    ...unused(
      'process',
      `process_name vrrp_process_name checker_process_name lvs_process_name bfd_process_name umask random_seed
       use_symlink_paths set_supplementary_groups instance use_pid_dir linkbeat_use_polling data_use_instance`,
    ),
    ...unused(
      'VRRP',
      `vrrp_owner_ignore_adverts v3_checksum_as_v2 log_unknown_vrids disable_local_igmp dynamic_interfaces
       vrrp_startup_delay vrrp_delay_after_boot vrrp_garp_interval vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if
       vrrp_vmac_garp_intvl vrrp_iptables vrrp_ipsets namespace_with_ipsets nftables nftables_priority nftables_counters
       nftables_ifindex nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark vmac_prefix vmac_addr_prefix`,
    ),
    ...unused(
      'notify',
      `notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script lvs_notify_fifo lvs_notify_fifo_script
       vrrp_notify_priority_changes fifo_write_vrrp_states_on_reload rs_init_notifies`,
    ),
    ...unused(
      'scheduling',
      `max_auto_priority min_auto_priority_delay vrrp_priority vrrp_no_swap vrrp_cpu_affinity vrrp_rlimit_rttime
       vrrp_rlimit_rtime checker_priority checker_no_swap checker_rt_priority checker_cpu_affinity checker_rlimit_rttime
       checker_rlimit_rtime bfd_priority bfd_no_swap bfd_rt_priority bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime`,
    ),
    ...unused(
      'buffers',
      `vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
       vrrp_netlink_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force
       lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs
       process_monitor_rcv_bufs_force vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier`,
    ),
    ...unused(
      'reload and dumps',
      `reload_check_config reload_time_file reload_repeat reload_file config_save_dir include_check tmp_config_directory
       json_version state_dump_file stats_dump_file json_dump_file iproute_usr_dir iproute_etc_dir`,
    ),
    ...unused(
      'SNMP and D-Bus',
      `snmp_socket enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_checker enable_snmp_rfc
       enable_snmp_rfcv2 enable_snmp_rfcv3 snmp_vs_stats_update_interval snmp_rs_stats_update_interval enable_dbus
       dbus_service_name dbus_no_interface_name`,
    ),
    ...unused(
      'load balancing',
      'lvs_sync_daemon lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop checker_log_all_failures',
    ),
    ...unused('namespaces', 'net_namespace net_namespace_ipvs'),
  },
};
