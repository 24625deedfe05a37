// IP and MAC addresses as canonical text: immutable, comparable with ===, printable, plain data across threads.
// Bytes exist only where a codec meets the wire. Pure.

declare const kind: unique symbol;

/** An IPv4 address in dotted decimal, or an IPv6 address in RFC 5952 form. */
export type IpAddress = string & { readonly [kind]: 'ip' };

/** An Ethernet address, six lower-case hexadecimal octets with colons. */
export type MacAddress = string & { readonly [kind]: 'mac' };

export type Family = 4 | 6;

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff' as MacAddress;

export const familyOf = (address: IpAddress): Family => (address.includes(':') ? 6 : 4);

/** The address that a text denotes, in canonical form, or undefined. Leading zeros in IPv4 and zone ids are refused. */
export function parseIp(text: string): IpAddress | undefined {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return bytes && formatIp(bytes, 0, bytes.length as 4 | 16);
}

/** As parseIp, for texts that are known to be addresses. @throws TypeError when the text is none */
export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`not an IP address: ${text}`);
  return address;
}

/** The 4 or 16 bytes of an address, in network order. */
export function ipBytes(address: IpAddress): Uint8Array {
  const bytes = address.includes(':') ? parseIpv6(address) : parseIpv4(address);
  if (!bytes) throw new TypeError(`not an IP address: ${address}`);
  return bytes;
}

/** Formats `length` bytes (4 or 16) at `offset` as an address. */
export function formatIp(bytes: Uint8Array, offset: number, length: 4 | 16): IpAddress {
  if (length === 4)
    return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}` as IpAddress;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[offset + 2 * i]! << 8) | bytes[offset + 2 * i + 1]!);
  return formatGroups(groups) as IpAddress;
}

/** Compares as unsigned big-endian numbers (RFC 9568 §6.4.3): negative, zero or positive. IPv4 sorts before IPv6. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  if (a === b) return 0;
  const x = ipBytes(a);
  const y = ipBytes(b);
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return 0;
}

/** Whether two addresses are of one family and share their first `length` bits. */
export function isInPrefix(address: IpAddress, network: IpAddress, length: number): boolean {
  const a = ipBytes(address);
  const b = ipBytes(network);
  if (a.length !== b.length) return false;
  for (let i = 0, bits = length; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((a[i] ?? 0) & mask) !== ((b[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** True for 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  const first = ipBytes(address)[0]!;
  return familyOf(address) === 4 ? first >= 224 && first < 240 : first === 0xff;
}

export function parseMac(text: string): MacAddress | undefined {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ? (text.toLowerCase() as MacAddress) : undefined;
}

export function macBytes(mac: MacAddress): Uint8Array {
  return Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16));
}

export function formatMac(bytes: Uint8Array, offset: number): MacAddress {
  return Array.from(bytes.subarray(offset, offset + 6), (b) => b.toString(16).padStart(2, '0')).join(':') as MacAddress;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const parts = match.slice(1);
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(halves.length === 2 ? missing : 0).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The 16-bit groups of one side of an IPv6 text; the last one may be written as an IPv4 address. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (!v4) return undefined;
      groups.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups shortened, the first one if equal. */
function formatGroups(groups: readonly number[]): string {
  let bestStart = 0;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > bestLength) [bestStart, bestLength] = [i, n];
    if (n > 0) i += n;
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  if (bestLength < 2) return hex(0, 8);
  return `${hex(0, bestStart)}::${hex(bestStart + bestLength, 8)}`;
}
