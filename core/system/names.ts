// Finds machines by name: getaddrinfo(3), which knows /etc/hosts and whatever else the system is set up for, and DNS
// beside it for what getaddrinfo does not say: how long an answer holds, and services.
import { lookup, Resolver } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { type Family, type IpAddress, parseIp } from '../net/address.ts';
import type { NameAnswer, Names } from '../ports/names.ts';
import { seconds } from '../units.ts';

const TIMEOUT_MS = 8_000;
/** One question to one DNS server, and how often. */
const DNS = { timeout: 2_000, tries: 2 };
/** getaddrinfo blocks a thread of a small pool that files are read with, too. */
const AT_ONCE = 2;

export class SystemNames implements Names {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async addresses(host: string, family: Family): Promise<NameAnswer<IpAddress>> {
    try {
      const resolver = new Resolver(DNS);
      const records = family === 4 ? resolver.resolve4(host, { ttl: true }) : resolver.resolve6(host, { ttl: true });
      const [found, dns] = await within(
        Promise.all([this.#lookup(host, family), records.catch(() => [] as { address: string; ttl: number }[])]),
      );
      const values = found.flatMap((address) => parseIp(address) ?? []);
      if (values.length === 0) return { ok: false, why: 'no address' };
      // Another source than DNS may have answered: then nobody knows how long it holds.
      const same = dns.length === values.length && dns.every(({ address }) => values.includes(parseIp(address)!));
      return { ok: true, values, ttl: same ? seconds(Math.min(...dns.map(({ ttl }) => ttl))) : undefined };
    } catch (error) {
      return { ok: false, why: reasonOf(error) };
    }
  }

  async targets(service: string): Promise<NameAnswer<string>> {
    try {
      const records = await within(new Resolver(DNS).resolveSrv(service));
      // "." says that there is no such service (RFC 2782). The port means nothing to VRRP.
      const values = [...new Set(records.map(({ name }) => name))].filter((name) => name !== '' && name !== '.');
      return values.length === 0 ? { ok: false, why: 'no target' } : { ok: true, values, ttl: undefined };
    } catch (error) {
      return { ok: false, why: reasonOf(error) };
    }
  }

  own(): ReadonlySet<IpAddress> {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    return new Set(all.flatMap(({ address }) => parseIp(address) ?? []));
  }

  async #lookup(host: string, family: Family): Promise<readonly string[]> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return (await lookup(host, { all: true, family })).map(({ address }) => address);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

/** @throws Error ETIMEOUT in time; what was asked goes on unheard */
async function within<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(Object.assign(new Error('timeout'), { code: 'ETIMEOUT' })), TIMEOUT_MS);
  timer.unref();
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
