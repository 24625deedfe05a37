// From the words of `ip rule` as keepalived takes them to a Rule. Pure.
import type { NumberRange, Rule, RuleAction } from '../net/route.ts';
import { ROUTE_PROTOCOL_VRRP, TABLE_MAIN } from '../net/route.ts';
import type { Report } from './diagnostics.ts';
import type { Arguments } from './fields.ts';
import { tunnelKey } from './hop-words.ts';
import type { Word } from './lexer.ts';
import { OptionWords, Refused } from './option-words.ts';
import type { RouteNames } from './route-names.ts';

export interface ReadRule {
  readonly rule: Rule;
  readonly noTrack: boolean;
  readonly group: string | undefined;
}

type Draft = { -readonly [K in keyof Omit<Rule, 'family' | 'preference' | 'action'>]: Rule[K] } & {
  first: Word;
  preference: { readonly word: Word; readonly value: number } | undefined;
  action: RuleAction | undefined;
  protocolWord: Word | undefined;
  noTrack: boolean;
  group: string | undefined;
};

type Option = (words: OptionWords, word: Word, draft: Draft, names: RouteNames) => void;

/** What people write most; others by number. */
const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['icmpv6', 58],
  ['ipv6-icmp', 58],
  ['ospf', 89],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
  ['udplite', 136],
]);

function act(words: OptionWords, word: Word, draft: Draft, action: RuleAction): void {
  if (draft.action !== undefined) words.refuse('W012', word, 'the rule says what to do already');
  draft.action = action;
}

const ACTIONS = ['nop', 'blackhole', 'unreachable', 'prohibit'] as const;
const action =
  (type: (typeof ACTIONS)[number]): Option =>
  (words, word, draft) =>
    act(words, word, draft, { type });

/** `FIRST-LAST`, or one number. */
function range(words: OptionWords, option: Word, max: number): NumberRange {
  const value = words.value(option);
  const parts = value.text.split('-');
  if (parts.length > 2)
    return words.refuse('W012', value, `${option.text} '${value.text}' is not FIRST-LAST`, 'FIRST-LAST');
  const [first, last = first] = parts.map((text) => words.numberOf({ ...value, text }, option.text, 0, max));
  if (first! > last!) words.refuse('W011', value, `${option.text} ${value.text} ends before it begins`);
  return { first: first!, last: last! };
}

const OPTIONS: Readonly<Record<string, Option>> = {
  not: (_, __, draft) => {
    draft.not = true;
  },
  from: (words, word, draft) => {
    const network = words.network(words.value(word));
    if (network) draft.from = network;
  },
  to: (words, word, draft) => {
    const network = words.network(words.value(word));
    if (network) draft.to = network;
  },
  tos: (words, word, draft, { dsfields }) => {
    draft.tos = words.tos(word, dsfields);
  },
  fwmark: (words, word, draft) => {
    const value = words.value(word);
    const [mark, mask, ...more] = value.text.split('/');
    if (more.length > 0) words.refuse('W012', value, `fwmark '${value.text}' is not MARK[/MASK]`, 'MARK[/MASK]');
    const part = (text: string) => words.numberOf({ ...value, text }, 'fwmark', 0, 0xffffffff);
    draft.mark = { value: part(mark!), mask: mask === undefined ? undefined : part(mask) };
  },
  iif: (words, word, draft) => {
    draft.input = words.device(word);
  },
  oif: (words, word, draft) => {
    draft.output = words.device(word);
  },
  uidrange: (words, word, draft) => {
    draft.users = range(words, word, 0xfffffffe);
  },
  sport: (words, word, draft) => {
    draft.sourcePorts = range(words, word, 65_535);
  },
  dport: (words, word, draft) => {
    draft.destinationPorts = range(words, word, 65_535);
  },
  ipproto: (words, word, draft) => {
    const value = words.value(word);
    draft.ipProtocol = words.namedOf(
      { ...value, text: value.text.toLowerCase() },
      'ipproto',
      IP_PROTOCOLS,
      1,
      255,
      'protocols',
    );
  },
  suppress_prefixlength: (words, word, draft) => {
    draft.suppressPrefix = words.number(word, 0, 128);
  },
  suppress_ifgroup: (words, word, draft, { groups }) => {
    draft.suppressGroup = words.named(word, groups, 0, 0x7fffffff, 'group');
  },
  priority: (words, word, draft) => {
    draft.preference = { word, value: words.number(word, 0, 0xffffffff) };
  },
  table: (words, word, draft, { tables }) =>
    act(words, word, draft, { type: 'table', table: words.named(word, tables, 1, 0xffffffff, 'rt_tables') }),
  l3mdev: (words, word, draft) => act(words, word, draft, { type: 'l3mdev' }),
  goto: (words, word, draft) =>
    act(words, word, draft, { type: 'goto', preference: words.number(word, 0, 0xffffffff) }),
  realms: (words, word, draft, { realms }) => {
    draft.realms = words.realms(word, realms);
  },
  tun_id: (words, word, draft) => {
    draft.tunnel = tunnelKey(words, word);
  },
  protocol: (words, word, draft, { protocols }) => {
    draft.protocolWord = word;
    draft.protocol = words.named(word, protocols, 1, 255, 'rt_protos');
  },
  type: (words, word, draft) => {
    const value = words.value(word);
    const type = ACTIONS.find((text) => text === value.text);
    if (type === undefined) words.refuse('W012', value, `'${value.text}' is no type of rule`, ACTIONS.join('|'));
    act(words, word, draft, { type: type! });
  },
  ...Object.fromEntries(ACTIONS.map((type) => [type, action(type)])),
  inet: (words, word) => words.settle(4, word),
  inet6: (words, word) => words.settle(6, word),
  no_track: (_, __, draft) => {
    draft.noTrack = true;
  },
  track_group: (words, word, draft) => {
    draft.group = words.value(word).text;
  },
};

