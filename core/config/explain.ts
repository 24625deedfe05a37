// The effective configuration with the source of each value: a line of the file, a line of global_defs, or a default.
// Walks the tables of the language, so a new keyword explains itself; only what the builders settle is listed here. Pure.
import { parseIp } from '../net/address.ts';
import type { Micros } from '../units.ts';
import { type Place, redact } from './diagnostics.ts';
import { root } from './keywords/index.ts';
import { type Block, type Keyword, opensOf } from './keywords/row.ts';
import type { Configuration, GlobalDefs, InstanceConfig, ScriptConfig, SyncGroupConfig } from './model.ts';
import { blocksOf, decisive, type Outline, statementsOf } from './outline.ts';
import { placeOfStatement, type Statement } from './parser.ts';

export interface ExplainedValue {
  /** As in the file; inner blocks as `virtual_ipaddress`, one value a line. */
  readonly keyword: string;
  readonly value: string;
  readonly origin: 'file' | 'global_defs' | 'default' | 'changed';
  /** Where the value was given, or the one that it replaces. */
  readonly place?: Place;
  /** Why it is not what the file says, or where a default comes from. */
  readonly note?: string;
}

export interface ExplainedBlock {
  readonly keyword: string;
  readonly name?: string;
  readonly place?: Place;
  readonly values: readonly ExplainedValue[];
}

/** What the builders made of a keyword, and the keywords of global_defs that stand behind it. */
interface Settled<T> {
  readonly effective: (built: T, globals: GlobalDefs) => string | undefined;
  readonly global?: readonly string[];
  /** The keyword whose value is the default. */
  readonly follows?: string;
}

/** What is behind the settings of an instance. */
interface Globals {
  readonly defs: GlobalDefs;
  readonly blocks: readonly Statement[];
}

const seconds = (time: Micros): string => `${time / 1_000_000}`;
const onOff = (value: boolean): string => (value ? 'on' : 'off');

const INSTANCE: Readonly<Record<string, Settled<InstanceConfig>>> = {
  state: { effective: ({ initialState }) => initialState },
  interface: { effective: (one) => one.interface, global: ['default_interface'] },
  virtual_router_id: { effective: ({ vrid }) => `${vrid}` },
  priority: { effective: ({ priority }) => `${priority}` },
  version: { effective: ({ version }) => `${version}`, global: ['vrrp_version'] },
  advert_int: { effective: ({ interval }) => seconds(interval) },
  nopreempt: { effective: ({ preempt }) => (preempt ? undefined : '') },
  preempt_delay: { effective: ({ preemptDelay }) => seconds(preemptDelay) },
  down_timer_adverts: { effective: (one) => `${one.downTimerAdverts}`, global: ['vrrp_down_timer_adverts'] },
  unicast_src_ip: { effective: ({ transport }) => (transport.mode === 'unicast' ? transport.source : undefined) },
  unicast_ttl: { effective: ({ transport }) => (transport.mode === 'unicast' ? `${transport.ttl}` : undefined) },
  mcast_src_ip: { effective: ({ transport }) => (transport.mode === 'multicast' ? transport.source : undefined) },
  mcast_dst_ip: {
    effective: ({ transport }) => (transport.mode === 'multicast' ? transport.group : undefined),
    global: ['vrrp_mcast_group4', 'vrrp_mcast_group6'],
  },
  check_unicast_src: {
    effective: (one) => (one.transport.mode === 'unicast' ? onOff(one.checkUnicastSource) : undefined),
    global: ['vrrp_check_unicast_src'],
  },
  garp_master_delay: { effective: ({ announce }) => seconds(announce.masterDelay), global: ['vrrp_garp_master_delay'] },
  garp_master_repeat: { effective: ({ announce }) => `${announce.masterRepeat}`, global: ['vrrp_garp_master_repeat'] },
  garp_master_refresh: { effective: ({ announce }) => seconds(announce.refresh), global: ['vrrp_garp_master_refresh'] },
  garp_master_refresh_repeat: {
    effective: ({ announce }) => `${announce.refreshRepeat}`,
    global: ['vrrp_garp_master_refresh_repeat'],
  },
  garp_lower_prio_delay: {
    effective: ({ announce }) => seconds(announce.lowerPrioDelay),
    global: ['vrrp_garp_lower_prio_delay'],
    follows: 'garp_master_delay',
  },
  garp_lower_prio_repeat: {
    effective: ({ announce }) => `${announce.lowerPrioRepeat}`,
    global: ['vrrp_garp_lower_prio_repeat'],
    follows: 'garp_master_repeat',
  },
  lower_prio_no_advert: { effective: (one) => onOff(!one.answerLowerPriority), global: ['vrrp_lower_prio_no_advert'] },
  higher_prio_send_advert: {
    effective: (one) => onOff(one.advertiseBeforeYielding),
    global: ['vrrp_higher_prio_send_advert'],
  },
  vrrp_stop_order: {
    effective: (one) => (one.makeBeforeBreak ? 'make_before_break' : 'break_before_make'),
    global: ['vrrp_stop_order'],
  },
  strict_mode: { effective: ({ strict }) => onOff(strict === true), global: ['vrrp_strict'] },
  v3_checksum_as_v2: {
    effective: (one) =>
      one.version === 3 && one.family === 4 ? onOff(one.checksumWithoutPseudoHeader === true) : undefined,
    global: ['v3_checksum_as_v2'],
  },
  owner_ignore_adverts: {
    effective: (one) => (one.priority === 255 ? onOff(one.ownerIgnoresAdverts === true) : undefined),
    global: ['vrrp_owner_ignore_adverts'],
  },
  smtp_alert: {
    effective: ({ notify }, { mail }) => onOff(notify.smtpAlert ?? mail?.alertVrrp ?? false),
    global: ['smtp_alert_vrrp', 'smtp_alert'],
  },
  notify_priority_changes: {
    effective: ({ notify }, { notifyPriorityChanges }) =>
      onOff(notify.priorityChanges ?? notifyPriorityChanges ?? false),
    global: ['vrrp_notify_priority_changes'],
  },
  authentication: {
    effective: ({ authentication: { type } }) => (type === 'none' ? 'none' : `auth_type ${type} auth_pass ********`),
  },
};

