// One line of virtual_routes, virtual_rules and their static kin: the words of iproute2 and a few of keepalived's own.
// Only the vocabulary is checked; the kernel judges the rest.
import type { Place } from '../diagnostics.ts';
import type { Arguments, Field } from '../fields.ts';

/** A route or rule as the file says it. */
export interface RouteWords {
  /** Without no_track and track_group. */
  readonly words: readonly string[];
  readonly noTrack: boolean;
  readonly group?: string;
  readonly place: Place;
}

/** How many words follow an option. */
type Options = Readonly<Record<string, number>>;

function options(...counted: readonly (readonly [count: number, names: string])[]): Options {
  return Object.fromEntries(counted.flatMap(([count, names]) => names.split(/\s+/).map((name) => [name, count])));
}

const ROUTE = options(
  [0, 'onlink append prepend add pervasive nexthop no_track dead linkdown'],
  [0, 'unicast local broadcast multicast throw unreachable prohibit blackhole nat'],
  [1, 'via gw dev oif table metric preference src from to scope protocol proto tos dsfield mtu advmss rtt rttvar'],
  [1, 'reordering window cwnd initcwnd initrwnd ssthresh realms rto_min hoplimit quickack congctl features pref'],
  [1, 'ttl-propagate fastopen_no_cookie expires weight or as nhid id dst ttl flags track_group'],
  [2, 'encap'],
);

const RULE = options(
  [0, 'not nop l3mdev no_track unreachable prohibit blackhole'],
  [1, 'from to src dst fwmark fwmask iif dev oif uidrange sport dport ipproto sup_pl suppress_prefixlength sup_group'],
  [
    1,
    'suppress_ifgroup preference priority pref order table lookup goto realms tos dsfield tun_id protocol track_group',
  ],
);

/** Words between an option and its value. */
const BETWEEN = ['lock', 'inet', 'inet6'];

function lineOf(kind: 'route' | 'rule', synopsis: string, known: Options): Field<RouteWords> {
  return {
    kind: 'record',
    synopsis,
    read(args: Arguments) {
      const first = args.peek()!;
      const words: string[] = [];
      let noTrack = false;
      let group: string | undefined;
      // The destination of a route stands first and bare.
      if (kind === 'route' && !Object.hasOwn(known, first.text)) words.push(args.take()!.text);
      let bare = kind === 'route' && words.length === 0;
      for (let word = args.take(); word !== undefined; word = args.take()) {
        const count = Object.hasOwn(known, word.text) ? known[word.text] : undefined;
        if (count === undefined) {
          // A type of route stands before the destination.
          if (bare) words.push(word.text);
          else
            args.report.add('W013', word.place, `'${word.text}' is no option of a ${kind}; it is ignored`, {
              value: word.text,
            });
          bare = false;
          continue;
        }
        const values: string[] = [];
        while (values.filter((value) => !BETWEEN.includes(value)).length < count) {
          const value = args.take();
          if (value === undefined) {
            args.report.add('W012', word.place, `${word.text} needs a value; this ${kind} is ignored`, {
              value: word.text,
            });
            return undefined;
          }
          values.push(value.text);
        }
        if (word.text === 'no_track') noTrack = true;
        else if (word.text === 'track_group') group = values[0];
        else words.push(word.text, ...values);
      }
      return { words, noTrack, place: first.place, ...(group !== undefined && { group }) };
    },
  };
}

/** `[TYPE] DESTINATION|default [via ADDRESS] [dev IF] …` */
export const routeLine = lineOf(
  'route',
  '[TYPE] NETWORK|default [via ADDRESS] [dev INTERFACE] [src ADDRESS] [table T] [metric N] … [no_track]',
  ROUTE,
);

/** `[from NETWORK] [to NETWORK] [fwmark M] … table T` */
export const ruleLine = lineOf(
  'rule',
  '[from NETWORK] [to NETWORK] [fwmark N] [iif INTERFACE] [priority N] … table T [no_track]',
  RULE,
);
