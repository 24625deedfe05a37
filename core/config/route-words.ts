// From the words of `ip route` as keepalived takes them to a Route: positions, limits and families are checked here, so that
// the engine gets what the kernel can take. Options of the whole route; those of a next hop are in hop-words.ts. Pure.
import { type Family, familyOf, formatIp, ipBytes } from '../net/address.ts';
import {
  type MetricSetting,
  ROUTE_PROTOCOL_VRRP,
  ROUTE_TYPES,
  type Route,
  type RouteMetric,
  type RouteMode,
  type RouteType,
  TABLE_LOCAL,
  TABLE_MAIN,
} from '../net/route.ts';
import type { Arguments } from './fields.ts';
import { HOP_OPTIONS, type Hop, hopOf, hopOption } from './hop-words.ts';
import type { Word } from './lexer.ts';
import { type Network, OptionWords, Refused } from './option-words.ts';
import type { RouteNames } from './route-names.ts';

/** A route as the file says it, with keepalived's own two words. */
export interface ReadRoute {
  readonly route: Route;
  readonly noTrack: boolean;
  readonly group: string | undefined;
}

/** What is collected until the line ends. */
interface Draft {
  first: Word;
  type: RouteType;
  destination: Word | undefined;
  network: Network | undefined;
  from: Network | undefined;
  table: number | undefined;
  protocol: { readonly word: Word; readonly value: number } | undefined;
  scope: number | undefined;
  tos: number;
  metric: number | undefined;
  source: Route['preferredSource'];
  readonly hops: Hop[];
  /** The hop that the options are about; undefined: none was begun. */
  hop: Hop | undefined;
  readonly metrics: MetricSetting[];
  realms: number | undefined;
  onlySix: Word | undefined;
  expires: number | undefined;
  preference: Route['preference'];
  ttlPropagate: boolean | undefined;
  nextHopId: number | undefined;
  mode: RouteMode;
  noTrack: boolean;
  group: string | undefined;
}

type Option = (words: OptionWords, word: Word, draft: Draft, names: RouteNames) => void;

const setDestination = (words: OptionWords, word: Word, draft: Draft): void => {
  if (draft.destination !== undefined)
    words.refuse('W012', word, `the route has a destination already, ${draft.destination.text}`);
  draft.destination = word;
  draft.network = words.network(word);
};