const SCRIPT: Readonly<Record<string, Settled<ScriptConfig>>> = {
  interval: { effective: ({ interval }) => seconds(interval) },
  timeout: { effective: ({ timeout }) => seconds(timeout), follows: 'interval' },
  weight: { effective: ({ weight, reverse }) => `${weight}${reverse ? ' reverse' : ''}` },
  rise: { effective: ({ rise }) => `${rise}` },
  fall: { effective: ({ fall }) => `${fall}` },
};

/** Everything that holds, block by block: global_defs first, then in the order of the file. */
export function explain(configuration: Configuration, outline: Outline): readonly ExplainedBlock[] {
  const globals = blocksOf(outline, 'global_defs');
  const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
    new Map(list.map((one) => [one.name, one]));
  const instances = byName(configuration.instances);
  const scripts = byName(configuration.scripts);
  const groups = byName(configuration.groups);
  const values = (
    opener: string,
    block: Statement | undefined,
    settled: Record<string, Settled<never>>,
    built: unknown,
  ) =>
    explainBlock(blockOf(opener), block ? [block] : [], settled as Record<string, Settled<unknown>>, built, {
      defs: configuration.globals,
      blocks: globals,
    });
  return [
    {
      keyword: 'global_defs',
      ...(globals[0] && { place: placeOfStatement(globals[0]) }),
      values: explainBlock(
        blockOf('global_defs'),
        globals,
        { router_id: { effective: () => configuration.globals.routerId } },
        configuration.globals,
        { defs: configuration.globals, blocks: [] },
      ),
    },
    ...outline.statements.flatMap((statement): ExplainedBlock[] => {
      const [word, named] = statement.words;
      const keyword = word!.text;
      if (keyword === 'global_defs' || !statement.block) return [];
      const name = named?.text;
      const base = { keyword, place: placeOfStatement(statement), ...(name !== undefined && { name }) };
      const first = name === undefined || blocksOf(outline, keyword, name)[0] === statement;
      if (!first) return [];
      if (keyword === 'vrrp_instance') {
        const built = instances.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, INSTANCE, built) }] : [];
      }
      if (keyword === 'vrrp_script') {
        const built = scripts.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, SCRIPT, built) }] : [];
      }
      if (keyword === 'vrrp_sync_group') {
        const built = groups.get(name ?? '');
        return built ? [{ ...base, values: values(keyword, statement, {}, built) }] : [];
      }
      const block = blockOf(keyword);
      if ((root.rows as Readonly<Record<string, Keyword>>)[keyword]?.balancing) return [];
      return block.opaque ? [] : [{ ...base, values: values(keyword, statement, {}, undefined) }];
    }),
  ];
}

