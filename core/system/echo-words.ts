// What people read when an echo request fails, whoever sent it. Pure.
import type { IcmpError } from '../net/icmp.ts';
import type { EchoResult } from '../ports/check-network.ts';

/** Random bytes that open every payload: who has not seen the request cannot answer it. */
export const NONCE = 16;

export const WORDS: Readonly<Record<IcmpError, string>> = {
  'no-route': 'a router says that there is no route to it',
  'host-unreachable': 'a router says that the host is unreachable',
  prohibited: 'a firewall says that it is forbidden',
  'too-big': 'a router says that the packet is too big',
  'time-exceeded': 'the TTL ended on the way',
  'protocol-unreachable': 'the host says that it takes no echo requests',
  parameter: 'a router does not understand the packet',
};

const ERRORS: Readonly<Record<string, string>> = {
  EPERM: 'this machine forbids it; a firewall, or CAP_NET_RAW is missing',
  EACCES: 'it is a broadcast address',
  ENETUNREACH: 'this machine has no route to it',
  EHOSTUNREACH: 'this machine cannot reach it',
  EMSGSIZE: 'the packet is too big for the interface',
  EADDRNOTAVAIL: 'this machine does not have the address of source',
  ENETDOWN: 'the interface is down',
  ENODEV: 'there is no such interface',
  ENXIO: 'there is no such interface',
};

/** @param code name of an errno */
export const wordsOf = (code: string): string => ERRORS[code] ?? code;
export const failed = (why: string): EchoResult => ({ ok: false, why });
