// global_defs, second part: processes, scheduling, buffers, firewall and load balancing. keepalived runs a process
// for each of its parts; here one process does it all, so much of this has no meaning.
import { choice, type Field, flag, integer, mark, optional, text, wholeNumber, words } from '../fields.ts';
import { balancing, notActed, type Rows } from './row.ts';

const NO_PROCESS = 'there is no such process here';
const OWN_SCHEDULING = 'only the engine thread has real-time priority, and nothing is locked into memory';

/** Octal digits, or symbols of <sys/stat.h> joined by |. */
const umask: Field<number> = {
  kind: 'record',
  synopsis: '0OCTAL|S_IRUSR|S_IWUSR|…',
  read(args) {
    const word = args.need('an octal number or names of permission bits');
    if (!word) return undefined;
    const joined = [word, ...args.takeAll()].map(({ text }) => text).join('');
    if (/^\d/.test(joined)) {
      const n = /^[0-7]+$/.test(joined) ? Number.parseInt(joined, 8) : Number.NaN;
      return n <= 0o777
        ? n
        : args.refuse('W011', word, `umask ${joined} is not an octal number 0..0777`, { limit: '0..0777' });
    }
    let mask = 0;
    for (const name of joined.split('|')) {
      const bit = PERMISSIONS[name];
      if (bit === undefined)
        return args.refuse('W012', word, `umask: '${name}' is no permission bit`, {
          limit: Object.keys(PERMISSIONS).join('|'),
        });
      mask |= bit;
    }
    return mask;
  },
};
const PERMISSIONS: Readonly<Record<string, number>> = {
  S_IRWXU: 0o700,
  S_IRUSR: 0o400,
  S_IWUSR: 0o200,
  S_IXUSR: 0o100,
  S_IRWXG: 0o070,
  S_IRGRP: 0o040,
  S_IWGRP: 0o020,
  S_IXGRP: 0o010,
  S_IRWXO: 0o007,
  S_IROTH: 0o004,
  S_IWOTH: 0o002,
  S_IXOTH: 0o001,
};

/** `[allow_if_changes]` */
const dynamicInterfaces: Field<boolean | 'changes'> = {
  kind: 'choice',
  synopsis: '[allow_if_changes]',
  choices: ['allow_if_changes'],
  optional: true,
  read(args) {
    const word = args.take();
    if (word === undefined) return true;
    if (word.text === 'allow_if_changes') return 'changes';
    return args.refuse('W012', word, `dynamic_interfaces takes allow_if_changes or nothing, not '${word.text}'`, {
      limit: 'allow_if_changes',
    });
  },
};

/** Numbers of CPUs. */
const cpus: Field<readonly number[]> = {
  kind: 'record',
  synopsis: 'CPU …',
  read(args) {
    if (args.peek() === undefined) {
      args.need('numbers of CPUs');
      return undefined;
    }
    const numbers = args.takeAll().flatMap((word) => wholeNumber(args, word, 0, 4095) ?? []);
    return numbers.length > 0 ? numbers : undefined;
  },
};

/** What keepalived's other processes can be told. */
const nice = { value: integer(-20, 19), lenient: true, moot: NO_PROCESS, help: 'nice value' } as const;
const noSwap = { value: mark, moot: NO_PROCESS, help: 'lock the process into memory' } as const;
const realtime = { value: integer(1, 99), lenient: true, moot: NO_PROCESS, help: 'real-time priority' } as const;
const affinity = { value: cpus, lenient: true, moot: NO_PROCESS, help: 'CPUs to run on', example: '0 1' } as const;
const rttime = {
  value: integer(1, 4_294_967_295),
  default: '10000',
  moot: NO_PROCESS,
  help: 'microseconds of real-time work without a pause',
} as const;