const OPTIONS: Readonly<Record<string, Option>> = {
  to: (words, word, draft) => setDestination(words, words.value(word), draft),
  from: (words, word, draft) => {
    draft.from = words.network(words.value(word));
    draft.onlySix ??= word;
  },
  src: (words, word, draft) => {
    draft.source = words.address(word);
  },
  table: (words, word, draft, { tables }) => {
    draft.table = words.named(word, tables, 1, 0xffffffff, 'rt_tables');
  },
  metric: (words, word, draft) => {
    draft.metric = words.number(word, 0, 0xffffffff);
  },
  scope: (words, word, draft, { scopes }) => {
    draft.scope = words.named(word, scopes, 0, 254, 'rt_scopes');
  },
  protocol: (words, word, draft, { protocols }) => {
    draft.protocol = { word, value: words.named(word, protocols, 1, 255, 'rt_protos') };
  },
  tos: (words, word, draft, { dsfields }) => {
    draft.tos = words.tos(word, dsfields);
  },
  nhid: (words, word, draft) => {
    draft.nextHopId = words.number(word, 1, 0xffffffff);
  },
  expires: (words, word, draft) => {
    draft.expires = words.number(word, 1, 0x7fffffff / 1000);
    draft.onlySix ??= word;
  },
  pref: (words, word, draft) => {
    const value = words.value(word);
    const known = (['low', 'medium', 'high'] as const).find((text) => text === value.text);
    draft.preference =
      known ?? words.refuse('W012', value, `pref '${value.text}' is not one of low, medium, high`, 'low|medium|high');
    draft.onlySix ??= word;
  },
  'ttl-propagate': (words, word, draft) => {
    const value = words.value(word);
    if (value.text !== 'enabled' && value.text !== 'disabled')
      words.refuse('W012', value, `ttl-propagate '${value.text}' is not enabled or disabled`, 'enabled|disabled');
    draft.ttlPropagate = value.text === 'enabled';
  },
  nexthop: (_, word, draft) => {
    draft.hop = hopOf(word, true);
    draft.hops.push(draft.hop);
  },
  or: (words, word, draft) => {
    if (draft.hops.length === 0) words.refuse('W012', word, 'or stands behind via ADDRESS');
    draft.hop = { ...hopOf(word, false), gateway: words.address(word) };
    draft.hops.push(draft.hop);
  },
  realms: (words, word, draft, { realms }) => {
    if (draft.hop?.separate) draft.hop.realms = words.realms(word, realms);
    else draft.realms = words.realms(word, realms);
  },
  inet: (words, word) => words.settle(4, word),
  inet6: (words, word) => words.settle(6, word),
  add: (_, __, draft) => {
    draft.mode = 'add';
  },
  append: (_, __, draft) => {
    draft.mode = 'append';
  },
  prepend: (_, __, draft) => {
    draft.mode = 'prepend';
  },
  no_track: (_, __, draft) => {
    draft.noTrack = true;
  },
  track_group: (words, word, draft) => {
    draft.group = words.value(word).text;
  },
  as: (words, word) => words.refuse('W012', word, 'as changes MPLS labels, and the route has none'),
  vrf: (words, word) => words.refuse('W012', word, 'vrf is not known here', undefined, 'write the table of the VRF'),
};

/** What the kernel reports and nobody sets. */
const REPORTED: readonly string[] = ['dead', 'linkdown', 'pervasive'];

const SYNONYMS: Readonly<Record<string, string>> = {
  dst: 'to',
  preference: 'metric',
  priority: 'metric',
  proto: 'protocol',
  dsfield: 'tos',
};

/** Milliseconds below which keepalived raises times of TCP (TCP_RTO_MIN). */
const SHORTEST_TIME = 200;

/** How a metric is read: its limits, or what the kernel counts a millisecond as. */
const METRICS: Readonly<Record<RouteMetric, { readonly max: number } | { readonly perMs: number } | 'name' | 'ecn'>> = {
  mtu: { max: 65_535 },
  window: { max: 0xffffffff },
  rtt: { perMs: 8 },
  rttvar: { perMs: 4 },
  ssthresh: { max: 0xffffffff },
  cwnd: { max: 0xffffffff },
  advmss: { max: 65_535 },
  reordering: { max: 0xffffffff },
  hoplimit: { max: 255 },
  initcwnd: { max: 0xffffffff },
  features: 'ecn',
  rto_min: { perMs: 1 },
  initrwnd: { max: 0xffffffff },
  quickack: { max: 1 },
  congctl: 'name',
  fastopen_no_cookie: { max: 1 },
};

const isMetric = (text: string): text is RouteMetric => Object.hasOwn(METRICS, text);

function readMetric(words: OptionWords, word: Word, metric: RouteMetric): MetricSetting {
  const lock = words.takes('lock') !== undefined;
  const kind = METRICS[metric];
  const value = words.value(word);
  if (kind === 'name') {
    // TCP_CA_NAME_MAX, its end included
    if (value.text.length > 15) words.refuse('W011', value, `${metric} '${value.text}' is too long`, '15 characters');
    return { metric, value: value.text, lock };
  }
  if (kind === 'ecn') {
    if (value.text !== 'ecn') words.refuse('W012', value, `feature '${value.text}' is not ecn`, 'ecn');
    return { metric, value: 1, lock };
  }
  if ('max' in kind) return { metric, value: words.numberOf(value, metric, 0, kind.max), lock };
  const match = /^(\d{1,7})(ms|s)?$/.exec(value.text);
  if (!match) words.refuse('W012', value, `${metric} '${value.text}' is not a time in milliseconds`);
  let ms = Number(match![1]) * (match![2] === 's' ? 1000 : 1);
  if (ms < SHORTEST_TIME) {
    words.args.report.add('W040', value.place, `${metric} ${value.text} is less than 200 ms; 200 is used`, {
      value: value.text,
      limit: '200 and more',
    });
    ms = SHORTEST_TIME;
  }
  // The kernel looks at the shortest retransmission time only where it is locked (tcp_rto_min).
  return { metric, value: ms * kind.perMs, lock: lock || metric === 'rto_min' };
}

