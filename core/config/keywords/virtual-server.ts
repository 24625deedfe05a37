// virtual_server and what belongs to it: load balancing in the kernel (IPVS). Nobody acts on it yet; it is read so that
// mistakes in it are found.
import { choice, command, type Field, flag, integer, mark, optional, seconds, text, words } from '../fields.ts';
import { checkerRows, retryRows } from './checkers.ts';
import { type Block, headed, type Rows } from './row.ts';

const method = choice(['NAT', 'DR', 'TUN']);
const METHOD: Field<readonly string[]> = {
  kind: 'record',
  synopsis: 'NAT|DR|TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]',
  read(args) {
    const first = method.read(args);
    return first && [first, ...args.takeAll().map((word) => word.text)];
  },
};
const METHOD_HELP = 'how packets reach a real server';
const WEIGHT = integer(0, 2_147_483_647);
const SERVER = 'ADDRESS [PORT]';

/** Rows that real servers inherit. */
const sharedRows = {
  ...retryRows,
  connect_timeout: { value: seconds(0.000001, 4294), default: '5', help: 'seconds that connecting may take' },
  inhibit_on_failure: { value: flag, default: 'off', help: 'a failed server keeps its place with weight 0' },
  smtp_alert: { value: flag, help: 'mail about changes; default: smtp_alert_checker' },
  virtualhost: { value: text('host'), lenient: true, help: 'name in the Host header of HTTP checks' },
  snmp_name: { value: text('name'), help: 'name in SNMP' },
} as const satisfies Rows;

const realServerRows: Rows = {
  ...sharedRows,
  weight: { value: WEIGHT, default: '1', help: 'share of the connections' },
  lvs_method: { value: METHOD, help: METHOD_HELP, example: 'TUN type gre' },
  uthreshold: { value: integer(0, 4_294_967_295), help: 'connections from which on it gets no new ones' },
  lthreshold: { value: integer(0, 4_294_967_295), help: 'connections below which it gets new ones again' },
  notify_up: { value: command(true), help: 'program to run when it comes up' },
  notify_down: { value: command(true), help: 'program to run when it goes down' },
  ...checkerRows,
};

export const realServer: Block = {
  name: 'real_server',
  help: 'a server behind a virtual one',
  rows: realServerRows,
};

const SCHEDULERS = 'rr|wrr|lc|wlc|lblc|lblcr|sh|mh|dh|fo|ovf|sed|nq|twos'.split('|');
const scheduler = choice(SCHEDULERS);
const SCHEDULER_HELP = 'how real servers are chosen';

const rows: Rows = {
  ...sharedRows,
  ip_family: { value: choice(['inet', 'inet6']), help: 'family of a virtual server by mark' },
  lb_algo: { value: scheduler, default: 'wlc', help: SCHEDULER_HELP },
  lvs_sched: { value: scheduler, default: 'wlc', help: SCHEDULER_HELP },
  hashed: { value: mark, help: 'the sh scheduler hashes the address, too' },
  ops: { value: mark, help: 'each UDP datagram is a connection of its own' },
  ...Object.fromEntries(
    ['flag-1', 'flag-2', 'flag-3', 'sh-port', 'sh-fallback', 'mh-port', 'mh-fallback'].map((name) => [
      name,
      { value: mark, help: 'flag of the scheduler' },
    ]),
  ),
  lb_kind: { value: METHOD, help: METHOD_HELP, example: 'DR' },
  lvs_method: { value: METHOD, help: METHOD_HELP, example: 'DR' },
  nat_mask: { value: text('mask'), moot: 'no version of keepalived has used it for long', help: 'without effect' },
  persistence_engine: { value: text('engine'), help: 'what makes two connections belong together' },
  persistence_timeout: {
    value: optional(integer(0, 2_678_400), 360),
    default: '360',
    help: 'seconds that a client stays with its real server; 0: it does not',
  },
  persistence_granularity: { value: text('mask'), help: 'clients of one network count as one' },
  protocol: { value: choice(['TCP', 'UDP', 'SCTP']), default: 'TCP', help: 'transport protocol' },
  ha_suspend: { value: mark, help: 'no checks while the address is not here' },
  omega: { value: flag, default: 'off', help: 'run quorum_down and notify_down at the end' },
  quorum: { value: integer(1, 4_294_967_295), default: '1', help: 'weight of living servers that is enough' },
  hysteresis: { value: integer(0, 4_294_967_295), default: '0', help: 'how far beyond the quorum it must go' },
  quorum_up: { value: command(true), help: 'program to run when the quorum is reached' },
  quorum_down: { value: command(true), help: 'program to run when the quorum is lost' },
  weight: { value: integer(1, 2_147_483_647), default: '1', help: 'weight of real servers that name none' },
  sorry_server: { value: words(SERVER), help: 'server of last resort', example: '192.0.2.30 80' },
  sorry_server_inhibit: { value: mark, help: 'inhibit_on_failure for the sorry_server' },
  sorry_server_lvs_method: { value: METHOD, help: 'lvs_method of the sorry_server', example: 'NAT' },
  real_server: { value: headed(realServer, SERVER), repeat: 'join', help: realServer.help },
};

export const virtualServer: Block = {
  name: 'virtual_server',
  help: 'an address and port whose connections are shared among real servers',
  rows,
};

/** One line of virtual_server_group. */
export const groupLine: Field<readonly string[]> = {
  kind: 'record',
  synopsis: 'ADDRESS[-RANGE] [PORT]|fwmark N',
  read: (args) => args.takeAll().map((word) => word.text),
};

const sslRows = {
  password: { value: text('password'), help: 'password of the key' },
  ca: { value: text('path'), help: 'file with certificates of authorities' },
  certificate: { value: text('path'), help: 'file with the certificate to show' },
  key: { value: text('path'), help: 'file with its key' },
} as const satisfies Rows;

export const ssl: Block<typeof sslRows> = { name: 'SSL', help: 'certificates for SSL_GET', rows: sslRows };
