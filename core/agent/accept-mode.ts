// Accept_Mode of RFC 9568 §6.1: a master that does not own an address answers for it, and takes no packets to it. Rules are
// set before an address can be bound and stay until the end, so that no transition needs any. Where they cannot be set, the
// instance is held in FAULT: who asks for no_accept relies on nobody getting in.
import type { Configuration, InstanceConfig } from '../config/model.ts';
import type { Firewall } from '../ports/firewall.ts';
import { OWNER } from '../vrrp/priority.ts';
import type { Logger } from './log.ts';

const TABLE = 'vipkeeper';
/** As keepalived: just before ordinary filters. */
const PRIORITY = -1;

/** Whether a master of this instance drops packets to its addresses. */
const refuses = ({ accept, priority }: InstanceConfig): boolean => accept === false && priority !== OWNER;

export class AcceptMode {
  readonly #firewall: Firewall;
  readonly #logger: Logger;
  /** The table that is there. */
  #table: string | undefined;

  constructor(firewall: Firewall, logger: Logger) {
    this.#firewall = firewall;
    this.#logger = logger;
  }

  /** Makes the rules so; returns the configuration with a reason for FAULT where that failed. */
  configure(configuration: Configuration): Configuration {
    const concerned = configuration.instances.filter(refuses);
    const table = tableOf(configuration);
    if (this.#table !== undefined && (this.#table !== table || concerned.length === 0)) this.close();
    if (concerned.length === 0) return configuration;
    const why = this.#firewall.apply(acceptRules(configuration));
    if (why === undefined) {
      this.#table = table;
      return configuration;
    }
    const names = new Set(concerned.map(({ name }) => name));
    const effect = 'these instances stay in FAULT; write accept where packets to the addresses may be taken';
    this.#logger.log('error', 'no-accept', { instances: [...names].join(' '), why, effect });
    const blocked = `packets to its addresses cannot be refused: ${why}`;
    const instances = configuration.instances.map((each) => (names.has(each.name) ? { ...each, blocked } : each));
    return { ...configuration, instances };
  }

  /** Removes the rules. */
  close(): void {
    if (this.#table === undefined) return;
    const why = this.#firewall.apply(`add table inet ${this.#table}\ndelete table inet ${this.#table}\n`);
    if (why !== undefined) this.#logger.log('warning', 'rules-left', { table: this.#table, why });
    this.#table = undefined;
  }
}

/** The script for nft(8): the table is replaced as a whole, so that nothing of an earlier life is left in it. */
export function acceptRules(configuration: Configuration): string {
  const { priority = PRIORITY, counters = false } = configuration.globals.nftables ?? {};
  const vips = configuration.instances.filter(refuses).flatMap((each) => [...each.vips, ...each.excludedVips]);
  const local = vips.filter(({ address }) => address.startsWith('fe80:'));
  const rest = vips.filter(({ address }) => !address.startsWith('fe80:'));
  const set4 = elements(rest.filter(({ address }) => !address.includes(':')).map(({ address }) => address));
  const set6 = elements(rest.filter(({ address }) => address.includes(':')).map(({ address }) => address));
  const setLocal = elements(local.map(({ address, device }) => `${address} . "${device}"`));
  const drop = counters ? 'counter drop' : 'drop';
  const table = `table inet ${tableOf(configuration)}`;
  // NS and NA are never refused (RFC 9568 §6.4.3)
  return `add ${table}
delete ${table}
${table} {
  set refused4 { type ipv4_addr; ${set4} }
  set refused6 { type ipv6_addr; ${set6} }
  set refused_local { type ipv6_addr . ifname; ${setLocal} }
  chain input {
    type filter hook input priority ${priority}; policy accept;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    ip daddr @refused4 ${drop}
    ip6 daddr @refused6 ${drop}
    ip6 daddr . iifname @refused_local ${drop}
  }
}
`;
}

const elements = (list: readonly string[]): string =>
  list.length === 0 ? '' : `elements = { ${[...new Set(list)].join(', ')} };`;

/** Each agent of a network namespace needs a table of its own. */
function tableOf({ globals }: Configuration): string {
  const suffix = globals.instanceName === undefined ? '' : `_${globals.instanceName.replaceAll(/\W/g, '_')}`;
  return globals.nftables?.table ?? `${TABLE}${suffix}`;
}