const SYNONYMS: Readonly<Record<string, string>> = {
  src: 'from',
  dst: 'to',
  dsfield: 'tos',
  dev: 'iif',
  ip_proto: 'ipproto',
  sup_pl: 'suppress_prefixlength',
  suppress_prefixlen: 'suppress_prefixlength',
  sup_group: 'suppress_ifgroup',
  preference: 'priority',
  pref: 'priority',
  order: 'priority',
  lookup: 'table',
  proto: 'protocol',
};

export const RULE_OPTIONS: readonly string[] = [...Object.keys(OPTIONS), ...Object.keys(SYNONYMS)];

/** Reads one line; undefined after it was refused and reported. */
export function readRule(args: Arguments, names: RouteNames): ReadRule | undefined {
  try {
    return read(new OptionWords(args, 'rule'), names);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function read(words: OptionWords, names: RouteNames): ReadRule {
  const draft: Draft = {
    first: words.args.peek()!,
    not: false,
    tos: 0,
    protocol: ROUTE_PROTOCOL_VRRP,
    preference: undefined,
    action: undefined,
    protocolWord: undefined,
    noTrack: false,
    group: undefined,
  };
  for (let word = words.args.take(); word !== undefined; word = words.args.take()) {
    const text = Object.hasOwn(SYNONYMS, word.text) ? SYNONYMS[word.text]! : word.text;
    if (!Object.hasOwn(OPTIONS, text)) words.unknown(word, RULE_OPTIONS);
    OPTIONS[text]!(words, word, draft, names);
  }
  return finish(words, draft);
}

function finish(words: OptionWords, draft: Draft): ReadRule {
  const { first, preference, action: said, protocolWord, noTrack, group, ...rest } = draft;
  const { report } = words.args;
  const family = words.family ?? 4;
  const wanted: RuleAction = said ?? { type: 'table', table: TABLE_MAIN };
  if (wanted.type !== 'table' && (rest.suppressPrefix !== undefined || rest.suppressGroup !== undefined))
    words.refuse('W012', first, 'suppress_… needs a table');
  if (protocolWord !== undefined && rest.protocol !== ROUTE_PROTOCOL_VRRP && !noTrack) {
    report.add('W040', protocolWord.place, 'a rule that is watched has protocol keepalived (18)', {
      value: protocolWord.text,
      suggestion: 'write no_track to keep another protocol',
    });
    rest.protocol = ROUTE_PROTOCOL_VRRP;
  }
  const number = preference?.value ?? nextPreference(report, family);
  if (wanted.type === 'goto' && wanted.preference <= number)
    words.refuse('W011', preference?.word ?? first, `goto ${wanted.preference} leads backwards from ${number}`);
  if (preference === undefined)
    report.add('W040', first.place, `the rule has no priority; ${number} is used`, {
      suggestion: 'write priority N: rules are asked in that order',
    });
  return { rule: { family, ...rest, preference: number, action: wanted }, noTrack, group };
}

/** keepalived counts down from here, for each family. */
const FIRST_PREFERENCE = 16_384;
const given = new WeakMap<Report, Map<number, number>>();

function nextPreference(report: Report, family: number): number {
  const counts = given.get(report) ?? new Map<number, number>();
  given.set(report, counts);
  const count = counts.get(family) ?? 0;
  counts.set(family, count + 1);
  return Math.max(1, FIRST_PREFERENCE - count);
}
