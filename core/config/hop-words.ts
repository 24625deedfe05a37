// The options of a route that are about one next hop: gateway, interface, weight, encapsulation. Pure.
import { familyOf, type IpAddress, parseIp } from '../net/address.ts';
import type { Encapsulation, NextHop } from '../net/route.ts';
import type { Word } from './lexer.ts';
import type { OptionWords } from './option-words.ts';
import type { RouteNames } from './route-names.ts';

/** A next hop while its words are read. */
export type Hop = { -readonly [K in keyof NextHop]: NextHop[K] } & {
  /** The word that began it. */
  word: Word;
  /** Begun by `nexthop`: realms belong to it, and a weight is allowed. */
  separate: boolean;
};

export const hopOf = (word: Word, separate: boolean): Hop => ({ word, separate, weight: 1, onlink: false });

/** The words that `hopOption` knows. */
export const HOP_OPTIONS: readonly string[] = ['via', 'gw', 'dev', 'oif', 'weight', 'onlink', 'encap'];

/** Reads one of HOP_OPTIONS with its value. */
export function hopOption(words: OptionWords, word: Word, hop: Hop, names: RouteNames): void {
  switch (word.text) {
    case 'via':
    case 'gw': {
      const said = words.takes('inet', 'inet6');
      const value = words.value(word);
      const gateway = parseIp(value.text);
      if (gateway === undefined) {
        words.refuse('W012', value, `'${value.text}' is not an IP address`);
        return;
      }
      if (said !== undefined && (said.text === 'inet6') !== (familyOf(gateway) === 6))
        words.refuse('W012', value, `${value.text} is not an address of ${said.text}`);
      if (hop.gateway !== undefined)
        words.refuse('W012', word, `there is a gateway already, ${hop.gateway}`, undefined, 'write nexthop for each');
      hop.gateway = gateway;
      return;
    }
    case 'dev':
    case 'oif':
      hop.device = words.device(word);
      return;
    case 'weight':
      if (!hop.separate) words.refuse('W012', word, 'weight belongs to a nexthop');
      hop.weight = words.number(word, 1, 256);
      return;
    case 'onlink':
      hop.onlink = true;
      return;
    case 'encap':
      hop.encapsulation = encapsulationOf(words, word, names);
      return;
  }
}

function encapsulationOf(words: OptionWords, word: Word, names: RouteNames): Encapsulation {
  const type = words.value(word);
  switch (type.text) {
    case 'mpls':
      return mpls(words, type);
    case 'ila':
      return { type: 'ila', locator: locatorOf(words, type) };
    case 'ip':
    case 'ip6':
      return tunnel(words, type.text, names);
  }
  return words.refuse('W012', type, `encap '${type.text}' is not one of mpls, ip, ip6, ila`, 'mpls|ip|ip6|ila');
}

/** Labels 0..15 are reserved (RFC 3032); the kernel judges them. */
const LAST_LABEL = 0xfffff;
/** MAX_NEW_LABELS of net/mpls. */
const MOST_LABELS = 30;

function mpls(words: OptionWords, type: Word): Encapsulation {
  const value = words.value(type);
  const texts = value.text.split('/');
  if (texts.length > MOST_LABELS) words.refuse('W011', value, `more than ${MOST_LABELS} labels`, `1..${MOST_LABELS}`);
  const labels = texts.map((text) => words.numberOf({ ...value, text }, 'label', 0, LAST_LABEL));
  const ttl = words.takes('ttl');
  return { type: 'mpls', labels, ttl: ttl ? words.number(ttl, 1, 255) : 0 };
}

/** Four groups of hexadecimal digits. */
function locatorOf(words: OptionWords, type: Word): readonly number[] {
  const value = words.value(type);
  const groups = value.text.split(':');
  if (groups.length !== 4 || groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group)))
    words.refuse('W012', value, `'${value.text}' is not a locator`, 'four groups as 0:0:0:1');
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

const IP_WORDS = ['id', 'src', 'dst', 'tos', 'ttl', 'flags'];
const IP6_WORDS = ['id', 'src', 'dst', 'tc', 'hoplimit', 'flags'];

function tunnel(words: OptionWords, type: 'ip' | 'ip6', names: RouteNames): Encapsulation {
  const family = type === 'ip' ? 4 : 6;
  let id: string | undefined;
  let source: IpAddress | undefined;
  let destination: IpAddress | undefined;
  let tos: number | undefined;
  let ttl: number | undefined;
  let flags: number | undefined;
  const address = (option: Word): IpAddress => {
    const value = words.value(option);
    const parsed = parseIp(value.text);
    if (parsed === undefined || familyOf(parsed) !== family)
      return words.refuse('W012', value, `'${value.text}' is not an IPv${family} address`);
    return parsed;
  };
  // Each option once: what comes again belongs to the route itself.
  const left = new Set(type === 'ip' ? IP_WORDS : IP6_WORDS);
  for (let word = words.takes(...left); word !== undefined; word = words.takes(...left)) {
    left.delete(word.text);
    if (word.text === 'id') id = tunnelKey(words, word);
    else if (word.text === 'src') source = address(word);
    else if (word.text === 'dst') destination = address(word);
    else if (word.text === 'tos' || word.text === 'tc') tos = words.named(word, names.dsfields, 0, 255, 'rt_dsfield');
    else if (word.text === 'flags') flags = words.number(word, 0, 0xffff);
    else ttl = words.number(word, 0, 255);
  }
  return { type, id, source, destination, tos, ttl, flags };
}

/** 64 bits, as decimal text. */
export function tunnelKey(words: OptionWords, option: Word): string {
  const value = words.value(option);
  if (!/^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(value.text) || BigInt(value.text) > 0xffffffffffffffffn)
    return words.refuse('W012', value, `${option.text} '${value.text}' is not a number of 64 bits`);
  return BigInt(value.text).toString();
}
