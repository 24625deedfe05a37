// The words after use_vmac and use_ipvlan: interfaces that are made for an instance.
import { type IpAddress, parseIp } from '../../net/address.ts';
import { type Arguments, type Field, interfaceOf, wholeNumber } from '../fields.ts';
import type { Word } from '../lexer.ts';

/** What stands after use_vmac. */
export interface VmacWords {
  readonly name?: string;
  readonly mac?: string;
  readonly group?: number;
}

const MAC = /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i;

/** The words that use_vmac and use_ipvlan share: `[name] NAME`, `group N`. @returns false when one was refused */
function readCommon(args: Arguments, word: Word, into: { name?: string; group?: number }): boolean {
  if (word.text === 'group') {
    const number = args.need('a number after group');
    const group = number && wholeNumber(args, number, 0, 4_294_967_295, 'group');
    if (group !== undefined) into.group = group;
    return group !== undefined;
  }
  const given = word.text === 'name' ? args.need('an interface name') : word;
  const name = given && interfaceOf(args, given);
  if (name !== undefined) into.name = name;
  return name !== undefined;
}

export const vmac: Field<VmacWords> = {
  kind: 'record',
  synopsis: '[[name] INTERFACE] [MAC] [netlink_notify_msg] [group N]',
  optional: true,
  read(args) {
    const into: { name?: string; mac?: string; group?: number } = {};
    for (let word = args.take(); word !== undefined; word = args.take()) {
      if (MAC.test(word.text)) into.mac = word.text.toLowerCase();
      else if (word.text !== 'netlink_notify_msg' && !readCommon(args, word, into)) return undefined;
    }
    return into;
  },
};

/** What stands after use_ipvlan. */
export interface IpvlanWords {
  readonly name?: string;
  readonly address?: IpAddress;
  readonly mode?: 'bridge' | 'private' | 'vepa';
  readonly group?: number;
}

export const ipvlan: Field<IpvlanWords> = {
  kind: 'record',
  synopsis: '[[name] INTERFACE] [ADDRESS[/PREFIX]] [bridge|private|vepa] [group N]',
  optional: true,
  read(args) {
    const into: { name?: string; address?: IpAddress; mode?: 'bridge' | 'private' | 'vepa'; group?: number } = {};
    for (let word = args.take(); word !== undefined; word = args.take()) {
      const address = parseIp(word.text.replace(/\/\d+$/, ''));
      if (address !== undefined) into.address = address;
      else if (word.text === 'bridge' || word.text === 'private' || word.text === 'vepa') into.mode = word.text;
      else if (!readCommon(args, word, into)) return undefined;
    }
    return into;
  },
};
