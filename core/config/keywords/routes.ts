// One line of virtual_routes, virtual_rules and their static kin: the words of iproute2 and a few of keepalived's own.
// What the words mean is in route-words.ts and rule-words.ts.
import type { Arguments, Field } from '../fields.ts';
import type { RouteLine, RuleLine } from '../model.ts';
import { KNOWN_NAMES } from '../route-names.ts';
import { readRoute } from '../route-words.ts';
import { readRule } from '../rule-words.ts';

/** keepalived's own words, which are no part of a route. */
const OWN = ['no_track', 'track_group'];

/** The line as written, without keepalived's own words. */
function wordsOf(args: Arguments): readonly string[] {
  const texts = args.statement.words.map(({ text }) => text);
  return texts.filter((text, i) => !OWN.includes(text) && texts[i - 1] !== 'track_group');
}

const sharedOf = (args: Arguments, { noTrack, group }: { noTrack: boolean; group: string | undefined }) => ({
  words: wordsOf(args),
  track: !noTrack,
  ...(group !== undefined && { group }),
});

/** `[TYPE] DESTINATION|default [via ADDRESS] [dev IF] …` */
export const routeLine: Field<RouteLine> = {
  kind: 'record',
  synopsis: '[TYPE] NETWORK|default [via ADDRESS] [dev INTERFACE] [src ADDRESS] [table T] [metric N] … [no_track]',
  read(args) {
    const read = readRoute(args, args.reading.routeNames ?? KNOWN_NAMES);
    // A route with an end is meant to go.
    const noTrack = read?.noTrack || read?.route.expires !== undefined;
    return read && { ...sharedOf(args, { ...read, noTrack }), route: read.route };
  },
};

/** `[from NETWORK] [to NETWORK] [fwmark M] … table T` */
export const ruleLine: Field<RuleLine> = {
  kind: 'record',
  synopsis: '[from NETWORK] [to NETWORK] [fwmark N] [iif INTERFACE] [priority N] … table T [no_track]',
  read(args) {
    const read = readRule(args, args.reading.routeNames ?? KNOWN_NAMES);
    return read && { ...sharedOf(args, read), rule: read.rule };
  },
};
