// One line of virtual_ipaddress: an address and what the kernel is to know of it.
import { type Family, familyOf, formatIp, type IpAddress, ipBytes } from '../../net/address.ts';
import type { Place } from '../diagnostics.ts';
import { type Arguments, addressOf, addressWithPrefix, type Field, interfaceOf } from '../fields.ts';

/** An address as the file says it, before the instance's interface and family are known. */
export interface AddressLine {
  readonly address: IpAddress;
  readonly family: Family;
  readonly prefix: number;
  readonly device?: string;
  readonly label?: string;
  readonly scope?: number;
  readonly broadcast?: IpAddress;
  readonly peer?: IpAddress;
  readonly noPrefixRoute?: boolean;
  readonly noDad?: boolean;
  readonly noTrack?: boolean;
  /** use_vmac: on a macvlan with the MAC address of the virtual router. */
  readonly virtualMac?: boolean;
  /** Static addresses only: the track_group that they belong to. */
  readonly group?: string;
  readonly place: Place;
}

/** rt_scope numbers of linux/rtnetlink.h by the names of iproute2. */
const SCOPES: Readonly<Record<string, number>> = {
  global: 0,
  universe: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
};

/** Longest address label: IFNAMSIZ less its end. */
const LABEL_BYTES = 15;

type Writable = { -readonly [K in keyof AddressLine]: AddressLine[K] };
/** @returns false when the whole address must go */
type Option = (args: Arguments, into: Writable) => boolean;

const done =
  (action: (into: Writable) => void): Option =>
  (_, into) => {
    action(into);
    return true;
  };
/** Takes and ignores one argument. */
const skipOne: Option = (args) => {
  args.take();
  return true;
};

/** Words after the address. An address with a bad device or label is left out, as keepalived does. */
const OPTIONS: Readonly<Record<string, Option>> = {
  dev: (args, into) => {
    const word = args.need('an interface name after dev');
    const device = word && interfaceOf(args, word);
    if (device !== undefined) into.device = device;
    return device !== undefined;
  },
  label: (args, into) => {
    const word = args.need('a name after label');
    if (!word) return false;
    if (new TextEncoder().encode(word.text).length > LABEL_BYTES) {
      args.refuse('W011', word, `label '${word.text}' is longer than ${LABEL_BYTES} bytes`, {
        limit: `${LABEL_BYTES} bytes`,
      });
      return false;
    }
    into.label = word.text;
    return true;
  },
  scope: (args, into) => {
    const word = args.need('a scope');
    if (!word) return false;
    const scope = Object.hasOwn(SCOPES, word.text)
      ? SCOPES[word.text]
      : /^\d{1,3}$/.test(word.text)
        ? Number(word.text)
        : undefined;
    if (scope === undefined || scope > 255) {
      args.report.add(
        'W012',
        word.place,
        `scope '${word.text}' is not one of global, site, link, host; global is used`,
        {
          value: word.text,
          limit: 'global|site|link|host|0..255',
        },
      );
    } else into.scope = scope;
    return true;
  },
  brd: (args, into) => {
    const word = args.need('an address, + or -');
    if (!word) return false;
    if (into.family === 6) args.report.add('W013', word.place, 'IPv6 has no broadcast addresses; brd is ignored');
    else if (word.text === '+' || word.text === '-')
      into.broadcast = hostBits(into.address, into.prefix, word.text === '+');
    else {
      const value = addressOf(args, word, 4);
      if (value === undefined) return false;
      into.broadcast = value;
    }
    return true;
  },
  peer: (args, into) => {
    const word = args.need('an address');
    const value = word && addressWithPrefix(args, word);
    if (value === undefined) return false;
    into.peer = value.address;
    if (word?.text.includes('/')) into.prefix = value.prefix;
    return true;
  },
  noprefixroute: done((into) => {
    into.noPrefixRoute = true;
  }),
  '-nodad': done((into) => {
    into.noDad = true;
  }),
  no_track: done((into) => {
    into.noTrack = true;
  }),
  home: done(() => {}),
  mngtmpaddr: done(() => {}),
  autojoin: done(() => {}),
  use_vmac: done((into) => {
    into.virtualMac = true;
  }),
  preferred_lft: skipOne,
  track_group: (args, into) => {
    const word = args.need('the name of a track_group');
    if (word) into.group = word.text;
    return word !== undefined;
  },
};
const SYNONYMS: Readonly<Record<string, string>> = { broadcast: 'brd', nodad: '-nodad' };

/** `ADDRESS[/PREFIX] [dev IF] [label NAME] [scope S] [brd A|+|-] …` */
export const addressLine: Field<AddressLine> = {
  kind: 'record',
  synopsis:
    'ADDRESS[/PREFIX] [dev IF] [label NAME] [scope global|site|link|host] [brd ADDRESS|+|-] [peer ADDRESS] [noprefixroute] [-nodad] [no_track] [use_vmac]',
  read(args) {
    const first = args.take()!;
    const base = addressWithPrefix(args, first);
    if (base === undefined) return undefined;
    const line: Writable = { ...base, family: familyOf(base.address), place: first.place };
    let whole = true;
    for (let word = args.take(); word !== undefined && whole; word = args.take()) {
      const name = SYNONYMS[word.text] ?? word.text;
      const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
      if (option === undefined)
        args.report.add('W013', word.place, `'${word.text}' is no option of an address; it is ignored`, {
          value: word.text,
          suggestion: /^[\d.]+(\/\d+)?$|^[\da-f:]+(\/\d+)?$/i.test(word.text) ? 'write one address a line' : undefined,
        });
      else whole = option(args, line);
    }
    return whole ? line : undefined;
  },
};

/** The address with all host bits one or zero: the two conventions for broadcast addresses. */
function hostBits(address: IpAddress, prefix: number, ones: boolean): IpAddress {
  const bytes = ipBytes(address).map((byte, i) => {
    const mask = 0xff >> Math.min(8, Math.max(0, prefix - 8 * i));
    return ones ? byte | mask : byte & ~mask;
  });
  return formatIp(bytes, 0, 4);
}