export const processRows = {
  process_names: { value: mark, moot: 'there is one process', help: 'give each process a name of its own' },
  umask: { value: umask, default: '0177', help: 'permissions taken from named pipes that are made', example: '022' },
  random_seed: { value: integer(0, 4_294_967_295), help: 'makes _RANDOM repeat; acts on the lines behind it' },
  ...notActed({
    process_name: { value: text('name'), help: 'name of the process' },
    vrrp_process_name: { value: text('name'), help: 'name of the VRRP process' },
    use_symlink_paths: {
      value: flag,
      default: 'off',
      since: '2.3.0',
      help: 'call a script by the path that the file gives, not by where its links lead',
    },
    set_supplementary_groups: {
      value: flag,
      default: 'off',
      since: '2.4.4',
      help: 'run scripts with all groups of their user',
    },
    dynamic_interfaces: {
      value: dynamicInterfaces,
      default: 'off',
      help: 'interfaces may be missing at the start, come and go',
    },
    vrrp_cpu_affinity: { value: cpus, lenient: true, help: 'CPUs that VRRP runs on', example: '0 1' },
    vrrp_priority: { value: integer(-20, 19), lenient: true, help: 'nice value of VRRP' },
  } as const satisfies Rows),
  checker_process_name: { value: text('name'), moot: NO_PROCESS, help: 'name of the process that checks servers' },
  lvs_process_name: { value: text('name'), moot: NO_PROCESS, help: 'the same, as it was once called' },
  bfd_process_name: { value: text('name'), moot: NO_PROCESS, help: 'name of the BFD process' },
  vrrp_no_swap: { value: mark, moot: OWN_SCHEDULING, help: 'lock VRRP into memory' },
  vrrp_rlimit_rttime: {
    value: integer(1, 4_294_967_295),
    synonyms: ['vrrp_rlimit_rtime'],
    default: '10000',
    moot: OWN_SCHEDULING,
    help: 'microseconds of real-time work without a pause',
  },
  max_auto_priority: {
    value: optional(integer(-1, 99), 99),
    moot: OWN_SCHEDULING,
    help: 'highest real-time priority to reach by itself when timers are late; 0: none',
  },
  min_auto_priority_delay: {
    value: integer(1, 10_000_000),
    lenient: true,
    default: '1000000',
    moot: OWN_SCHEDULING,
    help: 'microseconds late that raise the real-time priority',
  },
  checker_priority: nice,
  checker_no_swap: noSwap,
  checker_rt_priority: realtime,
  checker_cpu_affinity: affinity,
  checker_rlimit_rttime: { ...rttime, synonyms: ['checker_rlimit_rtime'] },
  bfd_priority: nice,
  bfd_no_swap: noSwap,
  bfd_rt_priority: realtime,
  bfd_cpu_affinity: affinity,
  bfd_rlimit_rttime: { ...rttime, synonyms: ['bfd_rlimit_rtime'] },
} as const satisfies Rows;

const KERNEL_SIZE = 'the engine sets the size of its buffers itself';
const size = { value: integer(0, 2_147_483_647), lenient: true, moot: KERNEL_SIZE } as const;
const force = { value: flag, moot: KERNEL_SIZE } as const;

