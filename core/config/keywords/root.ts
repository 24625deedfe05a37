// The top level of the file: which blocks there are.
import { globalDefs } from './global-defs.ts';
import {
  type Block,
  type BlockField,
  named,
  type Rows,
  readBlock,
  unread,
  unreadBlock,
  unused,
  type Values,
} from './row.ts';
import { vrrpInstance } from './vrrp-instance.ts';
import { vrrpScript } from './vrrp-script.ts';
import { vrrpSyncGroup } from './vrrp-sync-group.ts';

/** global_defs may come in several pieces: an array of one, to be joined. */
const globals: BlockField<readonly Values<typeof globalDefs.rows>[]> = {
  kind: 'block',
  synopsis: '{ … }',
  opens: globalDefs,
  read: (args) => [readBlock(globalDefs, args.statement.block ?? [], args.reading)],
};

const NO_BALANCING = 'load balancing (IPVS) is not done here';
const OTHER_NAMESPACE = 'addresses are set in the namespace that the agent was started in';

const rows = {
  global_defs: { value: globals, repeat: 'join', help: globalDefs.help },
  vrrp_script: { value: named(vrrpScript), repeat: 'join', help: vrrpScript.help },
  vrrp_instance: { value: named(vrrpInstance, 'W017'), repeat: 'join', help: vrrpInstance.help },
  vrrp_sync_group: { value: named(vrrpSyncGroup), repeat: 'join', help: vrrpSyncGroup.help },
  virtual_server: { value: unreadBlock, acted: false, help: NO_BALANCING },
  virtual_server_group: { value: unreadBlock, acted: false, help: NO_BALANCING },
  SSL: { value: unreadBlock, acted: false, help: NO_BALANCING },
  net_namespace: { value: unread, acted: false, instead: OTHER_NAMESPACE, help: 'network namespace to run in' },
  static_ipaddress: {
    value: unreadBlock,
    acted: false,
    instead: 'these addresses are not set',
    help: 'addresses that are always there',
  },
  static_routes: {
    value: unreadBlock,
    acted: false,
    instead: 'these routes are not set',
    help: 'routes that are always there',
  },
  static_rules: {
    value: unreadBlock,
    acted: false,
    instead: 'these rules are not set',
    help: 'rules that are always there',
  },
} as const satisfies Rows;

export const root: Block<typeof rows> = {
  name: 'root',
  help: 'the blocks of keepalived.conf',
  rows,
  unused: unused(
    'top level',
    `net_namespace_ipvs namespace_with_ipsets instance use_pid_dir child_wait_time linkbeat_use_polling
     linkbeat_interfaces{} track_group{} track_file{} vrrp_track_file{} vrrp_track_process{} garp_group{}
     interface_up_down_delays{} bfd_instance{} include_check random_seed`,
  ),
};

/** Keywords whose blocks balance load; all of them together are one warning. */
export const BALANCING: readonly string[] = ['virtual_server', 'virtual_server_group', 'SSL'];