const blockOf = (keyword: string): Block =>
  opensOf((root.rows as Readonly<Record<string, Keyword>>)[keyword]) ?? {
    name: keyword,
    help: '',
    rows: {},
    opaque: true,
  };

function explainBlock(
  block: Block,
  statements: readonly Statement[],
  settled: Readonly<Record<string, Settled<unknown>>>,
  built: unknown,
  globals: Globals,
): readonly ExplainedValue[] {
  const inside = statements.flatMap((statement) => statement.block ?? []);
  if (block.lines) return lineValues(statements);
  return Object.entries(block.rows).flatMap(([keyword, row]) => {
    const given = statementsOf(inside, block, keyword);
    const last = decisive(given, row);
    const rule = settled[keyword];
    if (rule) return settledValue(keyword, rule, last, built, globals);
    if (last === undefined)
      return row.default === undefined || withoutEffect(row) !== undefined
        ? []
        : [{ keyword, value: row.default, origin: 'default' as const }];
    const counted = row.repeat === 'join' ? given : [last];
    const without = withoutEffect(row);
    const note = without === undefined ? {} : { note: without };
    if (counted.some((statement) => statement.block !== undefined))
      return lineValues(counted).map((value) => markLost({ ...value, ...note }, built));
    return counted.map((statement) => ({ ...fromFile(keyword, statement), ...note }));
  });
}

function settledValue(
  keyword: string,
  rule: Settled<unknown>,
  statement: Statement | undefined,
  built: unknown,
  globals: Globals,
): readonly ExplainedValue[] {
  const value = rule.effective(built, globals.defs);
  if (statement) {
    const place = (statement.words[1] ?? statement.words[0]!).place;
    const said = wordsOf(statement);
    if (value === undefined) return [{ keyword, value: said, origin: 'changed', place, note: 'without effect' }];
    const same = statement.block !== undefined || sameValue(said, value);
    return [
      same
        ? { keyword, value, origin: 'file', place }
        : { keyword, value, origin: 'changed', place, note: `the file says ${said}` },
    ];
  }
  if (value === undefined || (keyword === 'authentication' && value === 'none')) return [];
  const candidates = globals.blocks
    .flatMap((one) => one.block ?? [])
    .filter(({ words }) => rule.global?.includes(words[0]!.text));
  const global = candidates.findLast((one) => sameValue(wordsOf(one), value)) ?? candidates.at(-1);
  if (global)
    return [{ keyword, value, origin: 'global_defs', place: placeOfStatement(global), note: global.words[0]!.text }];
  return [{ keyword, value, origin: 'default', ...(rule.follows !== undefined && { note: `as ${rule.follows}` }) }];
}

/** Whether a text of the file says what holds: the same word, the same number, or a flag by another name. */
const sameValue = (said: string, value: string): boolean =>
  said === value ||
  (said !== '' && Number(said) === Number(value)) ||
  (value === 'on' && ['', 'true', 'yes'].includes(said)) ||
  (value === 'off' && ['false', 'no'].includes(said));

/** Why a keyword that was read does nothing. */
function withoutEffect({ acted, moot, balancing }: Keyword): string | undefined {
  if (balancing) return 'load balancing is not done';
  if (moot !== undefined) return 'without meaning here';
  return acted === false ? 'not acted on yet' : undefined;
}