export const bufferRows = {
  vrrp_netlink_cmd_rcv_bufs: { ...size, help: 'receive buffer for answers of the kernel, in bytes' },
  vrrp_netlink_cmd_rcv_bufs_force: { ...force, help: 'the same beyond the limit of the system' },
  vrrp_netlink_monitor_rcv_bufs: { ...size, help: 'receive buffer for news of the kernel, in bytes' },
  vrrp_netlink_monitor_rcv_bufs_force: { ...force, help: 'the same beyond the limit of the system' },
  lvs_netlink_cmd_rcv_bufs: { ...size, help: 'receive buffer for answers of the kernel, in bytes' },
  lvs_netlink_cmd_rcv_bufs_force: { ...force, help: 'the same beyond the limit of the system' },
  lvs_netlink_monitor_rcv_bufs: { ...size, help: 'receive buffer for news of the kernel, in bytes' },
  lvs_netlink_monitor_rcv_bufs_force: { ...force, help: 'the same beyond the limit of the system' },
  process_monitor_rcv_bufs: { ...size, help: 'receive buffer for news of processes, in bytes' },
  process_monitor_rcv_bufs_force: { ...force, help: 'the same beyond the limit of the system' },
  vrrp_rx_bufs_policy: {
    value: words('MTU|ADVERT|BYTES'),
    lenient: true,
    moot: KERNEL_SIZE,
    help: 'what the receive buffer for adverts is reckoned from',
    example: 'ADVERT',
  },
  vrrp_rx_bufs_multiplier: {
    value: integer(1, 2_147_483_647),
    lenient: true,
    default: '3',
    moot: KERNEL_SIZE,
    help: 'how many adverts the receive buffer holds',
  },
} as const satisfies Rows;

/** `[TABLE]`: a word that nft(8) takes for a name. */
const nftablesTable: Field<readonly string[]> = {
  kind: 'record',
  synopsis: '[TABLE]',
  optional: true,
  read(args) {
    const word = args.take();
    if (word === undefined) return [];
    if (/^[A-Za-z][\w./-]{0,30}$/.test(word.text)) return [word.text];
    args.refuse('W012', word, `'${word.text}' is no name of an nftables table`, {
      limit: 'letters, digits and _ . / -, a letter first',
    });
    return undefined;
  },
};

/** `[NAME [NAME]]` */
const names = (synopsis: string) => words(synopsis, 0);

const BY_NFTABLES = 'no_accept is carried out with nftables';

export const firewallRows = {
  vrrp_iptables: {
    value: names('[IN-CHAIN [OUT-CHAIN]]'),
    moot: BY_NFTABLES,
    help: 'iptables chains for no_accept',
    example: 'INPUT OUTPUT',
  },
  vrrp_ipsets: { value: names('[SET …]'), moot: BY_NFTABLES, help: 'ipsets for no_accept', example: 'keepalived' },
  nftables: {
    value: nftablesTable,
    default: 'vipkeeper',
    help: 'nftables table for no_accept; it is made, and must not exist for anything else',
    example: 'keepalived',
  },
  nftables_priority: { value: integer(-2_147_483_648, 2_147_483_647), default: '-1', help: 'priority of its chains' },
  nftables_counters: { value: mark, help: 'count in its rules' },
  nftables_ifindex: {
    value: mark,
    moot: 'the rules name interfaces, so that they hold when one is made anew',
    help: 'interfaces by number in its rules',
  },
} as const satisfies Rows;

export const lvsRows = balancing({
  nftables_ipvs: {
    value: names('[TABLE]'),
    default: 'keepalived_ipvs',
    help: 'nftables table for marks',
    example: 'ipvs',
  },
  nftables_ipvs_priority: {
    value: integer(-2_147_483_648, 2_147_483_647),
    default: '-1',
    help: 'priority of its chains',
  },
  nftables_ipvs_start_fwmark: { value: integer(1, 4_294_967_295), default: '1000', help: 'first mark to use' },
  lvs_sync_daemon: {
    value: words('INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]'),
    lenient: true,
    help: 'tell other machines of connections',
    example: 'eth0 VI_1 id 51',
  },
  lvs_timeouts: {
    value: words('[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]'),
    lenient: true,
    help: 'how long idle connections are kept',
    example: 'tcp 7200 tcpfin 30 udp 300',
  },
  lvs_flush: { value: mark, help: 'remove all virtual servers at the start' },
  lvs_flush_on_stop: {
    value: optional(choice(['VS']), 'VS'),
    synonyms: ['lvs_flush_onstop'],
    help: 'remove all virtual servers at the end; VS: only our own',
  },
  checker_log_all_failures: { value: flag, default: 'off', help: 'log every failure, not only the last one' },
} as const satisfies Rows);