/** Every word that may stand in a route. */
export const ROUTE_OPTIONS: readonly string[] = [
  ...Object.keys(OPTIONS),
  ...Object.keys(SYNONYMS),
  ...Object.keys(METRICS),
  ...HOP_OPTIONS,
  ...Object.keys(ROUTE_TYPES),
];

/** Reads one line; undefined after it was refused and reported. */
export function readRoute(args: Arguments, names: RouteNames): ReadRoute | undefined {
  try {
    return read(new OptionWords(args, 'route'), names);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function read(words: OptionWords, names: RouteNames): ReadRoute {
  const draft = draftOf(words.args.peek()!);
  for (let word = words.args.take(); word !== undefined; word = words.args.take()) {
    const text = Object.hasOwn(SYNONYMS, word.text) ? SYNONYMS[word.text]! : word.text;
    if (word.text === 'nat') words.refuse('W012', word, 'the kernel has no route of type nat any more');
    if (Object.hasOwn(ROUTE_TYPES, text) && draft.destination === undefined) draft.type = text as RouteType;
    else if (isMetric(text)) draft.metrics.push(readMetric(words, word, text));
    else if (Object.hasOwn(OPTIONS, text)) OPTIONS[text]!(words, word, draft, names);
    else if (HOP_OPTIONS.includes(text)) {
      hopOption(words, word, beginHop(draft, word), names);
    } else if (REPORTED.includes(text))
      words.args.report.add('W013', word.place, `${text} is what the kernel says of a route; it is ignored`, {
        value: text,
      });
    else if (draft.destination === undefined && /^(default|any|all|[\d.]+.*|[\da-f]*:.*)$/i.test(text))
      setDestination(words, word, draft);
    else words.unknown(word, ROUTE_OPTIONS);
  }
  return finish(words, draft);
}

/** The hop that the options are about, begun where there is none. */
function beginHop(draft: Draft, word: Word): Hop {
  if (draft.hop === undefined) {
    draft.hop = hopOf(word, false);
    draft.hops.push(draft.hop);
  }
  return draft.hop;
}

const draftOf = (first: Word): Draft => ({
  first,
  type: 'unicast',
  destination: undefined,
  network: undefined,
  from: undefined,
  table: undefined,
  protocol: undefined,
  scope: undefined,
  tos: 0,
  metric: undefined,
  source: undefined,
  hops: [],
  hop: undefined,
  metrics: [],
  realms: undefined,
  onlySix: undefined,
  expires: undefined,
  preference: undefined,
  ttlPropagate: undefined,
  nextHopId: undefined,
  mode: 'prepend',
  noTrack: false,
  group: undefined,
});

const DROPS: readonly RouteType[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];

/** What is missing, what contradicts itself, and what holds where nothing was said. */
function finish(words: OptionWords, draft: Draft): ReadRoute {
  const { destination, hops, type, first } = draft;
  if (destination === undefined) return words.refuse('W012', first, 'the route has no destination');
  const family = familyOfRoute(words, draft);
  if (family === 4 && draft.onlySix) words.refuse('W012', draft.onlySix, `${draft.onlySix.text} is for IPv6 only`);
  const max = family === 4 ? 32 : 128;
  const none = formatIp(new Uint8Array(max / 8), 0, family === 4 ? 4 : 16);
  const network = draft.network ?? { address: none, prefix: 0 };
  const cut = networkOf(network);
  if (cut !== network.address)
    words.refuse(
      'W011',
      destination,
      `${destination.text} has bits behind its length`,
      undefined,
      `write ${cut}/${network.prefix}`,
    );
  if (DROPS.includes(type) && hops[0])
    words.refuse('W012', hops[0].word, `a ${type} route leads nowhere, so ${hops[0].word.text} has no meaning`);
  if (!DROPS.includes(type) && hops.length === 0 && draft.nextHopId === undefined)
    words.refuse('W012', destination, 'the route leads nowhere', undefined, 'write via ADDRESS, dev INTERFACE or both');
  for (const hop of hops) {
    if (hop.gateway === undefined && hop.device === undefined)
      words.refuse('W012', hop.word, `${hop.word.text} needs via ADDRESS or dev INTERFACE`);
    if (hop.gateway !== undefined && family === 6 && familyOf(hop.gateway) === 4)
      words.refuse('W012', hop.word, `${hop.gateway} is IPv4 in a route of IPv6`);
  }
  return {
    route: {
      family,
      type,
      destination: network.address,
      prefix: network.prefix,
      ...(draft.from && { from: draft.from }),
      table: draft.table ?? (['local', 'broadcast', 'anycast'].includes(type) ? TABLE_LOCAL : TABLE_MAIN),
      protocol: protocolOf(words, draft),
      scope: draft.scope ?? scopeOf(type, family),
      tos: draft.tos,
      ...(draft.metric !== undefined && { metric: draft.metric }),
      ...(draft.source !== undefined && { preferredSource: draft.source }),
      hops: hops.map(({ word: _, separate: __, ...hop }) => hop),
      metrics: draft.metrics,
      ...(draft.realms !== undefined && { realms: draft.realms }),
      ...(draft.expires !== undefined && { expires: draft.expires }),
      ...(draft.preference !== undefined && { preference: draft.preference }),
      ...(draft.ttlPropagate !== undefined && { ttlPropagate: draft.ttlPropagate }),
      ...(draft.nextHopId !== undefined && { nextHopId: draft.nextHopId }),
      mode: draft.mode,
    },
    noTrack: draft.noTrack,
    group: draft.group,
  };
}

/** Destination and source decide; of `default` alone the gateway does, and then IPv4 (keepalived 2.2.7). */
function familyOfRoute({ family }: OptionWords, { hops }: Draft): Family {
  const gateway = hops.find((hop) => hop.gateway !== undefined)?.gateway;
  return family ?? (gateway === undefined ? 4 : familyOf(gateway));
}

/** iproute2 says link for a bare `dev`; keepalived says global, and so does this. */
function scopeOf(type: RouteType, family: Family): number {
  if (family === 6) return 0;
  if (type === 'local') return 254;
  return type === 'broadcast' || type === 'multicast' || type === 'anycast' ? 253 : 0;
}

/** A route that is watched is known by its protocol (as in keepalived). */
function protocolOf(words: OptionWords, { protocol, noTrack }: Draft): number {
  if (protocol === undefined || protocol.value === ROUTE_PROTOCOL_VRRP || noTrack)
    return protocol?.value ?? ROUTE_PROTOCOL_VRRP;
  words.args.report.add('W040', protocol.word.place, 'a route that is watched has protocol keepalived (18)', {
    value: protocol.word.text,
    suggestion: 'write no_track to keep another protocol',
  });
  return ROUTE_PROTOCOL_VRRP;
}

/** The address with its host bits zero. */
function networkOf({ address, prefix }: Network): string {
  const bytes = ipBytes(address).map((byte, i) => byte & ~(0xff >> Math.min(8, Math.max(0, prefix - 8 * i))));
  return formatIp(bytes, 0, bytes.length as 4 | 16);
}
