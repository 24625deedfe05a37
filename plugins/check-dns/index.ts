// check-dns: a name server answers a question, with expected records where asked for (DNS_CHECK of keepalived).
import { promises } from 'node:dns';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';

const { Resolver } = promises;

const options = {
  server: { kind: 'address', required: true, help: 'address of the name server', example: '127.0.0.1' },
  port: { kind: 'integer', min: 1, max: 65_535, default: 53, help: 'its port' },
  source: { kind: 'address', help: 'local address to ask from' },
  type: {
    kind: 'choice',
    choices: ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'],
    default: 'SOA',
    help: 'type of the records',
  },
  name: { kind: 'text', default: '.', help: 'name to ask for', example: 'www.example.com' },
  expect: { kind: 'pattern', many: true, help: 'regular expression that one of the records must match' },
} as const;

type Values = OptionValues<typeof options>;

/** Why there are no records, by the code of node:dns. */
const FAILURES: Readonly<Record<string, string>> = {
  ENODATA: 'there are no records of that type',
  ENOTFOUND: 'there is no such name',
  EFORMERR: 'the server does not understand the question',
  ESERVFAIL: 'the server fails',
  EREFUSED: 'the server refuses to answer',
  ENOTIMP: 'the server does not know such questions',
  EBADRESP: 'the answer makes no sense',
  ECONNREFUSED: 'ECONNREFUSED',
};

export const checkDns = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'dns',
  help: 'a name server answers a question',
  options,
  create: (values: Values, { timeout }): HealthCheck => ({
    // One question, one try: asking again is the business of the interval.
    probe: (signal) => probe(values, timeout / 1_000, signal),
  }),
});

async function probe(values: Values, timeout: number, signal: AbortSignal): Promise<ProbeResult> {
  const { server, port, source, type, name, expect } = values;
  const resolver = new Resolver({ timeout: Math.ceil(timeout) + 1_000, tries: 1 });
  resolver.setServers([server.includes(':') ? `[${server}]:${port}` : `${server}:${port}`]);
  if (source !== undefined)
    resolver.setLocalAddress(...((source.includes(':') ? ['0.0.0.0', source] : [source]) as [string]));
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const records = textsOf(await resolver.resolve(name === '.' ? '' : name, type), type);
    const missing = expect.find((pattern) => !records.some((record) => new RegExp(pattern, 'u').test(record)));
    if (missing !== undefined) return { ok: false, why: `no record matches ${missing}` };
    return { ok: true, detail: records.length === 1 ? '1 record' : `${records.length} records` };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { ok: false, why: FAILURES[code] ?? (code === '' ? message : code) };
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** Members of records that have several, in the order of the zone file. */
const MEMBERS: Readonly<Partial<Record<Values['type'], readonly string[]>>> = {
  MX: ['priority', 'exchange'],
  SRV: ['priority', 'weight', 'port', 'name'],
  SOA: ['nsname', 'hostmaster', 'serial', 'refresh', 'retry', 'expire', 'minttl'],
};

/** Each record as one line. */
function textsOf(records: unknown, type: Values['type']): readonly string[] {
  const list: readonly unknown[] = Array.isArray(records) ? records : [records];
  return list.map((record) => {
    if (typeof record === 'string') return record;
    if (Array.isArray(record)) return record.join('');
    return (MEMBERS[type] ?? []).map((member) => (record as Readonly<Record<string, unknown>>)[member]).join(' ');
  });
}
