// check-ping: a host answers echo requests, ICMP or ICMPv6 (PING_CHECK of keepalived). It owns no socket: one pair of them
// serves all of these checks.
import { promises } from 'node:dns';
import { type Family, familyOf, type IpAddress, isMulticast, parseIp } from '../../core/net/address.ts';
import { type CheckHost, checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { CheckNetwork, EchoResult } from '../../core/plugin/network.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { type Micros, micros, millis } from '../../core/units.ts';

/** Packets of one probe leave so far apart, so that one full queue does not swallow all of them; less if time is short. */
const SPACING = millis(10);

const options = {
  host: { kind: 'text', required: true, help: 'address or name to ask', example: '192.0.2.1' },
  count: { kind: 'integer', min: 1, max: 100, default: 1, help: 'packets of one probe' },
  loss: { kind: 'integer', min: 0, max: 99, default: 0, help: 'percent of them that may be lost' },
  rtt: { kind: 'seconds', min: 0.000_1, max: 60, help: 'a packet that takes longer counts as lost', example: '0.05' },
  size: { kind: 'integer', min: 16, max: 8_972, default: 56, help: 'bytes in a packet, without headers' },
  ttl: { kind: 'integer', min: 1, max: 255, help: 'TTL or hop limit of the packets; default: that of the system' },
  source: { kind: 'address', help: 'local address to ask from' },
  interface: { kind: 'text', help: 'interface to ask by; an IPv6 link-local host needs it', example: 'eth0' },
} as const;

type Values = OptionValues<typeof options>;

export const checkPing = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'ping',
  help: 'a host answers echo requests (ICMP, ICMPv6)',
  options,
  validate({ host, source, interface: by, loss, count }, complain) {
    const address = parseIp(host);
    if (address !== undefined && isMulticast(address)) complain('host', `${host} is a group, not a host`);
    if (address !== undefined && source !== undefined && familyOf(address) !== familyOf(source))
      complain('source', `${source} and the host ${host} are of two families`);
    if (address !== undefined && isLinkLocal(address) && by === undefined)
      complain('host', `${host} is a link-local address`, 'add interface');
    if (loss > 0 && Math.floor((count * loss) / 100) === 0)
      complain('loss', `${loss} % of ${count === 1 ? '1 packet' : `${count} packets`} is less than one`, 'raise count');
  },
  create: (values: Values, { network, timeout }: CheckHost): HealthCheck => {
    if (network === undefined) throw new Error('whoever runs it offers no network to checks');
    return { probe: (signal) => probe(values, network, timeout, signal) };
  },
});

async function probe(
  values: Values,
  network: CheckNetwork,
  timeout: Micros,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const target = await addressOf(values.host, values.source === undefined ? undefined : familyOf(values.source));
  if (target === undefined) return { ok: false, why: 'its name has no address' };
  const { count, loss, rtt, size, ttl, source } = values;
  const request = {
    target,
    size,
    ...(ttl !== undefined && { ttl }),
    ...(source !== undefined && { source }),
    ...(values.interface !== undefined && { interface: values.interface }),
  };
  // What is still under way when the verdict is clear is called back.
  const over = new AbortController();
  const spacing = micros(Math.min(SPACING, timeout / (2 * count)));
  const tally = new Tally(count, Math.floor((count * loss) / 100), rtt);
  return await new Promise<ProbeResult>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (result: ProbeResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      over.abort();
      resolve(result);
    };
    const onAbort = (): void => end({ ok: false, why: 'no answer' });
    const send = (left: number): void => {
      if (left > 1) timer = setTimeout(send, spacing / 1_000, left - 1);
      void network.ping(request, over.signal).then((result) => {
        const verdict = over.signal.aborted ? undefined : tally.take(result);
        if (verdict !== undefined) end(verdict);
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else send(count);
  });
}

/** Counts what became of the packets of a probe, until it is clear. */
class Tally {
  readonly #count: number;
  readonly #allowed: number;
  readonly #rtt: Micros | undefined;
  #answered = 0;
  #lost = 0;
  #took = 0;

  constructor(count: number, allowed: number, rtt: Micros | undefined) {
    this.#count = count;
    this.#allowed = allowed;
    this.#rtt = rtt;
  }

  /** The verdict, as soon as no packet that is under way can change it. */
  take(result: EchoResult): ProbeResult | undefined {
    const late = result.ok && this.#rtt !== undefined && result.took > this.#rtt;
    if (result.ok && !late) {
      this.#answered++;
      this.#took += result.took;
    } else this.#lost++;
    if (this.#lost > this.#allowed)
      return { ok: false, why: result.ok ? `slower than ${this.#rtt! / 1_000} ms` : result.why };
    if (this.#answered < this.#count - this.#allowed) return undefined;
    return { ok: true, detail: `${(this.#took / this.#answered / 1_000).toFixed(2)} ms` };
  }
}

/** The first address of a name, as the system orders them. */
async function addressOf(host: string, family: Family | undefined): Promise<IpAddress | undefined> {
  const address = parseIp(host);
  if (address !== undefined) return address;
  const found = await promises.lookup(host, { family: family ?? 0 });
  return parseIp(found.address);
}

/** fe80::/10. */
const isLinkLocal = (address: IpAddress): boolean => /^fe[89ab]/.test(address);
