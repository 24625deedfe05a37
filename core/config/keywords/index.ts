// The whole language as one tree of tables, and questions about it.
import type { Grammar } from '../parser.ts';
import { root } from './root.ts';
import { type Block, OPAQUE, opensOf, rowOf } from './row.ts';

export { BALANCING, root } from './root.ts';

/** Keywords inside blocks that are skipped whole: known, so that a stray one is told where it belongs. */
const INSIDE_SKIPPED: Readonly<Record<string, string>> = {
  virtual_server: `ip_family lb_algo lvs_sched lb_kind lvs_method hashed ops persistence_engine persistence_timeout
    persistence_granularity protocol ha_suspend virtualhost snmp_name alpha omega quorum hysteresis quorum_up
    quorum_down weight sorry_server sorry_server_inhibit sorry_server_lvs_method delay_loop retry delay_before_retry
    warmup connect_timeout inhibit_on_failure smtp_alert real_server nat_mask`,
  real_server: `uthreshold lthreshold notify_up notify_down TCP_CHECK HTTP_GET SSL_GET SMTP_CHECK DNS_CHECK MISC_CHECK
    BFD_CHECK UDP_CHECK PING_CHECK FILE_CHECK`,
  'a checker': `connect_ip connect_port bindto bind_port bind_if fwmark log_all_failures http_protocol fast_recovery
    nb_get_retry enable_sni sni_name tls_compliant url path digest status_code regex regex_no_match regex_options
    regex_min_offset regex_max_offset regex_stack helo_name host type name misc_path misc_timeout misc_dynamic payload
    require_reply min_reply_length max_reply_length`,
  SSL: 'password ca certificate key',
  vrrp_track_process: 'process param_match quorum quorum_max fork_delay terminate_delay delay full_command',
  track_file: 'file init_file',
  garp_group: 'garp_interval gna_interval interfaces',
  bfd_instance: `neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops
    multihop vrrp checker`,
  auth_hmac: 'key active_key anti_replay time_window mode',
};

/** Every keyword with the blocks in which it is known. */
const homes: ReadonlyMap<string, readonly string[]> = collectHomes();

function collectHomes(): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  const note = (keyword: string, block: string) => map.set(keyword, [...(map.get(keyword) ?? []), block]);
  const visit = (block: Block) => {
    for (const rows of [block.rows, block.unused ?? {}])
      for (const [name, row] of Object.entries(rows)) {
        const where = block.name === 'root' ? 'the top level' : block.name;
        for (const keyword of [name, ...(row.synonyms ?? [])]) note(keyword, where);
        const inner = opensOf(row);
        if (inner && inner !== OPAQUE && !inner.lines) visit(inner);
      }
  };
  visit(root);
  for (const [block, names] of Object.entries(INSIDE_SKIPPED))
    for (const name of names.trim().split(/\s+/)) note(name, block);
  return map;
}

/** The blocks in which a keyword is known, as people would say it. */
export const blocksWith = (keyword: string): readonly string[] => homes.get(keyword) ?? [];

/** Every keyword that is known anywhere. */
export const allKeywords = (): readonly string[] => [...homes.keys()];

export const grammar: Grammar<Block> = {
  root,
  opens: (parent, keyword) => (parent.lines ? undefined : opensOf(rowOf(parent, keyword)?.row)),
  isOpaque: (block) => block.opaque === true,
};
