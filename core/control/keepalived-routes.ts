// Routes and rules as keepalived's dumps write them (observed with 2.2.7): its words, its order, numbers instead of names. Pure.
import { familyOf } from '../net/address.ts';
import { type NextHop, ROUTE_METRICS, type Route, type Rule, type RuleAction, TABLE_MAIN } from '../net/route.ts';
import type { RoutingEntry } from '../vip/virtual-route.ts';

export function routingText(entry: RoutingEntry): string {
  const words = 'route' in entry ? routeWords(entry.route) : ruleWords(entry.rule);
  return [...words, ...(entry.track ? [] : ['no_track'])].join(' ');
}

/** A word with its value, or nothing. */
const said = (word: string, value: number | string | undefined): readonly string[] =>
  value === undefined ? [] : [`${word} ${value}`];

function routeWords(route: Route): readonly string[] {
  const { hops, metrics } = route;
  const single = hops.length === 1 ? hops[0] : undefined;
  const weighted = hops.some(({ weight }) => weight !== 1);
  const byNumber = metrics.toSorted((a, b) => rank(a.metric) - rank(b.metric));
  return [
    route.mode,
    ...(route.type === 'unicast' ? [] : [route.type]),
    `${route.destination}/${route.prefix}`,
    ...said('from', route.from && `${route.from.address}/${route.from.prefix}`),
    ...said('src', route.preferredSource),
    ...(route.tos === 0 ? [] : [`tos ${route.tos}`]),
    ...(single ? hopWords(single, false) : []),
    ...(route.table === TABLE_MAIN ? [] : [`table ${route.table}`]),
    `proto ${route.protocol}`,
    ...(route.scope === 0 ? [] : [`scope ${route.scope}`]),
    ...said('metric', route.metric),
    ...said('realms', route.realms === undefined ? undefined : realmsText(route.realms)),
    ...byNumber.map(({ metric, value, lock }) => `${metric} ${lock ? 'lock ' : ''}${metricText(metric, value)}`),
    ...said('expires', route.expires === undefined ? undefined : `${route.expires}sec`),
    ...said('pref', route.preference),
    ...(hops.length > 1 ? hops.flatMap((hop) => ['nexthop', ...hopWords(hop, weighted)]) : []),
  ];
}

const hopWords = (hop: NextHop, weighted: boolean): readonly string[] => [
  ...said('via', hop.gateway && `inet${familyOf(hop.gateway) === 6 ? '6' : ''} ${hop.gateway}`),
  ...said('dev', hop.device),
  ...(weighted ? [`weight ${hop.weight}`] : []),
  ...(hop.onlink ? ['onlink'] : []),
  ...said('realms', hop.realms === undefined ? undefined : realmsText(hop.realms)),
  ...said('encap', hop.encapsulation?.type),
];

/** By the kernel's numbers, features first. */
const rank = (metric: keyof typeof ROUTE_METRICS): number => (metric === 'features' ? 0 : ROUTE_METRICS[metric]);

function metricText(metric: string, value: number | string): string {
  if (metric === 'features') return 'ecn';
  const parts = { rtt: 8, rttvar: 4, rto_min: 1 }[metric];
  return parts === undefined || typeof value === 'string' ? `${value}` : `${value / parts}ms`;
}

const realmsText = (realms: number): string => `${Math.floor(realms / 0x10000)}/${realms % 0x10000}`;

function ruleWords(rule: Rule): readonly string[] {
  const { mark, users, sourcePorts, destinationPorts } = rule;
  const range = (text: string, one: Rule['users']) => said(text, one && `${one.first}-${one.last}`);
  return [
    ...(rule.not ? ['not'] : []),
    rule.from ? `from ${rule.from.address}/${rule.from.prefix}` : 'from all',
    ...said('to', rule.to && `${rule.to.address}/${rule.to.prefix}`),
    `priority ${rule.preference}`,
    `tos 0x${rule.tos.toString(16)}`,
    ...said(
      'fwmark',
      mark && `0x${mark.value.toString(16)}${mark.mask === undefined ? '' : `/0x${mark.mask.toString(16)}`}`,
    ),
    ...said('iif', rule.input),
    ...said('oif', rule.output),
    ...said('suppress_prefixlen', rule.suppressPrefix),
    ...said('suppress_ifgroup', rule.suppressGroup),
    ...said('tunnel-id', rule.tunnel),
    ...range('uidrange', users),
    `protocol ${rule.protocol}`,
    ...said('ip_proto', rule.ipProtocol),
    ...range('sport', sourcePorts),
    ...range('dport', destinationPorts),
    ...said('realms', rule.realms === undefined ? undefined : realmsText(rule.realms)),
    actionText(rule.action),
  ];
}

function actionText(action: RuleAction): string {
  if (action.type === 'table') return `lookup ${action.table}`;
  if (action.type === 'goto') return `goto ${action.preference}`;
  return action.type === 'l3mdev' ? 'l3mdev' : `type ${action.type}`;
}
