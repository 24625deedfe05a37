// fast-check arbitraries of addresses, and bytes spoiled in the ways of the network.
import fc from 'fast-check';
import { formatIp, formatMac, type IpAddress, type MacAddress } from '../../core/net/address.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

export const ipv4: fc.Arbitrary<IpAddress> = bytesOf(4).map((bytes) => formatIp(bytes, 0, 4));
/** Zero groups are frequent, so that shortening is exercised. */
export const ipv6: fc.Arbitrary<IpAddress> = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => formatIp(Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 255])), 0, 16));
export const mac: fc.Arbitrary<MacAddress> = bytesOf(6).map((bytes) => formatMac(bytes, 0));
export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });

/** Random bytes, or a good message cut short or with some bytes changed. */
export const spoiled = (good: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 0, max: good.length }).map((length) => good.slice(0, length)),
    fc.array(fc.tuple(fc.nat({ max: Math.max(0, good.length - 1) }), u8), { maxLength: 4 }).map((changes) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    }),
  );

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