/** Addresses, peers, trackers and members that the builders kept, as texts; undefined: nothing is known of the keyword. */
function keptOf(keyword: string, built: unknown): ReadonlySet<string> | undefined {
  const one = (built ?? {}) as Partial<InstanceConfig & SyncGroupConfig>;
  const names = (items: readonly { readonly name: string }[] = []) => items.map(({ name }) => name);
  switch (keyword) {
    case 'virtual_ipaddress':
    case 'virtual_ipaddress_excluded':
      return new Set([...(one.vips ?? []), ...(one.excludedVips ?? [])].map(({ address }) => address));
    case 'unicast_peer':
      return new Set(one.transport?.mode === 'unicast' ? one.transport.peers.map(({ address }) => address) : []);
    case 'track_script':
      return new Set(names(one.trackScripts));
    case 'track_interface':
      // The instance's own is tracked without being listed.
      return new Set([...names(one.trackInterfaces), ...(one.interface === undefined ? [] : [one.interface])]);
    case 'track_file':
      return new Set(names(one.trackFiles));
    case 'track_process':
      return new Set(names(one.trackProcesses));
    case 'track_bfd':
      return new Set(names(one.trackBfds));
    case 'group':
      return new Set(one.members);
  }
  return undefined;
}

/** A value that no builder kept is told as such; a line of several names only when none of them was. */
function markLost(value: ExplainedValue, built: unknown): ExplainedValue {
  const kept = built === undefined ? undefined : keptOf(value.keyword, built);
  if (kept === undefined) return value;
  const isKept = value.value.split(' ').some((word) => kept.has(parseIp(word.split('/')[0]!) ?? word));
  return isKept ? value : { ...value, origin: 'changed', note: 'left out' };
}

const wordsOf = ({ words }: Statement): string =>
  words
    .slice(1)
    .map(({ text }) => (/\s/.test(text) ? `"${text}"` : text))
    .join(' ');

const fromFile = (keyword: string, statement: Statement): ExplainedValue => ({
  keyword,
  value: shown(statement).replace(/^\S+\s*/, ''),
  origin: 'file',
  place: (statement.words[1] ?? statement.words[0]!).place,
});

/** The words of a statement as one line, secrets hidden. */
const shown = (statement: Statement): string => redact(`${statement.words[0]!.text} ${wordsOf(statement)}`).trimEnd();

/** The lines of a block, each a value of the keyword that opens it; blocks in blocks with a path of keywords. */
function lineValues(statements: readonly Statement[], path = ''): readonly ExplainedValue[] {
  return statements.flatMap((statement) => {
    const keyword = path + statement.words[0]!.text;
    return (statement.block ?? []).flatMap((line): readonly ExplainedValue[] =>
      line.block === undefined
        ? [{ keyword, value: shown(line), origin: 'file', place: line.words[0]!.place }]
        : lineValues([line], `${keyword} › `),
    );
  });
}

/** As people read it: like the file, with the source of each value in a comment. */
export function renderExplanation(
  blocks: readonly ExplainedBlock[],
  file: string,
  faint: (text: string) => string = (text) => text,
): string {
  const out: string[] = [];
  for (const { keyword, name, place, values } of blocks) {
    const head = [keyword, name, '{'].filter((word) => word !== undefined).join(' ');
    out.push(place ? `${head}  ${faint(`# ${where(place, file)}`)}` : `${head}  ${faint('# defaults alone')}`);
    const rows = values.map((value) => ({ text: `    ${value.keyword} ${value.value}`.trimEnd(), value }));
    const width = Math.min(56, Math.max(0, ...rows.map(({ text }) => text.length)));
    for (const { text, value } of rows) out.push(`${text.padEnd(width)}  ${faint(`# ${originOf(value, file)}`)}`);
    out.push('}', '');
  }
  return out.join('\n');
}

function originOf({ origin, place, note }: ExplainedValue, file: string): string {
  const line = place ? where(place, file) : '';
  switch (origin) {
    case 'default':
      return note === undefined ? 'default' : `default: ${note}`;
    case 'global_defs':
      return `${note} in ${line}`;
    case 'file':
      return note === undefined ? line : `${line}: ${note}`;
    case 'changed':
      return `${line}: ${note}`;
  }
}

const where = (place: Place, file: string): string =>
  place.file === file ? `line ${place.line}` : `${place.file}:${place.line}`;
