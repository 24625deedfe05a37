// check-certificate: a TLS service shows a certificate that is valid, and stays so for some days. Knows no schedule.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import { checkPlugin, type HealthCheck, type ProbeResult } from '../../core/plugin/check.ts';
import type { OptionValues } from '../../core/plugin/options.ts';
import { tlsFailure, tlsOptions } from '../../core/plugin/tls-options.ts';

const DAY = 86_400_000;

const options = {
  host: { kind: 'text', required: true, help: 'address or name to connect to' },
  port: { kind: 'integer', min: 1, max: 65_535, default: 443, help: 'TCP port' },
  source: { kind: 'address', help: 'local address to connect from' },
  ...tlsOptions,
  days: { kind: 'integer', min: 0, max: 3_650, default: 7, help: 'fewest days that it must still be valid' },
} as const;

type Values = OptionValues<typeof options>;

export const checkCertificate = checkPlugin({
  api: 1,
  kind: 'check',
  name: 'certificate',
  help: 'a TLS service shows a certificate that is valid, and stays so for some days',
  options,
  create: (values: Values): HealthCheck => {
    const ca = values.ca === undefined ? undefined : [...rootCertificates, readFileSync(values.ca, 'utf8')];
    return { probe: (signal) => probe(values, ca, signal) };
  },
});

function probe(
  { host, port, source, sni, verify, days }: Values,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const name = sni ?? (isIP(host) === 0 ? host : undefined);
    const socket = connect({
      host,
      port,
      rejectUnauthorized: verify,
      ...(name !== undefined && { servername: name }),
      ...(ca !== undefined && { ca: [...ca] }),
      ...(source !== undefined && { localAddress: source }),
    });
    const end = (result: ProbeResult): void => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(result);
    };
    const abort = (): void => end({ ok: false, why: 'no answer in time' });
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) => end({ ok: false, why: failureText(error) }));
    socket.once('secureConnect', () => end(judge(socket.getPeerCertificate().valid_to, days)));
  });
}

/** @param validTo as OpenSSL writes it: `Nov 21 10:00:00 2026 GMT` */
function judge(validTo: string | undefined, days: number): ProbeResult {
  const end = Date.parse(validTo ?? '');
  if (Number.isNaN(end)) return { ok: false, why: 'there is no certificate' };
  const left = Math.floor((end - Date.now()) / DAY);
  if (left < 0) return { ok: false, why: 'the certificate has expired' };
  return left >= days
    ? { ok: true, detail: `valid for ${left} days` }
    : { ok: false, why: `the certificate expires in ${left} days, on ${new Date(end).toISOString().slice(0, 10)}` };
}

function failureText(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNRESET') return 'the connection broke off before the certificate';
  return tlsFailure(error.code) ?? error.code ?? error.message;
}
