// Between the words of `ip` and the messages of rtnetlink, so that everything above speaks to this transport as it
// speaks to the kernel. Links and addresses only. Runs nothing.
import { type MacAddress, macBytes, ip as parseIp } from '../../net/address.ts';
import {
  buildMessage,
  type NetlinkAttribute,
  NLM_F_REPLACE,
  readNetlinkHeader,
  setHost16,
  setHost32,
  u32,
} from '../../net/netlink.ts';
import {
  type AddressRecord,
  addAddressRequest,
  decodeAddress,
  deleteAddressRequest,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  RTM_DELLINK,
  RTM_NEWLINK,
} from '../../net/rtnetlink.ts';

/** One interface of `ip -j address`. */
export interface IpInterface {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly link_type: string;
  readonly address?: string;
  readonly addr_info: readonly IpAddressInfo[];
}

interface IpAddressInfo {
  readonly family: string;
  readonly local: string;
  readonly address?: string;
  readonly prefixlen: number;
  readonly scope: string;
  readonly label?: string;
  readonly broadcast?: string;
  readonly valid_life_time: number;
  readonly preferred_life_time: number;
}

const FOREVER = 0xffffffff;
const SCOPES: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254 };
/** Device flags (linux/if.h); ip shows the carrier as LOWER_UP, and a lack of IFF_RUNNING as NO-CARRIER. */
const IFF = { UP: 0x1, LOOPBACK: 0x8, RUNNING: 0x40, LOWER_UP: 0x10000 } as const;
/** linux/if_arp.h */
const HARDWARE: Readonly<Record<string, number>> = { ether: 1, loopback: 772 };
/** linux/if_link.h */
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4 } as const;
const LINK_FIXED = 16;

/** RTM_NEWLINK or RTM_DELLINK of an interface. */
export function linkMessage(link: IpInterface, gone = false): Uint8Array {
  const has = (flag: string) => link.flags.includes(flag);
  const fixed = new Uint8Array(LINK_FIXED);
  setHost16(fixed, 2, HARDWARE[link.link_type] ?? 0xfffe);
  setHost32(fixed, 4, link.ifindex);
  const up = has('UP') ? IFF.UP | (has('NO-CARRIER') ? 0 : IFF.RUNNING) : 0;
  setHost32(fixed, 8, up | (has('LOWER_UP') ? IFF.LOWER_UP : 0) | (has('LOOPBACK') ? IFF.LOOPBACK : 0));
  const attributes: NetlinkAttribute[] = [
    { type: IFLA.IFNAME, value: new TextEncoder().encode(`${link.ifname}\0`) },
    { type: IFLA.MTU, value: u32(link.mtu) },
  ];
  if (link.link_type === 'ether' && link.address !== undefined)
    attributes.push({ type: IFLA.ADDRESS, value: macBytes(link.address as MacAddress) });
  return buildMessage(gone ? RTM_DELLINK : RTM_NEWLINK, 0, fixed, attributes);
}

/** RTM_NEWADDR of each address of an interface, by a name that is the address's alone. */
export function addressMessages(link: IpInterface): ReadonlyMap<string, Uint8Array> {
  const messages = new Map<string, Uint8Array>();
  for (const info of link.addr_info) {
    if (info.family !== 'inet' && info.family !== 'inet6') continue;
    const lifetime = (seconds: number) => (seconds === FOREVER ? 'forever' : seconds);
    const request = {
      index: link.ifindex,
      address: parseIp(info.local),
      prefix: info.prefixlen,
      scope: SCOPES[info.scope] ?? (Number(info.scope) || 0),
      flags: info.valid_life_time === FOREVER ? IFA_F_PERMANENT : 0,
      protocol: 0,
      validLifetime: lifetime(info.valid_life_time),
      preferredLifetime: lifetime(info.preferred_life_time),
      ...(info.label !== undefined && { label: info.label }),
      ...(info.broadcast !== undefined && { broadcast: parseIp(info.broadcast) }),
      ...(info.address !== undefined && { peer: parseIp(info.address) }),
    } as const;
    messages.set(
      `${link.ifindex} ${info.local}/${info.prefixlen} ${info.address ?? ''}`,
      addAddressRequest(request, 'replace'),
    );
  }
  return messages;
}

/** RTM_DELADDR of what an RTM_NEWADDR added. */
export function removalOf(message: Uint8Array): Uint8Array | undefined {
  const decoded = decodeAddress(message);
  return typeof decoded === 'string' ? undefined : deleteAddressRequest(decoded.address);
}

/** An address request as a line for `ip -batch`. */
export interface AddressLine {
  readonly line: string;
  readonly type: 'add' | 'remove';
  readonly address: AddressRecord;
}

/** undefined: not a request about an address, or about an interface that `nameOf` does not know. */
export function addressLine(
  message: Uint8Array,
  nameOf: (index: number) => string | undefined,
): AddressLine | 'no-device' | undefined {
  const decoded = decodeAddress(message);
  const header = readNetlinkHeader(message);
  if (typeof decoded === 'string' || typeof header === 'string') return undefined;
  const { address } = decoded;
  const device = nameOf(address.index);
  if (device === undefined) return 'no-device';
  const target = [
    ...(address.peer === undefined
      ? [`${address.address}/${address.prefix}`]
      : [address.address, 'peer', `${address.peer}/${address.prefix}`]),
    'dev',
    device,
  ];
  if (decoded.type === 'address-gone') return { line: ['address del', ...target].join(' '), type: 'remove', address };
  const words = [
    (header.flags & NLM_F_REPLACE) !== 0 ? 'address replace' : 'address add',
    ...target,
    ...(address.broadcast === undefined ? [] : ['broadcast', address.broadcast]),
    ...(address.label === undefined ? [] : ['label', address.label]),
    ...(address.family === 4 ? ['scope', String(address.scope)] : []),
    ...['valid_lft', String(address.validLifetime), 'preferred_lft', String(address.preferredLifetime)],
    ...((address.flags & IFA_F_NODAD) !== 0 ? ['nodad'] : []),
    ...((address.flags & IFA_F_NOPREFIXROUTE) !== 0 ? ['noprefixroute'] : []),
  ];
  return { line: words.join(' '), type: 'add', address };
}
