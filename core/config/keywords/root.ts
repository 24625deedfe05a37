// The top level of the file: which blocks there are.
import type { Field } from '../fields.ts';
import type { PluginLine } from '../language.ts';
import { globalDefs } from './global-defs.ts';
import { lifeRows } from './global-notify.ts';
import { processRows } from './global-process.ts';
import { delayLine, garpGroup, linkbeatLine, trackGroup } from './interfaces.ts';
import { notifierBlock, notifierField } from './notifier.ts';
import { rootPlaceRows } from './places.ts';
import { routeLine, ruleLine } from './routes.ts';
import { type Block, type BlockField, balancing, headed, list, named, pieces, type Rows } from './row.ts';
import { bfdInstance, trackFile, trackProcess } from './trackers.ts';
import { addressLine } from './virtual-address.ts';
import { groupLine, ssl, virtualServer } from './virtual-server.ts';
import { checkField, vrrpCheck } from './vrrp-check.ts';
import { vrrpInstance } from './vrrp-instance.ts';
import { vrrpScript } from './vrrp-script.ts';
import { vrrpSyncGroup } from './vrrp-sync-group.ts';

/** A list of lines with a name after the keyword, which nobody asks for yet. */
function namedList<T>(line: Field<T>): BlockField<readonly T[]> {
  const inner = list(line);
  return {
    ...inner,
    synopsis: `NAME ${inner.synopsis}`,
    read: (args) => (args.need('a name') === undefined ? undefined : inner.read(args)),
  };
}

/** The language says what may stand there; see core/config/language.ts. */
const nothingLoaded: Field<readonly PluginLine[]> = {
  kind: 'block',
  synopsis: 'NAME|PATH [{ … }]',
  read: () => undefined,
};

const rows = {
  global_defs: { value: pieces(globalDefs), repeat: 'join', help: globalDefs.help },
  vrrp_script: {
    value: named(vrrpScript),
    repeat: 'join',
    help: vrrpScript.help,
    example: 'script "/usr/local/bin/check-web"\ninterval 2\nweight -20\nfall 3',
  },
  vrrp_check: {
    value: checkField([]),
    repeat: 'join',
    extension: true,
    help: vrrpCheck([]).help,
    example: 'tcp {\n    host 127.0.0.1\n    port 443\n}\ninterval 0.5\nfall 2',
  },
  notifier: {
    value: notifierField([]),
    repeat: 'join',
    extension: true,
    help: notifierBlock([]).help,
    example:
      'webhook {\n    url https://hooks.example.org/vip\n    secret file:/etc/vipkeeper/hook.key\n}\nevents transition fenced',
  },
  load_plugin: {
    value: nothingLoaded,
    repeat: 'join',
    extension: true,
    help: 'a plugin of somebody else: an ES module by path or by the name of its package, with its settings',
  },
  vrrp_instance: {
    value: named(vrrpInstance, 'W017'),
    repeat: 'join',
    help: vrrpInstance.help,
    example:
      'state BACKUP\ninterface eth0\nvirtual_router_id 7\npriority 150\nvirtual_ipaddress {\n    192.0.2.10/24\n}',
  },
  vrrp_sync_group: {
    value: named(vrrpSyncGroup),
    repeat: 'join',
    help: vrrpSyncGroup.help,
    example: 'group {\n    VI_1\n    VI_2\n}',
  },
  track_file: {
    value: named(trackFile),
    repeat: 'join',
    synonyms: ['vrrp_track_file'],
    help: trackFile.help,
    example: 'file /run/load\nweight -1',
  },
  vrrp_track_process: {
    value: named(trackProcess),
    repeat: 'join',
    help: trackProcess.help,
    example: 'process nginx\nweight -20',
  },
  bfd_instance: {
    value: named(bfdInstance),
    repeat: 'join',
    help: bfdInstance.help,
    example: 'neighbor_ip 192.0.2.1',
  },
  track_group: { value: named(trackGroup), repeat: 'join', help: trackGroup.help },
  garp_group: {
    value: pieces(garpGroup),
    repeat: 'join',
    help: garpGroup.help,
    example: 'garp_interval 0.01\ninterface eth0',
  },
  interface_up_down_delays: {
    value: list(delayLine),
    repeat: 'join',
    help: 'how many seconds a change of a link must last to count; without the second number it is the first',
    example: 'eth0 0.5 2',
  },
  linkbeat_interfaces: {
    value: list(linkbeatLine),
    repeat: 'join',
    moot: 'the kernel tells of links; nobody polls',
    help: 'interfaces whose driver is asked for the state of the link',
    example: 'eth0 ETHTOOL',
  },
  static_ipaddress: {
    value: list(addressLine, 'this address is left out'),
    repeat: 'join',
    help: 'addresses that are there while the agent runs',
    example: '192.0.2.1/24 dev eth0',
  },
  static_routes: {
    value: list(routeLine, 'this route is left out'),
    repeat: 'join',
    help: 'routes that are there while the agent runs',
    example: '198.51.100.0/24 via 192.0.2.1 dev eth0',
  },
  static_rules: {
    value: list(ruleLine, 'this rule is left out'),
    repeat: 'join',
    help: 'rules that are there while the agent runs',
    example: 'from 192.0.2.0/24 table 10 priority 100',
  },
  ...balancing({
    virtual_server: {
      value: headed(virtualServer, 'ADDRESS [PORT]|fwmark N|group NAME'),
      repeat: 'join',
      help: virtualServer.help,
    },
    virtual_server_group: {
      value: namedList(groupLine),
      repeat: 'join',
      help: 'addresses, ports and marks that are one virtual server',
      example: '192.0.2.10-20 80',
    },
    SSL: { value: pieces(ssl), repeat: 'join', help: ssl.help },
  } as const satisfies Rows),
  ...rootPlaceRows,
  include_check: lifeRows.include_check,
  random_seed: processRows.random_seed,
} as const satisfies Rows;

export const root: Block<typeof rows> = {
  name: 'root',
  help: 'the blocks of keepalived.conf',
  rows,
};
